//! The commands of a node, as an operator and a publisher run them: the real command, in temporary
//! folders, with no test double anywhere.
#![cfg(feature = "node")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

const PASSPHRASE: &str = "only for this test, and long enough";

/// How long a node may take to be ready, on a busy machine.
const READY: Duration = Duration::from_secs(90);

/// A folder with a passphrase in it, in which commands run.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write_private("passphrase", PASSPHRASE);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_private(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        command.env_remove("CHANCERY_NODE").env_remove("RUST_LOG").env("CHANCERY_PASSPHRASE_REF", "file:passphrase");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; answers what it printed.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?} failed:\n{}", said(&output));
        assert!(!said(&output).contains(PASSPHRASE), "{arguments:?} showed the passphrase");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.succeed(&[&["--json"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?} printed no JSON: {error}\n{text}"))
    }

    /// Runs a command that must fail with `code`; answers what it said.
    fn fail(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{}", said(&output));
        assert!(!said(&output).contains(PASSPHRASE), "{arguments:?} showed the passphrase");
        said(&output)
    }

    /// Founds a nation in a folder named after it; answers its fingerprint.
    fn found(&self, nation: &str) -> String {
        let (origin, p2p) = (format!("{}.example.org/chancery", nation.to_lowercase()), address());
        let name = format!("en=Nation {nation}");
        let options = ["init", "--nation", nation, "--origin", &origin, "--name", &name, "--p2p", &p2p];
        let made = self.json(&[&options[..], &["--http", &format!("127.0.0.1:{}", free_port())]].concat());
        made["fingerprint"].as_str().unwrap().to_owned()
    }

    /// A publisher's delegation, approved by the registrar of the nation's folder.
    fn delegation(&self, nation: &str) -> String {
        let origin = format!("{}.example.org/chancery", nation.to_lowercase());
        self.succeed(&["keygen", "--role", "publisher", "--nation", nation, "--origin", &origin, "--name", "lab"]);
        let key = self.key_file("lab");
        self.succeed(&[
            "enrol",
            "request",
            "--key",
            &key,
            "--holder",
            "Lab",
            "--model",
            "lab",
            "--out",
            "request.json",
        ]);
        let registrar = self.key_file(&format!("{}/keys/registrar", nation.to_lowercase()));
        self.succeed(&["enrol", "approve", "request.json", "--key", &registrar, "--out", "delegation.dsse.json"]);
        "delegation.dsse.json".to_owned()
    }

    /// The secret half of a key, whatever its ending.
    fn key_file(&self, name: &str) -> String {
        let endings = ["age", "key"].map(|ending| format!("{name}.{ending}"));
        endings.into_iter().find(|file| self.path(file).is_file()).unwrap_or_else(|| panic!("no key {name}"))
    }

    fn serve(&self, folder: &str) -> Serving {
        self.serve_with(&["serve", "--dir", folder])
    }

    fn serve_with(&self, arguments: &[&str]) -> Serving {
        let log = std::fs::File::options().create(true).append(true).open(self.path("serve.log")).unwrap();
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, ready) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = ready.recv_timeout(READY).unwrap_or_default();
        let log = std::fs::read_to_string(self.path("serve.log")).unwrap_or_default();
        let url = line.split_whitespace().find_map(|word| word.strip_prefix("http="));
        let url = url.unwrap_or_else(|| panic!("{arguments:?} was not ready: {line:?}\n{log}")).to_owned();
        Serving { child, url, line }
    }
}

/// A node that runs.
struct Serving {
    child: Child,
    url: String,
    line: String,
}

impl Serving {
    /// Asks the node to stop as an operator does; answers its exit code.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// Kills the node as a power cut does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn address() -> String {
    format!("/ip4/127.0.0.1/tcp/{}", free_port())
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_nation_is_founded_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let fingerprint = desk.found("FR");
    let keys = desk.path("fr/keys");
    for name in ["root-1", "root-2", "root-3", "registrar", "exchange", "log", "witness", "mirror", "node", "transport"]
    {
        let path = desk.path(&desk.key_file(&format!("fr/keys/{name}")));
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600, "{name}");
    }
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o7777, 0o700);

    let before = (files(&desk.path("fr")), files(&keys));
    let init = ["init", "--nation", "FR", "--origin", "fr.example.org/other", "--name", "fr=France", "--dir", "fr"];
    let said = desk.fail(2, &init);
    assert!(said.contains("is not empty; nothing was changed"), "{said}");
    assert_eq!((files(&desk.path("fr")), files(&keys)), before);
    assert_eq!(files(desk.folder.path()), ["fr", "passphrase"], "something half-made was left behind");
    assert!(!desk.succeed(&["partner", "list", "--dir", "fr"]).contains(&fingerprint));
}

#[test]
fn officers_found_a_nation_and_hand_it_on_without_their_keys_ever_meeting() {
    let desk = Desk::new();
    let key = |role: &str, folder: &str| {
        let of = ["--nation", "FR", "--origin", "fr.example.org/chancery"];
        desk.succeed(&[&["keygen", "--role", role, "--out", folder][..], &of].concat());
    };
    for officer in ["ana", "ben", "cleo", "dora"] {
        key("root", officer);
    }
    for role in ["registrar", "exchange", "log", "witness", "mirror", "node", "transport"] {
        key(role, "own");
    }
    let sign = |proposal: &str, officer: &str| {
        let (key, out) = (format!("{officer}/root.key"), format!("{officer}/signature.dsse.json"));
        let output = desk.run(&["charter", "sign", proposal, "--key", &key, "--out", &out]);
        assert!(output.status.success(), "{}", said(&output));
        (said(&output), out)
    };

    let options = ["--name", "en=France", "--threshold", "2", "--out", "first.json"];
    let roots = ["ana", "ben", "cleo"].map(|officer| ["--add-root".to_owned(), format!("{officer}/root.pub.json")]);
    let roots: Vec<&str> = roots.iter().flatten().map(String::as_str).collect();
    let own = ["--add-registrar", "own/registrar.pub.json", "--log", "own/log.pub.json", "--witness"];
    let own = [&own[..], &["own/witness.pub.json", "--mirror", "own/mirror.pub.json"]].concat();
    desk.succeed(&[&["charter", "propose"], &options[..], &roots, &own].concat());
    let (shown, ana) = sign("first.json", "ana");
    assert!(shown.contains("version 1 of the charter of FR") && shown.contains("new    root key"), "{shown}");
    assert!(shown.contains("must be signed by 2 of the 3 roots of version 1"), "{shown}");
    let assemble = ["charter", "assemble", "first.json", "--out", "first.dsse.json"];
    let short = desk.fail(4, &[&assemble[..], &[&ana, &ana]].concat());
    assert!(short.contains("1 of 2 roots of version 1 signed"), "{short}");
    let stranger = ["charter", "sign", "first.json", "--key", "dora/root.key", "--out", "dora/signature.dsse.json"];
    assert!(desk.fail(4, &stranger).contains("is not a root"));
    let (_, ben) = sign("first.json", "ben");
    desk.succeed(&[&assemble[..], &[&ana, &ben]].concat());

    let (http, p2p) = (format!("127.0.0.1:{}", free_port()), address());
    let init = ["init", "--charter", "first.dsse.json", "--keys", "own", "--http", &http, "--p2p", &p2p];
    let made = desk.json(&init);
    assert_eq!(made["roots"], serde_json::json!([]));
    assert_eq!(files(&desk.path("fr/keys")).len(), 14, "two halves of seven keys, and no root");
    let fingerprint = made["fingerprint"].as_str().unwrap();

    let next = ["charter", "propose", "--from", "fr/introduction.chancery", "--out", "second.json"];
    let change = ["--remove-root", "ana/root.pub.json", "--add-root", "dora/root.pub.json"];
    let shown = desk.succeed(&[&next[..], &change].concat());
    for line in ["goes   root key", "new    root key", "stays  registrar key", "follows version 1"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let assemble = ["charter", "assemble", "second.json", "--out", "second.dsse.json"];
    let [(_, ben), (_, cleo), (_, dora)] = ["ben", "cleo", "dora"].map(|officer| sign("second.json", officer));
    let short = desk.fail(4, &[&assemble[..], &[&ben, &dora]].concat());
    assert!(short.contains("1 of 2 roots of version 1 signed") && !short.contains("roots of version 2"), "{short}");
    desk.fail(3, &["charter", "assemble", "first.json", &ben, "--out", "mixed.dsse.json"]);
    desk.succeed(&[&assemble[..], &[&ben, &cleo]].concat());

    let node = desk.serve("fr");
    let published = desk.json(&["publish", "second.dsse.json", "--node", &node.url]);
    let second = published[0]["record"].as_str().unwrap();
    desk.succeed(&["bundle", second, "--node", &node.url, "--out", "second.chancery"]);
    node.kill();
    let verified = desk.succeed(&["verify", "second.chancery", "--trust", fingerprint]);
    assert!(verified.contains("version 2 by 2 of 3 roots of version 1 and 2 of 3 roots of its own"), "{verified}");
}

#[test]
fn what_a_proposal_does_not_show_is_not_signed() {
    let desk = Desk::new();
    desk.found("FR");
    let propose = ["charter", "propose", "--from", "fr/introduction.chancery", "--out", "next.json"];
    desk.succeed(&propose);
    let sign = |proposal| ["charter", "sign", proposal, "--key", "fr/keys/root-1.key", "--out", "signature.dsse.json"];
    let text = std::fs::read_to_string(desk.path("next.json")).unwrap();
    let (head, rest) = text.split_once(r#"\"previous\":\""#).unwrap();
    let other_before = format!(r#"{head}\"previous\":\"{}{}"#, "0".repeat(64), &rest[64..]);
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}: {text}");
        text.replacen(from, to, 1)
    };
    for (changed, words) in [
        (with(r#"\"threshold\":2"#, r#"\"threshold\":2,\"treaty\":1"#), "it has more in it than this version shows"),
        (with(r#"{\"_type\""#, r#"{ \"_type\""#), "it has more in it than this version shows"),
        (other_before, "the charter beside it is not the one that it follows"),
    ] {
        std::fs::write(desk.path("changed.json"), changed).unwrap();
        let said = desk.fail(3, &sign("changed.json"));
        assert!(said.contains(words) && !desk.path("signature.dsse.json").exists(), "{words}: {said}");
    }
    desk.succeed(&sign("next.json"));
}

#[test]
fn what_cannot_be_meant_founds_nothing() {
    let desk = Desk::new();
    let init = ["init", "--nation", "FR", "--origin", "fr.example.org/chancery", "--name", "fr=France"];
    for (options, code, word) in [
        (&["--p2p", "/ip4/127.0.0.1/tcp/0"][..], 2, "--announce"),
        (&["--p2p", "/ip4/0.0.0.0/tcp/8421"], 2, "--announce"),
        (&["--roots", "2", "--threshold", "3"], 2, "--threshold"),
        (&["--name", "fr=Encore"], 2, "twice"),
        (&["--url", "fr.example.org"], 2, "http"),
    ] {
        let said = desk.fail(code, &[&init[..], options].concat());
        assert!(said.contains(word), "{options:?}: {said}");
    }
    desk.write_private("passphrase", "short");
    assert!(desk.fail(4, &init).contains("shorter"));
    assert_eq!(files(desk.folder.path()), ["passphrase"]);
}

#[test]
fn a_record_goes_from_the_publisher_to_a_bundle_that_verifies_without_the_node() {
    let desk = Desk::new();
    let fingerprint = desk.found("FR");
    let node = desk.serve_with(&["serve", "--dir", "fr", "--http", "127.0.0.1:0", "--p2p", "/ip4/127.0.0.1/tcp/0"]);
    assert!(node.line.starts_with("ready http=http://127.0.0.1:"), "{}", node.line);
    assert!(!node.line.contains("/tcp/0") && !node.line.contains(":0 "), "{}", node.line);

    let envelope = desk.delegation("FR");
    let published = desk.json(&["publish", &envelope, "--node", &node.url]);
    let record = published[0]["record"].as_str().unwrap().to_owned();
    assert_eq!((&published[0]["index"], &published[0]["again"]), (&Value::from(4), &Value::from(false)));
    let receipt = std::fs::read_to_string(desk.path("delegation.receipt.txt")).unwrap();
    assert!(receipt.starts_with("c2sp.org/tlog-proof@v1\nindex 4\n"), "{receipt}");
    let again = desk.json(&["publish", &envelope, "--node", &node.url]);
    assert_eq!((&again[0]["index"], &again[0]["again"]), (&Value::from(4), &Value::from(true)));

    let found = desk.json(&["lookup", &record, "--node", &node.url]);
    assert_eq!(found["found"][0]["record"]["kind"], "delegation");
    assert!(desk.fail(5, &["lookup", &"0".repeat(64), "--node", &node.url]).contains("knows nothing"));
    assert!(desk.fail(2, &["lookup", "nothing", "--node", &node.url]).contains("neither"));

    desk.succeed(&["bundle", &record, "--node", &node.url, "--out", "lab.chancery"]);
    desk.fail(5, &["bundle", &"0".repeat(64), "--node", &node.url, "--out", "none.chancery"]);
    assert!(!desk.path("none.chancery").exists());
    let url = node.url.clone();
    assert_eq!(node.stop(), Some(0));
    desk.succeed(&["verify", "lab.chancery", "--trust", &fingerprint]);
    desk.fail(3, &["verify", "lab.chancery", "--trust", &"0".repeat(64)]);
    assert!(desk.fail(6, &["lookup", &record, "--node", &url]).contains("chancery serve"));
}

#[test]
fn after_a_refusal_nothing_more_is_sent() {
    let desk = Desk::new();
    desk.found("FR");
    let node = desk.serve("fr");
    let delegation = desk.delegation("FR");
    std::fs::write(desk.path("text.md"), "Do good.\n").unwrap();
    let terms = ["license", "new", "--org", "lab", "--name", "sample", "--title", "en=Sample", "--text", "en=text.md"];
    desk.succeed(&[&terms[..], &["--out", "license.draft.json"]].concat());
    let key = desk.key_file("lab");
    desk.succeed(&["sign", "license.draft.json", "--key", &key, "--out", "license.dsse.json"]);

    // The license comes before the delegation of its signer, so the delegation is never sent.
    let said = desk.fail(4, &["publish", "license.dsse.json", &delegation, "--node", &node.url]);
    assert!(said.contains("key-unknown"), "{said}");
    let delegated = desk.json(&["publish", &delegation, "license.dsse.json", "--node", &node.url]);
    assert_eq!((&delegated[0]["index"], &delegated[1]["index"]), (&Value::from(4), &Value::from(5)));

    // A blob that is not the one that was signed never leaves the machine.
    let blob = desk.path("blobs").join(&files(&desk.path("blobs"))[0]);
    std::fs::write(blob, "Do evil.\n").unwrap();
    assert!(desk.fail(3, &["publish", "license.dsse.json", "--node", &node.url]).contains("digest"));
    let said = desk.fail(7, &["publish", &delegation, "--node", &node.url, "--wait", "witnessed", "--timeout", "1"]);
    assert!(said.contains("0 of 1 nations"), "{said}");
}

#[test]
fn a_node_says_what_keeps_it_from_starting() {
    let desk = Desk::new();
    desk.found("FR");
    desk.found("KE");
    desk.write_private("other", "another passphrase altogether");
    let said = desk.fail(4, &["--passphrase", "file:other", "serve", "--dir", "fr"]);
    assert!(said.contains("the passphrase is wrong"), "{said}");
    assert!(desk.fail(2, &["serve", "--dir", "nowhere"]).contains("chancery init"));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(desk.fail(1, &["serve", "--dir", "fr", "--http", &address]).contains("--http"));

    // The archive of another nation.
    std::fs::copy(desk.path("ke/chancery.db"), desk.path("fr/ke.db")).unwrap();
    let configuration = std::fs::read_to_string(desk.path("fr/chancery.toml")).unwrap();
    std::fs::write(desk.path("fr/chancery.toml"), configuration.replace("chancery.db", "ke.db")).unwrap();
    let said = desk.run(&["serve", "--dir", "fr"]);
    assert!(!said.status.success());
    assert!(
        self::said(&said).contains("ke.example.org/chancery") || self::said(&said).contains("is not the archive of FR")
    );
}

#[test]
fn a_node_that_was_killed_continues_where_it_was() {
    let desk = Desk::new();
    desk.found("FR");
    let delegation = desk.delegation("FR");
    let node = desk.serve("fr");
    let first = desk.json(&["publish", &delegation, "--node", &node.url]);
    node.kill();
    let node = desk.serve("fr");
    let again = desk.json(&["publish", &delegation, "--node", &node.url]);
    assert_eq!((&again[0]["index"], &again[0]["again"]), (&first[0]["index"], &Value::from(true)));
    assert_eq!(node.stop(), Some(0));
    let rebuilt = desk.json(&["view", "rebuild", "--dir", "fr"]);
    assert_eq!((&rebuilt["equal"], &rebuilt["entries"]), (&Value::from(true), &Value::from(5)));
}

#[test]
fn a_partner_is_recognised_by_its_fingerprint_and_by_no_other() {
    let desk = Desk::new();
    let (_, kenya) = (desk.found("FR"), desk.found("KE"));
    let add = ["partner", "add", "ke/introduction.chancery", "--dir", "fr"];
    let with = |fingerprint: &str| desk.run(&[&add[..], &["--fingerprint", fingerprint]].concat());
    assert!(desk.fail(2, &add).contains("--fingerprint"));
    let refused = with(&"0".repeat(64));
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(desk.succeed(&["partner", "list", "--dir", "fr"]).contains("no nation"));

    let spoken: Vec<String> =
        kenya.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).to_uppercase()).collect();
    let added = with(&spoken.join(" "));
    assert!(added.status.success(), "{}", said(&added));
    assert!(said(&added).contains("Nation KE (en)"), "{}", said(&added));
    assert!(desk.succeed(&["partner", "list", "--dir", "fr"]).contains(&kenya));
    let again = with(&kenya);
    assert!(said(&again).contains("recognised already"), "{}", said(&again));
    assert!(
        desk.fail(2, &["partner", "add", "fr/introduction.chancery", "--dir", "fr", "--yes"]).contains("own nation")
    );
    std::fs::write(desk.path("cut"), &std::fs::read(desk.path("ke/introduction.chancery")).unwrap()[..900]).unwrap();
    desk.fail(3, &["partner", "add", "cut", "--dir", "fr", "--yes"]);
}

#[test]
fn two_nations_that_recognise_each_other_cosign_what_the_other_publishes() {
    let desk = Desk::new();
    let (france, kenya) = (desk.found("FR"), desk.found("KE"));
    let (fr, ke) = (desk.serve("fr"), desk.serve("ke"));
    // One learns of the other from a file, the other from the running node.
    desk.succeed(&["partner", "add", "ke/introduction.chancery", "--dir", "fr", "--fingerprint", &kenya]);
    desk.succeed(&["partner", "add", &fr.url, "--dir", "ke", "--fingerprint", &france]);
    let envelope = desk.delegation("FR");
    let published = desk.json(&["publish", &envelope, "--node", &fr.url, "--wait", "witnessed=1", "--timeout", "120"]);
    assert_eq!(published[0]["cosigners"], serde_json::json!(["KE"]));
    let record = published[0]["record"].as_str().unwrap();
    let seen = desk.json(&["lookup", record, "--node", &ke.url]);
    assert_eq!(seen["found"][0]["record"]["nation"]["code"], "FR");
    let checked = desk.run(&["doctor", "--dir", "ke"]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!((fr.stop(), ke.stop()), (Some(0), Some(0)));
}

#[test]
fn a_doctor_finds_what_was_broken_and_says_how_to_mend_it() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.found("FR");
    let well = desk.run(&["doctor", "--dir", "fr"]);
    assert!(well.status.success(), "{}", said(&well));
    assert!(said(&well).contains("root-1") && !said(&well).contains("FINDING"), "{}", said(&well));

    let key = desk.path(&desk.key_file("fr/keys/log"));
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let found = desk.fail(1, &["doctor", "--dir", "fr"]);
    assert!(found.contains("chmod 600"), "{found}");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    desk.write_private("other", "another passphrase altogether");
    assert!(desk.fail(1, &["--passphrase", "file:other", "doctor", "--dir", "fr"]).contains("passphrase is wrong"));
    std::fs::write(desk.path("fr/chancery.toml"), "nation = \"FR\"\nport = 1\n").unwrap();
    assert!(desk.fail(1, &["doctor", "--dir", "fr"]).contains("port"));
}
