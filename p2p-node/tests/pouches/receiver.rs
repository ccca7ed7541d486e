//! Kenya's archive, which recognises France, and nobody else.

use std::path::PathBuf;
use std::sync::Arc;

use chancery_p2p_node::pouch::{Pouch, import};
use chancery_registry::{Admission, Clock, Identity, Registry};
use chancery_schema::bundle::Purpose;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Frame;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::name::Origin;
use chancery_schema::record::Kind;
use chancery_tests::database::url;
use chancery_tests::history::History;
use chancery_tests::nation::{Nation, day};
use chancery_tests::row::Tally;
use serde_json::json;
use tempfile::TempDir;

/// All that must stay as it is.
#[derive(PartialEq, Eq, Debug)]
pub struct State {
    view: Digest,
    sizes: Vec<(Origin, u64, Digest, Option<String>)>,
    heads: Vec<String>,
    files: Vec<PathBuf>,
}

pub struct Receiver {
    pub registry: Registry,
    pub nation: Nation,
    partner: Origin,
    clock: Clock,
    folder: TempDir,
}

impl Receiver {
    pub async fn open(partner: &History) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("archive");
        std::fs::create_dir_all(&database).unwrap();
        let clock: Clock = Arc::new(day);
        let mut nation = Nation::new("KE");
        let cosigner = |role: Role| {
            let name: Origin = format!("{}/{}", nation.origin, role.as_str()).parse().unwrap();
            (name, Arc::new(nation.key(role, 0)) as _)
        };
        let identity = Identity {
            nation: nation.code.clone(),
            origin: nation.origin.clone(),
            log: Arc::new(nation.key(Role::Log, 0)),
            witness: cosigner(Role::Witness),
            mirror: cosigner(Role::Mirror),
            mark: None,
        };
        let registry = Registry::open(&url(&database), Some(identity), clock.clone()).await.unwrap();
        let accreditation = json!({
            "partner": partner.nation.code,
            "fingerprint": partner.fingerprint(),
            "partnerLog": partner.nation.origin,
            "scopes": ["mirror", "cosign"],
        });
        let exchange = nation.key(Role::Exchange, 0);
        for envelope in [
            nation.charter(),
            nation.delegation(Role::Exchange, &[Kind::Accreditation], &[]),
            nation.sign(Kind::Accreditation, accreditation, &[&exchange]),
        ] {
            admit(&registry, &envelope).await;
        }
        let mut introduction = partner.bundle(&[0, 2, 3], &partner.checkpoint(4));
        (introduction.header.purpose, introduction.header.record) = (Purpose::Introduction, partner.fingerprint());
        registry.introduce(&introduction.write()).await.unwrap();
        Self { registry, nation, partner: partner.nation.origin.clone(), clock, folder }
    }

    /// Imports volumes; answers how many entries of the partner's log are held then, or why it was refused.
    pub async fn import(&self, volumes: &[Vec<u8>]) -> Result<u64, String> {
        let mut paths = Vec::new();
        for (number, bytes) in volumes.iter().enumerate() {
            let path = self.folder.path().join(format!("{number}.pouch"));
            std::fs::write(&path, bytes).unwrap();
            paths.push(path);
        }
        let imported = async {
            let pouch = Pouch::open(&paths)?;
            import(&pouch, &self.registry, &self.clock).await
        };
        let imported = imported.await.map_err(|error| error.to_string());
        for path in &paths {
            std::fs::remove_file(path).unwrap();
        }
        let imported = imported?;
        if let [problem, ..] = &imported.problems[..] {
            return Err(format!("taken in part: {problem}"));
        }
        Ok(self.registry.mirror(&self.partner).await.unwrap().map_or(0, |mirror| mirror.size))
    }

    /// Expects that the volumes are refused, and that nothing is changed.
    pub async fn refuses(&self, volumes: &[Vec<u8>], what: &str, tally: &mut Tally) {
        let before = self.state().await;
        let refused = self.import(volumes).await;
        let said = refused.as_ref().is_err_and(|error| error.contains("refused"));
        let same = self.state().await == before;
        tally.expect(said && same, || format!("{what}: {refused:?}, unchanged: {same}"));
    }

    pub async fn state(&self) -> State {
        let mut sizes = vec![self.registry.own_log().await.unwrap()];
        sizes.extend(self.registry.mirror(&self.partner).await.unwrap());
        let heads = self.registry.heads().await.unwrap();
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        State {
            view: self.registry.view_digest().await.unwrap(),
            sizes: sizes.into_iter().map(|it| (it.origin, it.size, it.root, it.pending)).collect(),
            heads: heads.into_iter().map(|head| head.note).collect(),
            files,
        }
    }

    pub async fn own_head(&self) -> SignedCheckpoint {
        let head = self.registry.head(&self.nation.origin).await.unwrap().unwrap();
        let key = self.registry.own_log().await.unwrap().log_vkey.parse().unwrap();
        checkpoint::open(head.note.as_bytes(), &key).unwrap()
    }

    pub async fn own_package(&self) -> Vec<Frame> {
        let size = self.own_head().await.checkpoint().size;
        let (package, bodies) = self.registry.package(&self.nation.origin, 0, size).await.unwrap().unwrap();
        [vec![Frame::Package(package)], bodies].concat()
    }
}

async fn admit(registry: &Registry, envelope: &Envelope) {
    let admission = registry.admit(&envelope.to_bytes()).await.unwrap();
    assert!(matches!(admission, Admission::Admitted(_)), "{admission:?}");
}
