//! Keys: how they are written, and the proof that their holder asked for a role.

use chancery_schema::base64;
use chancery_schema::key::{KeyRecord, PublicKey, Role, Signer, possession_message};
use serde_json::{Value, json};

use super::golden::{bad, check, from_hex, good, hex, reason, text_of};
use super::nation::Nation;

/// `SubjectPublicKeyInfo` of Ed25519 up to the key (RFC 8410 §4).
const SPKI_PREFIX: &str = "302a300506032b6570032100";

/// The key of RFC 8410 §10.1.
const RFC_8410_KEY: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

/// Encodings of the eight points of small order, and the ways to write them that are not canonical.
const SMALL_ORDER: [(&str, &str); 8] = [
    ("of order 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("of order 4, x even", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("of order 4, x odd", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("of order 8, the first", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("of order 8, the second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("of order 8, the third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("of order 8, the fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
];

/// Thirty-two bytes that are no point, or not the canonical encoding of one.
const NOT_CANONICAL: [(&str, &str); 7] = [
    ("y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p, x odd", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = 1, x odd though it is 0", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("y = -1, x odd though it is 0", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("y = 2, which is on no point", "0200000000000000000000000000000000000000000000000000000000000000"),
];

#[test]
fn a_public_key_is_written_in_one_way() {
    let about = "Public keys as SubjectPublicKeyInfo (schema/src/key.rs), in hexadecimal, and their key ids: SHA-256 \
                 of that DER. Which signatures hold under a key is in ed25519.json; here is which keys are keys at \
                 all. `expect`: the 32 bytes of the key, and its id. `refused` is part of the reason.";
    let spki = |key: &str| json!({ "spki": format!("{SPKI_PREFIX}{key}") });
    let raw = |spki: String| json!({ "spki": spki });
    let whole = format!("{SPKI_PREFIX}{RFC_8410_KEY}");
    let not_spki = "not the DER of an Ed25519 SubjectPublicKeyInfo";
    let replaced = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        raw(whole.replacen(from, to, 1))
    };
    // B and B plus the point of order 2: the second is no multiple of the base point.
    let base = "5866666666666666666666666666666666666666666666666666666666666666";
    let mixed = "9599999999999999999999999999999999999999999999999999999999999999";
    let mut cases = vec![
        good("the key of RFC 8410", raw(whole.clone())),
        good("the base point", spki(base)),
        good("a root of the nation FR", spki(&hex(&Nation::new("FR").key(Role::Root, 0).public_key()))),
        bad("the base point plus the point of order 2", spki(mixed), "not torsion-free"),
        bad("nothing", raw(String::new()), not_spki),
        bad("the key without its DER", raw(RFC_8410_KEY.to_owned()), not_spki),
        bad("a byte too few", raw(whole[..whole.len() - 2].to_owned()), not_spki),
        bad("a byte too many", raw(format!("{whole}00")), not_spki),
        bad("another key after it", raw(format!("{whole}{whole}")), not_spki),
        bad("X25519", replaced("2b6570", "2b656e"), not_spki),
        bad("Ed448", replaced("2b6570", "2b6571"), not_spki),
        bad("P-256", raw(format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{}", "04".repeat(65))), not_spki),
        bad("parameters that are NULL", replaced("302a300506032b6570", "302c300706032b65700500"), not_spki),
        bad("a length in the long form of BER", replaced("302a", "30812a"), not_spki),
        bad("a bit string with unused bits", replaced("032100", "032101"), not_spki),
        bad("a private key (PKCS #8)", raw(format!("302e020100300506032b657004220420{RFC_8410_KEY}")), not_spki),
        bad("PEM", raw(hex(b"-----BEGIN PUBLIC KEY-----\n")), not_spki),
    ];
    cases.extend(SMALL_ORDER.map(|(name, key)| bad(format!("a point {name}"), spki(key), "of small order")));
    cases.extend(NOT_CANONICAL.map(|(name, key)| bad(name, spki(key), "not canonically encoded")));
    check("public-key", about, &cases, |case| {
        let key = PublicKey::from_spki(&from_hex(text_of(case, "spki"))).map_err(|error| reason(&error))?;
        assert_eq!(hex(&key.to_spki()), text_of(case, "spki"), "a key has one DER");
        Ok(json!({ "key": hex(key.as_bytes()), "keyid": key.key_id() }))
    });
}

/// A key record as it stands in a charter or delegation, and for whom it is opened.
fn asked(record: &Value, nation: &str, origin: &str, role: Role) -> Value {
    json!({ "record": record, "nation": nation, "origin": origin, "role": role })
}

#[test]
fn a_key_is_shown_in_the_role_it_asked_for() {
    let about = "Key records (schema/src/key.rs) and for which `nation`, log (`origin`) and `role` they are opened. \
                 `expect`: `message`, which the key's proof of possession signs. `refused` is part of the reason: a \
                 record that cannot be read at all, or one that does not open.";
    let (nation, other) = (Nation::new("FR"), Nation::new("KE"));
    let (code, origin) = ("FR", nation.origin.as_str());
    let record_of = |role: Role| json!(nation.key_record(role, 0));
    let publisher = record_of(Role::Publisher);
    let for_publisher = |record: Value| asked(&record, code, origin, Role::Publisher);
    let with = |member: &str, value: Value| {
        let mut record = publisher.clone();
        record[member] = value;
        for_publisher(record)
    };
    let without = |member: &str| {
        let mut record = publisher.clone();
        record.as_object_mut().unwrap().remove(member);
        for_publisher(record)
    };
    let key = nation.key(Role::Publisher, 0);
    let keyid = PublicKey::from_bytes(&key.public_key()).unwrap().key_id();
    let signed = |message: &[u8]| with("proofOfPossession", json!(base64::encode(&key.sign(message).unwrap())));
    let message = possession_message(&nation.code, &nation.origin, Role::Publisher, &keyid);
    let spki = |key: &str| base64::encode(&from_hex(&format!("{SPKI_PREFIX}{key}")));
    let text = |member: &str| publisher[member].as_str().unwrap().to_owned();
    let proof = base64::decode(&text("proofOfPossession")).unwrap();
    let sig = |bytes: &[u8]| with("proofOfPossession", json!(base64::encode(bytes)));
    let flipped = |at: usize| {
        let mut proof = proof.clone();
        proof[at] ^= 1;
        sig(&proof)
    };
    let (lacks, not_spki) = ("the signature does not hold", "not the DER of an Ed25519 SubjectPublicKeyInfo");
    let roles = [
        Role::Root,
        Role::Registrar,
        Role::Log,
        Role::Witness,
        Role::Mirror,
        Role::Publisher,
        Role::Exchange,
        Role::Evaluator,
        Role::Node,
        Role::Transport,
    ];
    let mut cases: Vec<_> =
        roles.map(|role| good(format!("a {} key", role.as_str()), asked(&record_of(role), code, origin, role))).into();
    cases.extend([
        good("unknown members are ignored", with("note", json!("kept in the payload, not read"))),
        bad("shown for another nation", asked(&publisher, "KE", origin, Role::Publisher), lacks),
        bad("shown for another log", asked(&publisher, code, other.origin.as_str(), Role::Publisher), lacks),
        bad("a publisher's key shown as a registrar's", asked(&publisher, code, origin, Role::Registrar), lacks),
        bad("a witness key shown as a mirror's", asked(&record_of(Role::Witness), code, origin, Role::Mirror), lacks),
        bad("a log key shown as a witness's", asked(&record_of(Role::Log), code, origin, Role::Witness), lacks),
        bad(
            "another's proof of possession",
            with("proofOfPossession", record_of(Role::Node)["proofOfPossession"].clone()),
            lacks,
        ),
        bad("another nation's key of the same role", for_publisher(json!(other.key_record(Role::Publisher, 0))), lacks),
        bad("a proof without the line end", signed(&message[..message.len() - 1]), lacks),
        bad("a proof of nothing", signed(b""), lacks),
        bad("a proof with R changed", flipped(0), lacks),
        bad("a proof with S changed", flipped(32), lacks),
        bad("a proof of zeros", sig(&[0; 64]), lacks),
        bad("a proof a byte short", sig(&proof[..63]), lacks),
        bad("a proof with a byte more", sig(&[&proof[..], &[0]].concat()), lacks),
        bad("an empty proof", with("proofOfPossession", json!("")), lacks),
        bad("a proof in base64 for URLs", signed_with_url_alphabet(&nation), lacks),
        bad(
            "a proof without padding",
            with("proofOfPossession", json!(text("proofOfPossession").trim_end_matches('='))),
            lacks,
        ),
        bad(
            "a key id of another key",
            with("keyid", record_of(Role::Node)["keyid"].clone()),
            "the key id is not that of the public key",
        ),
        bad(
            "a key id of the key without its DER",
            with("keyid", json!(chancery_schema::digest::Digest::of(&key.public_key()))),
            "the key id is not that of the public key",
        ),
        bad("a public key without its DER", with("publicKey", json!(base64::encode(&key.public_key()))), not_spki),
        bad(
            "a public key with a byte more",
            with(
                "publicKey",
                json!(base64::encode(&[&base64::decode(&text("publicKey")).unwrap()[..], &[0]].concat())),
            ),
            not_spki,
        ),
        bad(
            "a public key without padding",
            with("publicKey", json!(text("publicKey").trim_end_matches('='))),
            not_spki,
        ),
        bad("a public key that is not base64", with("publicKey", json!("key")), not_spki),
        bad("a public key of small order", with("publicKey", json!(spki(SMALL_ORDER[0].1))), "of small order"),
        bad(
            "a public key that is not canonical",
            with("publicKey", json!(spki(NOT_CANONICAL[2].1))),
            "not canonically encoded",
        ),
        bad(
            "a public key of mixed order",
            with("publicKey", json!(spki("9599999999999999999999999999999999999999999999999999999999999999"))),
            "not torsion-free",
        ),
        bad(
            "a key id in upper case",
            with("keyid", json!(text("keyid").to_uppercase())),
            "64 lowercase hexadecimal digits",
        ),
        bad("a key id cut short", with("keyid", json!(&text("keyid")[..62])), "64 lowercase hexadecimal digits"),
        bad(
            "another algorithm",
            with("alg", json!("ml-dsa-65")),
            "the key is of an algorithm that this version does not know",
        ),
        bad("the algorithm in upper case", with("alg", json!("Ed25519")), "is not a word of a-z, 0-9 and '-'"),
        bad("no algorithm", without("alg"), "missing field `alg`"),
        bad("no key id", without("keyid"), "missing field `keyid`"),
        bad("no public key", without("publicKey"), "missing field `publicKey`"),
        bad("no proof of possession", without("proofOfPossession"), "missing field `proofOfPossession`"),
    ]);
    check("key-record", about, &cases, |case| {
        let record = serde_json::from_value::<KeyRecord>(case["record"].clone()).map_err(|error| reason(&error))?;
        let role = serde_json::from_value(case["role"].clone()).unwrap();
        let (nation, origin) = (text_of(case, "nation").parse().unwrap(), text_of(case, "origin").parse().unwrap());
        let key = record.open(&nation, &origin, role).map_err(|error| reason(&error))?;
        assert_eq!(key.key_id(), record.keyid, "a record opens to its own key");
        let message = possession_message(&nation, &origin, role, &record.keyid);
        Ok(json!({ "message": String::from_utf8(message).unwrap() }))
    });
}

/// A record whose proof of possession holds, but is written in the alphabet that only DSSE allows.
fn signed_with_url_alphabet(nation: &Nation) -> Value {
    let needs_it = |record: &KeyRecord| record.proof_of_possession.contains(['+', '/']);
    let mut record = (0..=u8::MAX).map(|number| nation.key_record(Role::Publisher, number)).find(needs_it).unwrap();
    record.proof_of_possession = record.proof_of_possession.replace('+', "-").replace('/', "_");
    asked(&json!(record), nation.code.as_str(), nation.origin.as_str(), Role::Publisher)
}
