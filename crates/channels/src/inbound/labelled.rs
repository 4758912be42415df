//! What the formats have in common whose alerts are a set of labels with annotations beside it: how the set is read, what
//! such an alert is called, where its links are, and whether the word of its group says that it is over.

use std::fmt;

use allclear_domain::wire::{Labels, Link};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::inbound::lenient::Loose;
use crate::inbound::text;
use crate::inbound::text::Notes;

/// Annotations that hold a link, and what it is called.
const LINKS: [(&str, &str); 4] =
    [("runbook_url", "Runbook"), ("runbook", "Runbook"), ("dashboard_url", "Dashboard"), ("dashboard", "Dashboard")];

/// Names and values, cleaned, without empty values; `null` is empty. Of a name given twice the
/// last counts, as in Go's decoder.
#[derive(Default)]
pub(super) struct LabelSet {
    labels: Labels,
    /// What of it was read otherwise than written.
    notes: Notes,
    /// What stands here where it is no object.
    wrong: Option<&'static str>,
}

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = LabelSet;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_unit<E>(self) -> Result<LabelSet, E> {
                Ok(LabelSet::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<LabelSet, E> {
                Ok(LabelSet { wrong: Some("a text"), ..LabelSet::default() })
            }
            fn visit_bool<E>(self, _: bool) -> Result<LabelSet, E> {
                Ok(LabelSet { wrong: Some("a boolean"), ..LabelSet::default() })
            }
            fn visit_u64<E>(self, _: u64) -> Result<LabelSet, E> {
                Ok(LabelSet { wrong: Some("a number"), ..LabelSet::default() })
            }
            fn visit_i64<E>(self, _: i64) -> Result<LabelSet, E> {
                Ok(LabelSet { wrong: Some("a number"), ..LabelSet::default() })
            }
            fn visit_f64<E>(self, _: f64) -> Result<LabelSet, E> {
                Ok(LabelSet { wrong: Some("a number"), ..LabelSet::default() })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LabelSet, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(LabelSet { wrong: Some("a list"), ..LabelSet::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelSet, A::Error> {
                let mut set = LabelSet::default();
                while let Some((name, value)) = map.next_entry::<Loose<'de>, Loose<'de>>()? {
                    text::read_label(&mut set.labels, &name.text, &value, &mut set.notes);
                }
                Ok(set)
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

impl LabelSet {
    /// The pairs; what was wrong with them goes to the alert's notes.
    pub(super) fn into_labels(self, what: &str, notes: &mut Notes) -> Labels {
        if let Some(wrong) = self.wrong {
            notes.add(format!("{what} is {wrong} and was left out"));
        }
        notes.join(self.notes);
        self.labels
    }
}

/// The links that stand among the annotations.
pub(super) fn links_of(annotations: &Labels, notes: &mut Notes) -> Vec<Link> {
    let read = |(name, caption): (&str, &str)| text::link_or_note(annotations.get(name)?, caption, name, notes);
    LINKS.into_iter().filter_map(read).collect()
}

/// The title, before it is cut.
pub(super) fn title_of(labels: &Labels, annotations: &Labels) -> String {
    let filled = |text: &&str| !text::title(text).is_empty();
    let first_line = |name: &str| annotations.get(name)?.trim().lines().next().filter(filled).map(str::to_owned);
    if let Some(said) = annotations.get("summary").map(String::as_str).filter(filled) {
        return said.to_owned();
    }
    if let Some(said) = first_line("title").or_else(|| first_line("description")) {
        return said;
    }
    match (labels.get("alertname").filter(|name| filled(&name.as_str())), labels.get("instance")) {
        (Some(name), Some(instance)) => format!("{name} on {instance}"),
        (Some(name), None) => name.clone(),
        // A name of blanks alone says as little as none.
        (None, _) => {
            let first = labels.iter().find(|(_, value)| filled(&value.as_str())).or_else(|| labels.first_key_value());
            first.map(|(name, value)| format!("{name}={value}")).unwrap_or_default()
        }
    }
}

/// Whether a webhook's alert is over: its own word says so, or the word of its group.
pub(super) fn is_resolved(alert: &Loose<'_>, group: &Loose<'_>, notes: &mut Notes) -> bool {
    let Some(word) = alert.filled().or_else(|| group.filled()) else {
        notes.add("status is missing, so that it counts as firing");
        return false;
    };
    if !word.eq_ignore_ascii_case("resolved") && !word.eq_ignore_ascii_case("firing") {
        notes.add(format!("status `{}` is unknown, so that it counts as firing", text::clean(text::cut(word, 64))));
    }
    word.eq_ignore_ascii_case("resolved")
}
