//! The command as a client of a running node: GraphQL, blobs and bundles over HTTP. Nothing that a node
//! answers is believed here; answers are bounded in size and time.

use std::time::Duration;

use chancery_schema::digest::Digest;
use chancery_schema::limits::{BLOB_BYTES_MAX, BUNDLE_BYTES_MAX, ENVELOPE_BYTES_MAX};
use chancery_schema::name::Origin;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::output::{Exit, Failure, OrExit as _, Outcome, fail};
use crate::visible::visible;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// How long one question may take, with its answer. Admission waits for a durable checkpoint.
const ANSWER: Duration = Duration::from_mins(1);

/// How long one blob or bundle may take: 64 MiB at 2 Mbit/s, and a little.
const TRANSFER: Duration = Duration::from_mins(5);

/// One GraphQL answer, in bytes: an envelope with its proof several times over.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// What a node says when it refuses a request, in bytes shown.
const REASON_BYTES_MAX: u64 = 4 << 10;

/// Tries while the node says that it is busy, and the pause after each.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// A node, seen from outside.
pub struct Client {
    base: String,
    agent: Agent,
}

/// A GraphQL answer: data, or errors, or both.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
}

impl Client {
    /// A client of the node at `url`: `http://` or `https://`, host, port, perhaps a path.
    ///
    /// # Errors
    /// When the URL is of another kind.
    pub fn new(url: &str) -> Outcome<Self> {
        let base = url.trim_end_matches('/');
        let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let host = rest.map(|rest| rest.split('/').next().unwrap_or_default()).unwrap_or_default();
        if host.is_empty() || base.contains(['?', '#', ' ', '@']) {
            let hint = "expected the address of a node, such as http://127.0.0.1:8420";
            return fail(Exit::Usage, format!("{url:?} is not a node's address; {hint}"));
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("chancery/", env!("CARGO_PKG_VERSION")));
        // A node on this machine is reached directly, whatever proxy the environment names.
        let config = if is_loopback(host) { config.proxy(None) } else { config };
        Ok(Self { base: base.to_owned(), agent: config.build().new_agent() })
    }

    /// The node's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Asks GraphQL; any error in the answer is a failure here.
    ///
    /// # Errors
    /// When the node is not reached, or does not answer what was asked.
    pub fn ask<T: DeserializeOwned>(&self, query: &str, variables: &Value) -> Outcome<T> {
        let response = self.post(&json!({ "query": query, "variables": variables }))?;
        let status = response.status();
        let bytes = self.read(response, ANSWER_BYTES_MAX)?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&bytes) else {
            return fail(
                Exit::Unreachable,
                format!("{} answered {status} and no GraphQL; is it a chancery node?", self.base),
            );
        };
        if let Some(problem) = answer.errors.first() {
            return fail(Exit::Other, format!("{} refused the question: {}", self.base, shown(&problem.message)));
        }
        let attempted = || format!("failed to read the answer of {}", self.base);
        serde_json::from_value(answer.data.unwrap_or_default()).or_exit(Exit::Other, attempted)
    }

    fn post(&self, body: &Value) -> Outcome<Response<ureq::Body>> {
        self.patiently(|| {
            let request = self.agent.post(format!("{}/graphql", self.base));
            request.header("accept", "application/graphql-response+json").send_json(body)
        })
    }

    /// Asks, and asks again while the node says that it is busy: every question of ours may be repeated.
    fn patiently(&self, ask: impl Fn() -> Result<Response<ureq::Body>, ureq::Error>) -> Outcome<Response<ureq::Body>> {
        let once = || ask().map_err(|error| self.unreachable(&error));
        for _ in 1..BUSY_TRIES {
            let response = once()?;
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                return Ok(response);
            }
            std::thread::sleep(BUSY_PAUSE);
        }
        once()
    }

    /// Hands over a blob; one that the node holds is fine.
    ///
    /// # Errors
    /// When the node is not reached, or does not take it.
    pub fn put_blob(&self, digest: &Digest, bytes: &[u8]) -> Outcome {
        let response = self.patiently(|| {
            let request = self.agent.put(format!("{}/blob/{digest}", self.base));
            let request = request.config().timeout_global(Some(TRANSFER)).build();
            request.content_type("application/octet-stream").send(bytes)
        })?;
        if response.status().is_success() { Ok(()) } else { self.refused(&format!("the blob {digest}"), response) }
    }

    /// Fetches the bundle of a record; none when the node does not have the record.
    ///
    /// # Errors
    /// When the node is not reached, or answers something else.
    pub fn bundle(&self, digest: &Digest) -> Outcome<Option<Vec<u8>>> {
        self.get(&format!("/bundle/{digest}"), BUNDLE_BYTES_MAX)
    }

    /// Fetches a part of the node's mirror of a log: its checkpoint, or a tile by its path.
    ///
    /// # Errors
    /// As [`Client::bundle`].
    pub fn mirror(&self, origin: &Origin, part: &str) -> Outcome<Option<Vec<u8>>> {
        let origin = Digest::of(origin.as_str().as_bytes());
        self.get(&format!("/mirror/{origin}/{part}"), BUNDLE_BYTES_MAX)
    }

    /// Fetches the envelope with this digest.
    ///
    /// # Errors
    /// As [`Client::bundle`].
    pub fn envelope(&self, digest: &Digest) -> Outcome<Option<Vec<u8>>> {
        self.get(&format!("/envelope/{digest}"), ENVELOPE_BYTES_MAX as u64)
    }

    /// Fetches a blob.
    ///
    /// # Errors
    /// As [`Client::bundle`].
    pub fn blob(&self, digest: &Digest) -> Outcome<Option<Vec<u8>>> {
        self.get(&format!("/blob/{digest}"), BLOB_BYTES_MAX)
    }

    /// Fetches the node's own introduction.
    ///
    /// # Errors
    /// As [`Client::bundle`].
    pub fn introduction(&self) -> Outcome<Option<Vec<u8>>> {
        self.get("/introduction", BUNDLE_BYTES_MAX)
    }

    /// What the node says of its health, well or not.
    ///
    /// # Errors
    /// When it does not answer with its health.
    pub fn health(&self) -> Outcome<Value> {
        let response = self.agent.get(format!("{}/health", self.base)).call();
        let response = response.map_err(|error| self.unreachable(&error))?;
        let bytes = self.read(response, REASON_BYTES_MAX)?;
        serde_json::from_slice(&bytes).or_exit(Exit::Other, || format!("{} does not say how it is", self.base))
    }

    fn get(&self, path: &str, bytes_max: u64) -> Outcome<Option<Vec<u8>>> {
        let response = self.patiently(|| {
            let request = self.agent.get(format!("{}{path}", self.base));
            request.config().timeout_global(Some(TRANSFER)).build().call()
        })?;
        match response.status() {
            StatusCode::OK => self.read(response, bytes_max).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.refused(path, response),
        }
    }

    fn read(&self, response: Response<ureq::Body>, bytes_max: u64) -> Outcome<Vec<u8>> {
        let bytes = response.into_body().into_with_config().limit(bytes_max).read_to_vec();
        bytes.or_exit(Exit::Unreachable, || format!("failed to read the answer of {}", self.base))
    }

    fn refused<T>(&self, what: &str, response: Response<ureq::Body>) -> Outcome<T> {
        let status = response.status();
        let reason = self.read(response, REASON_BYTES_MAX).unwrap_or_default();
        let reason = shown(&String::from_utf8_lossy(&reason));
        fail(Exit::Other, format!("{} answered {status} to {what}: {reason}", self.base))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let advice = match error {
            ureq::Error::Timeout(_) => "it may be busy: asking again does no harm",
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate does not hold for this address",
            ureq::Error::HostNotFound => "no such host: check the name in --node",
            _ => "check that `chancery serve` runs there and that the address is right",
        };
        Failure { exit: Exit::Unreachable, error: anyhow::anyhow!("could not reach {}: {error}; {advice}", self.base) }
    }
}

/// What a stranger wrote, bounded and made visible, for a terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    visible(&text.trim().chars().take(500).collect::<String>())
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with `response`, as a program that is not a node might.
    fn answering(response: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            stream.write_all(response.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_node_is_named_by_an_http_address() {
        for url in ["http://127.0.0.1:8420", "https://fr.example.org/", "http://[::1]:80/under"] {
            assert!(Client::new(url).is_ok(), "{url}");
        }
        for url in
            ["", "fr.example.org", "ftp://fr.example.org", "http://", "https:///x", "http://me:pass@fr.example.org"]
        {
            assert_eq!(Client::new(url).err().map(|failure| failure.exit), Some(Exit::Usage), "{url}");
        }
    }

    #[test]
    fn a_node_that_is_not_there_is_unreachable_and_said_so() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let failure = client.ask::<Value>("{ nations { code } }", &json!({})).unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.error.to_string().contains("chancery serve"), "{}", failure.error);
    }

    #[test]
    fn what_is_no_node_is_said_to_be_none() {
        let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        let failure = Client::new(&url).unwrap().ask::<Value>("{ x }", &json!({})).unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.error.to_string().ends_with("is it a chancery node?"), "{}", failure.error);
    }

    #[test]
    fn a_missing_bundle_is_none_and_a_large_one_is_not_read() {
        let digest = Digest::of(b"");
        let missing = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(Client::new(&missing).unwrap().bundle(&digest).unwrap(), None);
        let large = answering("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx");
        assert!(Client::new(&large).unwrap().bundle(&digest).is_err());
    }

    #[test]
    fn words_of_a_stranger_cannot_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb "), "a\\u{1b}[2Jb");
    }
}
