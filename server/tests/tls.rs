use std::path::Path;
use std::time::Duration;

use chancery_server::{Error, Tls};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::node::{Node, config, start};

/// A key and a certificate for localhost that it signed itself.
fn self_signed(folder: &Path) -> Tls {
    let tls = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.key_pair.serialize_pem()).unwrap();
    tls
}

#[test]
fn with_certificate_and_key_the_server_speaks_tls() {
    let node = Node::empty();
    let folder = tempfile::tempdir().unwrap();
    let tls = self_signed(folder.path());
    let certificate = Certificate::from_pem(&std::fs::read(&tls.certificate).unwrap()).unwrap();
    let mut config = config("127.0.0.1:0");
    config.tls = Some(tls);
    let server = start(&node.runtime, config, &node.registry).unwrap();
    let trust = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[certificate])).build();
    let agent = |tls: TlsConfig| {
        let config = Agent::config_builder().tls_config(tls).http_status_as_error(false).proxy(None);
        config.timeout_global(Some(Duration::from_secs(10))).build().new_agent()
    };
    let url = format!("https://localhost:{}/graphql?query=%7B__typename%7D", server.address().port());
    let mut answer = agent(trust).get(&url).call().unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert_eq!(answer.body_mut().read_to_string().unwrap(), r#"{"data":{"__typename":"Query"}}"#);
    assert!(agent(TlsConfig::default()).get(&url).call().is_err(), "a stranger's certificate was believed");
    assert!(node.agent.get(url.replace("https", "http")).call().is_err(), "plain HTTP was answered");
    node.runtime.block_on(server.shutdown());
}

#[test]
fn without_a_usable_certificate_the_server_says_which_file_is_wrong() {
    let node = Node::empty();
    let folder = tempfile::tempdir().unwrap();
    let good = self_signed(folder.path());
    let other = tempfile::tempdir().unwrap();
    let stranger = self_signed(other.path());
    let start = |tls: Tls| {
        let mut config = config("127.0.0.1:0");
        config.tls = Some(tls);
        start(&node.runtime, config, &node.registry).map(drop).unwrap_err()
    };
    let missing = Tls { certificate: folder.path().join("none.pem"), ..good.clone() };
    assert!(matches!(start(missing), Error::Pem { what: "certificate", .. }));
    let swapped = Tls { certificate: good.key.clone(), ..good.clone() };
    assert!(matches!(start(swapped), Error::Pem { what: "certificate", .. }));
    let mismatched = Tls { key: stranger.key, ..good };
    assert!(matches!(start(mismatched), Error::Certificate { .. }));
}
