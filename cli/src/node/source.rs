//! A log as another node shows it over HTTP. Nothing of it is believed: entries and hashes must lead to a
//! checkpoint that the log's key signed, envelopes and blobs have the digests by which they are named.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Context as _;
use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::limits::PACKAGE_ENTRIES_MAX;
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{Note, Signature, VerifierKey};
use chancery_schema::log::tile::{Bundle, Tile, TileReader};
use chancery_schema::log::tree;
use chancery_schema::name::Origin;

use crate::client::Client;
use crate::output::{Exit, Failure, OrExit as _, Outcome, fail};

/// Bodies and blobs that did not come with their entries and are asked for at once, each of which may be
/// a blob of the largest size.
const MISSING_AT_ONCE: u64 = 4;

/// A log on a node.
pub struct Source<'c> {
    /// The node.
    pub client: &'c Client,
    /// The checkpoint up to which it is read.
    pub target: Checkpoint,
    tiles: RefCell<BTreeMap<Tile, Vec<u8>>>,
    /// Why a tile was not there: who reads hashes cannot be told.
    failure: RefCell<Option<Failure>>,
}

/// The head of a mirror, as the node of `client` shows it.
///
/// # Errors
/// When the node has no mirror of the log, or its head is not one that the log's key signed.
pub fn head(client: &Client, origin: &Origin, key: &VerifierKey) -> Outcome<SignedCheckpoint> {
    let Some(note) = client.mirror(origin, "checkpoint")? else {
        let hint = "name the node of a partner that mirrors it";
        return fail(Exit::NotFound, format!("{} holds no mirror of {origin}; {hint}", client.url()));
    };
    let attempted = || format!("{} shows a head of {origin} that its key has not signed", client.url());
    checkpoint::open(&note, key).or_exit(Exit::Verification, attempted)
}

/// The largest head of a log that is of one history with all heads that these nodes show, with the cosignatures
/// that they know.
///
/// # Errors
/// When a node does not answer, or no head is of one history with all others.
pub fn common_head(clients: &[Client], origin: &Origin, key: &VerifierKey) -> Outcome<String> {
    let heads = clients.iter().map(|client| Ok((client, head(client, origin, key)?))).collect::<Outcome<Vec<_>>>()?;
    let mut best: Option<&SignedCheckpoint> = None;
    for (_, head) in &heads {
        let larger = best.is_none_or(|best| best.checkpoint().size < head.checkpoint().size);
        if larger && is_common(head.checkpoint(), &heads)? {
            best = Some(head);
        }
    }
    let Some(best) = best else {
        let hint = "give an earlier checkpoint that all of them hold with --base";
        return fail(Exit::Verification, format!("no head of {origin} is of one history with all the others; {hint}"));
    };
    let same = heads.iter().filter(|(_, head)| head.note().text() == best.note().text());
    let mut lines: Vec<Signature> = Vec::new();
    for line in same.flat_map(|(_, head)| head.note().signatures()) {
        if !lines.iter().any(|known| known.to_string() == line.to_string()) {
            lines.push(line.clone());
        }
    }
    let note = Note::new(best.note().text(), lines).context("failed to write the base")?;
    Ok(note.to_string())
}

/// Whether `wanted` and each of these heads are of one history.
fn is_common(wanted: &Checkpoint, heads: &[(&Client, SignedCheckpoint)]) -> Outcome<bool> {
    let Some((whose, _)) = heads.iter().find(|(_, head)| head.checkpoint() == wanted) else { return Ok(false) };
    for (client, head) in heads {
        let head = head.checkpoint();
        let (larger, smaller, client) =
            if head.size >= wanted.size { (head, wanted, client) } else { (wanted, head, whose) };
        let source = Source::new(client, larger.clone());
        let root = source.hashes(|reader| tree::root(reader, smaller.size).map(|root| vec![root]))?;
        if root.first() != Some(&smaller.root) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'c> Source<'c> {
    /// A log at the checkpoint `target`, as the node of `client` shows it.
    pub fn new(client: &'c Client, target: Checkpoint) -> Self {
        Self { client, target, tiles: RefCell::default(), failure: RefCell::default() }
    }

    /// Grows a mirror of the log to `note`, which is its checkpoint `target`, and takes what belongs to its entries.
    ///
    /// # Errors
    /// When the node or the archive fails, or what the node shows does not hold.
    pub async fn mirror(&self, note: &str, registry: &Registry) -> Outcome {
        let origin = &self.target.origin;
        let refused = || format!("what {} shows of {origin} does not hold", self.client.url());
        registry.set_pending(origin, note).await.or_exit(Exit::Verification, refused)?;
        let Some(mut held) = registry.mirror(origin).await? else {
            return fail(Exit::Other, format!("no mirror of {origin} was begun"));
        };
        while held.size < self.target.size {
            let (package, bodies) = self.package(held.size)?;
            held = registry.extend(&package, &bodies).await.or_exit(Exit::Verification, refused)?;
        }
        self.missing(origin, registry).await
    }

    /// The entries from `start` to the next multiple of 256, with their envelopes.
    ///
    /// # Errors
    /// When the node does not send them.
    pub fn package(&self, start: u64) -> Outcome<(Package, Vec<Frame>)> {
        let first = start - start % PACKAGE_ENTRIES_MAX;
        let end = (first + PACKAGE_ENTRIES_MAX).min(self.target.size);
        let width = u16::try_from(end - first).context("a package has at most 256 entries")?;
        let bundle = Bundle { index: first / PACKAGE_ENTRIES_MAX, width };
        let bytes = self.fetch(&bundle.path())?;
        let attempted = || format!("{} does not send entries", self.client.url());
        let all = bundle.decode(&bytes).or_exit(Exit::Verification, attempted)?;
        let skipped = usize::try_from(start - first).context("a package has at most 256 entries")?;
        let entries: Vec<Vec<u8>> = all.into_iter().skip(skipped).map(<[u8]>::to_vec).collect();
        let proof = self.hashes(|reader| tree::subtree_consistency_proof(reader, first, end, self.target.size))?;
        let mut bodies = Vec::new();
        for entry in entries.iter().filter_map(|bytes| Entry::parse(bytes).ok()) {
            bodies.push(match self.client.envelope(&entry.envelope())? {
                Some(envelope) => Frame::Envelope(envelope),
                None => Frame::Missing(entry.envelope()),
            });
        }
        let origin = self.target.origin.clone();
        Ok((Package { origin, start, tree_size: self.target.size, entries, proof }, bodies))
    }

    /// Takes envelopes and blobs that entries name and that are not held.
    ///
    /// # Errors
    /// When the node or the archive fails.
    pub async fn missing(&self, origin: &Origin, registry: &Registry) -> Outcome {
        let mut after = None;
        loop {
            let missing = registry.missing_after(origin, after, MISSING_AT_ONCE).await?;
            let Some(last) = missing.last().copied() else { return Ok(()) };
            let mut pieces = Vec::new();
            for (_, digest) in missing {
                if let Some(envelope) = self.client.envelope(&digest)? {
                    pieces.push(Frame::Envelope(envelope));
                } else if let Some(blob) = self.client.blob(&digest)? {
                    pieces.push(Frame::Blob(blob));
                }
            }
            registry.add_bodies(origin, &pieces).await?;
            after = Some(last);
        }
    }

    /// Computes over the hashes of the tree that the partner shows.
    ///
    /// # Errors
    /// When the node does not send them, or too few.
    pub fn hashes(&self, compute: impl Fn(&dyn tree::HashReader) -> Option<Vec<Digest>>) -> Outcome<Vec<Digest>> {
        let computed = compute(&TileReader::new(self.target.size, |tile: Tile| {
            if let Some(bytes) = self.tiles.borrow().get(&tile) {
                return Some(bytes.clone());
            }
            match self.fetch(&tile.path()) {
                Ok(bytes) => {
                    self.tiles.borrow_mut().insert(tile, bytes.clone());
                    Some(bytes)
                }
                Err(failure) => {
                    self.failure.replace(Some(failure));
                    None
                }
            }
        }));
        match (self.failure.take(), computed) {
            (Some(failure), _) => Err(failure),
            (None, Some(computed)) => Ok(computed),
            (None, None) => fail(Exit::Verification, format!("{} sends tiles that are not whole", self.client.url())),
        }
    }

    fn fetch(&self, tile: &str) -> Outcome<Vec<u8>> {
        match self.client.mirror(&self.target.origin, tile)? {
            Some(bytes) => Ok(bytes),
            None => {
                fail(Exit::NotFound, format!("{} does not have {tile}, which its checkpoint covers", self.client.url()))
            }
        }
    }
}
