//! From draft to payload to record and back, for the bodies that publishers sign, and what is refused
//! on the way.

#![expect(clippy::unwrap_used, reason = "a test")]

use chancery_schema::digest::Digest;
use chancery_schema::limits::{
    CHUNK_BYTES, FILES_MAX, JSON_INTEGER_MAX, LINE_BYTES_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX,
};
use chancery_schema::name::ModelId;
use chancery_schema::record::{
    ChunkHashesError, Format, Header, Kind, Nonce, Record, RecordError, TextRef, Weights, WeightsFile,
    check_chunk_hashes, chunk_count, chunk_hash, chunk_root, json_schema, manifest_text, oms_root, payload,
};
use chancery_schema::statement::Statement;
use chancery_schema::time::Timestamp;
use serde_json::{Map, Value, json};

fn header() -> Header {
    Header {
        nonce: Nonce::from_bytes([7; 16]),
        nation: "FR".parse().unwrap(),
        log: "fr.example.org/chancery".parse().unwrap(),
        issued_at: Timestamp::from_unix_seconds(1_795_521_600).unwrap(),
        audience: None,
    }
}

fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

fn blob(text: &str) -> Value {
    json!({"sha256": digest(text), "sizeBytes": text.len(), "mediaType": "text/plain; charset=utf-8"})
}

fn card() -> Value {
    json!({
        "org": "lab", "name": "model", "version": "1.0", "displayName": {"fr": "Modèle", "ar": "نموذج"},
        "releaseDate": "2026-11", "supersedes": digest("old card"), "license": digest("license"),
        "weights": [digest("weights"), digest("quantized")], "sourceDocument": blob("# Modèle"),
        "lineage": [{"model": "urn:chancery:KE:lab:base@1", "relation": "finetune", "card": digest("base")}],
        "architecture": {"family": "transformer-decoder", "totalParameters": "7.3e10", "contextLength": 131_072},
        "modalities": {"input": ["text", "image"], "output": ["text"]}, "tasks": ["text-generation"],
        "languages": [{"tag": "fr", "support": "primary"}, {"tag": "wo"}],
        "trainingData": [{"name": "Web", "jurisdictions": ["FR", "EU"], "personalData": true}],
        "evaluations": [{"metric": "accuracy", "value": "20.0 ± 1.2", "independence": "self"}],
        "compute": {"trainingFlop": "2.1e25", "facilities": [{"name": "Jean Zay", "country": "FR"}]},
        "culturalAlignment": {"statement": {"fr": "Selon la loi."}, "annotators": {"nations": ["SN"], "count": 40}},
        "sectors": [{"sector": "health", "suitability": "conditional", "conditions": "a physician decides"}],
        "limitations": [], "risks": [{"name": "invention of facts"}], "contacts": [{"uri": "https://lab.example/contact"}],
        "text": {"fr": "# Modèle\n"}, "extension": {"kept": true},
    })
}

fn weights() -> (Value, Vec<u8>) {
    let leaf = |byte: u8| *chunk_hash(&[byte]).as_bytes();
    let file = |path: &str, size_bytes: u64, leaves: &[[u8; 32]]| WeightsFile {
        path: path.to_owned(),
        size_bytes,
        sha256: Digest::of(path.as_bytes()),
        chunk_root: chunk_root(leaves),
        format: Some(Format::Safetensors.into()),
    };
    let (three, one) = ([leaf(0), leaf(1), leaf(2)], [leaf(3)]);
    let files = [file("a-b", 2 * CHUNK_BYTES + 1, &three), file("a/b", 0, &[]), file("c", 5, &one)];
    let blob: Vec<u8> = three.iter().chain(&one).flatten().copied().collect();
    let draft = json!({
        "org": "lab", "name": "model", "version": "1.0", "files": files,
        "totalBytes": 2 * CHUNK_BYTES + 6, "chunkBytes": CHUNK_BYTES,
        "chunkHashes": {
            "sha256": Digest::of(&blob), "sizeBytes": blob.len(), "mediaType": "application/octet-stream"
        },
        "manifest": Digest::of(manifest_text(&files).as_bytes()), "omsRoot": oms_root(&files),
        "locations": [{"uri": "https://lab.example/model", "mediaType": "application/octet-stream"}],
        "ignored": [".git"],
    });
    (draft, blob)
}

const TERMS: &str = "You may use it. For military use in any way: no.";

fn license() -> Value {
    json!({
        "org": "lab", "name": "terms", "title": {"en": "Terms"}, "spdx": "LicenseRef-lab-terms",
        "texts": [{"language": "en", "blob": blob(TERMS)}, {"language": "fr", "blob": blob("Conditions")}],
        "prevailingLanguage": "en", "policyType": "offer", "assigner": "Lab", "governingLaw": "France",
        "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z",
        "nationGroups": {"EU": ["FR", "DE"], "Maghreb": ["DZ", "MA", "TN"]},
        "clauses": [
            {"id": "run", "kind": "permission", "actions": ["run", "finetune"], "duties": ["attribute"],
             "seats": {"noneOf": ["EU"]}, "places": {"anyOf": ["Maghreb", "FR"]}, "reading": "publisher-asserted",
             "thresholds": [{"operand": "monthlyActiveUsers", "op": "lteq", "value": "7e8"}]},
            {"id": "military", "kind": "prohibition", "actions": ["run"], "purposes": ["military"],
             "textRef": {"sha256": digest(TERMS), "byteStart": 16, "byteEnd": 31, "quote": "For military us"},
             "reading": "extracted"},
        ],
    })
}

/// Draft → payload → statement → record.
fn pass(kind: Kind, draft: &Value) -> Result<(Statement, Record), RecordError> {
    let payload = payload(kind, &header(), draft.as_object().unwrap())?;
    let statement = Statement::parse(&payload)?;
    let (read, record) = Record::read_new(&statement)?;
    assert_eq!(read, header());
    Ok((statement, record))
}

/// Each case replaces one place of a good draft; the refusal must name the place that is given.
fn refuse(kind: Kind, draft: &Value, cases: &[(&str, Value, &str)]) {
    for (pointer, value, place) in cases {
        let mut draft = draft.clone();
        put(&mut draft, pointer, value.clone());
        match pass(kind, &draft) {
            Err(RecordError::Predicate { invalid, .. }) => {
                assert_eq!(invalid.pointer, *place, "{pointer} = {value}: {}", invalid.problem);
            }
            other => panic!("{pointer} = {value} should be refused, and gave {other:?}"),
        }
    }
}

fn take(kind: Kind, draft: &Value, cases: &[(&str, Value)]) {
    for (pointer, value) in cases {
        let mut draft = draft.clone();
        put(&mut draft, pointer, value.clone());
        pass(kind, &draft).unwrap_or_else(|error| panic!("{pointer} should be taken: {error}"));
    }
}

fn put(draft: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = draft.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[member.parse::<usize>().unwrap()] = value,
        _ => parent[member] = value,
    }
}

fn names(statement: &Statement) -> Vec<(&str, String)> {
    statement.subject.iter().map(|it| (it.name.as_str(), it.digest.sha256.to_string())).collect()
}

#[test]
fn a_card_speaks_of_its_weights_and_its_source() {
    let (statement, record) = pass(Kind::ModelCard, &card()).unwrap();
    let urn = "urn:chancery:FR:lab:model@1.0";
    let expected = [(urn, digest("weights")), (urn, digest("quantized")), ("README.md", digest("# Modèle"))];
    assert_eq!(names(&statement), expected);
    assert_eq!(statement.predicate["extension"], json!({"kept": true}));
    let Record::ModelCard(model_card) = &record else { panic!("not a card") };
    assert_eq!(model_card.model_id(&header()), "urn:chancery:FR:lab:model".parse::<ModelId>().unwrap());
    assert_eq!(model_card.compute.as_ref().unwrap().exceeds_eu_threshold(), Some(true));
    let references = record.references();
    assert_eq!(
        references.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        [Kind::Weights, Kind::Weights, Kind::License]
    );
    assert_eq!((record.scope().as_deref(), record.blobs().len()), (Some("lab:model"), 1));
}

#[test]
fn not_stated_is_not_none() {
    let mut draft = card();
    for member in ["lineage", "trainingData", "limitations"] {
        draft.as_object_mut().unwrap().remove(member);
    }
    draft["risks"] = json!([]);
    let (_, Record::ModelCard(card)) = pass(Kind::ModelCard, &draft).unwrap() else { panic!("not a card") };
    assert_eq!((card.lineage.as_ref(), card.limitations.as_ref(), card.risks.as_deref()), (None, None, Some(&[][..])));
    let written = serde_json::to_value(&card).unwrap();
    assert_eq!((written.get("lineage"), &written["risks"]), (None, &json!([])));
}

#[test]
fn cards_that_say_what_cannot_be_are_refused() {
    let lines = |count: usize| Value::from(vec!["x"; count]);
    let line = |bytes: usize| Value::from("x".repeat(bytes));
    refuse(
        Kind::ModelCard,
        &card(),
        &[
            ("/org", json!("Lab"), "/org"),
            ("/displayName", json!({}), "/displayName"),
            ("/displayName", json!({"fr": "deux\nlignes"}), "/displayName/fr"),
            ("/displayName", json!({"français": "x"}), "/displayName/français"),
            ("/weights", json!([digest("w"), digest("w")]), "/weights/1"),
            ("/weights", json!([digest("w").to_uppercase()]), "/weights/0"),
            ("/lineage/0/relation", json!("stolen"), "/lineage/0/relation"),
            ("/lineage/0/nation", json!("ZZ"), "/lineage/0/nation"),
            ("/trainingData/0/jurisdictions", json!(["SU"]), "/trainingData/0/jurisdictions"),
            ("/compute/facilities/0/country", json!("UK"), "/compute/facilities/0/country"),
            ("/culturalAlignment/annotators/nations", json!(["XK"]), "/culturalAlignment/annotators/nations"),
            ("/lineage/0/model", json!("urn:chancery:FR:lab:model@1.0"), "/lineage/0/model"),
            ("/lineage/0/model", json!("urn:chancery:fr:lab"), "/lineage/0/model"),
            ("/lineage/0/relation", json!("Stolen!"), "/lineage/0/relation"),
            ("/architecture/totalParameters", json!("7 billion"), "/architecture/totalParameters"),
            ("/architecture/totalParameters", json!(7), "/architecture/totalParameters"),
            ("/compute/trainingFlop", json!("-1"), "/compute/trainingFlop"),
            ("/compute/facilities/0/country", json!("France"), "/compute/facilities/0/country"),
            ("/trainingData/0/jurisdictions/1", json!("France"), "/trainingData/0/jurisdictions/1"),
            ("/trainingData/0/personalData", json!("no"), "/trainingData/0/personalData"),
            ("/evaluations/0/value", json!(5), "/evaluations/0/value"),
            ("/evaluations/0/metric", json!(" "), "/evaluations/0/metric"),
            ("/sectors/0/conditions", Value::Null, "/sectors/0/conditions"),
            ("/contacts/0/uri", json!("javascript:alert(1)"), "/contacts/0/uri"),
            ("/contacts/0/uri", json!("jane@lab.example"), "/contacts/0/uri"),
            ("/sourceDocument/sizeBytes", json!(0), "/sourceDocument/sizeBytes"),
            ("/sourceDocument/sizeBytes", json!((16 << 20) + 1), "/sourceDocument/sizeBytes"),
            ("/sourceDocument/mediaType", json!("markdown"), "/sourceDocument/mediaType"),
            ("/tags", lines(LIST_ITEMS_MAX + 1), "/tags"),
            ("/limitations", json!([line(LINE_BYTES_MAX + 1)]), "/limitations/0"),
            ("/text", json!({"fr": line(TEXT_BYTES_MAX + 1)}), "/text/fr"),
        ],
    );
    take(
        Kind::ModelCard,
        &card(),
        &[
            ("/tags", lines(LIST_ITEMS_MAX)),
            ("/limitations", json!([line(LINE_BYTES_MAX)])),
            ("/text", json!({"fr": line(TEXT_BYTES_MAX)})),
            ("/sourceDocument/sizeBytes", json!(16 << 20)),
            ("/lineage", json!([{"model": "somebody/their-model"}])),
            ("/trainingData/0/personalData", Value::Null),
        ],
    );
}

#[test]
fn a_card_about_nothing_is_refused() {
    let mut draft = card();
    draft["weights"] = json!([]);
    draft.as_object_mut().unwrap().remove("sourceDocument");
    let error = pass(Kind::ModelCard, &draft).unwrap_err().to_string();
    assert!(error.contains("/weights: is empty; name the weights record or the source document"), "{error}");
}

#[test]
fn weights_speak_of_their_manifest() {
    let (draft, blob) = weights();
    let (statement, record) = pass(Kind::Weights, &draft).unwrap();
    assert_eq!(names(&statement), [("urn:chancery:FR:lab:model@1.0", draft["manifest"].as_str().unwrap().to_owned())]);
    assert_eq!(record.blobs()[0].sha256, Digest::of(&blob));
    assert_eq!(record.scope().as_deref(), Some("lab:model"));
}

#[test]
fn chunk_hashes_prove_themselves() {
    let (draft, mut blob) = weights();
    let (_, Record::Weights(weights)) = pass(Kind::Weights, &draft).unwrap() else { panic!("not weights") };
    let lengths = |weights: &Weights, blob: &[u8]| {
        check_chunk_hashes(weights, blob).map(|files| files.iter().map(|leaves| leaves.len()).collect::<Vec<_>>())
    };
    assert_eq!(lengths(&weights, &blob), Ok(vec![3, 0, 1]));
    let short = ChunkHashesError::Length { expected: 128, found: 127 };
    assert_eq!(lengths(&weights, &blob[..127]), Err(short));
    blob[127] ^= 1;
    assert_eq!(lengths(&weights, &blob), Err(ChunkHashesError::Root { path: "c".to_owned() }));
    let (mut huge, _) = (weights.clone(), blob);
    huge.files[0].size_bytes = u64::MAX;
    assert!(lengths(&huge, &[]).is_err());
}

#[test]
fn weights_that_do_not_add_up_are_refused() {
    let (draft, _) = weights();
    refuse(
        Kind::Weights,
        &draft,
        &[
            ("/totalBytes", json!(1), "/totalBytes"),
            ("/chunkBytes", json!(1 << 20), "/chunkBytes"),
            ("/manifest", json!(digest("x")), "/manifest"),
            ("/omsRoot", json!(digest("x")), "/omsRoot"),
            ("/chunkHashes/sizeBytes", json!(96), "/chunkHashes/sizeBytes"),
            ("/files/0/sha256", json!(digest("x")), "/manifest"),
            ("/files/0/path", json!("../a"), "/files/0/path"),
            ("/files/0/path", json!("/etc/passwd"), "/files/0/path"),
            ("/files/0/path", json!("C"), "/files"),
            ("/files/0/path", json!("d"), "/files/1/path"),
            ("/files/1/path", json!("a-b"), "/files/1/path"),
            ("/files/1/path", json!("A-b"), "/files/1/path"),
            ("/files/1/path", json!("c"), "/files/2/path"),
            ("/files/0/sizeBytes", json!(-1), "/files/0/sizeBytes"),
            ("/files/0/sizeBytes", json!(JSON_INTEGER_MAX), "/files/2/sizeBytes"),
            ("/files", json!([]), "/totalBytes"),
            ("/locations/0/uri", json!("somewhere"), "/locations/0/uri"),
            ("/ignored/0", json!("../x"), "/ignored/0"),
        ],
    );
}

#[test]
fn a_manifest_has_at_most_so_many_files() {
    let leaf = [*chunk_hash(b"x").as_bytes()];
    let draft = |count: usize| {
        let file = |n: usize| WeightsFile {
            path: format!("{n:05}"),
            size_bytes: 1,
            sha256: Digest::of(b"x"),
            chunk_root: chunk_root(&leaf),
            format: None,
        };
        let files: Vec<WeightsFile> = (0..count).map(file).collect();
        let (mut draft, _) = weights();
        draft["totalBytes"] = json!(count);
        draft["chunkHashes"]["sizeBytes"] = json!(32 * chunk_count(1) * count as u64);
        draft["manifest"] = json!(Digest::of(manifest_text(&files).as_bytes()));
        draft["omsRoot"] = json!(oms_root(&files));
        draft["files"] = json!(files);
        draft
    };
    assert!(pass(Kind::Weights, &draft(FILES_MAX)).is_ok());
    assert!(pass(Kind::Weights, &draft(FILES_MAX + 1)).is_err());
}

#[test]
fn a_license_speaks_of_its_texts() {
    let (statement, record) = pass(Kind::License, &license()).unwrap();
    assert_eq!(names(&statement), [("lab/terms (en)", digest(TERMS)), ("lab/terms (fr)", digest("Conditions"))]);
    assert_eq!((record.blobs().len(), record.scope().as_deref()), (2, Some("lab:terms")));
    let Record::License(license) = record else { panic!("not a license") };
    let passage: &TextRef = license.clauses[1].text_ref.as_ref().unwrap();
    assert!(passage.holds(TERMS.as_bytes()));
    assert!(!passage.holds(b"Conditions"));
}

#[test]
fn licenses_whose_parts_disagree_are_refused() {
    let clause = "/clauses/1";
    let place = |member: &str| format!("{clause}/{member}");
    let [sha, end, quote] = ["textRef/sha256", "textRef/byteEnd", "textRef/quote"].map(place);
    let start = place("textRef/byteStart");
    refuse(
        Kind::License,
        &license(),
        &[
            ("/texts", json!([]), "/texts"),
            ("/texts/1/language", json!("en"), "/texts/1/language"),
            ("/prevailingLanguage", json!("de"), "/prevailingLanguage"),
            ("/spdx", json!("MIT or so"), "/spdx"),
            ("/policyType", json!("agreement"), "/assignee"),
            ("/policyType", json!("Set!"), "/policyType"),
            ("/validUntil", json!("2026-01-01T00:00:00Z"), "/validUntil"),
            ("/nationGroups/EU", json!(["XK"]), "/nationGroups"),
            ("/clauses/1/id", json!("run"), "/clauses/1/id"),
            ("/clauses/1/actions", json!([]), "/clauses/1/actions"),
            ("/clauses/1/actions", json!(["Steal!"]), "/clauses/1/actions/0"),
            ("/clauses/1/kind", json!("duty"), "/clauses/1/duties"),
            ("/clauses/0/seats", json!({ "noneOf": ["ZZ"] }), "/clauses/0/seats"),
            ("/clauses/1/actions", json!(["steal"]), "/clauses/1/actions/0"),
            ("/clauses/0/seats", json!({}), "/clauses/0/seats"),
            ("/clauses/0/seats/noneOf", json!(["Benelux"]), "/clauses/0/seats/noneOf/0"),
            ("/clauses/0/thresholds/0/value", json!("many"), "/clauses/0/thresholds/0/value"),
            (&sha, json!(digest("another")), &sha),
            (&start, json!(31), &end),
            (&end, json!(TERMS.len() + 1), &end),
            (&quote, json!("For military use"), &quote),
        ],
    );
    take(
        Kind::License,
        &license(),
        &[("/prevailingLanguage", Value::Null), ("/clauses", json!([])), ("/closed", json!(true))],
    );
}

#[test]
fn the_json_schemas_take_what_we_take() {
    for (kind, draft) in [(Kind::ModelCard, card()), (Kind::Weights, weights().0), (Kind::License, license())] {
        let validator = jsonschema::validator_for(&json_schema(kind)).unwrap();
        let (statement, _) = pass(kind, &draft).unwrap();
        let errors: Vec<String> = validator.iter_errors(&statement.predicate).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}");
        let mut bad: Map<String, Value> = statement.predicate.as_object().unwrap().clone();
        bad.insert("org".to_owned(), json!("Not A Name"));
        assert!(!validator.is_valid(&Value::Object(bad)), "{kind}");
    }
}

#[test]
fn a_fraction_never_enters_a_payload() {
    let mut draft = card();
    draft["extension"] = json!(0.5);
    assert!(matches!(pass(Kind::ModelCard, &draft), Err(RecordError::Statement(_))));
}
