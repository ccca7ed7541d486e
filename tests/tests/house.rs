//! The house: which room may know which, what is built at all, and below which versions known holes
//! lie. Each rule is a pure function that lists what breaks it, judged here on the house as it stands
//! and on a made-up one that breaks it.
//!
//! Three sources, because each says something else: the manifests (`cargo metadata`) say what a room
//! asks for, `cargo tree` what is then built, and `Cargo.lock` which versions. The lock also names
//! crates that nothing builds: Cargo locks what a feature mentions as `crate?/feature`, wanted or not.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// ARCHITECTURE.md: a room, and the rooms that it may know.
const ARROWS: [(&str, &[&str]); 7] = [
    ("chancery-schema", &[]),
    ("chancery-migrations", &[]),
    ("chancery-registry", &["chancery-schema", "chancery-migrations"]),
    ("chancery-p2p-node", &["chancery-schema", "chancery-registry"]),
    ("chancery-server", &["chancery-schema", "chancery-registry"]),
    ("chancery", &["chancery-schema", "chancery-registry", "chancery-p2p-node", "chancery-server"]),
    ("chancery-tests", &["chancery-schema"]),
];

/// Tests of any room may use the fixtures, which know only the schema.
const FIXTURES: &str = "chancery-tests";

/// What only some rooms know: crates by the beginning of their name.
const SECRETS: [(&str, &[&str]); 5] = [
    ("sea-orm", &["chancery-registry", "chancery-migrations"]),
    ("libp2p", &["chancery-p2p-node"]),
    ("actix", &["chancery-server"]),
    ("async-graphql", &["chancery-server"]),
    ("cryptoki", &["chancery"]),
];

/// What a pure room never reaches: tasks, sockets, databases, randomness.
const WORLD: [&str; 24] = [
    "actix",
    "async-",
    "getrandom",
    "h2",
    "hyper",
    "libp2p",
    "libsqlite3-sys",
    "mio",
    "polling",
    "quinn",
    "rand",
    "reqwest",
    "rustls",
    "sea-",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tower",
    "tungstenite",
    "ureq",
    "futures",
    "hickory",
    "native-tls",
];

/// What the air-gapped signing tool never reaches. It draws random keys, so it has a random device.
const NETWORK: [&str; 17] = [
    "actix",
    "async-",
    "h2",
    "hickory",
    "hyper",
    "libp2p",
    "mio",
    "native-tls",
    "quinn",
    "reqwest",
    "rustls",
    "sea-",
    "socket2",
    "sqlx",
    "tokio",
    "tungstenite",
    "ureq",
];

/// What is never built, whatever `deny.toml` says.
const NEVER_BUILT: [&str; 13] = [
    "aws-lc-sys",
    "h2",
    "libp2p-autonat",
    "libp2p-gossipsub",
    "libp2p-kad",
    "libp2p-mdns",
    "libp2p-quic",
    "libp2p-relay",
    "libp2p-rendezvous",
    "libp2p-upnp",
    "openssl-sys",
    "quinn",
    "quinn-proto",
];

/// A member of the workspace, as its manifest says.
#[derive(Default)]
struct Room {
    name: String,
    edition: String,
    inherits_lints: bool,
    /// Names, and whether only its tests ask for them.
    dependencies: BTreeSet<(String, bool)>,
}

/// A line of `[bans] deny`: a crate, and below which version; without one, at all.
#[derive(Debug, PartialEq)]
struct Ban {
    name: String,
    below: Option<Version>,
}

/// A version in the order of Semantic Versioning, pre-releases of one version taken as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u64, u64, u64, Stage);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    PreRelease,
    Release,
}

#[test]
fn the_rooms_know_each_other_as_the_design_says() {
    assert_eq!(wrong_arrows(&rooms()), Vec::<String>::new());
}

#[test]
fn what_one_room_knows_no_other_asks_for() {
    assert_eq!(betrayed_secrets(&rooms()), Vec::<String>::new());
}

#[test]
fn every_room_keeps_the_lints_and_the_edition_of_the_house() {
    assert_eq!(unkept(&rooms()), Vec::<String>::new());
}

#[test]
fn the_schema_reaches_nothing_of_the_world() {
    let reached = built(&["-p", "chancery-schema", "-e", "normal,build"]);
    assert_eq!(begins_with_any(&reached, &WORLD), Vec::<String>::new());
    assert_eq!(rooms_among(&reached), ["chancery-schema"]);
}

#[test]
fn the_signing_tool_reaches_the_schema_and_no_network() {
    let reached = built(&["-p", "chancery", "--no-default-features", "-e", "normal,build"]);
    assert_eq!(begins_with_any(&reached, &NETWORK), Vec::<String>::new());
    assert_eq!(rooms_among(&reached), ["chancery", "chancery-schema"]);
}

#[test]
fn no_crate_is_locked_below_its_floor() {
    let (bans, locked) = (bans(&read("deny.toml")), locked(&read("Cargo.lock")));
    assert_eq!(below_floors(&bans, &locked), Vec::<String>::new());
    assert_eq!(idle_floors(&bans, &locked), Vec::<String>::new());
}

#[test]
fn nothing_is_built_that_is_banned() {
    let built = built(&["--workspace", "-e", "normal,build,dev"]);
    assert!(built.len() > 300 && built.contains("libp2p-tcp"), "cargo tree shows {} crates", built.len());
    assert_eq!(banned_and_built(&bans(&read("deny.toml")), &built), Vec::<String>::new());
    let never: BTreeSet<String> = NEVER_BUILT.map(str::to_owned).into();
    assert_eq!(built.intersection(&never).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_wrong_arrow_is_noticed() {
    let server = |to, only_tests| vec![room("chancery-server", &[(to, only_tests)])];
    assert!(wrong_arrows(&server("chancery-registry", false)).is_empty());
    assert_eq!(wrong_arrows(&server("chancery-p2p-node", false)), ["chancery-server knows chancery-p2p-node"]);
    assert_eq!(wrong_arrows(&server("chancery-p2p-node", true)), ["chancery-server knows chancery-p2p-node"]);
    assert_eq!(wrong_arrows(&server(FIXTURES, false)), ["chancery-server knows chancery-tests"]);
    assert!(wrong_arrows(&server(FIXTURES, true)).is_empty());
    let schema = room("chancery-schema", &[("serde", false), ("chancery-migrations", false)]);
    assert_eq!(wrong_arrows(&[schema]), ["chancery-schema knows chancery-migrations"]);
    assert_eq!(wrong_arrows(&[room("chancery-attic", &[])]), ["chancery-attic is not in the design"]);
}

#[test]
fn a_betrayed_secret_is_noticed() {
    let rooms = [
        room("chancery-registry", &[("sea-orm", false)]),
        room("chancery-server", &[("sea-orm", true), ("actix-web", false), ("async-graphql", false)]),
        room("chancery", &[("libp2p-identity", false)]),
    ];
    assert_eq!(betrayed_secrets(&rooms), ["chancery-server knows sea-orm", "chancery knows libp2p-identity"]);
}

#[test]
fn a_room_without_lints_or_of_another_edition_is_noticed() {
    let kept = room("chancery-schema", &[]);
    let lax = Room { inherits_lints: false, ..room("chancery-server", &[]) };
    let old = Room { edition: "2021".to_owned(), ..room("chancery", &[]) };
    let wrong = ["chancery-server does not inherit the lints", "chancery is of edition 2021"];
    assert_eq!(unkept(&[kept, lax, old]), wrong);
}

#[test]
fn what_a_pure_room_must_not_reach_is_noticed() {
    let reached = ["chancery-schema", "chancery-registry", "serde", "tokio-util"].map(str::to_owned).into();
    assert_eq!(begins_with_any(&reached, &WORLD), ["tokio-util"]);
    assert_eq!(begins_with_any(&reached, &NETWORK), ["tokio-util"]);
    assert_eq!(rooms_among(&reached), ["chancery-registry", "chancery-schema"]);
}

#[test]
fn a_version_below_its_floor_is_noticed() {
    let bans = bans(
        r#"[bans]
        deny = [
            { crate = "yamux@<0.13.10", reason = "a remote panic" },
            { crate = "openssl-sys", reason = "not wanted" },
            { crate = "yamux2@<1.0.0", reason = "misspelt" },
        ]"#,
    );
    let lock = |version: &str| locked(&format!("[[package]]\nname = \"yamux\"\nversion = \"{version}\"\n"));
    for version in ["0.12.1", "0.13.9", "0.13.10-rc.1"] {
        assert_eq!(below_floors(&bans, &lock(version)).len(), 1, "{version}");
    }
    for version in ["0.13.10", "0.13.10+patched", "0.14.0", "1.0.0"] {
        assert_eq!(below_floors(&bans, &lock(version)), Vec::<String>::new(), "{version}");
    }
    assert_eq!(idle_floors(&bans, &lock("0.14.0")), ["yamux2 is not in Cargo.lock"]);
    let built = ["openssl-sys", "yamux"].map(str::to_owned).into();
    assert_eq!(banned_and_built(&bans, &built), ["openssl-sys"]);
}

#[test]
fn a_line_of_the_bans_that_cannot_be_read_is_not_passed_over() {
    for wrong in ["yamux@^0.13", "yamux@<0.13", "yamux@<=0.13.9", "yamux@"] {
        let text = format!("[bans]\ndeny = [{{ crate = \"{wrong}\" }}]\n");
        assert!(std::panic::catch_unwind(|| bans(&text)).is_err(), "{wrong} was read");
    }
}

/// Rooms that know a room which the design keeps from them.
fn wrong_arrows(rooms: &[Room]) -> Vec<String> {
    let mut wrong = Vec::new();
    for room in rooms {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room.name) else {
            wrong.push(format!("{} is not in the design", room.name));
            continue;
        };
        for (to, only_tests) in room.dependencies.iter().filter(|(to, _)| is_room(to)) {
            let right = allowed.contains(&to.as_str()) || (*only_tests && to == FIXTURES);
            if !right {
                wrong.push(format!("{} knows {to}", room.name));
            }
        }
    }
    wrong
}

/// Rooms that ask, be it for their tests, for a crate that only others know.
fn betrayed_secrets(rooms: &[Room]) -> Vec<String> {
    let mut betrayed = Vec::new();
    for room in rooms {
        for (to, _) in &room.dependencies {
            let secret = SECRETS.iter().find(|(secret, _)| to.starts_with(secret));
            if secret.is_some_and(|(_, knowing)| !knowing.contains(&room.name.as_str())) {
                betrayed.push(format!("{} knows {to}", room.name));
            }
        }
    }
    betrayed
}

fn unkept(rooms: &[Room]) -> Vec<String> {
    let lax = |room: &Room| format!("{} does not inherit the lints", room.name);
    let old = |room: &Room| format!("{} is of edition {}", room.name, room.edition);
    let lints = rooms.iter().filter(|room| !room.inherits_lints).map(lax);
    lints.chain(rooms.iter().filter(|room| room.edition != "2024").map(old)).collect()
}

fn begins_with_any(crates: &BTreeSet<String>, beginnings: &[&str]) -> Vec<String> {
    let named = |name: &&String| beginnings.iter().any(|beginning| name.starts_with(beginning));
    crates.iter().filter(named).cloned().collect()
}

fn rooms_among(crates: &BTreeSet<String>) -> Vec<&str> {
    crates.iter().map(String::as_str).filter(|name| is_room(name)).collect()
}

fn is_room(name: &str) -> bool {
    name == "chancery" || name.starts_with("chancery-")
}

fn below_floors(bans: &[Ban], locked: &[(String, Version)]) -> Vec<String> {
    let below = |name: &str, version: Version| {
        bans.iter().any(|ban| ban.name == name && ban.below.is_some_and(|floor| version < floor))
    };
    locked.iter().filter(|(name, version)| below(name, *version)).map(|locked| format!("{locked:?}")).collect()
}

/// Floors of crates that are not locked at all: misspelt, or no longer needed.
fn idle_floors(bans: &[Ban], locked: &[(String, Version)]) -> Vec<String> {
    let idle = |ban: &&Ban| ban.below.is_some() && !locked.iter().any(|(name, _)| *name == ban.name);
    bans.iter().filter(idle).map(|ban| format!("{} is not in Cargo.lock", ban.name)).collect()
}

fn banned_and_built(bans: &[Ban], built: &BTreeSet<String>) -> Vec<String> {
    let banned = |ban: &&Ban| ban.below.is_none() && built.contains(&ban.name);
    bans.iter().filter(banned).map(|ban| ban.name.clone()).collect()
}

fn bans(deny: &str) -> Vec<Ban> {
    let deny: toml::Table = toml::from_str(deny).unwrap();
    let lines = deny["bans"]["deny"].as_array().unwrap().iter();
    lines.map(|line| ban(line["crate"].as_str().unwrap())).collect()
}

fn ban(text: &str) -> Ban {
    let Some((name, requirement)) = text.split_once('@') else {
        return Ban { name: text.to_owned(), below: None };
    };
    let floor = requirement.strip_prefix('<').unwrap_or_else(|| panic!("{text}: not a floor"));
    Ban { name: name.to_owned(), below: Some(version(floor)) }
}

fn locked(lock: &str) -> Vec<(String, Version)> {
    let lock: toml::Table = toml::from_str(lock).unwrap();
    let text = |package: &toml::Value, member: &str| package[member].as_str().unwrap().to_owned();
    let packages = lock["package"].as_array().unwrap().iter();
    packages.map(|package| (text(package, "name"), version(&text(package, "version")))).collect()
}

fn version(text: &str) -> Version {
    let release = text.split('+').next().unwrap();
    let (numbers, stage) = match release.split_once('-') {
        Some((numbers, _)) => (numbers, Stage::PreRelease),
        None => (release, Stage::Release),
    };
    let numbers: Vec<u64> = numbers.split('.').map(|number| number.parse().unwrap()).collect();
    let [major, minor, patch] = numbers[..] else { panic!("{text}: not a whole version") };
    Version(major, minor, patch, stage)
}

/// The members, read from their manifests without resolving anything.
fn rooms() -> Vec<Room> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let rooms: Vec<Room> = metadata["packages"].as_array().unwrap().iter().map(read_room).collect();
    assert_eq!(rooms.len(), ARROWS.len(), "a room was added or is gone; say so in ARCHITECTURE.md and here");
    rooms
}

fn read_room(package: &Value) -> Room {
    let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    let dependency = |it: &Value| (it["name"].as_str().unwrap().to_owned(), it["kind"] == "dev");
    Room {
        name: package["name"].as_str().unwrap().to_owned(),
        edition: package["edition"].as_str().unwrap().to_owned(),
        inherits_lints: lints.and_then(toml::Value::as_bool) == Some(true),
        dependencies: package["dependencies"].as_array().unwrap().iter().map(dependency).collect(),
    }
}

fn room(name: &str, dependencies: &[(&str, bool)]) -> Room {
    let dependencies = dependencies.iter().map(|(to, only_tests)| ((*to).to_owned(), *only_tests));
    let dependencies = dependencies.collect();
    Room { name: name.to_owned(), edition: "2024".to_owned(), inherits_lints: true, dependencies }
}

/// The crates that are built on this machine for what `arguments` choose.
fn built(arguments: &[&str]) -> BTreeSet<String> {
    let tree = cargo(&[&["tree", "--prefix", "none", "--format", "{p}"], arguments].concat());
    tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Runs Cargo on the house as it is locked, without a network: what is built here has been fetched.
fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).args(["--locked", "--offline"]).current_dir(house());
    let output = command.output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(house().join(file)).unwrap()
}

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
