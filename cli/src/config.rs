//! `chancery.toml`: what a node is told about itself. Everything has its place in one folder, and
//! relative paths are taken from the folder of the file. An unknown key is refused, so a mistyped one
//! is not silently without effect.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use chancery_registry::check_address;
use chancery_schema::key::Role;
use chancery_schema::limits::ADDRESSES_MAX;
use chancery_schema::name::{Nation, Origin};
use serde::Deserialize;

use crate::files::bounded;
use crate::node::keys::ROLES;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Reference;
use crate::pkcs11::uri::Uri;

/// The file's name in a node's folder.
pub const FILE: &str = "chancery.toml";

/// A configuration, in bytes: far more than all its keys.
const BYTES_MAX: u64 = 64 << 10;

/// A node's configuration.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The nation that the node serves.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// Where the archive is.
    #[serde(default)]
    pub database: Database,
    /// Where GraphQL, the log and the portal are served.
    #[serde(default = "default_http")]
    pub http: SocketAddr,
    /// Where this machine's own commands find `http`, when that is not the address itself: needed with
    /// a certificate, which is for a name.
    #[serde(default)]
    pub url: Option<String>,
    /// Where partners connect: the multiaddresses to listen on.
    #[serde(default = "default_p2p")]
    pub p2p: Vec<String>,
    /// The folder of the key files.
    #[serde(default = "default_keys")]
    pub keys: PathBuf,
    /// The keys that a token keeps instead of a file, by role: PKCS#11 URIs. Their plain halves are files
    /// like any other's.
    #[serde(default)]
    pub tokens: BTreeMap<Role, Uri>,
    /// Where the passphrase of the keys is, and the PIN of tokens whose URI does not say it: `file:PATH`
    /// or `env:NAME`.
    #[serde(default)]
    pub passphrase: Option<Reference>,
    /// Whether a reverse proxy stands before `http` and speaks TLS; then any address may be served.
    #[serde(default)]
    pub behind_proxy: bool,
    /// Certificate and key, when the node itself speaks TLS.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// The folder of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Where the archive is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum Database {
    /// A file of this machine.
    File(PathBuf),
    /// A database of a server, which several processes may use: `postgres://HOST/NAME`.
    Server(String),
}

impl Default for Database {
    fn default() -> Self {
        Self::File("chancery.db".into())
    }
}

impl TryFrom<String> for Database {
    type Error = chancery_registry::Error;

    /// What looks like a URL is a server's; the error does not repeat it.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.contains("://") && !text.starts_with("postgres") {
            return Ok(Self::File(text.into()));
        }
        check_address(&text)?;
        Ok(Self::Server(text))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => f.write_str(url),
        }
    }
}

impl Database {
    /// The database as the archive opens it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Server(url) => url.clone(),
        }
    }

    /// The same, a relative path being taken from `folder`.
    fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            server @ Self::Server(_) => server,
        }
    }
}

/// Where TLS takes its names from; both files are PEM.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Config {
    /// Reads the configuration in a node's folder.
    ///
    /// # Errors
    /// When there is none, or one line of it is wrong; the message names the line.
    pub fn read(folder: &Path) -> Outcome<Self> {
        let path = folder.join(FILE);
        let attempted = || format!("failed to read the configuration {}", path.display());
        let read = bounded(&path, BYTES_MAX);
        if read.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            let hint = "found the nation with `chancery init`, or name its folder with --dir";
            return fail(Exit::Usage, format!("no configuration {}; {hint}", path.display()));
        }
        let text = String::from_utf8(read.or_exit(Exit::Usage, attempted)?).or_exit(Exit::Usage, attempted)?;
        let folder = std::path::absolute(folder).or_exit(Exit::Usage, attempted)?;
        Self::parse(&text, &folder).or_exit(Exit::Usage, attempted)
    }

    /// Reads the text of a configuration that lies in `folder`.
    ///
    /// # Errors
    /// With the line and what is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        // The parser's own display shows the line that it refuses; a secret may stand there by mistake.
        let mut config: Self = toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            anyhow::anyhow!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        anyhow::ensure!(
            (1..=ADDRESSES_MAX).contains(&config.p2p.len()),
            "p2p has {} addresses; give 1 to {ADDRESSES_MAX}",
            config.p2p.len()
        );
        anyhow::ensure!(
            config.tls.is_none() || !config.behind_proxy,
            "tls and behind_proxy exclude each other: either the node speaks TLS or the proxy before it"
        );
        for role in config.tokens.keys() {
            let reason = "the network's library takes the secret of a transport key, and a token gives none";
            anyhow::ensure!(*role != Role::Transport, "tokens names a transport key; {reason}");
            anyhow::ensure!(ROLES.contains(role), "tokens names a {} key; a node has none", role.as_str());
        }
        config.tokens = config.tokens.into_iter().map(|(role, uri)| (role, uri.within(folder))).collect();
        config.database = config.database.within(folder);
        config.keys = folder.join(&config.keys);
        if let Some(tls) = &mut config.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        folder.clone_into(&mut config.folder);
        Ok(config)
    }

    /// Where this machine's own commands reach the running node.
    #[must_use]
    pub fn local_url(&self) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", reachable(self.http))
    }
}

/// An address to listen on, as one to connect to on this machine.
#[must_use]
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The socket of a multiaddress that begins with an IP address and a TCP port.
#[must_use]
pub fn socket(address: &str) -> Option<SocketAddr> {
    let mut parts = address.split('/').skip(1);
    let (Some("ip4" | "ip6"), Some(ip), Some("tcp"), Some(port)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

/// The configuration of a new node, as its operator will read it.
#[must_use]
pub fn template(
    (nation, origin): (&Nation, &Origin),
    database: &Database,
    http: SocketAddr,
    p2p: &str,
    tokens: &[(Role, &Uri)],
) -> String {
    let text = format!(
        r#"# The node of {nation}. Relative paths are taken from this file's folder.
nation = "{nation}"
origin = "{origin}"
keys = "keys"

# The archive: a file, or postgres://HOST/NAME for several processes that serve one archive. No password
# stands here; the server's own ways hold it: ~/.pgpass, PGPASSFILE, PGPASSWORD, a certificate, a socket.
database = "{database}"

# Where the passphrase of the keys is, so that `chancery serve` starts without being asked:
# passphrase = "file:/run/credentials/chancery"   (mode 0600)
# passphrase = "env:CHANCERY_PASSPHRASE"

# GraphQL, the log and the portal. Without TLS only a loopback address is served,
# unless a reverse proxy stands before it: then say behind_proxy = true.
http = "{http}"

# Where partners connect.
p2p = ["{p2p}"]

# [tls]
# certificate = "certificate.pem"
# key = "certificate.key"
"#
    );
    if tokens.is_empty() {
        return text;
    }
    let heading = "# Keys that a token keeps. No PIN stands here, but where it is: pin-source=file:PATH.\n[tokens]";
    let lines = tokens.iter().map(|(role, uri)| format!("{} = \"{uri}\"", role.as_str()));
    let lines: Vec<String> = std::iter::once(heading.to_owned()).chain(lines).collect();
    format!("{text}\n{}\n", lines.join("\n"))
}

fn default_keys() -> PathBuf {
    "keys".into()
}

fn default_http() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8420)
}

fn default_p2p() -> Vec<String> {
    vec!["/ip4/127.0.0.1/tcp/8421".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "nation = \"FR\"\norigin = \"fr.example.org/chancery\"\n";

    fn parse(more: &str) -> anyhow::Result<Config> {
        Config::parse(&format!("{SMALLEST}{more}"), Path::new("/srv/fr"))
    }

    #[test]
    fn nation_and_origin_are_enough() {
        let config = parse("").unwrap();
        assert_eq!(config.database.url(), "sqlite:/srv/fr/chancery.db");
        assert_eq!(config.keys, Path::new("/srv/fr/keys"));
        assert_eq!(config.local_url(), "http://127.0.0.1:8420");
    }

    #[test]
    fn the_template_is_a_configuration() {
        let (nation, origin) = ("FR".parse().unwrap(), "fr.example.org/chancery".parse().unwrap());
        let http = "127.0.0.1:9000".parse().unwrap();
        for database in [Database::default(), Database::Server("postgres:///fr?host=/run/postgresql".to_owned())] {
            let uri: Uri = "pkcs11:token=a%22b;object=log?module-path=/m.so&pin-source=file:/pin".parse().unwrap();
            let tokens = [(Role::Log, &uri)];
            let text = template((&nation, &origin), &database, http, "/ip4/127.0.0.1/tcp/9001", &tokens);
            let config = Config::parse(&text, Path::new("/srv/fr")).unwrap();
            assert_eq!(config.tokens, BTreeMap::from([(Role::Log, uri)]));
            assert_eq!((config.http, config.p2p), (http, vec!["/ip4/127.0.0.1/tcp/9001".to_owned()]));
            assert_eq!(config.database, database.within(Path::new("/srv/fr")));
        }
    }

    #[test]
    fn a_mistyped_key_is_refused_by_name() {
        let text = format!("{:#}", parse("behind_a_proxy = true\n").unwrap_err());
        assert!(text.contains("line 3") && text.contains("behind_a_proxy"), "{text}");
    }

    #[test]
    fn paths_of_the_file_are_relative_to_its_folder() {
        let tokens = "[tokens]\nlog = \"pkcs11:token=t;object=o?module-path=/m&pin-source=file:pin\"\n";
        let tls = "[tls]\ncertificate = \"c\"\nkey = \"/k\"\n";
        let config = parse(&format!("database = \"/var/fr.db\"\nkeys = \"k\"\n{tls}{tokens}")).unwrap();
        assert_eq!(config.tokens[&Role::Log].pin, Some(Reference::File("/srv/fr/pin".into())));
        assert_eq!(config.database, Database::File("/var/fr.db".into()));
        assert_eq!(config.keys, Path::new("/srv/fr/k"));
        let tls = config.tls.clone().unwrap();
        assert_eq!((tls.certificate.as_path(), tls.key.as_path()), (Path::new("/srv/fr/c"), Path::new("/k")));
        assert_eq!(config.local_url(), "https://127.0.0.1:8420");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for more in [
            "nation = \"FR\"\n",
            "p2p = []\n",
            "http = \"localhost\"\n",
            "passphrase = \"correct horse\"\n",
            "database = \"mysql://db/fr\"\n",
            "behind_proxy = true\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n",
            "[tokens]\nlog = \"keys/log.key\"\n",
            "[tokens]\ntransport = \"pkcs11:token=t;object=o?module-path=/m\"\n",
            "[tokens]\npublisher = \"pkcs11:token=t;object=o?module-path=/m\"\n",
            "[tokens]\nclerk = \"pkcs11:token=t;object=o?module-path=/m\"\n",
        ] {
            assert!(parse(more).is_err(), "{more:?} should be refused");
        }
    }

    #[test]
    fn a_secret_written_where_its_reference_belongs_is_not_repeated() {
        for more in [
            "passphrase = \"correct horse\"\n",
            "database = \"postgres://fr:horse@db.example.org/fr\"\n",
            "[tokens]\nlog = \"pkcs11:token=t;object=o?module-path=/m&pin-value=horse\"\n",
        ] {
            let text = format!("{:#}", parse(more).unwrap_err());
            assert!(!text.contains("horse"), "{text}");
        }
    }

    #[test]
    fn a_multiaddress_of_tcp_has_a_socket() {
        assert_eq!(socket("/ip4/127.0.0.1/tcp/8421"), Some("127.0.0.1:8421".parse().unwrap()));
        assert_eq!(socket("/ip6/::1/tcp/1"), Some("[::1]:1".parse().unwrap()));
        assert_eq!(socket("/dns4/example.org/tcp/1"), None);
    }
}
