//! Alerts that match are suppressed for a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed, row};
use super::checker::Checker;
use super::{Bundle, Entry, FormKind, Slug, Standing};
use crate::matcher::Matchers;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "silence",
    plural: "Silences",
    one: "silence",
    purpose: "Alerts that match are kept and page nobody for a time: for planned work.",
    id: IdOf::Made,
    then: &[],
    fields: &[
        needed(
            "match",
            "Matches",
            "Alertmanager’s matchers, as in service=\"checkout\". Alerts that match are kept and page nobody.",
            Input::Line,
        ),
        needed("starts_at", "From", "", Input::Instant),
        needed("ends_at", "Until", "What still fires then is judged again.", Input::Instant),
        row("comment", "Why", "Whoever wonders why nothing was paged reads this.", Input::Text),
        row("created_by", "Set by", "", Input::Line),
        row("integration", "Only alerts of", "All integrations, where left open.", Input::One(FormKind::Integration)),
    ],
};

/// Alerts that match are suppressed for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    pub id: Slug,
    /// Matchers in Alertmanager's dialect.
    #[serde(rename = "match")]
    pub matches: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub created_by: String,
    /// The integration it was set for; all, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Slug>,
}

impl Entry for Silence {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, _: &Bundle) -> Option<String> {
        Some(self.matches.clone())
    }
    fn stands(&self, at: Timestamp, _of: &Bundle) -> Option<Standing> {
        Some(if at < self.starts_at {
            Standing { words: "Not yet in force".into(), until: Some(self.starts_at) }
        } else if at < self.ends_at {
            Standing { words: "In force".into(), until: Some(self.ends_at) }
        } else {
            Standing { words: "Over".into(), until: None }
        })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, silence| {
            match Matchers::parse(&silence.matches) {
                Err(bad) => checker.error(place.key("match"), bad.to_string(), "write it as in `severity=\"warning\"`"),
                Ok(matchers) if matchers.0.is_empty() && silence.integration.is_none() => checker.warning(
                    place.key("match"),
                    "this silence matches every alert, so nobody is paged while it lasts",
                    "name a label, as in `service=\"checkout\"`",
                ),
                Ok(_) => {}
            }
            if silence.ends_at <= silence.starts_at {
                checker.error(place.key("ends_at"), "the silence ends before it starts", "give a later `ends_at`");
            }
            // What is over may name what is gone.
            if let Some(integration) = silence.integration.as_ref().filter(|_| silence.ends_at > checker.now) {
                checker.refers(place.key("integration"), FormKind::Integration, integration);
            }
        });
    }
}
