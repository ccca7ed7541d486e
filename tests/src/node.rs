//! One nation's node as a real process.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::command::{chancery, succeed};
use crate::database;
use crate::faketime::FakeClock;

/// How long a node may take to start or stop. On two busy cores a debug build needs seconds.
const START: Duration = Duration::from_mins(1);

/// A nation to found: code, origin and names by language.
#[derive(Clone, Copy, Debug)]
pub struct Founding {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// The log's origin.
    pub origin: &'static str,
    /// `LANG=TEXT`.
    pub names: &'static [&'static str],
}

/// The three nations of the demonstration.
pub const NATIONS: [Founding; 3] = [
    Founding { code: "FR", origin: "fr.example.org/chancery", names: &["fr=République française", "en=France"] },
    Founding { code: "KE", origin: "ke.example.org/chancery", names: &["sw=Jamhuri ya Kenya", "en=Kenya"] },
    Founding {
        code: "BR",
        origin: "br.example.org/chancery",
        names: &["pt=República Federativa do Brasil", "en=Brazil"],
    },
];

/// A nation's node.
#[derive(Debug)]
pub struct Node {
    /// Its nation.
    pub code: String,
    /// Its log.
    pub origin: String,
    /// Its configuration, keys and database.
    pub folder: PathBuf,
    /// Where its faces are: `http://127.0.0.1:PORT`.
    pub url: String,
    /// The clock that its process has; this machine's where none is set.
    pub clock: Option<FakeClock>,
    process: Option<Child>,
}

impl Node {
    /// Founds a nation in a new folder under `home`. The node does not run yet.
    ///
    /// # Errors
    /// When `chancery init` refuses.
    pub fn found(home: &Path, founding: &Founding) -> anyhow::Result<Self> {
        Self::found_with(home, founding, &[])
    }

    /// As [`Node::found`], with more to say to `chancery init`.
    ///
    /// # Errors
    /// When it refuses.
    pub fn found_with(home: &Path, founding: &Founding, more: &[String]) -> anyhow::Result<Self> {
        let folder = home.join(founding.code.to_lowercase());
        let (http, p2p) = (free_port()?, free_port()?);
        let mut init = chancery(home);
        init.args(["init", "--nation", founding.code, "--origin", founding.origin]).arg("--dir").arg(&folder);
        init.args(["--http", &format!("127.0.0.1:{http}"), "--p2p", &format!("/ip4/127.0.0.1/tcp/{p2p}")]);
        for name in founding.names {
            init.args(["--name", name]);
        }
        init.args(more);
        if database::is_postgres() {
            init.args(["--database", &database::url(&folder.with_extension("database"))]);
        }
        succeed(&mut init)?;
        Ok(Self {
            code: founding.code.to_owned(),
            origin: founding.origin.to_owned(),
            folder,
            url: format!("http://127.0.0.1:{http}"),
            clock: None,
            process: None,
        })
    }

    /// Another process of the node, which will serve the same archive at an address of its own. It does not
    /// run yet.
    ///
    /// # Errors
    /// When no port is free.
    pub fn another(&self) -> anyhow::Result<Self> {
        Ok(Self {
            code: self.code.clone(),
            origin: self.origin.clone(),
            folder: self.folder.clone(),
            url: format!("http://127.0.0.1:{}", free_port()?),
            clock: None,
            process: None,
        })
    }

    /// Whether this process sequences.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn sequences(&self) -> anyhow::Result<bool> {
        let health: Value = serde_json::from_slice(&self.get("/health")?)?;
        health["sequencing"].as_bool().context("its health does not say whether it sequences")
    }

    /// Sends the process a signal, such as STOP.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let process = self.process.as_ref().context("the node does not run")?;
        let sent = Command::new("kill").args([format!("-{name}"), process.id().to_string()]).status()?;
        ensure!(sent.success(), "failed to send {name} to {}", self.code);
        Ok(())
    }

    /// Starts the node and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends or stays silent; the end of its log is in the error.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut serve = chancery(self.home());
        serve.arg("serve").arg("--dir").arg(&self.folder).stdout(Stdio::piped()).stderr(log);
        serve.args(["--http", self.url.trim_start_matches("http://")]);
        if let Some(clock) = &self.clock {
            clock.wind(&mut serve);
        }
        let mut process = serve.spawn().context("failed to start chancery serve")?;
        let stdout = process.stdout.take().context("standard output is piped")?;
        self.process = Some(process);
        let (ready, wait) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with("ready ") {
                    let _ = ready.send(());
                }
            }
        });
        wait.recv_timeout(START).map_err(|_| {
            let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            anyhow::anyhow!("{} did not start; it said, newest first:\n{}", self.code, tail.join("\n"))
        })
    }

    /// Stops the node as an operator does, and checks that it ends well.
    ///
    /// # Errors
    /// When it does not end, or ends with a failure.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        if self.process.is_some() {
            self.signal("TERM")?;
        }
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let deadline = std::time::Instant::now() + START;
        while std::time::Instant::now() < deadline {
            if let Some(status) = process.try_wait()? {
                ensure!(status.success(), "{} ended with {status}", self.code);
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        process.kill()?;
        bail!("{} did not stop when asked", self.code)
    }

    /// Kills the node without a warning, as a power cut does.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the node does not run")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Asks the node's GraphQL; any error in the answer is an error here.
    ///
    /// # Errors
    /// When the node does not answer, or answers with errors.
    pub fn ask(&self, query: &str, variables: &Value) -> anyhow::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let mut answer: Value = ureq::post(format!("{}/graphql", self.url))
            .header("accept", "application/graphql-response+json")
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .send_json(&body)
            .with_context(|| format!("failed to ask {}", self.code))?
            .body_mut()
            .read_json()?;
        if let Some(errors) = answer.get("errors") {
            bail!("{} answered {errors} to {query}", self.code);
        }
        Ok(answer["data"].take())
    }

    /// Fetches a path of the node over plain HTTP.
    ///
    /// # Errors
    /// When the node does not answer with success.
    pub fn get(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let url = format!("{}{path}", self.url);
        let answer = ureq::get(&url).config().http_status_as_error(false).build().call();
        let mut answer = answer.with_context(|| format!("failed to fetch {url}"))?;
        if !answer.status().is_success() {
            bail!("{url} answered {}: {}", answer.status(), answer.body_mut().read_to_string().unwrap_or_default());
        }
        Ok(answer.body_mut().with_config().limit(64 << 20).read_to_vec()?)
    }

    /// What the node says of its health, well or not.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn health(&self) -> anyhow::Result<Value> {
        let url = format!("{}/health", self.url);
        let answer = ureq::get(&url).config().http_status_as_error(false).build().call();
        Ok(answer.with_context(|| format!("failed to fetch {url}"))?.body_mut().read_json()?)
    }

    /// The nation's fingerprint, as its own node shows it.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn fingerprint(&self) -> anyhow::Result<String> {
        let data = self.ask("{ nations { own fingerprint } }", &json!({}))?;
        let own = data["nations"].as_array().into_iter().flatten().find(|nation| nation["own"] == true);
        let fingerprint = own.and_then(|nation| nation["fingerprint"].as_str());
        Ok(fingerprint.with_context(|| format!("{} does not show its fingerprint", self.code))?.to_owned())
    }

    /// Recognises `partner`: checks its fingerprint and signs the accreditation.
    ///
    /// # Errors
    /// When `chancery partner add` refuses.
    pub fn accredit(&self, partner: &Self) -> anyhow::Result<()> {
        let mut add = chancery(self.home());
        add.args(["partner", "add"]).arg(partner.folder.join("introduction.chancery"));
        add.arg("--dir").arg(&self.folder).args(["--fingerprint", &partner.fingerprint()?]);
        succeed(&mut add).map(drop)
    }

    /// The folder that all nodes of the federation share: it holds the passphrase.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.folder.parent().unwrap_or(Path::new("."))
    }

    /// Where the process writes its log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.folder.with_extension("log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The test is over; how the process takes it does not matter.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
