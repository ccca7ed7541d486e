use std::sync::Arc;

use chancery_server::Error;

use crate::node::{Node, config, start};

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let node = Node::empty();
    for path in
        ["/", "/page.css", "/graphql", "/graphql/schema", "/graphiql", "/blob/0", "/log/checkpoint", "/health", "/x"]
    {
        let answer = node.get(path);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("http"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        assert!(
            answer.headers.get("access-control-allow-origin").is_none() && answer.headers.get("set-cookie").is_none()
        );
    }
}

#[test]
fn what_has_no_address_is_not_found_and_the_wrong_method_is_refused() {
    let node = Node::empty();
    assert_eq!(node.get("/nothing").status, 404);
    assert_eq!(node.get("/log/checkpoint").status, 404);
    assert_eq!(node.get("/introduction").status, 404);
    assert_eq!(node.get("/mirror/zz/checkpoint").status, 400);
    assert_eq!(node.get(&format!("/mirror/{}/checkpoint", "0".repeat(64))).status, 404);
    assert_eq!(node.get(&format!("/bundle/{}", "0".repeat(64))).status, 404);
    assert_eq!(node.put("/health", b"").status, 405);
    let head = node.agent.head(format!("{}/page.css", node.url)).call().unwrap();
    assert_eq!(
        (head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()),
        (200, "text/css; charset=utf-8")
    );
    assert_eq!(node.get("/graphiql/..%2Fpackage.json").status, 404);
}

#[test]
fn the_page_says_who_the_node_is() {
    let node = Node::with_model();
    let page = node.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let data = node.ask("{ nations { fingerprint } }", &serde_json::json!({}));
    let fingerprint = data["nations"][0]["fingerprint"].as_str().unwrap();
    assert!(page.text().contains("Nation FR") && page.text().contains(&fingerprint[..4]), "{}", page.text());
    assert!(!page.text().contains("//"), "the page names another host");
}

#[test]
fn a_node_is_healthy_while_its_heartbeat_is_fresh() {
    let node = Node::with_model();
    node.runtime.block_on(node.registry.heartbeat()).unwrap();
    let answer = node.get("/health");
    let health: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, &health["status"]), (200, &"healthy".into()), "{health}");
    assert_eq!((&health["log"]["size"], &health["log"]["ageSeconds"]), (&3.into(), &0.into()));
    let old = Node::empty().get("/health");
    assert_eq!(old.status, 503);
}

#[test]
fn metrics_hold_the_servers_counts_and_those_of_other_rooms() {
    let node = Node::empty();
    let mut config = config("127.0.0.1:0");
    config.metrics.push(Arc::new(|| "# TYPE other gauge\nother 7\n# EOF\n".to_owned()));
    let server = start(&node.runtime, config, &node.registry).unwrap();
    let url = format!("http://{}", server.address());
    assert_eq!(node.agent.get(format!("{url}/x")).call().unwrap().status(), 404);
    let text = node.agent.get(format!("{url}/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(text.contains("chancery_http_requests_total{route=\"none\",status=\"404\"} 1\n"), "{text}");
    assert!(text.contains("\nother 7\n") && text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
    node.runtime.block_on(server.shutdown());
    assert!(node.agent.get(format!("{url}/health")).call().is_err(), "it still listens");
}

#[test]
fn plain_http_leaves_the_machine_only_behind_a_proxy() {
    let node = Node::empty();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = start(&node.runtime, config(address), &node.registry);
        assert!(matches!(refused, Err(Error::PlainHttp(_))), "{address}");
    }
    let mut proxied = config("0.0.0.0:0");
    proxied.behind_proxy = true;
    let server = start(&node.runtime, proxied, &node.registry).unwrap();
    node.runtime.block_on(server.shutdown());
    let taken = start(&node.runtime, config(node.url.trim_start_matches("http://")), &node.registry);
    assert!(matches!(taken, Err(Error::Listen { .. })));
}
