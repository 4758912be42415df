//! The way out by mail: channel `email`.
//!
//! A short, calm text: what, how bad, which service, what the alarm says, where its runbook is, who is asked, until
//! when, where to acknowledge. The HTML twin says the same. Mails about one incident name it in `References`, so that
//! mail programs show them together. The acknowledging link only shows a page with a button, since programs
//! follow links in mails. `Message-ID` is the message's id, the same on every try, so that mail
//! programs and filters can drop a repetition.

use allclear_domain::ids::IncidentId;
use allclear_domain::wire::{About, Channel, Message, Notice, NoticeKind, Outcome, Request, Response, Target, WRITTEN_OUT_MAX};
use jiff::Timestamp;
use lettre::Address;

use crate::inbound::text;

/// Longest subject, in characters: what phones show of it, and room for the prefix.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Longest title within the text, in characters.
const TITLE_CHARS_MAX: usize = 500;
/// Longest line of an update, in characters: an update itself has fewer.
const UPDATE_LINE_CHARS_MAX: usize = 5_000;
/// Longest description of an alarm within a mail, in characters, and longest value of a label.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
const LABEL_CHARS_MAX: usize = 300;
/// Labels written out; the incident's page has them all.
const LABELS_MAX: usize = 20;
/// Names of others who are asked.
const ALSO_TOLD_MAX: usize = 10;

/// The channel.
#[derive(Debug, Clone)]
pub struct Email {
    host: String,
}

impl Email {
    /// Mails whose `Message-ID` ends in `@host`; what cannot stand in a host name is left out.
    #[must_use]
    pub fn new(host: &str) -> Self {
        let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        Self { host: if host.is_empty() { "localhost".to_owned() } else { host } }
    }
}

/// One line without characters that break lines, steer terminals or turn the direction of text.
fn one_line(given: &str, chars_max: usize) -> String {
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

fn subject_of(message: &Message, worst: &Notice) -> String {
    let late = if message.notices.iter().any(|notice| notice.late) { "LATE: " } else { "" };
    let severity = severity_of(worst);
    let incident = &worst.incident;
    let subject = match message.notices.len() {
        1 if worst.kind == NoticeKind::ConfirmRecovery => format!("Is it over? {} {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::StillOnIt => format!("Still on it? {} {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::Update => format!("Update on {}: {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::Over => format!("Over: {} {}", incident.reference, incident.title),
        1 if worst.kind == NoticeKind::Reminder => {
            format!("{}: {}", incident.reference, worst.text.as_deref().unwrap_or(&incident.title))
        }
        1 => format!("{late}[{severity}] {} {}", incident.reference, incident.title),
        many if message.notices.iter().all(|notice| notice.kind.tells()) => {
            format!("{many} messages: {} {} and others", incident.reference, incident.title)
        }
        many => format!("{late}[{severity}] {many} incidents, worst {} {}", incident.reference, incident.title),
    };
    one_line(&subject, SUBJECT_CHARS_MAX)
}

fn escaped(given: &str) -> String {
    let mut out = String::with_capacity(given.len());
    for c in given.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
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

/// What the alarm says and who is asked.
fn lines_about(about: &About) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(answer_by) = about.answer_by {
        lines.push(("Answer by", format!("{}, then others are asked", local(answer_by, &about.time_zone))));
    }
    if !about.also_told.is_empty() {
        let more = about.also_told.len().saturating_sub(ALSO_TOLD_MAX);
        let mut names: Vec<String> = about.also_told.iter().take(ALSO_TOLD_MAX).map(|name| one_line(name, 100)).collect();
        if more > 0 {
            names.push(format!("{more} more"));
        }
        lines.push(("Also asked", names.join(", ")));
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
    let mut lines = vec![("Severity", severity_of(notice))];
    if let Some(text) = &notice.text {
        let name = match notice.kind {
            NoticeKind::Update => "Update",
            NoticeKind::StillOnIt => "Question",
            NoticeKind::Over => "Over",
            NoticeKind::Page | NoticeKind::ConfirmRecovery | NoticeKind::Reminder => "Reminder",
        };
        lines.push((name, prose(text)));
        if let Some(service) = &notice.incident.service {
            lines.push(("Service", one_line(service, 200)));
        }
        return lines;
    }
    if notice.kind == NoticeKind::ConfirmRecovery {
        lines.push(("Question", "all its alerts have recovered: is it over? Resolve it, or say what is left.".to_owned()));
    }
    if let Some(service) = about.and_then(|about| about.service.as_ref()).or(notice.incident.service.as_ref()) {
        lines.push(("Service", one_line(service, 200)));
    }
    let (person, zone) = about.map_or((notice.person.as_str(), "UTC"), |about| (about.person.as_str(), about.time_zone.as_str()));
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
        NoticeKind::StillOnIt => Some("I am still on it"),
        NoticeKind::ConfirmRecovery | NoticeKind::Reminder | NoticeKind::Update | NoticeKind::Over => None,
    }
}

fn link_at(urls: &[String], index: usize) -> Option<String> {
    Some(text::link(urls.get(index)?, "")?.href)
}

/// Where all pages of the message are seen and acknowledged.
fn all_link(message: &Message) -> Option<String> {
    Some(text::link(message.bundle_url.as_ref()?, "")?.href)
}

fn at_the_top(message: &Message) -> &'static str {
    if message.bundle_url.is_some() { " The link at the top has all of them." } else { "" }
}

fn text_of(message: &Message, late_note: &str) -> String {
    let mut out = String::from(late_note);
    if let Some(href) = all_link(message) {
        out.push_str(&format!("{} incidents.\n\nSee and acknowledge all of them:\n{href}\n\n----\n\n", message.notices.len()));
    }
    for (index, notice) in message.notices.iter().take(WRITTEN_OUT_MAX).enumerate() {
        if index > 0 {
            out.push_str("\n----\n\n");
        }
        out.push_str(&format!("{} {}\n\n", one_line(&notice.incident.reference, 32), one_line(&notice.incident.title, TITLE_CHARS_MAX)));
        for (name, value) in lines_of(message, notice, message.about.as_ref().filter(|_| index == 0)) {
            out.push_str(&format!("{name:<10} {value}\n"));
        }
        if let (Some(href), Some(words)) = (link_at(&message.ack_urls, index), asked_for(notice.kind)) {
            out.push_str(&format!("\n{words}:\n{href}\n"));
        }
        if let Some(href) = link_at(&message.incident_urls, index) {
            out.push_str(&format!("\nIncident:\n{href}\n"));
        }
    }
    if message.notices.len() > WRITTEN_OUT_MAX {
        out.push_str(&format!("\nAnd {} more.{}\n", message.notices.len() - WRITTEN_OUT_MAX, at_the_top(message)));
    }
    out
}

fn html_of(message: &Message, late_note: &str) -> String {
    let mut out = String::from("<!doctype html><html><body style=\"font-family:sans-serif;max-width:36em\">");
    if !late_note.is_empty() {
        out.push_str(&format!("<p>{}</p>", escaped(late_note.trim())));
    }
    if let Some(href) = all_link(message) {
        let many = message.notices.len();
        out.push_str(&format!(
            "<p>{many} incidents. <a href=\"{}\"><strong>See and acknowledge all of them</strong></a></p>",
            escaped(&href)
        ));
    }
    for (index, notice) in message.notices.iter().take(WRITTEN_OUT_MAX).enumerate() {
        let reference = one_line(&notice.incident.reference, 32);
        let title = one_line(&notice.incident.title, TITLE_CHARS_MAX);
        // What others wrote is set apart, so that a text from right to left turns nothing else around.
        out.push_str(&format!("<h2>{} <bdi>{}</bdi></h2><table>", escaped(&reference), escaped(&title)));
        for (name, value) in lines_of(message, notice, message.about.as_ref().filter(|_| index == 0)) {
            let value = escaped(&value).replace('\n', "<br>");
            out.push_str(&format!("<tr><th align=\"left\" valign=\"top\">{name}</th><td dir=\"auto\">{value}</td></tr>"));
        }
        out.push_str("</table>");
        if let (Some(href), Some(words)) = (link_at(&message.ack_urls, index), asked_for(notice.kind)) {
            out.push_str(&format!("<p><a href=\"{}\"><strong>{words}</strong></a></p>", escaped(&href)));
        }
        if let Some(href) = link_at(&message.incident_urls, index) {
            out.push_str(&format!("<p><a href=\"{}\">Incident {}</a></p>", escaped(&href), escaped(&reference)));
        }
    }
    if message.notices.len() > WRITTEN_OUT_MAX {
        out.push_str(&format!("<p>And {} more.{}</p>", message.notices.len() - WRITTEN_OUT_MAX, at_the_top(message)));
    }
    out.push_str("</body></html>");
    out
}

/// The incident that all notices are about, if it is one.
fn thread_of(message: &Message) -> Option<IncidentId> {
    let first = message.notices.first()?.incident.id;
    message.notices.iter().all(|notice| notice.incident.id == first).then_some(first)
}

impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn request(&self, message: &Message, target: &Target, _now: Timestamp) -> Result<Request, String> {
        let Target::Email { address, name } = target else {
            return Err("the contact is not a mailbox".to_owned());
        };
        let to: Address = address.trim().parse().map_err(|_| "the mail address is not of the form name@host".to_owned())?;
        let worst = worst(message).ok_or("the message has no notice")?;
        let doubt = if message.in_doubt { "You may have received this mail before.\n\n" } else { "" };
        Ok(Request::Mail {
            to: to.to_string(),
            to_name: one_line(name, 100),
            subject: subject_of(message, worst),
            message_id: format!("{}@{}", message.id, self.host),
            thread: thread_of(message).map(|incident| format!("{incident}@{}", self.host)),
            text: text_of(message, doubt),
            html: html_of(message, doubt),
        })
    }

    fn outcome(&self, response: &Response) -> Outcome {
        match response {
            Response::Smtp { code, text } => {
                let words = one_line(&format!("SMTP {code} {text}"), 500);
                match code {
                    200..=299 => Outcome::Delivered { receipt: words },
                    500..=599 => Outcome::Rejected { why: words },
                    _ => Outcome::Retry { after: None, why: words, maybe_arrived: false, down: false, unanswered: false },
                }
            }
            Response::Busy { why } => Outcome::busy(why),
            Response::Failed { why, maybe_arrived, permanent } => Outcome::failed(why, *maybe_arrived, *permanent),
            Response::Http { .. } => Outcome::Rejected { why: "a web server answered for a mail".to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::webhook::tests::message;

    struct Mail {
        subject: String,
        message_id: String,
        text: String,
        html: String,
    }

    fn mail(message: &Message) -> Mail {
        let target = Target::Email { address: "ana@example.org".into(), name: "Ana\r\nBcc: x@y.example".into() };
        match Email::new("ac.example").request(message, &target, Timestamp::UNIX_EPOCH).unwrap() {
            Request::Mail { subject, message_id, text, html, to_name, .. } => {
                assert_eq!(to_name, "Ana Bcc: x@y.example");
                Mail { subject, message_id, text, html }
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mail_says_what_and_where() {
        let sent = mail(&message(1, "Disk full"));
        assert_eq!(sent.subject, "[SEV2] INC-142 Disk full");
        assert_eq!(sent.message_id, "msg_00000000000000000000000003@ac.example");
        for needed in ["SEV2", "checkout", "ana, 2026-11-21 03:00 UTC", "https://ac.example/a/tok0", "https://ac.example/incidents/INC-142"]
        {
            assert!(sent.text.contains(needed) && sent.html.contains(needed), "{needed}\n{}", sent.text);
        }
        let mut late = message(1, "Disk full");
        late.notices[0].late = true;
        assert_eq!(mail(&late).subject, "LATE: [SEV2] INC-142 Disk full");
        assert_eq!(mail(&message(3, "Disk full")).subject, "[SEV1] 3 incidents, worst INC-143 Disk full");
    }

    #[test]
    fn a_mail_of_many_says_how_many_and_the_worst_and_has_one_link_for_all() {
        let sent = mail(&message(4_000, "Disk full"));
        assert_eq!(sent.subject, "[SEV1] 4000 incidents, worst INC-143 Disk full");
        for body in [&sent.text, &sent.html] {
            assert!(body.contains("4000 incidents") && body.contains("https://ac.example/a/all") && body.contains("And 3970 more"));
            assert!(body.len() < 30_000, "{} bytes", body.len());
        }
    }

    #[test]
    fn whoever_is_woken_reads_what_the_alarm_says_in_their_own_time() {
        let about = About {
            description: Some("91 % of /var\nand <rising>".into()),
            source: Some("db7".into()),
            labels: [("host".to_owned(), "db1".to_owned())].into(),
            links: vec![allclear_domain::wire::Link { href: "https://runbook.example/disk".into(), text: "runbook".into() }],
            service: Some("Checkout".into()),
            person: "Ana Ruiz".into(),
            time_zone: "Europe/Madrid".into(),
            also_told: vec!["Ben Okoye".into()],
            answer_by: Some("2026-11-21T03:05:00Z".parse().unwrap()),
        };
        let sent = mail(&Message { about: Some(about), ..message(1, "Disk full") });
        for needed in [
            "Ana Ruiz, 2026-11-21 04:00 CET",
            "2026-11-21 04:05 CET, then others are asked",
            "Ben Okoye",
            "Checkout",
            "runbook: https://runbook.example/disk",
            "host = db1",
            "91 % of /var",
        ] {
            assert!(sent.text.contains(needed) && sent.html.contains(needed), "{needed}\n{}", sent.text);
        }
        assert!(sent.html.contains("91 % of /var<br>and &lt;rising&gt;") && sent.html.contains("dir=\"auto\""), "{}", sent.html);
    }

    #[test]
    fn mails_of_one_incident_are_one_thread() {
        let thread = |message: &Message| {
            let target = Target::Email { address: "ana@example.org".into(), name: String::new() };
            match Email::new("ac.example").request(message, &target, Timestamp::UNIX_EPOCH).unwrap() {
                Request::Mail { thread, .. } => thread,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(thread(&message(1, "x")).as_deref(), Some("inc_00000000000000000000000001@ac.example"));
        let mut two = message(2, "x");
        two.notices[1].incident.id = IncidentId::from_bits(9);
        assert_eq!(thread(&two), None, "a mail about several belongs to none");
    }

    #[test]
    fn titles_cannot_break_out() {
        let nasty = "a\r\nBcc: evil@x.example\r\n\r\n.\r\n<script>alert(1)</script>\" onload='x' \u{202e}txt\u{2028}b\u{85}c";
        let sent = mail(&message(1, nasty));
        assert!(!sent.subject.contains(['\r', '\n', '\u{2028}', '\u{202e}', '\u{85}']), "{:?}", sent.subject);
        assert!(!sent.html.contains("<script>") && sent.html.contains("&lt;script&gt;") && sent.html.contains("&#39;x&#39;"));
        assert!(sent.text.lines().all(|line| !line.starts_with("Bcc")));
        assert!(mail(&message(1, &"é".repeat(1024))).subject.chars().count() <= SUBJECT_CHARS_MAX);
    }

    #[test]
    fn what_answers_mean_and_bad_addresses() {
        let email = Email::new("bad host\r\n>");
        assert_eq!(email.host, "badhost");
        let smtp = |code| email.outcome(&Response::Smtp { code, text: "words".into() });
        assert!(matches!(smtp(250), Outcome::Delivered { .. }));
        assert!(matches!(smtp(451), Outcome::Retry { maybe_arrived: false, .. }));
        assert!(matches!(smtp(550), Outcome::Rejected { .. }));
        for address in ["", "ana", "a@b\r\nRCPT TO:<x@y>", "a b@c", "<a@b>"] {
            let target = Target::Email { address: address.into(), name: String::new() };
            assert!(email.request(&message(1, "x"), &target, Timestamp::UNIX_EPOCH).is_err(), "{address:?}");
        }
    }
}
