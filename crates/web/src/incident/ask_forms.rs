//! Every command of an incident as a plain form, the likeliest next one first. Labels, fields and buttons are those of
//! the table ([`allclear_domain::ask`]); where the layout matters a form is drawn by hand around them.
//!
//! A form unfolds from its button without a script. What was refused is shown with the refusal at
//! its head and everything that was typed still in it.

use allclear_domain::ask::{self, Ask, Field, Kind};
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::incident::{Instant, Severity, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::tlp::{Tlp, UNMARKED};
use allclear_domain::view::EventView;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::{PageData, TAB, TABS, plan_fields};

/// The field in which another incident is chosen, where its reference is not written.
pub(crate) const PICK: &str = "pick";
/// Characters of the title of an incident that is chosen from a list.
const PICKED_CHARS_MAX: usize = 60;
/// The field in which whoever helps is chosen: a target, or [`BY_POLICY`] and the id of an escalation policy.
pub(crate) const WHOM: &str = "whom";
/// What a policy begins with there.
pub(crate) const BY_POLICY: &str = "escalation";
/// The field that says why open items of recovery may stay so.
const WAIVE: &str = "waive";
/// How far something may go.
pub(crate) const MARKING: &str = "marking";
/// What the name of an audience's field begins with.
pub(crate) const TO: &str = "to:";

/// Whether the lifecycle lets people ask for it now, and it fits a test where this is one.
pub(crate) fn fits(told: &PageData, verb: Verb) -> bool {
    next(told.incident.state, verb).is_ok() && (verb.fits_a_test() || !told.incident.exercise)
}

/// What an address asks for that cannot be done now, as where it was kept from before: rather than a page without the form.
pub(super) fn not_now(told: &PageData) -> Markup {
    let asked = ask::named(&told.draft.verb).filter(|row| told.draft.refusal.is_none() && !(told.may_act && fits(told, row.verb)));
    html! {
        @if let Some(row) = asked {
            p class="refusal" role="status" {
                strong { "“" (row.label) "” cannot be done now" }
                @if told.may_act { "The incident is " (pieces::state(told.incident.state)) "." }
                @else { "You may read this incident and not change it." }
            }
        }
    }
}

pub(crate) fn path(told: &PageData, verb: &str) -> String {
    format!("/incidents/{}/{verb}", told.incident.reference)
}

/// Longest form that is drawn with every page, in bytes: a choice of some sixty people. What lists a larger organisation's people
/// or services is drawn where somebody asks for it, or one page would carry the same names a dozen times.
pub(super) const DRAWN_BYTES_MAX: usize = 2_560;

/// Whether a form is left out until somebody asks for it.
pub(super) fn is_left_out(told: &PageData, verb: &str, fields: &Markup) -> bool {
    fields.0.len() > DRAWN_BYTES_MAX && told.draft.verb != verb
}

/// A button that unfolds a form; where that is long, one that leads to the page with the form unfolded.
pub(crate) fn unfolding(told: &PageData, verb: &str, label: &str, class: &str, fields: &Markup, press: &str) -> Markup {
    if is_left_out(told, verb, fields) {
        return html! { a class={ "may asks-for " (class) } href=(asking(told, verb)) data-verb=(verb) data-key=(verb) { (label) } };
    }
    html! {
        details class={ "act-one " (class) } name="act" open[told.draft.verb == verb] data-verb=(verb) data-key=(verb) {
            summary { (label) }
            form method="post" action=(path(told, verb)) {
                (told.draft.refused(verb)) (once(&told.when))
                (fields)
                button class="do" type="submit" { (press) }
            }
        }
    }
}

/// Whether resources have a place of their own on the page: where something was asked for, or somebody is known whom one could ask.
pub(super) fn resources_stand(told: &PageData, org: &Org) -> bool {
    !told.incident.resources.is_empty() || !org.bundle().organisations.is_empty()
}

/// Forms of one kind that are drawn with what they are about: more of them, with their choices of people, are no page.
pub(super) const DRAWN_MAX: usize = 3;

/// The way to a form that is drawn for the one that asks for it: by the name of its draft, in its part of the page.
pub(super) fn way_to(part: &str, draft: &str, words: &str, label: &str) -> Markup {
    html! { a class="rest" href={ "?" (TAB) "=" (part) "&do=" (draft) "#" (draft) } aria-label=(label) { (words) } }
}

/// Name of the draft of the whole form of a decision; the composer's button sends its words alone.
pub(super) const DECIDE: &str = "decide";
/// Verbs that are folded away, since they are asked for less often.
const RARE: [&str; 22] = [
    DECIDE,
    "responders",
    "split",
    "order",
    "move",
    "relate",
    "transfer",
    "want",
    "hypothesis",
    "give_back",
    "service",
    "affect",
    "assess",
    "potential",
    "type",
    "merge",
    "cancel",
    "rename",
    "restrict",
    "open_up",
    "admit",
    "review",
];

/// Verbs that have their place on the page, here or beside the log; every other row of the table is drawn from the table
/// alone, after those of the bar.
const PLACED: [Verb; 59] = [
    Verb::Responders,
    Verb::Responder,
    Verb::Split,
    Verb::Order,
    Verb::Move,
    Verb::Relate,
    Verb::Unrelate,
    Verb::Follow,
    Verb::Transfer,
    Verb::Declare,
    Verb::Acknowledge,
    Verb::Mitigate,
    Verb::Resolve,
    Verb::Update,
    Verb::Close,
    Verb::Reopen,
    Verb::Severity,
    Verb::Escalate,
    Verb::Cancel,
    Verb::Merge,
    Verb::GiveBack,
    Verb::TakeApart,
    Verb::Service,
    Verb::Affect,
    Verb::Type,
    Verb::Field,
    Verb::Assess,
    Verb::Potential,
    Verb::Keep,
    Verb::Note,
    Verb::Mark,
    Verb::Decision,
    Verb::Revisit,
    Verb::Hypothesis,
    Verb::Restrict,
    Verb::OpenUp,
    Verb::Admit,
    Verb::Role,
    Verb::Task,
    Verb::Plan,
    Verb::Recovery,
    Verb::Tell,
    Verb::Time,
    Verb::Link,
    Verb::Rename,
    Verb::Review,
    Verb::PauseClock,
    Verb::ResumeClock,
    Verb::Party,
    Verb::Request,
    Verb::Answer,
    Verb::Obligation,
    Verb::Awareness,
    Verb::Submission,
    Verb::Want,
    Verb::Resource,
    Verb::Marking,
    Verb::Guest,
    Verb::Export,
];

/// A form among those that are folded away.
pub(crate) fn folded(told: &PageData, verb: &str, label: &str, fields: &Markup, press: &str) -> Markup {
    if is_left_out(told, verb, fields) {
        return asks_for(told, verb, label);
    }
    html! {
        details class="act-one" name="rare" open[told.draft.verb == verb] data-verb=(verb) data-key=(verb) {
            summary { (label) }
            form method="post" action=(path(told, verb)) {
                (told.draft.refused(verb)) (once(&told.when))
                (fields)
                button class="do" type="submit" { (press) }
            }
        }
    }
}

/// A form that is only its button.
fn at_once(told: &PageData, verb: &str, label: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(path(told, verb)) class="at-once" data-key={ "at-once-" (verb) } {
            (told.draft.refused(verb)) (once(&told.when))
            button class=(class) type="submit" data-verb=(verb) { (label) }
        }
    }
}

pub(crate) fn words(told: &PageData, verb: &str, name: &str, label: &str, needed: bool) -> Markup {
    html! {
        label class="field" {
            span { (label) @if !needed { span class="quiet" { " (may stay empty)" } } }
            textarea name=(name) rows="2" required[needed] { (told.draft.typed(verb, name)) }
        }
    }
}

/// People named on a button.
const NAMED_MAX: usize = 2;

/// What is nobody's is taken. Whoever was paged acknowledges. Whoever was not leads it first, which stops nobody's paging;
/// their acknowledgement says whose it stops, since it is those who were to be woken.
fn take(told: &PageData, org: &Org) -> Markup {
    let called = told.called();
    if called.is_empty() || told.calls_reader() || told.me.is_none() {
        return at_once(told, "acknowledge", "Acknowledge", "do");
    }
    let names: Vec<String> = called.iter().map(|id| pieces::name(org, id)).collect();
    html! {
        @if told.incident.commander.is_none() && fits(told, Verb::Role) {
            form method="post" action=(path(told, "role")) class="at-once" data-key="take-first" {
                (once(&told.when))
                input type="hidden" name="role" value="commander"; input type="hidden" name="do" value="take";
                input type="hidden" name=(TAB) value=(told.tab);
                button class="do" type="submit" data-verb="take" { "Take command" }
            }
        }
        form method="post" action=(path(told, "acknowledge")) class="at-once" data-key="at-once-acknowledge" {
            (told.draft.refused("acknowledge")) (once(&told.when))
            button class="may stops" type="submit" data-verb="acknowledge" {
                "Acknowledge"
                span class="vh" { ", which" } span class="small" { "stops paging " bdi { (pieces::list(&names, NAMED_MAX)) } }
            }
        }
    }
}

/// What was refused of a form that is not drawn any more, since the incident has moved on: why, and what was typed.
fn undrawn(told: &PageData) -> Markup {
    let verb = told.draft.verb.as_str();
    let ask = ask::named(verb).filter(|ask| told.draft.refusal.is_some() && !fits(told, ask.verb));
    html! {
        @if let Some(ask) = ask {
            (told.draft.refused(verb))
            @for typed in ask.fields.iter().map(|field| told.draft.typed(verb, field.name)).filter(|typed| !typed.trim().is_empty()) {
                p class="typed" { bdi { (typed) } }
            }
        }
    }
}

/// The bar of commands below the header. `first` stands first among what is asked for less often, and `rarely` near its end.
pub(crate) fn bar(told: &PageData, org: &Org, first: &Markup, rarely: &Markup) -> Markup {
    let state = told.incident.state;
    let recovered = told.incident.recovered && state.is_open() && state != State::Candidate;
    html! {
        (undrawn(told))
        div class="acts" data-live="acts" {
            @if fits(told, Verb::Declare) { (at_once(told, "declare", "Declare", "do")) }
            @let is_away = told.me.as_ref().is_some_and(|me| told.incident.away.contains(me));
            @let is_mine = told.me.is_none() || (told.incident.acknowledged_by == told.me && !is_away);
            @if told.is_nobodys() { (take(told, org)) }
            @else if state.is_open() && told.calls_reader() { (at_once(told, "acknowledge", "Acknowledge", "do")) }
            @else if matches!(state, State::Investigating | State::Mitigated) && !is_mine {
                (at_once(told, "acknowledge", "I am on it too", "may"))
            }
            @if told.is_nobodys() { (help(told, org)) }
            @if fits(told, Verb::Mitigate) {
                (drawn(told, org, Verb::Mitigate))
            }
            @if !told.is_nobodys() { (help(told, org)) }
            @if fits(told, Verb::Resolve) {
                (drawn_as(told, org, Verb::Resolve, if state == State::Mitigated || recovered { "likely" } else { "" }))
            }
            @if fits(told, Verb::Update) && state.is_open() { (update(told, org)) }
            @if told.may_be_taken_apart() { (at_once(told, "take_apart", "Take apart", "may")) }
            @if fits(told, Verb::Close) {
                @if plan_fields::is_open(told) { (drawn(told, org, Verb::Close)) } @else { (at_once(told, "close", "Close", "do")) }
            }
            @if fits(told, Verb::Reopen) { (drawn(told, org, Verb::Reopen)) }
            @if fits(told, Verb::Severity) { (drawn(told, org, Verb::Severity)) }
            @for ask in ask::all().filter(|ask| !PLACED.contains(&ask.verb) && fits(told, ask.verb)) { (drawn(told, org, ask.verb)) }
            @if state == State::Candidate {
                @let why = words(told, "cancel", "why", "Why is it none?", true);
                (unfolding(told, "cancel", "Not an incident", "", &why, "Not an incident"))
            }
            @if told.incident.state != State::Closed || fits(told, Verb::Rename) {
                details class="act-one far" name="act" open[RARE.contains(&told.draft.verb.as_str())] data-key="more" {
                    summary { "More" }
                    div class="sheet" {
                        (first) (rare(told, org))
                        (rarely)
                        @if let Some(ask) = ask::of(Verb::Merge).filter(|ask| fits(told, ask.verb)) {
                            (folded(told, "merge", ask.label, &merge(told, org, ask), ask.press))
                        }
                        @if fits(told, Verb::Cancel) && state != State::Candidate {
                            (drawn_folded(told, org, Verb::Cancel))
                        }
                    }
                }
            }
        }
    }
}

/// Pages somebody else, whoever it is: a person, a team, whoever is on call, a policy.
fn help(told: &PageData, org: &Org) -> Markup {
    let Some(ask) = ask::of(Verb::Escalate).filter(|ask| fits(told, ask.verb)) else { return html! {} };
    let word = ask.verb.word();
    let fields = html! {
        (whom(told, org, word, Some("The incident’s own policy, from its first step")))
        (field_named(told, org, ask.verb, "why"))
    };
    unfolding(told, word, ask.label, "", &fields, ask.press)
}

/// The choice of whom a form asks: whoever is on call, a team, a person, a policy. `otherwise` is what an open choice means.
fn whom(told: &PageData, org: &Org, word: &str, otherwise: Option<&str>) -> Markup {
    let (bundle, typed) = (org.bundle(), told.draft.typed(word, WHOM));
    let one = |kind: &str, id: &str, name: Option<&str>| {
        let value = format!("{kind}:{id}");
        pieces::choice(&value, typed == value, name.unwrap_or(id))
    };
    html! {
        label class="field" {
            span { "Whom" }
            select name=(WHOM) required[otherwise.is_none()] {
                (pieces::choice("", typed.is_empty(), otherwise.unwrap_or("Choose")))
                optgroup label="On call" { @for form in &bundle.schedules { (one("schedule", &form.id, form.name.as_deref())) } }
                optgroup label="Teams" { @for form in &bundle.teams { (one("team", &form.id, Some(&form.name))) } }
                optgroup label="People" {
                    @for form in bundle.people.iter().filter(|form| pieces::is_able(org, &form.id)) {
                        (one("person", &form.id, Some(&form.name)))
                    }
                }
                optgroup label="Escalation policies" {
                    @for form in &bundle.escalations { (one(BY_POLICY, &form.id, form.name.as_deref())) }
                }
            }
        }
    }
}

/// Asks further people to come; drawn where somebody asks for it, since it names everybody.
fn responders(told: &PageData, org: &Org) -> Markup {
    let Some(ask) = ask::of(Verb::Responders).filter(|ask| fits(told, ask.verb)) else { return html! {} };
    let word = ask.verb.word();
    if told.draft.verb != word {
        return asks_for(told, word, ask.label);
    }
    let fields = html! {
        (whom(told, org, word, None))
        (field_named(told, org, ask.verb, "why"))
        (field_named(told, org, ask.verb, "within"))
    };
    folded(told, word, ask.label, &fields, ask.press)
}

/// A form of the table, which unfolds from its button.
pub(crate) fn drawn(told: &PageData, org: &Org, verb: Verb) -> Markup {
    drawn_as(told, org, verb, "")
}

fn drawn_as(told: &PageData, org: &Org, verb: Verb, class: &str) -> Markup {
    let Some(ask) = ask::of(verb) else { return html! {} };
    unfolding(told, verb.word(), ask.label, class, &fields(told, org, ask), ask.press)
}

/// A form of the table among those that are folded away.
fn drawn_folded(told: &PageData, org: &Org, verb: Verb) -> Markup {
    let Some(ask) = ask::of(verb) else { return html! {} };
    folded(told, verb.word(), ask.label, &fields(told, org, ask), ask.press)
}

/// The same, drawn where somebody asks for it: what is rarely wanted weighs nothing on every page.
fn on_request(told: &PageData, org: &Org, verb: Verb) -> Markup {
    let Some(ask) = ask::of(verb) else { return html! {} };
    if told.draft.verb == verb.word() { drawn_folded(told, org, verb) } else { asks_for(told, verb.word(), ask.label) }
}

/// The way to a form that is drawn where somebody asks for it.
pub(super) fn asks_for(told: &PageData, word: &str, label: &str) -> Markup {
    html! { p data-key=(word) { a class="asks" href=(asking(told, word)) { (label) } } }
}

/// The part of the page that a command's form stands in, of which a phone shows one at a time; nothing for what stands above them,
/// or beside the log.
pub(super) fn part_of(word: &str) -> Option<&'static str> {
    match word {
        "task" | "recovery" | "plan" | "tell" => Some("tasks"),
        "role" | "time" | "pause_clock" | "resume_clock" | "party" | "request" | "answer" | "marking" | "guest" | "obligation"
        | "awareness" | "submission" | "relate" | "unrelate" | "order" | "follow" | "want" | "resource" | "export" | "responder" => {
            Some("people")
        }
        "hypothesis" | "revisit" | "field" | DECIDE => Some("more"),
        _ => None,
    }
}

/// The address of the page with one form unfolded, in the part in which that stands.
fn asking(told: &PageData, word: &str) -> String {
    let part = part_of(word).unwrap_or(told.tab);
    let tab = if part == TABS[0].0 { String::new() } else { format!("{TAB}={part}&") };
    format!("/incidents/{}?{tab}do={word}", told.incident.reference)
}

/// The fields of a row, in its order.
fn fields(told: &PageData, org: &Org, ask: &Ask) -> Markup {
    html! {
        @for field in ask.fields {
            // Nobody is asked why something may stay open where nothing is.
            @if field.name != WAIVE { (field_of(told, org, ask.verb, field)) }
            @else if plan_fields::is_open(told) { (plan_fields::still_open(told)) (field_of(told, org, ask.verb, field)) }
        }
    }
}

/// Whether there is a time to put right: of what has happened, or of what may have.
const fn may_be_known(instant: Instant, told: &PageData) -> bool {
    match instant {
        Instant::ImpactStarted | Instant::Detected | Instant::Mitigated => true,
        Instant::Declared => told.incident.declared_at.is_some(),
        Instant::Acknowledged => told.incident.acknowledged_at.is_some(),
        Instant::Resolved => told.incident.resolved_at.is_some(),
    }
}

/// One field, by its kind; with what was typed, where that was refused.
pub(super) fn field_of(told: &PageData, org: &Org, verb: Verb, field: &Field) -> Markup {
    let (word, name) = (verb.word(), field.name);
    let typed = told.draft.typed(word, name);
    let label = html! { span { (field.label) @if !field.needed { span class="quiet" { " (may stay empty)" } } } };
    match field.kind {
        Kind::Words { .. } | Kind::Reason => words(told, word, name, field.label, field.needed),
        Kind::Severity => severity(told, word, name, field.label),
        Kind::Instant => html! {
            label class="field" {
                span { (field.label) }
                select name=(name) {
                    @for instant in Instant::ALL.into_iter().filter(|instant| may_be_known(*instant, told)) {
                        (pieces::choice(instant.word(), typed == instant.word(), &pieces::capital(&instant.word().replace('_', " "))))
                    }
                }
            }
        },
        Kind::Choice { .. } if verb == Verb::Marking && name == MARKING => level(told, typed, field.label),
        Kind::Choice { .. } if verb == Verb::Request && name == MARKING => readers(typed, field.label),
        Kind::Choice { of, .. } => html! {
            label class="field" {
                (label)
                // What has to be chosen is chosen by nobody but whoever reads.
                select name=(name) required[field.needed] {
                    @if !field.needed { option value="" {} } @else if typed.is_empty() { option value="" { "Choose" } }
                    @for word in of { (pieces::choice(word, typed == *word, &pieces::capital(&word.replace('_', " ")))) }
                }
            }
        },
        Kind::Person => {
            html! {
                label class="field" {
                    span { (field.label) } (pieces::person_choice(org, name, Some(typed), (!field.needed).then_some("Nobody")))
                }
            }
        }
        Kind::Role => {
            html! {
                label class="field" {
                    span { (field.label) }
                    select name=(name) {
                        @for role in org.roles() { (pieces::choice(&role.id, typed == role.id, &pieces::capital(&role.name))) }
                    }
                }
            }
        }
        Kind::Service => html! {
            @let chosen = if typed.is_empty() { told.incident.service.as_deref() } else { Some(typed) };
            // What the incident names can be said not to be affected any more, also where the organisation has it no more.
            @let affected = told.incident.affected.iter().map(|one| one.service.as_str()).chain(told.incident.service.as_deref());
            @let named: Vec<&str> = affected.filter(|_| verb == Verb::Affect).collect();
            label class="field" { (label) (pieces::service_choice_with(org, chosen, "Choose one", &named)) }
        },
        Kind::Plan => html! { label class="field" { (label) (plan_fields::choice(told, org, name, typed)) } },
        Kind::Escalation => html! {
            label class="field" {
                span { (field.label) }
                select name=(name) {
                    (pieces::choice("", false, "The incident’s own policy"))
                    @for form in &org.bundle().escalations {
                        (pieces::choice(&form.id, form.id == typed, form.name.as_deref().unwrap_or(&form.id)))
                    }
                }
            }
        },
        Kind::Incident => html! {
            label class="field" {
                span { (field.label) }
                input name=(name) value=(typed) placeholder="INC-142" autocomplete="off" autocapitalize="characters" required[field.needed];
            }
        },
        Kind::Time => html! {
            label class="field" {
                span {
                    (field.label)
                    span class="quiet" {
                        " " (told.when.zone())
                        @if !field.needed && field.name == "at" { ", empty where it is not known" }
                    }
                }
                input type="datetime-local" step="1" name=(name) value=(typed) required[field.needed];
            }
        },
        Kind::Organisation => html! {
            label class="field" {
                span { (field.label) }
                select name=(name) {
                    @if !field.needed { (pieces::choice("", typed.is_empty(), "Nobody yet")) }
                    @for form in &org.bundle().organisations { (pieces::choice(&form.id, form.id == typed, &form.name)) }
                }
            }
        },
        Kind::Line { .. } | Kind::Alert | Kind::Task | Kind::Number { .. } | Kind::Entry => html! {
            label class="field" { (label) input name=(name) value=(typed) required[field.needed]; }
        },
        Kind::Length => html! {
            label class="field" { (label) input name=(name) value=(typed) placeholder="30m" required[field.needed]; }
        },
        Kind::Flag => {
            html! { label class="check" { input type="checkbox" name=(name) value="1" checked[!typed.is_empty()]; span { (field.label) } } }
        }
        Kind::Audiences => html! {
            fieldset class="choice" {
                legend { (field.label) }
                @if org.bundle().audiences.is_empty() { p class="hint" { "No audience is set, so it stands in the log only." } }
                @for audience in &org.bundle().audiences {
                    @let box_name = format!("{TO}{}", audience.id);
                    @let is_mine = told.draft.verb == word;
                    @let ticked = if is_mine { !told.draft.typed(word, &box_name).is_empty() } else { told.told_last(&audience.id) };
                    label class="check" {
                        input type="checkbox" name=(box_name) value="1" checked[ticked];
                        span { (audience.name.as_deref().unwrap_or(&audience.id)) }
                    }
                }
            }
        },
        // People are paged by name from a terminal, where there is room to name them.
        Kind::Targets => html! {},
    }
}

/// One field of a row, where a form is drawn by hand around it.
fn field_named(told: &PageData, org: &Org, verb: Verb, name: &str) -> Markup {
    ask::of(verb).and_then(|ask| ask.field(name)).map_or_else(|| html! {}, |field| field_of(told, org, verb, field))
}

/// How far what is written may go; where nothing is chosen, as far as the incident. Only where others are dealt with: who
/// works alone is not asked.
fn marking(told: &PageData, verb: &str) -> Markup {
    if told.incident.parties.is_empty() && told.incident.marking.is_none() {
        return html! {};
    }
    let typed = told.draft.typed(verb, MARKING);
    html! {
        label class="field" {
            span { "How far it may go" }
            select name=(MARKING) {
                (pieces::choice("", typed.is_empty(), &format!("As the incident: {}", told.incident.marking.map_or(UNMARKED, Tlp::label))))
                @for level in Tlp::ALL { (pieces::choice(level.word(), typed == level.word(), level.label())) }
            }
        }
    }
}

/// How far the incident may go: as it is, and nothing beforehand where nobody has said; the strictest first.
fn level(told: &PageData, typed: &str, label: &str) -> Markup {
    let chosen = Tlp::from_word(typed).or(told.incident.marking);
    html! {
        label class="field" {
            span { (label) }
            select name=(MARKING) required {
                @if chosen.is_none() { (pieces::choice("", true, "Choose")) }
                @for level in strictest_first() { (pieces::choice(level.word(), chosen == Some(level), level.label())) }
            }
        }
    }
}

/// Which organisations beside the one that is asked may read a request.
fn readers(typed: &str, label: &str) -> Markup {
    html! {
        label class="field" {
            span { (label) }
            select name=(MARKING) {
                (pieces::choice("", typed.is_empty(), "none"))
                @for level in strictest_first() {
                    (pieces::choice(level.word(), typed == level.word(), &format!("those that may be told {}", level.label())))
                }
            }
        }
    }
}

/// The levels that an organisation may be told of, from strict to wide.
fn strictest_first() -> impl Iterator<Item = Tlp> {
    Tlp::ALL.into_iter().rev().filter(|level| *level != Tlp::Red)
}

/// The same, folded away until it is wanted.
fn marking_folded(told: &PageData, verb: &str) -> Markup {
    let field = marking(told, verb);
    html! {
        @if !field.0.is_empty() {
            details class="act-one small" open[!told.draft.typed(verb, MARKING).is_empty()] data-key="marking" {
                summary { "How far it may go" } (field)
            }
        }
    }
}

fn severity(told: &PageData, verb: &str, name: &str, label: &str) -> Markup {
    let chosen = told.draft.typed(verb, name).parse().unwrap_or(told.incident.severity);
    html! {
        fieldset class="choice" {
            legend { (label) }
            @for severity in Severity::ALL {
                label class="check" {
                    input type="radio" name=(name) value=(severity) checked[severity == chosen];
                    (pieces::severity(severity))
                }
            }
        }
    }
}

/// Another open incident, chosen from a list.
pub(super) fn pick(told: &PageData, verb: &str, label: &str) -> Markup {
    let typed = told.draft.typed(verb, PICK);
    html! {
        @if !told.others.is_empty() {
            label class="field" {
                span { (label) }
                select name=(PICK) {
                    option value="" { "Choose, or write its reference below" }
                    @for other in &told.others {
                        option value=(other.reference) selected[typed == other.reference] {
                            (other.reference) " · " (other.severity) " · " (pieces::cut(&other.title, PICKED_CHARS_MAX))
                        }
                    }
                }
            }
        }
    }
}

fn merge(told: &PageData, org: &Org, ask: &Ask) -> Markup {
    html! {
        (pick(told, "merge", "Into which incident?"))
        @for field in ask.fields { (field_of(told, org, ask.verb, &field.label("Another one’s reference").or_not())) }
        p class="hint" {
            "That one goes on; this one ends, and its alerts and open tasks go with it. Within a day it can be taken apart again."
        }
    }
}

/// The composer at the foot of the log: one text, and what it is.
pub(crate) fn say(told: &PageData) -> Markup {
    let verb = if told.draft.verb == "decision" { "decision" } else { "note" };
    html! {
        @if fits(told, Verb::Note) {
            form class="say" id="say" method="post" action=(path(told, "note")) {
                (told.draft.refused(verb)) (once(&told.when))
                label class="vh" for="say-text" { "Write to the log" }
                textarea id="say-text" name="text" rows="1" placeholder="Write to the log" required { (told.draft.typed(verb, "text")) }
                div class="say-as" {
                    button class="do" type="submit" { "Note" }
                    (say_as(told))
                }
                div class="row-of" { (happened(told, verb)) (marking_folded(told, verb)) }
            }
        } @else { p class="quiet" { "It is over: nothing more is written here by hand." } }
    }
}

/// What is written late says when it happened.
fn happened(told: &PageData, verb: &str) -> Markup {
    let typed = told.draft.typed(verb, "happened_at");
    html! {
        details class="act-one small" open[!typed.is_empty()] data-key="happened" {
            summary { "It happened earlier" }
            label class="field" {
                span { "When it happened" span class="quiet" { " " (told.when.zone()) " (empty: now)" } }
                input type="datetime-local" step="1" name="happened_at" value=(typed);
            }
        }
    }
}

/// The forms of [`mark`], once for the whole log: a long one has hundreds of notes. Marking twice is marking once.
pub(crate) fn marks(told: &PageData) -> Markup {
    html! {
        @if fits(told, Verb::Mark) {
            form id="mark" method="post" action=(path(told, "mark")) { (told.draft.refused("mark")) }
            form id="unmark" method="post" action=(path(told, "mark")) { input type="hidden" name="unmark" value="1"; }
        }
    }
}

/// A note becomes a key event, or is none any more.
pub(crate) fn mark(told: &PageData, note: &EventView, is_key: bool) -> Markup {
    let (form, words) = if is_key { ("unmark", "Not a key event") } else { ("mark", "Mark as key event") };
    html! { @if fits(told, Verb::Mark) { " " button class="mark" form=(form) name="entry" value=(note.seq) { (words) } } }
}

/// Further buttons of the composer.
fn say_as(told: &PageData) -> Markup {
    html! {
        @if fits(told, Verb::Decision) {
            button class="may" type="submit" formaction=(path(told, "decision")) { "Decision" }
            label class="check small" {
                input type="checkbox" name="reversible" value="1" checked[!told.draft.typed("decision", "reversible").is_empty()];
                span { "can be undone" }
            }
        }
    }
}

/// Commands that are asked for less often.
fn rare(told: &PageData, org: &Org) -> Markup {
    let field = html! {
        label class="field" {
            span { "Title" }
            input name="title" required
                value=(if told.draft.verb == "rename" { told.draft.typed("rename", "title") } else { &told.incident.title });
        }
    };
    html! {
        @let mine = told.me.is_some() && [&told.incident.commander, &told.incident.acknowledged_by].contains(&&told.me);
        @if mine && told.is_held() && fits(told, Verb::GiveBack) { (drawn_folded(told, org, Verb::GiveBack)) }
        (responders(told, org))
        @if fits(told, Verb::Affect) { (drawn_folded(told, org, Verb::Affect)) }
        @if !resources_stand(told, org) && fits(told, Verb::Want) { (on_request(told, org, Verb::Want)) }
        @if fits(told, Verb::Service) { (drawn_folded(told, org, Verb::Service)) }
        @if fits(told, Verb::Assess) { (on_request(told, org, Verb::Assess)) }
        @if fits(told, Verb::Potential) { (on_request(told, org, Verb::Potential)) }
        @if fits(told, Verb::Review) && told.incident.review.is_none() {
            form method="post" action=(path(told, "review")) class="at-once" data-key="review" {
                (told.draft.refused("review")) (once(&told.when)) button class="may" type="submit" { "Ask for a review" }
            }
        }
        @if told.incident.private {
            @if fits(told, Verb::Admit) {
                (folded(told, "admit", "Admit", &html! {
                    label class="field" {
                        span { "Who may see it, too" }
                        (pieces::person_choice(org, "person", Some(told.draft.typed("admit", "person")), None))
                    }
                    (words(told, "admit", "why", "Why?", true))
                }, "Admit"))
            }
            @if fits(told, Verb::OpenUp) { (drawn_folded(told, org, Verb::OpenUp)) }
        } @else if fits(told, Verb::Restrict) {
            (drawn_folded(told, org, Verb::Restrict))
        }
        @if fits(told, Verb::Rename) { (folded(told, "rename", "Rename", &field, "Rename")) }
    }
}

/// Until when the next update may be promised: the cadences that people use, from minutes to a day.
const PROMISES: [(&str, &str); 6] = [
    ("15m", "in 15 minutes"),
    ("30m", "in 30 minutes"),
    ("1h", "in an hour"),
    ("2h", "in 2 hours"),
    ("4h", "in 4 hours"),
    ("1d", "tomorrow"),
];
/// A word to stakeholders, with the promise of the next.
fn update(told: &PageData, org: &Org) -> Markup {
    let typed = |name: &str| told.draft.typed("update", name);
    let of_plans = org.bundle().plans.iter().filter(|plan| told.incident.plans.iter().any(|running| running.plan == plan.id));
    let often = of_plans.flat_map(|plan| &plan.updates).map(|one| one.every);
    let cadence = org.severity(told.incident.severity).update_every.into_iter().chain(often).min();
    unfolding(
        told,
        "update",
        "Update",
        "",
        &html! {
                (field_named(told, org, Verb::Update, "text")) (field_named(told, org, Verb::Update, "audiences"))
                label class="field" {
                    span { "The next one" }
                    select name="next_within" {
                        option value="" {
                            @match cadence { Some(every) => { "As usual for its severity: in " (every) }, None => "Nothing is promised" }
                        }
                        @for (value, words) in PROMISES { option value=(value) selected[typed("next_within") == value] { (words) } }
                    }
                }
                (marking(told, "update"))
        },
        if org.bundle().audiences.is_empty() { "Put it in the log" } else { "See who gets it" },
    )
}
