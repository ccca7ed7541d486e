//! PKCS#11 URIs, by which a key in a token is named: <https://www.rfc-editor.org/rfc/rfc7512>.
//!
//! In scope: which token, which key in it, the module that speaks to it, and where its PIN is kept.
//! Out of scope: the PIN itself, and programs that answer it; both are refused.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use crate::passphrase::Reference;

/// What every URI of this kind begins with.
pub const SCHEME: &str = "pkcs11:";

/// What stands in a value as it is; RFC 7512 allows a little more.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

const PIN_BELONGS: &str = "a PIN does not stand in a URI, which other processes can read: change the PIN, keep it in \
                           a file of mode 0600, and name that with pin-source=file:PATH";

/// The name of a key in a token.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Uri {
    /// The token's label.
    pub token: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The slot that it is in.
    pub slot_id: Option<u64>,
    /// The key's label.
    pub object: Option<String>,
    /// The key's id.
    pub id: Option<Vec<u8>>,
    /// The library that speaks to the token.
    pub module: PathBuf,
    /// Where the PIN is kept.
    pub pin: Option<Reference>,
}

impl FromStr for Uri {
    type Err = String;

    /// The text is not repeated in the error: a PIN may stand in it.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix(SCHEME).ok_or("a PKCS#11 URI begins with pkcs11:")?;
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut uri = Self::default();
        let mut seen = Vec::new();
        let path = path.split(';').map(|attribute| (attribute, true));
        for (attribute, in_path) in path.chain(query.split('&').map(|attribute| (attribute, false))) {
            if attribute.is_empty() {
                continue;
            }
            let (name, value) = attribute.split_once('=').ok_or("a part of the PKCS#11 URI is not NAME=VALUE")?;
            if seen.contains(&name) {
                return Err(format!("the PKCS#11 URI says {name} twice"));
            }
            if value.is_empty() {
                return Err(format!("the PKCS#11 URI says nothing for {name}"));
            }
            seen.push(name);
            if in_path { uri.take_path(name, value)? } else { uri.take_query(name, value)? }
        }
        uri.check()
    }
}

impl TryFrom<String> for Uri {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Uri {
    fn take_path(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "token" => self.token = Some(text(name, value)?),
            "serial" => self.serial = Some(text(name, value)?),
            "manufacturer" => self.manufacturer = Some(text(name, value)?),
            "model" => self.model = Some(text(name, value)?),
            "slot-id" => self.slot_id = Some(value.parse().map_err(|_| "slot-id is not a number")?),
            "object" => self.object = Some(text(name, value)?),
            "id" => self.id = Some(percent_decode_str(value).collect()),
            "type" if value == "private" => {}
            "type" => return Err("the PKCS#11 URI is not of a private key: leave type out, or say private".to_owned()),
            "module-path" | "pin-source" => return Err(format!("{name} belongs behind the question mark")),
            "pin-value" => return Err(PIN_BELONGS.to_owned()),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn take_query(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "module-path" => self.module = text(name, value)?.into(),
            "pin-source" => {
                let hint = |_| "pin-source is not file:PATH or env:NAME, where the PIN is kept";
                self.pin = Some(text(name, value)?.parse().map_err(hint)?);
            }
            "pin-value" => return Err(PIN_BELONGS.to_owned()),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn check(self) -> Result<Self, String> {
        if !self.module.is_absolute() {
            return Err("the PKCS#11 URI does not name the module that speaks to the token: end it with \
                        ?module-path=/usr/lib/softhsm/libsofthsm2.so, or where yours is"
                .to_owned());
        }
        let tokens = [&self.token, &self.serial, &self.manufacturer, &self.model];
        if tokens.iter().all(|part| part.is_none()) && self.slot_id.is_none() {
            return Err("the PKCS#11 URI does not say which token: add token=LABEL".to_owned());
        }
        if self.object.is_none() && self.id.is_none() {
            return Err("the PKCS#11 URI does not say which key: add object=LABEL".to_owned());
        }
        Ok(self)
    }

    /// The same, a relative path of the PIN's file being taken from `folder`.
    #[cfg(feature = "node")]
    #[must_use]
    pub fn within(mut self, folder: &std::path::Path) -> Self {
        if let Some(Reference::File(path)) = &mut self.pin {
            *path = folder.join(&path);
        }
        self
    }

    /// The key, for people.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.object, &self.id) {
            (Some(object), _) => format!("the key `{object}` in {}", self.place()),
            (None, id) => format!("the key of id {} in {}", encode(id.as_deref().unwrap_or_default()), self.place()),
        }
    }

    /// The token, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.token, &self.serial, self.slot_id) {
            (Some(token), ..) => format!("the token `{token}`"),
            (None, Some(serial), _) => format!("the token of serial number {serial}"),
            (None, None, Some(slot)) => format!("the token in slot {slot}"),
            (None, None, None) => "the token".to_owned(),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = self.slot_id.map(|slot| slot.to_string());
        let texts = [
            ("token", &self.token),
            ("serial", &self.serial),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("slot-id", &slot),
            ("object", &self.object),
        ];
        let texts = texts.iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        let mut path: Vec<String> =
            texts.map(|(name, text)| format!("{name}={}", utf8_percent_encode(text, ENCODED))).collect();
        path.extend(self.id.as_ref().map(|id| format!("id={}", encode(id))));
        let module = self.module.to_string_lossy();
        write!(f, "{SCHEME}{}?module-path={}", path.join(";"), utf8_percent_encode(&module, ENCODED))?;
        match &self.pin {
            Some(pin) => write!(f, "&pin-source={}", utf8_percent_encode(&pin.to_string(), ENCODED)),
            None => Ok(()),
        }
    }
}

fn text(name: &str, value: &str) -> Result<String, String> {
    let decoded = percent_decode_str(value).decode_utf8().map_err(|_| format!("{name} is not UTF-8"))?;
    Ok(decoded.into_owned())
}

fn encode(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, ENCODED).to_string()
}

fn unknown(name: &str) -> String {
    format!("the PKCS#11 URI has an attribute that is not known here: {name}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MODULE: &str = "module-path=/usr/lib/m.so";

    #[test]
    fn a_uri_names_token_key_module_and_where_the_pin_is() {
        let text = "pkcs11:token=Chancery%20FR;object=log;id=%01%FF;type=private\
                    ?module-path=/usr/lib/m.so&pin-source=file:/run/pin";
        let uri: Uri = text.parse().unwrap();
        assert_eq!(uri.token.as_deref(), Some("Chancery FR"));
        assert_eq!((uri.object.as_deref(), uri.id.as_deref()), (Some("log"), Some(&[1, 255][..])));
        assert_eq!(uri.module, Path::new("/usr/lib/m.so"));
        assert_eq!(uri.pin, Some(Reference::File("/run/pin".into())));
        assert_eq!(uri.to_string(), text.replace(";type=private", ""));
        assert_eq!(uri.key(), "the key `log` in the token `Chancery FR`");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for path in ["slot-id=7;object=%22\"", "serial=a%3Bb;id=%3F%26", "manufacturer=m;model=n;object=%C3%A9"] {
            let uri: Uri = format!("pkcs11:{path}?{MODULE}&pin-source=env:PIN").parse().unwrap();
            assert_eq!(uri.to_string().parse(), Ok(uri));
        }
    }

    #[test]
    fn a_pin_in_a_uri_is_refused_and_not_repeated() {
        for text in [
            format!("pkcs11:token=t;object=o?{MODULE}&pin-value=1234"),
            format!("pkcs11:token=t;object=o;pin-value=1234?{MODULE}"),
        ] {
            let refusal = text.parse::<Uri>().unwrap_err();
            assert!(refusal.contains("pin-source=file:PATH") && !refusal.contains("1234"), "{refusal}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_is_missing() {
        for (text, hint) in [
            ("token=t", "begins with pkcs11:"),
            ("pkcs11:token=t;object=o", "module-path"),
            ("pkcs11:token=t;object=o?module-path=m.so", "module-path"),
            ("pkcs11:object=o?module-path=/m", "token=LABEL"),
            ("pkcs11:token=t?module-path=/m", "object=LABEL"),
            ("pkcs11:token=t;token=u;object=o?module-path=/m", "token twice"),
            ("pkcs11:token=t;object=o;type=cert?module-path=/m", "private"),
            ("pkcs11:token=t;object=o;slot-id=x?module-path=/m", "slot-id"),
            ("pkcs11:token=t;object=o;module-path=/m", "behind the question mark"),
            ("pkcs11:token=t;object=o?module-path=/m&pin-source=1234", "file:PATH"),
            ("pkcs11:token=t;object=o?module-path=/m&pin-source=%7C/bin/pin", "file:PATH"),
            ("pkcs11:token=t;object=o?module-path=/m&module-name=m", "module-name"),
            ("pkcs11:token=t;object?module-path=/m", "NAME=VALUE"),
            ("pkcs11:token=t;object=?module-path=/m", "nothing for object"),
            ("pkcs11:token=%ff;object=o?module-path=/m", "UTF-8"),
        ] {
            let refusal = text.parse::<Uri>().unwrap_err();
            assert!(refusal.contains(hint) && !refusal.contains("1234"), "{text}: {refusal}");
        }
    }
}
