//! The way out by mail: channel `email`.
//!
//! A short, calm text: what, how bad, which service, what the alarm says, where its runbook is, who is asked, until
//! when, where to acknowledge. The HTML twin says the same. Mails about one incident name it in `References`, so that
//! mail programs show them together. The acknowledging link only shows a page with a button, since programs
//! follow links in mails. `Message-ID` is the message's id, the same on every try, so that mail
//! programs and filters can drop a repetition. Where answers are read, each mail names an address of its own for them
//! (`mail_back`).

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits};
use allclear_domain::ids::IncidentId;
use allclear_domain::org::check::text::is_email;
use allclear_domain::wire::{Channel, Message, NoticeKind, Outcome, Replies, Request, Response, Step, Target};
use jiff::Timestamp;
use lettre::Address;

use super::mail_back::MailReplies;
use super::wording::{Button, Part, Words, one_line};

/// Longest subject, in characters: what phones show of it, and room for the prefix.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// The channel's name, and the key of its address.
const NAME: &str = "email";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "mail address",
    id_example: "mail",
    fields: &[Field {
        key: NAME,
        label: "Mail address",
        hint: "One mailbox or list, without quoting; the host may be written in any alphabet.",
        shape: "name@host",
        example: "ana@example.org",
        needed: true,
        kept: Kept::Plain,
        check: mail_address,
    }],
    carriage: Carriage::Mail,
    limits: Limits { title_chars: Some(SUBJECT_CHARS_MAX), text_bytes: None, text_chars: None, buttons: 1 },
};

fn mail_address(given: &str) -> Result<(), String> {
    if is_email(given) {
        return Ok(());
    }
    let shown: String = given.chars().filter(|c| !c.is_control()).take(64).collect();
    Err(format!("`{shown}` is not a mail address"))
}

/// The channel.
#[derive(Debug, Clone)]
pub struct Email {
    host: String,
    /// Whether there is a mail server.
    is_carried: bool,
    /// Where answers go, where they are read.
    replies: Option<MailReplies>,
}

impl Email {
    /// Mails whose `Message-ID` ends in `@host`; what cannot stand in a host name is left out.
    #[must_use]
    pub fn new(host: &str, is_carried: bool) -> Self {
        let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        Self { host: if host.is_empty() { "localhost".to_owned() } else { host }, is_carried, replies: None }
    }

    /// The same, which reads answers.
    #[must_use]
    pub fn answered_at(self, replies: Option<&MailReplies>) -> Self {
        Self { replies: replies.cloned(), ..self }
    }

    /// What a mail says of how it is answered, where it asks something and answers are read.
    fn how_to_answer(&self, message: &Message) -> Option<&'static str> {
        self.replies.as_ref()?;
        match message.notices.first()?.kind {
            NoticeKind::Page if message.notices.len() > 1 => Some("Or answer this mail: “1” takes all of them, “2” passes them on."),
            NoticeKind::Page => Some("Or answer this mail: “1” takes it, “2” passes it on."),
            NoticeKind::Drill => Some("Or answer this mail: “1” shows that it reached you."),
            NoticeKind::StillOnIt => Some("Or answer this mail: “1” if you are still on it, “2” if you are not."),
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

fn at_the_top(words: &Words) -> &'static str {
    if words.all.is_some() { " The link at the top has all of them." } else { "" }
}

fn text_of(words: &Words, late_note: &str) -> String {
    let mut out = String::from(late_note);
    if let Some(href) = &words.all {
        out.push_str(&format!("{} incidents.\n\nSee and acknowledge all of them:\n{href}\n\n----\n\n", words.many));
    }
    for (index, part) in words.parts.iter().enumerate() {
        if index > 0 {
            out.push_str("\n----\n\n");
        }
        out.push_str(&format!("{} {}\n\n", part.reference, part.title));
        for (name, value) in &part.lines {
            out.push_str(&format!("{name:<10} {value}\n"));
        }
        if let Some(Button { label, href }) = &part.button {
            out.push_str(&format!("\n{label}:\n{href}\n"));
        }
        if let Some(href) = &part.page {
            out.push_str(&format!("\nIncident:\n{href}\n"));
        }
    }
    if words.more > 0 {
        out.push_str(&format!("\nAnd {} more.{}\n", words.more, at_the_top(words)));
    }
    out
}

fn html_of(words: &Words, late_note: &str) -> String {
    let mut out = String::from("<!doctype html><html><body style=\"font-family:sans-serif;max-width:36em\">");
    if !late_note.is_empty() {
        out.push_str(&format!("<p>{}</p>", escaped(late_note.trim())));
    }
    if let Some(href) = &words.all {
        let (many, href) = (words.many, escaped(href));
        out.push_str(&format!("<p>{many} incidents. <a href=\"{href}\"><strong>See and acknowledge all of them</strong></a></p>"));
    }
    for Part { reference, title, lines, button, page, .. } in &words.parts {
        // What others wrote is set apart, so that a text from right to left turns nothing else around.
        out.push_str(&format!("<h2>{} <bdi>{}</bdi></h2><table>", escaped(reference), escaped(title)));
        for (name, value) in lines {
            let value = escaped(value).replace('\n', "<br>");
            out.push_str(&format!("<tr><th align=\"left\" valign=\"top\">{name}</th><td dir=\"auto\">{value}</td></tr>"));
        }
        out.push_str("</table>");
        if let Some(Button { label, href }) = button {
            out.push_str(&format!("<p><a href=\"{}\"><strong>{label}</strong></a></p>", escaped(href)));
        }
        if let Some(href) = page {
            out.push_str(&format!("<p><a href=\"{}\">Incident {}</a></p>", escaped(href), escaped(reference)));
        }
    }
    if words.more > 0 {
        out.push_str(&format!("<p>And {} more.{}</p>", words.more, at_the_top(words)));
    }
    out.push_str("</body></html>");
    out
}

/// The incident that all notices are about, if it is one.
fn thread_of(message: &Message) -> Option<IncidentId> {
    let first = message.notices.first()?.incident.id;
    message.notices.iter().all(|notice| notice.incident.id == first).then_some(first)
}

impl Email {
    /// # Errors
    /// Where no mail can be made of it, in words.
    pub(super) fn request(&self, message: &Message, target: &Target) -> Result<Request, String> {
        let address = target.address.get(NAME).ok_or("the contact is not a mailbox")?;
        let to: Address = address.trim().parse().map_err(|_| "the mail address is not of the form name@host".to_owned())?;
        let words = Words::of(message, SUBJECT_CHARS_MAX).ok_or("the message has no notice")?;
        let doubt = if words.in_doubt { "You may have received this mail before.\n\n" } else { "" };
        let (mut text, mut html) = (text_of(&words, doubt), html_of(&words, doubt));
        let answers = self.how_to_answer(message);
        if let Some(how) = answers {
            text.push_str(&format!("\n{how}\n"));
            html = html.replacen("</body>", &format!("<p>{how}</p></body>"), 1);
        }
        Ok(Request::Mail {
            to: to.to_string(),
            to_name: one_line(&target.name, 100),
            message_id: format!("{}@{}", message.id, self.host),
            thread: thread_of(message).map(|incident| format!("{incident}@{}", self.host)),
            reply_to: answers.and(self.replies.as_ref()).map(|replies| replies.address_of(message.id)),
            text,
            html,
            subject: words.subject,
        })
    }
}

/// What an answer means.
fn outcome(response: &Response) -> Outcome {
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

impl Channel for Email {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        self.request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        self.replies.as_ref().map(|replies| replies as &dyn Replies)
    }

    fn secrets(&self) -> Vec<&str> {
        self.replies().and_then(Replies::key).into_iter().collect()
    }

    fn lacks(&self) -> Option<&'static str> {
        (!self.is_carried).then_some("--smtp")
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::wire::About;

    use super::*;
    use crate::outbound::webhook::tests::message;

    struct Mail {
        subject: String,
        message_id: String,
        text: String,
        html: String,
    }

    fn to(address: &str, name: &str) -> Target {
        Target { name: name.to_owned(), address: allclear_domain::channel::Address::of([(NAME, address)]) }
    }

    fn mail(message: &Message) -> Mail {
        let target = to("ana@example.org", "Ana\r\nBcc: x@y.example");
        match Email::new("ac.example", true).request(message, &target).unwrap() {
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

    fn names() -> allclear_domain::wire::Names {
        allclear_domain::wire::Names {
            person: Some("Ana Ruiz".into()),
            time_zone: Some("Europe/Madrid".into()),
            services: [("checkout".to_owned(), "Checkout".to_owned())].into(),
        }
    }

    #[test]
    fn a_mail_of_several_names_people_and_services_and_no_ids() {
        let sent = mail(&Message { names: names(), ..message(3, "Disk full") });
        for body in [&sent.text, &sent.html] {
            assert!(body.contains("INC-143 ") && body.contains("Checkout") && body.contains("Ana Ruiz, 2026-11-21 04:00 CET"), "{body}");
            assert!(!body.contains("checkout") && !body.contains("ana, ") && !body.contains(" UTC"), "{body}");
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
            then_asked: vec!["Cho Min-ji".into()],
        };
        let sent = mail(&Message { about: Some(about), names: names(), ..message(1, "Disk full") });
        for needed in [
            "Ana Ruiz, 2026-11-21 04:00 CET",
            "2026-11-21 04:05 CET, then Cho Min-ji is asked",
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
            let target = to("ana@example.org", "");
            match Email::new("ac.example", true).request(message, &target).unwrap() {
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
        let email = Email::new("bad host\r\n>", true);
        assert_eq!(email.host, "badhost");
        let smtp = |code| outcome(&Response::Smtp { code, text: "words".into() });
        assert!(matches!(smtp(250), Outcome::Delivered { .. }));
        assert!(matches!(smtp(451), Outcome::Retry { maybe_arrived: false, .. }));
        assert!(matches!(smtp(550), Outcome::Rejected { .. }));
        for address in ["", "ana", "a@b\r\nRCPT TO:<x@y>", "a b@c", "<a@b>"] {
            let target = to(address, "");
            assert!(email.request(&message(1, "x"), &target).is_err(), "{address:?}");
        }
    }
}
