//! A laboratory that signs models offline and hands them to its nation's node.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chancery_schema::envelope::Envelope;

use crate::command::{chancery, succeed};
use crate::node::Node;
use crate::samples::License;

/// A publisher with a delegated key.
#[derive(Debug)]
pub struct Publisher {
    folder: PathBuf,
    org: String,
}

/// The envelopes of a published model.
#[derive(Clone, Debug)]
pub struct Release {
    /// The folder of envelopes, with their blobs beside.
    pub folder: PathBuf,
    /// The card's record digest, in hex.
    pub card: String,
    /// The weights' record digest, in hex.
    pub weights: String,
    /// The license's record digest, in hex.
    pub license: String,
}

/// What is released.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// The folder of weights.
    pub folder: &'a Path,
    /// Its card: a README with front matter.
    pub card: &'a Path,
    /// The model's name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
    /// The license.
    pub license: &'a License,
}

impl Publisher {
    /// Makes a key, asks for its delegation, has the registrar approve it, and publishes that.
    ///
    /// # Errors
    /// When a command refuses.
    pub fn enrol(node: &Node, org: &str) -> anyhow::Result<Self> {
        let publisher = Self { folder: node.home().join("publishers").join(org), org: org.to_owned() };
        std::fs::create_dir_all(&publisher.folder)?;
        publisher.run(&[
            "keygen",
            "--role",
            "publisher",
            "--name",
            org,
            "--nation",
            &node.code,
            "--origin",
            &node.origin,
        ])?;
        let key = publisher.key();
        publisher.run(&[
            "enrol",
            "request",
            "--key",
            &key,
            "--holder",
            org,
            "--model",
            org,
            "--out",
            "request.json",
        ])?;
        let registrar = node.folder.join("keys").join("registrar.key").display().to_string();
        publisher.run(&["enrol", "approve", "request.json", "--key", &registrar, "--out", "delegation.dsse.json"])?;
        publisher.run(&["publish", "delegation.dsse.json", "--node", &node.url])?;
        Ok(publisher)
    }

    /// Hashes, describes and signs a model. Needs no node and no network.
    ///
    /// # Errors
    /// When a command refuses.
    pub fn prepare(&self, model: &Model<'_>) -> anyhow::Result<Release> {
        let folder = self.folder.join(format!("{}-{}", model.name, model.version));
        std::fs::create_dir_all(&folder)?;
        let at = |file: &str| folder.join(file).display().to_string();
        let (weights, card) = (model.folder.display().to_string(), model.card.display().to_string());
        self.run(&[
            "hash",
            &weights,
            "--org",
            &self.org,
            "--name",
            model.name,
            "--version",
            model.version,
            "--out",
            &at("weights.draft.json"),
        ])?;
        self.sign(&folder, "weights")?;
        let terms = model.license.arguments();
        let mut license = vec!["license", "new", "--org", &self.org, "--name", model.license.name];
        license.extend(terms.iter().map(String::as_str));
        let out = at("license.draft.json");
        license.extend(["--out", &out]);
        self.run(&license)?;
        self.sign(&folder, "license")?;
        self.run(&[
            "card",
            "import",
            &card,
            "--org",
            &self.org,
            "--name",
            model.name,
            "--version",
            model.version,
            "--weights",
            &at("weights.dsse.json"),
            "--license",
            &at("license.dsse.json"),
            "--out",
            &at("card.draft.json"),
        ])?;
        self.sign(&folder, "card")?;
        let digest = |name: &str| record_digest(&folder.join(format!("{name}.dsse.json")));
        Ok(Release {
            card: digest("card")?,
            weights: digest("weights")?,
            license: digest("license")?,
            folder: folder.clone(),
        })
    }

    /// Signs a card alone, for a model whose weights are elsewhere; answers its envelope's file.
    ///
    /// # Errors
    /// When a command refuses.
    pub fn describe(&self, card: &Path, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let (card, out) = (card.display().to_string(), folder.join("card.draft.json").display().to_string());
        self.run(&["card", "import", &card, "--org", &self.org, "--name", name, "--version", "1.0", "--out", &out])?;
        self.sign(&folder, "card")?;
        Ok(folder.join("card.dsse.json"))
    }

    /// Publishes what was prepared, and waits until `cosigners` other nations have cosigned it.
    ///
    /// # Errors
    /// When a command refuses, or the cosignatures do not come.
    pub fn publish(&self, node: &Node, release: &Release, cosigners: usize) -> anyhow::Result<()> {
        let files = release.files();
        let mut arguments = vec!["publish"];
        arguments.extend(files.iter().map(String::as_str));
        arguments.extend(["--node", &node.url]);
        let wait = format!("--wait=witnessed={cosigners}");
        if cosigners > 0 {
            arguments.extend([wait.as_str(), "--timeout", "120"]);
        }
        self.run(&arguments)
    }

    /// Prepares and publishes.
    ///
    /// # Errors
    /// As [`Publisher::prepare`] and [`Publisher::publish`].
    pub fn release(&self, node: &Node, model: &Model<'_>, cosigners: usize) -> anyhow::Result<Release> {
        let release = self.prepare(model)?;
        self.publish(node, &release, cosigners)?;
        Ok(release)
    }

    fn sign(&self, folder: &Path, name: &str) -> anyhow::Result<()> {
        let at = |ending: &str| folder.join(format!("{name}.{ending}")).display().to_string();
        self.run(&["sign", &at("draft.json"), "--key", &self.key(), "--out", &at("dsse.json")])
    }

    fn key(&self) -> String {
        self.folder.join(format!("{}.key", self.org)).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let home = self.folder.ancestors().nth(2).context("publishers live in the federation's folder")?;
        succeed(chancery(home).current_dir(&self.folder).args(arguments)).map(drop)
    }
}

impl Release {
    /// The envelopes, in the order in which they refer to each other.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let path = |name: &str| self.folder.join(format!("{name}.dsse.json")).display().to_string();
        ["weights", "license", "card"].into_iter().map(path).collect()
    }
}

fn record_digest(path: &Path) -> anyhow::Result<String> {
    let envelope =
        Envelope::parse(&std::fs::read(path)?).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(envelope.record_digest().to_string())
}
