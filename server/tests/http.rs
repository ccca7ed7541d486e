use std::sync::Arc;

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::limits::CLOCK_SKEW_SECONDS;
use chancery_schema::log::checkpoint::{self, Checkpoint};
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
    let page = match node.get("/") {
        moved if moved.status == 303 => node.get(moved.header("location")),
        page => page,
    };
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
fn a_node_whose_partner_shows_more_of_its_log_than_it_holds_signs_nothing_and_says_so() {
    let mut node = Node::with_model();
    node.runtime.block_on(node.registry.heartbeat()).unwrap();
    let origin = node.nation.origin.clone();
    let checkpoint = Checkpoint { origin, size: 9, root: Digest::of(b"nine entries") };
    let shown = checkpoint::sign(checkpoint, &node.nation.key(Role::Log, 0)).unwrap().to_string();
    assert!(node.runtime.block_on(node.registry.hear(&shown)).unwrap().is_some());
    let answer = node.get("/health");
    let health: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let problem = health["problem"].as_str().unwrap();
    assert!(answer.status == 503 && problem.contains("9 entries") && problem.contains("chancery recover"), "{health}");
    let envelope = node.nation.card("other", "1.0").to_bytes();
    let body = serde_json::json!({
        "query": "mutation ($envelope: String!) { publish(input: { envelope: $envelope }) { status } }",
        "variables": { "envelope": String::from_utf8(envelope).unwrap() },
    });
    let answer = node.post(&body.to_string());
    assert!(answer.text().contains("READ_ONLY") && answer.text().contains("signs nothing"), "{}", answer.text());
}

#[test]
fn a_node_whose_heartbeat_stops_is_unhealthy_after_half_an_hour() {
    let node = Node::with_model();
    node.runtime.block_on(node.registry.heartbeat()).unwrap();
    let health = || {
        let answer = node.get("/health");
        (answer.status, serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap())
    };
    node.time.later(1800);
    let (status, report) = health();
    assert_eq!((status, &report["log"]["ageSeconds"]), (200, &1800.into()), "{report}");
    node.time.later(1);
    let (status, report) = health();
    assert_eq!((status, &report["status"]), (503, &"unhealthy".into()), "{report}");
    assert!(report["problem"].as_str().unwrap().starts_with("no heartbeat was signed lately"), "{report}");
    node.runtime.block_on(node.registry.heartbeat()).unwrap();
    assert_eq!(health().0, 200, "a new heartbeat does not heal it");
    node.time.later(-CLOCK_SKEW_SECONDS - 1);
    let (status, report) = health();
    assert_eq!((status, &report["log"]["ageSeconds"]), (200, &1200.into()), "the one before it counts: {report}");
    node.time.later(-1801);
    assert_eq!(health().0, 503, "a heartbeat from the future does not wait for its time");
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
fn the_metrics_are_the_text_that_they_say_they_are() {
    let node = Node::with_model();
    let _ = (node.get("/health"), node.get("/log/checkpoint"), node.get("/nothing"));
    let answer = node.get("/metrics");
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let samples = open_metrics(answer.text());
    let of = |name: &str| samples.iter().find(|(sample, _)| sample == name).map(|(_, value)| *value);
    assert_eq!(of("chancery_log_entries{origin=\"fr.example.org/chancery\"}"), Some(3.0), "{samples:?}");
    assert_eq!(of("chancery_http_requests_total{route=\"/log/checkpoint\",status=\"200\"}"), Some(1.0));
    assert_eq!(of("chancery_http_request_duration_seconds_count"), Some(3.0));
}

/// Reads `OpenMetrics` strictly enough to find what a scraper would refuse.
fn open_metrics(text: &str) -> Vec<(String, f64)> {
    let body = text.strip_suffix("# EOF\n").expect("it does not end as it should");
    let (mut families, mut samples) = (Vec::<&str>::new(), Vec::<(String, f64)>::new());
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (what, rest) = rest.split_once(' ').unwrap();
            let (family, _) = rest.split_once(' ').unwrap();
            assert!(["TYPE", "HELP", "UNIT"].contains(&what), "{line}");
            if families.last() != Some(&family) {
                assert!(!families.contains(&family), "the family {family} comes twice");
                families.push(family);
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        assert!(name.starts_with(families.last().unwrap()), "{line} stands under {:?}", families.last());
        assert!(samples.iter().all(|(seen, _)| seen != sample), "{sample} comes twice");
        samples.push((sample.to_owned(), value.parse().unwrap()));
    }
    samples
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
