//! T19: France sends pouches to Kenya. Whatever is wrong with one, it is refused whole: what Kenya holds, and
//! the files beside it, are the same before and after.

mod packing;
mod receiver;

use chancery_schema::bundle::FORMAT;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Frame;
use chancery_schema::key::{Role, Signer};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature;
use chancery_schema::pouch::Holding;
use chancery_tests::history::{History, witness_name};
use chancery_tests::nation::Nation;
use chancery_tests::row::{Share, Tally};
use serde_json::{Value, json};

use self::packing::{Sealing, france, log_frames, seal, volume};
use self::receiver::Receiver;

/// Entries of France's log, and how many of them Kenya holds before.
const SIZE: u64 = 20;
const HELD: u64 = 12;

pub async fn run(share: Share) -> (Tally, String) {
    let france = france("");
    let kenya = Receiver::open(&france).await;
    let mut tally = Tally::default();
    let earlier = sealed(&france, &log_frames(&france, 0, HELD));
    let taken = kenya.import(std::slice::from_ref(&earlier)).await;
    tally.expect(taken.is_ok(), || format!("a genuine pouch: {taken:?}"));
    let genuine = log_frames(&france, 8, SIZE);

    changed_on_the_way(&france, &genuine, &kenya, share.of(5, 1), &mut tally).await;
    lies_of_the_sender(&france, &genuine, &kenya, &mut tally).await;
    wrong_headers(&france, &genuine, &kenya, &mut tally).await;
    mixed_volumes(&france, &genuine, &kenya, &mut tally).await;
    wrong_logs(&france, &genuine, &kenya, &mut tally).await;
    no_pouches(&france, &kenya, &mut tally).await;
    let refused = tally.tried - 1;

    // The one that all these were made of is taken, from wherever Kenya is; and an old one changes nothing.
    let taken = kenya.import(&[sealed(&france, &genuine)]).await;
    tally.expect(taken.as_ref().is_ok_and(|size| *size == SIZE), || format!("the genuine pouch: {taken:?}"));
    let before = kenya.state().await;
    let replayed = kenya.import(&[earlier]).await;
    tally.expect(replayed.is_ok() && kenya.state().await == before, || format!("an old pouch again: {replayed:?}"));

    two_histories(&kenya, &mut tally).await;
    let tried =
        format!("{refused} poisoned pouches refused whole, and two that show two histories; the genuine one taken");
    (tally, tried)
}

/// One volume, sealed as it should be.
fn sealed(history: &History, frames: &[Frame]) -> Vec<u8> {
    seal(&Sealing::of(history, frames), &[frames])[0].clone()
}

/// Bits, frames and ends that somebody on the way changed: the seal does not name them.
/// Of the frames every `nth` is tried.
async fn changed_on_the_way(france: &History, genuine: &[Frame], kenya: &Receiver, nth: usize, tally: &mut Tally) {
    let whole = sealed(france, genuine);
    let header = whole.len() - volume(genuine).len();
    let mut frames: Vec<Vec<u8>> = vec![whole[..header].to_vec()];
    frames.extend(genuine.iter().map(Frame::to_bytes));
    frames.push(whole[whole.len() - 45..].to_vec());
    let mut begins = 0;
    for (number, frame) in frames.iter().enumerate() {
        if number % nth != 0 && number + 1 != frames.len() {
            begins += frame.len();
            continue;
        }
        for (what, place) in [
            ("length", 3),
            ("type", 4),
            ("digest", 20),
            ("first", 37),
            ("middle", frame.len() / 2),
            ("last", frame.len() - 1),
        ] {
            let mut bytes = whole.clone();
            bytes[begins + place] ^= 1;
            kenya.refuses(&[bytes], &format!("frame {number}: {what} changed"), tally).await;
        }
        let (before, after) = (&whole[..begins], &whole[begins + frame.len()..]);
        kenya.refuses(&[[before, after].concat()], &format!("frame {number} dropped"), tally).await;
        kenya.refuses(&[[before, frame, frame, after].concat()], &format!("frame {number} doubled"), tally).await;
        kenya.refuses(&[before.to_vec()], &format!("cut before frame {number}"), tally).await;
        kenya.refuses(&[whole[..begins + 40].to_vec()], &format!("cut within frame {number}"), tally).await;
        begins += frame.len();
    }
    kenya.refuses(&[[&whole[..], b"."].concat()], "a byte after the end", tally).await;
}

/// The genuine node's key seals what is wrong.
async fn lies_of_the_sender(france: &History, genuine: &[Frame], kenya: &Receiver, tally: &mut Tally) {
    let is_ground = |number: usize| number > 0 && matches!(genuine[number], Frame::Checkpoint(_));
    for number in 0..genuine.len() {
        let with = |frames: Vec<Frame>| [&genuine[..number], &frames, &genuine[number + 1..]].concat();
        let frame = &genuine[number];
        let mut lies = vec![("doubled", with(vec![frame.clone(), frame.clone()]))];
        // Nobody need tell who cosigned.
        if !is_ground(number) {
            lies.push(("dropped", with(Vec::new())));
        }
        if number + 1 < genuine.len() {
            let mut swapped = genuine.to_vec();
            swapped.swap(number, number + 1);
            lies.push(("swapped with the next", swapped));
        }
        for (what, frame) in packing::lies(france, frame) {
            lies.push((what, with(vec![frame])));
        }
        for stray in
            [Frame::Header(b"{}".to_vec()), Frame::Proof(Vec::new()), Frame::End(3), Frame::Blob(b"stray".to_vec())]
        {
            lies.push(("a stray frame before", with(vec![stray, frame.clone()])));
        }
        for (what, frames) in lies {
            kenya.refuses(&[sealed(france, &frames)], &format!("sealed, frame {number} {what}"), tally).await;
        }
    }
    for keep in 1..genuine.len() {
        let open = matches!(genuine[keep], Frame::Checkpoint(_)) && keep + 1 == genuine.len();
        if !open {
            kenya.refuses(&[sealed(france, &genuine[..keep])], &format!("sealed, only {keep} frames"), tally).await;
        }
    }
    let (whole, first) = (sealed(france, genuine), genuine.len() as u64 + 1);
    let contents = genuine.iter().flat_map(Frame::to_bytes).collect::<Vec<u8>>();
    for (what, end) in [
        ("no end", Vec::new()),
        ("an end that counts less", Frame::End(first - 1).to_bytes()),
        ("an end that counts more", Frame::End(first + 1).to_bytes()),
        ("two ends", [Frame::End(first).to_bytes(), Frame::End(first + 1).to_bytes()].concat()),
        ("bytes after the end", [Frame::End(first).to_bytes(), vec![0; 50]].concat()),
        ("an oversize frame", [&[0xff, 0xff, 0xff, 0xff, 4][..], &[0; 60]].concat()),
    ] {
        let contents = [&contents[..], &end].concat();
        let bytes = Sealing::of(france, genuine).over(&[contents]).remove(0);
        assert_ne!(bytes, whole);
        kenya.refuses(&[bytes], &format!("sealed, {what}"), tally).await;
    }
}

/// The header says what is not so, or somebody else signed it.
async fn wrong_headers(france: &History, genuine: &[Frame], kenya: &Receiver, tally: &mut Tally) {
    let changed = |change: &dyn Fn(&mut Sealing)| {
        let mut sealing = Sealing::of(france, genuine);
        change(&mut sealing);
        seal(&sealing, &[genuine]).remove(0)
    };
    let code = |code: &str| code.parse().unwrap();
    let stranger = Nation::new("BR");
    let headers: Vec<(&str, Vec<u8>)> = vec![
        ("for another nation", changed(&|it| it.header.audience = Some(vec![code("BR")]))),
        ("for the sender", changed(&|it| it.header.audience = Some(vec![code("FR")]))),
        ("for two nations", changed(&|it| it.header.audience = Some(vec![code("KE"), code("BR")]))),
        ("for nobody", changed(&|it| it.header.audience = Some(Vec::new()))),
        ("for everybody", changed(&|it| it.header.audience = None)),
        ("from another nation", changed(&|it| it.header.nation = code("BR"))),
        ("from the receiver", changed(&|it| it.header.nation = code("KE"))),
        ("from another log", changed(&|it| it.header.log = stranger.origin.clone())),
        ("from the receiver's log", changed(&|it| it.header.log = Nation::new("KE").origin)),
        ("of next week", changed(&|it| it.header.issued_at = it.header.issued_at.plus_seconds(7 * 86_400))),
        ("of before the key", changed(&|it| it.header.issued_at = it.header.issued_at.plus_seconds(-2 * 365 * 86_400))),
        ("holding more", changed(&|it| it.holds[0].size += 1)),
        ("holding less", changed(&|it| it.holds[0].size -= 1)),
        ("holding nothing", changed(&|it| it.holds.clear())),
        ("holding it twice", changed(&|it| it.holds.push(it.holds[0].clone()))),
        ("sealed by the publisher", changed(&|it| it.key = france.nation.key(Role::Publisher, 0))),
        ("sealed by the log", changed(&|it| it.key = france.nation.key(Role::Log, 0))),
        ("sealed by a root", changed(&|it| it.key = france.nation.key(Role::Root, 0))),
        ("sealed by the registrar", changed(&|it| it.key = france.nation.key(Role::Registrar, 0))),
        ("sealed by an unknown node", changed(&|it| it.key = france.nation.key(Role::Node, 7))),
        ("sealed by another nation's node", changed(&|it| it.key = stranger.key(Role::Node, 0))),
        ("sealed by the receiver's node", changed(&|it| it.key = Nation::new("KE").key(Role::Node, 0))),
        (
            "all of another nation",
            changed(&|it| {
                (it.header.nation, it.header.log) = (stranger.code.clone(), stranger.origin.clone());
                it.key = stranger.key(Role::Node, 0);
            }),
        ),
    ];
    for (what, bytes) in headers {
        kenya.refuses(&[bytes], what, tally).await;
    }
    let statement = |change: &dyn Fn(&mut Value)| {
        let sealing = Sealing::of(france, genuine);
        let envelope = Envelope::parse(&sealing.envelope(&[volume(genuine)])).unwrap();
        let mut statement: Value = serde_json::from_slice(envelope.payload()).unwrap();
        change(&mut statement);
        let payload = statement.to_string().into_bytes();
        let keys: [&dyn Signer; 1] = [&sealing.key];
        [Frame::Header(Envelope::sign(payload, &keys).unwrap().to_bytes()).to_bytes(), volume(genuine)].concat()
    };
    let statements: Vec<(&str, Vec<u8>)> = vec![
        ("a record's kind", statement(&|it| it["predicateType"] = json!("urn:chancery:predicate:endpoint:v1"))),
        ("a later version", statement(&|it| it["predicateType"] = json!("urn:chancery:predicate:pouch:v2"))),
        ("no kind of ours", statement(&|it| it["predicateType"] = json!("https://slsa.dev/provenance/v1"))),
        ("another format", statement(&|it| it["predicate"]["format"] = json!(format!("{FORMAT}2")))),
        ("another purpose", statement(&|it| it["predicate"]["purpose"] = json!("bundle"))),
        ("no nonce", statement(&|it| it["predicate"]["nonce"] = json!("AA=="))),
        ("a negative size", statement(&|it| it["predicate"]["holds"][0]["size"] = json!(-1))),
        ("a list for an object", statement(&|it| it["predicate"]["holds"][0] = json!(["fr.example.org/chancery", 20]))),
        ("no subject", statement(&|it| it["subject"] = json!([]))),
        ("a renamed volume", statement(&|it| it["subject"][0]["name"] = json!("volume-2"))),
        ("a volume twice", statement(&|it| it["subject"] = json!([it["subject"][0], it["subject"][0]]))),
        ("another digest", statement(&|it| it["subject"][0]["digest"]["sha256"] = json!(Digest::of(b"other")))),
        (
            "a volume more",
            statement(&|it| {
                let more = json!({ "name": "volume-2", "digest": { "sha256": Digest::of(b"other") } });
                it["subject"].as_array_mut().unwrap().push(more);
            }),
        ),
    ];
    for (what, bytes) in statements {
        kenya.refuses(&[bytes], what, tally).await;
    }
    let sealing = Sealing::of(france, genuine);
    let payload = Envelope::parse(&sealing.envelope(&[volume(genuine)])).unwrap().payload().to_vec();
    let root = france.nation.key(Role::Root, 0);
    let keys: [&dyn Signer; 2] = [&sealing.key, &root];
    let two = Frame::Header(Envelope::sign(payload, &keys).unwrap().to_bytes()).to_bytes();
    kenya.refuses(&[[two, volume(genuine)].concat()], "two signatures", tally).await;
    let text = String::from_utf8(sealing.envelope(&[volume(genuine)])).unwrap();
    let (head, sig) = text.split_once("\"sig\":\"").unwrap();
    let forged = format!("{head}\"sig\":\"{}{}", if sig.starts_with('A') { "B" } else { "A" }, &sig[1..]);
    let forged = Frame::Header(forged.into_bytes()).to_bytes();
    kenya.refuses(&[[forged, volume(genuine)].concat()], "a signature that does not hold", tally).await;
}

/// Volumes are left out, given twice, or come from other pouches.
async fn mixed_volumes(france: &History, genuine: &[Frame], kenya: &Receiver, tally: &mut Tally) {
    let third = genuine.len() / 3;
    let parts = [&genuine[..third], &genuine[third..2 * third], &genuine[2 * third..]];
    let volumes = seal(&Sealing::of(france, genuine), &parts);
    let mut later = Sealing::of(france, genuine);
    later.header.issued_at = later.header.issued_at.plus_seconds(60);
    let others = seal(&later, &parts);
    for number in 0..3 {
        let mut left_out = volumes.clone();
        left_out.remove(number);
        kenya.refuses(&left_out, &format!("without volume {number}"), tally).await;
        kenya.refuses(&volumes[number..=number], &format!("volume {number} alone"), tally).await;
        let twice = [&volumes[..], &volumes[number..=number]].concat();
        kenya.refuses(&twice, &format!("volume {number} twice"), tally).await;
        let mut mixed = volumes.clone();
        mixed[number].clone_from(&others[number]);
        kenya.refuses(&mixed, &format!("volume {number} of a later pouch"), tally).await;
        let begins = others[number].len() - volume(parts[number]).len();
        let mut reheaded = volumes.clone();
        reheaded[number] = [&others[number][..begins], &volume(parts[number])].concat();
        kenya.refuses(&reheaded, &format!("volume {number} under a later header"), tally).await;
    }
    let swapped = seal(&Sealing::of(france, genuine), &[parts[1], parts[0], parts[2]]);
    kenya.refuses(&swapped, "volumes sealed in another order", tally).await;
}

/// Logs, or parts of them, that have no place in this pouch.
async fn wrong_logs(france: &History, genuine: &[Frame], kenya: &Receiver, tally: &mut Tally) {
    let brazil = History::found("BR");
    let all_of = |history: &History| log_frames(history, 0, history.size());
    let holding = |history: &History| Holding { log: history.nation.origin.clone(), size: history.size() };
    let with = |frames: &[Frame], more: Vec<Holding>| {
        let mut sealing = Sealing::of(france, frames);
        sealing.holds.extend(more);
        seal(&sealing, &[frames]).remove(0)
    };
    let key = france.nation.key(Role::Log, 0);
    let head = |size: u64, root: Digest| {
        let checkpoint = Checkpoint { origin: france.nation.origin.clone(), size, root };
        Frame::Checkpoint(checkpoint::sign(checkpoint, &key).unwrap().to_string().into_bytes())
    };
    let own = kenya.own_head().await;
    let own_size = Holding { log: kenya.nation.origin.clone(), size: own.checkpoint().size };
    let own_frame = Frame::Checkpoint(own.to_string().into_bytes());
    let forged_own = {
        let forged = checkpoint::sign(own.checkpoint().clone(), &key).unwrap();
        Frame::Checkpoint(forged.to_string().into_bytes())
    };
    let later = log_frames(france, 16, SIZE);
    let mut unaligned = later.clone();
    unaligned.retain(|frame| !matches!(frame, Frame::Package(package) if package.start < 16));
    let rebuilt = packing::france("rebuilt");
    for (what, frames, more) in [
        ("a log that nobody recognised", [genuine, &all_of(&brazil)].concat(), vec![holding(&brazil)]),
        ("only another's log", all_of(&brazil), vec![holding(&brazil)]),
        ("its log twice", [genuine, genuine].concat(), Vec::new()),
        ("only the receiver's log", vec![own_frame.clone()], vec![own_size.clone()]),
        ("the receiver's log, signed by another", [genuine, &[forged_own]].concat(), vec![own_size.clone()]),
        ("entries of the receiver's log", [genuine, &[own_frame], &kenya.own_package().await].concat(), vec![own_size]),
        ("only a head that is larger", genuine[..1].to_vec(), Vec::new()),
        ("entries that begin later than at a multiple of 256", packing::from_the_middle(france, 8, SIZE), Vec::new()),
        ("entries that leave a gap", unaligned, Vec::new()),
        ("entries without their head", genuine[1..].to_vec(), Vec::new()),
        ("a made-up head", [&[head(SIZE, Digest::of(b"made up"))], &genuine[1..]].concat(), Vec::new()),
        ("a smaller head", [&[head(16, france.checkpoint(16).checkpoint().root)], &genuine[1..]].concat(), Vec::new()),
        ("another history of the same key", log_frames(&rebuilt, 0, SIZE), Vec::new()),
        ("a head of another history", [&log_frames(&rebuilt, 0, SIZE)[..1], &genuine[1..]].concat(), Vec::new()),
        ("entries of another history", [&genuine[..1], &log_frames(&rebuilt, 0, SIZE)[1..]].concat(), Vec::new()),
    ] {
        kenya.refuses(&[with(&frames, more)], what, tally).await;
    }
    // Kenya never cosigned this.
    let mut cosigned = france.checkpoint(SIZE);
    let other = Nation::new("BR").key(Role::Witness, 0);
    let line = cosignature::sign(&cosigned, &witness_name(&kenya.nation), 1, &other).unwrap().to_line();
    let genuine_line =
        cosignature::sign(&france.checkpoint(8), &witness_name(&kenya.nation), 1, &kenya.nation.key(Role::Witness, 0));
    cosigned.add(packing::relined(&genuine_line.unwrap().to_line(), &line)).unwrap();
    let frames = [&[Frame::Checkpoint(cosigned.to_string().into_bytes())], &genuine[1..]].concat();
    kenya.refuses(&[with(&frames, Vec::new())], "a cosignature that the receiver never gave", tally).await;
}

/// Files that are no pouch.
async fn no_pouches(france: &History, kenya: &Receiver, tally: &mut Tally) {
    let bundle = france.bundle(&[0, 4], &france.checkpoint(SIZE)).write();
    for (what, bytes) in [
        ("an empty file", Vec::new()),
        ("a text", b"to whom it may concern\n".repeat(40)),
        ("zeros", vec![0; 4096]),
        ("a bundle", bundle),
        ("a header alone", Sealing::of(france, &[]).over(&[Vec::new()]).remove(0)),
        ("an end alone", Frame::End(0).to_bytes()),
        ("a pouch of nothing", sealed(france, &[])),
        ("a header of another kind", Frame::Header(b"{\"format\":\"chancery.pouch/v1\"}".to_vec()).to_bytes()),
    ] {
        kenya.refuses(&[bytes], what, tally).await;
    }
}

/// What shows two histories is refused, and kept as the proof of that.
async fn two_histories(kenya: &Receiver, tally: &mut Tally) {
    let rebuilt = packing::france("rebuilt");
    for size in [SIZE, HELD] {
        let before = kenya.state().await;
        let refused = kenya.import(&[sealed(&rebuilt, &log_frames(&rebuilt, 0, size))]).await;
        let said = refused.as_ref().is_err_and(|error| error.contains("two histories"));
        tally.expect(said && kenya.state().await == before, || format!("two histories at {size}: {refused:?}"));
    }
    let contradictions = kenya.registry.contradictions().await.unwrap();
    let kept = contradictions.iter().filter(|it| it.origin == rebuilt.nation.origin && it.evidence.is_some()).count();
    tally.expect(kept == 1, || format!("the proof of two histories: {contradictions:?}"));
}
