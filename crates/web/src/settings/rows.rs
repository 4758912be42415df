//! Lists and parts as rows of fields: each row with its number, what is wrong with it, and the buttons that move it and take it
//! away; and the same as text. Each button sends the form, and the page comes back with what was typed.

use allclear_domain::channel::WaysOut;
use allclear_domain::org::forms::about::{Field, Input, THIS_MONDAY};
use allclear_domain::org::forms::rows::{ADDRESS, Shape};
use allclear_domain::org::words::a;
use maud::{Markup, html};

use super::controls::{Around, Control, ROWS_MAX, ROWS_MIN, Wrong, anchor, control, marked};
use super::typed_rows::{Deed, OWN, OWN_MAIL, count, count_of, is_text, rows, why_of};
use crate::frame::pieces::capital;
use crate::frame::time_text::When;

/// After midnight, the hand-off of a fresh layer.
const FRESH_HANDOFF: jiff::SignedDuration = jiff::SignedDuration::from_hours(9);

/// A part of a form: a list in rows, or an object with fields of its own.
pub(crate) fn part(row: &Field, around: &Around<'_>, wrong: &[Wrong]) -> Markup {
    let id = anchor(row.key);
    let of_all: Vec<&str> =
        wrong.iter().filter(|wrong| wrong.key == row.key && wrong.row.is_none()).map(|wrong| wrong.words.as_str()).collect();
    let text = is_text(row.key, around.fields);
    html! {
        fieldset class="field part" id=(id) {
            legend { (row.label) @if row.needed && !around.owned { span class="quiet" { " (needed)" } } }
            @if !row.hint.is_empty() { p class="hint" { (marked(row.hint)) } }
            @if !of_all.is_empty() { div class="wrong" { @for words in &of_all { p { (marked(words)) } } } }
            @if text { (as_text(row, around, wrong)) }
            @else if let Input::Part(fields, _) = row.input {
                input type="hidden" name=(count_of(row.key)) value="1";
                div class="one-row" { (fields_of(fields.iter(), row.key, row.key, &[], around)) }
                (below(row, around, None))
            }
            @else if let Some(shape) = Shape::of(row.input, around.org.channels()) {
                @if row.input == Input::Contacts && !around.owned { (own_mail(around, &shape)) }
                (list(&shape, row.key, around, wrong))
                @if row.input == Input::Contacts && !around.owned {
                    details class="behind" { summary { "What each channel takes" } (channel_fields(around.org.channels())) }
                }
                (below(row, around, Some(&shape)))
            }
        }
    }
}

/// The rows of a list at this place.
fn list(shape: &Shape, path: &str, around: &Around<'_>, wrong: &[Wrong]) -> Markup {
    let filled = rows(shape, path, around.fields, around.org.channels()).len();
    let shown = if around.owned { filled } else { count(path, around.fields).max(shape.first) };
    let act = |deed: Deed, at: usize, word: &str| {
        let label = format!("{word} {} {}", shape.one, at + 1);
        html! {
            button class="may small" type="submit" name=(deed.name()) value={ (path) "." (at) } formnovalidate
                formaction=(to(around, path)) aria-label=(label) { (word) }
        }
    };
    html! {
        @if !around.owned { input type="hidden" name=(count_of(path)) value=(shown); }
        @for at in 0..shown {
            @let mine: Vec<&Wrong> = wrong.iter().filter(|wrong| wrong.key == path && wrong.row == Some(at)).collect();
            fieldset class="one-row" id=(anchor(&format!("{path}.{at}"))) {
                legend { (capital(shape.one)) " " (at + 1) }
                (row_of(shape, path, at, around))
                @if !mine.is_empty() { div class="wrong" { @for wrong in &mine { p { (marked(&wrong.words)) } } } }
                @if !around.owned && shown > 1 {
                    div class="row-acts" {
                        @if at > 0 { (act(Deed::Up, at, "Move up")) }
                        @if !is_blank(shape, &format!("{path}.{at}"), around) { (act(Deed::Drop, at, "Remove")) }
                    }
                }
            }
        }
        @if around.owned && shown == 0 { p class="quiet" { "None." } }
    }
}

/// Where a button sends the form: the page comes back at the list.
fn to(around: &Around<'_>, path: &str) -> String {
    format!("{}#{}", around.action, anchor(path))
}

/// What fields at this place, and below it, say.
fn said_at<'a>(place: &'a str, around: &'a Around<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    around.fields.iter().filter_map(move |(name, text)| {
        let is_own = name.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let says = is_own && !text.is_empty() && !name.ends_with(".#");
        says.then_some((name.as_str(), text.as_str()))
    })
}

/// Whether a row says no more than an empty one.
fn is_blank(shape: &Shape, place: &str, around: &Around<'_>) -> bool {
    let is_fresh = |name: &str| shape.fresh.iter().any(|(key, _)| name == format!("{place}.{key}"));
    said_at(place, around).all(|(name, _)| is_fresh(name))
}

/// The fields of a row; those that are rarely needed are unfolded. What fields are for is said in the first row alone.
fn row_of(shape: &Shape, path: &str, at: usize, around: &Around<'_>) -> Markup {
    let place = format!("{path}.{at}");
    let is_more = |field: &&Field| shape.more.contains(&field.key);
    let open = shape.fields.iter().filter(is_more).any(|field| said_at(&format!("{place}.{}", field.key), around).next().is_some());
    let hints = format!("{path}.0");
    html! {
        (fields_of(shape.fields.iter().filter(|field| !is_more(field)), &place, &hints, &shape.fresh, around))
        @if !shape.more.is_empty() && (open || !around.owned) {
            details class="behind" open[open] {
                summary { "More" }
                (fields_of(shape.fields.iter().filter(is_more), &place, &hints, &shape.fresh, around))
            }
        }
    }
}

/// Fields at a place; their hints stand at another where that says them for several.
fn fields_of<'f>(fields: impl Iterator<Item = &'f Field>, place: &str, hints: &str, fresh: &[(&str, &str)], around: &Around<'_>) -> Markup {
    html! {
        div class="row-fields" {
            @for field in fields {
                @let hint = format!("{}-hint", anchor(&format!("{hints}.{}", field.key)));
                (one(field, &format!("{place}.{}", field.key), &hint, place == hints, fresh, around))
            }
        }
    }
}

/// One field of a row. That it is needed is said by whoever reads it, since an empty row is none.
fn one(field: &Field, name: &str, hint: &str, says_hint: bool, fresh: &[(&str, &str)], around: &Around<'_>) -> Markup {
    let id = anchor(name);
    if let Input::Rows(rows) = field.input {
        let Some(shape) = Shape::of(field.input, WaysOut::NONE) else { return html! {} };
        return html! {
            fieldset class="within" id=(id) {
                legend { (field.label) }
                @if !field.hint.is_empty() { p class="hint" { (marked(field.hint)) } }
                (list(&shape, name, around, &[]))
                @if !around.owned { (more(rows.one, name, around)) }
            }
        };
    }
    if let Input::Part(fields, _) = field.input {
        return html! {
            fieldset class="within" id=(id) {
                legend { (field.label) }
                @if !field.hint.is_empty() { p class="hint" { (marked(field.hint)) } }
                (fields_of(fields.iter(), name, name, &[], around))
            }
        };
    }
    let asked = Field { needed: false, ..*field };
    let fresh = fresh.iter().find(|(key, _)| *key == field.key).map_or(String::new(), |(_, text)| said(text, around.when));
    let described = (!field.hint.is_empty()).then_some(hint);
    let closed = field.needed && !fresh.is_empty();
    let asked = Control { field: &asked, name, id: &id, fresh: &fresh, invalid: None, described, label: None, closed };
    let of_one = matches!(field.input, Input::Several(..) | Input::Ticks(_));
    html! {
        div class={ "field" @if of_one { " wide" } } {
            @if of_one { span { (field.label) } } @else { label for=(id) { (field.label) } }
            (control(&asked, around))
            @if says_hint && !field.hint.is_empty() { p class="hint" id=(hint) { (marked(field.hint)) } }
        }
    }
}

/// What an empty row says, in words of now.
fn said(fresh: &str, when: &When) -> String {
    if fresh != THIS_MONDAY {
        return fresh.to_owned();
    }
    // Of the last hand-off at 09:00, as the fresh row says: the first who is named is on call from now on, and there is nobody to
    // wait for.
    let day = when.day(when.now - FRESH_HANDOFF);
    let since = jiff::Span::new().days(i64::from(day.weekday().to_monday_zero_offset()));
    day.checked_sub(since).unwrap_or(day).to_string()
}

fn more(one: &str, path: &str, around: &Around<'_>) -> Markup {
    // A browser gives the focus to the new row only where the address names no other place.
    let there = path.contains('.').then(|| to(around, path));
    html! {
        button class="may small" type="submit" name=(Deed::More.name()) value=(path) formnovalidate formaction=[there] { "Add a " (one) }
    }
}

/// What stands below the rows of a list.
fn below(row: &Field, around: &Around<'_>, shape: Option<&Shape>) -> Markup {
    html! {
        @if !around.owned {
            div class="row-acts" {
                @if let Some(shape) = shape { (more(shape.one, row.key, around)) }
                (switch(Deed::AsText, "Edit as text", row, around))
            }
        }
    }
}

/// The button between fields and text.
fn switch(deed: Deed, words: &str, row: &Field, around: &Around<'_>) -> Markup {
    let label = format!("{words}: {}", row.label);
    html! {
        button class="link" type="submit" name=(deed.name()) value=(row.key) formnovalidate formaction=(to(around, row.key))
            aria-label=(label) { (words) }
    }
}

/// The same as text.
fn as_text(row: &Field, around: &Around<'_>, wrong: &[Wrong]) -> Markup {
    let mine: Vec<&Wrong> = wrong.iter().filter(|wrong| wrong.key == row.key && wrong.row.is_some()).collect();
    let channels = around.org.channels();
    let example = match row.input {
        Input::Part(_, example) => example.to_owned(),
        input => Shape::of(input, channels).map(|shape| shape.example).unwrap_or_default(),
    };
    let id = format!("{}-text", anchor(row.key));
    let typed = around.fields.get(row.key).map_or("", String::as_str);
    html! {
        @if let Some(why) = around.fields.get(&why_of(row.key)) {
            p class="hint" { "As text, since fields do not hold it: " (marked(why)) "." }
        }
        input type="hidden" name=(count_of(row.key)) value="text";
        textarea class="code" id=(id) name=(row.key) rows=(typed.lines().count().clamp(ROWS_MIN, ROWS_MAX)) spellcheck="false"
            aria-label={ (row.label) ", as text" } aria-invalid=[(!mine.is_empty()).then_some("true")] { "\n" (typed) }
        @if !mine.is_empty() { div class="wrong" { @for wrong in &mine { p { (marked(&wrong.words)) } } } }
        @if !around.owned {
            details class="behind" {
                summary { "An example" }
                pre tabindex="0" { code { (example) } }
                @if row.input == Input::Contacts { (channel_fields(channels)) }
            }
            div class="row-acts" {
                (switch(Deed::AsRows, "Edit in fields", row, around))
            }
        }
    }
}

/// What an address of each channel has, as the channel says it.
fn channel_fields(channels: WaysOut) -> Markup {
    html! {
        ul {
            @for (form, field) in channels.iter().flat_map(|form| form.fields.iter().map(move |field| (form, field))) {
                li {
                    code { (field.key) } " " (field.label) ". " (marked(field.hint))
                    @if field.key != form.name { " For " (a(form.noun)) "." }
                    @if field.is_made() { " Made and shown once where it is left out." }
                }
            }
        }
    }
}

/// The box that makes a contact of the form's own mail address, while there is no other.
fn own_mail(around: &Around<'_>, shape: &Shape) -> Markup {
    let has_any = rows(shape, "contacts", around.fields, around.org.channels()).iter().any(|row| row.contains_key(ADDRESS));
    let asks_for_mail = around.kind.field(OWN_MAIL).is_some();
    html! {
        @if asks_for_mail && (!has_any || around.fields.contains_key(OWN)) {
            label class="check" {
                input type="checkbox" name=(OWN) value="1" checked[around.fields.contains_key(OWN)];
                span { "Page them at the mail address above" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever is named first is on call at once, whatever the day is on which the form is filled in.
    #[test]
    fn a_fresh_layer_starts_at_the_last_hand_off() {
        for (now, zone, monday) in [
            ("2026-11-30T07:59:59Z", "Europe/Madrid", "2026-11-23"),
            ("2026-11-30T08:00:00Z", "Europe/Madrid", "2026-11-30"),
            ("2026-11-30T23:30:00Z", "Europe/Madrid", "2026-11-30"),
            ("2026-12-06T22:59:00Z", "Europe/Madrid", "2026-11-30"),
            ("2026-12-06T23:01:00Z", "Europe/Madrid", "2026-11-30"),
            ("2026-12-02T12:00:00Z", "Pacific/Kiritimati", "2026-11-30"),
            ("2026-11-30T02:00:00Z", "America/New_York", "2026-11-23"),
        ] {
            assert_eq!(said(THIS_MONDAY, &When::new(now.parse().unwrap(), Some(zone))), monday, "{now} {zone}");
        }
    }
}
