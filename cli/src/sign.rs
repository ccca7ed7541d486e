//! Making records: a header for the occasion, a body, and signatures.

use anyhow::Context as _;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Signer;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Body, Header, Kind, Nonce, Record, payload};
use chancery_schema::statement::Statement;
use chancery_schema::time::Timestamp;
use serde_json::{Map, Value};

use crate::clock;
use crate::output::{Exit, OrExit as _, Outcome};

/// For whom, for which log and when a record is signed.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The nation that the signers speak for.
    pub nation: &'a Nation,
    /// Its log.
    pub origin: &'a Origin,
    /// The time that the record claims.
    pub issued_at: Timestamp,
}

/// Makes a record of `body` and signs it with each of `signers`.
///
/// # Errors
/// When the body breaks a rule of its kind, or a key does not sign.
pub fn sign<B: Body>(occasion: Occasion<'_>, body: &B, signers: &[&dyn Signer]) -> Outcome<Envelope> {
    let Value::Object(body) = serde_json::to_value(body).with_context(|| format!("failed to make the {}", B::KIND))?
    else {
        return Err(anyhow::anyhow!("a {} is not a JSON object", B::KIND).into());
    };
    seal(occasion, None, B::KIND, &body, signers)
}

/// Makes a record of a body's members and signs it with each of `signers`.
///
/// # Errors
/// When the body breaks a rule of its kind, with the place, or a key does not sign.
pub fn seal(
    occasion: Occasion<'_>,
    audience: Option<Vec<Nation>>,
    kind: Kind,
    body: &Map<String, Value>,
    signers: &[&dyn Signer],
) -> Outcome<Envelope> {
    let attempted = || format!("failed to make the {kind}");
    let payload = unsigned(occasion, audience, kind, body)?;
    let envelope = Envelope::sign(payload, signers).or_exit(Exit::Authority, attempted)?;
    let bytes = envelope.to_bytes();
    Envelope::from_fixed(&bytes).or_exit(Exit::Usage, attempted)
}

/// Makes the payload of a record, for others to sign.
///
/// # Errors
/// When the body breaks a rule of its kind, with the place.
pub fn unsigned(
    occasion: Occasion<'_>,
    audience: Option<Vec<Nation>>,
    kind: Kind,
    body: &Map<String, Value>,
) -> Outcome<Vec<u8>> {
    let header = Header {
        nonce: Nonce::from_bytes(clock::random_bytes()?),
        nation: occasion.nation.clone(),
        log: occasion.origin.clone(),
        issued_at: occasion.issued_at,
        audience,
    };
    let attempted = || format!("failed to make the {kind}");
    let payload = payload(kind, &header, body).or_exit(Exit::Usage, attempted)?;
    let statement = Statement::parse(&payload).or_exit(Exit::Usage, attempted)?;
    Record::read_new(&statement).or_exit(Exit::Usage, attempted)?;
    Ok(payload)
}
