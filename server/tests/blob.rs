use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::limits::BLOB_BYTES_MAX;
use chancery_schema::record::Kind;
use chancery_tests::nation::blob;

use crate::node::Node;

#[test]
fn a_blob_is_kept_once_and_read_back() {
    let mut node = Node::with_model();
    let bytes = b"# n 1.0\n".as_slice();
    let path = format!("/blob/{}", Digest::of(bytes));
    assert_eq!(node.get(&path).status, 404);
    assert_eq!(node.put(&path, bytes).status, 201);
    assert_eq!(node.put(&path, bytes).status, 201);
    let card = node.nation.card("n", "1.0");
    node.admit(&card);
    let answer = node.get(&path);
    assert_eq!((answer.status, answer.body.as_slice()), (200, bytes));
    assert_eq!(answer.header("cache-control"), "no-store", "it may be redacted");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
}

#[test]
fn a_blob_that_is_not_what_it_says_or_too_large_is_refused() {
    let node = Node::empty();
    let path = format!("/blob/{}", Digest::of(b"some bytes"));
    assert_eq!(node.put(&path, b"other bytes").status, 400);
    assert_eq!(node.put("/blob/ABC", b"").status, 400);
    let largest = vec![7; usize::try_from(BLOB_BYTES_MAX).unwrap()];
    assert_eq!(node.put(&format!("/blob/{}", Digest::of(&largest)), &largest).status, 201);
    let chunked = ureq::SendBody::from_owned_reader(std::io::repeat(7).take_bytes(BLOB_BYTES_MAX + 1));
    let answer = node.agent.put(format!("{}{path}", node.url)).send(chunked);
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    assert_eq!(node.get(&path).status, 404);
}

#[test]
fn slow_uploads_close_neither_downloads_nor_themselves() {
    let node = Node::with_model();
    let bytes = b"# m 1.0\n".as_slice();
    let path = format!("/blob/{}", Digest::of(bytes));
    let head = format!("PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 16000000\r\n\r\nsome");
    let slow: Vec<TcpStream> = (0..2).map(|_| node.connect(&head)).collect();
    std::thread::sleep(Duration::from_millis(300));
    let refused = node.put(&path, bytes);
    assert_eq!((refused.status, refused.header("retry-after")), (503, "3"));
    assert_eq!(node.get(&path).status, 200);
    let begun = Instant::now();
    for mut stream in slow {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 503");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "a slow upload keeps its place for {:?}", begun.elapsed());
    assert_eq!(node.put(&path, bytes).status, 201);
}

#[test]
fn whoever_does_not_read_what_it_asks_for_waits_like_others() {
    let mut node = Node::with_model();
    let bytes = vec![7; usize::try_from(BLOB_BYTES_MAX).unwrap()];
    let large = node.keep(&bytes);
    let mut draft = node.nation.card_draft("m", "2.0");
    draft["sourceDocument"] = blob(&bytes, "text/markdown");
    let key = node.nation.key(Role::Publisher, 0);
    let card = node.nation.sign(Kind::ModelCard, draft, &[&key]);
    node.admit(&card);
    let head = format!("GET /blob/{large} HTTP/1.1\r\nhost: x\r\n\r\n");
    let unread: Vec<TcpStream> = (0..5).map(|_| node.connect(&head)).collect();
    std::thread::sleep(Duration::from_millis(700));
    for path in ["/introduction", &format!("/blob/{large}")] {
        let refused = node.get(path);
        assert_eq!((refused.status, refused.header("retry-after")), (503, "3"), "{path}");
    }
    assert_eq!(node.get("/log/checkpoint").status, 200);
    drop(unread);
    assert_eq!(node.get("/introduction").status, 200);
    assert_eq!(node.get(&format!("/blob/{large}")).body.len() as u64, BLOB_BYTES_MAX);
}

trait TakeBytes: std::io::Read + Sized {
    fn take_bytes(self, count: u64) -> std::io::Take<Self> {
        self.take(count)
    }
}

impl TakeBytes for std::io::Repeat {}
