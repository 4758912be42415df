//! What an incident hits and what may be hit next, as a picture in layers and as the list behind it. What depends on what is hit can
//! be said to be hit with one tap.
//!
//! Severity is colour, shape and word together; what may be hit next is outlined, and never coloured.

use allclear_domain::incident::Severity;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::view::{BlastService, BlastView};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::drawn;
use crate::incident::ask_forms::{fits, path};
use crate::incident::{PageData, TAB};

/// Units of the drawing's width: the pixels that a phone of 320 has for it, so that a word is as large as it is set.
const WIDTH: f64 = 288.0;
/// Units of a service, and of the gap below it.
const ROW: f64 = 32.0;
const GAP: f64 = 8.0;
/// Units of the words over a layer.
const HEAD: f64 = 24.0;
/// Units by which a layer stands further in.
const STEP: f64 = 16.0;
/// Units that a character takes at 13 px, on the safe side.
const CHAR: f64 = 7.6;
/// Services that are drawn; the list has more of them.
const DRAWN_MAX: usize = 16;
/// Hints with a tap; more of them are no page.
const HINTS_MAX: usize = 5;
/// Characters of a name in the list.
const NAME_CHARS_MAX: usize = 80;
/// Of the picture alone: its own style, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// The style of the picture where it stands alone; in a page it is that of the page.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24262b}.layer{font-size:12px;fill:#565a63}rect{fill:none;stroke:#83868f}\
.hit rect{stroke-width:2.5}.next rect{stroke-dasharray:4 3}.edge{fill:none;stroke:#83868f}\
.sev1{stroke:#c4281c;fill:#c4281c}.sev2{stroke:#b85c00;fill:#b85c00}.sev3{stroke:#8a6d00;fill:#8a6d00}.sev4{stroke:#1f7790;fill:#1f7790}.sev5{stroke:#6b6e76;fill:#6b6e76}\
rect.sev1,rect.sev2,rect.sev3,rect.sev4,rect.sev5,.hollow{fill:none}\
@media(prefers-color-scheme:dark){text{fill:#e8e9ec}.layer{fill:#a6a9b1}svg{background:#17191d}}";

/// The section of an incident's page.
pub(super) fn section(told: &PageData) -> Markup {
    let Some(blast) = &told.incident.blast else { return html! {} };
    let hints: Vec<&BlastService> = blast.next().collect();
    let taps = told.may_act && told.incident.state.is_open() && fits(told, Verb::Affect);
    html! {
        section class="blast" {
            div data-live="blast" class="group tight" {
                h2 { "Blast radius" }
                figure {
                    (drawn(svg(blast, told.incident.severity, &told.incident.reference, "")))
                    figcaption class="small quiet" { (caption(blast)) }
                }
                details class="card" data-key="blast-list" {
                    summary { "As a list" }
                    ul {
                        @for service in &blast.services {
                            li { bdi { (pieces::cut(&service.name, NAME_CHARS_MAX)) } ": " (stands(service)) }
                        }
                        @if blast.more > 0 { li { "and " (blast.more) " more" } }
                    }
                }
                @for service in hints.iter().take(HINTS_MAX) {
                    div class="hint-of" data-key={ "hint-" (service.service) } {
                        p class="small" { bdi { (pieces::cut(&blast.hint(service), pieces::LINE_CHARS_MAX)) } "." }
                        @if taps {
                            form method="post" action=(path(told, Verb::Affect.word())) class="at-once" {
                                (once(&told.when))
                                input type="hidden" name="service" value=(service.service); input type="hidden" name=(TAB) value="more";
                                button class="may small" type="submit" name="impact" value="degraded" {
                                    (pieces::cut(&service.name, NAME_CHARS_MAX)) " is hit"
                                }
                            }
                        }
                    }
                }
                @if hints.len() > HINTS_MAX { p class="small quiet" { (hints.len() - HINTS_MAX) " more depend on what is hit." } }
            }
        }
    }
}

/// GET: the picture alone.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Path(reference): Path<String>) -> Response {
    answer(async {
        let (who, _) = reader(&app, &headers).await?;
        let queries = app.engine.queries(&who);
        let id = queries.incident_id(&reference).await?;
        let incident = Box::pin(queries.incident(id)).await?;
        let picture = svg(&queries.blast(id).await?, incident.severity, &incident.reference, STYLE);
        Ok(([(CONTENT_TYPE, "image/svg+xml"), (CONTENT_SECURITY_POLICY, POLICY)], picture).into_response())
    })
    .await
}

fn stands(service: &BlastService) -> String {
    match (service.distance, service.impact) {
        (0, Some(impact)) => format!("hit, {impact}"),
        (0, None) => "hit".to_owned(),
        (1, _) => "may be hit next".to_owned(),
        (steps, _) => format!("{steps} steps away"),
    }
}

fn caption(blast: &BlastView) -> String {
    let hit = blast.services.iter().filter(|service| service.distance == 0).count();
    let next = blast.next().count();
    let further = blast.services.len() - hit - next + blast.more;
    let further = if further > 0 { format!(", {further} further away") } else { String::new() };
    let hidden = blast.services.len().saturating_sub(DRAWN_MAX) + blast.more;
    let hidden = if hidden > 0 { format!(" {hidden} are not drawn.") } else { String::new() };
    format!("{hit} hit, {next} may be hit next{further}, by what depends on what.{hidden}")
}

/// The layers from top to bottom, the nearest first.
fn svg(blast: &BlastView, severity: Severity, reference: &str, style: &str) -> String {
    let (mut body, mut top, mut layer) = (String::new(), 0.0, None);
    let mut places: Vec<(&str, f64, f64)> = Vec::new();
    for service in blast.services.iter().take(DRAWN_MAX) {
        if layer != Some(service.distance) {
            layer = Some(service.distance);
            let words = match service.distance {
                0 => "Hit".to_owned(),
                1 => "May be hit next".to_owned(),
                steps => format!("{steps} steps away"),
            };
            body.push_str(&format!(r#"<text class="layer" x="2" y="{:.0}">{words}</text>"#, top + 16.0));
            top += HEAD;
        }
        let left = 2.0 + STEP * f64::from(service.distance);
        let middle = top + ROW / 2.0;
        for (_, from, bottom) in places.iter().filter(|(id, ..)| service.depends_on.iter().any(|on| on == id)) {
            body.push_str(&format!(r#"<path class="edge" d="M{:.0} {bottom:.0}V{middle:.0}H{left:.0}"/>"#, from + 7.0));
        }
        body.push_str(&node(service, severity, left, top));
        places.push((&service.service, left, top + ROW));
        top += ROW + GAP;
    }
    let label = written(&format!("Blast radius of {reference}: {}", caption(blast)));
    let style = if style.is_empty() { String::new() } else { format!("<style>{style}</style>") };
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0}" width="{WIDTH}" height="{top:.0}" role="img" aria-label="{label}">{style}{body}</svg>"#
    )
}

fn node(service: &BlastService, severity: Severity, left: f64, top: f64) -> String {
    let (hit, word) = (service.distance == 0, severity.word());
    let width = WIDTH - left - 2.0;
    let at = if hit { left + 30.0 } else { left + 10.0 };
    let impact = service.impact.filter(|_| hit).map_or_else(String::new, |impact| format!(" · {impact}"));
    let room = ((WIDTH - 8.0 - at) / CHAR) as usize;
    let name = pieces::cut(&service.name, room.saturating_sub(impact.chars().count() + 1).max(1));
    let title = written(&format!("{}: {}", service.name, stands(service)));
    let mark = if hit { mark(severity, left + 8.0, top + 8.0) } else { String::new() };
    let (class, of) = if hit { ("hit", format!(r#" class="{word}""#)) } else { ("next", String::new()) };
    format!(
        r#"<g class="{class}"><title>{title}</title><rect{of} x="{left:.0}" y="{:.0}" width="{width:.0}" height="{:.0}" rx="6"/>{mark}<text x="{at:.0}" y="{:.0}">{}{impact}</text></g>"#,
        top + 1.0,
        ROW - 2.0,
        top + 20.0,
        written(&name)
    )
}

/// The shape of a severity, as everywhere.
fn mark(severity: Severity, x: f64, y: f64) -> String {
    let shape = match severity {
        Severity::Sev1 => r#"<path d="M8 .8 15.2 8 8 15.2.8 8z"/>"#,
        Severity::Sev2 => r#"<path d="M2 2h12v12H2z"/>"#,
        Severity::Sev3 => r#"<path d="M8 1.5 15.5 14.5H.5z"/>"#,
        Severity::Sev4 => r#"<circle cx="8" cy="8" r="6"/>"#,
        Severity::Sev5 => r#"<circle class="hollow" cx="8" cy="8" r="5.4"/>"#,
    };
    format!(r#"<g class="{}" transform="translate({x:.0} {y:.0})">{shape}</g>"#, severity.word())
}

/// A text as SVG has it.
fn written(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(id: &str, name: &str, distance: u32, on: &[&str]) -> BlastService {
        BlastService {
            service: id.into(),
            name: name.into(),
            impact: None,
            distance,
            depends_on: on.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn no_name_is_markup_and_none_leaves_the_picture() {
        let long = "Payments of the whole of the western hemisphere & <b>others</b>";
        let blast = BlastView { services: vec![service("a", long, 0, &[]), service("b", "\"B\"", 1, &["a"])], more: 0 };
        let picture = svg(&blast, Severity::Sev2, "INC-1", "");
        assert!(!picture.contains("<b>") && picture.contains("&lt;b&gt;"), "{picture}");
        assert!(
            picture.contains("class=\"edge\"") && picture.contains("class=\"sev2\"") && picture.contains("May be hit next"),
            "{picture}"
        );
        let shown = picture.split("<text x=").nth(1).unwrap().split("</text>").next().unwrap();
        assert!(shown.contains('…') && shown.chars().count() < 60, "{shown}");
    }

    #[test]
    fn of_more_than_can_be_drawn_there_is_a_number() {
        let services: Vec<_> = (0..DRAWN_MAX + 3).map(|n| service(&format!("s{n}"), "S", u32::from(n > 0), &["s0"])).collect();
        let blast = BlastView { services, more: 2 };
        assert!(caption(&blast).contains("5 are not drawn"), "{}", caption(&blast));
        assert_eq!(svg(&blast, Severity::Sev1, "INC-1", "").matches("<rect").count(), DRAWN_MAX);
    }
}
