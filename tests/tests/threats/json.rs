//! T04: JSON that two readers could take in two ways is refused, and what is taken is read alike.
//! `schema/tests/json_hostile.rs` holds Rust to the vectors; here are more hostile texts whose verdict
//! is known, and a great many that are made at random, on which all readers must agree word for word.

use chancery_schema::{base64, json};
use serde_json::Value;

use super::judges::{self, Judge, hex};
use super::row::{Share, Tally};

/// A text to be read, and the verdict where it is known.
struct Case {
    name: String,
    bytes: Vec<u8>,
    verdict: Option<bool>,
}

pub fn run(share: Share) -> (Tally, String) {
    let mut cases = vectors();
    cases.extend(around_and_inside());
    cases.extend(cut());
    cases.extend(near_the_largest_integer());
    let hostile = cases.iter().filter(|case| case.verdict == Some(false)).count();
    assert!(hostile >= 300, "{hostile} hostile texts");
    let known = cases.len();
    cases.extend(random(share.of(20_000, 1_000_000)));
    let read: Vec<String> = cases.iter().map(|case| spell_or_refuse(&case.bytes)).collect();
    let mut tally = Tally::default();
    for (case, read) in cases.iter().zip(&read) {
        let right = case.verdict.is_none_or(|known| known == (read != "-"));
        tally.expect(right, || format!("Rust on {}: {read}", case.name));
    }
    let judges = judges::of("strict_json");
    for judge in &judges {
        tally.add(compare(judge, &cases, &read));
    }
    let taken = read[known..].iter().filter(|read| *read != "-").count();
    let (who, count, made) = (judges::names(&judges), cases.len(), cases.len() - known);
    let tried = format!(
        "readings of {count} texts by {who} ({hostile} known to be hostile; {made} random, {taken} of them taken), to be the same"
    );
    (tally, tried)
}

fn compare(judge: &Judge, cases: &[Case], read: &[String]) -> Tally {
    let mut tally = Tally::default();
    let lines: Vec<String> = cases.iter().map(|case| base64::encode(&case.bytes)).collect();
    let said = judge.ask(&lines);
    for ((case, read), said) in cases.iter().zip(read).zip(said) {
        let text = || String::from_utf8_lossy(&case.bytes);
        tally.expect(*read == said, || {
            format!("{} on {}: {said}, Rust: {read}, of {:?}", judge.name(), case.name, text())
        });
    }
    tally
}

/// What was read, spelt so that two readers can be compared byte for byte.
fn spell_or_refuse(bytes: &[u8]) -> String {
    json::parse(bytes).map_or_else(|_| "-".to_owned(), |value| spell(&value))
}

fn spell(value: &Value) -> String {
    match value {
        Value::Null => "n".to_owned(),
        Value::Bool(true) => "t".to_owned(),
        Value::Bool(false) => "f".to_owned(),
        Value::Number(number) => format!("i{number};"),
        Value::String(text) => spell_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(spell).collect::<String>()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, item)| spell_text(key) + &spell(item));
            format!("{{{}}}", members.collect::<String>())
        }
    }
}

fn spell_text(text: &str) -> String {
    format!("s{};", hex(text.as_bytes()))
}

fn vectors() -> Vec<Case> {
    let vectors: Value = serde_json::from_str(include_str!("../../../schema/vectors/json.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap().iter();
    let case = |vector: &Value| Case {
        name: vector["name"].to_string(),
        bytes: base64::decode(vector["bytes"].as_str().unwrap()).unwrap(),
        verdict: vector["accept"].as_bool(),
    };
    vectors.map(case).collect()
}

fn case(name: &str, byte: u8, parts: &[&[u8]], verdict: bool) -> Case {
    Case { name: format!("byte {byte:02x} {name}"), bytes: parts.concat(), verdict: Some(verdict) }
}

/// Every byte before and after a value, alone, in a string, after a backslash, and between members.
fn around_and_inside() -> Vec<Case> {
    let places = |byte: u8| {
        let it: &[u8] = &[byte];
        let space = b" \t\n\r".contains(&byte);
        let plain = byte.is_ascii() && !byte.is_ascii_control() || byte == 0x7f;
        [
            case("after", byte, &[b"{}", it], space),
            case("before", byte, &[it, b"{}"], space),
            case("alone", byte, &[it], byte.is_ascii_digit()),
            case("in a string", byte, &[b"\"", it, b"\""], plain && !b"\"\\".contains(&byte)),
            case("after a backslash", byte, &[b"\"\\", it, b"\""], b"\"\\/bfnrt".contains(&byte)),
            case("between members", byte, &[b"{\"a\":1", it, b"\"b\":2}"], byte == b','),
            case("between items", byte, &[b"[1", it, b"2]"], byte == b',' || byte.is_ascii_digit()),
        ]
    };
    (0..=u8::MAX).flat_map(places).collect()
}

/// A statement cut at every place.
fn cut() -> Vec<Case> {
    let whole = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"é","digest":{"sha256":"00"}}],"predicate":{"n":-12,"t":true,"l":[null,false]}}"#;
    let cut = |end: usize| Case {
        name: format!("cut at {end}"),
        bytes: whole.as_bytes()[..end].to_vec(),
        verdict: Some(end == whole.len()),
    };
    (0..=whole.len()).map(cut).collect()
}

fn near_the_largest_integer() -> Vec<Case> {
    let around = |centre: i128| (centre - 5..=centre + 5).collect::<Vec<_>>();
    let powers = [53_u32, 63, 64].map(|bits| 1_i128 << bits).into_iter().flat_map(|power| [power, -power]);
    let case = |number: i128| Case {
        name: number.to_string(),
        bytes: number.to_string().into_bytes(),
        verdict: Some(number.unsigned_abs() < 1 << 53),
    };
    powers.flat_map(around).map(case).collect()
}

/// Texts that begin as strict JSON; most are then changed in one place or a few.
fn random(count: usize) -> Vec<Case> {
    let mut dice = Dice::of(4);
    let mut case = |number: usize| {
        let mut bytes = Vec::new();
        document(&mut dice, 0, &mut bytes);
        for _ in 0..dice.below(4) {
            change(&mut dice, &mut bytes);
        }
        Case { name: format!("random {number}"), bytes, verdict: None }
    };
    (0..count).map(&mut case).collect()
}

const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "7",
    "-1",
    "12",
    "01",
    "1.0",
    "1e0",
    "1E+2",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740991",
    "-9007199254740992",
    "18446744073709551616",
    "1e400",
    "-",
];

const TEXTS: [&str; 20] = [
    "",
    "a",
    "b",
    "\\u0061",
    "é",
    "e\u{301}",
    "\\u00e9",
    "\\ud83d\\ude00",
    "😀",
    "\\ud83d",
    "\\ude00",
    "\\ud83d\\u0061",
    "__proto__",
    "\\/",
    "\\n",
    "\\u0000",
    "\u{7f}",
    "\u{2028}",
    "\u{ffff}",
    "\\uD83D\\uDE00",
];

const TOKENS: [&[u8]; 26] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"null",
    b"true",
    b"NaN",
    b"-",
    b"0",
    b"1",
    b".5",
    b"e1",
    b" ",
    b"\t",
    b"\x0c",
    b"\x0b",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\u12",
    b"\0",
];

fn document(dice: &mut Dice, depth: usize, bytes: &mut Vec<u8>) {
    space(dice, bytes);
    match dice.below(if depth < 4 { 9 } else { 5 }) {
        0 => bytes.extend(*dice.pick(&[b"null".as_slice(), b"true", b"false"])),
        1 | 2 => bytes.extend(number(dice).as_bytes()),
        3 | 4 => string(dice, bytes),
        5 | 6 => list(dice, bytes, *b"[]", |dice, bytes| document(dice, depth + 1, bytes)),
        7 => list(dice, bytes, *b"{}", |dice, bytes| {
            string(dice, bytes);
            bytes.push(b':');
            document(dice, depth + 1, bytes);
        }),
        _ => {
            // As deep as is read, and deeper.
            let brackets = dice.below(36);
            bytes.extend(std::iter::repeat_n(b'[', brackets));
            document(dice, 4, bytes);
            bytes.extend(std::iter::repeat_n(b']', brackets));
        }
    }
    space(dice, bytes);
}

fn space(dice: &mut Dice, bytes: &mut Vec<u8>) {
    bytes.extend(*dice.pick(&[b"".as_slice(), b"", b"", b" ", b"\n", b"\r\t"]));
}

fn number(dice: &mut Dice) -> String {
    // Mostly small ones: a document with one bad number is refused as a whole.
    if dice.below(12) == 0 { (*dice.pick(&NUMBERS)).to_owned() } else { dice.below(1000).to_string() }
}

fn string(dice: &mut Dice, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    for _ in 0..dice.below(3) {
        bytes.extend(dice.pick(&TEXTS).as_bytes());
    }
    // Keys differ, mostly.
    bytes.extend(dice.below(50).to_string().as_bytes());
    bytes.push(b'"');
}

fn list(dice: &mut Dice, bytes: &mut Vec<u8>, [open, end]: [u8; 2], item: impl Fn(&mut Dice, &mut Vec<u8>)) {
    bytes.push(open);
    for index in 0..dice.below(4) {
        if index > 0 {
            bytes.push(b',');
        }
        item(dice, bytes);
    }
    bytes.push(end);
}

/// One change: a bit, a token put in or put over, a piece taken out or said twice.
fn change(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = dice.below(bytes.len() + 1);
    let end = (at + dice.below(6)).min(bytes.len());
    let token = *dice.pick(&TOKENS);
    match dice.below(5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 => drop(bytes.splice(at..at, token.iter().copied())),
        2 => drop(bytes.splice(at..end, token.iter().copied())),
        3 => drop(bytes.drain(at..end)),
        _ => {
            let piece = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, piece));
        }
    }
}

/// Numbers that look random and are the same in every run (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % bound
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
