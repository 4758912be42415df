//! Small pieces that several pages show alike: severity, state, names, links.
//!
//! Severity is always colour, shape and word together, so that it survives greyscale, colour-blind
//! eyes and a screen reader.

use allclear_domain::incident::{Severity, State, roles};
use allclear_domain::org::snapshot::{AUDIENCE, ORGANISATION, Org, SERVICE};
use allclear_domain::signal::AlertState;
use allclear_domain::view::{ActionView, ChangeView};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::frame::time_text::When;

/// What is somebody's, wherever it is said.
pub(crate) const MINE: &str = "What you lead, took, have a role or a task in, and what asks you now.";
/// Characters of one line.
pub(crate) const LINE_CHARS_MAX: usize = 400;

/// The mark of a severity: ◆ ■ ▲ ● ○ and its word. Drawn, since fonts differ in these.
pub(crate) fn severity(severity: Severity) -> Markup {
    let word = severity.word().to_uppercase();
    html! {
        span class={ "sev " (severity.word()) } {
            svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" {
                @match severity {
                    Severity::Sev1 => path d="M8 .8 15.2 8 8 15.2.8 8z" {},
                    Severity::Sev2 => path d="M2 2h12v12H2z" {},
                    Severity::Sev3 => path d="M8 1.5 15.5 14.5H.5z" {},
                    Severity::Sev4 => circle cx="8" cy="8" r="6" {},
                    Severity::Sev5 => circle class="hollow" cx="8" cy="8" r="5.4" {},
                }
            }
            (word)
        }
    }
}

/// The state as a word that begins a line.
pub(crate) const fn state(state: State) -> &'static str {
    match state {
        State::Candidate => "Candidate",
        State::Declared => "Declared",
        State::Investigating => "Investigating",
        State::Mitigated => "Mitigated",
        State::Resolved => "Resolved",
        State::Closed => "Closed",
        State::Cancelled => "Cancelled",
        State::Merged => "Merged",
    }
}

/// A person's name; the id where the organisation does not know them any more.
pub(crate) fn name(org: &Org, id: &str) -> String {
    if let Some(organisation) = id.strip_prefix(ORGANISATION) {
        return org.organisation(organisation).map_or_else(|| organisation.to_owned(), |form| form.name.clone());
    }
    if let Some(id) = id.strip_prefix(SERVICE) {
        return service(org, id);
    }
    if let Some(audience) = id.strip_prefix(AUDIENCE) {
        return org.audience(audience).and_then(|form| form.name.clone()).unwrap_or_else(|| audience.to_owned());
    }
    org.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
}

/// A service's name; the id where the organisation does not know it any more.
pub(crate) fn service(org: &Org, id: &str) -> String {
    org.service(id).map_or_else(|| id.to_owned(), |service| service.name.clone())
}

/// One of many to choose from. Its end tag is left out, as HTML allows: a page may list all people twice.
pub(crate) fn choice(value: &str, chosen: bool, words: &str) -> Markup {
    html! { option value=(value) selected[chosen]; (words) }
}

/// Services to choose from, by name; `nothing` is what an empty choice means.
pub(crate) fn service_choice(org: &Org, chosen: Option<&str>, nothing: &str) -> Markup {
    service_choice_with(org, chosen, nothing, &[])
}

/// The same with some that the organisation may have no more, by their ids.
pub(crate) fn service_choice_with(org: &Org, chosen: Option<&str>, nothing: &str, named: &[&str]) -> Markup {
    html! {
        select name="service" {
            (choice("", false, nothing))
            @for service in &org.bundle().services { (choice(&service.id, chosen == Some(service.id.as_str()), &service.name)) }
            @for id in named.iter().filter(|id| org.service(id).is_none()) { (choice(id, chosen == Some(*id), id)) }
        }
    }
}

/// People to choose from, by name.
pub(crate) fn person_choice(org: &Org, field: &str, chosen: Option<&str>, nothing: Option<&str>) -> Markup {
    html! {
        select name=(field) {
            @if let Some(nothing) = nothing { (choice("", false, nothing)) }
            @for person in &org.bundle().people { (choice(&person.id, chosen == Some(person.id.as_str()), &person.name)) }
        }
    }
}

/// The same of those who may respond and hear of it: others would be refused. Who has it already stays.
pub(crate) fn able_choice(org: &Org, field: &str, chosen: Option<&str>, nothing: Option<&str>) -> Markup {
    html! {
        select name=(field) {
            @if let Some(nothing) = nothing { (choice("", false, nothing)) }
            @for person in org.bundle().people.iter().filter(|person| chosen == Some(person.id.as_str()) || is_able(org, &person.id)) {
                (choice(&person.id, chosen == Some(person.id.as_str()), &person.name))
            }
        }
    }
}

/// Whether somebody may respond, and hears of what they are given.
pub(crate) fn is_able(org: &Org, person: &str) -> bool {
    roles::may_be_given(org, "", person).is_ok()
}

/// A word with a capital, to begin a line.
pub(crate) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// What stands for itself in an address (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose parts stay apart.
const UNRESERVED_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// A value as part of an address's query: everything but letters, digits and `-._~` in percent form.
pub(crate) fn escaped(value: &str) -> String {
    utf8_percent_encode(value, UNRESERVED).to_string()
}

/// A path as a value in a query: as [`escaped`], with its slashes.
pub(crate) fn escaped_path(path: &str) -> String {
    utf8_percent_encode(path, UNRESERVED_PATH).to_string()
}

/// The first `max` characters, with an ellipsis where there were more.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// An address that a person may be sent to: `http` and `https` only, of a sane length.
pub(crate) fn followable(href: &str) -> Option<&str> {
    let href = href.trim();
    let scheme = href.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    let safe = matches!(scheme.as_str(), "http" | "https") && href.len() <= HREF_LEN_MAX && !href.contains(char::is_control);
    safe.then_some(href)
}

/// Longest address shown as a link; browsers and servers agree on about this much.
const HREF_LEN_MAX: usize = 2048;

/// A link away from us where the text is one, else the text: a runbook in words is one, too.
pub(crate) fn link_or_text(text: &str) -> Markup {
    match followable(text) {
        Some(href) => away(href, &address(href)),
        None => html! { bdi { (cut(text.trim(), HREF_LEN_MAX)) } },
    }
}

/// A link away from us under its caption, or under its own address where it has none; text where it leads nowhere.
pub(crate) fn link(href: &str, caption: &str) -> Markup {
    match followable(href) {
        Some(href) if !caption.trim().is_empty() => away(href, &cut(caption.trim(), ADDRESS_CHARS_MAX)),
        Some(_) | None => link_or_text(href),
    }
}

/// A link away from us.
pub(crate) fn away(href: &str, words: &str) -> Markup {
    html! { a href=(href) rel="noreferrer noopener nofollow" { bdi { (words) } span class="away" aria-hidden="true" { "↗" } } }
}

/// An address as its own name, where it came without one: host and path, cut.
pub(crate) fn address(href: &str) -> String {
    let rest = href.split_once("://").map_or(href, |(_, rest)| rest);
    cut(rest.split(['?', '#']).next().unwrap_or(rest).trim_end_matches('/'), ADDRESS_CHARS_MAX)
}

/// Characters of an address that fit one line of a phone.
const ADDRESS_CHARS_MAX: usize = 40;

/// Names as a sentence lists them: `A, B and C`; beyond `max`, how many more.
pub(crate) fn list(names: &[String], max: usize) -> String {
    let more = names.len().saturating_sub(max);
    let mut shown: Vec<String> = names.iter().take(max).cloned().collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// How an alert ended, as the start of a line.
pub(crate) const fn ended(state: AlertState) -> &'static str {
    match state {
        AlertState::Open => "Open",
        AlertState::Resolved => "Recovered",
        AlertState::Lapsed => "Lapsed: its sender stopped sending it",
        AlertState::WithIncident => "Ended with its incident",
    }
}

/// Who did it, where it was not All Clear itself.
pub(crate) fn actor(org: &Org, actor: &str) -> Option<String> {
    match actor.split_once(':') {
        Some(("person", id)) => Some(name(org, id)),
        Some(("integration", id)) => Some(id.to_owned()),
        Some(("organisation", _)) => Some(format!("{}, by its guest link", name(org, actor))),
        Some(_) => Some("an API token".to_owned()),
        None => (actor == "administrator").then(|| "an administrator".to_owned()),
    }
}

/// Changes of a service, each with when it happened and where its sender says more.
pub(crate) fn changes(changes: &[ChangeView], when: &When) -> Markup {
    html! {
        ul class="list" {
            @for change in changes {
                li data-key=(change.id) {
                    div {
                        p { bdi { (cut(&change.title, LINE_CHARS_MAX)) } }
                        p class="quiet small" {
                            (when.stamp(change.at)) " · " (when.ago(change.at))
                            @if let Some(source) = &change.source { " · " bdi { (cut(source, ADDRESS_CHARS_MAX)) } }
                            @for one in change.links.iter().filter(|one| followable(&one.href).is_some()).take(CHANGE_LINKS_MAX) {
                                " " (link(&one.href, &one.text))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Links of one change.
const CHANGE_LINKS_MAX: usize = 3;

/// Until when an action is to be done: the day that was promised, which is the same for every reader, or the instant;
/// how late it is, once it is.
pub(crate) fn due(action: &ActionView, when: &When) -> Markup {
    html! {
        @match action.due_on {
            Some(day) => {
                "due " time datetime=(day) title={ "to the end of the day where " (action.owner) " is" } {
                    (when.day_words(day).replace("Today", "today"))
                }
                @if when.is_late(action.due_at) { " · " (when.counting(action.due_at)) }
            },
            None if when.is_late(action.due_at) => (when.counting(action.due_at)),
            None => { "due " (when.time(action.due_at, &when.minute(action.due_at))) },
        }
    }
}

/// One corrective action: what, who, until when.
pub(crate) fn action_line(action: &ActionView, org: &Org, when: &When) -> Markup {
    html! {
        li class=(action.state.word()) data-key=(action.id) {
            p { span class="vh" { (action.state.word()) ": " } bdi { (cut(&action.text, LINE_CHARS_MAX)) } }
            p class="quiet small" {
                bdi { (name(org, &action.owner)) }
                @match action.ended_at {
                    Some(at) => { " · " (action.state.word()) " " (when.time(at, &when.ago(at))) },
                    None => { " · " (due(action, when)) },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(followable(" https://wiki.example/r "), Some("https://wiki.example/r"));
        for bad in ["javascript:alert(1)", "JavaScript://x%0aalert(1)", "data:text/html,x", "/relative", "", "https://x\ty", "ftp://x"] {
            assert_eq!(followable(bad), None, "{bad}");
        }
        assert_eq!(address("https://wiki.example/r/?x"), "wiki.example/r");
    }

    #[test]
    fn text_is_cut_between_characters_and_names_are_listed() {
        assert_eq!(cut("żółw", 2), "żó…");
        assert_eq!(cut("ab", 2), "ab");
        let names: Vec<String> = ["A", "B", "C", "D"].map(String::from).to_vec();
        assert_eq!(list(&names, 9), "A, B, C and D");
        assert_eq!(list(&names, 2), "A, B and 2 more");
        assert_eq!((list(&names[..1], 2), list(&[], 2)), ("A".into(), String::new()));
    }
}
