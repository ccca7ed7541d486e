//! Reading a nation's introduction: who it says it is, before anyone believes it.

use std::path::Path;

use chancery_schema::admission::Submission;
use chancery_schema::bundle::{Bundle, Purpose, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::limits::BUNDLE_BYTES_MAX;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Record, Texts};

use crate::client::{Client, shown};
use crate::files::read_bounded;
use crate::fingerprint;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// A nation that holds together under its own charter: whose charter that is, only people can say.
pub struct Stranger {
    /// The code that it claims.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// The record digest of its first charter.
    pub fingerprint: Digest,
    /// What it calls itself.
    pub names: Texts,
    /// Where its nodes are.
    pub addresses: Vec<String>,
    /// Its node, where the introduction came from there.
    pub client: Option<Client>,
    /// The introduction as it came.
    pub bytes: Vec<u8>,
}

impl Stranger {
    /// Reads an introduction from a file, or from a node's address.
    ///
    /// # Errors
    /// When it is not there, is not an introduction, or contradicts itself.
    pub fn meet(source: &str) -> Outcome<Self> {
        if !source.starts_with("http://") && !source.starts_with("https://") {
            return Self::read(read_bounded(Path::new(source), BUNDLE_BYTES_MAX)?, source);
        }
        let client = Client::new(source.trim_end_matches('/').trim_end_matches("/introduction"))?;
        match client.introduction()? {
            Some(bytes) => Ok(Self { client: Some(client), ..Self::read(bytes, source)? }),
            None => fail(Exit::NotFound, format!("{} has no introduction", client.url())),
        }
    }

    /// Reads the bytes of an introduction.
    ///
    /// # Errors
    /// When they are not one, or contradict themselves.
    pub fn read(bytes: Vec<u8>, source: &str) -> Outcome<Self> {
        let attempted = || format!("failed to read the introduction {source}");
        let bundle = Bundle::read(&bytes).or_exit(Exit::Verification, attempted)?;
        if bundle.header.purpose != Purpose::Introduction {
            let hint = "ask the partner for the introduction.chancery of its node";
            return fail(
                Exit::Verification,
                format!("{source} is the bundle of a record, not an introduction; {hint}"),
            );
        }
        let report = verify(&bundle, &Trust::Fingerprint(bundle.header.record));
        if report.verdict == Verdict::Failed {
            let check = report.checks.last().map(|check| format!("{}: {}", check.what, check.detail));
            return fail(
                Exit::Verification,
                format!("the introduction {source} does not hold: {}", check.unwrap_or_default()),
            );
        }
        let mut names = Texts::new();
        let mut addresses = Vec::new();
        for record in &bundle.records {
            match Submission::open(record.envelope.clone()).or_exit(Exit::Verification, attempted)?.record {
                Record::Charter(charter) => names = charter.display_name,
                Record::Endpoint(endpoint) => addresses.extend(endpoint.addresses),
                _ => {}
            }
        }
        let (nation, origin, fingerprint) = (bundle.header.nation, bundle.header.log, bundle.header.record);
        if report.nation.as_ref() != Some(&nation) || report.log.as_ref() != Some(&origin) {
            return fail(
                Exit::Verification,
                format!("the introduction {source} names another nation than its charter"),
            );
        }
        Ok(Self { nation, origin, fingerprint, names, addresses, client: None, bytes })
    }

    /// What an officer compares, by voice, with the partner's officer.
    #[must_use]
    pub fn describe(&self) -> String {
        let names: Vec<String> =
            self.names.iter().map(|(language, name)| format!("{} ({language})", shown(name))).collect();
        let addresses: Vec<String> = self.addresses.iter().map(|address| shown(address)).collect();
        format!(
            "nation       {}\nnames        {}\nlog          {}\nnodes        {}\nfingerprint\n{}",
            self.nation,
            names.join(", "),
            self.origin,
            if addresses.is_empty() { "none announced".to_owned() } else { addresses.join(" ") },
            fingerprint::spoken(&self.fingerprint, "  "),
        )
    }
}
