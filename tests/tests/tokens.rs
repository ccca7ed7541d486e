//! Keys in a token: `SoftHSM`, behind a module that counts logins and fails on command (`faults/token.c`).

#![expect(clippy::unwrap_used, reason = "a test")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use chancery_schema::envelope::Envelope;
use chancery_tests::command::{chancery, fail, succeed};
use chancery_tests::federation::Federation;
use chancery_tests::node::{Founding, NATIONS, Node};
use chancery_tests::samples::SAMPLES;

const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "424242";

/// The keys that France keeps in its token in these tests.
const HELD: [&str; 5] = ["registrar", "exchange", "log", "witness", "mirror"];

const FRANCE: &Founding = &NATIONS[0];

#[test]
#[ignore = "needs softhsm2: make test"]
fn a_nation_that_keeps_its_keys_in_a_token_is_believed_by_its_partner() {
    let desk = Desk::new();
    let mut france = desk.found_france();
    let keys = france.folder.join("keys");
    for name in HELD {
        assert!(keys.join(format!("{name}.pub.json")).is_file() && !keys.join(format!("{name}.key")).exists());
    }
    let configuration = std::fs::read_to_string(france.folder.join("chancery.toml")).unwrap();
    assert!(configuration.contains("pin-source=file:") && !configuration.contains(PIN), "{configuration}");
    let before = desk.logins();
    france.start().unwrap();
    assert_eq!(desk.logins() - before, 1, "three keys of one token need one login");
    let mut kenya = Node::found(desk.home(), &NATIONS[1]).unwrap();
    kenya.start().unwrap();
    france.accredit(&kenya).unwrap();
    kenya.accredit(&france).unwrap();

    desk.keygen("publisher", "publisher");
    desk.enrol(&france);
    let first = desk.card("first");
    desk.publish(&france, &first);
    let federation = Federation { nodes: vec![france, kenya] };
    // Kenya cosigns what France's log key signed, and France's witness and mirror cosign what Kenya's did.
    let charter = federation.node("KE").fingerprint().unwrap();
    federation.wait_for(&[digest(&first), charter]).unwrap();
    let fingerprint = federation.node("FR").fingerprint().unwrap();
    let mut bundle = desk.chancery();
    bundle.args(["bundle", &digest(&first), "--node", &federation.node("KE").url, "--out", "first.chancery"]);
    succeed(&mut bundle).unwrap();
    let verified = succeed(desk.chancery().args(["verify", "first.chancery", "--trust", &fingerprint])).unwrap();
    assert!(verified.contains("verified: every step that can be checked holds"), "{verified}");

    // While the token does not sign, nothing is admitted; when it does again, the node needs no restart.
    let mut nodes = federation.nodes;
    let mut france = nodes.remove(0);
    for (fault, words) in [("removed", "the token is not there"), ("rubbish", "not a signature of this key")] {
        let card = desk.card(fault);
        desk.fault(fault);
        let refused = desk.chancery().arg("publish").arg(&card).args(["--node", &france.url]).output().unwrap();
        assert!(!refused.status.success(), "{fault}: {refused:?}");
        let log = std::fs::read_to_string(france.log_file()).unwrap();
        assert!(log.contains(words) && !log.contains(PIN), "{fault}: {log}");
        france.get("/health").unwrap();
        desk.fault("");
        desk.publish(&france, &card);
    }
    france.stop().unwrap();

    // A wrong PIN is tried once, however many keys need it.
    desk.private("pin", "131313");
    let before = desk.logins();
    let said = fail(chancery(desk.home()).arg("serve").arg("--dir").arg(&france.folder), 4).unwrap();
    assert!(said.contains("the PIN is wrong") && !said.contains("131313"), "{said}");
    assert_eq!(desk.logins() - before, 1);
    desk.private("pin", PIN);
    france.start().unwrap();
    desk.publish(&france, &desk.card("third"));
    let doctor = succeed(chancery(desk.home()).arg("doctor").arg("--dir").arg(&france.folder)).unwrap();
    assert!(doctor.contains("log key: is the key `log` in the token `FR`"), "{doctor}");
}

#[test]
#[ignore = "needs softhsm2: make test"]
fn what_is_wrong_with_a_token_is_said_with_what_mends_it() {
    let desk = Desk::new();
    desk.keygen("publisher", "publisher");
    desk.keygen("exchange", "exchange");
    let draft = desk.draft("card").display().to_string();
    let uri = desk.uri("publisher");
    let sign = |key: &str, public: Option<&str>, code: i32| {
        let mut sign = desk.chancery();
        sign.args(["sign", &draft, "--key", key, "--out", "out.json"]);
        sign.args(public.map(|public| ["--public", public]).into_iter().flatten());
        let said = fail(&mut sign, code).unwrap();
        assert!(!said.contains(PIN), "{said}");
        said
    };
    let public = Some("publisher.pub.json");
    let check = |said: String, words: &str| assert!(said.contains(words), "{said}");
    check(sign(&uri, None, 2), "give --public");
    check(sign(&uri, Some("exchange.pub.json"), 4), "are not of one key");
    check(sign(&desk.uri("nothing"), public, 4), "the key `nothing` in the token `FR`: the token has no such private");
    check(sign(&uri.replace("token=FR", "token=DE"), public, 4), "the token `DE` is not there; connect it");
    check(sign(&uri.replace("token.so", "other.so"), public, 4), "other.so; install what the token's maker gives");
    check(sign(&uri.replace("token.so", "pin"), public, 4), "failed to load the PKCS#11 module");
    check(sign(&format!("{uri}&pin-value={PIN}"), public, 2), "name that with pin-source=file:PATH");
    let asking = uri.split("&pin-source").next().unwrap();
    let mut sign_unasked = desk.chancery();
    sign_unasked.args(["sign", &draft, "--key", asking, "--public", "publisher.pub.json", "--out", "out.json"]);
    check(fail(sign_unasked.env_remove("CHANCERY_PASSPHRASE_REF"), 2).unwrap(), "no terminal to ask");
    succeed(sign_unasked.env("CHANCERY_PASSPHRASE_REF", format!("file:{}", desk.home().join("pin").display())))
        .unwrap();
    std::fs::remove_file(desk.home().join("out.json")).unwrap();

    std::fs::set_permissions(desk.home().join("pin"), PermissionsExt::from_mode(0o644)).unwrap();
    check(sign(&uri, public, 4), "can be read by others (mode 0644)");
    desk.private("pin", PIN);
    for (fault, words) in [("removed", "is not there; connect it"), ("rubbish", "not a signature of this key")] {
        desk.fault(fault);
        check(sign(&uri, public, 4), words);
    }
    assert!(!desk.home().join("out.json").exists());
    desk.fault("");

    let keygen = |role: &str, name: &str, uri: &str, code: i32| {
        let mut keygen = desk.chancery();
        keygen.args(["keygen", "--role", role, "--nation", "FR", "--origin", FRANCE.origin]);
        fail(keygen.args(["--name", name, "--token", uri]), code).unwrap()
    };
    check(keygen("publisher", "again", &uri, 4), "nothing was made; take it with --existing");
    check(keygen("publisher", "publisher", &desk.uri("new"), 2), "publisher.pub.json exists");
    check(keygen("transport", "transport", &desk.uri("new"), 2), "make it without --token");
    check(sign(&desk.uri("new"), public, 4), "no such private");
    let mut request = desk.chancery();
    request.args(["enrol", "request", "--key", &uri, "--holder", "v", "--model", "v", "--out", "request.json"]);
    check(fail(&mut request, 2).unwrap(), "NAME.pub.json");
    let mut init = desk.chancery();
    init.args(["init", "--nation", "FR", "--origin", FRANCE.origin, "--name", "fr=France"]);
    for name in ["log", "mirror"] {
        init.args(["--token", &format!("{name}={uri}")]);
    }
    check(fail(&mut init, 2).unwrap(), "--token gives log and mirror one key");
    check(fail(init.args(["--token", &format!("transport={uri}")]), 2).unwrap(), "use one of root-1, root-2");
    assert!(!desk.home().join("fr").exists());
}

#[test]
#[ignore = "needs softhsm2: make test"]
fn a_token_that_hangs_is_not_waited_for_for_ever() {
    let desk = Desk::new();
    desk.keygen("publisher", "publisher");
    desk.fault("hang");
    let mut keygen = desk.chancery();
    keygen.args(["keygen", "--role", "publisher", "--nation", "FR", "--origin", FRANCE.origin]);
    keygen.args(["--name", "again", "--existing", "--token", &desk.uri("publisher")]);
    let said = fail(&mut keygen, 4).unwrap();
    assert!(said.contains("did not answer within 10 seconds"), "{said}");
}

/// A folder with a token of its own.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        assert!(Path::new(SOFTHSM).is_file(), "softhsm2 is missing; install it: apt-get install --yes softhsm2");
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        let home = desk.home();
        std::fs::create_dir(home.join("tokens")).unwrap();
        let configuration = format!("directories.tokendir = {}\n", home.join("tokens").display());
        std::fs::write(home.join("softhsm2.conf"), configuration).unwrap();
        desk.private("pin", PIN);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/token.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-Wall", "-Werror", &format!("-DSOFTHSM=\"{SOFTHSM}\""), "-o"]);
        assert!(cc.arg(home.join("token.so")).arg(source).arg("-ldl").status().unwrap().success());
        let mut token = Command::new("softhsm2-util");
        token.args(["--init-token", "--free", "--label", "FR", "--so-pin", "12345678", "--pin", PIN]);
        let output = token.env("SOFTHSM2_CONF", home.join("softhsm2.conf")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        desk
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn chancery(&self) -> Command {
        let mut command = chancery(self.home());
        command.current_dir(self.home());
        command
    }

    fn private(&self, name: &str, text: &str) {
        std::fs::write(self.home().join(name), text).unwrap();
        std::fs::set_permissions(self.home().join(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn fault(&self, word: &str) {
        std::fs::write(self.home().join("fault"), word).unwrap();
    }

    fn logins(&self) -> usize {
        std::fs::read_to_string(self.home().join("logins")).map_or(0, |logins| logins.lines().count())
    }

    fn uri(&self, object: &str) -> String {
        let home = self.home().display();
        format!("pkcs11:token=FR;object={object}?module-path={home}/token.so&pin-source=file:{home}/pin")
    }

    fn keygen(&self, role: &str, name: &str) {
        let mut keygen = self.chancery();
        keygen.args(["keygen", "--role", role, "--nation", "FR", "--origin", FRANCE.origin]);
        succeed(keygen.args(["--name", name, "--token", &self.uri(name)])).unwrap();
    }

    fn found_france(&self) -> Node {
        for name in HELD {
            self.keygen(name, name);
        }
        let tokens = HELD.map(|name| ["--token".to_owned(), format!("{name}={}", self.uri(name))]);
        Node::found_with(self.home(), FRANCE, tokens.as_flattened()).unwrap()
    }

    /// The registrar's key, in the token, lets the publisher's speak, which is in the token too.
    fn enrol(&self, node: &Node) {
        let mut request = self.chancery();
        request.args(["enrol", "request", "--key", "publisher.pub.json", "--holder", "Institut Voltaire"]);
        succeed(request.args(["--model", "voltaire", "--out", "request.json"])).unwrap();
        let mut approve = self.chancery();
        approve.args(["enrol", "approve", "request.json", "--key", &self.uri("registrar"), "--public"]);
        approve.arg(node.folder.join("keys/registrar.pub.json")).args(["--out", "delegation.dsse.json"]);
        succeed(&mut approve).unwrap();
        self.publish(node, &self.home().join("delegation.dsse.json"));
    }

    fn draft(&self, name: &str) -> PathBuf {
        let draft = self.home().join(format!("{name}.draft.json"));
        let mut import = self.chancery();
        import.args(["card", "import"]).arg(SAMPLES[0].card()).args(["--org", "voltaire", "--name", name]);
        succeed(import.args(["--version", "1.0", "--out"]).arg(&draft)).unwrap();
        draft
    }

    /// A card that the publisher's key in the token signed.
    fn card(&self, name: &str) -> PathBuf {
        let (draft, card) = (self.draft(name), self.home().join(format!("{name}.dsse.json")));
        let mut sign = self.chancery();
        sign.arg("sign").arg(draft).args(["--key", &self.uri("publisher"), "--public", "publisher.pub.json"]);
        succeed(sign.arg("--out").arg(&card)).unwrap();
        card
    }

    fn publish(&self, node: &Node, envelope: &Path) {
        succeed(self.chancery().arg("publish").arg(envelope).args(["--node", &node.url])).unwrap();
    }
}

fn digest(envelope: &Path) -> String {
    Envelope::parse(&std::fs::read(envelope).unwrap()).unwrap().record_digest().to_string()
}
