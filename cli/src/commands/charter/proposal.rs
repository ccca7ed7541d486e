//! A proposal: the bytes that officers are asked to sign, beside what is needed to say whether they would
//! count. It is of a charter, of a revocation by the roots, or of a log succession.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use chancery_schema::admission::{Admitted, Policy, Refusal, State, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{SignError, Signer};
use chancery_schema::limits::ENVELOPE_BYTES_MAX;
use chancery_schema::log::note::Signature;
use chancery_schema::record::{Charter, Header, Kind, LogSuccession, Reason, Record, Revocation, payload};
use chancery_schema::roster::Roster;
use chancery_schema::statement::Statement;
use chancery_schema::succession::{follows, read_former};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::files::{read_bounded, write_whole};
use crate::fingerprint;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::sign::{Occasion, unsigned};
use crate::visible::visible;

/// A proposal's file, in bytes: some records, in which JSON may escape a byte with one more.
const BYTES_MAX: u64 = 16 * ENVELOPE_BYTES_MAX as u64;

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

/// A record that officers are asked to sign.
pub struct Proposal {
    in_force: Option<Chartered>,
    former: Vec<Envelope>,
    payload: Vec<u8>,
    header: Header,
    record: Record,
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
    /// Beside a succession, the envelopes of the earlier logs' charters, as a bundle has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<String>,
}

impl Proposal {
    /// Proposes a charter.
    ///
    /// # Errors
    /// When it breaks a rule of charters.
    pub fn new(in_force: Option<Chartered>, occasion: Occasion<'_>, charter: &Charter) -> Outcome<Self> {
        let payload = unsigned(occasion, None, Kind::Charter, &members(charter)?)?;
        Self::of(in_force, Vec::new(), payload)
    }

    /// Proposes that the roots of the charter in force revoke a key.
    ///
    /// # Errors
    /// When it breaks a rule of revocations.
    pub fn revocation(in_force: Chartered, occasion: Occasion<'_>, revocation: &Revocation) -> Outcome<Self> {
        let payload = unsigned(occasion, None, Kind::Revocation, &members(revocation)?)?;
        Self::of(Some(in_force), Vec::new(), payload)
    }

    /// Proposes that the log which begins with the charter `first` takes the place of the last of `former`.
    ///
    /// # Errors
    /// When it breaks a rule of successions.
    pub fn succession(
        first: Chartered,
        former: Vec<Envelope>,
        occasion: Occasion<'_>,
        succession: &LogSuccession,
    ) -> Outcome<Self> {
        let payload = unsigned(occasion, None, Kind::LogSuccession, &members(succession)?)?;
        Self::of(Some(first), former, payload)
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
        let envelope = |text: &String| Envelope::parse(text.as_bytes()).or_exit(Exit::Usage, attempted);
        let in_force = written.in_force.as_ref().map(|text| Chartered::open(envelope(text)?, path));
        let former = written.former.iter().map(envelope).collect::<Outcome<Vec<_>>>()?;
        Self::of(in_force.transpose()?, former, written.proposed.into_bytes()).map_err(|mut failure| {
            failure.error = failure.error.context(attempted());
            failure
        })
    }

    fn of(in_force: Option<Chartered>, former: Vec<Envelope>, bytes: Vec<u8>) -> Outcome<Self> {
        let attempted = || "it proposes no charter, revocation or succession";
        let statement = Statement::parse(&bytes).or_exit(Exit::Usage, attempted)?;
        let (header, record) = Record::read_new(&statement).or_exit(Exit::Usage, attempted)?;
        let members = match &record {
            Record::Charter(charter) => members(charter)?,
            Record::Revocation(revocation) => members(revocation)?,
            Record::LogSuccession(succession) => members(succession)?,
            _ => return fail(Exit::Usage, attempted()),
        };
        // A member that this version does not know would be signed unseen.
        let shown = Header { audience: None, ..header.clone() };
        if payload(record.kind(), &shown, &members).or_exit(Exit::Usage, attempted)? != bytes {
            return fail(Exit::Verification, "it has more in it than this version shows; do not sign it");
        }
        let of_another = |it: &Chartered| it.header.log != header.log || it.header.nation != header.nation;
        if let Some(it) = in_force.as_ref().filter(|it| of_another(it)) {
            let (nation, log) = (&it.header.nation, &it.header.log);
            let problem = format!("the charter beside it is of {nation} for the log {log}, and it is of another");
            return fail(Exit::Verification, format!("{problem}; do not sign it"));
        }
        let beside = in_force.as_ref().map(|before| before.digest);
        match &record {
            Record::Charter(charter) if beside != charter.previous => {
                return fail(Exit::Verification, "the charter beside it is not the one that it follows");
            }
            Record::Revocation(_) if beside.is_none() => {
                return fail(Exit::Verification, "the charter in force is not beside it");
            }
            Record::LogSuccession(succession) => {
                let follows_it = || "the new log does not follow the earlier one";
                let first = match &in_force {
                    Some(first) if first.charter.version == 1 => first,
                    _ => return fail(Exit::Verification, "the first charter of the new log is not beside it"),
                };
                if first.digest != succession.successor {
                    return fail(Exit::Verification, "the charter beside it is not that of the log that it is for");
                }
                let logs = read_former(&former).or_exit(Exit::Verification, follows_it)?;
                let Some(old) = logs.last() else {
                    return fail(Exit::Verification, "the charters of the earlier log are not beside it");
                };
                follows(&header.nation, &first.charter, succession, &old.roster)
                    .or_exit(Exit::Verification, follows_it)?;
            }
            _ if !former.is_empty() => return fail(Exit::Verification, "only a succession has earlier logs beside it"),
            _ => {}
        }
        Ok(Self { in_force, former, payload: bytes, header, record })
    }

    /// Writes the proposal.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, path: &Path) -> Outcome {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("a proposal is not text");
        let in_force = self.in_force.as_ref().map(|before| text(before.envelope.to_bytes())).transpose()?;
        let former = self.former.iter().map(|it| text(it.to_bytes())).collect::<anyhow::Result<Vec<_>>>()?;
        let written = Written { proposed: text(self.payload.clone())?, in_force, former };
        let text = serde_json::to_string_pretty(&written).context("failed to write the proposal")? + "\n";
        write_whole(path, text.as_bytes())
    }

    /// What becomes of it once enough have signed, in the file `out`.
    pub fn next(&self, out: &Path) -> String {
        let out = out.display();
        match &self.record {
            Record::Charter(_) if self.in_force.is_none() => {
                format!("found the nation with it: chancery init --charter {out} --keys DIR")
            }
            Record::LogSuccession(_) => format!(
                "found the new log with it: chancery init --charter FILE --succession {out} --from URL --keys DIR"
            ),
            _ => format!("publish it to put it in force: chancery publish {out} --node URL"),
        }
    }

    /// What officers compare by voice: the record digest that it will have.
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
        // What was delegated and revoked, only the whole log has; that the key to be revoked is, is believed.
        let delegations = match &self.record {
            Record::Revocation(revocation) if !self.is_of_charter(&revocation.key) => {
                BTreeMap::from([(revocation.key, Vec::new())])
            }
            _ => BTreeMap::new(),
        };
        let position = match &self.record {
            Record::Charter(_) => 0,
            Record::Revocation(revocation) => revocation.since.unwrap_or_default().max(1),
            _ => 1,
        };
        let roster = self.in_force.as_ref().map(|before| Roster {
            nation: before.header.nation.clone(),
            origin: before.header.log.clone(),
            // Not asked here, and only the whole log has it.
            fingerprint: before.digest,
            charter: before.charter.clone(),
            charter_digest: before.digest,
            delegations,
            revocations: BTreeMap::new(),
        });
        let beside = self.in_force.as_ref().map_or(&self.header, |before| &before.header);
        let policy = Policy::Mirror { origin: beside.log.clone() };
        let admitted =
            decide(Submission::open(envelope.clone())?, &State { roster, position, ..State::default() }, &policy)?;
        Ok(admitted)
    }

    /// Everything that it says; of a charter, whether that is new, goes or stays.
    pub fn describe(&self) -> String {
        let mut lines = match &self.record {
            Record::Charter(charter) => self.describe_charter(charter),
            Record::Revocation(revocation) => self.describe_revocation(revocation),
            Record::LogSuccession(succession) => self.describe_succession(succession),
            _ => Vec::new(),
        };
        lines.push(format!("issued at {}", self.header.issued_at));
        lines.push("its own digest, to be compared by voice before anyone signs".to_owned());
        lines.push(fingerprint::spoken(&self.digest(), "  "));
        lines.join("\n")
    }

    fn describe_charter(&self, charter: &Charter) -> Vec<String> {
        let (nation, log, version) = (&self.header.nation, &self.header.log, charter.version);
        let before = self.in_force.as_ref().map(|before| facts(&before.charter)).unwrap_or_default();
        let after = facts(charter);
        let line = |word: &str, (what, value): &(String, String)| format!("{word:<6} {what:<16} {value}");
        let mut lines = vec![format!("version {version} of the charter of {nation} for the log {log}")];
        lines.extend(before.iter().filter(|fact| !after.contains(fact)).map(|fact| line("goes", fact)));
        lines.extend(after.iter().filter(|fact| !before.contains(fact)).map(|fact| line("new", fact)));
        lines.extend(after.iter().filter(|fact| before.contains(fact)).map(|fact| line("stays", fact)));
        let asked = self.in_force.iter().map(|before| &before.charter).chain([charter]);
        lines.push(format!("must be signed by {}", asked.map(asks).collect::<Vec<_>>().join(" and ")));
        if let Some(before) = &self.in_force {
            lines.push(format!("follows version {}, whose digest is", before.charter.version));
            lines.push(fingerprint::spoken(&before.digest, "  "));
        }
        lines
    }

    fn describe_revocation(&self, revocation: &Revocation) -> Vec<String> {
        let (nation, log) = (&self.header.nation, &self.header.log);
        let whose = if self.is_of_charter(&revocation.key) { "a registrar's key" } else { "a delegated key" };
        let why = match revocation.reason {
            Reason::Retired => "retired: it is not used any more, and what it signed stays",
            Reason::Lost => "lost: nobody has it any more, and what it signed stays",
            Reason::CompromisedSince => "compromised-since: what it signed from there on is void",
            Reason::CompromisedUnknown => "compromised-unknown: what it signed is contested until affirmed",
        };
        let mut lines = vec![
            format!("a revocation of {nation} for the log {log}"),
            format!("revokes {whose}, with the key id"),
            fingerprint::spoken(&revocation.key, "  "),
            format!("reason {why}"),
        ];
        match revocation.since {
            Some(since) => lines.push(format!("it is not trusted from entry {since} on")),
            None => lines.push("it is not trusted from the entry on where this will stand".to_owned()),
        }
        for affirmed in &revocation.affirms {
            lines.push("affirms the record".to_owned());
            lines.push(fingerprint::spoken(affirmed, "  "));
        }
        lines.extend(self.in_force.iter().map(|before| format!("must be signed by {}", asks(&before.charter))));
        lines
    }

    fn describe_succession(&self, succession: &LogSuccession) -> Vec<String> {
        let (nation, log) = (&self.header.nation, &self.header.log);
        let mut lines = vec![format!("a new log of {nation}: {log}")];
        if let Ok((key, base)) = succession.open() {
            let checkpoint = base.checkpoint();
            lines.push(format!("takes the place of the log {} with the key {key}", checkpoint.origin));
            lines.push(format!("from its checkpoint of {} entries on, with the root", checkpoint.size));
            lines.push(fingerprint::spoken(&checkpoint.root, "  "));
            let names: BTreeSet<&str> = base.note().signatures().iter().map(Signature::name).collect();
            let names = names.into_iter().filter(|name| *name != checkpoint.origin.as_str()).map(visible);
            let names = names.collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "nobody".to_owned() } else { names };
            lines.push(format!("cosigned, as the file says and nobody checked, by {names}"));
        }
        lines.push(format!("reason {}", succession.reason));
        for (language, text) in succession.statement.iter().flatten() {
            lines.push(format!("statement ({language}) {}", visible(text)));
        }
        lines.push("the earlier log has the fingerprint".to_owned());
        lines.push(fingerprint::spoken(&succession.fingerprint, "  "));
        lines.push("and its last charter the digest".to_owned());
        lines.push(fingerprint::spoken(&succession.charter, "  "));
        if let Some(first) = &self.in_force {
            lines.push("the new log will have the fingerprint".to_owned());
            lines.push(fingerprint::spoken(&first.digest, "  "));
            lines.push(format!("must be signed by {}", asks(&first.charter)));
        }
        lines
    }

    fn is_of_charter(&self, keyid: &Digest) -> bool {
        let mut keys = self.in_force.iter().flat_map(|before| before.charter.keys());
        keys.any(|(_, key)| key.keyid == *keyid)
    }
}

/// How many roots a charter asks for.
fn asks(charter: &Charter) -> String {
    format!("{} of the {} roots of version {}", charter.threshold, charter.roots.len(), charter.version)
}

fn members(body: &impl Serialize) -> Outcome<Map<String, Value>> {
    match serde_json::to_value(body).context("failed to write the record")? {
        Value::Object(members) => Ok(members),
        _ => fail(Exit::Other, "a record is not a JSON object"),
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
