//! What the loop asks of the archive, each in a task of its own.

use std::collections::BTreeMap;

use chancery_registry::{Error, Partner, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::frame::Frame;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::note::Note;
use chancery_schema::name::Origin;
use chancery_schema::record::Scope;
use serde_bytes::ByteBuf;
use tracing::{error, warn};

use crate::protocol::{Request, Response};
use crate::sync::{Event, Failure, Mirror, Round, two_histories};

/// Missing bodies that are asked for in one round, and their bytes beyond which no more are asked for.
const MISSING_AT_ONCE: u64 = 64;
const MISSING_BYTES_MAX: usize = 32 << 20;

/// Where missing bodies stand: the entry that names one, and its digest.
pub type Place = (u64, Digest);

/// Partners, and the logs that are mirrored of them.
pub type PartnersRead = (Vec<Partner>, Vec<Mirror>);

/// Who the partners are, and how their mirrors stand.
pub async fn partners(registry: &Registry) -> chancery_registry::Result<PartnersRead> {
    let partners = registry.partners().await?;
    let frozen = frozen(registry).await?;
    let mut mirrors = Vec::new();
    for partner in partners.iter().filter(|partner| partner.scopes.contains(&Scope::Mirror)) {
        let Some(state) = registry.mirror(&partner.origin).await? else { continue };
        let Ok(key) = state.log_vkey.parse() else { continue };
        let pending = state.pending.and_then(|note| checkpoint::open(note.as_bytes(), &key).ok());
        mirrors.push(Mirror {
            nation: partner.nation.clone(),
            scopes: partner.scopes.clone(),
            key,
            size: state.size,
            root: state.root,
            pending: pending.map(|pending| pending.checkpoint().clone()),
            frozen: frozen.get(&state.origin).cloned(),
            origin: state.origin,
        });
    }
    Ok((partners, mirrors))
}

/// The logs with two histories, and why.
async fn frozen(registry: &Registry) -> chancery_registry::Result<BTreeMap<Origin, String>> {
    let contradictions = registry.contradictions().await?;
    let reasons = contradictions.into_iter().map(|it| {
        let reason = match (read(&it.earlier), read(&it.later)) {
            (Some(earlier), Some(later)) => two_histories(&it.origin, &earlier, &later),
            _ => format!("the log {} signed two histories", it.origin),
        };
        (it.origin, reason)
    });
    Ok(reasons.collect())
}

/// The heads of all logs held, as signed notes with the cosignatures known.
pub async fn heads(registry: &Registry) -> chancery_registry::Result<Vec<String>> {
    Ok(registry.heads().await?.into_iter().map(|head| head.note).collect())
}

/// Makes a checkpoint durable as the pending one.
pub async fn keep_pending(registry: Registry, origin: Origin, note: String) -> Event {
    let kept = registry.set_pending(&origin, &note).await.map_err(|error| error.to_string());
    Event::Pending(origin, kept)
}

/// Cosigns the head of a mirror.
pub async fn cosign(registry: Registry, origin: Origin) -> Event {
    let cosigned = registry.cosign(&origin).await.map(drop).map_err(|error| {
        warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to cosign");
        error.to_string()
    });
    Event::Cosigned(origin, cosigned)
}

/// Takes cosignature lines; an event only where they could not be kept.
pub async fn take_cosignatures(registry: Registry, origin: Origin, size: u64, lines: Vec<String>) -> Option<Event> {
    let error = registry.add_cosignatures(&origin, size, &lines).await.err()?;
    warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to keep cosignatures");
    Some(Event::CosignaturesLost(origin))
}

/// Compares a checkpoint with what is held, and keeps its cosignatures where they agree.
pub async fn compare(registry: Registry, origin: Origin, note: String) -> Event {
    match registry.compare(&origin, &note).await {
        Ok(held) => Event::Compared(origin, note, held),
        Err(Error::DoesNotContinue { .. }) => Event::Compared(origin, note, None),
        Err(error) => {
            warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to keep cosignatures");
            Event::CosignaturesLost(origin)
        }
    }
}

/// Takes a head of the own log that a partner shows. What the log has not signed says nothing.
pub async fn hear(registry: Registry, note: String) -> Option<Event> {
    match registry.hear(&note).await {
        Ok(None) | Err(Error::DoesNotContinue { .. }) => {}
        Ok(Some(doubt)) => {
            let doubt = &doubt as &dyn std::error::Error;
            error!(error = doubt, "A partner shows the own log, and nothing is signed");
        }
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "Failed to compare the own log with what a partner shows");
        }
    }
    None
}

/// Keeps the proof of two histories.
pub async fn keep_contradiction(registry: Registry, origin: Origin, notes: Vec<String>) {
    match registry.keep_contradiction(&origin, &notes).await {
        Ok(()) => error!(log.origin = %origin, "A log has two histories; nothing more is taken of it"),
        Err(problem) => {
            let problem = &problem as &dyn std::error::Error;
            error!(log.origin = %origin, error = problem, "Failed to keep the proof that a log has two histories");
        }
    }
}

/// Asks for what is missing after a place, piece by piece, and keeps what came at once: the archive
/// judges a log anew each time.
pub async fn fetch_missing<A>(
    registry: &Registry,
    origin: &Origin,
    after: Option<Place>,
    ask: impl Fn(Request) -> A,
) -> Round<Option<Place>>
where
    A: Future<Output = Option<Response>>,
{
    let missing = match registry.missing_after(origin, after, MISSING_AT_ONCE).await {
        Ok(missing) => missing,
        Err(error) => return Round::Failed(Failure::Ours(error.to_string())),
    };
    let Some(last) = missing.last().copied() else {
        return if after.is_none() { Round::Complete } else { Round::Through };
    };
    let (mut pieces, mut bytes, mut round) = (Vec::new(), 0, Round::More(Some(last)));
    for (place, digest) in missing {
        match piece(ask(Request::Piece { digest }).await, &digest) {
            Ok(Some(piece)) => {
                bytes += length(&piece);
                pieces.push(piece);
            }
            Ok(None) => {}
            Err(failure) => {
                round = Round::Failed(failure);
                break;
            }
        }
        if bytes >= MISSING_BYTES_MAX {
            round = Round::More(Some((place, digest)));
            break;
        }
    }
    match registry.add_bodies(origin, &pieces).await {
        Ok(_) => round,
        Err(error) => Round::Failed(Failure::Ours(error.to_string())),
    }
}

/// The piece in an answer; none where the partner does not hold it.
fn piece(answer: Option<Response>, digest: &Digest) -> Result<Option<Frame>, Failure> {
    match answer {
        Some(Response::Piece { is_envelope, bytes }) if Digest::of(&bytes) == *digest => {
            let bytes = bytes.into_vec();
            Ok(Some(if is_envelope { Frame::Envelope(bytes) } else { Frame::Blob(bytes) }))
        }
        Some(Response::Piece { .. }) => Err(Failure::Wrong("a piece has another digest than was asked for".to_owned())),
        Some(Response::Refused { code }) if code == "not-held" => Ok(None),
        Some(Response::Refused { code }) => Err(Failure::Unable(format!("it answers: {code}"))),
        Some(_) => Err(Failure::Wrong("its answer is to another question".to_owned())),
        None => Err(Failure::Unable("it does not answer".to_owned())),
    }
}

fn length(piece: &Frame) -> usize {
    match piece {
        Frame::Envelope(bytes) | Frame::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Answers a question of a partner, heads apart.
pub async fn respond(registry: &Registry, request: Request) -> Response {
    let refused = |code: &str| Response::Refused { code: code.to_owned() };
    match request {
        Request::Heads { .. } => Response::Heads { notes: Vec::new() },
        Request::Consistency { origin, old, new } => match registry.consistency(&origin, old, new).await {
            Ok(Some(proof)) => Response::Consistency { proof },
            Ok(None) => refused("not-held"),
            Err(_) => refused("failed"),
        },
        Request::Piece { digest } => match registry.piece(&digest).await {
            Ok(Some(Frame::Envelope(bytes))) => Response::Piece { is_envelope: true, bytes: ByteBuf::from(bytes) },
            Ok(Some(Frame::Blob(bytes))) => Response::Piece { is_envelope: false, bytes: ByteBuf::from(bytes) },
            Ok(_) => refused("not-held"),
            Err(_) => refused("failed"),
        },
    }
}

/// What a note says, believing nothing.
fn read(note: &str) -> Option<Checkpoint> {
    Checkpoint::parse(Note::parse(note.as_bytes()).ok()?.text()).ok()
}
