//! Checking a pouch whole before anything of it is written: who sealed it, and that every entry is proven and
//! continues what is held.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chancery_registry::{Registry, blobs_named};
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::limits::{CLOCK_SKEW_SECONDS, HEADS_MAX, PACKAGE_ENTRIES_MAX};
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::tree::Frontier;
use chancery_schema::name::Origin;
use chancery_schema::record::Scope;
use chancery_schema::time::Timestamp;

use super::volumes::{Place, Pouch, Section, read_note};
use super::{PouchError, refuse};
use crate::archive;

/// A log of which a pouch may speak.
struct Known {
    key: VerifierKey,
    own: bool,
    /// Entries held, and the root over them.
    size: u64,
    root: Digest,
    pending: Option<Checkpoint>,
}

/// A section that is being read.
struct Open {
    section: Section,
    head: SignedCheckpoint,
    /// The tree up to the last package, and its edge before that.
    edge: Frontier,
    before: Frontier,
    /// The leaves of the last package.
    leaves: Vec<Digest>,
    /// The leaves since the last multiple of 256.
    tail: Vec<Digest>,
    /// What must follow: the digest, and whether it is an envelope's.
    due: VecDeque<(Digest, bool)>,
    /// The size of the last cosigned checkpoint.
    cosigned: u64,
}

struct Check<'a> {
    registry: &'a Registry,
    known: BTreeMap<Origin, Known>,
    holds: BTreeMap<Origin, u64>,
    seen: BTreeSet<Origin>,
    open: Option<Open>,
    sections: Vec<Section>,
}

/// Checks who sealed a pouch, and for whom.
pub(super) async fn seal(pouch: &Pouch, registry: &Registry, now: Timestamp) -> Result<(), PouchError> {
    let header = &pouch.seal.header;
    let nations = registry.nations().await?;
    let own = nations.iter().find(|nation| nation.own);
    let Some(own) = own else { return refuse("this archive has no log of its own yet") };
    let addressee = pouch.seal.addressee();
    if addressee != Some(&own.nation) {
        let addressee = addressee.map_or_else(String::new, ToString::to_string);
        return refuse(format!("it is addressed to {addressee}, and this is the node of {}", own.nation));
    }
    let partners = registry.partners().await?;
    let exchanges = |scopes: &[Scope]| scopes.iter().any(|scope| matches!(scope, Scope::Mirror | Scope::Cosign));
    let sender = partners.iter().find(|it| (&it.nation, &it.origin) == (&header.nation, &header.log));
    if !sender.is_some_and(|sender| exchanges(&sender.scopes)) {
        let hint = "recognise it with `chancery partner add`, after comparing fingerprints";
        return refuse(format!("{} with the log {} is not recognised here; {hint}", header.nation, header.log));
    }
    if header.issued_at > now.plus_seconds(CLOCK_SKEW_SECONDS) {
        return refuse(format!("it was sealed at {}, and now is {now}; compare the clocks", header.issued_at));
    }
    Ok(pouch.seal.verify(&registry.rosters(&header.log).await?)?)
}

/// Checks the contents; answers the logs in them, each now proven.
pub(super) async fn contents(pouch: &Pouch, registry: &Registry) -> Result<Vec<Section>, PouchError> {
    let holds = pouch.seal.holds.iter().map(|holding| (holding.log.clone(), holding.size)).collect();
    let known = known(registry).await?;
    let (seen, sections) = (BTreeSet::new(), Vec::new());
    let mut check = Check { registry, known, holds, seen, open: None, sections };
    let mut contents = pouch.contents()?;
    while let Some((_, frame)) = contents.next()? {
        match frame {
            Frame::Checkpoint(note) => check.checkpoint(note, contents.place).await?,
            Frame::Package(package) => check.package(&package).await?,
            Frame::Envelope(_) | Frame::Blob(_) | Frame::Missing(_) => check.body(&frame)?,
            Frame::Header(_) | Frame::Former(_) | Frame::Proof(_) | Frame::End(_) => {
                return refuse("a frame stands where it has no place");
            }
        }
    }
    check.close()?;
    if !check.seen.contains(&pouch.seal.header.log) {
        return refuse("the sender's own log is not in it");
    }
    Ok(check.sections)
}

/// The own log, and those that are mirrored.
async fn known(registry: &Registry) -> Result<BTreeMap<Origin, Known>, PouchError> {
    let (_, mirrors) = archive::partners(registry).await?;
    let mut known: BTreeMap<Origin, Known> = mirrors
        .into_iter()
        .map(|it| (it.origin, Known { key: it.key, own: false, size: it.size, root: it.root, pending: it.pending }))
        .collect();
    let own = registry.own_log().await?;
    if let Ok(key) = own.log_vkey.parse() {
        let (size, root) = (own.size, own.root);
        known.insert(own.origin, Known { key, own: true, size, root, pending: None });
    }
    Ok(known)
}

impl Check<'_> {
    /// The head of the next log, or a cosigned checkpoint within the last package.
    async fn checkpoint(&mut self, note: Vec<u8>, begins: Place) -> Result<(), PouchError> {
        let (checkpoint, note) = read_note(note)?;
        let origin = checkpoint.origin.clone();
        if self.open.as_ref().is_some_and(|open| open.section.origin == origin) {
            return self.cosigned(&checkpoint, note).await;
        }
        self.close()?;
        if !self.seen.insert(origin.clone()) || self.seen.len() > HEADS_MAX {
            return refuse(format!("the log {origin} comes twice, or there are too many"));
        }
        let Some(known) = self.known.get(&origin) else {
            let hint = "recognise its nation first, or ask for a pouch without it";
            return refuse(format!("the log {origin} is not mirrored here; {hint}"));
        };
        let head = signed(&note, &known.key)?;
        if self.holds.get(&origin) != Some(&checkpoint.size) {
            return refuse(format!("of the log {origin} it holds another size than its header says"));
        }
        self.lines(&head).await?;
        if !known.own {
            self.agrees(known, &checkpoint, &note).await?;
        }
        let section = Section { origin, head: note, size: checkpoint.size, start: None, begins };
        self.open = Some(Open {
            section,
            head,
            edge: Frontier::new(),
            before: Frontier::new(),
            leaves: Vec::new(),
            tail: Vec::new(),
            due: VecDeque::new(),
            cosigned: 0,
        });
        Ok(())
    }

    /// What is held must have the root of a checkpoint at its size, or the log has two histories.
    async fn agrees(&self, known: &Known, checkpoint: &Checkpoint, note: &str) -> Result<(), PouchError> {
        let Checkpoint { origin, size, root } = checkpoint;
        let pending = known.pending.as_ref().filter(|pending| pending.size == *size).map(|pending| pending.root);
        let held = match known.size {
            held if *size <= held => self.registry.root_at(origin, *size).await?,
            _ => None,
        };
        if held.or(pending).is_some_and(|held| held != *root) {
            return Err(PouchError::TwoHistories { origin: origin.clone(), note: note.to_owned() });
        }
        Ok(())
    }

    async fn cosigned(&mut self, checkpoint: &Checkpoint, note: String) -> Result<(), PouchError> {
        let Checkpoint { origin, size, root } = checkpoint;
        let Some((open, known)) = self.open.as_mut().zip(self.known.get(origin)) else { return Ok(()) };
        let within = *size > open.before.size().max(open.cosigned) && *size <= open.edge.size();
        if !within || !open.due.is_empty() {
            return refuse(format!("a checkpoint of {origin} stands where it has no place"));
        }
        open.cosigned = *size;
        let mut edge = open.before.clone();
        let more = usize::try_from(*size - edge.size()).unwrap_or(usize::MAX);
        open.leaves.iter().take(more).for_each(|leaf| edge.push(*leaf));
        let (proven, signed) = (edge.root(), signed(&note, &known.key)?);
        self.agrees(known, checkpoint, &note).await?;
        if proven != *root {
            return refuse(format!("a checkpoint of {origin} at {size} does not lead to its head"));
        }
        self.lines(&signed).await
    }

    /// A line that claims a known cosigner must hold.
    async fn lines(&self, signed: &SignedCheckpoint) -> Result<(), PouchError> {
        match self.registry.wrong_line(signed).await? {
            Some(name) => refuse(format!("a cosignature of {name} on {} does not hold", signed.checkpoint().origin)),
            None => Ok(()),
        }
    }

    async fn package(&mut self, package: &Package) -> Result<(), PouchError> {
        let origin = &package.origin;
        let open = self.open.as_mut().filter(|open| open.section.origin == *origin && open.due.is_empty());
        let Some((open, known)) = open.zip(self.known.get(origin)) else {
            return refuse(format!("entries of {origin} stand where they have no place"));
        };
        if known.own {
            return refuse(format!("it brings entries of this node's own log {origin}; only `recover` takes those"));
        }
        if open.section.start.is_none() {
            begin(self.registry, open, known, package).await?;
        }
        if package.start != open.edge.size() || package.tree_size != open.section.size {
            return refuse(format!("entries of {origin} do not follow one another up to its head"));
        }
        let proven = package.verify(&open.tail, &open.head.checkpoint().root);
        let wrong = |error| PouchError::Refused(format!("entries of {origin} are not in its tree: {error}"));
        open.leaves = proven.map_err(wrong)?;
        open.before = open.edge.clone();
        for leaf in &open.leaves {
            open.edge.push(*leaf);
            let at = |size: u64, root: Digest| size == open.edge.size() && root != open.edge.root();
            let pending = known.pending.as_ref().is_some_and(|pending| at(pending.size, pending.root));
            if at(known.size, known.root) || pending {
                let hint = "speak to officers of that nation; a pouch with `--since 0` may show who is at fault";
                return refuse(format!("entries of {origin} do not continue those held here; {hint}"));
            }
        }
        open.tail.extend(&open.leaves);
        if open.edge.size() % PACKAGE_ENTRIES_MAX == 0 {
            open.tail.clear();
        }
        let entries = package.entries.iter().filter_map(|bytes| Entry::parse(bytes).ok());
        open.due = entries.map(|entry| (entry.envelope(), true)).collect();
        Ok(())
    }

    /// What follows a package is exactly what its entries name, in their order.
    fn body(&mut self, frame: &Frame) -> Result<(), PouchError> {
        let due = self.open.as_mut().and_then(|open| open.due.pop_front().map(|due| (open, due)));
        let Some((open, (digest, is_envelope))) = due else {
            return refuse("an envelope or blob in it belongs to no entry");
        };
        let is_due = match frame {
            Frame::Envelope(bytes) => is_envelope && Digest::of(bytes) == digest,
            Frame::Blob(bytes) => !is_envelope && Digest::of(bytes) == digest,
            Frame::Missing(missing) => *missing == digest,
            _ => false,
        };
        if !is_due {
            return refuse(format!("an envelope or blob stands in place of {digest}"));
        }
        if let Frame::Envelope(bytes) = frame {
            for blob in blobs_named(bytes).iter().rev() {
                open.due.push_front((blob.sha256, false));
            }
        }
        Ok(())
    }

    /// A log is through: its entries reach its head.
    fn close(&mut self) -> Result<(), PouchError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let (origin, size) = (&open.section.origin, open.section.size);
        if !open.due.is_empty() {
            return refuse(format!("envelopes or blobs of {origin} do not follow their entries"));
        }
        match (open.section.start, self.known.get(origin)) {
            (Some(_), _) if open.edge.size() < size => {
                return refuse(format!("entries of {origin} end at {}, before its head at {size}", open.edge.size()));
            }
            (Some(_), _) if open.edge.root() != open.head.checkpoint().root => {
                let hint = "speak to officers of that nation; a pouch with `--since 0` may show who is at fault";
                return refuse(format!("entries of {origin} do not continue those held here; {hint}"));
            }
            (None, Some(known)) if !known.own && size > known.size => return too_late(origin, size, known.size),
            _ => {}
        }
        self.sections.push(open.section);
        Ok(())
    }
}

/// The first package of a log: at a multiple of 256, and no later than what is held ends.
async fn begin(registry: &Registry, open: &mut Open, known: &Known, package: &Package) -> Result<(), PouchError> {
    let Package { origin, start, .. } = package;
    if start % PACKAGE_ENTRIES_MAX != 0 {
        return refuse(format!("entries of {origin} do not begin at a multiple of {PACKAGE_ENTRIES_MAX}"));
    }
    if *start > known.size {
        return too_late(origin, *start, known.size);
    }
    if known.size == 0 {
        let first = package.entries.first().and_then(|bytes| Entry::parse(bytes).ok()).map(|entry| entry.envelope());
        if first.is_none() || first != registry.first_envelope(origin).await? {
            return refuse(format!("the log {origin} does not begin with the charter that was accredited"));
        }
    }
    if let Some(edge) = registry.frontier(origin, *start).await? {
        open.edge = edge;
    }
    open.section.start = Some(*start);
    Ok(())
}

fn too_late<T>(origin: &Origin, start: u64, held: u64) -> Result<T, PouchError> {
    let hint = format!("send a pouch with `chancery pouch reply`, or ask for one with `--since {held}`");
    refuse(format!("of the log {origin} {held} entries are held, and the pouch goes on at {start}; {hint}"))
}

fn signed(note: &str, key: &VerifierKey) -> Result<SignedCheckpoint, PouchError> {
    let refused = |error| PouchError::Refused(format!("a checkpoint of {} does not hold: {error}", key.name()));
    checkpoint::open(note.as_bytes(), key).map_err(refused)
}
