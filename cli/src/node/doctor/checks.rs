//! What a doctor looks at, one after the other.

use std::net::TcpListener;

use chancery_registry::{Partner, Registry};
use chancery_schema::key::Role;
use chancery_schema::limits::CLOCK_SKEW_SECONDS;
use chancery_schema::record::Kind;
use serde_json::Value;

use super::{Report, Standing};
use crate::Context;
use crate::client::Client;
use crate::clock;
use crate::config::{Config, socket};
use crate::node::partner::{clocks, standing, sync_states};
use crate::node::{block_on, keys, mark, open_archive, running};
use crate::output::Outcome;
use crate::private_file;
use crate::visible::visible;

/// When this was written. A clock that shows less was never set.
const WRITTEN: i64 = 1_795_478_400; // 2026-11-24

/// How long before a charter or a key ends the doctor speaks of it, in seconds: 90 days, since officers
/// have to travel.
const SOON: i64 = 90 * 86_400;

const ONLINE: [Role; 5] = [Role::Log, Role::Witness, Role::Mirror, Role::Node, Role::Transport];

impl Report {
    /// Key files: there, for their owner alone, and opened by the passphrase.
    pub(super) fn keys(&mut self, config: &Config, context: &Context) {
        let mut whole = true;
        for role in keys::ROLES {
            let path = keys::path(config, role.as_str());
            let what = format!("{} key", role.as_str());
            if let Some(uri) = config.tokens.get(&role) {
                self.note(what, Standing::Ok, format!("is {}", uri.key()));
            } else if path.exists() {
                whole &= self.take(&what, private_file::check(&path)).is_some() || !ONLINE.contains(&role);
            } else if ONLINE.contains(&role) {
                whole = false;
                let hint = "restore it from a backup: without it the node cannot run";
                self.note(what, Standing::Finding, format!("{} is not there; {hint}", path.display()));
            } else {
                self.note(what, Standing::Note, "is not on this machine");
            }
        }
        self.roots(config);
        if whole && let Some(()) = self.take("keys", open(config, context)) {
            let opened = "for their owner alone, and the passphrase opens them";
            let pin = if config.tokens.is_empty() { "" } else { "; the token's PIN opens the others" };
            self.note("keys", Standing::Ok, format!("{opened}{pin}"));
        }
    }

    fn roots(&mut self, config: &Config) {
        let here = (1..=chancery_schema::limits::CHARTER_KEYS_MAX).map(keys::root_name);
        let here: Vec<String> = here.filter(|name| keys::path(config, name).exists()).collect();
        if !here.is_empty() {
            let hint = "move them to their officers, offline: who takes this machine must not take the nation";
            self.note("root keys", Standing::Note, format!("{} are still here; {hint}", here.join(" ")));
        }
    }

    /// The archive, the clock, the addresses and the partners.
    pub(super) fn node(&mut self, config: &Config) {
        let client = running::find(config);
        let client = self.take("node", client).flatten();
        if let Some(client) = &client {
            self.note("node", Standing::Ok, format!("runs at {}", client.url()));
        } else {
            self.note("node", Standing::Note, "does not run");
            self.addresses(config);
        }
        let looked = block_on(async { self.archive(config, client.as_ref()).await });
        self.take("archive", looked);
    }

    async fn archive(&mut self, config: &Config, client: Option<&Client>) -> Outcome {
        let registry = open_archive(config, None).await?;
        let findings = registry.check().await?;
        for finding in &findings {
            self.note("archive", Standing::Finding, finding.as_str());
        }
        if findings.is_empty() {
            let size = registry.head(&config.origin).await?.map_or(0, |head| head.size);
            self.note(
                "archive",
                Standing::Ok,
                format!("every hash, proof and count of {size} own entries and of the mirrors holds"),
            );
        }
        match registry.doubt_by(Some(&mark::of(config))).await {
            Ok(None) => {}
            Ok(Some(doubt)) => self.note("own log", Standing::Finding, format!("nothing is signed: {doubt}")),
            Err(problem) => self.note("own log", Standing::Finding, problem.to_string()),
        }
        self.clock(config, &registry, client).await?;
        self.terms(config, &registry).await?;
        let sync = client.map(sync_states).transpose()?;
        for partner in registry.partners().await? {
            self.partner(&partner, sync.as_ref());
        }
        Ok(())
    }

    /// The clock is not before what was signed here already, nor far from those of the partners that a running
    /// node hears.
    async fn clock(&mut self, config: &Config, registry: &Registry, client: Option<&Client>) -> Outcome {
        let now = clock::now();
        if let Some(alarm) = client.map(clocks).transpose()?.and_then(|clocks| clocks.alarm()) {
            self.note("clock", Standing::Finding, format!("it is {now} here: {alarm}"));
            return Ok(());
        }
        let seen = registry.cosignatures(&config.origin, None).await?.into_iter().map(|seen| seen.at).max();
        if now.unix_seconds() < WRITTEN {
            self.note("clock", Standing::Finding, format!("it is {now} here, which is past; set the machine's clock"));
        } else if let Some(seen) = seen.filter(|seen| *seen > now.plus_seconds(CLOCK_SKEW_SECONDS)) {
            let problem = format!("it is {now} here, and a cosignature of {seen} is held");
            self.note(
                "clock",
                Standing::Finding,
                format!("{problem}; set the machine's clock, or ask that cosigner to"),
            );
        } else {
            self.note("clock", Standing::Ok, now.to_string());
        }
        Ok(())
    }

    /// How long the charter and the delegated keys are good for.
    async fn terms(&mut self, config: &Config, registry: &Registry) -> Outcome {
        let Some(roster) = registry.roster(&config.origin).await? else { return Ok(()) };
        let soon = clock::now().plus_seconds(SOON);
        let expires = roster.charter.expires;
        if expires < soon {
            let hint = "have the officers sign the next one before: `chancery charter propose`";
            self.note("charter", Standing::Finding, format!("ends at {expires}; {hint}"));
        } else {
            self.note("charter", Standing::Ok, format!("in force until {expires}"));
        }
        let in_force = roster.delegations.keys().filter(|keyid| !roster.revocations.contains_key(*keyid));
        let in_force = in_force.filter_map(|keyid| roster.delegation(keyid));
        let node = in_force.clone().find(|delegation| delegation.role == Role::Node);
        if node.is_some_and(|node| !node.kinds.iter().any(|kind| *kind == Kind::ErasureReceipt)) {
            let hint = "delegate it anew for endpoint, evidence and erasure-receipt with `chancery enrol`, and restart";
            self.note("node key", Standing::Note, format!("may not say that redacted records are erased here; {hint}"));
        }
        for delegation in in_force.filter(|delegation| delegation.valid_until < soon) {
            let hint = "delegate it anew with `chancery enrol approve` if it is still needed";
            let role = delegation.role.as_str();
            self.note(
                format!("{role} key"),
                Standing::Note,
                format!("that of {} ends at {}; {hint}", visible(&delegation.holder), delegation.valid_until),
            );
        }
        Ok(())
    }

    /// The addresses of a node that does not run are free.
    fn addresses(&mut self, config: &Config) {
        let p2p = config.p2p.iter().filter_map(|address| socket(address).map(|socket| ("p2p", socket)));
        for (what, address) in std::iter::once(("http", config.http)).chain(p2p) {
            match TcpListener::bind(address) {
                Ok(_) => self.note(what, Standing::Ok, format!("{address} is free")),
                Err(error) => {
                    let hint = "stop what uses it, or change the address in chancery.toml";
                    self.note(what, Standing::Finding, format!("{address} cannot be listened on: {error}; {hint}"));
                }
            }
        }
    }

    fn partner(&mut self, partner: &Partner, sync: Option<&Value>) {
        let what = format!("partner {}", partner.nation);
        let words = standing(partner, sync);
        if partner.endpoints.iter().all(|endpoint| endpoint.addresses.is_empty()) {
            let hint = "it must connect to this node, or `chancery partner add` a newer introduction";
            self.note(&what, Standing::Note, format!("announces no address; {hint}"));
        }
        let standing = match sync {
            None => Standing::Note,
            Some(_) if words.starts_with("frozen") || words.contains("not connected") => Standing::Finding,
            Some(_) => Standing::Ok,
        };
        self.note(what, standing, words);
    }
}

fn open(config: &Config, context: &Context) -> Outcome {
    let passphrase = context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
    keys::open(config, ONLINE, &passphrase, context).map(drop)
}
