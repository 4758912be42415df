//! The way out by text message: channel `sms`, in the shape of Twilio's `Messages`.
//!
//! A message says in a few lines what, how bad, which service and where to read on, and ends with its code: who answers
//! `4821` takes it, who answers `4821 no` passes it on. Where only one message can be meant, `1` or `yes` is enough. That it
//! was taken is told by Twilio at once, and that it arrived by a receipt.
//!
//! It deliberately sends no pictures, and no more than one message a send: what is long is cut, with the link to the whole.

use allclear_domain::channel::{Address, Carriage, ChannelForm, Field, Kept, Limits};
use allclear_domain::time::Length;
use allclear_domain::wire::{
    Channel, Heard, Message, NotGenuine, NoticeKind, Of, OwnAnswer, Replies, Reply, ReplyCode, ReplyRequest, Request, Says, Step, Target,
    Told, Unreadable,
};
use jiff::Timestamp;

use super::form::Fields;
use super::twilio::{self, Account};
use super::wording::{Words, one_line};

/// Longest text, in characters as telephones count them: Twilio takes no more.
const BODY_CHARS_MAX: usize = 1_600;
/// Longest first line.
const SUBJECT_CHARS_MAX: usize = 200;
/// Longest description of an alarm: with the rest it is a text message of about three parts, each of which is paid for.
const DESCRIPTION_CHARS_MAX: usize = 240;
/// Incidents of a message of many that have a line.
const LISTED_MAX: usize = 5;
/// Longest answer that is looked at, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// How long a receipt is waited for: a text message gets there in seconds, and of a step's usual five minutes four are left for
/// others.
const RECEIPT_WITHIN: Length = Length::from_secs(60);
/// What is said where an answer cannot be kept.
const NOT_NOW: &str = "That could not be written down. Send it again in a minute, or use the link.";
/// Stands at the end of what was cut.
const CUT: char = '…';

/// The channel's name, and the key of its address.
const NAME: &str = "sms";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "mobile phone",
    id_example: "cell",
    fields: &[Field {
        key: NAME,
        needed: true,
        label: "Number for text messages",
        hint: "Of a mobile phone, with its country; it can answer.",
        shape: "+…",
        example: "+491700000000",
        kept: Kept::Plain,
        check: twilio::check_number,
    }],
    carriage: Carriage::Telephone,
    limits: Limits { title_chars: None, text_bytes: None, text_chars: Some(BODY_CHARS_MAX), buttons: 0 },
};

/// The channel.
#[derive(Debug)]
pub struct Sms {
    account: Option<Account>,
}

/// Characters as telephones count them: those outside of Unicode's first plane are two.
fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most so many of them, whole characters.
fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= room;
        room = room.saturating_sub(c.len_utf16());
        fits
    });
    kept.chain([CUT]).collect()
}

/// What the message says beneath its first line.
fn lines_of(words: &Words) -> Vec<String> {
    let [one] = words.parts.as_slice() else {
        let mut lines: Vec<String> =
            words.parts.iter().take(LISTED_MAX).map(|part| format!("{} [{}] {}", part.reference, part.severity, part.title)).collect();
        if words.many > lines.len() {
            lines.push(format!("and {} more", words.many - lines.len()));
        }
        return lines;
    };
    let line = |(name, value): &(&'static str, String)| match *name {
        "Drill" | "Update" | "Question" | "Over" | "Readiness" | "Note" | "Shift" => Some(value.clone()),
        "Service" | "Answer by" | "Good until" => Some(format!("{name}: {value}")),
        "Not you?" => Some(format!("{name} {value}")),
        "It says" => Some(cut(value, DESCRIPTION_CHARS_MAX)),
        // The first line has it, or the link.
        _ => None,
    };
    one.lines.iter().filter_map(line).collect()
}

/// How to answer, where something is asked.
fn how_to_answer(message: &Message) -> Option<String> {
    let code = ReplyCode::of(message.id);
    match message.notices.first()?.kind {
        NoticeKind::Page if message.notices.len() > 1 => Some(format!("Answer {code} to take all of them, {code} no to pass them on.")),
        NoticeKind::Page => Some(format!("Answer {code} to take it, {code} no to pass it on.")),
        NoticeKind::Drill => Some(format!("Answer {code} to prove that you are reached, {code} no to pass it on.")),
        NoticeKind::StillOnIt => Some(format!("Answer {code} if you are, {code} no if you are not.")),
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

/// What a text message of so many characters says, and how it is answered where answers are heard.
///
/// # Errors
/// Where it cannot be cut to fit, in words.
pub(super) fn text_of(message: &Message, chars_max: usize, hears: bool) -> Result<String, String> {
    let words = Words::of(message, SUBJECT_CHARS_MAX).ok_or("the message has no notice")?;
    let doubt = if words.in_doubt { "You may have received this before.\n" } else { "" };
    // Of a drill it stands first that it is one.
    let is_drill = message.notices.first().is_some_and(|notice| notice.kind == NoticeKind::Drill);
    let subject = |doubt: &str| {
        if is_drill { format!("{}\n{doubt}", words.subject).trim_end().to_owned() } else { format!("{doubt}{}", words.subject) }
    };
    let button = words.button().map(|button| button.href);
    let link = button.as_deref().or_else(|| words.page()).map(|link| format!("\n{link}")).unwrap_or_default();
    let how = how_to_answer(message).filter(|_| hears).map(|how| format!("\n{how}")).unwrap_or_default();
    // What is said besides is left out before anybody is not told: the link stays.
    let fits = |(doubt, how): &(&str, &str)| length(&subject(doubt)) + length(&link) + length(how) <= chars_max;
    let (head, how) = match [(doubt, how.as_str()), ("", how.as_str()), ("", "")].into_iter().find(fits) {
        Some((doubt, how)) => (subject(doubt), how),
        None => {
            let room = chars_max.checked_sub(length(&link)).filter(|room| *room > 1);
            let room = room.ok_or_else(|| format!("the message is longer than {chars_max} characters without its text"))?;
            (cut(&subject(""), room), "")
        }
    };
    let room = chars_max.saturating_sub(length(&head) + length(&link) + length(how));
    let lines: String = lines_of(&words).iter().map(|line| format!("\n{line}")).collect();
    // One character would be the sign for what was cut.
    let lines = if room > 1 { cut(&lines, room) } else { String::new() };
    Ok(format!("{head}{lines}{link}{how}"))
}

/// The code and the words of a text message. A code alone takes what it names.
pub(super) fn answer_of(body: &str) -> (Option<ReplyCode>, String) {
    let line = one_line(body, WORDS_CHARS_MAX);
    let mut code = None;
    let mut words = Vec::new();
    for word in line.split(' ') {
        let bare = word.trim_matches(|c: char| matches!(c, '.' | ',' | '!' | ':' | ';' | '#' | '"' | '\'' | '(' | ')' | '*'));
        match ReplyCode::read(bare) {
            Some(read) if code.is_none() => code = Some(read),
            _ => words.push(word),
        }
    }
    let words = words.join(" ");
    if code.is_some() && words.is_empty() { (code, Reply::Acknowledge.word().to_owned()) } else { (code, words) }
}

/// What became of a text message, in Twilio's words.
fn receipt_of(fields: &Fields) -> Result<Says, Unreadable> {
    let status = fields.get("MessageStatus").or_else(|| fields.get("SmsStatus"));
    let status = status.ok_or_else(|| Unreadable("a receipt has a `MessageStatus`".to_owned()))?;
    let error = fields.get("ErrorCode").filter(|code| !code.is_empty()).map(|code| format!(", error {}", one_line(code, 10)));
    match status {
        "delivered" | "read" => Ok(Says::Delivered(status.to_owned())),
        "undelivered" | "failed" | "canceled" => Ok(Says::Failed(format!("{status}{}", error.unwrap_or_default()))),
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => Ok(Says::Nothing),
        other => Err(Unreadable(format!("`{}` is no `MessageStatus` of what was sent", one_line(other, 40)))),
    }
}

impl Sms {
    /// Text messages of this account.
    #[must_use]
    pub fn new(account: Option<&Account>) -> Self {
        Self { account: account.cloned() }
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(&self, message: &Message, target: &Target) -> Result<Request, String> {
        let to = target.address.get(NAME).ok_or("the contact has no number for text messages")?;
        twilio::check_number(to)?;
        let account = self.account.as_ref().ok_or_else(|| format!("no {} is set", twilio::SETTING))?;
        let back = twilio::back(message.reply_url.as_deref(), message.id)?;
        let body = text_of(message, BODY_CHARS_MAX, true)?;
        Ok(account.request("Messages", &[("To", to), account.sender(), ("Body", &body), ("StatusCallback", &back)]))
    }
}

impl Channel for Sms {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        self.request(message, target)
            .map_or_else(Step::rejected, |request| Step::last(request, |response| twilio::outcome(response, RECEIPT_WITHIN)))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        self.account.as_ref().map(|_| self as &dyn Replies)
    }

    fn lacks(&self) -> Option<&'static str> {
        self.account.is_none().then_some(twilio::SETTING)
    }
}

impl Replies for Sms {
    fn body_bytes_max(&self) -> usize {
        twilio::REPLY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let fields = Fields::read(request.body).ok_or_else(|| Unreadable("the body is no form".to_owned()))?;
        if let Some(message) = twilio::message_of(request.url)? {
            return Ok(vec![Heard { of: Of::Message(message), says: receipt_of(&fields)? }]);
        }
        let (Some(from), Some(body)) = (fields.get("From"), fields.get("Body")) else {
            return Err(Unreadable("a text message has a `From` and a `Body`, and a receipt names its message in the address".to_owned()));
        };
        let (code, words) = answer_of(body);
        Ok(vec![Heard { of: Of::Sender { from: from.to_owned(), code }, says: Says::Answer(words) }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        self.account.as_ref().ok_or(NotGenuine)?.genuine(request, address, NAME)
    }

    fn answer(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let fields = Fields::read(request.body).unwrap_or_default();
        let is_receipt = twilio::message_of(request.url).is_ok_and(|message| message.is_some());
        // Who wrote STOP is answered by Twilio, and no more.
        let has_left = fields.get("OptOutType").is_some();
        let words = match told {
            // Twilio may send a receipt again that was not kept.
            Told::NotNow | Told::Later if is_receipt => return None,
            _ if is_receipt || has_left => "",
            Told::NotNow | Told::Later => NOT_NOW,
            Told::Taken(words) | Told::Refused(words) => words,
        };
        let said =
            if words.is_empty() { String::new() } else { format!("<Message>{}</Message>", twilio::xml(&cut(words, BODY_CHARS_MAX))) };
        Some(twilio::twiml(&said))
    }
}

#[cfg(test)]
#[path = "sms_tests.rs"]
mod tests;
