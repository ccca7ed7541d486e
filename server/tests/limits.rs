use std::io::Read as _;
use std::net::TcpStream;

use chancery_schema::key::Role;
use chancery_schema::record::Kind;
use serde_json::{Value, json};

use crate::node::{Answer, Node};

fn still_answers(node: &Node) {
    assert_eq!(node.ask("{ __typename }", &json!({})), json!({ "__typename": "Query" }));
}

#[test]
fn every_limit_refuses_with_its_code_and_the_next_request_still_works() {
    let node = Node::empty();
    let nested = "{ models { edges { node ".repeat(5);
    let ids = vec!["x"; 21];
    for (query, expected) in [
        (format!("{{ {} }}", "__typename ".repeat(2001)), (400, "LIMIT_EXCEEDED")),
        (
            format!("{{ {} }}", (0..31).map(|i| format!("a{i}: __typename ")).collect::<Vec<_>>().concat()),
            (400, "LIMIT_EXCEEDED"),
        ),
        (format!("{{ __typename {} }}", "@skip(if: false) ".repeat(11)), (400, "LIMIT_EXCEEDED")),
        (format!("{nested}{}", "}".repeat(15)), (400, "LIMIT_EXCEEDED")),
        (
            "{ models(first: 100) { edges { node { versions(first: 100) { urn } } } } }".to_owned(),
            (400, "LIMIT_EXCEEDED"),
        ),
        ("{ a: logs { cosignatures(first: 100) { line at } } }".to_owned(), (400, "LIMIT_EXCEEDED")),
        (format!("{{ nation(code: \"{}\") {{ code }} }}", "x".repeat(70_000)), (413, "TOO_LARGE")),
        ("{ models(first: 101) { totalCount } }".to_owned(), (200, "BAD_INPUT")),
        ("{ models(first: 0) { totalCount } }".to_owned(), (200, "BAD_INPUT")),
        (format!("{{ lookup(digest: \"{}\", first: 0) {{ name }} }}", "0".repeat(64)), (200, "BAD_INPUT")),
        (
            format!(
                "{{ lookup(digest: \"{}\", first: 100) {{ record {{ envelope payload proof entry kind nation {{ \
                 code }} }} }} }}",
                "0".repeat(64)
            ),
            (400, "LIMIT_EXCEEDED"),
        ),
        ("{ models { edges { node { weights(first: 100) { kind } } } } }".to_owned(), (400, "LIMIT_EXCEEDED")),
        (format!("{{ nodes(ids: {ids:?}) {{ id }} }}"), (200, "BAD_INPUT")),
        ("{ node(id: \"x\") { id } }".to_owned(), (200, "BAD_INPUT")),
        ("{ nation(code: \"France\") { code } }".to_owned(), (200, "BAD_INPUT")),
        ("{ record(digest: \"00\") { kind } }".to_owned(), (200, "BAD_INPUT")),
        ("{ log(origin: \"a b\") { size } }".to_owned(), (200, "BAD_INPUT")),
        ("{ nothing }".to_owned(), (400, "VALIDATION_FAILED")),
        ("{".to_owned(), (400, "PARSE_FAILED")),
    ] {
        let (status, code) = node.refused(&query);
        assert_eq!((status, code.as_str()), expected, "{}", query.chars().take(100).collect::<String>());
        still_answers(&node);
    }
}

#[test]
fn a_body_that_is_no_request_is_refused_with_its_code() {
    let node = Node::empty();
    let large = format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":\"{}\"}}}}", "x".repeat(2 << 20));
    for (body, expected) in [
        (r#"[{"query":"{ __typename }"}]"#, (400, "BAD_REQUEST")),
        ("{}", (400, "BAD_REQUEST")),
        ("query { __typename }", (400, "BAD_REQUEST")),
        (large.as_str(), (413, "TOO_LARGE")),
    ] {
        let (status, code) = node.post(body).code();
        assert_eq!((status, code.as_str()), expected);
        still_answers(&node);
    }
}

#[test]
fn only_json_is_read_and_only_queries_go_by_get() {
    let node = Node::empty();
    let url = format!("{}/graphql", node.url);
    let body = r#"{"query":"{ __typename }"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"] {
        let answer = Answer::of(node.agent.post(&url).content_type(content_type).send(body));
        assert_eq!(answer.code(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()), "{content_type}");
    }
    let packed = node.agent.post(&url).content_type("application/json").header("content-encoding", "gzip").send(body);
    assert_eq!(Answer::of(packed).code().0, 415);
    let mutation = "mutation%20%7B%20publish(input%3A%20%7B%20envelope%3A%20%22%22%20%7D)%20%7B%20status%20%7D%20%7D";
    let answer = node.get(&format!("/graphql?query={mutation}"));
    assert_eq!(answer.header("allow"), "GET, POST");
    assert_eq!(answer.code(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    let hidden = format!("/graphql?query=query%20A%20%7B%20__typename%20%7D%20{mutation}&operationName=A");
    assert_ne!(node.get(&hidden).status, 500);
    assert_eq!(node.get("/graphql?query=%7B%20__typename%20%7D").text(), r#"{"data":{"__typename":"Query"}}"#);
    assert_eq!(Answer::of(node.agent.delete(&url).call()).code().0, 405);
    let picky =
        Answer::of(node.agent.get(format!("{url}?query=%7B__typename%7D")).header("accept", "text/html").call());
    assert_eq!(picky.code(), (406, "NOT_ACCEPTABLE".to_owned()));
    still_answers(&node);
}

#[test]
fn an_answer_has_a_bound_in_bytes() {
    let mut node = Node::with_model();
    for number in 0..14 {
        let mut draft = node.nation.card_draft("m", "1.0");
        draft["name"] = json!(format!("large{number}"));
        draft["text"] = json!({ "en": "x".repeat(500_000) });
        let key = node.nation.key(Role::Publisher, 0);
        let card = node.nation.sign(Kind::ModelCard, draft, &[&key]);
        node.admit(&card);
    }
    let ask = |first: u8, fields: &str| -> (usize, Value) {
        let query =
            format!("{{ records(first: {first}, kind: \"model-card\") {{ edges {{ node {{ {fields} }} }} }} }}");
        let answer = node.post(&json!({ "query": query }).to_string());
        (answer.body.len(), serde_json::from_slice(&answer.body).unwrap())
    };
    let (bytes, some) = ask(5, "envelope payload");
    assert!(some.get("errors").is_none() && bytes > 5 << 20, "{bytes} {:?}", some.get("errors"));
    let (bytes, all) = ask(100, "envelope payload");
    assert!(bytes < 20 << 20, "{bytes} bytes were answered");
    let errors = all["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "LIMIT_EXCEEDED"), "{errors:?}");
    assert!(errors[0]["message"].as_str().unwrap().contains("16777216 bytes"), "{errors:?}");
    assert_eq!(ask(100, "digest verdict { state }").1.get("errors"), None);
    still_answers(&node);
}

#[test]
fn a_lookup_shows_a_page_of_what_has_the_digest() {
    let mut node = Node::with_model();
    for name in ["n", "o"] {
        let mut draft = node.nation.card_draft("m", "1.0");
        draft["name"] = json!(name);
        let key = node.nation.key(Role::Publisher, 0);
        let card = node.nation.sign(Kind::ModelCard, draft, &[&key]);
        node.admit(&card);
    }
    let query = "query ($digest: Digest!) { two: lookup(digest: $digest, first: 2) { what } \
        all: lookup(digest: $digest) { what } }";
    let found = node.ask(query, &json!({ "digest": node.keep(b"# m 1.0\n") }));
    assert_eq!((found["two"].as_array().unwrap().len(), found["all"].as_array().unwrap().len()), (2, 3), "{found}");
}

/// What the server says on a connection before it closes it or falls silent.
fn said(mut stream: TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[test]
fn slow_bodies_of_one_client_wait_for_places_and_keep_them_for_seconds() {
    let node = Node::empty();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let slow: Vec<TcpStream> = (0..16).map(|_| node.connect(head)).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let refused = node.post(r#"{"query":"{ __typename }"}"#);
    assert_eq!((refused.code(), refused.header("retry-after")), ((503, "BUSY".to_owned()), "3"));
    for stream in slow {
        let answer = said(stream);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("nothing was executed"), "{answer}");
    }
    still_answers(&node);
}
