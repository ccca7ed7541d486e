//! Global ids (Relay): base64url of a type and a key, opaque to clients.
//!
//! The key is the same on every nation's node, so an id means the same thing everywhere.

use std::str::FromStr;

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_schema::name::Origin;

/// What an id stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GlobalId {
    /// The nation whose log has this origin.
    Nation(Origin),
    /// The log with this origin.
    Log(Origin),
    /// The record at a position of a log.
    Record(Origin, u64),
    /// A version of a model: its name and the version.
    Model(String, String),
}

impl GlobalId {
    /// The id as clients see it.
    pub fn to_id(&self) -> ID {
        let text = match self {
            Self::Nation(origin) => format!("nation:{origin}"),
            Self::Log(origin) => format!("log:{origin}"),
            Self::Record(origin, index) => format!("record:{origin}#{index}"),
            Self::Model(urn, version) => format!("model:{urn}@{version}"),
        };
        ID(URL_SAFE_NO_PAD.encode(text))
    }

    /// What `id` stands for; none when it is none of ours.
    pub fn read(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let (kind, key) = text.split_once(':')?;
        match kind {
            "nation" => Some(Self::Nation(Origin::from_str(key).ok()?)),
            "log" => Some(Self::Log(Origin::from_str(key).ok()?)),
            "record" => {
                let (origin, index) = key.split_once('#')?;
                Some(Self::Record(Origin::from_str(origin).ok()?, index.parse().ok()?))
            }
            "model" => {
                let (urn, version) = key.rsplit_once('@')?;
                Some(Self::Model(urn.to_owned(), version.to_owned()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_for_what_it_was_made_of() {
        let origin: Origin = "fr.example.org/chancery".parse().unwrap();
        for id in [
            GlobalId::Nation(origin.clone()),
            GlobalId::Log(origin.clone()),
            GlobalId::Record(origin, 12),
            GlobalId::Model("urn:chancery:FR:lab:m".to_owned(), "1.0".to_owned()),
        ] {
            assert_eq!(GlobalId::read(&id.to_id()), Some(id));
        }
    }

    #[test]
    fn what_is_no_id_of_ours_stands_for_nothing() {
        for text in ["", "!", "bm9uc2Vuc2U", "cmVjb3JkOmEjeA", "cmVjb3JkOkE"] {
            assert_eq!(GlobalId::read(text), None, "{text}");
        }
    }
}
