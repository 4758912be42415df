//! The page of one form: its fields, what is wrong with it, who changed it, and the ways to remove
//! it or to take it from the file that owns it.

use std::collections::HashSet;

use allclear_domain::access::Principal;
use allclear_domain::channel::WaysOut;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::{IdOf, Input};
use allclear_domain::org::next_step::then_paged;
use allclear_domain::org::snapshot::Org;
use allclear_engine::org::forms::{FormError, FormView};
use allclear_engine::org::{FormProblem, MadeSecret, OrgError};
use axum::response::Response;
use jiff::SignedDuration;
use maud::{Markup, html};

use super::controls::{Around, Wrong, marked};
use super::fields::field;
use super::picture::{FORM, previewed, two_weeks};
use super::titles::title;
use super::typed_rows::{Deed, OWN, OWN_MAIL, several};
use super::wrongs::{Placed, placed};
use super::{crumbs, name_of, path, path_of_new, sender, typed};
use crate::access::form_key::{SEEN, once};
use crate::access::reader::Fields;
use crate::app::App;
use crate::first;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

/// A silence or an override that somebody begins lasts this long, until they say otherwise.
const LASTS: SignedDuration = SignedDuration::from_hours(8);

/// A policy that somebody begins has so many further rounds, until they say otherwise: a message that is slept through is
/// followed by two more.
const FURTHER_ROUNDS: u32 = 2;

/// What the page says beside what is stored.
#[derive(Default)]
pub(crate) struct FormState {
    /// What was typed; what is stored, where nothing was.
    pub fields: Option<Fields>,
    /// Why nothing was changed: what was not done, and a sentence with what would work.
    pub refusal: Option<(&'static str, String)>,
    /// What is wrong, one by one.
    pub problems: Vec<FormProblem>,
    /// It was just saved.
    pub saved: bool,
    /// It is a step of the first run, and leads to the next.
    pub first: bool,
    /// A button of its rows was pressed: it was only shown again.
    pub again: bool,
    /// What it would do is shown before it is saved.
    pub preview: bool,
    /// The field that one goes on with.
    pub focus: Option<String>,
    /// Somebody was first: what is stored is another version than what was typed over.
    pub stale: bool,
}

/// The form of an id; the form that adds one, where there is none.
pub(crate) async fn shown(
    app: &App,
    who: &Principal,
    when: &When,
    kind: FormKind,
    id: Option<&str>,
    mut told: FormState,
) -> Result<Response, Refused> {
    let org = app.engine.org();
    let view = match id {
        Some(id) => {
            let (view, problems) = app.engine.form_view(kind, id, &app.options.formats, who).await.map_err(refused)?;
            if told.refusal.is_none() && !told.again {
                told.problems = problems;
            }
            Some(view)
        }
        None => None,
    };
    let fields =
        told.fields.take().or_else(|| view.as_ref().map(|view| typed::texts(kind, &view.body, when, org.channels()))).unwrap_or_default();
    let body = html! {
        (crumbs(Some(kind)))
        @match &view {
            Some(view) => {
                @let what = html! { (name_of(kind)) " " code { (view.id) } " · version " (view.version) };
                (heading(&title(&org, kind, &view.id), &what))
            }
            None => { (heading(&format!("New {}", name_of(kind)), &html! {})) p class="prose quiet" { (kind.about().purpose) } },
        }
        @if let Some(stands) = id.and_then(|id| org.bundle().stands(kind, id, when.now)) {
            p class="prose" { (stands.words) @if let Some(until) = stands.until { ", until " (when.time(until, &when.minute(until))) } "." }
        }
        @if told.first { p class="quiet" { "A step before the first page. " a href="/" { "All steps" } } }
        @if let Some(view) = view.as_ref().filter(|_| told.saved) { (saved(kind, &view.id)) }
        (wrong_at_the_top(kind, id, &told, &fields, org.channels()))
        @if let Some(view) = view.as_ref().filter(|view| view.managed.is_some()) { (of_file(view)) }
        @if let Some(view) = view.as_ref().filter(|_| kind == FormKind::Integration) {
            (sender::part(app, &org, who, when, &view.id, None).await?)
        }
        @if let Some(view) = view.as_ref().filter(|_| kind == FormKind::ReportForm) { (super::report_form::part(app, &org, &view.id)) }
        (form(app, &org, when, kind, view.as_ref(), &fields, &told))
        @if kind == FormKind::Schedule {
            @let empty = serde_json::json!({});
            @let typed = typed::body(kind, view.as_ref().map_or(&empty, |view| &view.body), &fields, when, org.channels()).ok();
            @let id = view.as_ref().map(|view| view.id.as_str());
            @if told.preview { (previewed(&org, who, when, id, typed.as_ref())) }
            @else { (two_weeks(&org, who, when, id, typed.as_ref())) }
            @if let Some(id) = id { p { a href={ "/on-call/schedules/" (pieces::escaped(id)) } { "Its calendar" } } }
        }
        @if let Some(view) = view.as_ref().filter(|_| kind == FormKind::Escalation) {
            (crate::on_call::drills::of_policy(app, who, when, &view.id).await?)
        }
        @if let Some(view) = view.as_ref().filter(|_| kind == FormKind::Plan) { (super::plans::tried(&org, when, &view.id)) }
        @if let Some(view) = &view {
            @if kind == FormKind::Person { (super::invite::form(&view.id)) }
            @if kind == FormKind::Integration {
                p {
                    a href={ (super::lately::PATH) "?integration=" (pieces::escaped(&view.id)) } { "Refused lately" }
                    span class="quiet" { ": what came with its key and was not taken." }
                }
            }
            @if kind == FormKind::Silence { (holds(app, who, &view.id).await?) }
            @if view.managed.is_none() { (removal(view)) }
            (history(app, &org, who, when, view).await?)
        }
    };
    let source = view.as_ref().map_or_else(|| path_of_new(kind), |view| path(kind, &view.id));
    let title = view.as_ref().map_or_else(|| format!("New {}", name_of(kind)), |view| title(&org, kind, &view.id));
    // The form stands still: what is typed is held against the version that it began with. What a sender's page waits for does not.
    let live = (view.is_some() && kind == FormKind::Integration).then(|| sender::LIVE.to_owned());
    Ok(framed(app, &HtmlPage { title: &title, place: &crate::settings::PLACE, who, when, wall: false, live, source, body }))
}

/// Open alerts shown of a silence at most; more are counted.
const HELD_SHOWN: i64 = 50;

/// What a silence holds at the moment.
async fn holds(app: &App, who: &Principal, id: &str) -> Result<Markup, Refused> {
    let held = app.engine.queries(who).alerts_held_by(id, HELD_SHOWN + 1).await.map_err(|_| Refused::store(None))?;
    let shown = usize::try_from(HELD_SHOWN).unwrap_or(usize::MAX);
    Ok(html! {
        section aria-label="What it holds" {
            h2 { "What it holds" }
            @if held.is_empty() { p class="quiet" { "No open alert at the moment." } }
            @else {
                ul {
                    @for alert in held.iter().take(shown) {
                        li {
                            bdi { (pieces::cut(&alert.title, 120)) }
                            @if let Some(incident) = &alert.incident { " · " a href={ "/incidents/" (incident) } { "its incident" } }
                        }
                    }
                }
                @if held.len() > shown { p class="quiet" { "And more." } }
            }
        }
    })
}

/// Why there is no page.
pub(crate) fn refused(why: FormError) -> Refused {
    match why {
        FormError::Org(OrgError::Store(fault)) => {
            tracing::error!(%fault, "a form of the organisation could not be shown");
            Refused::store(None)
        }
        _ => Refused::missing("form", "Look for it among the settings."),
    }
}

/// The fields of a form that is begun; a link may fill some.
pub(crate) fn fresh(org: &Org, kind: FormKind, who: &Principal, when: &When, asked: Fields) -> Fields {
    let mut out = Fields::new();
    let me = who.person().unwrap_or_default().to_owned();
    let mut say = |key: &str, text: String| drop(out.insert(key.to_owned(), text));
    let until = when.now.checked_add(LASTS).unwrap_or(when.now);
    for zone in kind.about().fields.iter().filter(|field| field.needed && field.input == Input::Zone) {
        say(zone.key, when.name().to_owned());
    }
    // Somebody new is reached at the address that is typed for them, unless that is unticked.
    if kind.field(OWN_MAIL).is_some() {
        say(OWN, "1".to_owned());
    }
    match kind {
        FormKind::Override | FormKind::Absence => say("person", me),
        FormKind::Silence => say("created_by", me),
        FormKind::Escalation => {
            say("repeat", FURTHER_ROUNDS.to_string());
            let first: Vec<String> = several("steps.0.page", &asked).into_iter().filter(|target| !target.is_empty()).collect();
            for (at, target) in then_paged(org, &first, when.now).into_iter().enumerate() {
                say(&format!("steps.1.page.{at}"), target);
            }
        }
        _ => {}
    }
    if matches!(kind, FormKind::Override | FormKind::Silence | FormKind::Absence | FormKind::TemporarySchedule) {
        say("starts_at", when.as_field(when.now));
        say("ends_at", when.as_field(until));
    }
    out.extend(asked);
    out
}

/// It was saved; and what is usually made next, with what is known of it filled in.
fn saved(kind: FormKind, id: &str) -> Markup {
    html! {
        div class="done" role="status" {
            p { "Saved." }
            @if !kind.about().then.is_empty() {
                p class="row-of" {
                    @for (next, query) in kind.about().then {
                        @let query = query.replace("{id}", &pieces::escaped(id));
                        a class="add" href={ (path_of_new(*next)) @if !query.is_empty() { "?" (query) } } { "New " (name_of(*next)) }
                    }
                }
            }
        }
    }
}

fn sentence(problem: &FormProblem) -> String {
    let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}{hint}.", problem.message).replace("?.", "?")
}

/// Everything that is wrong, each with the way to where it is.
fn wrong_at_the_top(kind: FormKind, id: Option<&str>, told: &FormState, fields: &Fields, ways: WaysOut) -> Markup {
    let is_mine = |problem: &FormProblem| problem.kind == kind && id.is_none_or(|id| problem.id == id);
    let listed = html! {
        ul class="wrongs" {
            @for problem in &told.problems {
                li {
                    @if is_mine(problem) {
                        @if let Some(place) = placed(kind, &problem.key, fields, ways).filter(|_| problem.key != "id") {
                            a href={ "#" (place.anchor) } { (marked(&place.label)) } ": "
                        }
                        @else if problem.key == "id" { a href="#f-id" { "Id" } ": " }
                    } @else {
                        a href=(path(problem.kind, &problem.id)) { (pieces::capital(name_of(problem.kind))) " " (problem.id) }
                        ", "
                        @match placed(problem.kind, &problem.key, &Fields::new(), ways) {
                            Some(place) => { (marked(&place.label)) ": " },
                            None => { code { (problem.key) } ": " },
                        }
                    }
                    (marked(&sentence(problem)))
                }
            }
        }
    };
    html! {
        @if let Some((what, why)) = &told.refusal { div class="refusal" role="alert" tabindex="-1" {
                strong { (what) }
                p { (marked(why)) }
                @if let (true, Some(id)) = (told.stale, id) {
                    p { a href=(path(kind, id)) target="_blank" rel="noopener" { "See it as it is now, in another tab" } }
                }
                @if !told.problems.is_empty() { (listed) }
            }
        }
        @else if !told.problems.is_empty() { div class="refusal look" { strong { "Somebody should look at this" } (listed) } }
    }
}

/// What to know of a form that a file owns, and the way out.
fn of_file(view: &FormView) -> Markup {
    html! {
        section class="owned" {
            p class="prose" {
                "A file owns this, so it is read-only here. Change the file, then run " code { "allclear config apply FILE" } "."
            }
            form method="post" action={ "/settings/" (view.kind.word()) "/" (pieces::escaped(&view.id)) "/detach" } class="row-of" {
                input type="hidden" name=(SEEN) value=(view.version);
                button class="may" type="submit" { "Take from the file" }
            }
            p class="hint prose" {
                "Then it is changed here. Remove it from the file as well: a file that still names it takes it back, with what the file "
                "says, when it is applied the next time."
            }
        }
    }
}

fn form(app: &App, org: &Org, when: &When, kind: FormKind, view: Option<&FormView>, fields: &Fields, told: &FormState) -> Markup {
    let owned = view.is_some_and(|view| view.managed.is_some());
    let action = view
        .map_or_else(|| format!("/settings/{}", kind.word()), |view| format!("/settings/{}/{}", kind.word(), pieces::escaped(&view.id)));
    let stored = view.map(|view| &view.body);
    let around =
        Around { kind, org, when, formats: &app.options.formats, fields, stored, action: &action, focus: told.focus.as_deref(), owned };
    let mine: HashSet<&str> = view.map(|view| view.id.as_str()).into_iter().collect();
    // Beside the fields only what refused: a warning stands at the top.
    let wrong: Vec<Wrong> = told
        .problems
        .iter()
        .filter(|problem| problem.is_error() && problem.kind == kind && (view.is_none() || mine.contains(problem.id.as_str())))
        .map(|problem| {
            let words = pieces::capital(&sentence(problem));
            match placed(kind, &problem.key, fields, org.channels()).filter(|_| problem.key != "id") {
                Some(Placed { field, row: Some(row), within, .. }) => {
                    let before = if within.is_empty() { String::new() } else { format!("{within}: ") };
                    Wrong { key: field.key.to_owned(), row: Some(row), words: format!("{before}{words}") }
                }
                Some(place) => Wrong {
                    key: place.field.key.to_owned(),
                    row: None,
                    words: if place.within.is_empty() { words } else { format!("{}: {words}", place.within) },
                },
                None => Wrong { key: problem.key.clone(), row: None, words },
            }
        })
        .collect();
    // What was typed goes on being held against the version that it was typed over.
    let version = fields.get(SEEN).cloned().or_else(|| view.map(|view| view.version.to_string())).unwrap_or_default();
    html! {
        form class="form of-form" id=(FORM) method="post" action=(action) {
            @if view.is_none() { (once(when)) }
            @if told.first { input type="hidden" name=(first::NEXT) value=(first::HERE); }
            input type="hidden" name=(SEEN) value=(version);
            fieldset class="all" disabled[owned] {
                legend class="vh" { "Content" }
                // What Enter in a field presses: without it that would be the first button of a row.
                @if !owned { button class="vh" type="submit" tabindex="-1" aria-hidden="true" { "Save" } }
                @let id = html! { @if view.is_none() { (id_field(org, kind, fields, &wrong)) } };
                @let id_after_name = kind.about().fields.first().is_some_and(|first| first.key == "name") && kind.about().id == IdOf::Typed;
                @if !id_after_name { (id) }
                @for (at, row) in kind.about().fields.iter().enumerate() {
                    (field(row, &around, &wrong))
                    @if at == 0 && id_after_name { (id) }
                }
                @if !owned {
                    div class="row-of" {
                        button class="do big" type="submit" { @if view.is_some() { "Save" } @else { "Add " (name_of(kind)) } }
                        @if kind == FormKind::Schedule {
                            button class="may" type="submit" name=(Deed::Look.name()) value="" formnovalidate
                                formaction={ (action) "#preview" } { "Preview eight weeks" }
                        }
                    }
                }
            }
        }
    }
}

fn id_field(org: &Org, kind: FormKind, fields: &Fields, wrong: &[Wrong]) -> Markup {
    let typed = fields.get("id").map_or("", String::as_str);
    let mine: Vec<&Wrong> = wrong.iter().filter(|wrong| wrong.key == "id").collect();
    let invalid = (!mine.is_empty()).then_some("true");
    let said =
        html! { @if !mine.is_empty() { div class="wrong" id="f-id-wrong" { @for wrong in &mine { p { (marked(&wrong.words)) } } } } };
    match kind.about().id {
        IdOf::Typed => html! {
            div class="field" {
                @let named = kind.field("name").is_some();
                label for="f-id" { "Id" @if !named { span class="quiet" { " (needed)" } } }
                input id="f-id" name="id" value=(typed) required[!named] maxlength="64" autocomplete="off" autocapitalize="none"
                    spellcheck="false" aria-invalid=[invalid] aria-describedby="f-id-hint f-id-wrong";
                p class="hint" id="f-id-hint" {
                    "What other forms name it by, as in " code { "payments-db" } ". It stays."
                    @if named { " Left empty, it is made from the name." }
                }
                (said)
            }
        },
        IdOf::OneOf(label, all) => {
            chosen_id(label, &left(org, kind, all.iter().map(|(id, words)| (*id, (*words).to_owned()))), typed, &said)
        }
        IdOf::Channel => {
            let channels = org.channels().iter().map(|form| (form.name, pieces::capital(form.noun)));
            chosen_id("Channel", &left(org, kind, channels), typed, &said)
        }
        IdOf::Made | IdOf::Only => html! { (said) },
    }
}

/// Those of these ids that no form of the kind has.
pub(crate) fn left<'a>(org: &Org, kind: FormKind, all: impl Iterator<Item = (&'a str, String)>) -> Vec<(&'a str, String)> {
    let taken: Vec<&str> = org.bundle().ids(kind).into_iter().flatten().collect();
    all.filter(|(id, _)| !taken.contains(id)).collect()
}

fn chosen_id(label: &str, all: &[(&str, String)], typed: &str, said: &Markup) -> Markup {
    html! {
        div class="field" {
            label for="f-id" { (label) }
            select id="f-id" name="id" { @for (id, words) in all { option value=(id) selected[*id == typed] { (words) } } }
            (said)
        }
    }
}

fn removal(view: &FormView) -> Markup {
    html! {
        details class="act-one removal" {
            summary { "Remove" }
            form method="post" action={ "/settings/" (view.kind.word()) "/" (pieces::escaped(&view.id)) "/remove" } {
                input type="hidden" name=(SEEN) value=(view.version);
                p {
                    "It goes from the organisation at once. What it was stays in the history; what still names it keeps it from being "
                    "removed."
                }
                label class="check" { input type="checkbox" name="sure" value="1" required; span { "Yes, remove " code { (view.id) } } }
                button class="do" type="submit" { "Remove" }
            }
        }
    }
}

async fn history(app: &App, org: &Org, who: &Principal, when: &When, view: &FormView) -> Result<Markup, Refused> {
    let history = app.engine.queries(who).form_history(view.kind, &view.id).await?;
    Ok(html! {
        section class="section" {
            h2 { "Changes" }
            ul class="list" {
                @for change in &history {
                    li {
                        span {
                            "version " (change.version)
                            @let labels = labels(view.kind, change.keys.as_deref().unwrap_or_default());
                            @if !labels.is_empty() { ": " (labels) }
                        }
                        span class="quiet" {
                            (pieces::actor(org, &change.actor).unwrap_or_else(|| "All Clear".to_owned())) " · " (when.stamp(change.at))
                        }
                    }
                }
            }
        }
    })
}

/// What the fields of these keys are called; of a key without a field the key.
fn labels(kind: FormKind, keys: &[String]) -> String {
    keys.iter().map(|key| kind.field(key).map_or(key.as_str(), |field| field.label)).collect::<Vec<_>>().join(", ")
}

/// What came of a change.
#[derive(Default)]
pub(crate) struct Came<'a> {
    /// Of which form; nothing where it was removed.
    pub id: Option<&'a str>,
    /// Whether it is a step of the first run.
    pub is_step: bool,
    /// Secrets that were made.
    pub made: &'a [MadeSecret],
    /// What it means elsewhere.
    pub elsewhere: &'a [FormProblem],
}

/// What came of a change that has more to say than that it was done: secrets that are shown this
/// once, and what it means elsewhere.
pub(crate) async fn done(app: &App, who: &Principal, when: &When, kind: FormKind, came: Came<'_>) -> Result<Response, Refused> {
    let Came { id, is_step, made, elsewhere } = came;
    let org = app.engine.org();
    let name = id.map_or_else(|| name_of(kind).to_owned(), |id| title(&org, kind, id));
    let back = id.map_or_else(|| format!("/settings/{}", kind.word()), |id| path(kind, id));
    // A sender's key stands in the address that it sends to.
    let sender = match (kind, id, made) {
        (FormKind::Integration, Some(id), [key]) => Some(sender::part(app, &org, who, when, id, Some(&key.secret)).await?),
        _ => None,
    };
    let live = sender.as_ref().map(|_| sender::LIVE.to_owned());
    let body = html! {
        (crumbs(Some(kind)))
        (heading(&name, &html! {}))
        p class="done" role="status" { @if id.is_some() { "Saved." } @else { "Removed." } }
        @if let Some(sender) = &sender { (sender) }
        @else if !made.is_empty() {
            section class="section secrets" {
                h2 { "Copy it now" }
                p class="prose" { "A secret was made. It is shown this once and never again." }
                dl class="made" {
                    @for made in made { div { dt { (pieces::capital(&made.of)) } dd { pre tabindex="0" { code { (made.secret) } } } } }
                }
            }
        }
        @if !elsewhere.is_empty() {
            section class="section" {
                h2 { "Somebody should look at this" }
                ul class="wrongs" {
                    @for problem in elsewhere {
                        li {
                            a href=(path(problem.kind, &problem.id)) { (pieces::capital(name_of(problem.kind))) " " (problem.id) }
                            ": " (marked(&sentence(problem)))
                        }
                    }
                }
            }
        }
        @if is_step { p { a class="press" href=(first::PATH) { "Go on to the next step" } } }
        @else { p { a class="press" href=(back) { @if id.is_some() { "Go on to " (name) } @else { "Go on" } } } }
    };
    Ok(framed(app, &HtmlPage { title: &name, place: &crate::settings::PLACE, who, when, wall: false, live, source: back.clone(), body }))
}
