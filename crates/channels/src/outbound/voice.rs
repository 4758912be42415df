//! The way out by telephone call: channel `voice`, in the shape of Twilio's `Calls`.
//!
//! A call says what, how bad and which service, twice, and takes a key: 1 or 4 takes it, 2 or 8 passes it on. What the call says
//! goes along with the request for it, so that nothing is asked of this server before a key is pressed; what the key did is
//! spoken back. Nobody who picks up has answered: hanging up is nothing, and a machine that picks up is a call that failed.
//!
//! It deliberately records nothing, and leaves no word on a machine but what the machine takes of itself.

use allclear_domain::channel::{Address, Carriage, ChannelForm, Field, Kept, Limits};
use allclear_domain::time::Length;
use allclear_domain::wire::{
    Channel, Heard, Message, NotGenuine, NoticeKind, Of, OwnAnswer, Replies, Reply, ReplyRequest, Request, Says, Step, Target, Told,
    Unreadable,
};
use jiff::Timestamp;

use super::form::Fields;
use super::twilio::{self, Account};
use super::wording::{Words, code_of, one_line};

/// Longest `Twiml` of a request, in characters: Twilio takes no more.
const TWIML_CHARS_MAX: usize = 4_000;
/// Longest title, and longest text of what is told, in characters, the first with which all fits: a sentence of so many takes
/// half a minute.
const SPOKEN_CHARS_MAX: [usize; 3] = [400, 150, 40];
/// How long it rings, in seconds: most networks give the call to a machine after 20 to 30.
const RING_S: &str = "25";
/// How long a key is waited for after the words, in seconds.
const KEY_WITHIN_S: u32 = 8;
/// Keys that take it: the first stands in what is said, the other is what PagerDuty's callers are used to.
const TAKE: [&str; 2] = ["1", "4"];
/// Keys that pass it on, likewise.
const PASS: [&str; 2] = ["2", "8"];
/// How long it may take until the call is over: it rings for 25 s, says everything twice, and waits twice for a key.
const OVER_WITHIN: Length = Length::from_secs(120);
/// Longest key that is repeated.
const KEY_CHARS_MAX: usize = 8;
/// What is said where an answer cannot be kept.
const NOT_NOW: &str = "That could not be written down. Please press the key again.";

/// The channel's name, and the key of its address.
const NAME: &str = "voice";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "telephone",
    id_example: "ring",
    fields: &[Field {
        key: NAME,
        needed: true,
        label: "Number for calls",
        hint: "Of any telephone, with its country; a key takes the page.",
        shape: "+…",
        example: "+498900000000",
        kept: Kept::Plain,
        check: twilio::check_number,
    }],
    carriage: Carriage::Telephone,
    limits: Limits { title_chars: None, text_bytes: None, text_chars: Some(TWIML_CHARS_MAX), buttons: 0 },
};

/// The channel.
#[derive(Debug)]
pub struct Voice {
    account: Option<Account>,
}

/// As it is read aloud: without addresses, and `INC-142` as a word and a number.
fn spoken(text: &str, chars_max: usize) -> String {
    let line = one_line(text, chars_max);
    let word = |word: &str| {
        if word.contains("://") {
            return "a link".to_owned();
        }
        match word.split_once('-') {
            Some((name, number))
                if !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase()) && number.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                format!("{name} {number}")
            }
            _ => word.to_owned(),
        }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// `severity 2` for `SEV2`.
fn severity(word: &str) -> String {
    word.strip_prefix("SEV").map_or_else(|| spoken(word, 16), |number| format!("severity {number}"))
}

/// What is said, and what the keys do, where something is asked.
///
/// # Errors
/// When the message has no notice.
fn sentences(message: &Message, chars_max: usize) -> Result<(String, Option<String>), String> {
    let no_notice = "the message has no notice";
    let words = Words::of(message, chars_max).ok_or(no_notice)?;
    let (notice, part) = message.notices.first().zip(words.parts.first()).ok_or(no_notice)?;
    let again = if words.in_doubt { "You may have been called about this already. " } else { "" };
    let reference = spoken(&part.reference, 32);
    let title = spoken(&part.title, chars_max);
    let text = notice.text.as_deref().map(|text| spoken(text, chars_max)).unwrap_or_default();
    let (take, pass) = (TAKE[0], PASS[0]);
    let (says, keys) = match notice.kind {
        NoticeKind::Page if words.many > 1 => (
            format!("{} incidents. The first, {}: {reference}. {title}.", words.many, severity(&part.severity)),
            Some(format!("Press {take} to take all of them, {pass} to pass them on.")),
        ),
        NoticeKind::Page => {
            let because = notice.because.as_deref().map(|because| format!(" It calls because: {}.", spoken(because, chars_max)));
            let service = notice.incident.service.as_deref().map(|id| format!(" Service {}.", spoken(message.names.service(id), 60)));
            let late = if notice.late { " This call is late." } else { "" };
            (
                format!(
                    "An incident of {}: {reference}. {title}.{}{}{late}",
                    severity(&part.severity),
                    service.unwrap_or_default(),
                    because.unwrap_or_default()
                ),
                Some(format!("Press {take} to take it, {pass} to pass it on.")),
            )
        }
        NoticeKind::Drill => {
            (format!("{title}. Level {}.", notice.step), Some(format!("Press {take} to prove that you are reached, {pass} to pass it on.")))
        }
        NoticeKind::StillOnIt => {
            (format!("Are you still on {reference}, {title}?"), Some(format!("Press {take} if you are, {pass} if you are not.")))
        }
        NoticeKind::ConfirmRecovery => {
            (format!("All alerts of {reference}, {title}, have recovered. Is it over? Please say so on its page."), None)
        }
        // Of its incident an organisation may not be told what it is.
        NoticeKind::Request | NoticeKind::Readiness | NoticeKind::Note | NoticeKind::Shift => (format!("{reference}. {text}"), None),
        // One digit after another, so that it can be written down.
        NoticeKind::Code => {
            let digits: Vec<String> = code_of(notice).chars().map(|digit| digit.to_string()).collect();
            let because = notice.because.as_deref().map(|because| format!(" {}.", spoken(because, chars_max))).unwrap_or_default();
            let digits = digits.join(". ");
            (format!("Your code is: {digits}. Once more: {digits}.{because} If that was not you, do nothing."), None)
        }
        NoticeKind::Reminder | NoticeKind::Update | NoticeKind::Over | NoticeKind::Step => (format!("{reference}, {title}. {text}"), None),
    };
    // Of a drill it is said first that it is one.
    let drill = if notice.kind == NoticeKind::Drill { "This is a drill. " } else { "" };
    Ok((format!("{drill}This is All Clear. {again}{says}"), keys))
}

/// Says something and takes one key.
fn gather(back: &str, words: &str) -> String {
    format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"{KEY_WITHIN_S}\" action=\"{}\" method=\"POST\"><Say>{}</Say></Gather>",
        twilio::xml(back),
        twilio::xml(words)
    )
}

fn say(words: &str) -> String {
    format!("<Say>{}</Say>", twilio::xml(words))
}

/// The whole call, said twice.
///
/// # Errors
/// Where it cannot be cut to fit, in words.
fn call(message: &Message, back: &str) -> Result<String, String> {
    for chars_max in SPOKEN_CHARS_MAX {
        let (says, keys) = sentences(message, chars_max)?;
        let verbs = match keys {
            Some(keys) => {
                let once = gather(back, &format!("{says} {keys}"));
                format!("{once}{once}{}", say("No key was pressed. Goodbye."))
            }
            None => format!("{0}<Pause length=\"1\"/>{0}", say(&says)),
        };
        let document = twilio::document(&verbs);
        if document.encode_utf16().count() <= TWIML_CHARS_MAX {
            return Ok(document);
        }
    }
    Err(format!("the call is longer than {TWIML_CHARS_MAX} characters"))
}

/// What a key says, as an answer.
fn key(pressed: &str) -> String {
    if TAKE.contains(&pressed) {
        return Reply::Acknowledge.word().to_owned();
    }
    if PASS.contains(&pressed) {
        return Reply::Decline.word().to_owned();
    }
    format!("key {}", one_line(pressed, KEY_CHARS_MAX))
}

/// The key that was pressed.
fn pressed(fields: &Fields) -> Option<&str> {
    fields.get("Digits").filter(|pressed| !pressed.is_empty())
}

/// What is heard of a call: a key first, since who presses one is there whatever the machine's detector says.
fn heard_of(fields: &Fields) -> Result<Says, Unreadable> {
    if let Some(pressed) = pressed(fields) {
        return Ok(Says::Answer(key(pressed)));
    }
    let by = fields.get("AnsweredBy").unwrap_or_default();
    if by.starts_with("machine") || by == "fax" {
        let who = if by == "fax" { "a fax" } else { "a machine" };
        return Ok(Says::Failed(format!("{who} answered the call, and no key was pressed")));
    }
    match fields.get("CallStatus") {
        Some("completed") => Ok(Says::Delivered("the call was answered".to_owned())),
        Some("busy") => Ok(Says::Failed("the line is busy".to_owned())),
        Some("no-answer") => Ok(Says::Failed("nobody picked up".to_owned())),
        Some(status @ ("failed" | "canceled")) => {
            let code = fields.get("SipResponseCode").filter(|code| !code.is_empty()).map(|code| format!(", SIP {}", one_line(code, 10)));
            Ok(Says::Failed(format!(
                "the call {}{}",
                if status == "failed" { "failed" } else { "was cancelled" },
                code.unwrap_or_default()
            )))
        }
        Some("queued" | "initiated" | "ringing" | "in-progress") => Ok(Says::Nothing),
        None if !by.is_empty() => Ok(Says::Nothing),
        _ => Err(Unreadable("what is heard of a call has `Digits`, an `AnsweredBy` or a `CallStatus`".to_owned())),
    }
}

impl Voice {
    /// Calls of this account.
    #[must_use]
    pub fn new(account: Option<&Account>) -> Self {
        Self { account: account.cloned() }
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(&self, message: &Message, target: &Target) -> Result<Request, String> {
        let to = target.address.get(NAME).ok_or("the contact has no number for calls")?;
        twilio::check_number(to)?;
        let account = self.account.as_ref().ok_or_else(|| format!("no {} is set", twilio::SETTING))?;
        let from = account.number().ok_or("--twilio-from has no number, and calls need one")?;
        let back = twilio::back(message.reply_url.as_deref(), message.id)?;
        let call = call(message, &back)?;
        Ok(account.request(
            "Calls",
            &[
                ("To", to),
                ("From", from),
                ("Twiml", &call),
                ("Timeout", RING_S),
                ("StatusCallback", &back),
                // Beside the call, so that nobody hears silence while it listens whether they are a machine.
                ("MachineDetection", "Enable"),
                ("AsyncAmd", "true"),
                ("AsyncAmdStatusCallback", &back),
            ],
        ))
    }
}

impl Channel for Voice {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        self.request(message, target)
            .map_or_else(Step::rejected, |request| Step::last(request, |response| twilio::outcome(response, OVER_WITHIN)))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        self.account.as_ref().map(|_| self as &dyn Replies)
    }

    fn lacks(&self) -> Option<&'static str> {
        match &self.account {
            None => Some(twilio::SETTING),
            Some(account) => account.number().is_none().then_some("number in --twilio-from"),
        }
    }
}

impl Replies for Voice {
    fn body_bytes_max(&self) -> usize {
        twilio::REPLY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let fields = Fields::read(request.body).ok_or_else(|| Unreadable("the body is no form".to_owned()))?;
        let message = twilio::message_of(request.url)?;
        let message = message.ok_or_else(|| Unreadable("the address names no message; nobody is called back here".to_owned()))?;
        Ok(vec![Heard { of: Of::Message(message), says: heard_of(&fields)? }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        self.account.as_ref().ok_or(NotGenuine)?.genuine(request, address, NAME)
    }

    fn answer(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let fields = Fields::read(request.body).unwrap_or_default();
        let Some(pressed) = pressed(&fields) else {
            // Twilio may send again what was not kept.
            return (!matches!(told, Told::NotNow | Told::Later)).then(|| twilio::twiml(""));
        };
        let is_key = TAKE.contains(&pressed) || PASS.contains(&pressed);
        let longest = SPOKEN_CHARS_MAX[0];
        Some(twilio::twiml(&match told {
            Told::NotNow | Told::Later => gather(request.url, NOT_NOW),
            Told::Taken(words) => say(&spoken(words, longest)),
            Told::Refused(words) if is_key => say(&spoken(words, longest)),
            Told::Refused(_) => {
                let keys = format!("That key does nothing. Press {} to take it, {} to pass it on.", TAKE[0], PASS[0]);
                gather(request.url, &keys)
            }
        }))
    }
}

#[cfg(test)]
#[path = "voice_tests.rs"]
mod tests;
