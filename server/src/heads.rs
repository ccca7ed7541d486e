//! The heads of all logs, read once and again when the registry's signal rings: a tile or a health
//! check need not put every log's cosignatures together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chancery_registry::{Head, LogChanged, Registry, Result};
use chancery_schema::name::Origin;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::limits::HEADS_AGE_MAX;

/// The heads of all logs.
pub struct Heads {
    registry: Registry,
    kept: Mutex<Kept>,
}

struct Kept {
    signal: Receiver<LogChanged>,
    /// How often the signal rang, as far as was heard.
    rings: u64,
    heads: Option<(Arc<Vec<Head>>, Instant)>,
}

impl Heads {
    /// Nothing is read yet.
    pub fn new(registry: Registry) -> Self {
        let kept = Kept { signal: registry.watch(), rings: 0, heads: None };
        Self { registry, kept: Mutex::new(kept) }
    }

    /// The heads, the own one first.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn all(&self) -> Result<Arc<Vec<Head>>> {
        let rings = match self.lock(Kept::listen) {
            Ok(heads) => return Ok(heads),
            Err(rings) => rings,
        };
        let heads = Arc::new(self.registry.heads().await?);
        // What was read before the signal rang again may be old already.
        self.lock(|kept| {
            if kept.rings == rings {
                kept.heads = Some((Arc::clone(&heads), Instant::now()));
            }
        });
        Ok(heads)
    }

    /// The head of the own log; none before its first entry.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn own(&self) -> Result<Option<Head>> {
        Ok(self.all().await?.iter().find(|head| head.own).cloned())
    }

    /// The head of one log; none when it is not held.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn of(&self, origin: &Origin) -> Result<Option<Head>> {
        Ok(self.all().await?.iter().find(|head| head.origin == *origin).cloned())
    }

    fn lock<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    /// The heads, if nothing was heard since they were read; else how often the signal rang.
    fn listen(&mut self) -> std::result::Result<Arc<Vec<Head>>, u64> {
        while let Ok(_) | Err(TryRecvError::Lagged(_)) = self.signal.try_recv() {
            self.rings += 1;
            self.heads = None;
        }
        match &self.heads {
            Some((heads, read)) if read.elapsed() < HEADS_AGE_MAX => Ok(Arc::clone(heads)),
            _ => Err(self.rings),
        }
    }
}

#[cfg(test)]
mod tests {
    use chancery_registry::{Admission, Identity};
    use chancery_schema::key::Role;
    use chancery_tests::nation::{Nation, day};

    use super::*;

    async fn registry(folder: &std::path::Path, nation: &Nation) -> Registry {
        let cosigner = |role: Role| format!("{}/{}", nation.origin, role.as_str()).parse().unwrap();
        let identity = Identity {
            nation: nation.code.clone(),
            origin: nation.origin.clone(),
            log: Arc::new(nation.key(Role::Log, 0)),
            witness: (cosigner(Role::Witness), Arc::new(nation.key(Role::Witness, 0))),
            mirror: (cosigner(Role::Mirror), Arc::new(nation.key(Role::Mirror, 0))),
            mark: None,
        };
        let url = chancery_tests::database::url(folder);
        Registry::open(&url, Some(identity), Arc::new(day)).await.unwrap()
    }

    #[tokio::test]
    async fn heads_are_read_once_until_the_signal_rings() {
        let folder = tempfile::tempdir().unwrap();
        let mut nation = Nation::new("FR");
        let registry = registry(folder.path(), &nation).await;
        let heads = Heads::new(registry.clone());
        assert_eq!(heads.own().await.unwrap(), None);
        for (size, envelope) in [(1, nation.charter()), (2, nation.publisher())] {
            let outcome = registry.admit(&envelope.to_bytes()).await.unwrap();
            assert!(matches!(outcome, Admission::Admitted(_)), "{outcome:?}");
            let first = heads.all().await.unwrap();
            assert_eq!(first[0].size, size, "what the signal said was not heard");
            assert!(Arc::ptr_eq(&first, &heads.all().await.unwrap()), "the heads are read at each asking");
        }
        assert_eq!(heads.of(&nation.origin).await.unwrap().unwrap().size, 2);
    }

    #[tokio::test]
    async fn what_was_read_before_a_signal_is_not_kept_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut nation = Nation::new("FR");
        let registry = registry(folder.path(), &nation).await;
        let heads = Heads::new(registry.clone());
        let before = heads.lock(Kept::listen).unwrap_err();
        registry.admit(&nation.charter().to_bytes()).await.unwrap();
        assert_ne!(heads.lock(Kept::listen).unwrap_err(), before);
    }
}
