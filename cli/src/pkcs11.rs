//! Keys in a token: a security module or a card that signs and never gives a secret away, spoken to
//! through its maker's PKCS#11 library (<https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/>).
//!
//! In scope: finding a token and a key in it, one login, making an Ed25519 key, signing with `CKM_EDDSA`.
//! Out of scope: initialising tokens and setting PINs; the token's own tools do that.

mod token;
pub mod uri;

use std::sync::Arc;

use chancery_schema::key::{PublicKey, SignError, Signer};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use self::token::{Problem, Token, attempted};
use self::uri::Uri;
use crate::clock;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Passphrase;

/// id-Ed25519 (RFC 8410 §3), as `CKA_EC_PARAMS`.
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// DER of an OCTET STRING of 32 bytes, up to the bytes: so tokens give a point, or they give it bare.
const POINT_PREFIX: [u8; 2] = [0x04, 0x20];

/// A key in a token.
pub struct TokenKey {
    uri: Uri,
    token: Arc<Token>,
    public: PublicKey,
}

impl Signer for TokenKey {
    fn public_key(&self) -> [u8; 32] {
        *self.public.as_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let (uri, bytes) = (self.uri.clone(), message.to_vec());
        let signature = self.token.ask(move |session| {
            let key = only(session, &uri, ObjectClass::PRIVATE_KEY)?;
            Ok(session.sign(&Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)), key, &bytes)?)
        });
        let checked = signature.and_then(|signature| checked(&self.public, message, &signature));
        checked.map_err(|problem| SignError(format!("{}: {problem}", self.uri.key())))
    }
}

impl TokenKey {
    /// Opens the key that `uri` names. `pin` is asked where this process has not logged into its token.
    ///
    /// # Errors
    /// When module, token or key is not there, the PIN is wrong, or the key does not meet the profile.
    pub fn open(uri: &Uri, pin: impl FnOnce() -> Outcome<Passphrase>) -> Outcome<Self> {
        let token = Token::of(uri, pin)?;
        let asked = uri.clone();
        let point = token.ask(move |session| {
            only(session, &asked, ObjectClass::PRIVATE_KEY)?;
            let public = only(session, &asked, ObjectClass::PUBLIC_KEY)?;
            let attributes = session.get_attributes(public, &[AttributeType::EcPoint])?;
            let point = attributes.into_iter().find_map(|attribute| match attribute {
                Attribute::EcPoint(point) => Some(point),
                _ => None,
            });
            point.ok_or_else(|| Problem::from("the token does not tell its public key (CKA_EC_POINT)"))
        });
        let public = point.and_then(|point| public_key(&point));
        let public = public.map_err(anyhow::Error::msg).or_exit(Exit::Authority, || attempted(uri))?;
        Ok(Self { uri: uri.clone(), token, public })
    }

    /// Makes the key that `uri` names inside its token, never to leave it, and opens it.
    ///
    /// # Errors
    /// As [`TokenKey::open`], and when there is such a key already.
    pub fn generate(uri: &Uri, pin: impl FnOnce() -> Outcome<Passphrase>) -> Outcome<Self> {
        let Some(label) = uri.object.clone() else {
            return fail(Exit::Usage, "a new key needs a label: add object=LABEL to the PKCS#11 URI");
        };
        let id = uri.id.clone().map_or_else(|| clock::random_bytes::<16>().map(Vec::from), Ok)?;
        let token = Token::of(uri, pin)?;
        let asked = uri.clone();
        let made = token.ask(move |session| {
            for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
                if !find(session, &asked, class)?.is_empty() {
                    return Err(Problem::from("the token has it already; nothing was made; take it with --existing"));
                }
            }
            let common = [Attribute::Token(true), Attribute::Label(label.clone().into()), Attribute::Id(id.clone())];
            let public = [Attribute::EcParams(ED25519.to_vec()), Attribute::Verify(true), Attribute::Private(false)];
            let secret = [
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ];
            let (public, secret) = ([&common[..], &public].concat(), [&common[..], &secret].concat());
            session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &secret)?;
            Ok(())
        });
        made.map_err(anyhow::Error::msg).or_exit(Exit::Authority, || format!("failed to make {}", uri.key()))?;
        Self::open(uri, || fail(Exit::Authority, "the token was closed meanwhile"))
    }
}

/// A token's word is not taken for it: what does not verify is not a signature.
fn checked(public: &PublicKey, message: &[u8], signature: &[u8]) -> Result<[u8; 64], String> {
    let held = public.verify(message, signature).ok().and_then(|()| signature.try_into().ok());
    let problem = "the token answered with what is not a signature of this key; it or its module is broken, or its \
                   public key is another key's";
    held.ok_or_else(|| problem.to_owned())
}

fn public_key(point: &[u8]) -> Result<PublicKey, String> {
    let bytes = point.strip_prefix(&POINT_PREFIX).unwrap_or(point);
    let bytes = bytes.try_into().map_err(|_| "the token tells a public key that is not one of Ed25519")?;
    PublicKey::from_bytes(bytes).map_err(|error| error.to_string())
}

/// The one key that `uri` names.
fn only(session: &Session, uri: &Uri, class: ObjectClass) -> Result<ObjectHandle, Problem> {
    let (what, hint) = if class == ObjectClass::PRIVATE_KEY {
        ("private", "see with its own tool what it holds, or make one with `chancery keygen --token`")
    } else {
        ("public", "bring it in beside the private one, with the token's own tool")
    };
    match find(session, uri, class)?[..] {
        [key] => Ok(key),
        [] => Err(Problem(format!("the token has no such {what} Ed25519 key; {hint}"))),
        _ => Err(Problem(format!("the token has several such {what} keys; tell them apart by id="))),
    }
}

/// At most two: whoever finds several does not need them all.
fn find(session: &Session, uri: &Uri, class: ObjectClass) -> Result<Vec<ObjectHandle>, Problem> {
    let mut asked = vec![Attribute::Class(class), Attribute::KeyType(KeyType::EC_EDWARDS)];
    asked.extend(uri.object.clone().map(|label| Attribute::Label(label.into())));
    asked.extend(uri.id.clone().map(Attribute::Id));
    Ok(session.iter_objects(&asked)?.take(2).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use chancery_schema::key::Signer as _;
    use ed25519_dalek::SigningKey;

    use super::*;

    #[test]
    fn what_a_token_answers_is_a_signature_or_an_error() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = PublicKey::from_bytes(&key.public_key()).unwrap();
        let signature = key.sign(b"a checkpoint").unwrap();
        assert_eq!(checked(&public, b"a checkpoint", &signature), Ok(signature));
        let other = SigningKey::from_bytes(&[8; 32]).sign(b"a checkpoint").unwrap();
        for rubbish in [&other[..], &signature[..63], &[0; 64], &[], &[signature, signature].concat()] {
            let problem = checked(&public, b"a checkpoint", rubbish).unwrap_err();
            assert!(problem.contains("not a signature of this key"), "{problem}");
        }
        assert!(checked(&public, b"another checkpoint", &signature).is_err());
    }

    #[test]
    fn a_point_is_bare_or_an_octet_string_and_meets_the_profile() {
        let bytes = SigningKey::from_bytes(&[7; 32]).public_key();
        let known = PublicKey::from_bytes(&bytes);
        assert_eq!(public_key(&bytes).ok(), known.ok());
        assert_eq!(public_key(&[&POINT_PREFIX[..], &bytes].concat()).ok(), known.ok());
        for (point, hint) in [(&bytes[..31], "not one of Ed25519"), (&[0; 32], "small order"), (&[], "not one of")] {
            let problem = public_key(point).unwrap_err();
            assert!(problem.contains(hint), "{problem}");
        }
    }
}
