//! A proposal: the bytes that officers are asked to sign, beside the charter that they would follow.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use chancery_schema::admission::{Admitted, Policy, Refusal, State, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{SignError, Signer};
use chancery_schema::limits::ENVELOPE_BYTES_MAX;
use chancery_schema::record::{Charter, Header, Kind, Record, payload};
use chancery_schema::roster::Roster;
use chancery_schema::statement::Statement;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::files::{read_bounded, write_whole};
use crate::fingerprint;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::sign::{Occasion, unsigned};
use crate::visible::visible;

/// A proposal's file, in bytes: two records, in which JSON may escape a byte with one more.
const BYTES_MAX: u64 = 4 * ENVELOPE_BYTES_MAX as u64;

/// A charter that was signed.
pub struct Chartered {
    envelope: Envelope,
    /// Its record digest.
    pub digest: Digest,
    /// What its predicate begins with.
    pub header: Header,
    /// Its body.
    pub charter: Charter,
}

impl Chartered {
    /// Reads the charter in an envelope. Whether it is in force, it does not say.
    ///
    /// # Errors
    /// When it is something else.
    pub fn open(envelope: Envelope, path: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the charter in {}", path.display());
        let Submission { digest, header, record, .. } =
            Submission::open(envelope.clone()).or_exit(Exit::Usage, attempted)?;
        match record {
            Record::Charter(charter) => Ok(Self { envelope, digest, header, charter: *charter }),
            other => fail(Exit::Usage, format!("{} is a {}, not a charter", path.display(), other.kind())),
        }
    }
}

/// A charter that officers are asked to sign.
pub struct Proposal {
    in_force: Option<Chartered>,
    payload: Vec<u8>,
    header: Header,
    charter: Charter,
}

/// A proposal as it lies on disk.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    /// The statement, byte for byte as it is signed.
    proposed: String,
    /// The envelope of the charter in force; none beside a first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_force: Option<String>,
}

impl Proposal {
    /// Proposes a charter.
    ///
    /// # Errors
    /// When it breaks a rule of charters.
    pub fn new(in_force: Option<Chartered>, occasion: Occasion<'_>, charter: &Charter) -> Outcome<Self> {
        let payload = unsigned(occasion, None, Kind::Charter, &members(charter)?)?;
        Self::of(in_force, payload)
    }

    /// Reads a proposal.
    ///
    /// # Errors
    /// When it is none, or has something in it that [`Self::describe`] would not show.
    pub fn read(path: &Path) -> Outcome<Self> {
        Self::from_bytes(&read_bounded(path, BYTES_MAX)?, path)
    }

    /// As [`Self::read`], of bytes that were read from `path`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the proposal {}", path.display());
        let written: Written = serde_json::from_slice(bytes).or_exit(Exit::Usage, attempted)?;
        let in_force = written.in_force.map(|envelope| {
            let envelope = Envelope::parse(envelope.as_bytes()).or_exit(Exit::Usage, attempted)?;
            Chartered::open(envelope, path)
        });
        Self::of(in_force.transpose()?, written.proposed.into_bytes()).map_err(|mut failure| {
            failure.error = failure.error.context(attempted());
            failure
        })
    }

    fn of(in_force: Option<Chartered>, bytes: Vec<u8>) -> Outcome<Self> {
        let attempted = || "it does not propose a charter";
        let statement = Statement::parse(&bytes).or_exit(Exit::Usage, attempted)?;
        let (header, record) = Record::read_new(&statement).or_exit(Exit::Usage, attempted)?;
        let Record::Charter(charter) = record else { return fail(Exit::Usage, attempted()) };
        // A member that this version does not know would be signed unseen.
        let shown = Header { audience: None, ..header.clone() };
        if payload(Kind::Charter, &shown, &members(&charter)?).or_exit(Exit::Usage, attempted)? != bytes {
            return fail(Exit::Verification, "it has more in it than this version shows; do not sign it");
        }
        if in_force.as_ref().map(|before| before.digest) != charter.previous {
            return fail(Exit::Verification, "the charter beside it is not the one that it follows");
        }
        Ok(Self { in_force, payload: bytes, header, charter: *charter })
    }

    /// Writes the proposal.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, path: &Path) -> Outcome {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("a proposal is not text");
        let in_force = self.in_force.as_ref().map(|before| text(before.envelope.to_bytes())).transpose()?;
        let written = Written { proposed: text(self.payload.clone())?, in_force };
        let text = serde_json::to_string_pretty(&written).context("failed to write the proposal")? + "\n";
        write_whole(path, text.as_bytes())
    }

    /// Whether it would found a nation.
    pub const fn is_first(&self) -> bool {
        self.in_force.is_none()
    }

    /// What officers compare by voice: the record digest that the charter will have.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// Signs it with one key.
    ///
    /// # Errors
    /// When the key's device does not sign.
    pub fn sign(&self, key: &dyn Signer) -> Result<Envelope, SignError> {
        Envelope::sign(self.payload.clone(), &[key])
    }

    /// Whether an envelope of it would be admitted, as far as the charter in force can tell.
    ///
    /// # Errors
    /// With the reason, when it would not.
    pub fn judge(&self, envelope: &Envelope) -> Result<Admitted, Refusal> {
        let roster = self.in_force.as_ref().map(|before| Roster {
            nation: before.header.nation.clone(),
            origin: before.header.log.clone(),
            // Not asked of a charter, and only the whole log has it.
            fingerprint: before.digest,
            charter: before.charter.clone(),
            charter_digest: before.digest,
            // What was delegated and revoked, only the whole log has.
            delegations: BTreeMap::new(),
            revocations: BTreeMap::new(),
        });
        let policy = Policy::Mirror { origin: self.header.log.clone() };
        decide(Submission::open(envelope.clone())?, &State { roster, ..State::default() }, &policy)
    }

    /// Everything that it says, and whether that is new, goes or stays.
    pub fn describe(&self) -> String {
        let (nation, log, version) = (&self.header.nation, &self.header.log, self.charter.version);
        let before = self.in_force.as_ref().map(|before| facts(&before.charter)).unwrap_or_default();
        let after = facts(&self.charter);
        let line = |word: &str, (what, value): &(String, String)| format!("{word:<6} {what:<16} {value}");
        let mut lines = vec![format!("version {version} of the charter of {nation} for the log {log}")];
        lines.extend(before.iter().filter(|fact| !after.contains(fact)).map(|fact| line("goes", fact)));
        lines.extend(after.iter().filter(|fact| !before.contains(fact)).map(|fact| line("new", fact)));
        lines.extend(after.iter().filter(|fact| before.contains(fact)).map(|fact| line("stays", fact)));
        let asked = self.in_force.iter().map(|before| &before.charter).chain([&self.charter]);
        let asked = asked.map(|charter| {
            format!("{} of the {} roots of version {}", charter.threshold, charter.roots.len(), charter.version)
        });
        lines.push(format!("must be signed by {}", asked.collect::<Vec<_>>().join(" and ")));
        if let Some(before) = &self.in_force {
            lines.push(format!("follows version {}, whose digest is", before.charter.version));
            lines.push(fingerprint::spoken(&before.digest, "  "));
        }
        lines.push("its own digest, to be compared by voice before anyone signs".to_owned());
        lines.push(fingerprint::spoken(&self.digest(), "  "));
        lines.join("\n")
    }
}

fn members(charter: &Charter) -> Outcome<Map<String, Value>> {
    match serde_json::to_value(charter).context("failed to write the charter")? {
        Value::Object(members) => Ok(members),
        _ => fail(Exit::Other, "a charter is not a JSON object"),
    }
}

/// All that a charter says, piece by piece, for people.
fn facts(charter: &Charter) -> Vec<(String, String)> {
    let fact = |what: &str, value: String| (what.to_owned(), value);
    let names = charter.display_name.iter().map(|(language, name)| fact(&format!("name ({language})"), visible(name)));
    let cosigners = [("witness", &charter.witness.name), ("mirror", &charter.mirror.name)];
    names
        .chain([fact("threshold", format!("{} roots", charter.threshold))])
        .chain(charter.keys().map(|(role, key)| fact(&format!("{} key", role.as_str()), key.keyid.to_string())))
        .chain(cosigners.map(|(role, name)| fact(&format!("{role} name"), name.to_string())))
        .chain(charter.algorithms.iter().map(|algorithm| fact("algorithm", algorithm.to_string())))
        .chain([fact("in force until", charter.expires.to_string())])
        .collect()
}
