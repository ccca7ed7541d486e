//! T01: every bit of an envelope, an entry, a proof, a checkpoint and a manifest is turned over, one
//! at a time, and each guard is asked alone: what the other would have caught does not count.
//!
//! In the fixed forms nothing turned over is believed, nor in a bundle: its header must agree with the
//! charter, and a changed blob is another one, which no record names. **One part of a bundle is covered
//! by no signature that its reader knows**, so it is counted apart: the line of a cosignature. Whoever
//! can change it can also leave it out, so a change may at most look as if it were missing. To a reader
//! who pins a fingerprint the line means nothing, and the verdict names no cosigner. To one whose
//! policy names the cosigner, a changed signature condemns the bundle, and a changed name or key id is
//! a stranger's line.

use chancery_schema::admission::{Policy as AdmissionPolicy, Submission, decide};
use chancery_schema::bundle::{Bundle, Report, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{Signature, VerifierKey};
use chancery_schema::log::policy::{Policy, Quorum};
use chancery_schema::log::proof::Proof;
use chancery_schema::record::{Kind, Record, Weights, check_chunk_hashes, chunk_hash, manifest_text};

use super::golden::{COUNT, Golden, small_file};
use super::row::{Share, Tally, spread};

/// What a reader who pins the log and two partners has.
struct Reader<'a> {
    golden: &'a Golden,
    log: VerifierKey,
    policy: Policy,
}

/// A genuine record with all that proves it.
struct Proven {
    index: usize,
    envelope: Vec<u8>,
    entry: Vec<u8>,
    proof: Proof,
    checkpoint: SignedCheckpoint,
}

pub fn run(share: Share) -> (Tally, String) {
    let golden = Golden::make();
    let reader = Reader { log: golden.history.log_key(), policy: golden.policy(), golden: &golden };
    let proven: Vec<Proven> = (0..COUNT).map(|index| proven(&golden, index)).collect();
    let step = share.of(41, 1);
    let mut tally = spread(&proven, |_, record| turn_over_record(&reader, record, step));
    let bundles = Bundles::of(&golden);
    let files = spread(&bundles.slices(share.of(1009, 7)), |_, (from, step)| bundles.turn_over_file(*from, *step));
    let frames = spread(&bundles.frames(), |_, frame| bundles.turn_over_frame(frame, share.of(11, 1)));
    tally.add(files);
    tally.add(frames);
    let unsigned = bundles.turn_over_cosignatures(share.of(11, 1));
    let tried = format!(
        "flips in {COUNT} records and a bundle, to be refused; {} more in cosignatures, to look left out",
        unsigned.tried
    );
    tally.wrong.extend(unsigned.wrong);
    (tally, tried)
}

/// Calls `judge` with `bytes`, every `step`-th bit turned over in turn, and lets none be believed.
fn turn_over(what: &str, bytes: &[u8], step: usize, judge: impl Fn(&[u8]) -> bool) -> Tally {
    assert!(judge(bytes), "{what}: the genuine one is not believed");
    let mut tally = Tally::default();
    let mut turned = bytes.to_vec();
    // Another first bit for every text, so that a share is spread over all places.
    let first = bytes.len() % step;
    for bit in (first..8 * bytes.len()).step_by(step) {
        turned[bit / 8] ^= 1 << (bit % 8);
        tally.expect(!judge(&turned), || format!("{what}: believed with bit {bit} turned over"));
        turned[bit / 8] ^= 1 << (bit % 8);
    }
    tally
}

fn proven(golden: &Golden, index: usize) -> Proven {
    let history = &golden.history;
    // Trees of many shapes: half way between the record and the end of the log.
    let size = (index + 1).midpoint(COUNT) as u64;
    let [first, second] = &golden.partners;
    let checkpoint = history.cosigned(size, &[first, second]);
    Proven {
        index,
        envelope: history.envelopes[index].to_bytes(),
        entry: history.entry(index).to_bytes(),
        proof: history.proof(index, &checkpoint),
        checkpoint,
    }
}

fn turn_over_record(reader: &Reader, record: &Proven, step: usize) -> Tally {
    let name = |part: &str| format!("the {part} of record {}", record.index);
    let mut tally = turn_over(&name("envelope"), &record.envelope, step, |bytes| {
        reader.admits(record.index, bytes) || reader.finds(record, bytes)
    });
    tally.add(turn_over(&name("entry"), &record.entry, step, |bytes| {
        Entry::parse(bytes).is_ok() && record.proof.verify(bytes, &reader.log).is_ok()
    }));
    let proof = record.proof.to_string();
    tally.add(turn_over(&name("proof"), proof.as_bytes(), step, |bytes| {
        let proof = Proof::parse(bytes).ok().and_then(|proof| proof.verify(&record.entry, &reader.log).ok());
        proof.is_some_and(|(_, checkpoint)| reader.believes(&checkpoint))
    }));
    let checkpoint = record.checkpoint.to_string();
    tally.add(turn_over(&name("checkpoint"), checkpoint.as_bytes(), step, |bytes| {
        checkpoint::open(bytes, &reader.log).is_ok_and(|checkpoint| reader.believes(&checkpoint))
    }));
    let submission = Submission::read(&record.envelope).unwrap();
    if let Record::Weights(weights) = &submission.record {
        tally.add(turn_over_weights(&reader.golden.blobs[&weights.chunk_hashes.sha256], weights, step));
    }
    tally
}

/// The manifest, the tree of chunks, and the bytes of a file.
fn turn_over_weights(hashes: &[u8], weights: &Weights, step: usize) -> Tally {
    let name = |part: &str| format!("the {part} of {}", weights.name);
    let manifest = manifest_text(&weights.files);
    let mut tally =
        turn_over(&name("manifest"), manifest.as_bytes(), step, |bytes| Digest::of(bytes) == weights.manifest);
    tally.add(turn_over(&name("chunk hashes"), hashes, step, |bytes| check_chunk_hashes(weights, bytes).is_ok()));
    let leaf = check_chunk_hashes(weights, hashes).unwrap()[0][0];
    let file = small_file(weights.name.as_str());
    tally.add(turn_over(&name("file"), &file, step, |bytes| {
        Digest::of(bytes) == weights.files[0].sha256 || *chunk_hash(bytes).as_bytes() == leaf
    }));
    tally
}

impl Reader<'_> {
    /// Whether these bytes count as the record at `index`, by their signatures alone.
    fn admits(&self, index: usize, bytes: &[u8]) -> bool {
        let policy = AdmissionPolicy::Mirror { origin: self.golden.history.nation.origin.clone() };
        Submission::read(bytes).and_then(|read| decide(read, &self.golden.states[index], &policy)).is_ok()
    }

    /// Whether these bytes are the envelope that the log entered, by the proof alone.
    fn finds(&self, record: &Proven, bytes: &[u8]) -> bool {
        let kind = self.golden.history.entry(record.index).kind().to_owned();
        let entry = Envelope::from_fixed(bytes).ok().and_then(|read| Entry::new(&kind, read.digest()).ok());
        entry.is_some_and(|entry| record.proof.verify(&entry.to_bytes(), &self.log).is_ok())
    }

    /// Whether both partners cosigned.
    fn believes(&self, checkpoint: &SignedCheckpoint) -> bool {
        self.policy.judge(checkpoint) == Ok(Quorum::Satisfied)
    }
}

/// A bundle with everything in it, and how it may be pinned.
struct Bundles {
    bundle: Bundle,
    bytes: Vec<u8>,
    policy: Trust,
    fingerprint: Trust,
}

/// One frame of a bundle: where its payload lies, and its type.
struct Framed {
    kind: u8,
    payload: std::ops::Range<usize>,
}

const ENVELOPE: u8 = 4;
const PROOF: u8 = 6;
/// Length, type and digest.
const HEAD_BYTES: usize = 4 + 1 + 32;

impl Bundles {
    fn of(golden: &Golden) -> Self {
        let [weights, license, card] =
            [Kind::Weights, Kind::License, Kind::ModelCard].map(|kind| golden.positions(kind).next().unwrap());
        let [first, second] = &golden.partners;
        let checkpoint = golden.history.cosigned(COUNT as u64, &[first, second]);
        let mut bundle = golden.history.bundle(&[0, 1, weights, license, card], &checkpoint);
        let blobs =
            bundle.records.iter().flat_map(|record| Submission::open(record.envelope.clone()).unwrap().record.blobs());
        bundle.blobs = blobs.map(|blob| (blob.sha256, golden.blobs[&blob.sha256].clone())).collect();
        let fingerprint = Trust::Fingerprint(golden.history.fingerprint());
        let policy = Trust::Policy(Box::new(golden.policy()));
        for trust in [&policy, &fingerprint] {
            assert_eq!(verify(&bundle, trust).verdict, Verdict::Verified, "the genuine bundle");
        }
        Self { bytes: bundle.write(), bundle, policy, fingerprint }
    }

    fn frames(&self) -> Vec<Framed> {
        let mut frames = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let length = u32::from_be_bytes(self.bytes[at..at + 4].try_into().unwrap()) as usize;
            let payload = at + HEAD_BYTES..at + HEAD_BYTES + length;
            frames.push(Framed { kind: self.bytes[at + 4], payload: payload.clone() });
            at = payload.end;
        }
        frames
    }

    /// Where each of a hundred workers begins, and how far it steps: together every `step`-th bit.
    fn slices(&self, step: usize) -> Vec<(usize, usize)> {
        let step = step.min(8 * self.bytes.len());
        (0..100).map(|worker| (worker * step, 100 * step)).collect()
    }

    /// The file as it lies on a disk or comes over a wire.
    fn turn_over_file(&self, from: usize, step: usize) -> Tally {
        let mut tally = Tally::default();
        for bit in (from..8 * self.bytes.len()).step_by(step) {
            let mut bytes = self.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let believed =
                [&self.policy, &self.fingerprint].map(|trust| judged(&bytes, trust)).iter().any(Option::is_some);
            tally.expect(!believed, || format!("the bundle: believed with bit {bit} turned over"));
        }
        tally
    }

    /// The payload of a frame, by somebody who writes the frame's digest anew.
    fn turn_over_frame(&self, frame: &Framed, step: usize) -> Tally {
        // Envelopes and proofs are turned over whole above; here only on the way to the verdict.
        let step = if matches!(frame.kind, ENVELOPE | PROOF) { 29 * step } else { step };
        let mut tally = Tally::default();
        for bit in (0..8 * frame.payload.len()).step_by(step) {
            let bytes = self.reframed(frame, bit);
            for trust in [&self.policy, &self.fingerprint] {
                let believed = judged(&bytes, trust).is_some();
                tally
                    .expect(!believed, || format!("frame of type {}: believed with bit {bit} turned over", frame.kind));
            }
        }
        tally
    }

    /// The cosignatures, in every proof alike.
    fn turn_over_cosignatures(&self, step: usize) -> Tally {
        let proof = &self.bundle.records[0].proof;
        let lines: Vec<&str> =
            proof.lines().filter(|line| line.starts_with("— ") && line.contains("/witness ")).collect();
        assert_eq!(lines.len(), 2, "both partners cosigned");
        let changed = |line: &str, by: &str| {
            let mut bundle = self.bundle.clone();
            for record in &mut bundle.records {
                record.proof = record.proof.replace(line, by);
            }
            bundle
        };
        let untouched = verify(&self.bundle, &self.fingerprint);
        let mut tally = Tally::default();
        for line in lines {
            let left_out = verify(&changed(&format!("{line}\n"), ""), &self.policy);
            assert_eq!(left_out.verdict, Verdict::UnderWitnessed);
            let genuine = Signature::parse(line).unwrap();
            let cosigner = (genuine.name(), genuine.key_id());
            for bit in (0..8 * line.len()).step_by(step) {
                let mut bytes = line.as_bytes().to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(turned) = String::from_utf8(bytes) else { continue };
                // Still by the same cosigner, so a forgery; otherwise a stranger's line, or none.
                let forged = Signature::parse(&turned).is_ok_and(|it| (it.name(), it.key_id()) == cosigner);
                let bundle = changed(line, &turned);
                let pinned = verify(&bundle, &self.fingerprint);
                tally.expect(pinned.verdict == Verdict::Failed || pinned == untouched, || {
                    format!("a cosignature: bit {bit} changes what a fingerprint shows: {pinned:?}")
                });
                let pinned = verify(&bundle, &self.policy);
                tally.expect(pinned.verdict == Verdict::Failed || (pinned == left_out && !forged), || {
                    format!("a cosignature: bit {bit} changes what a policy shows: {pinned:?}")
                });
            }
        }
        tally
    }

    fn reframed(&self, frame: &Framed, bit: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[frame.payload.start + bit / 8] ^= 1 << (bit % 8);
        let digest = Digest::of(&bytes[frame.payload.clone()]);
        bytes[frame.payload.start - 32..frame.payload.start].copy_from_slice(digest.as_bytes());
        bytes
    }
}

/// What is shown of a bundle that is believed.
fn judged(bytes: &[u8], trust: &Trust) -> Option<Report> {
    let report = verify(&Bundle::read(bytes).ok()?, trust);
    (report.verdict == Verdict::Verified).then_some(report)
}
