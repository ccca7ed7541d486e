//! The log over HTTP, read by a client that we did not write: the `tlog_tiles` crate.

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::note::{KeyType, Note, verifier_key};
use chancery_schema::record::Kind;
use tlog_tiles::{
    Checkpoint, HashReader as _, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree,
    record_hash, stored_hash_index, tree_hash,
};

use crate::node::Node;

/// Tiles of one log, fetched from a node.
struct Remote<'a> {
    node: &'a Node,
    base: String,
}

impl TileReader for Remote<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // The crate writes paths as the Go checksum database does, with the height in them.
        let path = |tile: &Tile| format!("{}/tile/{}", self.base, tile.path().strip_prefix("tile/8/").unwrap());
        let fetch = |tile| {
            let answer = self.node.get(&path(tile));
            assert_eq!(answer.status, 200, "{}", path(tile));
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            answer.body
        };
        Ok(tiles.iter().map(fetch).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// A node whose log has more entries than a tile.
fn long_log() -> Node {
    let mut node = Node::empty();
    let charter = node.nation.charter();
    node.admit(&charter);
    let envelopes: Vec<Vec<u8>> = (0..2)
        .flat_map(|round| {
            let mut nation = chancery_tests::nation::Nation::new("FR");
            let kind = if round == 0 { Kind::ModelCard } else { Kind::Weights };
            (0..140).map(move |i| {
                let model = format!("lab:m{i}");
                nation.delegation(Role::Publisher, &[kind], &[&model]).to_bytes()
            })
        })
        .collect();
    let admit = |envelope: Vec<u8>| {
        let registry = node.registry.clone();
        async move { registry.admit(&envelope).await.unwrap() }
    };
    let all = node.runtime.block_on(futures::future::join_all(envelopes.into_iter().map(admit)));
    assert!(all.iter().all(|outcome| matches!(outcome, chancery_registry::Admission::Admitted(_))), "{:?}", all.last());
    node
}

#[test]
fn another_implementation_verifies_the_log_from_its_tiles() {
    let node = long_log();
    for base in ["/log".to_owned(), format!("/mirror/{}", Digest::of(node.nation.origin.as_str().as_bytes()))] {
        let answer = node.get(&format!("{base}/checkpoint"));
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        let signed = Note::parse(&answer.body).unwrap();
        let key = verifier_key(node.nation.origin.as_str(), KeyType::Ed25519, &node.nation.key(Role::Log, 0)).unwrap();
        assert_eq!(signed.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
        let checkpoint = Checkpoint::from_bytes(signed.text().as_bytes()).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), (node.nation.origin.as_str(), 281));
        let remote = Remote { node: &node, base };
        let reader = TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &remote);
        for (bundle, first, width) in [("000", 0, 256), ("001.p/25", 256, 25)] {
            let entries = node.get(&format!("{}/tile/entries/{bundle}", remote.base)).body;
            for (offset, entry) in split(&entries, width).into_iter().enumerate() {
                let index = first + offset as u64;
                let proof = prove_record(checkpoint.size(), index, &reader).unwrap();
                check_record(&proof, checkpoint.size(), *checkpoint.hash(), index, record_hash(entry)).unwrap();
            }
        }
        let old = tree_hash(100, &reader).unwrap();
        let proof = prove_tree(checkpoint.size(), 100, &reader).unwrap();
        check_tree(&proof, checkpoint.size(), *checkpoint.hash(), 100, old).unwrap();
        assert!(reader.read_hashes(&[stored_hash_index(0, 280)]).is_ok());
    }
}

#[test]
fn a_tile_that_no_tree_has_is_not_found() {
    let node = Node::with_model();
    for (path, status) in [
        ("tile/0/000.p/3", 200),
        ("tile/0/000.p/2", 200),
        ("tile/entries/000.p/3", 200),
        ("tile/0/000.p/4", 404),
        ("tile/0/000", 404),
        ("tile/1/000.p/1", 404),
        ("tile/entries/000.p/4", 404),
        ("tile/entries/001", 404),
        ("tile/63/000", 404),
        ("tile/64/000", 400),
        ("tile/0/0", 400),
        ("tile/0/000.p/0", 400),
        ("tile/0/000.p/256", 400),
        ("tile/0/x000/001", 400),
        ("tile/entries/", 400),
        ("tile/", 400),
        ("tile/0/x999/x999/x999/x999/x999/x999/x999/999", 400),
    ] {
        assert_eq!(node.get(&format!("/log/{path}")).status, status, "{path}");
    }
}

#[test]
fn what_may_come_to_be_is_not_kept_as_absent() {
    let mut node = Node::with_model();
    let absent = node.get("/log/tile/entries/000.p/4");
    assert_eq!((absent.status, absent.header("cache-control")), (404, "no-cache"));
    let license = node.nation.license("terms");
    node.keep(b"Sample terms terms.\n");
    node.admit(&license);
    assert_eq!(node.get("/log/tile/entries/000.p/4").status, 200);
    assert_eq!(node.get("/log/tile/0/000.p/3").status, 200);
}

#[test]
fn a_checkpoint_is_new_at_once_and_sent_only_to_those_who_have_another() {
    let mut node = Node::with_model();
    for base in ["/log".to_owned(), format!("/mirror/{}", Digest::of(node.nation.origin.as_str().as_bytes()))] {
        let path = format!("{base}/checkpoint");
        let first = node.get(&path);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && tag.len() == 68, "{tag}");
        for held in [&tag, "*", &format!("\"other\", {tag}")] {
            let same = node.get_with(&path, &[("if-none-match", held)]);
            assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, tag.as_str()), "{held}");
            assert_eq!(same.header("cache-control"), "no-cache");
        }
        let version = format!("{}.0", base.len());
        node.keep(format!("# m {version}\n").as_bytes());
        let card = node.nation.card("m", &version);
        node.admit(&card);
        let next = node.get_with(&path, &[("if-none-match", &tag)]);
        assert_eq!(next.status, 200);
        assert_ne!((next.text(), next.header("etag")), (first.text(), tag.as_str()));
    }
}

#[test]
fn the_heads_of_answers_come_without_their_bodies() {
    let node = Node::with_model();
    for (path, media_type) in [
        ("/log/checkpoint", "text/plain; charset=utf-8"),
        ("/log/tile/0/000.p/3", "application/octet-stream"),
        ("/log/tile/entries/000.p/3", "application/octet-stream"),
    ] {
        let mut head = node.agent.head(format!("{}{path}", node.url)).call().unwrap();
        assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (200, media_type));
        assert!(head.body_mut().read_to_vec().unwrap().is_empty(), "{path}");
    }
}

/// Entries of a bundle: each two bytes of length, big-endian, and itself.
fn split(mut bytes: &[u8], count: usize) -> Vec<&[u8]> {
    let mut entries = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        entries.push(entry);
        bytes = rest;
    }
    assert_eq!(entries.len(), count);
    entries
}
