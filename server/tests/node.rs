//! A server on an archive in a folder of its own, and a client.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chancery_registry::{Admission, BlobOutcome, Clock, Identity, Receipt, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_server::{Config, Error, Server};
use chancery_tests::nation::{Nation, day};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ureq::Agent;
use ureq::http::Response;

/// A server, its archive, and a client.
pub struct Node {
    pub runtime: Runtime,
    pub registry: Registry,
    pub nation: Nation,
    pub url: String,
    pub agent: Agent,
    pub time: Time,
    server: Option<Server>,
    _folder: tempfile::TempDir,
}

/// The clock of a node, which a test moves and stops.
#[derive(Clone, Default)]
pub struct Time {
    ahead: Arc<AtomicI64>,
    stopped: Arc<AtomicBool>,
}

impl Time {
    /// Moves the clock ahead.
    pub fn later(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Lets whoever asks for the time wait, 20 seconds at most, or asks no longer.
    pub fn stop(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let Self { ahead, stopped } = self.clone();
        Arc::new(move || {
            for _ in 0..2000 {
                if !stopped.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            day().plus_seconds(ahead.load(Ordering::SeqCst))
        })
    }
}

/// An answer: status, headers, body.
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Node {
    /// A node whose log is empty.
    pub fn empty() -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let nation = Nation::new("FR");
        let time = Time::default();
        let registry = runtime.block_on(open(folder.path(), &nation, time.clock()));
        let started = Server::start(config("127.0.0.1:0"), registry.clone(), time.clock());
        let server = runtime.block_on(started).unwrap();
        let url = format!("http://{}", server.address());
        Self { runtime, registry, nation, url, agent: agent(), time, server: Some(server), _folder: folder }
    }

    /// A node whose log has a charter, a publisher and one model.
    pub fn with_model() -> Self {
        let mut node = Self::empty();
        node.keep(b"# m 1.0\n");
        for envelope in [node.nation.charter(), node.nation.publisher(), node.nation.card("m", "1.0")] {
            node.admit(&envelope);
        }
        node
    }

    pub fn admit(&self, envelope: &Envelope) -> Receipt {
        match self.runtime.block_on(self.registry.admit(&envelope.to_bytes())).unwrap() {
            Admission::Admitted(receipt) => receipt,
            Admission::Refused(refusal) => panic!("{refusal}"),
        }
    }

    pub fn keep(&self, blob: &[u8]) -> Digest {
        let digest = Digest::of(blob);
        let outcome = self.runtime.block_on(self.registry.put_blob(digest, blob.to_vec())).unwrap();
        assert_eq!(outcome, BlobOutcome::Kept);
        digest
    }

    /// Asks GraphQL and expects no errors.
    pub fn ask(&self, query: &str, variables: &Value) -> Value {
        let answer = self.post(&json!({ "query": query, "variables": variables }).to_string());
        let mut value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, value.get("errors")), (200, None), "{query}");
        value["data"].take()
    }

    /// Asks GraphQL and expects one error; answers its status and code.
    pub fn refused(&self, query: &str) -> (u16, String) {
        self.post(&json!({ "query": query }).to_string()).code()
    }

    pub fn post(&self, body: &str) -> Answer {
        let request = self.agent.post(format!("{}/graphql", self.url)).content_type("application/json");
        Answer::of(request.header("accept", "application/graphql-response+json").send(body))
    }

    pub fn get(&self, path: &str) -> Answer {
        Answer::of(self.agent.get(format!("{}{path}", self.url)).call())
    }

    /// `GET` with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.url));
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call())
    }

    /// A connection on which `text` was sent, and nothing is read.
    pub fn connect(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    pub fn put(&self, path: &str, body: &[u8]) -> Answer {
        Answer::of(self.agent.put(format!("{}{path}", self.url)).send(body))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

impl Answer {
    pub fn of(answer: Result<Response<ureq::Body>, ureq::Error>) -> Self {
        let (parts, body) = answer.unwrap().into_parts();
        let body = body.into_with_config().limit(64 << 20).read_to_vec().unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The status and the code of the only error.
    pub fn code(&self) -> (u16, String) {
        let value: Value = serde_json::from_slice(&self.body).unwrap();
        let errors = value["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{value}");
        (self.status, errors[0]["extensions"]["code"].as_str().unwrap().to_owned())
    }
}

/// A configuration of plain HTTP at `address`.
pub fn config(address: &str) -> Config {
    Config { http: address.parse::<SocketAddr>().unwrap(), behind_proxy: false, tls: None, metrics: vec![] }
}

pub fn start(runtime: &Runtime, config: Config, registry: &Registry) -> Result<Server, Error> {
    runtime.block_on(Server::start(config, registry.clone(), Arc::new(day)))
}

/// A client that answers every status and follows no redirect.
pub fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    config.timeout_global(Some(Duration::from_secs(30))).build().new_agent()
}

async fn open(folder: &std::path::Path, nation: &Nation, clock: Clock) -> Registry {
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
    Registry::open(&url, Some(identity), clock).await.unwrap()
}
