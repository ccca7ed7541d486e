use chancery_schema::digest::Digest;
use chancery_schema::limits::BLOB_BYTES_MAX;

use crate::node::Node;

#[test]
fn a_blob_is_kept_once_and_read_back() {
    let node = Node::empty();
    let bytes = b"some bytes".as_slice();
    let path = format!("/blob/{}", Digest::of(bytes));
    assert_eq!(node.get(&path).status, 404);
    assert_eq!(node.put(&path, bytes).status, 201);
    assert_eq!(node.put(&path, bytes).status, 201);
    let answer = node.get(&path);
    assert_eq!((answer.status, answer.body.as_slice()), (200, bytes));
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
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

trait TakeBytes: std::io::Read + Sized {
    fn take_bytes(self, count: u64) -> std::io::Take<Self> {
        self.take(count)
    }
}

impl TakeBytes for std::io::Repeat {}
