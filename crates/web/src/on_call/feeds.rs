//! Addresses at which a telephone or a laptop fetches who is on call as a calendar: one's own shifts under *My shifts*, a schedule's
//! under *On call*. An address is shown once, on the page that answers the form that made it.
//!
//! Deliberately not here: what stands in the calendar (`allclear_domain::org::feed`), and who may fetch it.

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::FeedView;
use allclear_engine::identity::feeds::NoFeed;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::reader::{Fields, actor, answer};
use crate::access::visitor::local;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;

/// Makes an address of one's own shifts.
pub(crate) const MINE: &str = "/my-shifts/calendar";
/// Makes an address of a schedule's.
pub(crate) const OF_SCHEDULE: &str = "/on-call/calendar";
/// Revokes one.
pub(crate) const REVOKE: &str = "/calendar-feeds/{id}/revoke";

/// What a page shows of the addresses there are, and of the one that was just made.
#[derive(Default)]
pub(crate) struct Calendars {
    feeds: Vec<FeedView>,
    made: Option<String>,
    refusal: Option<String>,
}

impl Calendars {
    /// Those that the reader made or may revoke; none for whoever may make none.
    pub(super) async fn of(app: &App, who: &Principal) -> Result<Self, Refused> {
        if may(&app.engine.org(), who, Right::Respond, Resource::Installation).is_err() {
            return Ok(Self::default());
        }
        match app.engine.feeds(who).await {
            Ok(feeds) => Ok(Self { feeds, ..Self::default() }),
            Err(NoFeed::Store(why)) => {
                tracing::error!(%why, "calendars cannot be listed");
                Err(Refused::store(None))
            }
            Err(_) => Ok(Self::default()),
        }
    }

    /// With what became of the form that makes one.
    pub(super) fn answered(mut self, made: Result<String, String>) -> (Self, StatusCode) {
        match made {
            Ok(url) => (self.made, self.refusal) = (Some(url), None),
            Err(why) => self.refusal = Some(why),
        }
        let status = if self.refusal.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (self, status)
    }
}

pub(super) async fn make(app: &App, who: &Principal, schedule: Option<&str>) -> Result<String, String> {
    app.engine.make_feed(who, schedule).await.map(|(url, _)| url).map_err(|why| match why {
        NoFeed::Store(_) => "The store did not answer, so nothing was made. Ask again in a few seconds.".to_owned(),
        other => sentence(&other.to_string()),
    })
}

/// POST.
pub(crate) async fn revoke(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        match app.engine.revoke_feed(&who, &id).await {
            // A second press finds it gone, which is what was asked for.
            Ok(()) | Err(NoFeed::Missing(_)) => {}
            Err(NoFeed::Denied(no)) => return Err(no.into()),
            Err(why) => {
                tracing::error!(%why, "a calendar was not revoked");
                return Err(Refused::store(None));
            }
        }
        Ok(Redirect::to(local(fields.get("back").map(String::as_str))).into_response())
    })
    .await
}

/// The part of *My shifts*.
pub(super) fn mine(calendars: &Calendars, who: &Principal, when: &When) -> Markup {
    let of_me: Vec<&FeedView> =
        calendars.feeds.iter().filter(|feed| feed.person.is_some() && feed.person.as_deref() == who.person()).collect();
    html! {
        section id="calendar" {
            h2 { "In your calendar" }
            p class="quiet" {
                "Your telephone or laptop fetches your shifts by itself from an address that is yours alone: four weeks back and six "
                "months ahead. Whoever has the address reads them, and nothing else."
            }
            (told(calendars))
            (list(&of_me, when, super::MY_SHIFTS, |_| html! { "Your shifts" }))
            form method="post" action=(MINE) { button class="may" type="submit" { "Make an address" } }
        }
    }
}

/// The part of *On call*.
pub(super) fn of_schedules(calendars: &Calendars, org: &Org, when: &When) -> Markup {
    let of_schedules: Vec<&FeedView> = calendars.feeds.iter().filter(|feed| feed.schedule.is_some()).collect();
    let schedules = &org.bundle().schedules;
    let name = |id: &str| org.schedule_form(id).and_then(|form| form.name.clone()).unwrap_or_else(|| id.to_owned());
    html! {
        section id="calendar" {
            h2 { "In a calendar" }
            (told(calendars))
            (list(&of_schedules, when, super::PLACE.path, |feed| html! {
                bdi { (name(feed.schedule.as_deref().unwrap_or_default())) }
                span class="quiet" { " by " (maker(org, feed)) }
            }))
            @if !schedules.is_empty() {
                details class="act-one" {
                    summary { "Make an address" }
                    form method="post" action=(OF_SCHEDULE) {
                        label class="field" {
                            span { "Schedule" }
                            select name="schedule" {
                                @for form in schedules { option value=(form.id) { (form.name.as_deref().unwrap_or(&form.id)) } }
                            }
                        }
                        button class="do" type="submit" { "Make an address" }
                        p class="quiet small" {
                            "Calendar programs fetch the schedule’s shifts from it. Yours alone are under "
                            a href=(super::MY_SHIFTS) { "My shifts" } "."
                        }
                    }
                }
            }
        }
    }
}

fn maker(org: &Org, feed: &FeedView) -> String {
    pieces::actor(org, &feed.made_by).unwrap_or_else(|| "All Clear".to_owned())
}

/// The address that was made, or why none was.
fn told(calendars: &Calendars) -> Markup {
    html! {
        @if let Some(url) = &calendars.made {
            div class="done" role="status" {
                p { "Subscribe to this address in your calendar program. It is shown this once:" }
                pre tabindex="0" { code { (url) } }
            }
        }
        @if let Some(why) = &calendars.refusal { p class="refusal" role="alert" { strong { "This was not done" } (why) } }
    }
}

fn list(feeds: &[&FeedView], when: &When, back: &str, says: impl Fn(&FeedView) -> Markup) -> Markup {
    html! {
        ul class="list" {
            @for feed in feeds {
                li {
                    span { (says(feed)) }
                    span class="quiet" { "made " (when.time(feed.created_at, &when.minute(feed.created_at))) }
                    form method="post" action={ "/calendar-feeds/" (pieces::escaped(&feed.id)) "/revoke" } {
                        input type="hidden" name="back" value=(back);
                        @let made = when.minute(feed.created_at);
                        button class="plain" type="submit" aria-label={ "Revoke the address made " (made) } { "Revoke" }
                    }
                }
            }
        }
    }
}
