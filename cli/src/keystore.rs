//! Key files: `<name>.key`, the secret in an age file under a passphrase, and `<name>.pub.json` beside
//! it, what anyone may know.
//!
//! Any age program opens a key file: it holds the name of its format and the base64 of the 32 secret
//! bytes, each on a line. Only the owner may read it; a file that others can read is refused.

use std::path::{Path, PathBuf};

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
use crate::passphrase::Passphrase;
use crate::private_file;

/// The first line inside a key file of this module.
const SECRET_FORMAT: &str = "chancery.ed25519-secret/v1";

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
    signing: SigningKey,
}

impl Signer for Key {
    fn public_key(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Signer::sign(&self.signing, message)
    }
}

impl Key {
    /// Makes a new key for a role.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate(nation: &Nation, origin: &Origin, role: Role) -> Outcome<Self> {
        let seed = Zeroizing::new(clock::random_bytes::<32>()?);
        let signing = SigningKey::from_bytes(&seed);
        let key = KeyRecord::issue(&signing, nation, origin, role)?;
        let public = PublicHalf { nation: nation.clone(), origin: origin.clone(), role, key };
        Ok(Self { public, signing })
    }

    /// Writes both halves into `folder` as `name`, and answers the path of the secret one.
    ///
    /// # Errors
    /// When either file exists, or the disk does not take them.
    pub fn save(&self, folder: &Path, name: &str, passphrase: &Passphrase) -> Outcome<PathBuf> {
        let path = folder.join(format!("{name}.key"));
        let work_factor_log_n = match self.public.role {
            Role::Root | Role::Registrar => WORK_FACTOR_LOG_N_OFFLINE,
            _ => WORK_FACTOR_LOG_N,
        };
        let seed = Zeroizing::new(self.signing.to_bytes());
        let secret = encrypt(SECRET_FORMAT, &seed, work_factor_log_n, passphrase)?;
        let text = serde_json::to_string_pretty(&self.public)? + "\n";
        create(&path, &secret, &public_path(&path), text.as_bytes())?;
        Ok(path)
    }

    /// Opens `<name>.key` with its plain half beside it.
    ///
    /// # Errors
    /// When others can read it, the passphrase is wrong, or the halves do not belong together.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Outcome<Self> {
        let signing = SigningKey::from_bytes(&*open_secret(SECRET_FORMAT, path, passphrase)?);
        let public = PublicHalf::read(&public_path(path))?;
        let attempted = || format!("failed to read the key {}", path.display());
        let opened =
            public.key.open(&public.nation, &public.origin, public.role).or_exit(Exit::Authority, attempted)?;
        if opened.as_bytes() != signing.verifying_key().as_bytes() {
            let problem = format!("{} and {} are not of one key", path.display(), public_path(path).display());
            return fail(Exit::Authority, problem);
        }
        Ok(Self { public, signing })
    }

    /// As [`Key::open`], and the key is for `role`.
    ///
    /// # Errors
    /// As [`Key::open`], and when it is for another role.
    pub fn open_as(role: Role, path: &Path, passphrase: &Passphrase) -> Outcome<Self> {
        let key = Self::open(path, passphrase)?;
        if key.public.role == role {
            return Ok(key);
        }
        let (found, asked) = (key.public.role.as_str(), role.as_str());
        fail(Exit::Authority, format!("{} is a {found} key; this needs a {asked} key", path.display()))
    }

    /// The 32 secret bytes, for the one library that takes nothing else: libp2p's identity.
    #[cfg(feature = "node")]
    #[must_use]
    pub fn into_seed(self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }
}

/// The plain half of `<name>.key`.
fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub.json")
}

/// Writes both halves of a new key.
///
/// # Errors
/// When either file exists, or the disk does not take them.
pub fn create(path: &Path, secret: &[u8], public_path: &Path, public: &[u8]) -> Outcome {
    for path in [path, public_path] {
        if path.try_exists()? {
            return fail(Exit::Usage, format!("{} exists; nothing was overwritten", path.display()));
        }
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

    #[test]
    fn a_secret_does_not_stand_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = saved(folder.path(), Role::Publisher);
        let seed = key.signing.to_bytes();
        let text = base64::encode(&seed);
        for file in [path.clone(), public_path(&path)] {
            let bytes = std::fs::read(file).unwrap();
            assert!(!bytes.windows(32).any(|window| window == seed));
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        }
    }
}
