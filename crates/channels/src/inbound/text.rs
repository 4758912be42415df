//! Limits and cleaning that every way in shares.
//!
//! What passes a limit is cut or left out and named ([`Notes`]), never a reason to lose the alarm.

use allclear_domain::hex::hex;
use allclear_domain::time::{Length, after, whole_micros};
use allclear_domain::wire::{InboundRefusal, Labels, Link, Parsed, RefusedElement, Signal};
use jiff::Timestamp;
use jiff::civil;
use sha2::{Digest, Sha256};

use crate::inbound::lenient::{Loose, Mended};

pub use crate::inbound::clean::{
    ALERTS_MAX, DESCRIPTION_CHARS_MAX, LINK_BYTES_MAX, LINKS_MAX, TITLE_CHARS_MAX, clean, cleaned, cut, description, link, title,
};

/// What the clocks of two machines may differ by without a word: far more than those that are set over a network do.
const CLOCKS_DIFFER: Length = Length::from_mins(1);
/// Most labels of one alert: well above what real rules carry (Prometheus' own advice is below
/// 20), and low enough that matching stays cheap. Of more, [`FIRST_LABELS`] are kept and then the
/// first by name.
pub const LABELS_MAX: usize = 64;
/// Longest name of a label, in bytes. A label with a longer one is left out: cut, it would be
/// another.
pub const LABEL_NAME_BYTES_MAX: usize = 256;
/// Longest value of a label, in bytes. Longer ones are cut.
pub const LABEL_VALUE_BYTES_MAX: usize = 4096;
/// Most labels of one alert that are read at all: what names the condition is made from these.
pub const LABELS_READ_MAX: usize = 4096;
/// What routes go by most: kept before all others where an alert has too many labels.
pub const FIRST_LABELS: [&str; 16] = [
    "alertname",
    "severity",
    "service",
    "team",
    "job",
    "instance",
    "cluster",
    "namespace",
    "environment",
    "env",
    "region",
    "source",
    "component",
    "host",
    "pod",
    "priority",
];
/// Most trifles that are named on one alert; more are counted.
pub const NOTES_MAX: usize = 10;
/// Instants before this one are a sender's zero or a clock that was never set: no monitor of today
/// is older.
const INSTANT_FIRST: Timestamp = Timestamp::constant(631_152_000, 0);
/// Instants further ahead than this are a sender's "never", or a slip of the unit.
pub const AHEAD_MAX: Length = Length::from_secs(366 * 86_400);
/// 0002-01-01T00:00:00Z. Go writes its zero time as year 1, and `amtool` sends that for "unset".
const YEAR_TWO_S: i64 = -62_104_060_800;
/// Largest body of the formats that carry many alerts at once, in bytes: ten thousand alerts of
/// 800 bytes, which is what rulers write of one.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest body of the formats of one event a request, in bytes: PagerDuty's own limit.
pub const EVENT_BYTES_MAX: usize = 512 * 1024;
/// Most reasons and notes named in one answer; ten thousand bad alerts need not make a book.
pub const REASONS_MAX: usize = 50;
/// Longest `dedup_key`, in bytes, where the format sets no lower limit. Longer ones are shortened, the
/// same always to the same.
pub const DEDUP_KEY_BYTES_MAX: usize = 512;
/// Trifles of one alert that were cut or left out, in words, bounded.
#[derive(Debug, Default)]
pub struct Notes {
    list: Vec<String>,
    more: usize,
}

impl Notes {
    /// One more.
    pub fn add(&mut self, note: impl Into<String>) {
        if self.list.len() < NOTES_MAX {
            self.list.push(note.into());
        } else {
            self.more += 1;
        }
    }

    /// Those of a part.
    pub fn join(&mut self, part: Self) {
        self.more += part.more;
        part.list.into_iter().for_each(|note| self.add(note));
    }

    /// All, as they are kept and answered.
    #[must_use]
    pub fn into_list(mut self) -> Vec<String> {
        if self.more > 0 {
            self.list.push(format!("and {} more", self.more));
        }
        self.list
    }
}

/// Puts one more alert to those of a request, its trifles to those that are answered.
pub fn keep(parsed: &mut Parsed, at: Option<usize>, signal: Signal) {
    for note in &signal.notes {
        if parsed.notes.len() >= REASONS_MAX {
            break;
        }
        parsed.notes.push(at.map_or_else(|| note.clone(), |at| format!("alert {}: {note}", at + 1)));
    }
    parsed.signals.push(signal);
}

/// Names what of the whole body was mended: on the alerts in whose texts it can be seen, and where it
/// cannot be seen, on all, since it may be any.
pub fn name_mended(parsed: &mut Parsed, mended: Option<&Mended>) {
    let Some(mended) = mended else { return };
    let is_seen = |signal: &Signal| {
        let texts = signal.labels.iter().chain(&signal.annotations).flat_map(|(name, value)| [name, value]);
        texts.chain([&signal.title, &signal.dedup_key]).chain(&signal.description).any(|text| text.contains('\u{fffd}'))
    };
    let some_show_it = parsed.signals.iter().any(is_seen);
    for note in &mended.notes {
        for signal in parsed.signals.iter_mut().filter(|signal| !some_show_it || is_seen(signal)) {
            signal.notes.push((*note).to_owned());
        }
        parsed.notes.push((*note).to_owned());
    }
}

/// # Errors
/// Where one request has more alerts than it may.
pub fn check_count(count: usize) -> Result<(), InboundRefusal> {
    if count <= ALERTS_MAX {
        return Ok(());
    }
    Err(InboundRefusal::TooMany(format!("{count} alerts in one request; send at most {ALERTS_MAX}")))
}

/// The first reasons for which elements were refused, and how many more there are.
#[must_use]
pub fn first_reasons(refused: &[RefusedElement]) -> Vec<String> {
    let mut reasons: Vec<String> = refused.iter().take(REASONS_MAX).map(ToString::to_string).collect();
    if refused.len() > REASONS_MAX {
        reasons.push(format!("and {} more", refused.len() - REASONS_MAX));
    }
    reasons
}

/// At most `bytes_max` bytes of the text, whole characters.
fn cut_bytes(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A title, its cut named. What was cut off is not lost where there is no description: it is
/// the description then.
#[must_use]
pub fn title_and_rest(said: &str, description: Option<String>, notes: &mut Notes) -> (String, Option<String>) {
    let cut_title = title(said);
    if said.len() <= TITLE_CHARS_MAX || clean(said).trim().chars().count() <= TITLE_CHARS_MAX {
        return (cut_title, description);
    }
    notes.add(format!("the title was cut to {TITLE_CHARS_MAX} characters"));
    let description = description.or_else(|| described(said, "the title", notes));
    (cut_title, description)
}

/// A description, its cut named.
#[must_use]
pub fn described(said: &str, what: &str, notes: &mut Notes) -> Option<String> {
    let kept = description(said)?;
    if said.len() > DESCRIPTION_CHARS_MAX && clean(said).trim().chars().count() > DESCRIPTION_CHARS_MAX {
        notes.add(format!("{what} was cut to {DESCRIPTION_CHARS_MAX} characters"));
    }
    Some(kept)
}

/// A label as it came, cleaned: empty ones do not exist. An object or a list is kept as its JSON.
pub fn read_label(labels: &mut Labels, name: &str, value: &Loose<'_>, notes: &mut Notes) {
    let (name, text) = (clean(name), clean(&value.text));
    if let Some(wrong) = value.wrong {
        let kept = if text.is_empty() { "left out" } else { "kept as text" };
        notes.add(format!("the value of `{}` is {wrong} and was {kept}", cut(&name, 64)));
    }
    if text.is_empty() {
        labels.remove(name.as_ref());
    } else if labels.len() < LABELS_READ_MAX || labels.contains_key(name.as_ref()) {
        labels.insert(name.into_owned(), text.into_owned());
    } else {
        notes.add(format!("`{}` was not read: it comes after {LABELS_READ_MAX} others", cut(&name, 64)));
    }
}

/// The labels within their limits; what was cut or left out is named.
#[must_use]
pub fn fitted_labels(mut labels: Labels, notes: &mut Notes) -> Labels {
    let fits = |name: &str, value: &str| !name.is_empty() && name.len() <= LABEL_NAME_BYTES_MAX && value.len() <= LABEL_VALUE_BYTES_MAX;
    if labels.len() <= LABELS_MAX && labels.iter().all(|(name, value)| fits(name, value)) {
        return labels;
    }
    labels.retain(|name, value| {
        if name.is_empty() {
            notes.add("a label without a name was left out");
            return false;
        }
        if name.len() > LABEL_NAME_BYTES_MAX {
            notes.add(format!("the label `{}…` was left out: its name is longer than {LABEL_NAME_BYTES_MAX} bytes", cut(name, 40)));
            return false;
        }
        if value.len() > LABEL_VALUE_BYTES_MAX {
            notes.add(format!("the value of the label `{}` was cut to {LABEL_VALUE_BYTES_MAX} bytes of {}", cut(name, 64), value.len()));
            value.truncate(cut_bytes(value, LABEL_VALUE_BYTES_MAX).len());
        }
        true
    });
    let total = labels.len();
    if total > LABELS_MAX {
        let mut kept: Labels = FIRST_LABELS.iter().filter_map(|name| labels.remove_entry(*name)).collect();
        let room = LABELS_MAX - kept.len();
        let mut rest = labels.into_iter();
        kept.extend(rest.by_ref().take(room));
        let left: Vec<String> = rest.by_ref().take(LEFT_OUT_SHOWN).map(|(name, _)| format!("`{}`", cut(&name, 64))).collect();
        let more = rest.count();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.add(format!("of {total} labels {LABELS_MAX} were kept; left out: {}{more}", left.join(", ")));
        return kept;
    }
    labels
}

/// How many of the labels that were left out are named.
const LEFT_OUT_SHOWN: usize = 5;

/// What is shown and not matched, within its limits; what was cut or left out is named.
#[must_use]
pub fn fitted_annotations(mut annotations: Labels, notes: &mut Notes) -> Labels {
    annotations.retain(|name, value| {
        if name.is_empty() || name.len() > LABEL_NAME_BYTES_MAX {
            notes.add(format!(
                "the annotation `{}` was left out: its name is empty or longer than {LABEL_NAME_BYTES_MAX} bytes",
                cut(name, 40)
            ));
            return false;
        }
        let end = cut(value, DESCRIPTION_CHARS_MAX).len();
        if end < value.len() {
            notes.add(format!("the annotation `{}` was cut to {DESCRIPTION_CHARS_MAX} characters", cut(name, 64)));
            value.truncate(end);
        }
        true
    });
    if annotations.len() <= LABELS_MAX {
        return annotations;
    }
    notes.add(format!("of {} annotations the first {LABELS_MAX} by name were kept", annotations.len()));
    annotations.into_iter().take(LABELS_MAX).collect()
}

/// A name of a condition within `bytes_max`: a longer one is cut, and told apart by a digest of all of
/// it, so that the same name is always shortened to the same.
#[must_use]
pub fn key_within(key: &str, bytes_max: usize, notes: &mut Notes) -> String {
    if key.len() <= bytes_max {
        return key.to_owned();
    }
    notes.add(format!("dedup_key was shortened: it is longer than {bytes_max} bytes"));
    // 128 bits: chance collisions are out of reach within one integration.
    let digest = Sha256::digest(key.as_bytes());
    let digest = format!("~{}", hex(&digest[..16]));
    format!("{}{digest}", cut_bytes(key, bytes_max - digest.len()))
}

/// The name that a sender gives a condition; of an object or a list, its JSON.
#[must_use]
pub fn said_key(said: &Loose<'_>, bytes_max: usize, notes: &mut Notes) -> Option<String> {
    note_wrong(said, "dedup_key", notes);
    let key = clean(said.text.trim());
    (!key.is_empty()).then(|| key_within(&key, bytes_max, notes))
}

/// Names a field that is no scalar and was kept as text. Null says that there is none, as many write.
pub fn note_wrong(said: &Loose<'_>, field: &str, notes: &mut Notes) {
    if let Some(wrong) = said.wrong.filter(|_| !said.text.is_empty()) {
        notes.add(format!("{field} is {wrong} and was kept as text"));
    }
}

/// What a sender says of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing: the empty text, null, or year 1 (Go's zero).
    Unset,
    /// Something that is no time.
    Unreadable,
    /// A time before any monitor of today.
    LongAgo,
    /// A time that no plan reaches, such as the year 9999.
    FarAhead,
    /// A time.
    At(Timestamp),
}

/// Reads an instant, and judges whether it is near enough to mean something.
#[must_use]
pub fn said_instant(said: &Loose<'_>, now: Timestamp) -> Said {
    /// From this year on, also where no calendar reaches it, a time is a sender's "never".
    const NEVER_YEAR: u32 = 9999;
    let text = said.text.trim();
    match instant(text) {
        _ if text.is_empty() => Said::Unset,
        Some(at) if at.as_second() < YEAR_TWO_S => Said::Unset,
        Some(at) if at < INSTANT_FIRST => Said::LongAgo,
        Some(at) if at > after(now, AHEAD_MAX) => Said::FarAhead,
        Some(at) => Said::At(at),
        None => {
            let year = text.split_once('-').and_then(|(year, _)| year.parse::<u32>().ok());
            if year.is_some_and(|year| year >= NEVER_YEAR) { Said::FarAhead } else { Said::Unreadable }
        }
    }
}

/// An instant of a sender, if it can be read and is near enough to mean something; otherwise it is
/// named.
#[must_use]
pub fn near_instant(said: &Loose<'_>, field: &str, now: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
    let shown = || clean(cut(said.text.trim(), 64)).into_owned();
    match said_instant(said, now) {
        Said::At(at) => return Some(at),
        Said::Unset => {}
        Said::Unreadable => notes.add(format!("{field} `{}` is not a time that can be read, and was left out", shown())),
        Said::LongAgo | Said::FarAhead => notes.add(format!("{field} `{}` is too far from now, and was left out", shown())),
    }
    None
}

/// When something began, as a sender says: one that is still to come is the sender's clock, and counts from now. A little ahead
/// is what any two clocks differ by, and is not named.
#[must_use]
pub fn began(said: &Loose<'_>, field: &str, now: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
    let at = near_instant(said, field, now, notes)?;
    if at > after(now, CLOCKS_DIFFER) {
        notes.add(format!("{field} `{}` is still to come: it counts from its arrival", clean(cut(said.text.trim(), 64))));
    }
    Some(at.min(now))
}

/// Links that lead nowhere stay as text, among what is shown; what is no link any more is named.
pub fn keep_bad_links(bad: Vec<String>, annotations: &mut Labels, notes: &mut Notes) {
    for (at, text) in bad.into_iter().take(LINKS_MAX).enumerate() {
        let name = if at == 0 { "link".to_owned() } else { format!("link {}", at + 1) };
        let text = clean(text.trim());
        notes.add(format!("`{}` is no address of the web, and is shown as text", cut(&text, 64)));
        annotations.entry(name).or_insert_with(|| cut(&text, LINK_BYTES_MAX).to_owned());
    }
}

/// A link, or else a note that it stays text.
#[must_use]
pub fn link_or_note(href: &str, caption: &str, what: &str, notes: &mut Notes) -> Option<Link> {
    let found = link(href, caption);
    if found.is_none() && !href.trim().is_empty() {
        notes.add(format!("{what} `{}` is no address of the web, and is shown as text", clean(cut(href.trim(), 64))));
    }
    found
}

/// Reads an instant as senders write it: RFC 3339, an offset without colon (`+0000`), or civil
/// time without an offset, which is then taken as UTC. `None` when it is none of these.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
        .or_else(|| text.parse::<civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp()))?;
    Some(whole_micros(at))
}

/// The body without a byte order mark, which JSON forbids and some Windows senders write.
#[must_use]
pub fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn control_characters_go_and_unicode_stays() {
        assert_eq!(clean("a\0b\x1b[31mc\r\nd\te"), "ab[31mc\nd\te");
        assert!(matches!(clean("héllo 🔥 👩\u{200d}🚒 – ‘x’"), Cow::Borrowed(_)));
        assert_eq!(clean("pay\u{202e}gnp.exe \u{2066}x\u{2069}\u{200e}\u{200f}\u{61c}\u{9b}31m\u{7f}"), "paygnp.exe x31m");
        assert_eq!(title("  one\r\n\r\n two\t three "), "one two three");
        assert_eq!(title(&"é".repeat(2000)).chars().count(), TITLE_CHARS_MAX);
        assert_eq!(cut("🔥🔥🔥", 2), "🔥🔥");
        assert_eq!(description(" \0 "), None);
    }

    #[test]
    fn of_too_many_labels_those_that_routes_go_by_are_kept() {
        let mut notes = Notes::default();
        let mut labels: Labels = (0..70).map(|n| (format!("a{n:02}"), "v".to_owned())).collect();
        labels.insert("severity".into(), "critical".into());
        labels.insert("team".into(), "é".repeat(3000));
        labels.insert("n".repeat(257), "v".into());
        let kept = fitted_labels(labels, &mut notes);
        assert_eq!((kept.len(), kept["team"].len(), kept["severity"].as_str()), (LABELS_MAX, LABEL_VALUE_BYTES_MAX, "critical"));
        assert!(kept.contains_key("a61") && !kept.contains_key("a62"));
        let notes = notes.into_list();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[2].contains("of 72 labels 64 were kept; left out: `a62`"), "{notes:?}");
    }

    #[test]
    fn a_long_key_is_always_shortened_to_the_same() {
        let mut notes = Notes::default();
        let (one, two) = ("é".repeat(300) + "1", "é".repeat(300) + "2");
        let short = key_within(&one, 512, &mut notes);
        assert!(short.len() <= 512 && short == key_within(&one, 512, &mut notes) && short != key_within(&two, 512, &mut notes));
        assert_eq!(key_within("k", 512, &mut Notes::default()), "k");
    }

    #[test]
    fn instants_that_mean_nothing_are_left_out_and_named() {
        let now: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
        let read = |text: &str| {
            let mut notes = Notes::default();
            let at = near_instant(&Loose { text: text.into(), wrong: None }, "startsAt", now, &mut notes);
            (at.is_some(), notes.into_list().len())
        };
        assert_eq!(read("2026-11-21T03:00:00Z"), (true, 0));
        assert_eq!(read("2027-11-01T03:00:00Z"), (true, 0));
        for unset in ["", " ", "0001-01-01T00:00:00Z"] {
            assert_eq!(read(unset), (false, 0), "{unset}");
        }
        for bad in ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "tomorrow", "{}", "99999-01-01T00:00:00Z"] {
            assert_eq!(read(bad), (false, 1), "{bad}");
        }
    }

    #[test]
    fn links_lead_to_the_web_only() {
        assert!(link("https://rb.example/disk?a=b#c", "Runbook").is_some());
        assert!(link("HTTP://rb.example", "").is_some());
        for bad in ["javascript:alert(1)", "https://", "ftp://x", "data:text/html,x", "http://a\nb", "http://a b", "é://x", ""] {
            assert!(link(bad, "").is_none(), "{bad}");
        }
        assert!(link(&format!("https://x/{}", "a".repeat(LINK_BYTES_MAX)), "").is_none());
    }

    #[test]
    fn instants_as_senders_write_them() {
        let want: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
        for text in [
            "2026-11-21T03:00:00Z",
            "2026-11-21T03:00:00.000+0000",
            "2026-11-21T04:00:00+01:00",
            "2026-11-21T04:00:00+0100",
            "2026-11-21T03:00:00",
            "2026-11-21 03:00:00",
        ] {
            assert_eq!(instant(text), Some(want), "{text}");
        }
        assert_eq!(instant("0001-01-01T00:00:00.000Z").map(Timestamp::as_second), Some(-62_135_596_800));
        for text in ["", "yesterday", "2026-13-40T00:00:00Z", "1795230000"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
