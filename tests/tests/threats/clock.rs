//! T14: a clock is wrong by years, steps, or shows what no clock should.
//!
//! First the pure decisions, under every clock. Then a node as a real process whose wall clock is set while it
//! runs and before it starts, beside a partner whose clock is right: in the full share alone, for it waits for minutes.

use std::time::{Duration, Instant};

use chancery_schema::admission::{Code, Policy, State, Submission, decide};
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::limits::CLOCK_SKEW_SECONDS;
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::policy::Policy as WitnessPolicy;
use chancery_schema::log::tree::consistency_proof;
use chancery_schema::log::witness::{self, Request};
use chancery_schema::record::{Kind, payload};
use chancery_schema::time::Timestamp;
use chancery_tests::command::{chancery, succeed};
use chancery_tests::faketime::FakeClock;
use chancery_tests::federation::Federation;
use chancery_tests::history::{History, witness_key, witness_name};
use chancery_tests::nation::{Judge, Nation, day};
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::publisher::Publisher;
use chancery_tests::row::{Share, Tally};
use chancery_tests::samples::SAMPLES;
use serde_json::Value;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// The end of the charter that a history begins with.
const CHARTER_ENDS: &str = "2030-01-01T00:00:00Z";
/// The end of the publisher's delegation.
const KEY_ENDS: &str = "2028-01-01T00:00:00Z";

/// How long a node may take to say that its clock is wrong, or well again. Both are seconds.
const SAID: Duration = Duration::from_mins(2);

pub fn run(share: Share) -> (Tally, String) {
    let mut tally = Tally::default();
    let readings = readings(share.of(40, 4000));
    numbers(&mut tally);
    own_log(&readings, &mut tally);
    mirrors(&readings, &mut tally);
    cosigners(&readings, &mut tally);
    let simulated = tally.tried;
    let real = share.of(false, true).then(|| real(&mut tally));
    let real = real.unwrap_or_else(|| "a real node only in full".to_owned());
    (tally, format!("{simulated} decisions under {} readings of a clock; {real}", readings.len()))
}

/// What a clock may show: the ends of time, years before and after, leap seconds, a jump of 400 days, and steps to
/// and fro of sizes that differ.
fn readings(steps: i64) -> Vec<Timestamp> {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut readings = vec![Timestamp::default(), at("9999-12-31T23:59:59Z"), at(CHARTER_ENDS), at(KEY_ENDS)];
    readings.extend(["1998-12-31T23:59:59Z", "1999-01-01T00:00:00Z", "2016-12-31T23:59:59Z"].map(at));
    let spans =
        [0, 1, 59, CLOCK_SKEW_SECONDS, CLOCK_SKEW_SECONDS + 1, 3600, DAY, 400 * DAY, 3 * YEAR, 4 * YEAR, 10 * YEAR];
    readings.extend(spans.into_iter().flat_map(|span| [day().plus_seconds(span), day().plus_seconds(-span)]));
    readings
        .extend((1..=steps).map(|step| day().plus_seconds((step * step * 7919 % (20 * YEAR)) * (step % 2 * 2 - 1))));
    readings
}

/// Numbers and texts that are no time, or on its edge.
fn numbers(tally: &mut Tally) {
    for (seconds, is_time) in [
        (i64::MIN, false),
        (-1, false),
        (0, true),
        (253_402_300_799, true),
        (253_402_300_800, false),
        (i64::MAX, false),
    ] {
        let read = Timestamp::from_unix_seconds(seconds);
        tally.expect(read.is_ok() == is_time, || format!("{seconds} is read as {read:?}"));
    }
    // A leap second has no number of its own, so no record may claim one.
    for text in ["2016-12-31T23:59:60Z", "1969-12-31T23:59:59Z", "-001-01-01T00:00:00Z", "10000-01-01T00:00:00Z"] {
        tally.expect(text.parse::<Timestamp>().is_err(), || format!("{text} is read as a time"));
    }
    for moved in [i64::MIN, -1, 1, i64::MAX] {
        let (low, high) = (Timestamp::default().plus_seconds(moved), day().plus_seconds(moved));
        tally.expect(low.unix_seconds() >= 0 && high.to_string().len() == 20, || format!("{low} and {high}"));
    }
}

/// A license that claims to be issued at a time.
fn license(nation: &mut Nation, at: Timestamp) -> Submission {
    let like = Submission::open(nation.license("terms")).unwrap();
    let mut header = nation.header();
    header.issued_at = at;
    let statement: serde_json::Value = serde_json::from_slice(like.envelope.payload()).unwrap();
    let mut draft = statement["predicate"].as_object().unwrap().clone();
    for name in ["nonce", "nation", "log", "issuedAt", "audience"] {
        draft.remove(name);
    }
    let payload = payload(Kind::License, &header, &draft).unwrap();
    let envelope = Envelope::sign(payload, &[&nation.key(Role::Publisher, 0)]).unwrap();
    Submission::open(envelope).unwrap()
}

fn founded() -> (Nation, State) {
    let (mut nation, mut judge) = (Nation::new("FR"), Judge::default());
    let origin = nation.origin.clone();
    for envelope in [nation.charter(), nation.publisher()] {
        judge.admit(&origin, &envelope).unwrap();
    }
    (nation, judge.state)
}

/// The own log takes what claims to be issued up to ten minutes from now, while charter and key last; whatever it takes,
/// every mirror takes.
fn own_log(readings: &[Timestamp], tally: &mut Tally) {
    let (mut nation, state) = founded();
    let mirror = Policy::Mirror { origin: nation.origin.clone() };
    let [charter_ends, key_ends] = [CHARTER_ENDS, KEY_ENDS].map(|text| text.parse::<Timestamp>().unwrap());
    let issued = [-10 * YEAR, -400 * DAY, -1, 0, CLOCK_SKEW_SECONDS, 400 * DAY, 10 * YEAR];
    for submission in issued.map(|span| license(&mut nation, day().plus_seconds(span))) {
        let mirrored = decide(submission.clone(), &state, &mirror);
        let blobs = submission.record.blobs();
        let blobs: std::collections::BTreeMap<_, _> = blobs.iter().map(|blob| (blob.sha256, blob.size_bytes)).collect();
        for now in readings {
            let (nation, origin, blobs) = (nation.code.clone(), nation.origin.clone(), blobs.clone());
            let own = decide(submission.clone(), &state, &Policy::Own { nation, origin, now: *now, blobs });
            let at = submission.header.issued_at;
            let is_early = at > now.plus_seconds(CLOCK_SKEW_SECONDS);
            let said = || format!("issued at {at} and shown at {now}: {own:?}");
            match (&own, &mirrored) {
                (Ok(_), mirrored) => tally.expect(mirrored.is_ok() && !is_early && *now <= key_ends, said),
                (Err(refusal), Ok(_)) => {
                    let expected = match refusal.code {
                        Code::IssuedInFuture => is_early,
                        Code::CharterExpired => *now > charter_ends,
                        Code::KeyExpired => *now > key_ends,
                        _ => false,
                    };
                    tally.expect(expected, said);
                }
                (Err(_), Err(_)) => tally.expect(true, said),
            }
        }
    }
}

/// A mirror's verdict is the same whatever its clock shows: it is not even asked for one, and a receipt of any
/// clock's time changes nothing of what is proven.
fn mirrors(readings: &[Timestamp], tally: &mut Tally) {
    let mut history = History::found("FR");
    for number in 0..6 {
        let license = history.nation.license(&format!("terms-{number}"));
        history.push(license);
    }
    let (key, partner) = (history.log_key(), Nation::new("KE"));
    let checkpoints = [2, 5].map(|size| history.checkpoint(size));
    let [old, new] = &checkpoints;
    let proof = consistency_proof(&history.tree, 2, 5).unwrap();
    let stored = Some((2, old.checkpoint().root));
    for now in readings {
        let seconds = now.unix_seconds().cast_unsigned();
        let signer = partner.key(Role::Witness, 0);
        let line = cosignature::sign(new, &witness_name(&partner), seconds, &signer);
        // Time 0 means *no time* in a cosignature, so a clock at 1970 signs none.
        tally.expect(line.is_ok() == (seconds > 0), || format!("at {now}: {line:?}"));
        let Ok(line) = line else { continue };
        let read = cosignature::verify(new.checkpoint(), &line.to_line(), &witness_key(&partner));
        tally.expect(read.is_ok_and(|read| read.timestamp() == seconds), || format!("a line of {now} does not hold"));
        let mut cosigned = new.clone();
        cosigned.add(line.to_line()).unwrap();
        let request = Request { old: 2, proof: proof.clone(), note: cosigned.note().clone() };
        let decided = matches!(witness::decide(stored, &request, Some(&key)), witness::Decision::Cosign(_));
        tally.expect(decided, || format!("a checkpoint cosigned at {now} is not cosigned"));
    }
}

/// Of three witnesses two are asked for, and one has a clock that is wrong: the record was public when the second honest
/// one or the wrong one, whichever is nearer, said so. So one wrong clock moves the time to no other than an honest one's
/// earlier word or the first honest one's.
fn cosigners(readings: &[Timestamp], tally: &mut Tally) {
    let history = History::found("FR");
    let partners = ["KE", "BR", "NP"].map(Nation::new);
    let checkpoint = history.checkpoint(history.size());
    let keys = partners.each_ref().map(witness_key);
    let [a, b, c] = &keys;
    let log = history.log_key();
    let text = format!("log {log}\nwitness a {a}\nwitness b {b}\nwitness c {c}\ngroup g 2 a b c\nquorum g\n");
    let policy = WitnessPolicy::parse(text.as_bytes()).unwrap();
    let sign = |partner: &Nation, at: Timestamp| -> Option<Cosignature> {
        let (seconds, key) = (at.unix_seconds().cast_unsigned(), partner.key(Role::Witness, 0));
        cosignature::sign(&checkpoint, &witness_name(partner), seconds, &key).ok()
    };
    let honest = [day(), day().plus_seconds(60)];
    for now in readings {
        let lines = [sign(&partners[0], honest[0]), sign(&partners[1], honest[1]), sign(&partners[2], *now)];
        let lines: Vec<Cosignature> = lines.into_iter().flatten().collect();
        let since = policy.since(&lines);
        let within = since.is_some_and(|since| (honest[0]..=honest[1]).contains(&since));
        tally.expect(within, || format!("with one clock at {now} the record is public since {since:?}"));
    }
}

/// A real node under a wrong clock, and how it is when the clock is right again.
fn real(tally: &mut Tally) -> String {
    let home = tempfile::tempdir().unwrap();
    let Some(clock) = FakeClock::at(&home.path().join("clock")) else {
        return "no real node: skipped, since faketime is not installed".to_owned();
    };
    let mut federation = Federation::start(home.path(), &NATIONS[..2]).unwrap();
    let publisher = Publisher::enrol(federation.node("FR"), "voltaire").unwrap();
    let partner = Publisher::enrol(federation.node("KE"), "wangari").unwrap();
    federation.node_mut("FR").stop().unwrap();
    federation.node_mut("FR").clock = Some(clock.clone());
    federation.node_mut("FR").start().unwrap();
    let mut round = Round { federation, publisher, partner, number: 0 };
    round.expect_well(tally);
    for jump in ["+3650d", "-3650d", "+400d", "-400d", "+1h", "-1h"] {
        round.jump(&clock, jump, tally);
    }
    for start in ["-3650d", "+3650d"] {
        round.start_at(&clock, start, tally);
    }
    // To and fro, faster than anybody looks; then right.
    for step in 0..200 {
        clock.set(["+3650d", "-3650d", "+1h", "-400d", "+0"][step % 5]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    clock.set("+0").unwrap();
    round.expect_well(tally);
    let log = std::fs::read_to_string(round.node().log_file()).unwrap();
    tally.expect(!log.contains("panicked"), || "the node panicked".to_owned());
    let doctor = succeed(chancery(round.node().home()).args(["doctor", "--dir"]).arg(&round.node().folder));
    tally.expect(doctor.is_ok(), || format!("the doctor finds something: {doctor:?}"));
    for node in &mut round.federation.nodes {
        node.stop().unwrap();
    }
    "a real node whose clock jumped by up to ten years while it ran and before it started, and stepped to and fro: it said so, \
     its partner cosigned on, and all was well when the clock was"
        .to_owned()
}

struct Round {
    federation: Federation,
    publisher: Publisher,
    partner: Publisher,
    number: usize,
}

impl Round {
    fn node(&self) -> &Node {
        self.federation.node("FR")
    }

    /// Why the node is not well, or that its clock is wrong; nothing when all is well.
    fn problem(&self) -> String {
        let said = |health: &Value| {
            let problems = ["problem", "clockProblem"].map(|member| health[member].as_str().unwrap_or_default());
            problems.concat()
        };
        self.node().health().map_or_else(|error| error.to_string(), |health| said(&health))
    }

    fn wait_until(&self, is_so: impl Fn(&str) -> bool) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let problem = self.problem();
            if is_so(&problem) {
                return Ok(());
            }
            if began.elapsed() > SAID {
                return Err(problem);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// A card of a publisher, and how `publish` at a node ends: the record, or what was said.
    fn publish(&mut self, code: &str) -> Result<String, String> {
        self.number += 1;
        let publisher = if code == "FR" { &self.publisher } else { &self.partner };
        let card = publisher.describe(&SAMPLES[0].card(), &format!("m-{}", self.number)).unwrap();
        let node = self.federation.node(code);
        let mut publish = chancery(node.home());
        publish.arg("publish").arg(&card).args(["--node", &node.url]);
        succeed(&mut publish).map_err(|error| format!("{error:#}"))?;
        Ok(Envelope::parse(&std::fs::read(card).unwrap()).unwrap().record_digest().to_string())
    }

    /// The node is healthy, and what both nations publish is everywhere, valid and cosigned.
    fn expect_well(&mut self, tally: &mut Tally) {
        let healthy = self.wait_until(str::is_empty);
        tally.expect(healthy.is_ok(), || format!("not well with a right clock: {healthy:?}"));
        let published: Result<Vec<String>, String> = ["FR", "KE"].map(|code| self.publish(code)).into_iter().collect();
        tally.expect(published.is_ok(), || format!("not published with a right clock: {published:?}"));
        let everywhere = self.federation.wait_for(&published.unwrap_or_default());
        tally.expect(everywhere.is_ok(), || format!("{everywhere:?}"));
        let healthy = self.wait_until(str::is_empty);
        tally.expect(healthy.is_ok(), || format!("not well after publishing: {healthy:?}"));
    }

    /// The node says that its clock is wrong, wherever an operator looks.
    fn expect_alarm(&self, jump: &str, tally: &mut Tally) {
        let side = if jump.starts_with('+') { "ahead of what KE cosigned" } else { "behind what KE cosigned" };
        let said = self.wait_until(|problem| problem.contains(side));
        tally.expect(said.is_ok(), || format!("{jump}: health says {said:?}"));
        let (node, folder) = (self.node(), &self.node().folder);
        let doctor = chancery(node.home()).args(["doctor", "--dir"]).arg(folder).output().unwrap();
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        tally.expect(doctor.contains("FINDING clock") && doctor.contains(side), || format!("{jump}: {doctor}"));
        let list = succeed(chancery(node.home()).args(["partner", "list", "--dir"]).arg(folder)).unwrap();
        tally.expect(list.contains("the clock here is at least"), || format!("{jump}: {list}"));
        let metrics = String::from_utf8(node.get("/metrics").unwrap()).unwrap();
        let gauge = metrics.lines().find(|line| line.starts_with("chancery_clock_difference_seconds{nation=\"KE\"}"));
        let sign = gauge.and_then(|line| line.split(' ').nth(1)?.parse::<i64>().ok()).map(i64::signum);
        let expected = if jump.starts_with('+') { 1 } else { -1 };
        tally.expect(sign == Some(expected), || format!("{jump}: the metric is {gauge:?}"));
        let log = std::fs::read_to_string(node.log_file()).unwrap();
        tally.expect(log.contains("The clock is wrong"), || format!("{jump}: the log does not say so"));
    }

    /// The clock jumps while the node runs, both nations publish, and the clock is set right.
    fn jump(&mut self, clock: &FakeClock, jump: &str, tally: &mut Tally) {
        clock.set(jump).unwrap();
        self.expect_alarm(jump, tally);
        let abroad = self.publish("KE");
        tally.expect(abroad.is_ok(), || format!("{jump}: the partner does not go on: {abroad:?}"));
        let own = self.publish("FR");
        match &own {
            Ok(_) => tally.expect(jump.starts_with('+'), || format!("{jump}: a record of the future was admitted")),
            Err(said) => {
                let reasons = if jump.starts_with('-') {
                    ["it was issued at", "later than"]
                } else {
                    ["expired", "no longer valid"]
                };
                let is_clear = reasons.iter().any(|reason| said.contains(reason));
                tally.expect(is_clear, || format!("{jump}: refused, and said {said}"));
            }
        }
        clock.set("+0").unwrap();
        let everywhere = self.federation.wait_for(&abroad.into_iter().chain(own).collect::<Vec<_>>());
        tally.expect(everywhere.is_ok(), || format!("{jump}: not mended without a hand: {everywhere:?}"));
        self.expect_well(tally);
    }

    /// The node starts under a wrong clock; before a partner is heard only the own log tells of it.
    fn start_at(&mut self, clock: &FakeClock, start: &str, tally: &mut Tally) {
        self.federation.node_mut("FR").stop().unwrap();
        clock.set(start).unwrap();
        self.federation.node_mut("FR").start().unwrap();
        if start.starts_with('-') {
            self.expect_alarm(start, tally);
        } else {
            let log = std::fs::read_to_string(self.node().log_file()).unwrap();
            tally.expect(log.contains("was last cosigned 36"), || format!("{start}: nothing is said of the silence"));
        }
        clock.set("+0").unwrap();
        self.expect_well(tally);
    }
}
