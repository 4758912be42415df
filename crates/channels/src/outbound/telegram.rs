//! The way out to a chat of Telegram, by a bot: channel `telegram`.
//!
//! A message is `sendMessage` of the Bot API (<https://core.telegram.org/bots/api#sendmessage>), in plain text, with a button
//! for each link beneath it. Telegram takes no button that leads to a host without a dot in its name or to an address of this
//! machine: then it is sent once more with the links in the text. A group that has become a supergroup has another number,
//! which Telegram says, and the message follows it.
//!
//! Where the contact holds the `secret` of the bot's webhook, Telegram tells what is pressed and written (`telegram_back`), and the
//! buttons call back; else they are links. What is over is shown as over by `editMessageText`. Telegram knows no id of ours: what
//! may have arrived already says so below its title. The token stands in the path, as the API has it, and so in no error (`veil`).

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::ids::MessageId;
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, NoticeKind, Outcome, Replies, Reply, Request, Response, Retired, Step, Target};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::answers::{Answer, words};
use super::plain::inert;
use super::wording::{Button, Loudness, Words, one_line, retired_title};

/// Longest title, in characters: the first line of the text.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, title and links within, in bytes: Telegram takes 4,096 units of UTF-16, and none of those has less than a
/// byte.
const TEXT_BYTES_MAX: usize = 4_096;
/// Digits of a chat's number: Telegram's have at most 52 bits and a sign.
const CHAT_LEN_MAX: usize = 20;
/// Letters of a public name, without its `@`.
const PUBLIC_LEN: std::ops::RangeInclusive<usize> = 4..=32;
/// Characters of a bot's token behind its number; today's have 35.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 20..=128;

/// The channel's name, and the key of the chat.
pub(super) const NAME: &str = "telegram";
/// The key of the bot's token.
pub(super) const BOT: &str = "bot";
/// The key of what Telegram says that it is Telegram.
pub(super) const SECRET: &str = "secret";
/// Characters of it: as `setWebhook` takes it, and more than anybody guesses.
const SECRET_LEN: std::ops::RangeInclusive<usize> = 20..=256;
/// The key of the server, and where it is unless said otherwise.
const SERVER: &str = "server";
const USUAL_SERVER: &str = "https://api.telegram.org";
/// Whoever answers, in a sentence.
const VENDOR: &str = "Telegram";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Telegram chat",
    id_example: "telegram",
    fields: &[
        Field {
            key: NAME,
            label: "Chat",
            hint: "The number of the chat with the bot, which the person has begun, or of a group; or the name of a public channel.",
            shape: "123456789",
            example: "5551234567",
            needed: true,
            kept: Kept::Plain,
            check: |given| {
                if is_chat(given) {
                    Ok(())
                } else {
                    Err("the chat is neither a number, as `-1001234567890`, nor the name of a channel, as `@example`".to_owned())
                }
            },
        },
        Field {
            key: BOT,
            label: "Bot token",
            hint: "As Telegram's BotFather says it.",
            shape: "123456:ABC…",
            example: "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
            needed: true,
            kept: Kept::Secret,
            check: |given| {
                if is_token(given) { Ok(()) } else { Err("the token is not a number, a `:` and letters and digits".to_owned()) }
            },
        },
        Field {
            key: SECRET,
            label: "Webhook secret",
            hint: "As `setWebhook` was given it; with it the bot's buttons and what is written to it are answers.",
            shape: "…",
            example: "q7Vd2kX9nT4mZ8rB3wLc",
            needed: false,
            kept: Kept::Secret,
            check: |given| {
                let is_one =
                    SECRET_LEN.contains(&given.len()) && given.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                if is_one { Ok(()) } else { Err("the secret is not 20 to 256 letters, digits, `-` and `_`".to_owned()) }
            },
        },
        Field {
            key: SERVER,
            label: "Server",
            hint: "Another one that speaks the same; left out, it is the vendor's own.",
            shape: "https://…",
            example: "https://bots.example.org",
            needed: false,
            kept: Kept::Plain,
            check: |given| root(given).map(drop),
        },
    ],
    carriage: Carriage::Http(Server::Field { key: SERVER, usual: USUAL_SERVER }),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(TEXT_BYTES_MAX), text_chars: None, buttons: 3 },
};

fn is_chat(given: &str) -> bool {
    match given.strip_prefix('@') {
        Some(name) => {
            PUBLIC_LEN.contains(&name.len())
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }
        None => {
            let digits = given.strip_prefix('-').unwrap_or(given);
            (1..=CHAT_LEN_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

/// It becomes part of a path: nothing else may stand in it.
fn is_token(given: &str) -> bool {
    given.split_once(':').is_some_and(|(bot, secret)| {
        (1..=CHAT_LEN_MAX).contains(&bot.len())
            && bot.bytes().all(|b| b.is_ascii_digit())
            && TOKEN_LEN.contains(&secret.len())
            && secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    })
}

/// The server's address without what stands behind its name; or what is wrong with it.
fn root(given: &str) -> Result<&str, String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    if given.contains(['?', '#', '@']) {
        return Err("the address has a `?`, a `#` or a name in it; write the server's alone".to_owned());
    }
    Ok(given.trim_end_matches('/'))
}

/// A message as the Bot API takes it.
#[derive(Serialize)]
struct Sending<'a> {
    chat_id: &'a str,
    text: String,
    /// Without a sound.
    disable_notification: bool,
    link_preview_options: Preview,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

/// Telegram would read the first link to show what is behind it.
#[derive(Serialize)]
struct Preview {
    is_disabled: bool,
}

/// Rows of buttons.
#[derive(Serialize)]
struct Keyboard<'a> {
    inline_keyboard: Vec<[Key<'a>; 1]>,
}

/// A button: it leads somewhere, or calls back.
#[derive(Serialize)]
struct Key<'a> {
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_data: Option<String>,
}

impl<'a> Key<'a> {
    const fn link(text: &'static str, url: &'a str) -> Self {
        Self { text, url: Some(url), callback_data: None }
    }

    /// At most 64 bytes, as Telegram takes them: a word and the message's id.
    fn calls(text: &'static str, reply: Reply, message: MessageId) -> Self {
        Self { text, url: None, callback_data: Some(format!("{}:{message}", reply.word())) }
    }
}

/// How a message is asked for: each but the chat may be given up, once.
#[derive(Debug, Clone)]
struct Try {
    chat: String,
    has_moved: bool,
    has_buttons: bool,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Done(Outcome),
    /// The chat has another number now; without it, what it comes to.
    Moved(String, Outcome),
    /// It takes no such buttons; what it comes to where there were none.
    NoButtons(Outcome),
}

/// The channel.
#[derive(Debug)]
pub struct Telegram;

impl Telegram {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target, how: &Try) -> Result<Request, String> {
        let token = target.address.get(BOT).filter(|token| is_token(token)).ok_or("the contact has no token of a bot")?;
        let root = root(FORM.server(&target.address).unwrap_or(USUAL_SERVER))?;
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        let links: Vec<Button> = words.links();
        let mut keys: Vec<[Key<'_>; 1]> = asked(message, target).into_iter().flatten().map(|key| [key]).collect();
        // Telegram takes no link to a host without a dot: then those that call back go alone.
        match (how.has_buttons, keys.is_empty()) {
            // The page behind the message's link needs no sign-in.
            (true, false) => keys.extend(links.first().map(|link| [Key::link("Open", &link.href)])),
            (true, true) => keys.extend(links.iter().map(|link| [Key::link(link.label, &link.href)])),
            (false, _) => {}
        }
        let shown: &[Button] = if how.has_buttons { &[] } else { &links };
        let text = text(&words, shown);
        let sending = Sending {
            chat_id: &how.chat,
            text,
            disable_notification: Loudness::of(message) == Loudness::Quiet,
            link_preview_options: Preview { is_disabled: true },
            reply_markup: (!keys.is_empty()).then_some(Keyboard { inline_keyboard: keys }),
        };
        let body = serde_json::to_vec(&sending).map_err(|_| "the message cannot be written as JSON".to_owned())?;
        let headers = vec![("content-type", "application/json".to_owned())];
        Ok(Request::Http { method: Method::Post, url: format!("{root}/bot{token}/sendMessage"), headers, body })
    }

    fn ask<'a>(message: &'a Message, target: &'a Target, how: Try) -> Step<'a> {
        let request = match Self::request(message, target, &how) {
            Ok(request) => request,
            Err(why) => return Step::rejected(why),
        };
        Step::Ask(
            request,
            Box::new(move |response| match said(response) {
                Said::Moved(chat, _) if !how.has_moved => Self::ask(message, target, Try { chat, has_moved: true, ..how }),
                Said::NoButtons(_) if how.has_buttons => Self::ask(message, target, Try { has_buttons: false, ..how }),
                Said::Done(Outcome::Delivered { receipt }) if how.has_moved => {
                    Step::Done(Outcome::Delivered { receipt: format!("{receipt}; the chat's number is {} now", how.chat) })
                }
                Said::Done(outcome) | Said::Moved(_, outcome) | Said::NoButtons(outcome) => Step::Done(outcome),
            }),
        )
    }
}

/// The buttons that call back, where something is asked and heard.
fn asked<'a>(message: &Message, target: &Target) -> Option<[Key<'a>; 2]> {
    let (yes, no) = match message.notices.first()?.kind {
        NoticeKind::Page if message.notices.len() > 1 => ("Acknowledge all", "Pass all on"),
        NoticeKind::Page => ("Acknowledge", "Pass it on"),
        NoticeKind::Drill => ("Acknowledge the drill", "Pass it on"),
        NoticeKind::StillOnIt => ("I am still on it", "I am not"),
        NoticeKind::ConfirmRecovery
        | NoticeKind::Reminder
        | NoticeKind::Update
        | NoticeKind::Request
        | NoticeKind::Over
        | NoticeKind::Step
        | NoticeKind::Readiness
        | NoticeKind::Note
        | NoticeKind::Shift
        | NoticeKind::Code => return None,
    };
    target.address.get(SECRET)?;
    Some([Key::calls(yes, Reply::Acknowledge, message.id), Key::calls(no, Reply::Decline, message.id)])
}

/// The title, what is said, and these links, each whole: what is cut is what is said.
fn text(words: &Words, links: &[Button]) -> String {
    let title = inert(&words.subject);
    let mut beneath = String::new();
    for link in links {
        let line = format!("\n{}: {}", link.label, link.href);
        if title.len() + 1 + beneath.len() + line.len() <= TEXT_BYTES_MAX {
            beneath.push_str(&line);
        }
    }
    let room = TEXT_BYTES_MAX.saturating_sub(title.len() + 1 + beneath.len());
    let mut cut = room;
    let said = loop {
        let said = inert(&words.short(cut));
        if said.len() <= room {
            break said;
        }
        if cut == 0 {
            break String::new();
        }
        // What nobody sees has bytes as well: less of the text by as much as it grew, and by one byte at least.
        cut = cut * room / said.len();
    };
    format!("{title}\n{said}{beneath}")
}

/// What an answer says: `{"ok":true,"result":{…}}`, or `{"ok":false,"error_code":…,"description":"…"}`.
fn said(response: &Response) -> Said {
    let answer = match Answer::of(response, VENDOR) {
        Ok(answer) => answer,
        Err(none) => return Said::Done(none),
    };
    let is_ok = answer.begins_with("ok").map(|rest| rest.starts_with("true"));
    if answer.is_yes() && is_ok == Some(true) {
        return Said::Done(answer.delivered(id_of(answer.body)));
    }
    if answer.is_yes() && is_ok.is_none() {
        return Said::Done(answer.strange(VENDOR));
    }
    let error = answer.json();
    let code = error["error_code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (300..600).contains(code));
    let answer = Answer { status: if answer.is_yes() { code.unwrap_or(400) } else { answer.status }, ..answer };
    let answer = answer.waiting(error["parameters"]["retry_after"].as_u64());
    let why = words(&error["description"]);
    let outcome = match answer.status {
        401 => answer.rejected("Telegram does not know this contact's bot token"),
        404 => answer.rejected("no bot answers to this contact's token at this server"),
        _ => answer.refused(why.as_deref()),
    };
    if answer.status != 400 {
        return Said::Done(outcome);
    }
    let moved = error["parameters"]["migrate_to_chat_id"].as_i64().map(|chat| chat.to_string());
    let why = why.unwrap_or_default().to_ascii_lowercase();
    match moved {
        Some(chat) => Said::Moved(chat, outcome),
        None if why.contains("button") || why.contains("keyboard") => Said::NoButtons(outcome),
        None => Said::Done(outcome),
    }
}

/// The message's number in its chat; what follows it repeats the message, and may be cut.
fn id_of(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("\"message_id\":")?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (1..=CHAT_LEN_MAX).contains(&end).then(|| &rest[..end])
}

impl Channel for Telegram {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        match target.address.get(NAME).filter(|chat| is_chat(chat)) {
            Some(chat) => Self::ask(message, target, Try { chat: chat.to_owned(), has_moved: false, has_buttons: true }),
            None => Step::rejected("the contact is no Telegram chat"),
        }
    }

    fn replies(&self) -> Option<&dyn Replies> {
        Some(self)
    }

    fn retires(&self) -> bool {
        true
    }

    fn retire(&self, sent: &Retired<'_>) -> Option<Request> {
        let token = sent.address.get(BOT).filter(|token| is_token(token))?;
        let chat = sent.address.get(NAME).filter(|chat| is_chat(chat))?;
        let root = root(FORM.server(sent.address).unwrap_or(USUAL_SERVER)).ok()?;
        let (_, rest) = sent.receipt.split_once(' ')?.1.split_once(' ')?;
        let number: u64 = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        let title = one_line(&retired_title(sent.notice, sent.several), TITLE_CHARS_MAX);
        let text = format!("{}\n{}\nOpen: {}", inert(&title), inert(sent.says), sent.incident_url);
        // Without a keyboard, so that the one it had goes.
        let body = json!({"chat_id": chat, "message_id": number, "text": text, "link_preview_options": {"is_disabled": true}});
        Some(Request::Http {
            method: Method::Post,
            url: format!("{root}/bot{token}/editMessageText"),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        })
    }
}

#[cfg(test)]
#[path = "telegram_tests.rs"]
mod tests;
