//! The log: entries, checkpoints, tiles, bundles of entries, proofs.

use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::limits::{NOTE_BYTES_MAX, ORIGIN_BYTES_MAX};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{self, KeyType, VerifierKey};
use chancery_schema::log::proof::{EXTRA_BYTES_MAX, Proof};
use chancery_schema::log::tile::{self, Bundle, Tile, TileError};
use chancery_schema::log::tree::{EMPTY_ROOT, MemoryTree, SIZE_MAX, leaf_hash};
use chancery_schema::record::Kind;
use serde_json::{Value, json};

use super::golden::{Case, Verdict, bad, bytes_of, check, good, lines, number_of, reason, text_of};
use super::history::{History, witness_key, witness_name};
use super::nation::Nation;

/// SHA-256 of nothing, as the line formats write it.
const NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn an_entry_is_three_lines() {
    let about = "Entries, the leaves of a log (schema/src/log/entry.rs): `entry` is the text, or `entryBase64` the \
                 bytes. `expect`: the kind, the digest of the envelope in hexadecimal, and the leaf hash. `refused` is \
                 part of the reason.";
    let entry = |kind: &str| format!("chancery.entry/v1\n{kind}\n{NOTHING}\n");
    let of_kind = |kind: &str| json!({ "entry": entry(kind) });
    let with = |from: &str, to: &str| {
        let text = entry("charter");
        assert!(text.contains(from), "{from}");
        json!({ "entry": text.replacen(from, to, 1) })
    };
    let (lines, kind, digest) =
        ("an entry is three lines", "a kind is 1 to 32 of a-z and '-'", "third line of an entry is a SHA-256 digest");
    let mut cases: Vec<Case> =
        Kind::ALL.map(|kind| good(format!("a {kind}"), of_kind(kind.as_str()))).into_iter().collect();
    cases.extend([
        good("a kind that nobody knows yet", of_kind("peace-treaty")),
        good("a kind of one letter", of_kind("k")),
        good("a kind of 32 letters", of_kind(&"k".repeat(32))),
        good("a kind that ends in a hyphen", of_kind("k-")),
        bad("nothing", json!({ "entry": "" }), lines),
        bad("no last line end", json!({ "entry": entry("charter").trim_end() }), lines),
        bad("a blank line after it", json!({ "entry": entry("charter") + "\n" }), lines),
        bad("a blank line before it", json!({ "entry": format!("\n{}", entry("charter")) }), lines),
        bad("a fourth line", json!({ "entry": entry("charter") + "more\n" }), lines),
        bad("two lines", json!({ "entry": "chancery.entry/v1\ncharter\n" }), lines),
        bad("two entries", json!({ "entry": entry("charter").repeat(2) }), lines),
        bad("line ends of Windows", json!({ "entry": entry("charter").replace('\n', "\r\n") }), lines),
        bad("a byte order mark", json!({ "entry": format!("\u{feff}{}", entry("charter")) }), lines),
        bad("version 2", with("/v1", "/v2"), lines),
        bad("the heading in upper case", with("chancery", "Chancery"), lines),
        bad("a space after the heading", with("/v1\n", "/v1 \n"), lines),
        bad(
            "bytes that are not UTF-8",
            json!({ "entryBase64": base64::encode(&[entry("charter").as_bytes(), &[0xff]].concat()) }),
            lines,
        ),
        bad("no kind", of_kind(""), kind),
        bad("a kind of 33 letters", of_kind(&"k".repeat(33)), kind),
        bad("a kind in upper case", of_kind("Charter"), kind),
        bad("a kind with a digit", of_kind("charter2"), kind),
        bad("a kind with an underscore", of_kind("model_card"), kind),
        bad("a kind that begins with a hyphen", of_kind("-charter"), kind),
        bad("a kind with a space after it", of_kind("charter "), kind),
        bad("a kind with an accent", of_kind("évaluation"), kind),
        bad("a kind with a NUL", of_kind("charter\0"), kind),
        bad("a digest in hexadecimal", with(NOTHING, &EMPTY_ROOT.to_string()), digest),
        bad("a digest in base64 for URLs", with(NOTHING, &NOTHING.replace('+', "-").replace('/', "_")), digest),
        bad("a digest without padding", with(NOTHING, NOTHING.trim_end_matches('=')), digest),
        bad("a digest with stray bits", with("uFU=", "uFV="), digest),
        bad("a digest of 31 bytes", with(NOTHING, &base64::encode(&[0; 31])), digest),
        bad("a digest of 33 bytes", with(NOTHING, &base64::encode(&[0; 33])), digest),
        bad("no digest", with(NOTHING, ""), digest),
        bad("a space after the digest", with(NOTHING, &format!("{NOTHING} ")), digest),
    ]);
    check("entry", about, &cases, |case| {
        let bytes = bytes_of(case, "entry");
        let entry = Entry::parse(&bytes).map_err(|error| reason(&error))?;
        assert_eq!(entry.to_bytes(), bytes, "an entry has one form");
        Ok(json!({ "kind": entry.kind(), "envelope": entry.envelope(), "leafHash": entry.leaf_hash() }))
    });
}

#[test]
fn a_checkpoint_is_three_lines() {
    let about = "Checkpoints, unsigned (C2SP tlog-checkpoint; schema/src/log/checkpoint.rs). C2SP allows lines of \
                 extension after the third; Chancery has none and takes none. `expect`: the origin, the size as text \
                 (it reaches 2^63 - 1), the root in hexadecimal. `refused` is part of the reason.";
    let text = |origin: &str, size: &str, root: &str| json!({ "checkpoint": format!("{origin}\n{size}\n{root}\n") });
    let of = |origin: &str| text(origin, "7", NOTHING);
    let sized = |size: &str| text("fr.example.org/chancery", size, NOTHING);
    let rooted = |root: &str| text("fr.example.org/chancery", "7", root);
    let whole = format!("fr.example.org/chancery\n7\n{NOTHING}\n");
    let raw = |text: String| json!({ "checkpoint": text });
    let (lines, origin, size, root) = (
        "a checkpoint is three lines",
        "first line of a checkpoint is its origin",
        "a size from 0 to 2^63-1 without leading zeros",
        "third line of a checkpoint is a SHA-256 digest",
    );
    let long = format!("a/{}", "b".repeat(ORIGIN_BYTES_MAX - 2));
    let cases = vec![
        good("size 7", sized("7")),
        good("an empty log", sized("0")),
        good("the largest log", sized(&SIZE_MAX.to_string())),
        good("an origin of one word", of("localhost")),
        good("an origin of 255 bytes", of(&long)),
        bad("nothing", raw(String::new()), lines),
        bad("two lines", raw("fr.example.org/chancery\n7\n".to_owned()), lines),
        bad("no last line end", raw(whole.trim_end().to_owned()), lines),
        bad("a line of extension", raw(format!("{whole}Timestamp: 1795521600\n")), lines),
        bad("a blank line after it", raw(format!("{whole}\n")), lines),
        bad("a blank line before it", raw(format!("\n{whole}")), lines),
        bad("line ends of Windows", raw(whole.replace('\n', "\r\n")), origin),
        bad("no origin", of(""), origin),
        bad("an origin with a scheme", of("https://fr.example.org/chancery"), origin),
        bad("an origin in upper case", of("FR.example.org/chancery"), origin),
        bad("an origin that ends in a slash", of("fr.example.org/"), origin),
        bad("an origin with a space", of("fr.example.org chancery"), origin),
        bad("an origin with a port", of("fr.example.org:8443/chancery"), origin),
        bad("an origin in another script", of("ф.example.org"), origin),
        bad("an origin of 256 bytes", of(&format!("{long}b")), origin),
        bad("no size", sized(""), size),
        bad("a size with a leading zero", sized("07"), size),
        bad("two zeros", sized("00"), size),
        bad("a size with a sign", sized("+7"), size),
        bad("a negative size", sized("-7"), size),
        bad("a size with a space", sized("7 "), size),
        bad("a size with a fraction", sized("7.0"), size),
        bad("a size in hexadecimal", sized("0x7"), size),
        bad("a size in other digits", sized("٧"), size),
        bad("a size of 2^63", sized("9223372036854775808"), size),
        bad("a size past 2^64", sized("18446744073709551623"), size),
        bad("no root", rooted(""), root),
        bad("a root in hexadecimal", rooted(&EMPTY_ROOT.to_string()), root),
        bad("a root in base64 for URLs", rooted(&NOTHING.replace('+', "-").replace('/', "_")), root),
        bad("a root without padding", rooted(NOTHING.trim_end_matches('=')), root),
        bad("a root with stray bits", rooted(&NOTHING.replace("uFU=", "uFV=")), root),
        bad("a root of 31 bytes", rooted(&base64::encode(&[0; 31])), root),
        bad("a root of 33 bytes", rooted(&base64::encode(&[0; 33])), root),
    ];
    check("checkpoint", about, &cases, |case| {
        let text = text_of(case, "checkpoint");
        let checkpoint = Checkpoint::parse(text).map_err(|error| reason(&error))?;
        assert_eq!(checkpoint.to_text(), text, "a checkpoint has one text");
        Ok(describe(&checkpoint))
    });
}

fn describe(checkpoint: &Checkpoint) -> Value {
    json!({ "origin": checkpoint.origin, "size": checkpoint.size.to_string(), "root": checkpoint.root })
}

#[test]
fn a_checkpoint_is_its_logs_when_its_log_signed_it() {
    let about = "Signed checkpoints (C2SP tlog-checkpoint in signed-note; schema/src/log/checkpoint.rs), opened with \
                 the verifier key `log`. Lines of others are kept and not judged here. `expect` as in \
                 checkpoint.json, and the names on the lines. `refused` is part of the reason.";
    let (history, kenya) = (History::found("FR"), Nation::new("KE"));
    let partner = History::found("KE");
    let signed = history.checkpoint(2).to_string();
    let cosigned = history.cosigned(2, &[&kenya]).to_string();
    let log = history.log_key().to_string();
    let opened = |note: &str, log: &str| json!({ "note": note, "log": log });
    let line_of = |note: &str| note.lines().last().unwrap().to_owned();
    let signed_by = |text: &str, name: &str, role: Role| {
        let line = note::sign(text, name, &history.nation.key(role, 0)).unwrap();
        format!("{text}\n{line}\n")
    };
    let text = history.checkpoint(2).checkpoint().to_text();
    let origin = history.nation.origin.as_str();
    let of_size_1 = history.checkpoint(1).to_string();
    let (not_signed, forged) =
        ("no known key has signed the note", "signature of fr.example.org/chancery does not hold");
    let same_key_elsewhere =
        VerifierKey::new("fr.example.org/other", KeyType::Ed25519, *history.log_key().public()).unwrap();
    let cosigner_key = VerifierKey::new(origin, KeyType::Cosignature, *history.log_key().public()).unwrap();
    let cases = vec![
        good("signed by its log", opened(&signed, &log)),
        good("signed and cosigned", opened(&cosigned, &log)),
        good(
            "cosigned before it was signed",
            opened(&format!("{text}\n{}\n{}\n", line_of(&cosigned), line_of(&signed)), &log),
        ),
        good("signed twice alike", opened(&format!("{signed}{}\n", line_of(&signed)), &log)),
        good("an empty log", {
            let checkpoint = Checkpoint { origin: origin.parse().unwrap(), size: 0, root: EMPTY_ROOT };
            let signed = checkpoint::sign(checkpoint, &history.nation.key(Role::Log, 0)).unwrap();
            opened(&signed.to_string(), &log)
        }),
        bad("cosigned but not signed", opened(&format!("{text}\n{}\n", line_of(&cosigned)), &log), not_signed),
        bad(
            "signed by another key under the log's name",
            opened(&signed_by(&text, origin, Role::Node), &log),
            not_signed,
        ),
        bad(
            "signed by the log's key under another name",
            opened(&signed_by(&text, "fr.example.org/other", Role::Log), &log),
            not_signed,
        ),
        bad("the size was changed", opened(&signed.replacen("\n2\n", "\n3\n", 1), &log), forged),
        bad(
            "the root is of another size",
            opened(
                &format!(
                    "{}\n{}\n",
                    Checkpoint::parse(&text).map(|it| Checkpoint { root: EMPTY_ROOT, ..it }).unwrap().to_text(),
                    line_of(&signed)
                ),
                &log,
            ),
            forged,
        ),
        bad("the signature is of another size", opened(&format!("{text}\n{}\n", line_of(&of_size_1)), &log), forged),
        bad(
            "a signature that does not hold beside one that does",
            opened(&format!("{signed}{}\n", line_of(&of_size_1)), &log),
            forged,
        ),
        bad(
            "the log signed with a line of extension",
            opened(&signed_by(&format!("{text}more\n"), origin, Role::Log), &log),
            "a checkpoint is three lines",
        ),
        bad(
            "the log signed a size with a leading zero",
            opened(&signed_by(&text.replacen("\n2\n", "\n02\n", 1), origin, Role::Log), &log),
            "without leading zeros",
        ),
        bad(
            "another log's checkpoint",
            opened(&partner.checkpoint(2).to_string(), &log),
            "fr.example.org/chancery is not the key of the log ke.example.org/chancery",
        ),
        bad(
            "the key has another name",
            opened(&signed, &same_key_elsewhere.to_string()),
            "fr.example.org/other is not the key of the log fr.example.org/chancery",
        ),
        bad(
            "the key is for cosigning",
            opened(&signed, &cosigner_key.to_string()),
            "fr.example.org/chancery is not the key of the log fr.example.org/chancery",
        ),
        bad(
            "the key is a witness's",
            opened(&cosigned, &witness_key(&kenya).to_string()),
            "ke.example.org/chancery/witness is not the key of the log",
        ),
        bad("no signature", opened(&format!("{text}\n"), &log), "lines of signatures"),
        bad("the checkpoint alone", opened(&text, &log), "lines of signatures"),
        bad("bytes after it", opened(&format!("{signed}x"), &log), "lines of signatures"),
        bad("a line after it that is no signature", opened(&format!("{signed}x\n"), &log), "a signature line is"),
    ];
    assert_eq!(line_of(&cosigned).split(' ').nth(1).unwrap(), witness_name(&kenya));
    check("signed-checkpoint", about, &cases, |case| {
        let log = text_of(case, "log").parse().unwrap();
        let opened = checkpoint::open(text_of(case, "note").as_bytes(), &log).map_err(|error| reason(&error))?;
        assert_eq!(opened.to_string(), text_of(case, "note"), "a note has one form");
        let mut expect = describe(opened.checkpoint());
        expect["lines"] = opened.note().signatures().iter().map(note::Signature::name).collect();
        Ok(expect)
    });
}

#[test]
fn a_tile_has_one_path() {
    let about = "Paths of tiles and of bundles of entries (C2SP tlog-tiles; schema/src/log/tile.rs). `expect`: of a \
                 tile its level, of both their index (as text) and width. Tiles above level 7 and indexes near 2^63 \
                 are well formed, though no tree has them. `refused` is part of the reason.";
    let path = |path: &str| json!({ "path": path });
    let taken = [
        "tile/0/000",
        "tile/0/001",
        "tile/0/999",
        "tile/0/x001/000",
        "tile/1/x001/x234/067",
        "tile/0/000.p/1",
        "tile/0/000.p/255",
        "tile/2/x001/x234/067.p/5",
        "tile/7/000.p/127",
        "tile/63/000",
        "tile/entries/000",
        "tile/entries/x001/x234/067",
        "tile/entries/x001/x234/067.p/5",
        "tile/entries/273.p/112",
        "tile/0/x009/x223/x372/x036/x854/x775/807",
    ];
    let refused = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile//000",
        "/tile/0/000",
        "tile/0/000/",
        "TILE/0/000",
        "tiles/0/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1234",
        "tile/0/x001",
        "tile/0/x001/67",
        "tile/0/x001/x067",
        "tile/0/001/067",
        "tile/0/x000/067",
        "tile/0/x1/067",
        "tile/0/X001/067",
        "tile/0/xx001/067",
        "tile/0/x001//067",
        "tile/00/000",
        "tile/01/000",
        "tile/+1/000",
        "tile/-1/000",
        "tile/64/000",
        "tile/256/000",
        "tile/x/000",
        "tile/0/+01",
        "tile/0/-01",
        "tile/0/0 1",
        "tile/0/٠٠١",
        "tile/0/0x1",
        "tile/0/%30%30%31",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/65537",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/0/000.P/1",
        "tile/0/000p/1",
        "tile/0/.p/1",
        "tile/0/../0/000",
        "tile/0/000?",
        "tile/0/000#",
        "tile/0/000\n",
        "tile/8/0/000",
        "tile/8/data/000",
        "tile/data/000",
        "tile/entries",
        "tile/entries/",
        "tile/entries/0",
        "tile/entries/000.p/256",
        "tile/entries/000.p/0",
        "tile/entries/x000/000",
        "tile/entries/0/000",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ];
    let cases: Vec<Case> = taken
        .map(|it| good(it, path(it)))
        .into_iter()
        .chain(refused.map(|it| bad(format!("refused: {it}"), path(it), "not the path of a tile")))
        .collect();
    check("tile-path", about, &cases, |case| {
        let path = text_of(case, "path");
        match (Tile::parse_path(path), Bundle::parse_path(path)) {
            (Ok(tile), Err(_)) => {
                assert_eq!(tile.path(), path, "a tile has one path");
                Ok(json!({ "level": tile.level, "index": tile.index.to_string(), "width": tile.width }))
            }
            (Err(_), Ok(bundle)) => {
                assert_eq!(bundle.path(), path, "a bundle has one path");
                Ok(json!({ "index": bundle.index.to_string(), "width": bundle.width }))
            }
            (Err(error), Err(_)) => Err(reason(&error)),
            (Ok(_), Ok(_)) => panic!("{path} is of a tile and of a bundle"),
        }
    });
}

/// Entry `i` is `i` as eight bytes, big-endian.
fn counting_tree(size: u64) -> MemoryTree {
    (0..size).map(|index: u64| leaf_hash(&index.to_be_bytes())).collect()
}

#[test]
fn a_tree_has_its_tiles() {
    let about = "Tiles and bundles of a log of `size` entries (C2SP tlog-tiles; schema/src/log/tile.rs); entry i is i \
                 as eight bytes, big-endian. `expect`: for each level how many full tiles and how wide the partial one \
                 is (0: none); how many tiles that makes; SHA-256 of all their bytes, level by level, in order; the \
                 last tile of each level by path with the SHA-256 of its bytes; SHA-256 of all bundles of entries in \
                 order. With `old`, the paths of the tiles and bundles that came since that size instead.";
    let of = |size: u64| json!({ "size": size });
    let since = |old: u64, size: u64| json!({ "old": old, "size": size });
    let mut cases: Vec<Case> = [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_536, 70_000]
        .map(|size| good(format!("{size} entries"), of(size)))
        .into_iter()
        .collect();
    for (old, size) in [
        (0, 1),
        (1, 2),
        (0, 256),
        (255, 256),
        (256, 257),
        (255, 257),
        (250, 520),
        (65_535, 65_536),
        (5, 5),
        (256, 256),
        (8, 5),
        (257, 256),
        (0, 0),
    ] {
        cases.push(good(format!("from {old} to {size} entries"), since(old, size)));
    }
    check("tile", about, &cases, |case| {
        let size = number_of(case, "size");
        Ok(match case.get("old") {
            Some(old) => {
                let old = old.as_u64().unwrap();
                let tiles: Vec<String> = tile::new_tiles(old, size).map(|tile| tile.path()).collect();
                let bundles: Vec<String> = tile::new_bundles(old, size).map(|bundle| bundle.path()).collect();
                json!({ "tiles": tiles, "bundles": bundles })
            }
            None => tiles_of(size),
        })
    });
}

fn tiles_of(size: u64) -> Value {
    let tree = counting_tree(size);
    let tiles: Vec<(Tile, Vec<u8>)> = tile::tiles_at(size).map(|tile| (tile, tile.read(&tree).unwrap())).collect();
    let mut levels = Vec::new();
    for level in 0.. {
        let of_level: Vec<_> = tiles.iter().filter(|(tile, _)| tile.level == level).collect();
        let Some((last, bytes)) = of_level.last() else { break };
        let full = of_level.iter().filter(|(tile, _)| tile.width == tile::WIDTH_MAX).count();
        levels.push(json!({
            "full": full,
            "partial": tile::partial_width(level, size),
            "last": last.path(),
            "lastSha256": Digest::of(bytes),
        }));
    }
    let bundles = tile::new_bundles(0, size).flat_map(|bundle| {
        let entries: Vec<[u8; 8]> = bundle.entries().unwrap().map(u64::to_be_bytes).collect();
        let bytes = tile::encode_entries(entries.iter().map(<[u8; 8]>::as_slice)).unwrap();
        let decoded = bundle.decode(&bytes).unwrap();
        assert_eq!(decoded, entries.iter().map(<[u8; 8]>::as_slice).collect::<Vec<_>>());
        bytes
    });
    let tile_bytes: Vec<u8> = tiles.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    json!({
        "levels": levels,
        "tiles": tiles.len(),
        "tilesSha256": Digest::of(&tile_bytes),
        "bundlesSha256": Digest::of(&bundles.collect::<Vec<u8>>()),
    })
}

#[test]
fn a_bundle_holds_whole_entries() {
    let about = "Bundles of entries (C2SP tlog-tiles; schema/src/log/tile.rs): for each entry its length in two bytes, \
                 big-endian, and itself; as many as the path says (`width`). Bytes are in base64. `refused` is part of \
                 the reason.";
    let of = |width: u16, bytes: &[u8]| json!({ "width": width, "bundle": base64::encode(bytes) });
    let three: &[u8] = b"\0\x02ab\0\0\0\x01c";
    let wrong = |width: u16| format!("the bundle does not hold {width} whole entries");
    let cases = vec![
        good("three entries, one of them empty", of(3, three)),
        good("one empty entry", of(1, &[0, 0])),
        good("256 empty entries", of(256, &[0; 512])),
        good("an entry of 300 bytes", of(1, &[&[1, 44][..], &[7; 300]].concat())),
        bad("nothing", of(1, &[]), wrong(1)),
        bad("an entry less than the path says", of(4, three), wrong(4)),
        bad("an entry more than the path says", of(2, three), wrong(2)),
        bad("a byte after it", of(3, &[three, &[0]].concat()), wrong(3)),
        bad("cut inside an entry", of(3, &three[..three.len() - 1]), wrong(3)),
        bad("cut inside a length", of(3, &three[..7]), wrong(3)),
        bad("a length that the other byte order means", of(1, b"\x02\0ab"), wrong(1)),
        bad("a length of 65,535 and nothing", of(1, &[0xff, 0xff]), wrong(1)),
        bad("255 empty entries of 256", of(256, &[0; 510]), wrong(256)),
    ];
    check("entries", about, &cases, |case| {
        let bundle = Bundle { index: 0, width: u16::try_from(number_of(case, "width")).unwrap() };
        let bytes = base64::decode(text_of(case, "bundle")).unwrap();
        let entries = bundle.decode(&bytes).map_err(|error| reason(&error))?;
        assert_eq!(tile::encode_entries(entries.iter().copied()), Ok(bytes.clone()), "entries have one form");
        Ok(json!({ "entries": entries.into_iter().map(base64::encode).collect::<Vec<_>>() }))
    });
}

#[test]
fn an_entry_that_no_length_says_is_not_written() {
    assert!(tile::encode_entries([vec![0; 65_535].as_slice()]).is_ok());
    assert_eq!(tile::encode_entries([vec![0; 65_536].as_slice()]), Err(TileError::LongEntry));
}

#[test]
fn a_proof_needs_no_network() {
    let about = "Proofs that an entry is in a log (C2SP tlog-proof; schema/src/log/proof.rs): `proof` with so many \
                 letters A in the place of `<fill>` as `fill` says, the `entry`, and the verifier key `log`. `expect`: \
                 the index and the checkpoint's size (as text) and root; `extra` in base64, which nobody vouches for. \
                 Cosignatures are judged in cosignature.json and policy.json. `refused` is part of the reason.";
    let mut history = History::found("FR");
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
        let card = history.nation.card("model", version);
        history.push(card);
    }
    let (log, kenya) = (history.log_key().to_string(), Nation::new("KE"));
    let entry = |index: usize| String::from_utf8(history.entry(index).to_bytes()).unwrap();
    let checkpoint = history.cosigned(7, &[&kenya]);
    let proof = |index: usize| history.proof(index, &checkpoint).to_string();
    let of = |proof: &str, index: usize| json!({ "proof": proof, "entry": entry(index), "log": log });
    let filled = |proof: &str, fill: usize| json!({ "proof": proof, "entry": entry(2), "log": log, "fill": fill });
    let two = proof(2);
    let (head, note) = two.split_once("\n\n").unwrap();
    let hashes: Vec<&str> = head.lines().skip(2).collect();
    assert_eq!(hashes.len(), 3);
    let with = |from: &str, to: &str| {
        assert!(two.contains(from), "{from}");
        of(&two.replacen(from, to, 1), 2)
    };
    let proven_by = |hashes: &[&str]| of(&format!("c2sp.org/tlog-proof@v1\nindex 2\n{}\n{note}", lines(hashes)), 2);
    let (shape, root) = ("a proof is c2sp.org/tlog-proof@v1", "does not lead to the root");
    let (number, digests) = ("index is not a number from 0 to 2^63-1", "hashes are not at most 63 SHA-256 digests");
    let extra_max = EXTRA_BYTES_MAX / 3 * 4;
    let smaller = history.checkpoint(6);
    let cases = vec![
        good("the charter, entry 0 of 7", of(&proof(0), 0)),
        good("entry 2 of 7", of(&two, 2)),
        good("the last entry of 7", of(&proof(6), 6)),
        good("the only entry of 1", of(&history.proof(0, &history.checkpoint(1)).to_string(), 0)),
        good("with extra data", with("\nindex", "\nextra aGVsbG8=\nindex")),
        good("with empty extra data", with("\nindex", "\nextra \nindex")),
        good(
            "with as much extra data as is allowed",
            filled(&two.replacen("\nindex", "\nextra <fill>\nindex", 1), extra_max),
        ),
        bad(
            "with too much extra data",
            filled(&two.replacen("\nindex", "\nextra <fill>\nindex", 1), extra_max + 4),
            "or its extra data than 16384",
        ),
        bad(
            "larger than any proof",
            filled(&format!("{two}<fill>"), NOTE_BYTES_MAX + extra_max + 4096),
            "the proof is larger than",
        ),
        bad("with extra data that is not base64", with("\nindex", "\nextra hello!\nindex"), "extra data is not base64"),
        bad("with extra data without padding", with("\nindex", "\nextra aGVsbG8\nindex"), "extra data is not base64"),
        bad("with extra data twice", with("\nindex", "\nextra aGVsbG8=\nextra aGVsbG8=\nindex"), shape),
        bad("with extra data after the index", with("\nindex 2", "\nindex 2\nextra aGVsbG8="), digests),
        bad("nothing", of("", 2), shape),
        bad("version 2", with("@v1", "@v2"), shape),
        bad("no heading", of(two.split_once('\n').unwrap().1, 2), shape),
        bad("a blank line before it", of(&format!("\n{two}"), 2), shape),
        bad("line ends of Windows", of(&two.replace('\n', "\r\n"), 2), shape),
        bad("no index", with("index 2\n", ""), shape),
        bad("the index without its word", with("index 2\n", "2\n"), shape),
        bad("an index with a leading zero", with("index 2", "index 02"), number),
        bad("a negative index", with("index 2", "index -2"), number),
        bad("an index with a space", with("index 2", "index  2"), number),
        bad("no number", with("index 2", "index "), number),
        bad("an index of 2^63", with("index 2", "index 9223372036854775808"), number),
        bad(
            "an index past the log",
            with("index 2", "index 7"),
            "no leaf or subtree of a tree of 7 leaves begins at 7",
        ),
        bad(
            "an index of 2^63 - 1",
            with("index 2", "index 9223372036854775807"),
            "no leaf or subtree of a tree of 7 leaves",
        ),
        bad("another index", with("index 2", "index 3"), root),
        bad("another index, of a shorter proof", with("index 2", "index 6"), "has 3 hashes where 2 are needed"),
        bad("another entry", of(&two, 3), root),
        bad("the entry with a byte more", json!({ "proof": two, "entry": entry(2) + "\n", "log": log }), root),
        bad("without hashes", proven_by(&[]), "has 0 hashes where 3 are needed"),
        bad("a hash too few", proven_by(&hashes[..2]), "has 2 hashes where 3 are needed"),
        bad("a hash too many", proven_by(&[&hashes[..], &hashes[..1]].concat()), "has 4 hashes where 3 are needed"),
        bad("hashes in another order", proven_by(&[hashes[1], hashes[0], hashes[2]]), root),
        bad("63 hashes", proven_by(&[hashes[0]; 63]), "has 63 hashes where 3 are needed"),
        bad("64 hashes", proven_by(&[hashes[0]; 64]), digests),
        bad("a hash in hexadecimal", proven_by(&[&EMPTY_ROOT.to_string(), hashes[1], hashes[2]]), digests),
        bad("a hash without padding", proven_by(&[hashes[0].trim_end_matches('='), hashes[1], hashes[2]]), digests),
        bad("a hash with a space after it", proven_by(&[&format!("{} ", hashes[0]), hashes[1], hashes[2]]), digests),
        bad("no blank line before the checkpoint", of(&format!("{head}\n{note}"), 2), digests),
        bad(
            "two blank lines before the checkpoint",
            of(&format!("{head}\n\n\n{note}"), 2),
            "a checkpoint is three lines",
        ),
        bad("no checkpoint", of(&format!("{head}\n\n"), 2), "lines of signatures"),
        bad("bytes after it", of(&format!("{two}x"), 2), "lines of signatures"),
        bad("a smaller checkpoint", of(&format!("{head}\n\n{smaller}"), 2), root),
        bad(
            "the checkpoint's size was changed",
            with("\n7\n", "\n8\n"),
            "signature of fr.example.org/chancery does not hold",
        ),
        bad(
            "the log did not sign",
            of(&format!("{head}\n\n{}\n{}\n", checkpoint.checkpoint().to_text(), checkpoint.note().signatures()[1]), 2),
            "no known key has signed",
        ),
        bad(
            "another log's key",
            json!({ "proof": two, "entry": entry(2), "log": History::found("KE").log_key().to_string() }),
            "ke.example.org/chancery is not the key of the log fr.example.org/chancery",
        ),
    ];
    check("proof", about, &cases, read_proof);
}

fn read_proof(case: &Value) -> Verdict {
    let bytes = bytes_of(case, "proof");
    let proof = Proof::parse(&bytes).map_err(|error| reason(&error))?;
    assert_eq!(proof.to_string().as_bytes(), bytes, "a proof has one form");
    let log = text_of(case, "log").parse().unwrap();
    let opened = proof.verify(text_of(case, "entry").as_bytes(), &log);
    let (index, signed) = opened.map_err(|error| reason(&error))?;
    let mut expect = json!({
        "index": index.to_string(),
        "size": signed.checkpoint().size.to_string(),
        "root": signed.checkpoint().root,
    });
    if let Some(extra) = proof.extra() {
        // What fills a case would fill the file.
        expect["extra"] =
            if extra.len() < 100 { json!(base64::encode(extra)) } else { json!({ "bytes": extra.len() }) };
    }
    Ok(expect)
}
