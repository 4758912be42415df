//! A contact method, of a person or of an audience.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

use super::Slug;
use crate::channel::Address;

/// A contact method: an id and exactly one address, whose keys stand beside the id. Which keys those may be is said by the
/// channels, and judged in [`super::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: Slug,
    pub address: Address,
    /// Written by an administrator counts as verified unless it says otherwise.
    pub verified: bool,
}

/// The keys of a contact that are not of its address.
const ID: &str = "id";
const VERIFIED: &str = "verified";

/// The keys of a contact that are not of its address, for whoever says which there are.
pub const CONTACT_KEYS: [&str; 2] = [ID, VERIFIED];

impl Serialize for Contact {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry(ID, &self.id)?;
        for (key, value) in self.address.fields() {
            map.serialize_entry(key, value)?;
        }
        if !self.verified {
            map.serialize_entry(VERIFIED, &false)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> serde::de::Visitor<'de> for Keys {
            type Value = Contact;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("struct Contact")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Contact, A::Error> {
                use serde::de::Error as _;
                let (mut id, mut verified) = (None, None);
                let mut address = Address::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == ID {
                        if id.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field(ID));
                        }
                    } else if key == VERIFIED {
                        if verified.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field(VERIFIED));
                        }
                    } else if address.get(&key).is_some() {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    } else if let Some(Said(value)) = map.next_value::<Option<Said>>()? {
                        address.set(&key, value);
                    }
                }
                let id = id.ok_or_else(|| A::Error::missing_field(ID))?;
                Ok(Contact { id, address, verified: verified.unwrap_or(true) })
            }
        }
        from.deserialize_map(Keys)
    }
}

/// What a field says. Some addresses are numbers, and a file may write them without quotes.
struct Said(String);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Said;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Said, E> {
                Ok(Said(text.to_owned()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Said, E> {
                Ok(Said(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Said, E> {
                Ok(Said(number.to_string()))
            }
        }
        from.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_a_number_needs_no_quotes() {
        let read = |body: &str| serde_json::from_str::<Contact>(body).map(|contact| contact.address.get("chat").map(str::to_owned));
        assert_eq!(read(r#"{"id": "c", "chat": -1001234567890}"#).unwrap().as_deref(), Some("-1001234567890"));
        assert_eq!(read(r#"{"id": "c", "chat": 12345}"#).unwrap(), read(r#"{"id": "c", "chat": "12345"}"#).unwrap());
        assert_eq!(read(r#"{"id": "c", "chat": null}"#).unwrap(), None);
        for bad in ["true", "1.5", "[1]", "{}"] {
            assert!(read(&format!(r#"{{"id": "c", "chat": {bad}}}"#)).unwrap_err().to_string().contains("expected a string"), "{bad}");
        }
    }
}
