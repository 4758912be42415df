//! What a message says, in words, once for all channels: a subject, what each notice is about in pairs of a name and a
//! value, its button, its page. A channel fits that into its own format and limits.
//!
//! Text from outside is one clean line here, or prose of clean lines; escaping is each channel's own.

use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::wire::{About, CODE_LIFE, Message, Notice, NoticeKind, WRITTEN_OUT_MAX};
use jiff::Timestamp;

use crate::inbound::text;

/// Longest title within the text, in characters.
const TITLE_CHARS_MAX: usize = 500;
/// Longest line of an update, in characters: an update itself has fewer.
const UPDATE_LINE_CHARS_MAX: usize = 5_000;
/// Longest description of an alarm within a mail, in characters, and longest value of a label.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
const LABEL_CHARS_MAX: usize = 300;
/// Labels written out; the incident's page has them all.
const LABELS_MAX: usize = 20;
/// Longest reason of a page within a subject, and within the text, in characters.
const BECAUSE_SUBJECT_CHARS_MAX: usize = 90;
const BECAUSE_CHARS_MAX: usize = 1_000;
/// Most characters of a code.
const CODE_CHARS_MAX: usize = 16;
/// What a message says of a code, in this order.
const CODE_LINES: [&str; 4] = ["Code", "Good until", "Why", "Not you?"];
/// Names of others who are asked.
const ALSO_TOLD_MAX: usize = 10;

/// What stands where a severity would: a drill has none.
const DRILL_SEVERITY: &str = "DRILL";
/// What a drill says of itself.
pub(crate) const DRILL_SAYS: &str = "This is a fire drill. Nothing is wrong. Acknowledge it to prove that you are reached.";

/// What a message with a code is called.
const CODE_TITLE: &str = "A code, to prove that this contact is yours";

/// Stands at the end of what was cut.
const CUT: &str = "…";

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line: how bad, and what; of several notices, how many and the worst.
    pub subject: String,
    /// Whether an earlier try may have arrived.
    pub in_doubt: bool,
    /// Notices in all.
    pub many: usize,
    /// Those that are written out, the worst first.
    pub parts: Vec<Part>,
    /// How many are not.
    pub more: usize,
    /// Where all of them are seen and acknowledged; absent where there is one, or nothing to acknowledge.
    pub all: Option<String>,
}

/// One notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `INC-142`
    pub reference: String,
    /// The incident's.
    pub title: String,
    /// `SEV1`
    pub severity: String,
    /// Pairs of a name and a value; a value may have several lines.
    pub lines: Vec<(&'static str, String)>,
    /// What it asks for.
    pub button: Option<Button>,
    /// The incident's page.
    pub page: Option<String>,
}

/// What can be pressed: a POST without a body does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it does, for people.
    pub label: &'static str,
    /// Where to.
    pub href: String,
}

/// How loud a message is on a phone, where its channel can say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// Without a sound: it only tells.
    Quiet,
    /// As any other message.
    Normal,
    /// Somebody is looked for who is to be woken.
    High,
    /// The same of the worst severity.
    Alarm,
}

impl Loudness {
    /// How loud a message is: as its worst notice, which comes first.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let Some(worst) = message.notices.first() else { return Self::Quiet };
        match (worst.kind, message.urgency) {
            (NoticeKind::Page, NotifyUrgency::High) if worst.incident.severity == "sev1" => Self::Alarm,
            // A drill rings as what it practises.
            (NoticeKind::Page | NoticeKind::StillOnIt | NoticeKind::ConfirmRecovery | NoticeKind::Drill, NotifyUrgency::High) => Self::High,
            (NoticeKind::Page | NoticeKind::StillOnIt | NoticeKind::ConfirmRecovery | NoticeKind::Drill, NotifyUrgency::Low) => {
                Self::Normal
            }
            (NoticeKind::Request | NoticeKind::Code | NoticeKind::Readiness | NoticeKind::Note | NoticeKind::Shift, _) => Self::Normal,
            (NoticeKind::Reminder | NoticeKind::Update | NoticeKind::Over | NoticeKind::Step, _) => Self::Quiet,
        }
    }
}

impl Words {
    /// The words of a message, with a subject of so many characters; nothing where it has no notice.
    #[must_use]
    pub fn of(message: &Message, subject_chars_max: usize) -> Option<Self> {
        let worst = worst(message)?;
        let part = |(index, notice): (usize, &Notice)| Part {
            reference: one_line(&notice.incident.reference, 32),
            title: if notice.kind == NoticeKind::Code { CODE_TITLE.to_owned() } else { one_line(&notice.incident.title, TITLE_CHARS_MAX) },
            severity: if notice.kind == NoticeKind::Drill { DRILL_SEVERITY.to_owned() } else { severity_of(notice) },
            lines: lines_of(message, notice, message.about.as_ref().filter(|_| index == 0)),
            button: link_at(&message.ack_urls, index).zip(asked_for(notice.kind)).map(|(href, label)| Button { label, href }),
            page: link_at(&message.incident_urls, index),
        };
        Some(Self {
            subject: subject_of(message, worst, subject_chars_max),
            in_doubt: message.in_doubt,
            many: message.notices.len(),
            parts: message.notices.iter().take(WRITTEN_OUT_MAX).enumerate().map(part).collect(),
            more: message.notices.len().saturating_sub(WRITTEN_OUT_MAX),
            all: all_link(message),
        })
    }

    /// The same as plain text of so many bytes: of one notice everything, of several a line each. What does not fit is
    /// cut at its end.
    #[must_use]
    pub fn short(&self, bytes_max: usize) -> String {
        let mut out = String::new();
        if self.in_doubt {
            out.push_str("You may have received this before.\n");
        }
        match self.parts.as_slice() {
            [one] if self.many == 1 => {
                for (name, value) in &one.lines {
                    out.push_str(&format!("{name}: {value}\n"));
                }
            }
            several => {
                for part in several {
                    out.push_str(&format!("{} [{}] {}\n", part.reference, part.severity, part.title));
                }
                if self.more > 0 {
                    out.push_str(&format!("And {} more.\n", self.more));
                }
            }
        }
        cut_bytes(out.trim_end(), bytes_max)
    }

    /// The same, with a line for each of [`Self::links`] beneath it. A link is whole or not there: what is cut is the text.
    #[must_use]
    pub fn short_with_links(&self, bytes_max: usize) -> String {
        let mut beneath = String::new();
        for link in self.links() {
            let line = format!("\n{}: {}", link.label, link.href);
            if beneath.len() + line.len() <= bytes_max {
                beneath.push_str(&line);
            }
        }
        let room = bytes_max - beneath.len();
        let text = if room < CUT.len() { String::new() } else { self.short(room) };
        format!("{text}{beneath}").trim_start().to_owned()
    }

    /// What can be followed, where nothing can be pressed: the button's link, whose page has the button, and where one reads
    /// on; each address once.
    #[must_use]
    pub fn links(&self) -> Vec<Button> {
        let open = self.page().map(|href| Button { label: "Open", href: href.to_owned() });
        let mut links: Vec<Button> = self.button().into_iter().chain(open).collect();
        links.dedup_by(|later, first| later.href == first.href);
        links
    }

    /// What can be pressed: for all notices where there is such a link, else for the one.
    #[must_use]
    pub fn button(&self) -> Option<Button> {
        match (&self.all, self.parts.as_slice()) {
            (Some(href), _) => Some(Button { label: "Acknowledge all", href: href.clone() }),
            (None, [one]) => one.button.clone(),
            (None, _) => None,
        }
    }

    /// Where one reads on: all notices, or the first one's incident.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        self.all.as_deref().or_else(|| self.parts.first()?.page.as_deref())
    }
}

/// What a message is called that is shown as done where it went.
pub(super) fn retired_title(notice: &Notice, several: bool) -> String {
    let incident = &notice.incident;
    let more = if several { " and others" } else { "" };
    if notice.kind == NoticeKind::Drill {
        return incident.title.clone();
    }
    format!("[{}] {} {}{more}", incident.severity.to_uppercase(), incident.reference, incident.title)
}

/// One notice in one line, as a list of messages shows it.
#[must_use]
pub fn one_line_of(notice: &Notice) -> String {
    let incident = &notice.incident;
    let again = if notice.round > 1 { format!(", round {}", notice.round) } else { String::new() };
    let what = match (notice.kind, &notice.text) {
        (NoticeKind::Page, _) => {
            let because = notice.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
            format!(" (step {}{again}){because}", notice.step)
        }
        (NoticeKind::Drill, _) => return format!("{}, level {}", incident.title, notice.step),
        (NoticeKind::ConfirmRecovery, _) => ": all its alerts have recovered. Is it over?".to_owned(),
        // Of its incident an organisation may not be told what it is.
        (NoticeKind::Request | NoticeKind::Readiness | NoticeKind::Note | NoticeKind::Shift, text) => {
            return format!("{}: {}", incident.reference, text.as_deref().unwrap_or_default());
        }
        // What it says is for whoever holds the contact, and for no list.
        (NoticeKind::Code, _) => return CODE_TITLE.to_owned(),
        (NoticeKind::StillOnIt | NoticeKind::Reminder | NoticeKind::Update | NoticeKind::Over | NoticeKind::Step, text) => {
            text.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
        }
    };
    format!("{} [{}] {}{what}", incident.reference, incident.severity, incident.title)
}

/// What is told, where it does not fit whole: its first characters, and where the whole stands.
#[must_use]
pub fn beginning(whole: &str, chars_max: usize, url: &str) -> Option<String> {
    let start = text::cut(whole, chars_max);
    (start.len() < whole.len()).then(|| format!("{start}… The whole text: {url}"))
}

/// At most so many bytes, whole characters.
pub(crate) fn cut_bytes(given: &str, bytes_max: usize) -> String {
    if given.len() <= bytes_max {
        return given.to_owned();
    }
    let mut end = bytes_max.saturating_sub(CUT.len());
    while !given.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{CUT}", &given[..end])
}

/// One line without characters that break lines, steer terminals or turn the direction of text.
pub(crate) fn one_line(given: &str, chars_max: usize) -> String {
    let cleaned: String = given
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}'))
        .collect();
    let mut line = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = text::cut(&line, chars_max).len();
    if end < line.len() {
        line.truncate(text::cut(&line, chars_max.saturating_sub(1)).len());
        line.push('…');
    }
    line
}

fn severity_of(notice: &Notice) -> String {
    one_line(&notice.incident.severity.to_uppercase(), 16)
}

/// The notice with the worst severity; `sev1` sorts before `sev2`.
fn worst(message: &Message) -> Option<&Notice> {
    message.notices.iter().min_by(|a, b| a.incident.severity.cmp(&b.incident.severity))
}

fn subject_of(message: &Message, worst: &Notice, chars_max: usize) -> String {
    let late = if message.notices.iter().any(|notice| notice.late) { "LATE: " } else { "" };
    let severity = severity_of(worst);
    let incident = &worst.incident;
    let subject = match message.notices.len() {
        1 if worst.kind == NoticeKind::ConfirmRecovery => format!("Is it over? {} {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::StillOnIt => format!("Still on it? {} {}", incident.reference, incident.title),
        // Its title begins with the word, so that it stands first wherever it is cut.
        1 if worst.kind == NoticeKind::Drill => incident.title.clone(),
        1 if worst.kind == NoticeKind::Update => format!("Update on {}: {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::Code => format!("{} is your code for All Clear", code_of(worst)),
        1 if worst.kind == NoticeKind::Over => format!("Over: {} {}", incident.reference, incident.title),
        1 if matches!(
            worst.kind,
            NoticeKind::Reminder | NoticeKind::Request | NoticeKind::Readiness | NoticeKind::Note | NoticeKind::Shift
        ) =>
        {
            format!("{}: {}", incident.reference, worst.text.as_deref().unwrap_or(&incident.title))
        }
        1 => {
            let because = worst.because.as_deref().map(|because| format!("{}: ", capital(&one_line(because, BECAUSE_SUBJECT_CHARS_MAX))));
            format!("{late}{}[{severity}] {} {}", because.unwrap_or_default(), incident.reference, incident.title)
        }
        many if message.notices.iter().all(|notice| notice.kind.tells()) => {
            format!("{many} messages: {} {} and others", incident.reference, incident.title)
        }
        many => format!("{late}[{severity}] {many} incidents, worst {} {}", incident.reference, incident.title),
    };
    one_line(&subject, chars_max)
}

/// As a sentence begins.
fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The code that a message carries, as it is typed.
pub(crate) fn code_of(notice: &Notice) -> String {
    one_line(notice.text.as_deref().unwrap_or_default(), CODE_CHARS_MAX)
}

/// A code, until when it works, and what whoever did not ask for it does.
fn lines_of_code(message: &Message, notice: &Notice) -> Vec<(&'static str, String)> {
    let zone = message.names.time_zone.as_deref().unwrap_or("UTC");
    let until = allclear_domain::time::after(message.created_at, CODE_LIFE);
    let asked = notice.because.as_deref().unwrap_or("somebody asked for it");
    vec![
        (CODE_LINES[0], code_of(notice)),
        (CODE_LINES[1], local(until, zone)),
        (CODE_LINES[2], format!("{}, to prove that this contact is theirs", capital(&one_line(asked, BECAUSE_CHARS_MAX)))),
        (CODE_LINES[3], "Do nothing: without the code nothing is sent here again.".to_owned()),
    ]
}

/// What a drill asks for, before all else that it is one.
fn lines_of_drill(message: &Message, notice: &Notice) -> Vec<(&'static str, String)> {
    let person = message.names.person.as_deref().unwrap_or(&notice.person);
    let zone = message.names.time_zone.as_deref().unwrap_or("UTC");
    vec![
        ("Drill", DRILL_SAYS.to_owned()),
        ("Asked", format!("{}, {}", one_line(person, 100), local(message.created_at, zone))),
        ("Level", notice.step.to_string()),
    ]
}

/// Prose with its lines kept, each clean.
fn prose(text: &str) -> String {
    text.lines().map(|line| one_line(line, UPDATE_LINE_CHARS_MAX)).collect::<Vec<_>>().join("\n")
}

/// An instant as the reader's clock shows it, zone named.
fn local(at: Timestamp, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Names with commas between, at most [`ALSO_TOLD_MAX`], and how many more.
fn named(people: &[String]) -> String {
    let mut names: Vec<String> = people.iter().take(ALSO_TOLD_MAX).map(|name| one_line(name, 100)).collect();
    let more = people.len().saturating_sub(ALSO_TOLD_MAX);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What the alarm says and who is asked.
fn lines_about(about: &About) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(answer_by) = about.answer_by {
        let after = match about.then_asked.as_slice() {
            [] => "after that nobody is left to ask".to_owned(),
            [one] => format!("then {} is asked", one_line(one, 100)),
            several => format!("then {} are asked", named(several)),
        };
        lines.push(("Answer by", format!("{}, {after}", local(answer_by, &about.time_zone))));
    }
    if !about.also_told.is_empty() {
        lines.push(("Also asked", named(&about.also_told)));
    }
    if let Some(description) = &about.description {
        let cut = text::cut(description, DESCRIPTION_CHARS_MAX);
        let rest = if cut.len() < description.len() { "… The rest is on the incident's page." } else { "" };
        lines.push(("It says", format!("{}{rest}", prose(cut))));
    }
    if let Some(source) = &about.source {
        lines.push(("Source", one_line(source, LABEL_CHARS_MAX)));
    }
    for link in &about.links {
        if let Some(link) = text::link(&link.href, &link.text) {
            let name = if link.text.is_empty() { "link".to_owned() } else { one_line(&link.text, 60) };
            lines.push(("Link", format!("{name}: {}", link.href)));
        }
    }
    for (name, value) in about.labels.iter().take(LABELS_MAX) {
        lines.push(("Label", format!("{} = {}", one_line(name, 100), one_line(value, LABEL_CHARS_MAX))));
    }
    lines
}

/// One notice, as pairs of a name and a value that both bodies are made of.
fn lines_of(message: &Message, notice: &Notice, about: Option<&About>) -> Vec<(&'static str, String)> {
    if notice.kind == NoticeKind::Code {
        return lines_of_code(message, notice);
    }
    if notice.kind == NoticeKind::Drill {
        return lines_of_drill(message, notice);
    }
    let because = notice.because.as_deref().map(|because| ("Why", capital(&one_line(because, BECAUSE_CHARS_MAX))));
    let severity = (!notice.incident.severity.is_empty()).then(|| ("Severity", severity_of(notice)));
    let mut lines: Vec<_> = because.into_iter().chain(severity).collect();
    if let Some(text) = &notice.text {
        let name = match notice.kind {
            NoticeKind::Update => "Update",
            NoticeKind::StillOnIt => "Question",
            NoticeKind::Over => "Over",
            NoticeKind::Request => "Request",
            NoticeKind::Step => "Step",
            NoticeKind::Readiness => "Readiness",
            NoticeKind::Note => "Note",
            NoticeKind::Shift => "Shift",
            NoticeKind::Page | NoticeKind::ConfirmRecovery | NoticeKind::Reminder | NoticeKind::Code | NoticeKind::Drill => "Reminder",
        };
        lines.push((name, prose(text)));
        if let Some(service) = &notice.incident.service {
            lines.push(("Service", one_line(message.names.service(service), 200)));
        }
        return lines;
    }
    if notice.kind == NoticeKind::ConfirmRecovery {
        lines.push(("Question", "all its alerts have recovered: is it over? Resolve it, or say what is left.".to_owned()));
    }
    if let Some(service) = &notice.incident.service {
        lines.push(("Service", one_line(message.names.service(service), 200)));
    }
    let person = message.names.person.as_deref().unwrap_or(&notice.person);
    let zone = message.names.time_zone.as_deref().unwrap_or("UTC");
    lines.push(("Paged", format!("{}, {}", one_line(person, 100), local(message.created_at, zone))));
    lines.push(("Step", format!("{}, round {}", notice.step, notice.round)));
    if notice.late {
        lines.push(("Late", "this page should have reached you earlier".to_owned()));
    }
    lines.extend(about.map(lines_about).unwrap_or_default());
    lines
}

/// What the link of a message does, where it does anything.
const fn asked_for(kind: NoticeKind) -> Option<&'static str> {
    match kind {
        NoticeKind::Page => Some("Acknowledge"),
        NoticeKind::Drill => Some("Acknowledge the drill"),
        NoticeKind::StillOnIt => Some("I am still on it"),
        NoticeKind::ConfirmRecovery
        | NoticeKind::Reminder
        | NoticeKind::Update
        | NoticeKind::Request
        | NoticeKind::Over
        | NoticeKind::Step
        | NoticeKind::Readiness
        | NoticeKind::Note
        | NoticeKind::Shift
        | NoticeKind::Code => None,
    }
}

fn link_at(urls: &[String], index: usize) -> Option<String> {
    Some(text::link(urls.get(index)?, "")?.href)
}

/// Where all pages of the message are seen and acknowledged.
fn all_link(message: &Message) -> Option<String> {
    Some(text::link(message.bundle_url.as_ref()?, "")?.href)
}

/// Least room that a text is cut to before a body is given up, in bytes.
const ROOM_MIN: usize = 64;

/// The JSON of a message whose text is cut until all of it fits: `write` makes it with so many bytes of text. What JSON writes as
/// several signs, and what a text becomes in a vendor's own form, nobody can count beforehand.
///
/// # Errors
/// Where it is too long without its text, or cannot be written.
pub(super) fn fitted(
    text_bytes_max: usize,
    body_bytes_max: usize,
    mut write: impl FnMut(usize) -> serde_json::Result<Vec<u8>>,
) -> Result<Vec<u8>, String> {
    let mut room = text_bytes_max;
    loop {
        let body = write(room).map_err(|_| "the message cannot be written as JSON".to_owned())?;
        if body.len() <= body_bytes_max {
            return Ok(body);
        }
        if room < ROOM_MIN {
            return Err(format!("the message is longer than {body_bytes_max} bytes without its text"));
        }
        room /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::webhook::tests::message;

    #[test]
    fn short_text_fits_whatever_it_says() {
        for (notices, title) in [(1, "Disk full"), (3, "é"), (40, "a title that is rather long as titles of machines are")] {
            let words = Words::of(&message(notices, title), 200).unwrap();
            for bytes_max in [8, 40, 41, 42, 4096] {
                assert!(words.short(bytes_max).len() <= bytes_max, "{notices} {bytes_max}");
            }
        }
        let words = Words::of(&message(1, "Disk full"), 200).unwrap();
        assert!(words.short(4096).starts_with("Severity: SEV2\nService: checkout\n"), "{}", words.short(4096));
        let many = Words::of(&message(40, "Disk full"), 200).unwrap();
        assert!(many.short(4096).ends_with("And 10 more."), "{}", many.short(4096));
        assert_eq!(cut_bytes("ééé", 5), "é…");
        assert!(Words::of(&message(0, ""), 200).is_none());
    }

    #[test]
    fn a_reason_of_its_own_stands_first() {
        let plain = Words::of(&message(1, "Disk full"), 200).unwrap();
        assert_eq!(plain.subject, "[SEV2] INC-142 Disk full", "an alarm speaks for itself");
        assert!(plain.short(4096).starts_with("Severity: "), "{}", plain.short(4096));
        let mut owed = message(1, "Disk full");
        owed.notices[0].because = Some("nobody has taken command".to_owned());
        let words = Words::of(&owed, 200).unwrap();
        assert_eq!(words.subject, "Nobody has taken command: [SEV2] INC-142 Disk full");
        assert!(words.short(4096).starts_with("Why: Nobody has taken command\nSeverity: SEV2\n"), "{}", words.short(4096));
        assert_eq!(one_line_of(&owed.notices[0]), "INC-142 [sev2] Disk full (step 1): nobody has taken command");
        owed.notices[0].because = Some("é".repeat(4_000));
        let words = Words::of(&owed, 200).unwrap();
        assert!(words.subject.contains("…: [SEV2] INC-142 Disk full"), "the incident is named all the same: {}", words.subject);
    }

    #[test]
    fn a_code_says_until_when_and_what_to_do_with_one_that_nobody_asked_for() {
        let mut code = message(1, "");
        code.notices[0].kind = NoticeKind::Code;
        code.notices[0].incident.severity.clear();
        code.notices[0].text = Some("048213".to_owned());
        code.notices[0].because = Some("Ana asked for it".to_owned());
        (code.ack_urls, code.incident_urls) = (Vec::new(), Vec::new());
        let words = Words::of(&code, 200).unwrap();
        assert_eq!(words.subject, "048213 is your code for All Clear");
        let text = words.short(4096);
        assert!(text.starts_with("Code: 048213\nGood until: 2026-11-21 03:15 UTC\nWhy: Ana asked for it, to prove"), "{text}");
        assert!(words.links().is_empty() && !one_line_of(&code.notices[0]).contains("048213"));
    }

    #[test]
    fn a_drill_says_first_that_it_is_one_however_short_the_form() {
        let mut drill = message(1, "DRILL of Payments: nothing is wrong");
        drill.notices[0].kind = NoticeKind::Drill;
        for in_doubt in [false, true] {
            drill.in_doubt = in_doubt;
            for chars_max in [12, 40, 200] {
                assert!(Words::of(&drill, chars_max).unwrap().subject.starts_with("DRILL of Pa"), "{chars_max}");
            }
            for chars_max in [160, 320, 1_600] {
                let text = crate::outbound::sms::text_of(&drill, chars_max, true).unwrap();
                assert!(text.starts_with("DRILL of Payments: nothing is wrong\n"), "{text}");
                assert!(!text.contains("SEV") && !text.contains("to take it"), "{text}");
            }
        }
        let words = Words::of(&drill, 200).unwrap();
        assert_eq!(words.button().map(|button| button.label), Some("Acknowledge the drill"));
        assert!(words.parts[0].lines[0].1.starts_with("This is a fire drill. Nothing is wrong."), "{words:?}");
        assert_eq!(words.parts[0].severity, "DRILL");
        assert!(retired_title(&drill.notices[0], false).starts_with("DRILL"));
        let page = Words::of(&message(1, "Disk full"), 200).unwrap();
        assert!(!page.subject.contains("DRILL") && page.parts[0].lines.iter().all(|(name, _)| *name != "Drill"));
    }

    #[test]
    fn links_beneath_a_text_are_whole_or_not_there() {
        let (ack, page) = ("\nAcknowledge: https://ac.example/a/tok0", "\nOpen: https://ac.example/incidents/INC-142");
        let one = Words::of(&message(1, &"🙂".repeat(10_000)), 200).unwrap();
        for bytes_max in 0..600 {
            let text = one.short_with_links(bytes_max);
            assert!(text.len() <= bytes_max, "{bytes_max}: {text}");
            assert!(!text.contains("https://") || text.contains(ack.trim_start()) || text.contains(page.trim_start()), "{text}");
        }
        assert!(one.short_with_links(600).ends_with(&format!("{ack}{page}")));
        let many = Words::of(&message(3, "x"), 200).unwrap();
        assert!(many.short_with_links(600).ends_with("\nAcknowledge all: https://ac.example/a/all"), "each address once");
        let mut over = message(1, "x");
        over.notices[0].kind = NoticeKind::Over;
        assert!(Words::of(&over, 200).unwrap().short_with_links(600).ends_with(page));
    }

    #[test]
    fn the_button_is_for_all_or_for_the_one_that_asks() {
        let button = |message: &Message| Words::of(message, 200).unwrap().button().map(|button| (button.label, button.href));
        assert_eq!(button(&message(1, "x")), Some(("Acknowledge", "https://ac.example/a/tok0".to_owned())));
        assert_eq!(button(&message(2, "x")), Some(("Acknowledge all", "https://ac.example/a/all".to_owned())));
        let mut over = message(1, "x");
        over.notices[0].kind = NoticeKind::Over;
        assert_eq!(button(&over), None, "nothing is asked");
        assert_eq!(Words::of(&over, 200).unwrap().page(), Some("https://ac.example/incidents/INC-142"));
    }
}
