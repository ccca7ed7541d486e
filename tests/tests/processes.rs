//! Several processes that serve one archive: one sequences and exchanges, the others hand over to it.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_tests::command::{chancery, succeed};
use chancery_tests::database;
use chancery_tests::federation::{Federation, shown};
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::publisher::Publisher;
use chancery_tests::samples::SAMPLES;
use serde_json::json;

/// How long a nation may be without a sequencer when that is killed.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// The same when it hangs, perhaps while it writes: the database first takes the lock from it.
const HANG: Duration = Duration::from_secs(15);

#[test]
fn whoever_sequences_may_be_killed_or_hang_and_no_acknowledged_record_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let mut federation = Federation::start(home.path(), &NATIONS[..2]).unwrap();
    let france = federation.nodes.remove(0);
    let (second, third) = (france.another().unwrap(), france.another().unwrap());
    let mut processes = [france, second, third];
    processes[1].start().unwrap();
    processes[2].start().unwrap();
    assert_eq!(sequencers(&processes), [true, false, false]);
    let strangers = Strangers::at(&processes);

    let publisher = Publisher::enrol(&processes[1], "voltaire").unwrap();
    let cards: Vec<PathBuf> =
        (0..18).map(|number| publisher.describe(&SAMPLES[0].card(), &format!("m-{number}")).unwrap()).collect();
    let before = size(&processes[2]);
    for (round, batch) in cards.chunks(6).enumerate() {
        let leader = sequencers(&processes).iter().position(|leads| *leads).expect("one sequences");
        let doors: Vec<usize> = (0..3).filter(|number| *number != leader).collect();
        // Each of the others is given records, and the one that sequences goes away meanwhile.
        let mut publishing: Vec<_> = doors
            .iter()
            .zip(batch.chunks(3))
            .map(|(door, cards)| {
                let mut publish = chancery(home.path());
                publish.arg("publish").args(cards).args(["--node", &processes[*door].url]);
                publish.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        while batch.iter().filter(|card| receipt(card).is_some()).count() == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let gone = Instant::now();
        // A file stays locked while the process that locked it hangs; a server takes the lock from it.
        let hangs = round == 1 && database::is_postgres();
        let patience = if hangs { HANG } else { TAKE_OVER };
        if hangs {
            processes[leader].signal("STOP").unwrap();
        } else {
            processes[leader].kill().unwrap();
        }
        while !doors.iter().any(|door| processes[*door].sequences().unwrap()) {
            assert!(gone.elapsed() < patience, "after {:?} nobody has taken over", gone.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("round {round}: another process sequences {:?} after", gone.elapsed());
        for process in &mut publishing {
            process.wait().unwrap();
        }
        let acknowledged: Vec<_> = batch.iter().filter_map(|card| Some((card, receipt(card)?))).collect();
        for (card, receipt) in acknowledged {
            let digest = Envelope::parse(&std::fs::read(card).unwrap()).unwrap().record_digest().to_string();
            let index = shown(&processes[doors[0]], &digest).unwrap()["index"].as_u64().expect("it is there");
            assert!(receipt.contains(&format!("\nindex {index}\n")), "{receipt}");
        }
        // What was not acknowledged is published again, and nothing stands twice.
        publish(home.path(), batch, &processes[doors[1]]);
        if hangs {
            processes[leader].signal("CONT").unwrap();
            until("it hands over now", || !processes[leader].sequences().unwrap());
            publish(home.path(), batch, &processes[leader]);
        } else {
            processes[leader].start().unwrap();
        }
        assert_eq!(sequencers(&processes).iter().filter(|leads| **leads).count(), 1);
    }
    assert_eq!(size(&processes[0]), before + cards.len() as u64);
    println!("strangers uploaded {} blobs meanwhile", strangers.leave());

    // Whoever sequences speaks to partners.
    let digests = cards.iter().map(|card| Envelope::parse(&std::fs::read(card).unwrap()).unwrap().record_digest());
    let digests: Vec<String> = digests.map(|digest| digest.to_string()).collect();
    let mut nodes = Vec::from(processes);
    nodes.append(&mut federation.nodes);
    let mut all = Federation { nodes };
    all.wait_for(&digests).unwrap();
    let (leader, _) = all.nodes.split_first().expect("three processes");
    succeed(chancery(home.path()).args(["doctor", "--dir"]).arg(&leader.folder)).unwrap();
    for node in &mut all.nodes {
        node.stop().unwrap();
    }
}

/// Strangers who upload blobs that no record will name, and ask for models, all the time and everywhere.
/// On a file they would stand in the one line there is: several processes that serve have a server.
struct Strangers {
    gone: Arc<AtomicBool>,
    uploading: Vec<JoinHandle<usize>>,
}

impl Strangers {
    fn at(processes: &[Node]) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let each = if database::is_postgres() { 3 } else { 0 };
        let visit = |process: &Node, stranger: usize| {
            let (gone, url) = (Arc::clone(&gone), process.url.clone());
            std::thread::spawn(move || visit(&url, stranger, &gone))
        };
        let uploading = processes.iter().flat_map(|process| (0..each).map(move |stranger| visit(process, stranger)));
        Self { uploading: uploading.collect(), gone }
    }

    /// How many blobs were taken.
    fn leave(self) -> usize {
        self.gone.store(true, Ordering::Relaxed);
        let taken = self.uploading.into_iter().map(|stranger| stranger.join().unwrap()).sum();
        assert!(taken > 0 || !database::is_postgres(), "no stranger was there");
        taken
    }
}

/// Uploads until it is told to leave; now and then it goes away while it is answered.
fn visit(url: &str, stranger: usize, gone: &AtomicBool) -> usize {
    let mut taken = 0;
    for number in 0_u64.. {
        if gone.load(Ordering::Relaxed) {
            break;
        }
        let mut blob = vec![0; 64 << 10];
        blob[..8].copy_from_slice(&number.to_le_bytes());
        blob[8..].fill(u8::try_from(stranger).unwrap());
        blob.extend(url.as_bytes());
        let patience = Duration::from_millis(if number % 4 == 0 { 20 } else { 10_000 });
        let uploaded = ureq::put(format!("{url}/blob/{}", Digest::of(&blob)))
            .config()
            .timeout_global(Some(patience))
            .build()
            .send(&blob);
        match uploaded {
            Ok(_) => taken += 1,
            // Its process is gone, or stopped.
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    taken
}

/// Publishes through one process; when that fails, shows what the processes said.
fn publish(home: &Path, cards: &[PathBuf], process: &Node) {
    let published = succeed(chancery(home).arg("publish").args(cards).args(["--node", &process.url]));
    let log = || std::fs::read_to_string(process.log_file()).unwrap_or_default();
    published.unwrap_or_else(|error| panic!("{error:#}\n{}", log()));
}

fn sequencers(processes: &[Node]) -> Vec<bool> {
    processes.iter().map(|process| process.sequences().unwrap()).collect()
}

fn receipt(card: &Path) -> Option<String> {
    std::fs::read_to_string(card.with_file_name("card.receipt.txt")).ok()
}

fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many entries the node's own log has.
fn size(node: &Node) -> u64 {
    node.ask("{ logs { own size } }", &json!({})).unwrap()["logs"][0]["size"].as_u64().expect("the own log comes first")
}
