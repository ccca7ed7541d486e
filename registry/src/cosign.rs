//! Cosigning partners' logs, and taking their cosignatures.

use chancery_schema::log::checkpoint::SignedCheckpoint;
use chancery_schema::log::note::Signature;
use chancery_schema::name::Origin;
use chancery_schema::record::Scope;
use sea_orm::ConnectionTrait;

use crate::known::known;
use crate::log::Held;
use crate::{
    Core, Registry, Result, SharedSigner, batch, bounds, cosignatures, ground, guard, log, logs, partners, witness,
};

impl Registry {
    /// Signs a heartbeat: the own witness's timed cosignature on the own head. Nothing where another
    /// process sequences: that one says it.
    ///
    /// # Errors
    /// When the database fails, or there is doubt whether the own log may be signed on.
    pub async fn heartbeat(&self) -> Result<()> {
        if !self.core.leads() {
            return Ok(());
        }
        let writing = self.core.store.write().await?;
        let Some(own) = log::own(&*writing).await? else { return Ok(()) };
        let Some(head) = &own.head else { return Ok(()) };
        let identity = self.core.identity()?;
        guard::check(&self.core, &*writing, &own).await?;
        let (_, new) = sign(&*writing, &self.core, &own, head, &identity.witness, false).await?;
        writing.commit().await?;
        if new {
            self.core.ring(&own.log.origin, own.head_size(), false);
        }
        Ok(())
    }

    /// Cosigns the head of a mirror as witness and as mirror, and keeps the lines; answers them.
    /// Nothing for a log that the own nation does not cosign, or that is known to have two histories.
    ///
    /// A head that was cosigned before gets the same lines again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosign(&self, origin: &Origin) -> Result<Vec<String>> {
        let identity = self.core.identity()?;
        let writing = self.core.store.write().await?;
        let Some(mirror) = log::find(&*writing, origin).await?.filter(|held| !held.log.own) else {
            return Ok(Vec::new());
        };
        let Some(head) = &mirror.head else { return Ok(Vec::new()) };
        let scopes = partners::scopes(&*writing, &mirror, self.core.now()).await?;
        let (id, size) = (mirror.log.id, mirror.head_size());
        let mut lines = Vec::new();
        let mut new = false;
        for (scope, cosigner) in [(Scope::Cosign, &identity.witness), (Scope::Mirror, &identity.mirror)] {
            // The witness may just have found out.
            if !scopes.contains(&scope) || ground::is_contradicted(&*writing, origin).await? {
                continue;
            }
            if let Some(line) = cosignatures::newest(&*writing, id, size, cosigner.0.as_str()).await? {
                lines.push(line);
            } else if scope == Scope::Mirror {
                lines.push(sign(&*writing, &self.core, &mirror, head, cosigner, true).await?.0);
                new = true;
            } else if let Some(line) = witness::testify(&*writing, &self.core, &mirror, head).await? {
                lines.push(line.to_string());
                new = true;
            }
        }
        writing.commit().await?;
        if new {
            self.core.ring(origin, mirror.head_size(), false);
        }
        Ok(lines)
    }

    /// Takes cosignature lines on a checkpoint of `origin` at `size` that a partner sent. Each is
    /// verified against the keys in that partner's charter; unknown cosigners are ignored. Answers
    /// how many were new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_cosignatures(&self, origin: &Origin, size: u64, lines: &[String]) -> Result<usize> {
        let lines = lines.iter().take(bounds::COSIGNATURE_LINES).filter_map(|line| Signature::parse(line).ok());
        let lines: Vec<Signature> = lines.collect();
        let db = self.core.store.snapshot().await?;
        let known = known(&self.core, &db).await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(0) };
        let Some(signed) = logs::checkpoint(&db, &held, size).await? else { return Ok(0) };
        drop(db);
        // Before the write lock is asked for: lines that nobody signed must not keep others from writing.
        let seen = ground::verified(signed.checkpoint(), &lines, known.cosigners());
        if seen.is_empty() {
            return Ok(0);
        }
        let writing = self.core.store.write().await?;
        let (mut new, mut heard) = (0, Vec::new());
        for (line, all_held) in &seen {
            let is_new = cosignatures::keep(&*writing, held.log.id, line, *all_held, self.core.now()).await?;
            new += usize::from(is_new);
            heard.extend(known.nation_of(line.name()).map(|nation| (nation, log::column(line.timestamp()), is_new)));
        }
        if new > 0 {
            writing.commit().await?;
            self.core.ring(origin, size, false);
        }
        for (nation, at, is_new) in heard {
            self.core.hear_clock(nation, at, is_new);
        }
        Ok(new)
    }
}

/// Cosigns a checkpoint and keeps the line; answers it, and whether it was new.
async fn sign(
    db: &impl ConnectionTrait,
    core: &Core,
    held: &Held,
    signed: &SignedCheckpoint,
    cosigner: &(Origin, SharedSigner),
    all_held: bool,
) -> Result<(String, bool)> {
    let cosignature = batch::cosign(signed, cosigner, core)?;
    let new = cosignatures::keep(db, held.log.id, &cosignature, all_held, core.now()).await?;
    Ok((cosignature.to_line().to_string(), new))
}
