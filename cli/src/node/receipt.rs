//! Receipts: what a node answers to a publication, checked here against the keys that the node names.
//!
//! The check binds the record to one log under one signed checkpoint, and cosignatures to that
//! checkpoint. Whether those keys are a nation's is for `chancery verify --trust` to say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chancery_schema::admission::Submission;
use chancery_schema::log::cosignature;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::proof::Proof;
use chancery_schema::name::{Nation, Origin};
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::output::{Exit, OrExit as _, Outcome, fail};

const NATIONS: &str = "{ nations { code origin own accredited logKey witnessKey mirrorKey } }";

/// The keys of the node's own log, and those of the other nations that may cosign it.
pub struct Keys {
    log: VerifierKey,
    cosigners: Vec<(Nation, VerifierKey)>,
}

#[derive(Deserialize)]
struct Nations {
    nations: Vec<NationShown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NationShown {
    code: Nation,
    origin: Origin,
    own: bool,
    accredited: bool,
    log_key: String,
    witness_key: String,
    mirror_key: String,
}

/// What a receipt that holds says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The position of the record.
    pub index: u64,
    /// The size of the log at the checkpoint.
    pub size: u64,
    /// The other nations that cosigned it.
    pub cosigners: BTreeSet<Nation>,
}

impl Keys {
    /// Asks the node for the keys that it knows.
    ///
    /// # Errors
    /// When it is not reached, or shows none of its own.
    pub fn ask(client: &Client) -> Outcome<Self> {
        let shown: Nations = client.ask(NATIONS, &json!({}))?;
        let own = shown.nations.iter().find(|nation| nation.own);
        let own = own.with_context(|| format!("{} does not show whose node it is", client.url()))?;
        let log: VerifierKey = own
            .log_key
            .parse()
            .or_exit(Exit::Verification, || format!("failed to read the log key of {}", own.code))?;
        if log.name() != own.origin.as_str() {
            return fail(
                Exit::Verification,
                format!("the log key of {} is named {}, not {}", own.code, log.name(), own.origin),
            );
        }
        let mut cosigners = Vec::new();
        for nation in shown.nations.iter().filter(|nation| !nation.own && nation.accredited) {
            // A nation whose charter is not known yet has no keys to show, and cosigns nothing.
            let keys = [&nation.witness_key, &nation.mirror_key].into_iter().filter_map(|key| key.parse().ok());
            cosigners.extend(keys.map(|key| (nation.code.clone(), key)));
        }
        Ok(Self { log, cosigners })
    }

    /// How many other nations may cosign.
    #[must_use]
    pub fn nations(&self) -> usize {
        self.cosigners.iter().map(|(nation, _)| nation).collect::<BTreeSet<_>>().len()
    }

    /// Checks that `proof` shows `submission` in the log, and who cosigned the checkpoint of it.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn check(&self, submission: &Submission, proof: &str) -> Outcome<Receipt> {
        let attempted = || format!("failed to verify the receipt of {}", submission.digest);
        let entry = Entry::new(submission.record.kind().as_str(), submission.envelope.digest());
        let entry = entry.or_exit(Exit::Verification, attempted)?;
        let proof = Proof::parse(proof.as_bytes()).or_exit(Exit::Verification, attempted)?;
        let verified = proof.verify(&entry.to_bytes(), &self.log).or_exit(Exit::Verification, attempted)?;
        let (index, checkpoint) = verified;
        let keys = self.cosigners.iter().map(|(_, key)| key);
        let seen = cosignature::verify_all(&checkpoint, keys).or_exit(Exit::Verification, attempted)?;
        let nation =
            |key: &VerifierKey| self.cosigners.iter().find(|(_, known)| known == key).map(|(nation, _)| nation);
        let cosigners = seen.iter().filter_map(|line| nation(line.key())).cloned().collect();
        Ok(Receipt { index, size: checkpoint.checkpoint().size, cosigners })
    }
}

/// Where the receipt of an envelope's file is kept: `card.dsse.json` has `card.receipt.txt`.
#[must_use]
pub fn path(envelope: &Path) -> PathBuf {
    let name = envelope.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".dsse.json").unwrap_or(&name);
    envelope.with_file_name(format!("{stem}.receipt.txt"))
}

#[cfg(test)]
mod tests {
    use chancery_schema::digest::Digest;
    use chancery_schema::key::Role;
    use chancery_schema::log::checkpoint::{self, Checkpoint};
    use chancery_schema::log::note::{KeyType, verifier_key};
    use chancery_schema::record::Endpoint;

    use super::*;
    use crate::clock;
    use crate::keystore::Key;
    use crate::sign::{Occasion, sign};

    const COSIGNER: &str = "ke.example.org/chancery/witness";

    /// A log of one entry whose checkpoint a witness of KE cosigned.
    struct Story {
        keys: Keys,
        submission: Submission,
        proof: String,
    }

    fn story() -> Story {
        let (nation, origin): (Nation, Origin) = ("FR".parse().unwrap(), "fr.example.org/chancery".parse().unwrap());
        let key = |role| Key::generate(&nation, &origin, role).unwrap();
        let (log, witness, node, transport) =
            (key(Role::Log), key(Role::Witness), key(Role::Node), key(Role::Transport));
        let occasion = Occasion { nation: &nation, origin: &origin, issued_at: clock::now() };
        let endpoint = Endpoint { key: transport.public.key.clone(), addresses: Vec::new(), url: None };
        let submission = Submission::open(sign(occasion, &endpoint, &[&node]).unwrap()).unwrap();
        let root = Entry::new("endpoint", submission.envelope.digest()).unwrap().leaf_hash();
        let mut signed = checkpoint::sign(Checkpoint { origin: origin.clone(), size: 1, root }, &log).unwrap();
        let line = cosignature::sign(&signed, COSIGNER, 1_795_521_600, &witness).unwrap();
        signed.add(line.to_line()).unwrap();
        let cosigner = verifier_key(COSIGNER, KeyType::Cosignature, &witness).unwrap();
        Story {
            keys: Keys {
                log: verifier_key(origin.as_str(), KeyType::Ed25519, &log).unwrap(),
                cosigners: vec![("KE".parse().unwrap(), cosigner)],
            },
            proof: format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{}", signed.note()),
            submission,
        }
    }

    #[test]
    fn a_receipt_says_where_the_record_is_and_which_nations_cosigned() {
        let Story { keys, submission, proof } = story();
        let receipt = keys.check(&submission, &proof).unwrap();
        assert_eq!(receipt, Receipt { index: 0, size: 1, cosigners: BTreeSet::from(["KE".parse().unwrap()]) });
        assert_eq!(keys.nations(), 1);
    }

    #[test]
    fn a_receipt_of_another_record_or_by_another_log_does_not_hold() {
        let (ours, theirs) = (story(), story());
        for (keys, submission, proof) in [
            (&ours.keys, &theirs.submission, &ours.proof),
            (&theirs.keys, &ours.submission, &ours.proof),
            (&ours.keys, &ours.submission, &ours.proof.replace("index 0", "index 1")),
            (&ours.keys, &ours.submission, &ours.proof.replace("\n1\n", "\n2\n")),
            (&ours.keys, &ours.submission, &String::new()),
        ] {
            assert_eq!(keys.check(submission, proof).unwrap_err().exit, Exit::Verification, "{proof}");
        }
    }

    #[test]
    fn a_cosigner_that_is_not_a_partner_does_not_count() {
        let Story { mut keys, submission, proof } = story();
        keys.cosigners.clear();
        assert!(keys.check(&submission, &proof).unwrap().cosigners.is_empty());
    }

    #[test]
    fn a_forged_cosignature_is_not_passed_over() {
        let Story { keys, submission, proof } = story();
        let digest = Digest::of(b"another root").to_base64();
        assert!(
            keys.check(&submission, &proof.replace(COSIGNER, "ke.example.org/other")).unwrap().cosigners.is_empty()
        );
        assert!(
            keys.check(&submission, &proof.replacen(&proof[proof.len() - 20..proof.len() - 4], &digest[..16], 1))
                .is_err()
        );
    }

    #[test]
    fn a_receipt_lies_beside_its_envelope() {
        assert_eq!(path(Path::new("a/card.dsse.json")), Path::new("a/card.receipt.txt"));
        assert_eq!(path(Path::new("card.json")), Path::new("card.json.receipt.txt"));
    }
}
