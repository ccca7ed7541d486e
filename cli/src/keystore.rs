//! Key files: `<name>.key`, the secret in an age file under a passphrase, and `<name>.pub.json` beside
//! it, what anyone may know.
//!
//! Any age program opens a key file: it holds the name of its format and the base64 of the 32 secret
//! bytes, each on a line. Only the owner may read it; a file that others can read is refused.
//!
//! Of a key in a token ([`crate::pkcs11`]) there is the plain half only, and a URI instead of a path.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::scrypt;
use anyhow::Context as _;
use chancery_schema::base64;
use chancery_schema::key::{KeyRecord, Role, SignError, Signer};
use chancery_schema::name::{Nation, Origin};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock;
use crate::files::{bounded, write_whole};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::{Given, Passphrase};
use crate::pkcs11::TokenKey;
use crate::pkcs11::uri::{SCHEME, Uri};
use crate::{Context, private_file};

/// The first line inside a key file of this module.
const SECRET_FORMAT: &str = "chancery.ed25519-secret/v1";

/// The ending of a key's plain half.
pub const PUBLIC_EXTENSION: &str = "pub.json";

/// A key file or its plain half, in bytes: far more than either has.
const BYTES_MAX: u64 = 64 << 10;

/// scrypt's work factor, log2 N: 32 MiB and about a tenth of a second for each key. A node opens four
/// keys at each start and every command at least one, so the usual full second is too long; the
/// passphrase guards a file that is also kept from others by its mode.
pub const WORK_FACTOR_LOG_N: u8 = 15;

/// The same for keys that are used seldom and matter most, roots and registrars: 256 MiB and a second.
const WORK_FACTOR_LOG_N_OFFLINE: u8 = 18;

/// The largest work factor that is taken from a file: 1 GiB of memory, and no file can ask for more.
const WORK_FACTOR_LOG_N_MAX: u8 = 20;

/// What a key file's plain half says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicHalf {
    /// The nation that the key is for.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// What the key is for.
    pub role: Role,
    /// The key, with its proof of possession.
    pub key: KeyRecord,
}

impl PublicHalf {
    /// Reads `<name>.pub.json` and checks the proof of possession.
    ///
    /// # Errors
    /// When it is not there or not what it claims to be.
    pub fn read(path: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the public key {}", path.display());
        let text = bounded(path, BYTES_MAX).or_exit(Exit::Authority, attempted)?;
        let half: Self = serde_json::from_slice(&text).or_exit(Exit::Usage, attempted)?;
        half.key.open(&half.nation, &half.origin, half.role).or_exit(Exit::Verification, attempted)?;
        Ok(half)
    }
}

/// A key that signs, and what is publicly known of it.
pub struct Key {
    /// The plain half.
    pub public: PublicHalf,
    secret: Secret,
}

/// What signs for a key.
enum Secret {
    /// The secret itself, out of a key file.
    Here(SigningKey),
    /// A token that keeps it.
    Token(TokenKey),
}

impl Secret {
    fn signer(&self) -> &dyn Signer {
        match self {
            Self::Here(signing) => signing,
            Self::Token(token) => token,
        }
    }
}

impl Signer for Key {
    fn public_key(&self) -> [u8; 32] {
        self.secret.signer().public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.secret.signer().sign(message)
    }
}

impl Key {
    /// Makes a new key for a role, to be saved in a file.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate(nation: &Nation, origin: &Origin, role: Role) -> Outcome<Self> {
        let seed = Zeroizing::new(clock::random_bytes::<32>()?);
        Self::issue(Secret::Here(SigningKey::from_bytes(&seed)), nation, origin, role)
    }

    /// Takes a key of a token for a role.
    ///
    /// # Errors
    /// When the token does not sign the proof of possession.
    pub fn of_token(key: TokenKey, nation: &Nation, origin: &Origin, role: Role) -> Outcome<Self> {
        Self::issue(Secret::Token(key), nation, origin, role)
    }

    /// The same key for another log: it proves itself again, under that name.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn for_log(self, nation: &Nation, origin: &Origin) -> Outcome<Self> {
        Self::issue(self.secret, nation, origin, self.public.role)
    }

    fn issue(secret: Secret, nation: &Nation, origin: &Origin, role: Role) -> Outcome<Self> {
        let key = KeyRecord::issue(secret.signer(), nation, origin, role).or_exit(Exit::Authority, || {
            let role = role.as_str();
            format!("failed to show that the {role} key is held")
        })?;
        let public = PublicHalf { nation: nation.clone(), origin: origin.clone(), role, key };
        Ok(Self { public, secret })
    }

    /// Writes what is not in a token into `folder` as `name`, and answers the path of the secret half, or
    /// of the plain one where there is no other.
    ///
    /// # Errors
    /// When either file exists, or the disk does not take them.
    pub fn save(&self, folder: &Path, name: &str, passphrase: &Passphrase) -> Outcome<PathBuf> {
        let Secret::Here(signing) = &self.secret else { return self.save_public(folder, name) };
        let path = folder.join(format!("{name}.key"));
        let work_factor_log_n = match self.public.role {
            Role::Root | Role::Registrar => WORK_FACTOR_LOG_N_OFFLINE,
            _ => WORK_FACTOR_LOG_N,
        };
        let seed = Zeroizing::new(signing.to_bytes());
        let secret = encrypt(SECRET_FORMAT, &seed, work_factor_log_n, passphrase)?;
        create(&path, &secret, &public_path(&path), self.public_text()?.as_bytes())?;
        Ok(path)
    }

    /// Writes the plain half into `folder` as `name`, and answers its path.
    ///
    /// # Errors
    /// When it exists, or the disk does not take it.
    pub fn save_public(&self, folder: &Path, name: &str) -> Outcome<PathBuf> {
        let path = folder.join(format!("{name}.{PUBLIC_EXTENSION}"));
        refuse_taken(&path)?;
        write_whole(&path, self.public_text()?.as_bytes())?;
        Ok(path)
    }

    /// Opens `<name>.key` with its plain half beside it.
    ///
    /// # Errors
    /// When others can read it, the passphrase is wrong, or the halves do not belong together.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Outcome<Self> {
        let signing = SigningKey::from_bytes(&*open_secret(SECRET_FORMAT, path, passphrase)?);
        let public = PublicHalf::read(&public_path(path))?;
        Self::joined(public, Secret::Here(signing), &path.display().to_string(), &public_path(path))
    }

    fn public_text(&self) -> Outcome<String> {
        Ok(serde_json::to_string_pretty(&self.public)? + "\n")
    }

    /// Opens the key of a token whose plain half is in the file `public`.
    ///
    /// # Errors
    /// When the token is not there or not opened by the PIN, or the halves do not belong together.
    pub fn open_token(uri: &Uri, public: &Path, pin: impl FnOnce() -> Outcome<Passphrase>) -> Outcome<Self> {
        let half = PublicHalf::read(public)?;
        Self::joined(half, Secret::Token(TokenKey::open(uri, pin)?), &uri.key(), public)
    }

    fn joined(half: PublicHalf, secret: Secret, what: &str, public: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the public key {}", public.display());
        let opened = half.key.open(&half.nation, &half.origin, half.role).or_exit(Exit::Authority, attempted)?;
        if *opened.as_bytes() != secret.signer().public_key() {
            return fail(Exit::Authority, format!("{what} and {} are not of one key", public.display()));
        }
        Ok(Self { public: half, secret })
    }

    /// The same, when it is for `role`; `what` says which key it is.
    ///
    /// # Errors
    /// When it is for another role.
    pub fn for_role(self, role: Role, what: &str) -> Outcome<Self> {
        if self.public.role == role {
            return Ok(self);
        }
        let (found, asked) = (self.public.role.as_str(), role.as_str());
        fail(Exit::Authority, format!("{what} is a {found} key; this needs a {asked} key"))
    }

    /// The 32 secret bytes, for the one library that takes nothing else: libp2p's identity.
    ///
    /// # Errors
    /// When a token keeps them.
    #[cfg(feature = "node")]
    pub fn into_seed(self) -> Outcome<Zeroizing<[u8; 32]>> {
        match self.secret {
            Secret::Here(signing) => Ok(Zeroizing::new(signing.to_bytes())),
            Secret::Token(_) => fail(Exit::Authority, "a token does not give its secrets; keep this key in a file"),
        }
    }
}

/// Where a key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference {
    /// A file, `<name>.key`.
    File(PathBuf),
    /// A token.
    Token(Box<Uri>),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(SCHEME) { Ok(Self::Token(Box::new(text.parse()?))) } else { Ok(Self::File(text.into())) }
    }
}

/// The options by which a command finds the key that signs.
#[derive(Clone, Debug, clap::Args)]
pub struct KeyArgs {
    /// The key that signs: NAME.key, or the PKCS#11 URI of a key in a token; its nation and log are those
    /// it was made for
    #[arg(long, value_name = "FILE|URI")]
    key: Given<Reference>,
    /// Where --key is a URI: what keygen wrote of the key, NAME.pub.json
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
}

impl KeyArgs {
    /// A key by its reference, and where its plain half is when a token keeps it.
    #[must_use]
    pub const fn of(key: Given<Reference>, public: Option<PathBuf>) -> Self {
        Self { key, public }
    }

    /// Opens the key, asking for its passphrase or PIN where it has to.
    ///
    /// # Errors
    /// When it is not there, does not open, or is not named in full.
    pub fn open(&self, context: &Context) -> Outcome<Key> {
        match (self.key.get("--key")?, &self.public) {
            (Reference::File(path), None) => {
                let passphrase = context.passphrase.existing(&path.display().to_string())?;
                Key::open(path, &passphrase)
            }
            (Reference::Token(uri), Some(public)) => {
                Key::open_token(uri, public, || context.passphrase.pin(uri, None, Path::new("")))
            }
            (Reference::File(_), Some(_)) => {
                fail(Exit::Usage, "--public is for a key in a token; that of NAME.key lies beside it")
            }
            (Reference::Token(uri), None) => {
                let hint = "give --public with the NAME.pub.json that keygen wrote; keygen --existing writes it again";
                fail(Exit::Usage, format!("{} does not say for which nation and log it speaks; {hint}", uri.key()))
            }
        }
    }

    /// As [`KeyArgs::open`], and the key is for `role`.
    ///
    /// # Errors
    /// As [`KeyArgs::open`], and when it is for another role.
    pub fn open_as(&self, role: Role, context: &Context) -> Outcome<Key> {
        let what = match self.key.get("--key")? {
            Reference::File(path) => path.display().to_string(),
            Reference::Token(uri) => uri.key(),
        };
        self.open(context)?.for_role(role, &what)
    }
}

/// Keys are never overwritten.
///
/// # Errors
/// When there is a file at `path`.
pub fn refuse_taken(path: &Path) -> Outcome {
    if path.try_exists()? {
        return fail(Exit::Usage, format!("{} exists; nothing was overwritten", path.display()));
    }
    Ok(())
}

/// The plain half of `<name>.key`.
fn public_path(path: &Path) -> PathBuf {
    path.with_extension(PUBLIC_EXTENSION)
}

/// Writes both halves of a new key.
///
/// # Errors
/// When either file exists, or the disk does not take them.
pub fn create(path: &Path, secret: &[u8], public_path: &Path, public: &[u8]) -> Outcome {
    for path in [path, public_path] {
        refuse_taken(path)?;
    }
    private_file::create(path, secret)?;
    write_whole(public_path, public)
}

/// A secret of `format` as its file has it.
///
/// # Errors
/// When the encryption fails.
pub fn encrypt(format: &str, secret: &[u8; 32], work_factor_log_n: u8, passphrase: &Passphrase) -> Outcome<Vec<u8>> {
    let secret = Zeroizing::new(base64::encode(secret));
    let secret = Zeroizing::new(format!("{format}\n{}\n", *secret));
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(work_factor_log_n);
    Ok(age::encrypt(&recipient, secret.as_bytes()).context("failed to encrypt the key")?)
}

/// The secret of `format` that a key file holds.
///
/// # Errors
/// When others can read the file, the passphrase is wrong, or it holds something else.
pub fn open_secret(format: &str, path: &Path, passphrase: &Passphrase) -> Outcome<Zeroizing<[u8; 32]>> {
    private_file::check(path)?;
    let attempted = || format!("failed to read the key {}", path.display());
    let file = bounded(path, BYTES_MAX).or_exit(Exit::Authority, attempted)?;
    decrypt(format, &file, passphrase).or_exit(Exit::Authority, attempted)
}

fn decrypt(format: &str, file: &[u8], passphrase: &Passphrase) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut identity = scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(WORK_FACTOR_LOG_N_MAX);
    let secret = age::decrypt(&identity, file).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
            anyhow::anyhow!("the passphrase is wrong")
        }
        other => other.into(),
    })?;
    let secret = Zeroizing::new(secret);
    let text = std::str::from_utf8(&secret).ok().and_then(|text| text.strip_suffix('\n'));
    let seed = text.and_then(|text| text.strip_prefix(format)?.strip_prefix('\n'));
    let seed = seed.and_then(|seed| base64::decode(seed).ok()).map(Zeroizing::new);
    let seed = seed.and_then(|seed| seed.as_slice().try_into().ok()).map(Zeroizing::new);
    seed.with_context(|| format!("the file does not hold a secret of the format {format}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(folder: &Path, role: Role) -> (Key, PathBuf) {
        let (nation, origin) = ("FR".parse().unwrap(), "fr.example.org/chancery".parse().unwrap());
        let key = Key::generate(&nation, &origin, role).unwrap();
        let path = key.save(folder, role.as_str(), &"a long passphrase".to_owned().into()).unwrap();
        (key, path)
    }

    #[test]
    fn a_key_opens_with_its_passphrase_and_with_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = saved(folder.path(), Role::Publisher);
        let opened = Key::open(&path, &"a long passphrase".to_owned().into()).unwrap();
        assert_eq!(opened.public, key.public);
        assert_eq!(opened.public_key(), key.public_key());
        let failure = Key::open(&path, &"another passphrase".to_owned().into()).err().unwrap();
        assert_eq!(failure.exit, Exit::Authority);
        assert!(format!("{:#}", failure.error).ends_with("the passphrase is wrong"), "{:#}", failure.error);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = saved(folder.path(), Role::Publisher);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o666] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let failure = Key::open(&path, &"a long passphrase".to_owned().into()).err().unwrap();
            let text = failure.error.to_string();
            assert!(text.contains(&format!("mode {mode:04o}")) && text.contains("chmod 600"), "{text}");
        }
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = saved(folder.path(), Role::Publisher);
        let before = std::fs::read(&path).unwrap();
        assert!(key.save(folder.path(), "publisher", &"a long passphrase".to_owned().into()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn halves_of_two_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, publisher) = saved(folder.path(), Role::Publisher);
        let (_, exchange) = saved(folder.path(), Role::Exchange);
        std::fs::copy(public_path(&exchange), public_path(&publisher)).unwrap();
        let failure = Key::open(&publisher, &"a long passphrase".to_owned().into()).err().unwrap();
        assert!(failure.error.to_string().ends_with("are not of one key"), "{}", failure.error);
    }

    fn secret_of(key: &Key) -> [u8; 32] {
        match &key.secret {
            Secret::Here(signing) => signing.to_bytes(),
            Secret::Token(_) => panic!("it is of a file"),
        }
    }

    #[test]
    fn a_secret_does_not_stand_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = saved(folder.path(), Role::Publisher);
        let seed = secret_of(&key);
        let text = base64::encode(&seed);
        for file in [path.clone(), public_path(&path)] {
            let bytes = std::fs::read(file).unwrap();
            assert!(!bytes.windows(32).any(|window| window == seed));
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        }
    }
}
