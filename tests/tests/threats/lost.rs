//! A node is lost, in four ways, and rebuilt from its partner by real processes: T13.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::record::{Kind, Record};
use chancery_tests::command::{chancery, fail, succeed};
use chancery_tests::federation::Federation;
use chancery_tests::nation::Nation;
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::publisher::Publisher;
use chancery_tests::row::{Share, Tally};
use chancery_tests::samples::SAMPLES;
use serde_json::{Value, json};

/// What is lost of a node's folder.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// The database; the mark says how much was signed.
    Database,
    /// Everything but keys and configuration.
    AllButKeys,
    /// What came after an old backup, which is put in place of the database.
    SinceBackup,
    /// The same, and the mark: only the partner knows that more was signed.
    SinceBackupAndMark,
}

const LOST: [Lost; 4] = [Lost::Database, Lost::AllButKeys, Lost::SinceBackup, Lost::SinceBackupAndMark];

/// How long the partner may take to connect and to show what it holds.
const SHOWN: Duration = Duration::from_mins(1);

/// Every file that belongs to a database.
const DATABASE: [&str; 3] = ["chancery.db", "chancery.db-wal", "chancery.db-shm"];

/// Runs the rounds, one loss in each.
pub fn run(share: Share) -> (Tally, String) {
    let rounds = share.of(LOST.len(), 100);
    let home = tempfile::tempdir().unwrap();
    let mut federation = Federation::start(home.path(), &NATIONS[..2]).unwrap();
    let publisher = Publisher::enrol(federation.node("FR"), "voltaire").unwrap();
    let (mut tally, mut slowest) = (Tally::default(), Duration::ZERO);
    let backup = home.path().join("backup");
    for (round, lost) in LOST.into_iter().cycle().take(rounds).enumerate() {
        publish(&publisher, &federation, &format!("m-{round}"));
        let before = head(federation.node("FR"));
        federation.node_mut("FR").kill().unwrap();
        lose(federation.node("FR"), lost, &backup);
        refuses(federation.node_mut("FR"), lost, &mut tally);
        let took = recover(&federation);
        slowest = slowest.max(took);
        federation.node_mut("FR").start().unwrap();
        let after = head(federation.node("FR"));
        tally.expect(before == after, || format!("round {round}, {lost:?}: {before:?} became {after:?}"));
        // It signs on, and the partner, who holds the log, cosigns what it signs.
        publish(&publisher, &federation, &format!("n-{round}"));
        let grown = head(federation.node("FR")).0;
        tally.expect(grown == before.0 + 1, || format!("round {round}, {lost:?}: {grown} entries"));
    }
    let node = federation.node("FR");
    let doctor = succeed(chancery(node.home()).args(["doctor", "--dir"]).arg(&node.folder));
    tally.expect(doctor.is_ok(), || format!("the doctor finds something: {doctor:?}"));
    let entries = head(node).0;
    let large = large(&mut federation, &publisher, share.of(60, 2000), &mut tally);
    for node in &mut federation.nodes {
        node.stop().unwrap();
    }
    let tried = format!(
        "{rounds} nodes lost, without database, with nothing but their keys, or put back to an old backup, with and without the mark; each rebuilt \
         from the partner's mirror to the same root and signing on; the slowest of {entries} entries took {slowest:.1?}; {large}"
    );
    (tally, tried)
}

/// A log of many records, lost with all but the keys: how long until it is whole and signs again.
fn large(federation: &mut Federation, publisher: &Publisher, records: usize, tally: &mut Tally) -> String {
    fill(federation.node("FR"), records);
    // The partner cosigns this one when it holds all before.
    publish(publisher, federation, "large");
    let before = head(federation.node("FR"));
    federation.node_mut("FR").kill().unwrap();
    lose(federation.node("FR"), Lost::AllButKeys, &federation.node("FR").folder.clone());
    let (began, recovering) = (Instant::now(), recover(federation));
    federation.node_mut("FR").start().unwrap();
    let took = began.elapsed();
    let after = head(federation.node("FR"));
    tally.expect(before == after, || format!("of {} entries {before:?} became {after:?}", before.0));
    format!("one of {} entries was recovered in {recovering:.1?} and served after {took:.1?}", before.0)
}

/// Publishes licenses of a laboratory whose key is in memory, eight at a time.
fn fill(node: &Node, records: usize) {
    let mut nation = Nation::new(&node.code);
    let mut draft = nation.delegation_draft(Role::Publisher, &[Kind::License], &["*"]);
    draft["kind"] = json!(Kind::Delegation.as_str());
    let (plain, signed) = (node.folder.join("many.draft.json"), node.folder.join("many.dsse.json"));
    std::fs::write(&plain, draft.to_string()).unwrap();
    let mut sign = chancery(node.home());
    sign.arg("sign").arg(&plain).arg("--key").arg(node.folder.join("keys/registrar.key")).arg("--out").arg(&signed);
    succeed(&mut sign).unwrap();
    succeed(chancery(node.home()).arg("publish").arg(&signed).args(["--node", &node.url])).unwrap();
    let envelopes: Vec<Envelope> = (0..records).map(|number| nation.license(&format!("many-{number}"))).collect();
    std::thread::scope(|scope| {
        for share in envelopes.chunks(envelopes.len().div_ceil(8)) {
            scope.spawn(move || share.iter().for_each(|envelope| hand_over(node, envelope)));
        }
    });
}

fn hand_over(node: &Node, envelope: &Envelope) {
    let Record::License(license) = Submission::open(envelope.clone()).unwrap().record else { panic!("a license") };
    let name = license.name.as_str();
    let text = format!("Sample terms {name}.\n");
    ureq::put(format!("{}/blob/{}", node.url, Digest::of(text.as_bytes()))).send(text).unwrap();
    let publish = "mutation ($envelope: String!) { publish(input: { envelope: $envelope }) { status reason } }";
    let envelope = String::from_utf8(envelope.to_bytes()).unwrap();
    let answer = node.ask(publish, &json!({ "envelope": envelope })).unwrap();
    assert_eq!(answer["publish"]["status"], "ADMITTED", "{answer}");
}

/// Publishes a card and waits until the partner holds and cosigns it.
fn publish(publisher: &Publisher, federation: &Federation, name: &str) {
    let node = federation.node("FR");
    let card = publisher.describe(&SAMPLES[0].card(), name).unwrap();
    succeed(chancery(node.home()).arg("publish").arg(&card).args(["--node", &node.url])).unwrap();
    let record = Envelope::parse(&std::fs::read(card).unwrap()).unwrap().record_digest().to_string();
    federation.wait_for(&[record]).unwrap();
}

/// Size and root of the own log.
fn head(node: &Node) -> (u64, String) {
    let head = String::from_utf8(node.get("/log/checkpoint").unwrap()).unwrap();
    let mut lines = head.lines().skip(1);
    (lines.next().unwrap().parse().unwrap(), lines.next().unwrap().to_owned())
}

fn lose(node: &Node, lost: Lost, backup: &Path) {
    let database = |folder: &Path| DATABASE.map(|file| folder.join(file)).into_iter().filter(|file| file.exists());
    let copy = |files: Vec<PathBuf>, to: &Path| {
        for file in files {
            std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    };
    if !backup.exists() {
        std::fs::create_dir(backup).unwrap();
        copy(database(&node.folder).collect(), backup);
    }
    match lost {
        Lost::Database => database(&node.folder).for_each(|file| std::fs::remove_file(file).unwrap()),
        Lost::AllButKeys => {
            for item in std::fs::read_dir(&node.folder).unwrap() {
                let path = item.unwrap().path();
                if path.is_file() && !path.ends_with("chancery.toml") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
        Lost::SinceBackup | Lost::SinceBackupAndMark => {
            database(&node.folder).for_each(|file| std::fs::remove_file(file).unwrap());
            copy(database(backup).collect(), &node.folder);
        }
    }
    if matches!(lost, Lost::SinceBackupAndMark) {
        std::fs::remove_file(node.folder.join("high-water-mark")).unwrap();
    }
}

/// Whatever is left, the node signs nothing, and says what to do.
fn refuses(node: &mut Node, lost: Lost, tally: &mut Tally) {
    let said = match lost {
        Lost::Database | Lost::AllButKeys => fail(chancery(node.home()).args(["serve", "--dir"]).arg(&node.folder), 2),
        Lost::SinceBackup | Lost::SinceBackupAndMark => {
            node.start().unwrap();
            let began = Instant::now();
            let mut problem = problem(node);
            tally.expect(problem.contains("chancery recover"), || format!("{lost:?}: {problem}"));
            while !problem.contains("were signed") && began.elapsed() < SHOWN {
                std::thread::sleep(Duration::from_millis(100));
                problem = self::problem(node);
            }
            tally.expect(problem.contains("were signed"), || format!("{lost:?}: {problem}"));
            let doctor = fail(chancery(node.home()).args(["doctor", "--dir"]).arg(&node.folder), 1);
            node.stop().unwrap();
            doctor.map(|_| problem)
        }
    };
    tally.expect(said.as_ref().is_ok_and(|said| said.contains("chancery recover")), || format!("{lost:?}: {said:?}"));
}

/// Why the node says that it is not healthy.
fn problem(node: &Node) -> String {
    let health = ureq::get(format!("{}/health", node.url)).config().http_status_as_error(false).build().call();
    let health: Value = health.unwrap().body_mut().read_json().unwrap();
    health["problem"].to_string()
}

fn recover(federation: &Federation) -> Duration {
    let (node, partner) = (federation.node("FR"), federation.node("KE"));
    let began = Instant::now();
    let mut recover = chancery(node.home());
    recover.args(["recover", "--dir"]).arg(&node.folder).args(["--from", &partner.url]);
    succeed(&mut recover).unwrap();
    began.elapsed()
}
