//! What an integration's page says of its sender: the address to send to, what to copy into it, whether anything came yet, and
//! an alarm to try it with.

use allclear_domain::access::Principal;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::model::HEARTBEAT;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{AlertView, HeartbeatView};
use allclear_domain::wire::SetUp;
use allclear_engine::core::Refusal;
use allclear_engine::read::AlertFilter;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{administrator, path};
use crate::access::form_key;
use crate::access::reader::{Fields, answer};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;

/// Instances that are shown.
const BEATS_SHOWN: i64 = 50;
/// What stands for a key that is not shown.
const MASKED: &str = "••••••••";
/// What the page follows: alarms that arrive.
pub(super) const LIVE: &str = "on=board";

/// The section; `key` where it was made just now, and is shown this once.
pub(super) async fn part(app: &App, org: &Org, who: &Principal, when: &When, id: &str, key: Option<&str>) -> Result<Markup, Refused> {
    let Some(form) = org.integration(id) else { return Ok(html! {}) };
    let Some(set_up) = app.options.set_ups.iter().find(|set_up| set_up.kind == form.kind) else { return Ok(html! {}) };
    let filter = AlertFilter { integration: Some(id.to_owned()), ..AlertFilter::default() };
    let newest = app.engine.queries(who).alerts(filter, 1).await?;
    let beats = if form.kind == HEARTBEAT { app.engine.queries(who).heartbeats(Some(id), BEATS_SHOWN).await? } else { Vec::new() };
    let filled = |text: &str| SetUp::filled(text, app.engine.base_url().trim_end_matches('/'), key.unwrap_or(MASKED));
    let address = filled(set_up.address);
    Ok(html! {
        section class="section sender" aria-label="Its sender" {
            h2 { @if key.is_some() { "Copy it now" } @else { "Where it sends to" } }
            @if key.is_some() { p class="prose" { "A key was made. It is shown this once and never again." } }
            dl class="made" {
                div { dt { "Address" } dd { pre tabindex="0" { code { (address) } } } }
                // Where the address says nothing of the key, the sender is given both.
                @if !set_up.address.contains("{key}") || key.is_some() {
                    div { dt { "Key" } dd { pre tabindex="0" { code { (key.unwrap_or(MASKED)) } } } }
                }
            }
            @if key.is_none() {
                p class="hint prose" {
                    "The key is kept sealed and was shown when it was made. If nobody has it any more, type another under Key below, and "
                    "give it to the sender."
                }
            }
            details open[key.is_some()] {
                summary { "What to copy into the sender" }
                p class="prose" { (set_up.says) }
                pre tabindex="0" { code { (filled(set_up.snippet)) } }
            }
            div data-live="arrived" class="arrived" {
                @if form.kind == HEARTBEAT { (heard(&beats, when)) }
                @if form.kind != HEARTBEAT || !newest.is_empty() { (arrived(newest.first(), when)) }
            }
            form method="post" action={ (path(FormKind::Integration, id)) "/test" } class="row-of" {
                (form_key::once(when))
                button class="may" type="submit" { "Send a test alarm" }
            }
            p class="hint prose" { "It goes the way of a real one, as from this sender, and pages whoever a real one would page." }
        }
    })
}

/// Who was heard, and when each is missed.
fn heard(beats: &[HeartbeatView], when: &When) -> Markup {
    html! {
        @if beats.is_empty() { p role="status" { "Waiting for the first heartbeat. Nothing is missed before it came." } }
        ul class="list" {
            @for beat in beats {
                li data-key=(beat.instance) {
                    span {
                        @if beat.instance.is_empty() { "No instance named" } @else { bdi { (beat.instance) } }
                        @if beat.missing { " " strong class="late" { "missing" } }
                    }
                    span class="quiet" {
                        "heard " (when.time(beat.last_seen_at, &when.ago(beat.last_seen_at)))
                        @if let Some(at) = beat.missed_at { " · missed " (when.counting(at)) }
                    }
                }
            }
        }
        @if beats.len() == usize::try_from(BEATS_SHOWN).unwrap_or(usize::MAX) {
            p class="quiet small" { "There may be more, none missing before these." }
        }
    }
}

/// Whether anything came.
fn arrived(newest: Option<&AlertView>, when: &When) -> Markup {
    html! {
        @match newest {
            None => p role="status" { "Waiting for the first alarm." },
            Some(alert) => p role="status" {
                "Last alarm " (when.time(alert.last_seen_at, &when.ago(alert.last_seen_at))) ": "
                @match &alert.incident {
                    Some(incident) => a href={ "/incidents/" (incident) } { bdi { (pieces::cut(&alert.title, 120)) } },
                    None => {
                        bdi { (pieces::cut(&alert.title, 120)) }
                        span class="quiet" {
                            @if let Some(silence) = &alert.silenced_by {
                                ", held by " a href=(path(FormKind::Silence, silence)) { "a silence" }
                            } @else { ", recorded only: " (alert.because) }
                        }
                    },
                }
            },
        }
    }
}

/// POST: a test alarm.
pub(crate) async fn test(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, _) = administrator(&app, &headers).await?;
        let here = path(FormKind::Integration, &id);
        let org = app.engine.org();
        let form = org.integration(&id).ok_or_else(|| Refused::missing("integration", "Look among the settings."))?;
        let spoken = app.options.set_ups.iter().find(|set_up| set_up.kind == form.kind);
        let kind = spoken.ok_or_else(|| Refused::missing("format of this integration", "Choose another on its page."))?.kind;
        let number = form_key::id(&format!("{here}/test"), &fields).unwrap_or_else(|| app.engine.fresh_id());
        match app.engine.test_alarm(&who, &id, kind, number).await {
            Ok(alert) => Ok(Redirect::to(&alert.incident.map_or(here, |incident| format!("/incidents/{incident}"))).into_response()),
            Err(Refusal::Unavailable(_)) => Err(Refused::store(None)),
            Err(why) => {
                let back = html! { p { a href=(here) { "Back to the integration" } } };
                Err(Refused::new(StatusCode::CONFLICT, why.code(), "The test alarm was not sent", sentence(&why.to_string()), back))
            }
        }
    })
    .await
}
