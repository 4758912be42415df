//! The second step of an update: who gets it, by which way, and how many, before anything leaves. One tap never writes to
//! people outside.
//!
//! It is an answer to the form, and a form itself, so that it works without a script; it changes nothing. What it shows
//! it carries as a mark: where somebody joined an audience meanwhile it is shown again.

use std::collections::BTreeMap;
use std::collections::HashSet;

use allclear_domain::access::Principal;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::incident::PageData;
use crate::incident::ask_forms::{MARKING, TO, path};

/// The field that says what its sender saw of who gets it.
const SURE: &str = "sure";
/// The button that leads back to the words.
const EDIT: &str = "edit";
/// People named of one audience; the others are a number.
const NAMED_MAX: usize = 12;

/// One audience as it would be told now.
struct Told {
    name: String,
    /// People, each once over all audiences, by the way that is tried first.
    people: Vec<(String, &'static str)>,
    /// Addresses that belong to no person of the organisation: by channel, how many.
    outside: BTreeMap<&'static str, usize>,
    /// People who have no way to be reached.
    unreachable: Vec<String>,
    /// People whom an audience before it reaches already.
    before: usize,
}

/// Who would get it; the same rules by which it is sent.
fn told(org: &Org, fields: &Fields, at: jiff::Timestamp) -> Vec<Told> {
    let mut seen = HashSet::new();
    let chosen = org.bundle().audiences.iter().filter(|audience| fields.contains_key(&format!("{TO}{}", audience.id)));
    let of = |audience: &allclear_domain::org::model::Audience| {
        let mut told = Told {
            name: audience.name.clone().unwrap_or_else(|| audience.id.clone()),
            people: Vec::new(),
            outside: BTreeMap::new(),
            unreachable: Vec::new(),
            before: 0,
        };
        for (who, _) in org.people_for(&format!("audience:{}", audience.id), at).people {
            let ways = org.reach(&who, NotifyUrgency::Low);
            if org.person(&who).is_none() {
                for way in ways {
                    *told.outside.entry(way.channel).or_default() += 1;
                }
            } else if !seen.insert(who.clone()) {
                told.before += 1;
            } else if let Some(way) = ways.first() {
                told.people.push((pieces::name(org, &who), way.channel));
            } else {
                told.unreachable.push(pieces::name(org, &who));
            }
        }
        told
    };
    chosen.map(of).collect()
}

/// A mark of who gets it.
fn mark(told: &[Told]) -> String {
    let lines: Vec<String> =
        told.iter().map(|told| format!("{} {:?} {:?} {:?}", told.name, told.people, told.outside, told.unreachable)).collect();
    form_key::mark(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What comes between the form and its sending.
pub(crate) enum Step {
    /// It is sent: its sender has seen this.
    Send,
    /// The words are changed first.
    Edit,
    /// Who gets it is shown.
    Show,
}

/// Which it is. Where there is no audience nobody can get it, and of a private incident none may.
pub(crate) fn step(org: &Org, private: bool, fields: &Fields, at: jiff::Timestamp) -> Step {
    if fields.contains_key(EDIT) {
        return Step::Edit;
    }
    if private || org.bundle().audiences.is_empty() || fields.get(SURE).is_some_and(|sure| *sure == mark(&told(org, fields, at))) {
        return Step::Send;
    }
    Step::Show
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The page.
pub(crate) fn show(app: &App, who: &Principal, told_of: &PageData, fields: &Fields) -> Response {
    let (org, when) = (app.engine.org(), &told_of.when);
    let told = told(&org, fields, when.now);
    let people: usize = told.iter().map(|told| told.people.len()).sum();
    let outside: usize = told.iter().flat_map(|told| told.outside.values()).sum();
    let reach = match (people, outside) {
        (0, 0) => "Nobody gets it".to_owned(),
        (people, 0) => format!("{} of the organisation", count(people, "person", "people")),
        (0, outside) => format!("{} outside", count(outside, "address", "addresses")),
        (people, outside) => format!("{} and {} outside", count(people, "person", "people"), count(outside, "address", "addresses")),
    };
    let press = match people + outside {
        0 => "Put it in the log".to_owned(),
        _ => format!("Send it to {}", reach.replace(" of the organisation", "")),
    };
    let text = fields.get("text").map_or("", |text| text.trim());
    let source = format!("/incidents/{}", told_of.incident.reference);
    let body = html! {
        (heading("Send this update?", &html! {}))
        div class="preview" {
            p { a href=(source) { (told_of.incident.reference) " " bdi { (told_of.incident.title) } } }
            blockquote class="said" { bdi { (text) } }
            section {
                h2 { "Who gets it" span class="quiet" { " · " (reach) } }
                @if told.is_empty() {
                    p { "No audience is ticked: it stands in the log only, and the promise of an update is kept by it." }
                }
                ul class="reach" { @for told in &told { (audience(told)) } }
                @if people + outside > 0 { p class="hint" { "It cannot be taken back once it is sent." } }
            }
            form method="post" action=(path(told_of, "update")) {
                (once(when))
                @for (name, value) in fields.iter().filter(|(name, _)| is_kept(name)) { input type="hidden" name=(name) value=(value); }
                input type="hidden" name=(SURE) value=(mark(&told));
                div class="row-of" {
                    button class="do" type="submit" { (press) }
                    button class="may" type="submit" name=(EDIT) value="1" { "Change it" }
                }
            }
        }
    };
    let page = HtmlPage { title: "Send this update?", place: &crate::board::PLACE, who, when, wall: false, live: None, source, body };
    framed(app, &page)
}

/// What the first step typed, and nothing of a second step before.
fn is_kept(name: &str) -> bool {
    name == "text" || name == "next_within" || name == MARKING || name.starts_with(TO)
}

fn audience(told: &Told) -> Markup {
    let reached = told.people.len() + told.outside.values().sum::<usize>();
    html! {
        li {
            strong { bdi { (told.name) } }
            @if !told.outside.is_empty() { " " span class="outside" { "outside" } }
            ul {
                @for (channel, n) in &told.outside { li { (count(*n, "address", "addresses")) " by " (channel) } }
                @for (name, channel) in told.people.iter().take(NAMED_MAX) { li { bdi { (name) } span class="quiet" { " by " (channel) } } }
                @if told.people.len() > NAMED_MAX { li class="quiet" { "and " (told.people.len() - NAMED_MAX) " more people" } }
                @for name in &told.unreachable { li { bdi { (name) } " " span class="late" { "cannot be reached" } } }
                @if told.before > 0 { li class="quiet" { (count(told.before, "person is", "people are")) " told once, above" } }
                @if reached == 0 && told.before == 0 && told.unreachable.is_empty() { li class="quiet" { "nobody is in it" } }
            }
        }
    }
}
