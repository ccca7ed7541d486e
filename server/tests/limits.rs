use serde_json::json;

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
