//! Other organisations in an incident: a row each, with what it was asked for and what is due, and the forms that bring one
//! in, ask it and write down what it says.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::partners::RequestState;
use allclear_domain::org::snapshot::{ORGANISATION, Org};
use allclear_domain::tlp::{Tlp, UNMARKED};
use allclear_domain::view::{PartyView, RequestView};
use allclear_engine::message_link::guests::MadeLink;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{DRAWN_MAX, drawn, fits, path, unfolding, way_to};

/// What may be heard of a request, with what is pressed for it.
const HEARD: [(&str, &str); 4] =
    [("acknowledged", "They have it"), ("answered", "They answered"), ("declined", "They declined"), ("withdrawn", "Withdraw it")];

/// Requests that are drawn; the log has the others, and a page stays light.
const REQUESTS_SHOWN: usize = 15;
/// Characters of a request and of an answer that are drawn.
const SHORT_CHARS_MAX: usize = 160;
/// Says of a form that it is of an organisation that takes part.
pub(super) const ROW: &str = "row";

/// A guest link that was just made.
pub(super) struct GuestLink {
    /// The organisation's id.
    pub organisation: String,
    pub made: MadeLink,
}

/// The link, on the page that answers whoever made it and on no other: above the tabs, of which any may be shown.
pub(super) fn shown_once(told: &PageData, org: &Org, link: &GuestLink) -> Markup {
    html! {
        section class="once" role="status" {
            label class="field" {
                span {
                    "Guest link for " bdi { (pieces::name(org, &format!("{ORGANISATION}{}", link.organisation))) }
                    ", works until " (told.when.stamp(link.made.until)) ". Copy it now: it is not shown again"
                    @if link.made.replaced { ". The one before works no more" }
                }
                input type="text" readonly value=(link.made.url);
            }
        }
    }
}

/// One row a party; nothing where the organisation knows no others and none took part.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let incident = &told.incident;
    if incident.parties.is_empty() && org.bundle().organisations.is_empty() {
        return html! {};
    }
    let open = incident.requests.iter().filter(|request| request.state.is_open()).count();
    let shown = shown_of(&incident.requests);
    html! {
        section class="part-people" {
            div data-live="partners" class="group tight" {
                h2 {
                    "Partners"
                    @if !incident.requests.is_empty() { span class="quiet" { " · " (open) " open of " (incident.requests.len()) } }
                }
                @if incident.parties.is_empty() { p class="quiet" { "No other organisation takes part." } }
                @else { p class="quiet small" { "The incident is " (incident.marking.map_or(UNMARKED, Tlp::label)) } }
                ul class="tasks partners" {
                    @for (n, party) in incident.parties.iter().enumerate() { (row(told, org, party, &shown, n < DRAWN_MAX)) }
                }
                @let rest = incident.requests.len().saturating_sub(shown.len());
                @if rest > 0 { p class="quiet small" { (rest) " older requests stand in the log." } }
            }
            @if told.may_act && !org.bundle().organisations.is_empty() {
                div class="acts stay" data-live="partner-acts" {
                    @if fits(told, Verb::Request) { (drawn(told, org, Verb::Request)) }
                    @if takes_new(told) && incident.state.is_open() { (bring_in(told, org)) }
                    @if fits(told, Verb::Marking) { (drawn(told, org, Verb::Marking)) }
                }
            }
        }
    }
}

/// Requests that are drawn: the open ones, then the newest.
fn shown_of(requests: &[RequestView]) -> Vec<u32> {
    let mut all: Vec<&RequestView> = requests.iter().rev().collect();
    all.sort_by_key(|request| !request.state.is_open());
    all.iter().take(REQUESTS_SHOWN).map(|request| request.request).collect()
}

/// `draws`: whether its forms are drawn with it.
fn row(told: &PageData, org: &Org, party: &PartyView, shown: &[u32], draws: bool) -> Markup {
    let when = &told.when;
    let name = pieces::name(org, &format!("{ORGANISATION}{}", party.organisation));
    html! {
        li class=[party.left_at.map(|_| "dropped")] id={ "party-" (party.organisation) } data-key=(party.organisation) {
            p { strong { bdi { (name) } } }
            p class="quiet small" {
                @match &party.liaison {
                    Some(liaison) => { bdi { (pieces::name(org, liaison)) } " speaks with them" },
                    None => "nobody speaks with them",
                }
                @if let Some(reference) = &party.reference { " · their reference " bdi { (reference) } }
                @if let Some(at) = party.left_at { " · left " (when.time(at, &when.ago(at))) }
            }
            @let its = |request: &&RequestView| request.organisation == party.organisation && shown.contains(&request.request);
            @for request in told.incident.requests.iter().filter(its) {
                (request_line(told, request, draws))
            }
            @if told.may_act && party.left_at.is_none() && fits(told, Verb::Party) {
                @let draft = format!("party-{}", party.organisation);
                @if draws || told.draft.verb == draft { (change(told, org, party, &name)) }
                @else { p { (way_to("people", &draft, "…", &format!("More for {name}"))) } }
            }
        }
    }
}

fn request_line(told: &PageData, request: &RequestView, draws: bool) -> Markup {
    let when = &told.when;
    let ended = request.answered_at.or(request.declined_at).or(request.withdrawn_at);
    html! {
        div class="asked" id={ "answer-" (request.request) } data-key={ "request-" (request.request) } {
            p class="clamp" { span class="vh" { "Request " } (request.request) ". " bdi { (pieces::cut(&request.text, SHORT_CHARS_MAX)) } }
            p class="quiet small" {
                strong { (request.state.word()) }
                @match (request.state, ended, request.acknowledged_at) {
                    (RequestState::Asked, _, _) => { " " (when.time(request.asked_at, &when.ago(request.asked_at))) },
                    (_, Some(at), _) | (_, None, Some(at)) => { " " (when.time(at, &when.ago(at))) },
                    _ => {},
                }
                @if let Some(due) = request.due_at.filter(|_| request.state.is_open()) { " · answer due " (when.counting(due)) }
                @else if request.late { " · " span class="late" { "late" } }
                @if let Some(reference) = &request.reference { " · their reference " bdi { (reference) } }
            }
            @if let Some(answer) = &request.answer { p class="said clamp" { bdi { (pieces::cut(answer, SHORT_CHARS_MAX)) } } }
            @if told.may_act && request.state.is_open() && fits(told, Verb::Answer) {
                @let draft = format!("answer-{}", request.request);
                @if draws || told.draft.verb == draft { (hear(told, request)) }
                @else {
                    p { (way_to("people", &draft, "What they say", &format!("What they say to request {}", request.request))) }
                }
            }
        }
    }
}

/// What is heard of one request: the button says it.
fn hear(told: &PageData, request: &RequestView) -> Markup {
    let verb = format!("answer-{}", request.request);
    html! {
        details class="act-one" name="act" open[told.draft.verb == verb] data-verb="answer" data-key="answer" {
            summary { "What they say" span class="vh" { " to request " (request.request) } }
            form method="post" action=(path(told, "answer")) {
                (told.draft.refused(&verb)) (once(&told.when))
                input type="hidden" name="request" value=(request.request);
                label class="field" {
                    span { "In their words" span class="quiet" { " (may stay empty)" } }
                    textarea name="text" rows="2" { (told.draft.typed(&verb, "text")) }
                }
                label class="field" {
                    span { "Their reference" span class="quiet" { " (may stay empty)" } }
                    input name="reference" value=(told.draft.typed(&verb, "reference"));
                }
                label class="field" {
                    span { "When" span class="quiet" { " " (told.when.zone()) ", now where it stays empty" } }
                    input type="datetime-local" step="1" name="happened_at" value=(told.draft.typed(&verb, "happened_at"));
                }
                div class="row-of" {
                    @for (state, words) in HEARD.iter().filter(|(state, _)| *state != request.state.word()) {
                        button class=(if *state == "answered" { "do" } else { "may" }) type="submit" name="state" value=(state) { (words) }
                    }
                }
            }
        }
    }
}

fn particulars(org: &Org, reference: &str, liaison: Option<&str>) -> Markup {
    html! {
        label class="field" {
            span { "Their reference" span class="quiet" { " (may stay empty)" } }
            input name="reference" value=(reference);
        }
        label class="field" { span { "Who speaks with them" } (pieces::able_choice(org, "liaison", liaison, Some("Nobody yet"))) }
    }
}

/// An organisation joins.
fn bring_in(told: &PageData, org: &Org) -> Markup {
    let typed = |name: &str| told.draft.typed("party", name);
    let fields = html! {
        label class="field" {
            span { "Organisation" }
            select name="organisation" {
                @for form in &org.bundle().organisations { (pieces::choice(&form.id, form.id == typed("organisation"), &form.name)) }
            }
        }
        (particulars(org, typed("reference"), Some(typed("liaison"))))
    };
    unfolding(told, "party", "Bring in an organisation", "", &fields, "Bring it in")
}

/// Whether one can come in, or be given a way to look on: where something can be answered.
fn takes_new(told: &PageData) -> bool {
    fits(told, Verb::Answer)
}

/// Who speaks with one that takes part, its reference, and that it leaves.
fn change(told: &PageData, org: &Org, party: &PartyView, name: &str) -> Markup {
    let verb = format!("party-{}", party.organisation);
    let mine = told.draft.verb == verb;
    let reference = if mine { told.draft.typed(&verb, "reference") } else { party.reference.as_deref().unwrap_or_default() };
    let liaison = if mine { Some(told.draft.typed(&verb, "liaison")) } else { party.liaison.as_deref() };
    html! {
        details class="act-one" name="act" open[mine] data-key="party" {
            summary aria-label={ "More for " (name) } { "…" }
            div class="sheet" {
                (told.draft.refused(&verb))
                @if takes_new(told) {
                    form method="post" action=(path(told, "party")) {
                        (once(&told.when))
                        input type="hidden" name="organisation" value=(party.organisation);
                        input type="hidden" name=(ROW) value="1";
                        (particulars(org, reference, liaison))
                        button class="do" type="submit" { "Save it" }
                    }
                }
                form method="post" action=(path(told, "guest")) {
                    (once(&told.when))
                    input type="hidden" name="organisation" value=(party.organisation);
                    div class="row-of" {
                        @if takes_new(told) { button class="may" type="submit" { "Make a guest link" } }
                        button class="may" type="submit" name="state" value="revoked" { "Revoke it" }
                    }
                }
                form method="post" action=(path(told, "export")) {
                    (once(&told.when))
                    input type="hidden" name="organisation" value=(party.organisation);
                    button class="may" type="submit" { "Signed file of what they may be told" }
                }
                form method="post" action=(path(told, "party")) {
                    (once(&told.when))
                    input type="hidden" name="organisation" value=(party.organisation); input type="hidden" name="state" value="left";
                    label class="field" { span { "Why they leave" span class="quiet" { " (may stay empty)" } } input name="why"; }
                    button class="may" type="submit" { "They leave" }
                }
            }
        }
    }
}
