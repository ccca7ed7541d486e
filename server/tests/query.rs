use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::proof::Proof;
use serde_json::{Value, json};

use crate::node::Node;

#[test]
fn a_record_brings_all_that_is_needed_to_check_it() {
    let node = Node::with_model();
    let data = node.ask(
        "{ nations { own logKey } records(kind: \"model-card\") { totalCount edges { node {
            digest index kind envelope entry proof payload envelopeDigest bundle verdict { state } nation { code } } } } }",
        &json!({}),
    );
    assert_eq!(data["records"]["totalCount"], 1);
    let record = &data["records"]["edges"][0]["node"];
    assert_eq!(record["verdict"]["state"], "VALID");
    let envelope = Envelope::parse(record["envelope"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(record["digest"], envelope.record_digest().to_string());
    assert_eq!(record["envelopeDigest"], envelope.digest().to_string());
    assert_eq!(record["payload"].as_str().unwrap().as_bytes(), envelope.payload());
    let key = data["nations"][0]["logKey"].as_str().unwrap().parse().unwrap();
    let entry = chancery_schema::base64::decode(record["entry"].as_str().unwrap()).unwrap();
    let proof = Proof::parse(record["proof"].as_str().unwrap().as_bytes()).unwrap();
    let (index, _) = proof.verify(&entry, &key).unwrap();
    assert_eq!(record["index"], json!(index));
    let file = node.get(record["bundle"].as_str().unwrap());
    assert_eq!(file.status, 200);
    assert!(file.header("content-disposition").starts_with("attachment"));
    let path = format!("/record/{}", record["digest"].as_str().unwrap());
    assert_eq!(node.get(&path).body, envelope.to_bytes());
    assert_eq!(node.get("/introduction").status, 200);
}

#[test]
fn a_nation_is_shown_with_the_charter_in_force_and_the_one_before_as_superseded() {
    let mut node = Node::empty();
    let query = "{ nations { fingerprint charterVersion charter { digest verdict { state } } }
        records(kind: \"charter\") { edges { node { digest verdict { state supersededBy } } } } }";
    let first = node.nation.charter();
    node.admit(&first);
    let (digest, data) = (first.record_digest(), node.ask(query, &json!({})));
    let charter = json!({ "digest": digest, "verdict": { "state": "VALID" } });
    assert_eq!(data["nations"], json!([{ "fingerprint": digest, "charterVersion": 1, "charter": charter }]));

    let draft = node.nation.next_charter_draft(2, &first, &[1, 2, 3]);
    let second = node.nation.sign_charter(draft, &[1, 2]);
    node.admit(&second);
    let (next, data) = (second.record_digest(), node.ask(query, &json!({})));
    let charter = json!({ "digest": next, "verdict": { "state": "VALID" } });
    assert_eq!(data["nations"], json!([{ "fingerprint": digest, "charterVersion": 2, "charter": charter }]));
    let before = &data["records"]["edges"][1]["node"];
    let verdict = json!({ "state": "SUPERSEDED", "supersededBy": next });
    assert_eq!((&before["digest"], &before["verdict"]), (&json!(digest), &verdict));
}

#[test]
fn models_are_found_by_page_name_filter_and_digest() {
    let mut node = Node::with_model();
    let mut publish = |name: &str, version: &str| {
        node.keep(format!("# {name} {version}\n").as_bytes());
        let card = node.nation.card(name, version);
        node.admit(&card);
        card
    };
    publish("n", "1.0");
    let card = publish("m", "2.0");
    let page = |after: Value| {
        let query =
            "query ($after: String) { models(first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor }
            edges { cursor node { urn version displayName(language: \"ar\") } } } }";
        node.ask(query, &json!({ "after": after }))["models"].take()
    };
    let first = page(Value::Null);
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(2), &json!(true)), "{first}");
    assert_eq!(
        first["edges"][0]["node"],
        json!({ "urn": "urn:chancery:FR:lab:m", "version": "2.0", "displayName": "نموذج" })
    );
    let second = page(first["pageInfo"]["endCursor"].clone());
    assert_eq!(
        (&second["edges"][0]["node"]["urn"], &second["pageInfo"]["hasNextPage"]),
        (&json!("urn:chancery:FR:lab:n"), &json!(false))
    );
    let data = node.ask(
        "query ($digest: Digest!) {
            model(urn: \"urn:chancery:FR:lab:m\") { version versions { version } nation { code displayName } card { digest } }
            old: model(urn: \"urn:chancery:FR:lab:m\", version: \"1.0\") { id }
            none: models(filter: { nation: \"KE\" }) { totalCount }
            some: models(filter: { text: \"sample\" }) { totalCount }
            lookup(digest: $digest) { what record { kind } }
            nation(code: \"FR\") { models { totalCount } charter { kind } log { size } }
        }",
        &json!({ "digest": card.record_digest() }),
    );
    assert_eq!(data["model"]["version"], "2.0");
    assert_eq!(data["model"]["versions"], json!([{ "version": "2.0" }, { "version": "1.0" }]));
    assert_eq!(data["model"]["nation"], json!({ "code": "FR", "displayName": "Nation FR" }));
    assert_eq!((&data["none"]["totalCount"], &data["some"]["totalCount"]), (&json!(0), &json!(2)));
    assert_eq!(data["lookup"], json!([{ "what": "RECORD", "record": { "kind": "model-card" } }]));
    let nation = json!({ "models": { "totalCount": 2 }, "charter": { "kind": "charter" }, "log": { "size": 5 } });
    assert_eq!(data["nation"], json!([nation]));
}

#[test]
fn models_are_listed_in_the_order_that_is_asked_for() {
    let mut node = Node::with_model();
    for name in ["z", "a"] {
        node.keep(format!("# {name} 1.0\n").as_bytes());
        let card = node.nation.card(name, "1.0");
        node.admit(&card);
    }
    let names = |query: &str, variables: Value| {
        let data = node.ask(query, &variables);
        let edges = data["models"]["edges"].as_array().unwrap().iter();
        edges.map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for newest in ["first: 9", "order: NEWEST", "order: null"] {
        assert_eq!(names(&format!("{{ models({newest}) {{ edges {{ node {{ name }} }} }} }}"), json!({})), "a z m");
    }
    let asked = "query ($order: ModelOrder, $after: String) {
        models(order: $order, after: $after) { edges { node { name } } } }";
    assert_eq!(names(asked, json!({})), "a z m");
    assert_eq!(names(asked, json!({ "order": "NAME" })), "a m z");
    let first = node.ask("{ models(order: NAME, first: 1) { pageInfo { endCursor } } }", &json!({}));
    let after = &first["models"]["pageInfo"]["endCursor"];
    assert_eq!(names(asked, json!({ "order": "NAME", "after": after })), "m z");
}

#[test]
fn a_cursor_that_continues_no_such_list_is_bad_input_and_says_so() {
    let node = Node::with_model();
    let data = node.ask("{ models(order: NAME) { pageInfo { endCursor } } }", &json!({}));
    let cursor = &data["models"]["pageInfo"]["endCursor"];
    for list in ["models(after: CURSOR)", "records(after: CURSOR)", "models(order: NAME, after: \"x\")"] {
        let query =
            format!("{{ nations {{ code }} {} {{ totalCount }} }}", list.replace("CURSOR", &cursor.to_string()));
        let answer = node.post(&json!({ "query": query }).to_string());
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            (answer.status, value.get("data")),
            (200, Some(&Value::Null)),
            "a list cannot be null, so nothing is answered"
        );
        let error = &value["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{list}");
        assert!(error["message"].as_str().unwrap().contains("did not give such a cursor"), "{error}");
    }
    assert_eq!(node.refused("{ models(order: OLDEST) { totalCount } }"), (400, "VALIDATION_FAILED".to_owned()));
}

#[test]
fn an_id_leads_back_to_what_it_is_the_id_of() {
    let node = Node::with_model();
    let data = node.ask(
        "{ nations { id } logs { id } models { edges { node { id } } } records { edges { node { id } } } }",
        &json!({}),
    );
    let edges =
        |list: &str| data[list]["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone()).collect();
    let records: Vec<Value> = edges("records");
    let models: Vec<Value> = edges("models");
    let ids: Vec<Value> =
        [vec![data["nations"][0]["id"].clone(), data["logs"][0]["id"].clone()], models, records].concat();
    let found = node.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", &json!({ "ids": ids }));
    let found = found["nodes"].as_array().unwrap();
    assert_eq!(found.iter().map(|node| node["id"].clone()).collect::<Vec<_>>(), ids);
    let names: Vec<&str> = found.iter().map(|node| node["__typename"].as_str().unwrap()).collect();
    assert_eq!(names, ["Nation", "Log", "Model", "Record", "Record", "Record"]);
}

#[test]
fn what_is_not_held_is_null_and_no_error() {
    let node = Node::with_model();
    let digest = Digest::of(b"nothing");
    let data = node.ask(
        "query ($digest: Digest!) { record(digest: $digest) { kind } lookup(digest: $digest) { what }
            model(urn: \"urn:chancery:FR:lab:none\") { urn } log(origin: \"ke.example.org/chancery\") { size }
            nation(code: \"KE\") { code } partners { nation sync { state } } }",
        &json!({ "digest": digest }),
    );
    assert_eq!(data, json!({ "record": null, "lookup": [], "model": null, "log": null, "nation": [], "partners": [] }));
}

#[test]
fn graphiqls_introspection_is_answered() {
    let node = Node::empty();
    let type_ref = format!("{}{}", "kind name ofType { ".repeat(9) + "kind name", " }".repeat(9));
    let query = format!(
        "query I {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
            subscriptionType {{ name kind }} types {{ ...T }}
            directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...V }} }} }} }}
         fragment T on __Type {{ kind name description specifiedByURL isOneOf
            fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...V }}
                type {{ ...R }} isDeprecated deprecationReason }}
            inputFields(includeDeprecated: true) {{ ...V }} interfaces {{ ...R }}
            enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
            possibleTypes {{ ...R }} }}
         fragment V on __InputValue {{ name description type {{ ...R }} defaultValue isDeprecated deprecationReason }}
         fragment R on __Type {{ {type_ref} }}"
    );
    let schema = node.ask(&query, &json!({}));
    assert_eq!(schema["__schema"]["mutationType"]["name"], "Mutation");
}
