//! What lies over each other in a calendar, as lanes: who is on call, what stands above the layers, who is away, and each layer by
//! itself.

use allclear_domain::oncall::{Because, Gap, Shift, Turn};
use allclear_domain::org::model::Effect;
use allclear_domain::org::snapshot::Org;
use allclear_domain::org::timetable::Timetable;

use super::view::At;
use crate::frame::pieces;
use crate::frame::strips::{Bar, Lane, Shape};

/// Most layers that are drawn, the topmost of them: what lies deeper hardly ever decides.
const LAYERS_MAX: usize = 12;

/// The lanes of a schedule, from the answer down.
pub(super) fn lanes(table: &Timetable, org: &Org, at: &At<'_>, me: Option<&str>) -> Vec<Lane> {
    let lane = |name: &str, beneath: bool, bars: Vec<Bar>| Lane { name: name.to_owned(), beneath, bars };
    let mut out = vec![lane("On call", false, on_call(table, org, at, me))];
    let overrides = overrides(table, org, at, me);
    if !overrides.is_empty() {
        out.push(lane("Overrides", true, overrides));
    }
    for one in &table.temporary {
        let name = one.name.as_deref().unwrap_or("Temporary");
        out.push(lane(name, true, one.turns.iter().map(|turn| of_turn(turn, Shape::Above, org, me)).collect()));
    }
    let away = away(table, org, me);
    if !away.is_empty() {
        out.push(lane("Away", true, away));
    }
    for layer in table.layers.iter().rev().take(LAYERS_MAX) {
        let bars = layer.turns.iter().map(|turn| of_turn(turn, Shape::Turn, org, me));
        out.push(lane(&layer_name(layer.index, layer.name.as_deref()), true, bars.collect()));
    }
    out
}

fn of_turn(turn: &Turn, shape: Shape, org: &Org, me: Option<&str>) -> Bar {
    let name = pieces::name(org, &turn.person);
    Bar { from: turn.starts_at, to: turn.ends_at, shape, says: name.clone(), name, mine: me == Some(turn.person.as_str()), href: None }
}

/// How many layers are not drawn.
pub(super) fn layers_left_out(table: &Timetable) -> usize {
    table.layers.len().saturating_sub(LAYERS_MAX)
}

/// `Layer 2`, or what it is called.
pub(super) fn layer_name(index: usize, name: Option<&str>) -> String {
    name.map_or_else(|| format!("Layer {}", index + 1), ToOwned::to_owned)
}

/// Why nobody is on.
pub(super) const fn why_nobody(gap: &Gap) -> &'static str {
    if gap.by_override { "an override has nobody on" } else { "no layer is on" }
}

/// By what somebody is on, in a word or two; what it is called by programs stands where one points at the drawing.
pub(super) fn rule(because: &Because) -> String {
    match because {
        Because::Layer { index, name } => layer_name(*index, name.as_deref()),
        Because::Feed { name, .. } => name.clone(),
        Because::Temporary { name, .. } => name.clone().unwrap_or_else(|| "temporary schedule".to_owned()),
        Because::Override { .. } | Because::Off { .. } => "override".to_owned(),
        Because::Added { .. } => "besides, by an override".to_owned(),
        Because::Nobody => "no layer is on".to_owned(),
    }
}

/// Whether somebody is on by what stands above the layers.
pub(super) const fn is_above(because: &Because) -> bool {
    match because {
        Because::Temporary { .. } | Because::Override { .. } | Because::Added { .. } | Because::Off { .. } => true,
        Because::Layer { .. } | Because::Feed { .. } | Because::Nobody => false,
    }
}

fn on_call(table: &Timetable, org: &Org, at: &At<'_>, me: Option<&str>) -> Vec<Bar> {
    let of_shift = |shift: &Shift| {
        let name = pieces::name(org, &shift.person);
        Bar {
            from: shift.starts_at,
            to: shift.ends_at,
            shape: if is_above(&shift.because) { Shape::Above } else { Shape::Turn },
            says: format!("{name}, {}", shift.because),
            name,
            mine: me == Some(shift.person.as_str()),
            href: Some(at.picking(shift.starts_at, shift.ends_at)),
        }
    };
    let of_gap = |gap: &Gap| Bar {
        from: gap.starts_at,
        to: gap.ends_at,
        shape: Shape::Nobody,
        name: "nobody".to_owned(),
        says: format!("Nobody, {}", why_nobody(gap)),
        mine: false,
        href: Some(at.picking(gap.starts_at, gap.ends_at)),
    };
    let mut bars: Vec<Bar> = table.on_call.iter().map(of_shift).chain(table.gaps.iter().map(of_gap)).collect();
    bars.sort_by_key(|bar| bar.from);
    bars
}

fn overrides(table: &Timetable, org: &Org, at: &At<'_>, me: Option<&str>) -> Vec<Bar> {
    let of = |change: &allclear_domain::org::model::Override| {
        let who = change.whom().map(|person| pieces::name(org, person));
        let (name, says) = match (change.effect, who) {
            (Effect::Replaces, Some(who)) => (who.clone(), format!("{who} takes it over")),
            (Effect::Adds, Some(who)) => (format!("+ {who}"), format!("{who} is on besides")),
            (Effect::Nobody, _) | (_, None) => ("nobody".to_owned(), "Nobody is on".to_owned()),
        };
        Bar {
            from: change.starts_at,
            to: change.ends_at,
            shape: Shape::Above,
            name,
            says,
            mine: me.is_some() && change.whom().map(String::as_str) == me,
            href: Some(at.picking(change.starts_at, change.ends_at)),
        }
    };
    table.overrides.iter().map(of).collect()
}

fn away(table: &Timetable, org: &Org, me: Option<&str>) -> Vec<Bar> {
    let of = |one: &allclear_domain::org::timetable::Away| {
        let name = pieces::name(org, &one.person);
        let cover = if one.needs_cover { ", and on call for some of it" } else { "" };
        Bar {
            from: one.starts_at,
            to: one.ends_at,
            shape: Shape::Away,
            says: format!("{name} {}{cover}", one.says()),
            name,
            mine: me == Some(one.person.as_str()),
            href: None,
        }
    };
    table.away.iter().map(of).collect()
}
