//! What a board is narrowed to: links for what is asked often, a plain form for the rest.

use allclear_domain::incident::{Severity, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::IncidentView;
use maud::{Markup, html};

use crate::access::reader::Fields;
use crate::board::severities;
use crate::frame::pieces;
use crate::frame::pieces::MINE;

/// What is shown; everything where nothing is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    severity: Option<Severity>,
    state: Option<State>,
    service: Option<String>,
    mine: bool,
    need: Option<Need>,
    /// Whether all rows are shown, however many they are.
    pub(crate) all: bool,
}

/// What the red counts of a board's head lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nobody has it, and nobody is left to be paged.
    Nobody,
    /// Something that people were to do did not happen in time.
    Late,
    /// Somebody has it, and nothing of it is due.
    Undue,
}

impl Need {
    const fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Late => "late",
            Self::Undue => "undue",
        }
    }

    /// Beside a count.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Nobody => "unanswered",
            Self::Late => "late",
            Self::Undue => "with nothing due",
        }
    }

    /// The board of these rows alone.
    pub(crate) fn address(self, wall: bool) -> String {
        Filter { need: Some(self), ..Filter::default() }.address(wall)
    }
}

impl Filter {
    /// Of a query. What it cannot mean narrows nothing.
    pub(crate) fn read(asked: &Fields) -> Self {
        let said = |key: &str| asked.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        Self {
            severity: said("severity").and_then(|word| word.parse().ok()),
            state: said("state").and_then(State::from_word),
            service: said("service").map(ToOwned::to_owned),
            mine: asked.contains_key("mine"),
            all: asked.contains_key("all"),
            need: said("need").and_then(|word| [Need::Nobody, Need::Late, Need::Undue].into_iter().find(|need| need.word() == word)),
        }
    }

    /// Whether it leaves anything out.
    pub(crate) fn is_narrow(&self) -> bool {
        Self { all: false, ..self.clone() } != Self::default()
    }

    /// The same with all of its rows.
    pub(crate) fn with_all(&self) -> Self {
        Self { all: true, ..self.clone() }
    }

    /// Whether an incident is shown to this reader.
    pub(crate) fn admits(&self, incident: &IncidentView, is_mine: bool) -> bool {
        self.severity.is_none_or(|only| only == incident.severity)
            && self.state.is_none_or(|only| only == incident.state)
            && self.service.as_ref().is_none_or(|only| Some(only) == incident.service.as_ref())
            && (!self.mine || is_mine)
    }

    /// Whether a row that is late, or nobody's, or of which nothing is due, is shown.
    pub(crate) fn wants(&self, late: bool, nobodys: bool, undue: bool) -> bool {
        match self.need {
            None => true,
            Some(Need::Late) => late,
            Some(Need::Nobody) => nobodys,
            Some(Need::Undue) => undue,
        }
    }

    /// The address of the board narrowed so.
    pub(crate) fn address(&self, wall: bool) -> String {
        let mut parts = Vec::new();
        if let Some(severity) = self.severity {
            parts.push(format!("severity={severity}"));
        }
        if let Some(state) = self.state {
            parts.push(format!("state={}", state.word()));
        }
        if let Some(service) = &self.service {
            parts.push(format!("service={}", pieces::escaped(service)));
        }
        if self.mine {
            parts.push("mine".to_owned());
        }
        if let Some(need) = self.need {
            parts.push(format!("need={}", need.word()));
        }
        if self.all {
            parts.push("all".to_owned());
        }
        if wall {
            parts.push("wall".to_owned());
        }
        if parts.is_empty() { "/".to_owned() } else { format!("/?{}", parts.join("&")) }
    }
}

/// Links and form; services are named to whoever sees the organisation.
pub(crate) fn bar(filter: &Filter, counts: &[usize; 5], mine: usize, has_me: bool, org: Option<&Org>) -> Markup {
    let all: usize = counts.iter().sum();
    let current = |is: bool| is.then_some("true");
    html! {
        @if filter.mine { p class="quiet small" { (MINE) } }
        nav class="filter" aria-label="Narrow the board" data-live="filter" {
            a href="/" aria-current=[current(!filter.is_narrow())] { "All " span class="n" { (all) } }
            @if has_me {
                @let with = Filter { mine: true, ..Filter::default() };
                a href=(with.address(false)) aria-current=[current(filter.mine)] title=(MINE) { "Mine " span class="n" { (mine) } }
            }
            @for (index, severity) in severities() {
                @if counts[index] > 0 || filter.severity == Some(severity) {
                    @let with = Filter { severity: Some(severity), ..Filter::default() };
                    a href=(with.address(false)) aria-current=[current(filter.severity == Some(severity))] {
                        (pieces::severity(severity)) " " span class="n" { (counts[index]) }
                    }
                }
            }
            details class="act-one far" name="filter" {
                summary { "Filter" @if filter.service.is_some() || filter.state.is_some() { " · on" } }
                form method="get" action="/" {
                    @if let Some(org) = org {
                        label class="field" { span { "Service" } (pieces::service_choice(org, filter.service.as_deref(), "Every service")) }
                    }
                    label class="field" {
                        span { "State" }
                        select name="state" {
                            option value="" { "Every state" }
                            @for state in State::ALL.into_iter().filter(|state| state.is_open()) {
                                option value=(state.word()) selected[filter.state == Some(state)] { (pieces::state(state)) }
                            }
                        }
                    }
                    label class="field" {
                        span { "Severity" }
                        select name="severity" {
                            option value="" { "Every severity" }
                            @for severity in Severity::ALL {
                                option value=(severity) selected[filter.severity == Some(severity)] { (severity.word().to_uppercase()) }
                            }
                        }
                    }
                    @if has_me {
                        label class="check" { input type="checkbox" name="mine" value="1" checked[filter.mine]; span { "Only mine" } }
                    }
                    button class="do" type="submit" { "Show" }
                }
            }
        }
    }
}
