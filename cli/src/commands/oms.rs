//! `chancery oms`: model signatures of the OpenSSF, made of weights records and checked against folders.

use std::path::{Path, PathBuf};

use chancery_schema::admission::Submission;
use chancery_schema::bundle::{Check, Outcome as Step};
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::ENVELOPE_BYTES_MAX;
use chancery_schema::record::Record;
use serde_json::json;

use super::hash::hash_shown;
use super::verify::{compare, line};
use crate::files::{read_bounded, write_whole};
use crate::hash::list_but;
use crate::oms::{BUNDLE_BYTES_MAX, Key, Manifest, PublicKey};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::visible::visible;
use crate::{Context, fingerprint};

/// Exchange model signatures with software that knows no nations (OpenSSF Model Signing, OMS v1.0)
///
/// Such a signature is a bundle of Sigstore's form (model.sig) and says which files a key signed. It names
/// no nation, log, time or license, and cannot be revoked: for those, use `chancery verify`. Its root digest
/// binds no file names, so it is an alias of a weights record and never the identity of a model.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Keygen(Keygen),
    Export(Export),
    Verify(Verify),
}

/// Makes a P-256 key: NAME.key, encrypted and for its owner alone, and NAME.pub.pem, for everyone
///
/// It is a key for such bundles and nothing else: it speaks for no nation and signs no record.
#[derive(Debug, clap::Args)]
pub struct Keygen {
    /// The folder for both files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// What the files are called
    #[arg(long, default_value = "oms")]
    name: String,
}

/// Signs the files of a weights record and writes the bundle, as `model_signing verify key` takes it
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The weights record, as `chancery sign` writes it
    record: PathBuf,
    /// The key that signs, of `chancery oms keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The bundle to write, such as model.sig
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Verifies a folder against a bundle and the key you trust, as `model_signing sign key` makes them, offline
///
/// Every signed file must be there with its digest, and no other; what the signer left out by name, git's
/// own files and the bundle itself are not looked at.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The folder
    folder: PathBuf,
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The signer's P-256 public key, in PEM
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, the key does not open, or something is not what it claims to be.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Keygen(args) => keygen(args, context),
        Command::Export(args) => export(args, context),
        Command::Verify(args) => verify(args, context),
    }
}

fn keygen(args: &Keygen, context: &Context) -> Outcome {
    let passphrase = context.passphrase.new_one()?;
    let attempted = || format!("failed to make the folder {}", args.out.display());
    std::fs::create_dir_all(&args.out).or_exit(Exit::Usage, attempted)?;
    let key = Key::generate()?;
    let (path, public) = key.save(&args.out, &args.name, &passphrase)?;
    let hint = key.public()?.hint();
    let spoken = fingerprint::spoken(&hint, "  ");
    let human = format!("made a P-256 key; whoever trusts it compares its digest\n{spoken}\n  {}", path.display());
    context.console.result(human, &json!({ "key": hint, "file": path, "publicKey": public }))
}

fn export(args: &Export, context: &Context) -> Outcome {
    let attempted = || {
        let path = args.record.display();
        format!("failed to read {path} as a weights record; name one that `chancery sign` wrote")
    };
    let bytes = read_bounded(&args.record, ENVELOPE_BYTES_MAX as u64)?;
    let envelope = Envelope::parse(&bytes).or_exit(Exit::Usage, attempted)?;
    let digest = envelope.record_digest();
    let submission = Submission::open(envelope).or_exit(Exit::Usage, attempted)?;
    let Record::Weights(weights) = &submission.record else {
        let kind = submission.record.kind();
        return fail(Exit::Usage, format!("{} is a {kind}; name a weights record", args.record.display()));
    };
    let manifest = Manifest::of(weights, weights.version_urn(&submission.header));
    let passphrase = context.passphrase.existing(&args.key.display().to_string())?;
    let key = Key::open(&args.key, &passphrase)?;
    write_whole(&args.out, &manifest.sign(&key)?)?;
    let (count, root, hint, out) = (manifest.files.len(), manifest.root(), key.public()?.hint(), args.out.display());
    let human = format!(
        "signed {count} files of {} with the key {hint}\nOMS root {root}, an alias: it binds no file names\n  {out}",
        manifest.name
    );
    context.console.result(human, &json!({ "file": args.out, "record": digest, "omsRoot": root, "key": hint }))
}

fn verify(args: &Verify, context: &Context) -> Outcome {
    let key = PublicKey::read(&args.trust)?;
    let bytes = read_bounded(&args.bundle, BUNDLE_BYTES_MAX)?;
    let attempted = || format!("{} does not verify", args.bundle.display());
    let manifest = Manifest::open(&bytes, &key).or_exit(Exit::Verification, attempted)?;
    let root = manifest.root();
    let checks = check_folder(args, manifest, &key, context)?;
    let failed: Vec<String> =
        checks.iter().filter(|it| it.outcome == Step::Fails).map(|it| visible(&it.detail)).collect();
    let (verdict, said) = if failed.is_empty() {
        ("verified", "verified: the key signed these very files; nothing is said of nation, log or license")
    } else {
        ("failed", "FAILED: do not rely on it")
    };
    let lines: Vec<String> = checks.iter().map(line).chain([said.to_owned()]).collect();
    let value = json!({ "verdict": verdict, "checks": checks, "key": key.hint(), "omsRoot": root });
    context.console.result(lines.join("\n"), &value)?;
    if failed.is_empty() { Ok(()) } else { fail(Exit::Verification, failed.join("; ")) }
}

/// One line for the signature, one for what was left out, and those of the files.
fn check_folder(args: &Verify, mut manifest: Manifest, key: &PublicKey, context: &Context) -> Outcome<Vec<Check>> {
    manifest.ignored.extend(path_inside(&args.folder, &args.bundle));
    let listing = list_but(&args.folder, &|path| manifest.leaves_out(path))?;
    let hashed = hash_shown(&listing, context.console)?;
    let detail = format!("{} files of {:?}, by the key {}", manifest.files.len(), manifest.name, key.hint());
    let mut checks = vec![Check { what: "signature", outcome: Step::Holds, detail }];
    if !listing.ignored.is_empty() {
        let detail = format!("no part of what was signed: {}", listing.ignored.join(", "));
        checks.push(Check { what: "left out", outcome: Step::NotChecked, detail });
    }
    let signed = manifest.files.iter().map(|(path, sha256)| (path.as_str(), *sha256, path));
    checks
        .extend(compare(signed, &hashed, |path, _| format!("{path} was changed: it is not the file that was signed")));
    Ok(checks)
}

/// The path of `file` in `folder`, as a manifest writes it, where it lies there.
fn path_inside(folder: &Path, file: &Path) -> Option<String> {
    let file = file.canonicalize().ok()?;
    let path = file.strip_prefix(folder.canonicalize().ok()?).ok()?;
    let parts: Option<Vec<&str>> = path.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/"))
}

#[cfg(test)]
mod tests {
    use chancery_schema::digest::Digest;

    use super::*;
    use crate::output::Console;
    use crate::passphrase::PassphraseArgs;

    const FILES: [(&str, &[u8]); 4] = [(".config", b"1"), ("a/b", b"2"), ("a-b", b"3"), ("empty", b"")];

    /// A folder, and the bundle of its files in it.
    struct Signed {
        folder: tempfile::TempDir,
        manifest: Manifest,
        key: PublicKey,
    }

    impl Signed {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (path, bytes) in FILES {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            let files = FILES.map(|(path, bytes)| (path.to_owned(), Digest::of(bytes))).into();
            let ignored = vec!["cache".to_owned(), "model.sig".to_owned()];
            let key = Key::generate().unwrap();
            let manifest = Manifest { name: "model".to_owned(), files, ignored };
            std::fs::write(folder.path().join("model.sig"), manifest.sign(&key).unwrap()).unwrap();
            Self { folder, manifest, key: key.public().unwrap() }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        /// What fails, one sentence for each.
        fn findings(&self) -> Vec<String> {
            self.findings_with(self.at("model.sig"))
        }

        fn findings_with(&self, bundle: PathBuf) -> Vec<String> {
            let context = Context { console: Console::new(false, true, true), passphrase: PassphraseArgs::default() };
            let args = Verify { folder: self.folder.path().to_owned(), bundle, trust: PathBuf::new() };
            let checks = check_folder(&args, self.manifest.clone(), &self.key, &context).unwrap();
            let failed = checks.into_iter().filter(|check| check.outcome == Step::Fails);
            failed.map(|check| check.detail).collect()
        }
    }

    #[test]
    fn a_folder_as_it_was_signed_verifies_whatever_lies_in_what_is_left_out() {
        let signed = Signed::new();
        std::fs::create_dir_all(signed.at(".git")).unwrap();
        std::fs::write(signed.at(".git/config"), "x").unwrap();
        std::fs::write(signed.at("cache"), "x").unwrap();
        assert_eq!(signed.findings(), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_found_and_named() {
        let check = |findings: &[&str], change: &dyn Fn(&Signed)| {
            let signed = Signed::new();
            change(&signed);
            assert_eq!(signed.findings(), findings);
        };
        let changed = "a/b was changed: it is not the file that was signed";
        check(&[changed], &|signed| std::fs::write(signed.at("a/b"), b"9").unwrap());
        check(&["a-b is missing"], &|signed| std::fs::remove_file(signed.at("a-b")).unwrap());
        check(&["more is in the folder and was not signed"], &|signed| std::fs::write(signed.at("more"), b"").unwrap());
        check(&[".more is in the folder and was not signed"], &|signed| {
            std::fs::write(signed.at(".more"), b"").unwrap();
        });
        // In the order of the files, so that the root over them would be the same.
        check(&["empty is missing", "empties is in the folder and was not signed"], &|signed| {
            std::fs::rename(signed.at("empty"), signed.at("empties")).unwrap();
        });
    }

    #[test]
    fn a_bundle_in_the_folder_is_no_finding_whatever_its_name() {
        let signed = Signed::new();
        std::fs::rename(signed.at("model.sig"), signed.at("a/other.sig")).unwrap();
        assert_eq!(signed.findings_with(signed.at("a/../a/other.sig")), Vec::<String>::new());
        assert_eq!(signed.findings_with(signed.at("empty")), ["a/other.sig is in the folder and was not signed"]);
    }
}
