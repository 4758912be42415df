//! What a step of a plan does by itself: a signed request to an address, with a body that is made of a template.
//!
//! The template is JSON in which `{{title}}` and its like stand; what they stand for is written as JSON, so that a title with
//! quotes in it stays a title. Deliberately not here: when it is sent and what comes of an answer (`incident::deeds`), and how
//! it is signed and carried (the channel of that name).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::about::{Field, Input, needed, row};
use super::checker::Checker;
use super::contact::Contact;
use crate::channel::Address;
use crate::org::problem::Place;
use crate::org::words::meant;

/// The key of its address, and the name of the channel that carries it: the only one whose receivers are programs.
pub const WEBHOOK: &str = "webhook";
/// The key of its secret, as in a contact of that channel.
pub const SECRET: &str = "secret";
/// The one method: what is asked for is asked by a body, which others do not have for certain.
const METHOD: &str = "POST";
/// Most characters of a template: some page of text, which a program reads at once.
pub const DEED_BODY_CHARS_MAX: usize = 4_000;
/// Most placeholders of a template: each may be as long as [`DEED_VALUE_CHARS_MAX`].
pub const DEED_PLACEHOLDERS_MAX: usize = 16;
/// Characters to which what a placeholder stands for is cut: longer than a title or a task of a plan is none.
pub const DEED_VALUE_CHARS_MAX: usize = 500;

/// What may stand in a template.
pub const PLACEHOLDERS: [&str; 7] = ["reference", "title", "severity", "service", "url", "task", "plan"];
/// The one that is known only where it is sent: the address that people open the incident at.
pub const URL: &str = "url";

/// What is sent where no body is written.
pub const DEFAULT_BODY: &str = concat!(
    r#"{"type":"plan_step","reference":"{{reference}}","title":"{{title}}","severity":"{{severity}}","service":"{{service}}","#,
    r#""url":"{{url}}","plan":"{{plan}}","task":"{{task}}"}"#
);

const BY_ITSELF: &[(&str, &str)] = &[("true", "As soon as the step may begin"), ("false", "When somebody presses it")];

/// What the settings ask for.
pub(super) const FIELDS: &[Field] = &[
    needed(WEBHOOK, "Address", "Where a signed POST of JSON goes, as `https://…`; any 2xx means that the step is done.", Input::Line),
    row(SECRET, "Secret", "Signs what is sent, after Standard Webhooks; one is made and shown once where it is left out.", Input::Secret),
    row("method", "Method", "", Input::Word(&[(METHOD, METHOD)])),
    row(
        "body",
        "Body",
        "JSON, in which `{{reference}}`, `{{title}}`, `{{severity}}`, `{{service}}`, `{{url}}`, `{{task}}` and `{{plan}}` are filled in. Left out, it has all of them.",
        Input::Line,
    ),
    row("by_itself", "When", "", Input::Word(BY_ITSELF)),
];
/// One of it, as YAML.
pub(super) const EXAMPLE: &str = "{webhook: \"https://hooks.example.org/failover\", by_itself: false}";

/// What a step does, as it is written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Where to.
    pub webhook: String,
    /// What it is signed with; made where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// `POST`, which is what it is where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The template; [`DEFAULT_BODY`] where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether it is done once everything before the step is done; else a person presses it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
}

impl fmt::Debug for Deed {
    /// Where it goes and when, never what it is signed with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deed").field("host", &self.host()).field("by_itself", &self.by_itself).finish_non_exhaustive()
    }
}

impl Deed {
    /// The server that it goes to: of an address all that is shown, since the rest may be what opens a door.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.webhook.split_once("://").map_or(self.webhook.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').map_or(authority, |(_, host)| host)
    }

    /// What is sent, before anything is filled in.
    #[must_use]
    pub fn template(&self) -> &str {
        self.body.as_deref().unwrap_or(DEFAULT_BODY)
    }

    /// As an address of the channel that carries it, under the id of its step.
    #[must_use]
    pub fn as_contact(&self, step: &str) -> Contact {
        let mut address = Address::of([(WEBHOOK, self.webhook.as_str())]);
        if let Some(secret) = &self.secret {
            address.set(SECRET, secret.as_str());
        }
        Contact { id: step.to_owned(), address, verified: true }
    }
}

/// The placeholder that a text begins with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix("{{")?.split_once("}}")?;
    Some((name.trim(), rest))
}

/// A template with what its placeholders stand for, as JSON: within a string what a string may hold, elsewhere a string. Where
/// nothing is known of one it stays, which is so of [`URL`] until it is sent.
///
/// ```
/// use allclear_domain::org::forms::plan_deed::rendered;
/// let title = |name: &str| (name == "title").then(|| "say \"no\"".to_owned());
/// assert_eq!(rendered(r#"{"a":"{{title}}","b":{{title}}}"#, title), r#"{"a":"say \"no\"","b":"say \"no\""}"#);
/// ```
#[must_use]
pub fn rendered(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let (mut rest, mut in_text, mut escaped) = (template, false, false);
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = placeholder(rest) {
            let filled = value(name).map_or_else(|| format!("\"{{{{{name}}}}}\""), |value| as_json(&value));
            out.push_str(if in_text { &filled[1..filled.len() - 1] } else { &filled });
            (rest, escaped) = (after, false);
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// A string as JSON, cut, and without what a later filling in would take for a placeholder.
fn as_json(value: &str) -> String {
    let cut: String = value.chars().take(DEED_VALUE_CHARS_MAX).collect();
    serde_json::Value::from(cut).to_string().replace('{', "\\u007b")
}

/// A body with the address that was not known before.
#[must_use]
pub fn with_url(body: &str, url: &str) -> String {
    rendered(body, |name| (name == URL).then(|| url.to_owned()))
}

/// The names of a template's placeholders, in their order.
fn names(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        match placeholder(&rest[at..]) {
            Some((name, after)) => {
                found.push(name);
                rest = after;
            }
            None => rest = &rest[at + 2..],
        }
    }
    found
}

/// Its address is one of the channel's, and its body is JSON whatever is filled in.
pub(super) fn check(checker: &mut Checker<'_>, place: &Place, step: &str, decides: bool, deed: &Deed) {
    if decides {
        let words = format!("`{step}` is a decision, which is done by choosing");
        checker.error(place.clone(), words, "make a step of its own of what is done, `after` this one");
    }
    match checker.channels.named(WEBHOOK) {
        Some(form) => {
            for (key, value) in [(WEBHOOK, Some(&deed.webhook)), (SECRET, deed.secret.as_ref())] {
                if let (Some(field), Some(value)) = (form.field(key), value) {
                    checker.field(place.key(key), field, value);
                }
            }
        }
        None => checker.error(place.key(WEBHOOK), "this installation sends no webhooks", "let somebody do the step, and take `do` away"),
    }
    if deed.method.as_ref().is_some_and(|method| method != METHOD) {
        checker.error(place.key("method"), "only `POST` is sent", "write `method: POST`, or leave it away");
    }
    let Some(body) = &deed.body else { return };
    let place = place.key("body");
    if body.chars().count() > DEED_BODY_CHARS_MAX {
        let words = format!("it has more than {DEED_BODY_CHARS_MAX} characters");
        return checker.error(place, words, "send what the receiver needs to find the rest, as `{{url}}`");
    }
    let names = names(body);
    if names.len() > DEED_PLACEHOLDERS_MAX {
        let words = format!("{} placeholders are more than {DEED_PLACEHOLDERS_MAX}", names.len());
        return checker.error(place, words, "name each once");
    }
    let mut all_known = true;
    for name in names.into_iter().filter(|name| !PLACEHOLDERS.contains(name)) {
        all_known = false;
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        checker.error(place.clone(), format!("nothing stands for `{{{{{shown}}}}}`"), meant(name, PLACEHOLDERS));
    }
    // With what is worst to write: where that is JSON, so is everything else.
    let tried = rendered(body, |_| Some("\"\\\n{{\u{1f525}".to_owned()));
    if all_known && let Err(why) = serde_json::from_str::<serde_json::Value>(&tried) {
        let words = format!("it is no JSON once it is filled in: {why}");
        checker.error(place, words, "write it as in `{\"ref\": \"{{reference}}\", \"what\": \"{{title}}\"}`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::sample::WAYS;
    use crate::org::check::{Against, check};
    use crate::org::export::{MASK, each_secret, keep_stored, mask_body, masked};
    use crate::org::forms::{Bundle, FormKind};

    fn fill(template: &str, title: &str) -> serde_json::Value {
        let body = rendered(template, |name| (name == "title").then(|| title.to_owned()));
        serde_json::from_str(&with_url(&body, "https://ac.example/incidents/INC-1")).unwrap_or_else(|why| panic!("{why}: {body}"))
    }

    #[test]
    fn whatever_a_title_says_it_is_json_and_says_the_same() {
        for title in ["plain", "say \"no\" \\ then", "line\nbreak\t\u{0}", "\u{1f525} {{url}} {{title}} {{{", "}}", "\u{202e}x", "", "\\\""]
        {
            for template in
                [r#"{"t":"{{title}}","u":"{{url}}"}"#, r#"{"t":{{ title }},"u":{{url}}}"#, r#"{"q":"\"","t":"{{title}}","u":"{{url}}"}"#]
            {
                let told = fill(template, title);
                assert_eq!(
                    (told["t"].as_str(), told["u"].as_str()),
                    (Some(title), Some("https://ac.example/incidents/INC-1")),
                    "{template}"
                );
            }
        }
        assert_eq!(fill(r#"["{{title}}"]"#, &"x".repeat(9_000))[0].as_str().unwrap().len(), DEED_VALUE_CHARS_MAX);
        serde_json::from_str::<serde_json::Value>(&rendered(DEFAULT_BODY, |_| Some("\"".to_owned()))).unwrap();
        assert_eq!(names(DEFAULT_BODY).len(), PLACEHOLDERS.len());
    }

    #[test]
    fn a_host_is_all_that_is_shown_of_an_address() {
        let host = |url: &str| {
            Deed { webhook: url.into(), secret: Some("whsec_x".into()), method: None, body: None, by_itself: true }.host().to_owned()
        };
        assert_eq!(host("https://u:p@hooks.example.org:8443/t0ken?x=1"), "hooks.example.org:8443");
        assert_eq!(host("https://[::1]/x"), "[::1]");
        let deed =
            Deed { webhook: "https://h.example/t0ken".into(), secret: Some("whsec_x".into()), method: None, body: None, by_itself: true };
        assert_eq!(format!("{deed:?}"), "Deed { host: \"h.example\", by_itself: true, .. }");
    }

    #[test]
    fn a_secret_stays_with_its_step_and_is_shown_nowhere() {
        let bundle = |tasks: serde_json::Value| -> Bundle {
            serde_json::from_value(serde_json::json!({"plans": [{"id": "p", "tasks": tasks}]})).unwrap()
        };
        let step = |id: &str, secret: Option<&str>| {
            let mut deed = serde_json::json!({"webhook": format!("https://h.example/{id}")});
            if let Some(secret) = secret {
                deed["secret"] = secret.into();
            }
            serde_json::json!({"id": id, "text": id, "do": deed})
        };
        let secrets = |bundle: &Bundle| -> Vec<Option<String>> {
            bundle.plans[0].tasks.iter().map(|task| task.deed.as_ref().and_then(|deed| deed.secret.clone())).collect()
        };
        let old = bundle(serde_json::json!([step("a", Some("whsec_a")), step("b", Some("whsec_b"))]));
        let shown = masked(&old, WAYS);
        assert_eq!(secrets(&shown), [Some(MASK.to_owned()), Some(MASK.to_owned())]);
        assert_eq!(keep_stored(&old, shown, WAYS), old, "an export may be applied again");
        // In another order, with one that is new: nobody gets the secret of another.
        let moved = bundle(serde_json::json!([step("new", None), step("b", None), step("a", Some(MASK))]));
        let kept = keep_stored(&old, moved, WAYS);
        assert_eq!(secrets(&kept), [None, Some("whsec_b".to_owned()), Some("whsec_a".to_owned())]);
        let mut body = serde_json::to_value(&old.plans[0]).unwrap();
        mask_body(FormKind::Plan, &mut body, WAYS);
        assert!(!body.to_string().contains("whsec") && body.to_string().contains("https://h.example/a"), "{body}");
        let mut seen = Vec::new();
        each_secret(FormKind::Plan, &mut serde_json::to_value(&old.plans[0]).unwrap(), WAYS, |secret| {
            seen.push(secret.to_owned());
            Ok::<_, ()>(String::new())
        })
        .unwrap();
        assert_eq!(seen, ["whsec_a", "whsec_b"], "both are sealed");
    }

    #[test]
    fn what_would_not_work_is_told_where_it_stands() {
        let told = |task: serde_json::Value| -> Vec<String> {
            let bundle = serde_json::from_value(serde_json::json!({"plans": [{"id": "p", "tasks": [task]}]})).unwrap();
            let found = check(&bundle, Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: WAYS });
            found.into_iter().map(|one| one.to_string()).filter(|words| words.contains("do")).collect()
        };
        let step = |deed: serde_json::Value| serde_json::json!({"id": "a", "text": "x", "do": deed});
        let url = "https://h.example/x";
        assert_eq!(told(step(serde_json::json!({"webhook": url}))), [""; 0]);
        assert_eq!(told(step(serde_json::json!({"webhook": url, "method": "POST", "body": "{\"a\":{\"b\":\"{{title}}\"}}"}))), [""; 0]);
        for (deed, words) in [
            (serde_json::json!({"webhook": "ftp://x"}), "does not begin with"),
            (serde_json::json!({"webhook": url, "secret": "short"}), "whsec_"),
            (serde_json::json!({"webhook": url, "secret": "********"}), "stands for a stored secret"),
            (serde_json::json!({"webhook": url, "method": "PUT"}), "only `POST`"),
            (serde_json::json!({"webhook": url, "body": "{\"a\": \"{{titel}}\"}"}), "did you mean `title`"),
            (serde_json::json!({"webhook": url, "body": "title={{title}}"}), "no JSON"),
            (serde_json::json!({"webhook": url, "body": "{\"{{title}}\": 1, }"}), "no JSON"),
            (serde_json::json!({"webhook": url, "body": "x".repeat(4_001)}), "more than 4000 characters"),
            (serde_json::json!({"webhook": url, "body": "{{title}}".repeat(17)}), "more than 16"),
        ] {
            let found = told(step(deed.clone())).join("\n");
            assert!(found.contains(words) && found.contains("plans[0].tasks[0].do"), "{deed}: {found}");
        }
        let decides = serde_json::json!({"id": "a", "text": "x", "question": "Which?", "options": ["A", "B"], "do": {"webhook": url}});
        assert!(told(decides).join("\n").contains("is a decision"));
    }
}
