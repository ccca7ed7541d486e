//! What must be true of a federation once every record has reached every node, asked through
//! GraphQL and HTTP and proven with the schema's own verifiers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::checkpoint;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::proof::Proof;
use serde_json::json;

use crate::command::{chancery, fail, succeed};
use crate::federation::{Federation, shown};
use crate::node::Node;
use crate::publisher::Release;

/// Every node proves a record: envelope, entry, inclusion under a checkpoint that the nation's log
/// signed.
///
/// # Errors
/// With what does not hold, and where.
pub fn every_node_proves(federation: &Federation, record: &str) -> anyhow::Result<()> {
    for node in &federation.nodes {
        proves(node, record).with_context(|| format!("{} does not prove {record}", node.code))?;
    }
    Ok(())
}

fn proves(node: &Node, record: &str) -> anyhow::Result<()> {
    let answer = shown(node, record)?;
    let text = |field: &str| answer[field].as_str().with_context(|| format!("there is no {field}"));
    let envelope = Envelope::from_fixed(text("envelope")?.as_bytes())?;
    ensure!(envelope.record_digest().to_string() == record, "the envelope is of another record");
    let entry = Entry::new(text("kind")?, envelope.digest())?.to_bytes();
    ensure!(base64::decode(text("entry")?)? == entry, "the entry is of another envelope");
    let log: VerifierKey = answer["nation"]["logKey"].as_str().context("there is no log key")?.parse()?;
    let (index, _) = Proof::parse(text("proof")?.as_bytes())?.verify(entry.as_ref(), &log)?;
    ensure!(answer["index"] == index, "the proof is of another position");
    Ok(())
}

/// Every node lists exactly `count` models of every nation together, and finds one by its words,
/// its language and its nation.
///
/// # Errors
/// With what is listed instead.
pub fn every_node_lists(federation: &Federation, count: usize) -> anyhow::Result<()> {
    for node in &federation.nodes {
        ensure_count(node, &json!({}), count)?;
        ensure_count(node, &json!({ "text": "umoja" }), 2)?;
        ensure_count(node, &json!({ "language": "oc" }), 1)?;
        ensure_count(node, &json!({ "nation": "BR", "language": "es" }), 1)?;
        ensure_count(node, &json!({ "nation": "BR", "text": "no such words" }), 0)?;
    }
    Ok(())
}

fn ensure_count(node: &Node, filter: &serde_json::Value, count: usize) -> anyhow::Result<()> {
    let query =
        "query ($filter: ModelFilter) { models(first: 100, filter: $filter) { totalCount edges { node { urn } } } }";
    let models = node.ask(query, &json!({ "filter": filter }))?["models"].take();
    let listed = models["edges"].as_array().map_or(0, Vec::len);
    ensure!(models["totalCount"] == count && listed == count, "{} lists {models} for {filter}, not {count}", node.code);
    Ok(())
}

/// Every node serves its own log and its mirrors over plain HTTP, and each head is signed by its log.
///
/// # Errors
/// With the path that does not hold.
pub fn every_log_is_served(federation: &Federation) -> anyhow::Result<()> {
    for node in &federation.nodes {
        for owner in &federation.nodes {
            let path = if owner.code == node.code {
                "/log/checkpoint".to_owned()
            } else {
                format!("/mirror/{}/checkpoint", Digest::of(owner.origin.as_bytes()))
            };
            let log = log_key(owner)?;
            let note = node.get(&path)?;
            let signed = checkpoint::open(&note, &log).with_context(|| format!("{path} of {}", node.code))?;
            ensure!(signed.checkpoint().origin.as_str() == owner.origin, "{path} of {} is of another log", node.code);
        }
        let health = node.get("/health")?;
        ensure!(!health.is_empty(), "{} does not say how it is", node.code);
        let metrics = String::from_utf8(node.get("/metrics")?)?;
        ensure!(metrics.contains("chancery_"), "{} measures nothing", node.code);
    }
    Ok(())
}

/// Every node serves the portal: a page in each language, with every asset that it names.
///
/// # Errors
/// With the page or the asset that is not there.
pub fn every_portal_loads(federation: &Federation) -> anyhow::Result<()> {
    for node in &federation.nodes {
        for language in ["en", "fr", "es", "ar", "zh", "ru"] {
            let page = String::from_utf8(node.get(&format!("/{language}/"))?)?;
            ensure!(page.contains(&format!("lang=\"{language}\"")), "{} has no page in {language}", node.code);
            let assets: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
            ensure!(page.contains("<script type=\"module\""), "the page of {} names no script", node.code);
            for path in assets {
                ensure!(!node.get(path)?.is_empty(), "{} serves nothing at {path}", node.code);
            }
        }
    }
    Ok(())
}

fn log_key(node: &Node) -> anyhow::Result<VerifierKey> {
    let data = node.ask("{ nations { own logKey } }", &json!({}))?;
    let own = data["nations"].as_array().into_iter().flatten().find(|nation| nation["own"] == true);
    Ok(own.and_then(|nation| nation["logKey"].as_str()).context("the node shows no log key")?.parse()?)
}

/// A bundle fetched from a partner verifies offline against the publisher's nation's fingerprint,
/// with the weights themselves; one changed byte of weights, or of the bundle, does not.
///
/// # Errors
/// With what `chancery verify` said.
pub fn a_bundle_verifies(at: &Node, of: &Node, release: &Release, weights: &Path) -> anyhow::Result<()> {
    let (home, fingerprint) = (at.home(), of.fingerprint()?);
    let bundle = release.folder.join(format!("from-{}.chancery", at.code));
    succeed(chancery(home).args(["bundle", &release.card, "--node", &at.url, "--out"]).arg(&bundle))?;
    let verify = |folder: &Path, bundle: &Path| {
        let mut verify = chancery(home);
        verify.arg("verify").arg(folder).arg("--bundle").arg(bundle).args(["--trust", &fingerprint]);
        verify
    };
    succeed(&mut verify(weights, &bundle))?;

    let changed = release.folder.join(format!("changed-{}", at.code));
    let (_, largest) = copy(weights, &changed)?.context("the folder of weights is empty")?;
    let mut bytes = std::fs::read(&largest)?;
    *bytes.last_mut().context("the largest file is empty")? ^= 1;
    std::fs::write(&largest, bytes)?;
    let said = fail(&mut verify(&changed, &bundle), 3)?;
    let name = largest.file_name().unwrap_or_default().to_string_lossy();
    ensure!(said.contains(&*name), "the changed file {name} is not named: {said}");

    let mut bytes = std::fs::read(&bundle)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let tampered = bundle.with_extension("tampered");
    std::fs::write(&tampered, bytes)?;
    fail(&mut verify(weights, &tampered), 3)?;
    std::fs::remove_dir_all(changed)?;
    Ok(())
}

/// Copies a folder with all below it; answers the size and place of the largest copy.
fn copy(from: &Path, to: &Path) -> anyhow::Result<Option<(u64, PathBuf)>> {
    std::fs::create_dir_all(to)?;
    let mut largest = None;
    for file in std::fs::read_dir(from)? {
        let (path, copied) = file.map(|file| (file.path(), to.join(file.file_name())))?;
        let found = if path.is_dir() { copy(&path, &copied)? } else { Some((std::fs::copy(&path, &copied)?, copied)) };
        largest = largest.max(found);
    }
    Ok(largest)
}
