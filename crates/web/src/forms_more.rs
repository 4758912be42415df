//! Forms of coordination: roles, tasks, updates to stakeholders, instants, decisions.

use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::forms::Task;
use crate::incident::Told;

pub(crate) fn bar(_: &Told, _: &Org) -> Markup {
    html! {}
}

pub(crate) fn say_as(_: &Told) -> Markup {
    html! {}
}

pub(crate) fn roles(_: &Told, _: &Org) -> Markup {
    html! {}
}

pub(crate) fn times(_: &Told) -> Markup {
    html! {}
}

pub(crate) fn add_task(_: &Told, _: &Org) -> Markup {
    html! {}
}

pub(crate) fn task(_: &Told, _: &Org, _: &Task) -> Markup {
    html! {}
}

pub(crate) fn update(_: &Told, _: &Org) -> Markup {
    html! {}
}
