//! The files in `schema/vectors`: read, compared with what the tests would write, and checked.

use std::collections::BTreeSet;
use std::path::Path;

use chancery_schema::base64;
use serde_json::{Map, Value, json};

/// One case: its name, what goes in, and for a hostile one the words of its refusal.
pub struct Case {
    name: String,
    input: Value,
    refused: Option<String>,
}

impl Case {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What goes in.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// The words of its refusal, when it must be refused.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }
}

/// A case that must be read.
pub fn good(name: impl Into<String>, input: Value) -> Case {
    Case { name: name.into(), input, refused: None }
}

/// A case that must be refused with a message that contains `words`.
pub fn bad(name: impl Into<String>, input: Value, words: impl Into<String>) -> Case {
    Case { name: name.into(), input, refused: Some(words.into()) }
}

/// What a format makes of a case: what it read, or why not.
pub type Verdict = Result<Value, String>;

/// Checks `schema/vectors/<file>.json`: it holds exactly these cases, and each gets its verdict.
/// With `UPDATE=1` the file is written first; the refusals are never taken from what happened.
pub fn check(file: &str, about: &str, cases: &[Case], run: impl Fn(&Value) -> Verdict) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{file}.json"));
    if std::env::var_os("UPDATE").is_some() {
        let cases: Vec<Value> = cases.iter().map(|case| to_json(case, &run)).collect();
        let text = serde_json::to_string_pretty(&json!({ "about": about, "cases": cases })).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let committed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(committed["about"], about, "{file}");
    let committed = committed["cases"].as_array().unwrap();
    let names: BTreeSet<&str> = committed.iter().map(|case| text_of(case, "name")).collect();
    assert_eq!(names.len(), committed.len(), "{file}: a name stands twice");
    for case in cases {
        assert!(names.contains(case.name.as_str()), "{file}: the case {:?} is gone; UPDATE=1 writes it", case.name);
    }
    assert_eq!(committed.len(), cases.len(), "{file}: a case stands there that no test knows");
    for (committed, case) in committed.iter().zip(cases) {
        assert_eq!(input_of(committed), case.input, "{file}: {}: its input changed", case.name);
        assert_eq!(committed.get("refused").and_then(Value::as_str), case.refused.as_deref(), "{file}: {}", case.name);
        judge(file, committed, run(committed));
    }
    let refused = cases.iter().filter(|case| case.refused.is_some()).count();
    println!("{file}: {} cases, {refused} of them refused", cases.len());
}

fn judge(file: &str, case: &Value, verdict: Verdict) {
    let name = &case["name"];
    match (case.get("refused").and_then(Value::as_str), verdict) {
        (None, Ok(read)) => assert_eq!(read, case["expect"], "{file}: {name}"),
        (Some(words), Err(reason)) => assert!(reason.contains(words), "{file}: {name}: {reason:?} lacks {words:?}"),
        (None, Err(reason)) => panic!("{file}: {name}: refused: {reason}"),
        (Some(_), Ok(read)) => panic!("{file}: {name}: should be refused, and gave {read}"),
    }
}

fn to_json(case: &Case, run: &impl Fn(&Value) -> Verdict) -> Value {
    let mut written = Map::from_iter([("name".to_owned(), json!(case.name))]);
    written.extend(case.input.as_object().unwrap().clone());
    match &case.refused {
        Some(words) => written.insert("refused".to_owned(), json!(words)),
        None => written
            .insert("expect".to_owned(), run(&case.input).unwrap_or_else(|error| panic!("{}: {error}", case.name))),
    };
    Value::Object(written)
}

/// A case without its name and verdict.
fn input_of(case: &Value) -> Value {
    let members = case.as_object().unwrap().iter();
    let input = members.filter(|(member, _)| !["name", "expect", "refused"].contains(&member.as_str()));
    Value::Object(input.map(|(member, value)| (member.clone(), value.clone())).collect())
}

/// A member that is text.
pub fn text_of<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_else(|| panic!("{member} of {case} is text"))
}

/// A member that is text, or base64 of bytes when its name ends in `Base64`. Where the case has a
/// `fill`, that many letters `A` stand in the text for `<fill>`.
pub fn bytes_of(case: &Value, member: &str) -> Vec<u8> {
    match case.get(member) {
        Some(_) if case.get("fill").is_some() => {
            let letters = "A".repeat(usize::try_from(number_of(case, "fill")).unwrap());
            text_of(case, member).replace("<fill>", &letters).into_bytes()
        }
        Some(_) => text_of(case, member).as_bytes().to_vec(),
        None => base64::decode(text_of(case, &format!("{member}Base64"))).unwrap(),
    }
}

/// A member that is a whole number.
pub fn number_of(case: &Value, member: &str) -> u64 {
    case[member].as_u64().unwrap_or_else(|| panic!("{member} of {case} is a number"))
}

/// A member that is a list of text.
pub fn list_of<'a>(case: &'a Value, member: &str) -> Vec<&'a str> {
    case[member].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// The message of an error with its causes.
pub fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Lines of text, each ended.
pub fn lines<S: ToString>(lines: impl IntoIterator<Item = S>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Reads [`hex`].
pub fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
