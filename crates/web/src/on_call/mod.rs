//! Who is on call now and next, two weeks as a picture, who would be paged now for each service,
//! and the forms with which somebody takes a shift over, puts somebody on for a time or nobody, and ends that.

pub(crate) mod absences;
pub(crate) mod acts;
pub(crate) mod calendar;
pub(crate) mod cover;
pub(crate) mod drills;
pub(crate) mod feeds;
pub(crate) mod load;
pub(crate) mod my_shifts;
pub(crate) mod suggest;

use allclear_domain::access::{Actor, Principal, Resource, Right, may, may_end, may_schedule, may_take};
use allclear_domain::incident::Severity;
use allclear_domain::org::forms::overrides::EFFECTS;
use allclear_domain::org::model::{Effect, Override};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{OnCallPerson, OnCallView};
use allclear_engine::org::OrgError;
use allclear_engine::read::NoAnswer;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp, ToSpan};
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Fields, actor, answer, reader};
use crate::app::{App, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::shifts_chart;
use crate::frame::shifts_chart::Row;
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

use self::feeds::Calendars;

pub(crate) static PLACE: Place = Place {
    path: "/on-call",
    word: "On call",
    strokes: "M5 3.5h3l1.2 3.6-1.9 1.3a9 9 0 0 0 4.3 4.3l1.3-1.9 3.6 1.2v3a1.5 1.5 0 0 1-1.6 1.5A13 13 0 0 1 3.5 5.1 1.5 1.5 0 0 1 5 3.5z",
    key: Some('o'),
    lists: Lists::RAIL_DOCK,
    leads: |app, who| app.engine.queries(who).has(Right::SeeOrganisation),
    page: || get(show),
};

/// Where one's own shifts are.
const MY_SHIFTS: &str = "/my-shifts";
/// Days of the picture.
const DAYS: i64 = 14;
/// A shift that somebody takes over at the press of a button lasts this long, until they say otherwise.
const TAKE_FOR: SignedDuration = SignedDuration::from_hours(8);
/// The verbs of the forms, as drafts name them.
const TAKE: &str = "take";
/// A first schedule, as the organisation file would have it.
const EXAMPLE: &str = "schedules:
  - id: payments-primary
    team: payments
    time_zone: Europe/Madrid
    layers:
      - {people: [ana, ben], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}";
const END: &str = "end";
/// Most people who are named of one schedule; the picture has them all.
const NAMED_MAX: usize = 5;

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let calendars = Calendars::of(&app, &who).await?;
        shown(&app, &who, &when, &Draft::default(), &calendars).await
    })
    .await
}

/// POST: somebody takes a schedule for a time.
pub(crate) async fn take(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        match Box::pin(put(&app, &who, &when, &fields)).await {
            Ok(()) => Ok(Redirect::to("/on-call").into_response()),
            Err(why) => {
                let draft = Draft { verb: TAKE.into(), fields, refusal: Some(why) };
                let calendars = Calendars::of(&app, &who).await?;
                let mut response = shown(&app, &who, &when, &draft, &calendars).await?;
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    })
    .await
}

/// POST: an override ends.
pub(crate) async fn end(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        match Box::pin(ended(&app, &who, &id)).await {
            Ok(()) => Ok(Redirect::to("/on-call").into_response()),
            Err(why) => {
                let draft = Draft { verb: END.into(), fields: Fields::new(), refusal: Some(why) };
                let calendars = Calendars::of(&app, &who).await?;
                let mut response = shown(&app, &who, &when, &draft, &calendars).await?;
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    })
    .await
}

async fn ended(app: &App, who: &Principal, id: &str) -> Result<(), String> {
    let org = app.engine.org();
    // A second press finds it gone, which is what was asked for.
    let Some(change) = org.bundle().overrides.iter().find(|change| change.id == id) else { return Ok(()) };
    match app.engine.end_override(&change.schedule, id, who).await {
        Ok(_) | Err(OrgError::Missing { .. }) => Ok(()),
        Err(why) => Err(told(&why)),
    }
}

fn told(why: &OrgError) -> String {
    match why {
        OrgError::Store(_) => "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        OrgError::Wrong(why) => sentence(why),
        OrgError::Conflict | OrgError::Stored(_) | OrgError::Limit(_) | OrgError::Missing { .. } | OrgError::Denied(_) => {
            sentence(&why.to_string())
        }
    }
}

/// What a field of a time says, on the clock of a zone. A button or an address says the instant itself; a field that still says what it
/// was filled with is the instant that it was filled from.
pub(crate) fn instant(fields: &Fields, name: &str, what: &str, when: &When) -> Result<Timestamp, String> {
    let text = said(fields, name).ok_or_else(|| format!("{what} is missing."))?;
    let filled_from = fields.get(&format!("{name}_at")).and_then(|text| text.parse::<Timestamp>().ok());
    text.parse()
        .ok()
        .or_else(|| filled_from.filter(|at| when.as_field(*at) == text))
        .or_else(|| when.of_field(&text))
        .ok_or_else(|| format!("{what} cannot be read: `{}`. It looks like 2026-03-01T09:00.", pieces::cut(&text, 40)))
}

async fn put(app: &App, who: &Principal, when: &When, fields: &Fields) -> Result<(), String> {
    let field = |name: &str, what: &str| said(fields, name).ok_or_else(|| format!("{what} is missing."));
    let instant = |name: &str, what: &str| instant(fields, name, what, when);
    let effect = said(fields, "effect").unwrap_or_default();
    let effect = Effect::from_word(&effect).ok_or_else(|| format!("`{}` is nothing that an override does.", pieces::cut(&effect, 40)))?;
    // The same form once more is the same override.
    let id = form_key::id("/on-call/override", fields).unwrap_or_else(|| app.engine.fresh_id());
    let change = Override {
        id: format!("ovr-{id:x}"),
        schedule: field("schedule", "The schedule")?,
        effect,
        person: if effect == Effect::Nobody { String::new() } else { field("person", "The person")? },
        starts_at: if fields.contains_key("from") { instant("from", "The start")? } else { when.now },
        ends_at: instant("to", "The end")?,
        made: 0,
        made_by: None,
    };
    let org = app.engine.org();
    let allowed = match change.whom() {
        Some(person) => may_take(&org, who, &change.schedule, person),
        None => may_schedule(&org, who, &change.schedule),
    };
    allowed.map_err(|no| sentence(&no.to_string()))?;
    if change.ends_at <= when.now {
        return Err("It would be over already.".to_owned());
    }
    app.engine.put_override(change, who).await.map(drop).map_err(|why| told(&why))
}

async fn shown(app: &App, who: &Principal, when: &When, draft: &Draft, calendars: &Calendars) -> Result<Response, Refused> {
    let queries = app.engine.queries(who);
    let org = queries.organisation()?;
    let now = queries.on_call(when.now)?;
    let paged = would_be_paged(app, who, &org).await?;
    let body = html! {
        (heading("On call", &html! { (when.stamp(when.now)) " " (when.zone()) }))
        (who_now(app, &now, when, who))
        @if !now.is_empty() {
            p { a href="/on-call/ready" { "Who would be reached" } span class="quiet" { ": what would keep a page from arriving." } }
            p { a href=(load::PATH) { "What on-call costs" } span class="quiet" { ": shifts, calls and interrupted nights." } }
            p { a href=(drills::PATH) { "Drills" } span class="quiet" { ": whether everybody answers whom a policy would page." } }
            (two_weeks(&org, when, who.person()))
        }
        (absences::needs_cover(&app.engine.needs_cover(who).unwrap_or_default(), &org, when))
        div class="cols" {
            (paged)
            (overrides(&org, when, who, draft))
            @if may(&org, who, Right::Respond, Resource::Installation).is_ok() { (feeds::of_schedules(calendars, &org, when)) }
        }
    };
    let page =
        HtmlPage { title: "On call", place: &PLACE, who, when, wall: false, live: Some("on=org".into()), source: "/on-call".into(), body };
    Ok(framed(app, &page))
}

/// When the next one comes on, where nobody is on until then.
fn gap_ends(shift: &OnCallView) -> Option<Timestamp> {
    shift.next_at.filter(|at| shift.until.is_some_and(|until| until < *at))
}

/// `then nobody until Mon 09:00, then Ben`.
pub(crate) fn then(shift: &OnCallView, when: &When) -> Markup {
    html! {
        @if let Some(at) = gap_ends(shift) { "then nobody until " (when.time(at, &when.minute(at))) ", " }
        @if shift.next_people.is_empty() { "then nobody" } @else { "then " (quiet_names(&shift.next_people)) }
    }
}

/// Everybody who is on, in their order: `Ana`, `Ana and Ben`, or `nobody`.
pub(crate) fn names(people: &[OnCallPerson]) -> Markup {
    html! {
        @if people.is_empty() { span class="late" { "nobody" } } @else { strong { (quiet_names(people)) } }
    }
}

fn quiet_names(people: &[OnCallPerson]) -> Markup {
    html! {
        @for (at, one) in people.iter().take(NAMED_MAX).enumerate() {
            @if at > 0 { @if at + 1 == people.len() { " and " } @else { ", " } }
            bdi { (one.called()) }
        }
        @if people.len() > NAMED_MAX { " and " (people.len() - NAMED_MAX) " more" }
    }
}

/// The button with which somebody takes what is left of a shift, or of the time in which nobody is on.
fn take_it(app: &App, shift: &OnCallView, when: &When, who: &Principal) -> Markup {
    let Some(me) = who.person().filter(|me| !shift.has(me) && may_take(&app.engine.org(), who, &shift.schedule, me).is_ok()) else {
        return html! {};
    };
    let to = shift.until.or_else(|| when.now.checked_add(TAKE_FOR).ok()).unwrap_or(when.now);
    html! {
        form method="post" action="/on-call/override" {
            (once(when))
            input type="hidden" name="schedule" value=(shift.schedule);
            input type="hidden" name="person" value=(me);
            input type="hidden" name="to" value=(to);
            button class="may" type="submit" title={ "You are on call until " (when.minute(to)) } { "Take this shift" }
        }
    }
}

fn who_now(app: &App, now: &[OnCallView], when: &When, who: &Principal) -> Markup {
    let me = who.person();
    html! {
        section data-live="now" {
            @if now.is_empty() {
                div class="empty" {
                    p {
                        "No schedule is set, so escalation policies reach people only by name. A schedule in the organisation file looks "
                        "like this:"
                    }
                    pre tabindex="0" { code { (EXAMPLE) } }
                }
            }
            ul class="shifts" {
                @for shift in now {
                    @let theirs = When::new(when.now, Some(&shift.time_zone));
                    li {
                        p class="quiet" { a href=(calendar::path_of(&shift.schedule)) { bdi { (shift.name) } } }
                        p class="whom" {
                            (names(&shift.people))
                            @if me.is_some_and(|me| shift.has(me)) {
                                span class="quiet" { @if shift.people.len() > 1 { " (you are among them)" } @else { " (you)" } }
                            }
                        }
                        p class="quiet small" {
                            @if let Some(until) = shift.until {
                                "until " (when.time(until, &when.minute(until)))
                                @if shift.time_zone != when.zone() { " · " (theirs.clock(until)) " " (shift.time_zone) }
                            } @else if shift.person.is_some() { "no hand-over in sight" } @else { "and nobody in sight" }
                        }
                        @if shift.until.is_some() { p class="quiet small" { (then(shift, when)) } }
                        (take_it(app, shift, when, who))
                    }
                }
            }
        }
    }
}

fn two_weeks(org: &Org, when: &When, me: Option<&str>) -> Markup {
    let first = when.day(when.now);
    let last = first.checked_add(DAYS.days()).unwrap_or(first);
    let (from, to) = (when.begins(first), when.begins(last));
    let rows: Vec<Row> = org
        .bundle()
        .schedules
        .iter()
        .filter_map(|form| {
            let schedule = org.schedule(&form.id)?;
            let overrides = org.overrides(&form.id);
            Some(Row {
                name: form.name.clone().unwrap_or_else(|| form.id.clone()),
                zone: form.time_zone.clone(),
                shifts: schedule.shifts(overrides, from, to),
                gaps: schedule.gaps(overrides, from, to),
            })
        })
        .collect();
    html! {
        section class="section" data-live="weeks" {
            h2 { "Two weeks" span class="quiet" { " · days begin at midnight in " (when.zone()) } }
            p class="quiet small" {
                "More of a schedule, by month, week and day: "
                @for (place, form) in org.bundle().schedules.iter().take(NAMED_MAX).enumerate() {
                    @if place > 0 { ", " }
                    a href=(calendar::path_of(&form.id)) { bdi { (form.name.as_deref().unwrap_or(&form.id)) } }
                }
                @if org.bundle().schedules.len() > NAMED_MAX { ", and the others by their names above" }
                "."
            }
            (shifts_chart::draw(&rows, from, to, when, org, me))
            (shifts_chart::table(&rows, when, org))
        }
    }
}

async fn would_be_paged(app: &App, who: &Principal, org: &Org) -> Result<Markup, NoAnswer> {
    let queries = app.engine.queries(who);
    let mut services = Vec::new();
    for service in &org.bundle().services {
        let steps = queries.who_would_be_paged(Some(&service.id), Severity::Sev1, None).await?;
        services.push((service, steps));
    }
    Ok(html! {
        section data-live="paged" {
            h2 { "Who would be paged now" span class="quiet" { " · were it to start this minute, as SEV1" } }
            ul class="list paged" {
                @for (service, steps) in &services {
                    li {
                        a class="main" href={ "/services/" (pieces::escaped(&service.id)) } { bdi { (service.name) } }
                        span {
                            @match steps.iter().find(|step| !step.people.is_empty()) {
                                Some(first) => {
                                    bdi {
                                        (pieces::list(&first.people.iter().map(|p| pieces::name(org, &p.person)).collect::<Vec<_>>(), 3))
                                    }
                                    @if first.after != "0:00" { span class="quiet" { " after " (first.after) } }
                                },
                                None => span class="late" { "nobody" },
                            }
                        }
                    }
                }
            }
        }
    })
}

fn overrides(org: &Org, when: &When, who: &Principal, draft: &Draft) -> Markup {
    let mut coming: Vec<&Override> =
        org.bundle().schedules.iter().flat_map(|form| org.overrides(&form.id)).filter(|change| change.ends_at > when.now).collect();
    coming.sort_by_key(|change| change.starts_at);
    let schedule = |id: &str| org.schedule_form(id).and_then(|form| form.name.clone()).unwrap_or_else(|| id.to_owned());
    let typed = |name: &str, default: String| if draft.verb == TAKE { draft.typed(TAKE, name).to_owned() } else { default };
    let me = who.person().unwrap_or_default();
    let may: Vec<_> = org.bundle().schedules.iter().filter(|form| may_take(org, who, &form.id, me).is_ok()).collect();
    // Whoever manages nothing takes shifts over for themself alone.
    let others = may.iter().any(|form| may_schedule(org, who, &form.id).is_ok());
    let to = when.now.checked_add(TAKE_FOR).unwrap_or(when.now);
    html! {
        section {
            div data-live="overrides" class="group tight" {
                h2 { "Overrides" }
                @if coming.is_empty() { p class="quiet" { "None. The rotations decide." } }
                @if coming.len() > 1 {
                    p class="quiet small" { "Where they overlap, the one made last counts; whoever is on besides is on with it." }
                }
                (draft.refused(END))
                ul class="list" {
                    @for change in &coming {
                        li {
                            span {
                                @match change.effect {
                                    Effect::Replaces | Effect::Adds => bdi { (pieces::name(org, &change.person)) },
                                    Effect::Nobody => span class="late" { "nobody" },
                                }
                                span class="quiet" {
                                    @if change.effect == Effect::Adds { " besides" }
                                    " for " bdi { (schedule(&change.schedule)) }
                                }
                            }
                            span class="quiet" {
                                (when.time(change.starts_at, &when.minute(change.starts_at))) " – "
                                (when.time(change.ends_at, &when.minute(change.ends_at)))
                                @let own = change.whom().map(|person| Actor::Person(person.clone()));
                                @if let Some(Actor::Person(maker)) = change.made_by.as_ref().filter(|_| change.made_by != own) {
                                    " · made by " bdi { (pieces::name(org, maker)) }
                                }
                            }
                            @if may_end(org, who, change).is_ok() {
                                form method="post" action={ "/on-call/override/" (pieces::escaped(&change.id)) "/end" } {
                                    @let what = if change.starts_at <= when.now { "End it now" } else { "Remove" };
                                    @let whose = change.whom().map_or_else(|| "nobody".to_owned(), |person| pieces::name(org, person));
                                    // Several stand in one list, and each says whose it is to whoever hears them.
                                    button class="plain" type="submit"
                                        aria-label={ (what) ": " (whose) ", " (schedule(&change.schedule)) } {
                                        (what)
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if may.is_empty() {
                (draft.refused(TAKE))
                p class="quiet small" {
                    "Whoever is in a schedule’s team takes its shifts over here; its managers and administrators put others on."
                }
            }
            @else {
                details class="act-one" open[draft.verb == TAKE] {
                    summary { "Take over" }
                    form method="post" action="/on-call/override" {
                        (draft.refused(TAKE)) (once(when))
                        label class="field" {
                            span { "Schedule" }
                            select name="schedule" {
                                @for form in &may {
                                    option value=(form.id) selected[draft.typed(TAKE, "schedule") == form.id] {
                                        (form.name.as_deref().unwrap_or(&form.id))
                                    }
                                }
                            }
                        }
                        @if others {
                            label class="field" {
                                span { "Who" } (pieces::person_choice(org, "person", Some(&typed("person", me.to_owned())), None))
                            }
                        } @else { input type="hidden" name="person" value=(me); }
                        label class="field" {
                            span { "What it does" }
                            select name="effect" {
                                // That nobody is on is for whoever may put others on.
                                @for (word, words) in EFFECTS.iter().filter(|(word, _)| others || *word != Effect::Nobody.word()) {
                                    option value=(word) selected[draft.typed(TAKE, "effect") == *word] { (words) }
                                }
                            }
                        }
                        div class="row-of" {
                            label class="field" {
                                span { "From" span class="quiet" { " " (when.zone()) } }
                                input type="datetime-local" name="from" value=(typed("from", when.as_field(when.now))) required;
                            }
                            label class="field" {
                                span { "To" }
                                input type="datetime-local" name="to" value=(typed("to", when.as_field(to))) required;
                            }
                        }
                        button class="do" type="submit" { "Take over" }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_is_said_with_the_time_in_which_nobody_is_on() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let when = When::new(at("2026-12-04T12:00:00Z"), Some("Etc/UTC"));
        let one = |name: &str| OnCallPerson { person: name.to_lowercase(), name: Some(name.into()), because: "layer 1".into() };
        let shift = |until: Option<&str>, next: Option<(&str, &str)>| OnCallView {
            schedule: "s".into(),
            name: "S".into(),
            team: None,
            time_zone: "Etc/UTC".into(),
            person: Some("ana".into()),
            person_name: Some("Ana".into()),
            because: "layer 1".into(),
            people: vec![one("Ana")],
            until: until.map(at),
            next: next.map(|(who, _)| who.to_lowercase()),
            next_name: next.map(|(who, _)| who.to_owned()),
            next_at: next.map(|(_, from)| at(from)),
            next_people: next.map(|(who, _)| who.split('+').map(one).collect()).unwrap_or_default(),
        };
        let told = |shift: &OnCallView| {
            let html = then(shift, &when).into_string();
            let mut text = String::new();
            let mut within = false;
            for c in html.chars() {
                within = c == '<' || (within && c != '>');
                if !within && c != '>' {
                    text.push(c);
                }
            }
            text
        };
        let five = Some("2026-12-04T17:00:00Z");
        assert_eq!(told(&shift(five, Some(("Ben", "2026-12-04T17:00:00Z")))), "then Ben");
        assert_eq!(told(&shift(five, Some(("Ben+Cho+Dan", "2026-12-04T17:00:00Z")))), "then Ben, Cho and Dan");
        assert_eq!(told(&shift(five, None)), "then nobody");
        let monday = told(&shift(five, Some(("Ben", "2026-12-07T09:00:00Z"))));
        assert!(monday.starts_with("then nobody until Mon") && monday.ends_with("09:00, then Ben"), "{monday}");
    }
}
