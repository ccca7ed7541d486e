//! The command's transcripts in `tests/cli`: documentation that is run.

use chancery_tests::command::binary;

#[test]
fn every_transcript_is_true() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cli/*.md");
    let home = tempfile::tempdir().unwrap();
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, chancery_tests::command::PASSPHRASE).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let cases = trycmd::TestCases::new();
    cases.register_bin("chancery", binary());
    cases.env("CHANCERY_PASSPHRASE_REF", format!("file:{}", passphrase.display()));
    cases.env("NO_COLOR", "1");
    cases.case(folder);
    cases.run();
}
