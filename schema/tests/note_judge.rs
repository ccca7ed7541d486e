//! Our notes beside those of others: `signed_note` (Go's implementation in Rust) for notes and their
//! keys, `tlog_tiles` for checkpoints. They read what we write, and we read nothing that they do not.

#![expect(clippy::unwrap_used, reason = "a test")]

use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::key::PublicKey;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::note::{self, KeyType, Note, VerifierKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, Verifier, VerifierList};

const ORIGIN: &str = "fr.example.org/chancery";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn vkey(name: &str, key_type: KeyType, seed: u8) -> VerifierKey {
    note::verifier_key(name, key_type, &key(seed)).unwrap()
}

/// The same key as the judge's signer knows it.
fn their_signer(name: &str, seed: u8) -> StandardSigner {
    let id = u32::from_be_bytes(vkey(name, KeyType::Ed25519, seed).key_id());
    let secret = base64::encode(&[&[1][..], &[seed; 32]].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")).unwrap()
}

fn their_verifier(key: &VerifierKey) -> Box<dyn Verifier> {
    Box::new(StandardVerifier::new(&key.to_string()).unwrap())
}

/// C2SP tlog-cosignature v1, written from its specification and not from our code.
struct Cosigner {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl Cosigner {
    fn of(name: &str, key: &PublicKey) -> Box<dyn Verifier> {
        let id = signed_note::key_id(name, &[&[4][..], key.as_bytes()].concat());
        Box::new(Self { name: name.to_owned(), id, key: VerifyingKey::from_bytes(key.as_bytes()).unwrap() })
    }
}

impl Verifier for Cosigner {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], line: &[u8]) -> bool {
        let Some((time, signature)) = line.split_first_chunk::<8>() else { return false };
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
        let time = u64::from_be_bytes(*time);
        let message = [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat();
        time != 0 && ed25519_dalek::Verifier::verify(&self.key, &message, &signature).is_ok()
    }
}

fn checkpoint_of(size: u64, root: &[u8]) -> Checkpoint {
    Checkpoint { origin: ORIGIN.parse().unwrap(), size, root: Digest::of(root) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// They sign what we sign, byte for byte, and each verifies what the other signed.
    #[test]
    fn notes_are_signed_alike(lines in prop::collection::vec("[^\\x00-\\x1f]{0,20}", 1..6), seed in any::<u8>()) {
        let text = lines.join("\n") + "\n";
        let key_of_log = vkey("log", KeyType::Ed25519, seed);
        let mine = Note::new(&text, vec![note::sign(&text, "log", &key(seed)).unwrap()]).unwrap();
        let mut judged = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        judged.add_sigs(&[&their_signer("log", seed)]).unwrap();
        prop_assert_eq!(mine.to_string().into_bytes(), judged.to_bytes());
        let known = VerifierList::new(vec![their_verifier(&key_of_log)]);
        let (verified, _) = signed_note::Note::from_bytes(mine.to_string().as_bytes()).unwrap().verify(&known).unwrap();
        prop_assert_eq!(verified.len(), 1);
        prop_assert_eq!(mine.verify(&[key_of_log]).unwrap().len(), 1);
    }

    /// A cosigned checkpoint holds for the judge too, line by line; a changed byte for neither.
    #[test]
    fn cosignatures_hold_for_the_judge(
        size in 0..=i64::MAX,
        root in any::<[u8; 8]>(),
        time in 1..=u64::MAX,
        at in any::<usize>(),
    ) {
        let log = vkey(ORIGIN, KeyType::Ed25519, 1);
        let mut signed = checkpoint::sign(checkpoint_of(size.cast_unsigned(), &root), &key(1)).unwrap();
        let witnesses = [("ke.example.org/witness", 2), ("br.example.org/witness", 3)];
        for (name, seed) in witnesses {
            let line = cosignature::sign(&signed, name, time, &key(seed)).unwrap().to_line();
            signed.add(line).unwrap();
        }
        let keys = witnesses.map(|(name, seed)| vkey(name, KeyType::Cosignature, seed));
        prop_assert_eq!(cosignature::verify_all(&signed, &keys).unwrap().len(), 2);

        let mut known: Vec<Box<dyn Verifier>> = keys.iter().map(|key| Cosigner::of(key.name(), key.public())).collect();
        known.push(their_verifier(&log));
        let known = VerifierList::new(known);
        let bytes = signed.to_string().into_bytes();
        let judged = signed_note::Note::from_bytes(&bytes).unwrap();
        let (verified, unverified) = judged.verify(&known).unwrap();
        prop_assert_eq!((verified.len(), unverified.len()), (3, 0));

        let mut changed = bytes;
        let at = at % changed.len();
        changed[at] ^= 1;
        let mine = checkpoint::open(&changed, &log).map_or(0, |signed| {
            cosignature::verify_all(&signed, &keys).map_or(0, |seen| 1 + seen.len())
        });
        let theirs = signed_note::Note::from_bytes(&changed).ok().and_then(|note| note.verify(&known).ok());
        let theirs = theirs.map_or(0, |(verified, _)| verified.len());
        prop_assert!(mine <= theirs, "we believe {} lines where the judge believes {}", mine, theirs);
        prop_assert!(mine < 3, "a changed note held");
    }

    /// What we read as a note, the judge reads as the same note.
    #[test]
    fn we_read_no_note_that_the_judge_does_not(
        (place, byte) in any::<(usize, u8)>(),
        (cut, doubled) in any::<(usize, usize)>(),
        how in 0..4,
    ) {
        let text = "one\n\nzwei\n";
        let lines = vec![note::sign(text, "a", &key(1)).unwrap(), note::sign(text, "журнал/b", &key(2)).unwrap()];
        let mut bytes = Note::new(text, lines).unwrap().to_string().into_bytes();
        let count = bytes.len();
        match how {
            0 => bytes[place % count] = byte,
            1 => bytes.truncate(cut % count),
            2 => bytes.insert(place % count, byte),
            _ => {
                let range = doubled % count..(doubled % count + cut % 40).min(count);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, again);
            }
        }
        if let Ok(mine) = Note::parse(&bytes) {
            prop_assert_eq!(mine.to_string().into_bytes(), bytes.clone());
            let judged = signed_note::Note::from_bytes(&bytes);
            prop_assert!(judged.is_ok(), "the judge does not read {:?}", String::from_utf8_lossy(&bytes));
            let judged = judged.unwrap();
            prop_assert_eq!(judged.text(), mine.text().as_bytes());
            prop_assert_eq!(judged.to_bytes(), bytes);
        }
    }

    /// Checkpoints: the judge reads ours as we do, and of a changed one we read no more than it does.
    #[test]
    fn checkpoints_are_read_alike(
        size in 0..=i64::MAX,
        root in any::<[u8; 8]>(),
        (place, byte) in any::<(usize, u8)>(),
    ) {
        let mine = checkpoint_of(size.cast_unsigned(), &root);
        let mut text = mine.to_text().into_bytes();
        let judged = tlog_tiles::Checkpoint::from_bytes(&text).unwrap();
        prop_assert_eq!((judged.origin(), judged.size(), judged.hash().0), (ORIGIN, mine.size, *mine.root.as_bytes()));
        prop_assert_eq!(judged.to_bytes(), text.clone());
        let count = text.len();
        text[place % count] = byte;
        if let Some(read) = str::from_utf8(&text).ok().and_then(|text| Checkpoint::parse(text).ok()) {
            let judged = tlog_tiles::Checkpoint::from_bytes(&text).unwrap();
            prop_assert_eq!((judged.size(), judged.hash().0), (read.size, *read.root.as_bytes()));
            prop_assert_eq!((judged.origin(), judged.extension()), (read.origin.as_str(), ""));
        }
    }
}

#[test]
fn keys_have_one_id() {
    for (name, seed) in [("a", 1), ("fr.example.org/chancery", 2), ("журнал", 3)] {
        let log = vkey(name, KeyType::Ed25519, seed);
        let judged = StandardVerifier::new(&log.to_string()).unwrap();
        assert_eq!((judged.name(), judged.key_id().to_be_bytes()), (name, log.key_id()));
        let witness = vkey(name, KeyType::Cosignature, seed);
        let cosigner = Cosigner::of(name, witness.public());
        assert_eq!(cosigner.key_id().to_be_bytes(), witness.key_id());
        assert_ne!(log.key_id(), witness.key_id(), "one key in two roles has two ids");
    }
}
