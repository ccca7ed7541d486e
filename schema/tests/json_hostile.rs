//! T04: JSON that two parsers could read differently is refused.

use chancery_schema::{base64, json};
use serde_json::Value;

#[test]
fn json_hostile() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/json.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    for vector in vectors {
        let bytes = base64::decode(vector["bytes"].as_str().unwrap()).unwrap();
        let read = json::parse(&bytes);
        assert_eq!(read.is_ok(), vector["accept"].as_bool().unwrap(), "{}: {read:?}", vector["name"]);
    }
    println!("json_hostile: {} texts, each taken or refused as it must be", vectors.len());
}

proptest::proptest! {
    /// What is taken is read as the other reader of JSON reads it, and no bytes make it panic.
    #[test]
    fn what_is_taken_is_read_alike(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        if let Ok(value) = json::parse(&bytes) {
            proptest::prop_assert_eq!(value, serde_json::from_slice::<Value>(&bytes).unwrap());
        }
    }
}
