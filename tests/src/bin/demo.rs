//! `make demo`: three nations on this machine, publishing samples to each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use chancery_tests::checks;
use chancery_tests::federation::Federation;
use chancery_tests::node::NATIONS;
use chancery_tests::publisher::{Model, Publisher, Release};
use chancery_tests::samples::{OPEN, SAMPLES, Sample};

/// What was asked on the command line.
#[derive(Default)]
struct Asked {
    check: bool,
    model: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let asked = read_arguments()?;
    let home = tempfile::Builder::new().prefix("chancery-demo-").tempdir()?;
    let started = Instant::now();
    println!("Three nations found their logs, start their nodes and accredit each other …");
    let mut federation = Federation::start(home.path(), &NATIONS)?;
    for node in &federation.nodes {
        println!("  {}  {}  fingerprint {}", node.code, node.url, node.fingerprint()?);
    }
    println!("Their publishers sign and publish …");
    let mut published = publish_samples(&federation, home.path())?;
    if let Some(model) = &asked.model {
        published.push(publish_folder(&federation, model)?);
    }
    println!("Every node shows every record, cosigned by the two others …");
    let records: Vec<String> = published.iter().flat_map(|(_, _, release)| records(release)).collect();
    federation.wait_for(&records)?;
    println!("  {} records on {} nodes after {:.0?}", records.len(), federation.nodes.len(), started.elapsed());
    if asked.check {
        check(&federation, &published, asked.model.is_some())?;
    } else {
        run_until_interrupted(&federation)?;
    }
    for node in &mut federation.nodes {
        node.stop()?;
    }
    Ok(())
}

type Published = (&'static str, PathBuf, Release);

fn publish_samples(federation: &Federation, home: &Path) -> anyhow::Result<Vec<Published>> {
    let mut publishers = BTreeMap::new();
    for Sample { nation, org, .. } in SAMPLES {
        if !publishers.contains_key(org) {
            publishers.insert(org, Publisher::enrol(federation.node(nation), org)?);
        }
    }
    let mut releases = Vec::new();
    for sample in SAMPLES {
        let folder = home.join("models").join(sample.name);
        sample.lay_out(&folder)?;
        let Sample { nation, org, name, version, license, .. } = sample;
        let model = Model { folder: &folder, card: &sample.card(), name, version, license };
        let publisher = publishers.get(org).context("every publisher is enrolled")?;
        let release = publisher.release(federation.node(nation), &model, 0)?;
        println!("  {nation}  {org}/{name} {version}  {}", release.card);
        releases.push((nation, folder, release));
    }
    Ok(releases)
}

/// Publishes the user's own folder in the first nation and prints the digests of its weights.
fn publish_folder(federation: &Federation, folder: &Path) -> anyhow::Result<Published> {
    let card = folder.join("README.md");
    if !card.is_file() {
        bail!("{} has no README.md; a model folder holds its card beside its weights", folder.display());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-').chars().take(64).collect::<String>();
    let node = federation.node("FR");
    let model = Model { folder, card: &card, name: &name, version: "1.0", license: &OPEN };
    let release = Publisher::enrol(node, "guest")?.release(node, &model, 0)?;
    println!("  FR  guest/{name} 1.0  {}", release.card);
    let draft = std::fs::read(release.folder.join("weights.draft.json"))?;
    let draft: serde_json::Value = serde_json::from_slice(&draft)?;
    for file in draft["files"].as_array().into_iter().flatten() {
        println!("      {}  {}", file["sha256"].as_str().unwrap_or("?"), file["path"].as_str().unwrap_or("?"));
    }
    Ok(("FR", folder.to_owned(), release))
}

fn records(release: &Release) -> [String; 3] {
    [release.weights.clone(), release.license.clone(), release.card.clone()]
}

fn check(federation: &Federation, published: &[Published], guest: bool) -> anyhow::Result<()> {
    println!("Checking:");
    checks::every_node_lists(federation, SAMPLES.len() + usize::from(guest))?;
    println!("  every node lists every model, and finds them by words, language and nation");
    for record in published.iter().flat_map(|(_, _, release)| records(release)) {
        checks::every_node_proves(federation, &record)?;
    }
    println!("  every node proves every record: envelope, entry, inclusion, signed checkpoint");
    checks::every_log_is_served(federation)?;
    println!("  every node serves its log and its mirrors over HTTP, its health and its measures");
    checks::every_portal_loads(federation)?;
    println!("  every node serves its portal in six languages");
    let guests = published.iter().skip(SAMPLES.len());
    for (nation, weights, release) in published.iter().take(1).chain(guests) {
        for node in &federation.nodes {
            if node.code != *nation {
                checks::a_bundle_verifies(node, federation.node(nation), release, weights)?;
            }
        }
    }
    println!("  bundles fetched from partners verify offline; a changed weight or bundle does not");
    println!("All is as it should be.");
    Ok(())
}

fn run_until_interrupted(federation: &Federation) -> anyhow::Result<()> {
    println!("\nOpen any of them in a browser; stop with Ctrl-C:");
    for node in &federation.nodes {
        println!("  {}  {}  explorer {}/graphiql", node.code, node.url, node.url);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    println!("\nStopping …");
    Ok(())
}

fn read_arguments() -> anyhow::Result<Asked> {
    let mut asked = Asked::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => asked.check = true,
            "--model" => {
                let folder = arguments.next().context("--model needs a folder")?;
                let folder =
                    std::fs::canonicalize(&folder).with_context(|| format!("failed to open the folder {folder}"))?;
                asked.model = Some(folder);
            }
            other => bail!("unknown option {other}; there are --check and --model DIR"),
        }
    }
    Ok(asked)
}
