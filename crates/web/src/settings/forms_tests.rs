//! The fields that a kind says it has against its model: a key that somebody adds to the organisation is asked for too.

use std::collections::BTreeSet;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::Input;
use allclear_domain::org::forms::calendar::CalendarForm;
use allclear_domain::org::model;

/// Takes from a model what it tells its reader: the keys that it knows.
struct Keys<'a>(&'a mut BTreeSet<&'static str>);

impl<'de> Deserializer<'de> for Keys<'_> {
    type Error = serde::de::value::Error;
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("only the keys are asked for"))
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        self.deserialize_any(visitor)
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn keys<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    drop(T::deserialize(Keys(&mut found)));
    found
}

/// The keys of a kind's model, by the model itself; nothing of the kinds that take any key.
fn of_model(kind: FormKind) -> Option<BTreeSet<&'static str>> {
    Some(match kind {
        FormKind::Person => keys::<model::Person>(),
        FormKind::Team => keys::<model::Team>(),
        FormKind::Schedule => keys::<model::Schedule>(),
        // Which version made it, and who, is said by the store and by nobody who fills a form.
        FormKind::Override => keys::<model::Override>().into_iter().filter(|key| !["made", "made_by"].contains(key)).collect(),
        FormKind::Escalation => keys::<model::Escalation>(),
        FormKind::Service => keys::<model::Service>(),
        FormKind::Integration => keys::<model::Integration>(),
        // `order` is not of the file: it stands for the place in its list.
        FormKind::Route => keys::<model::Route>().into_iter().chain(["order"]).collect(),
        FormKind::Severity => keys::<model::SeverityForm>(),
        FormKind::Silence => keys::<model::Silence>(),
        FormKind::Audience => keys::<model::Audience>(),
        FormKind::Calendar => keys::<CalendarForm>(),
        // A list in the file, and a form of one key here.
        FormKind::CatchAll => ["id", "targets"].into(),
        FormKind::Role | FormKind::Plan => return None,
    })
}

#[test]
fn every_key_of_the_model_has_a_row_and_every_row_a_key() {
    for kind in FormKind::ALL {
        let shown: Vec<&str> = kind.about().fields.iter().map(|row| row.key).collect();
        let Some(known) = of_model(kind) else {
            assert_eq!((shown.as_slice(), kind.about().fields[0].input), (&[""][..], Input::Rest), "{kind:?}");
            continue;
        };
        assert!(known.len() > 1, "{kind:?} tells its keys: {known:?}");
        let with_id: BTreeSet<&str> = shown.iter().copied().chain(["id"]).collect();
        assert_eq!(with_id, known, "{kind:?}: a key of the model without a row, or a row without a key");
        assert_eq!(with_id.len(), shown.len() + 1, "{kind:?} has a row twice");
    }
}

#[test]
fn every_example_is_one() {
    for kind in FormKind::ALL {
        for row in kind.about().fields {
            let example = match row.input {
                Input::Yaml(example) => example.to_owned(),
                Input::Contacts => allclear_channels::registry::WAYS_OUT.examples(),
                _ => continue,
            };
            let part = allclear_engine::org::file::part::value_of_yaml(&example).unwrap();
            let body = match kind {
                FormKind::Person | FormKind::Audience => serde_json::json!({"id": "x", "name": "X", row.key: part}),
                FormKind::Schedule | FormKind::Calendar => serde_json::json!({"id": "x", "time_zone": "UTC", row.key: part}),
                _ => serde_json::json!({"id": "x", row.key: part}),
            };
            allclear_engine::org::file::part::read_form(kind, "x", &body).unwrap();
        }
    }
}
