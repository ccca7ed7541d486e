//! The audits of graphql-http, a judge that we did not write.

use std::path::Path;
use std::process::Command;

use crate::node::Node;

#[test]
fn the_endpoint_passes_every_audit_of_graphql_over_http() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit");
    if !folder.join("node_modules").exists() {
        let installed = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).status();
        let installed = installed.expect("npm is missing; install Node 20 to run this test");
        assert!(installed.success(), "npm ci failed in server/audit");
    }
    let node = Node::empty();
    let audit =
        Command::new("node").arg("audit.mjs").arg(format!("{}/graphql", node.url)).current_dir(&folder).output();
    let audit = audit.expect("node is missing; install Node 20 to run this test");
    let table = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success(), "{table}{}", String::from_utf8_lossy(&audit.stderr));
    assert!(table.ends_with("61 of 61 audits are met\n"), "{table}");
}
