//! P-256 keys, because software for model signing takes no Ed25519: `<name>.key`, as
//! [`crate::keystore`] keeps secrets, and `<name>.pub.pem` beside it, as that software reads it.
//!
//! Such a key has no role and speaks for no nation; nothing in a log can be signed with it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chancery_schema::digest::Digest;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use zeroize::Zeroizing;

use crate::clock;
use crate::files::read_bounded;
use crate::keystore::{self, WORK_FACTOR_LOG_N};
use crate::output::{Exit, OrExit as _, Outcome};
use crate::passphrase::Passphrase;

/// The first line inside the key file.
const SECRET_FORMAT: &str = "chancery.p256-secret/v1";

/// A public key in PEM, in bytes: far more than one has.
const PEM_BYTES_MAX: u64 = 64 << 10;

/// A key that signs.
pub struct Key(SigningKey);

impl Key {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate() -> Outcome<Self> {
        let secret = Zeroizing::new(clock::random_bytes::<32>()?);
        // One in 2^32 numbers of this length is none of a key.
        let key = SigningKey::from_slice(&*secret).context("failed to make a key; try again")?;
        Ok(Self(key))
    }

    /// Writes both halves into `folder` as `name`, and answers their paths, the secret one first.
    ///
    /// # Errors
    /// When either file exists, or the disk does not take them.
    pub fn save(&self, folder: &Path, name: &str, passphrase: &Passphrase) -> Outcome<(PathBuf, PathBuf)> {
        let (path, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub.pem")));
        let secret = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        let secret = keystore::encrypt(SECRET_FORMAT, &secret, WORK_FACTOR_LOG_N, passphrase)?;
        keystore::create(&path, &secret, &public, self.public()?.pem.as_bytes())?;
        Ok((path, public))
    }

    /// Opens `<name>.key`.
    ///
    /// # Errors
    /// When others can read it, the passphrase is wrong, or it holds no P-256 secret.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Outcome<Self> {
        let secret = keystore::open_secret(SECRET_FORMAT, path, passphrase)?;
        let key = SigningKey::from_slice(&*secret);
        Ok(Self(key.or_exit(Exit::Authority, || format!("{} does not hold a P-256 secret", path.display()))?))
    }

    /// The public half.
    ///
    /// # Errors
    /// When the library does not write it.
    pub fn public(&self) -> anyhow::Result<PublicKey> {
        PublicKey::of(*self.0.verifying_key())
    }

    /// ECDSA with SHA-256, in DER; the nonce is that of RFC 6979.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

/// A key that verifies.
pub struct PublicKey {
    key: VerifyingKey,
    pem: String,
}

impl PublicKey {
    fn of(key: VerifyingKey) -> anyhow::Result<Self> {
        let pem = p256::PublicKey::from(&key).to_public_key_pem(LineEnding::LF);
        Ok(Self { key, pem: pem.context("failed to write the public key")? })
    }

    /// Reads a public key in PEM.
    ///
    /// # Errors
    /// When it is not there, or not a P-256 key.
    pub fn read(path: &Path) -> Outcome<Self> {
        let text = read_bounded(path, PEM_BYTES_MAX)?;
        let attempted = || format!("{} is not a P-256 public key in PEM (BEGIN PUBLIC KEY)", path.display());
        let text = std::str::from_utf8(&text).or_exit(Exit::Usage, attempted)?;
        let key = VerifyingKey::from_public_key_pem(text);
        Ok(Self::of(key.or_exit(Exit::Usage, attempted)?)?)
    }

    /// The SHA-256 of the public half's file as we write it: bundles name keys so, and people compare it.
    #[must_use]
    pub fn hint(&self) -> Digest {
        Digest::of(self.pem.as_bytes())
    }

    /// Whether `signature`, in DER, holds for `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature).is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> Passphrase {
        "a long passphrase".to_owned().into()
    }

    #[test]
    fn a_key_opens_as_it_was_saved_and_its_file_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let (path, public) = key.save(folder.path(), "oms", &passphrase()).unwrap();
        let opened = Key::open(&path, &passphrase()).unwrap();
        assert_eq!(opened.sign(b"message"), key.sign(b"message"));
        let public = PublicKey::read(&public).unwrap();
        assert_eq!(public.hint(), key.public().unwrap().hint());
        assert!(
            public.verifies(b"message", &key.sign(b"message")) && !public.verifies(b"messagf", &key.sign(b"message"))
        );
        let secret = <[u8; 32]>::from(key.0.to_bytes());
        assert!(!std::fs::read(&path).unwrap().windows(32).any(|window| window == secret));
        assert_eq!(Key::open(&path, &"another one".to_owned().into()).err().unwrap().exit, Exit::Authority);
        assert!(key.save(folder.path(), "oms", &passphrase()).is_err(), "nothing is overwritten");
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        use chancery_schema::key::Role;
        let folder = tempfile::tempdir().unwrap();
        let (nation, origin) = ("FR".parse().unwrap(), "fr.example.org/chancery".parse().unwrap());
        let publisher = crate::keystore::Key::generate(&nation, &origin, Role::Publisher).unwrap();
        let publisher = publisher.save(folder.path(), "publisher", &passphrase()).unwrap();
        let failure = Key::open(&publisher, &passphrase()).err().unwrap();
        assert!(format!("{:#}", failure.error).ends_with("a secret of the format chancery.p256-secret/v1"));
        let other = folder.path().join("other.pem");
        let ed25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        std::fs::write(&other, format!("-----BEGIN PUBLIC KEY-----\n{ed25519}\n-----END PUBLIC KEY-----\n")).unwrap();
        let failure = PublicKey::read(&other).err().unwrap();
        assert!(format!("{:#}", failure.error).contains("is not a P-256 public key in PEM"), "{:#}", failure.error);
    }
}
