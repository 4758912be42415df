//! The way out to Slack, by an app of the installation's own: channel `slack`.
//!
//! A message is `chat.postMessage` (<https://docs.slack.dev/reference/methods/chat.postMessage>) to a person's member ID, which
//! opens the chat between them and the app, or to a channel that the app is in. It is Block Kit: a title, what the message says,
//! and buttons. With the app's signing secret, or over a connection that we keep open to Slack (`slack_socket`), the buttons call
//! back (`slack_back`), and what is over is shown as over by `chat.update`; without either they are links.
//!
//! Slack answers 200 to nearly everything, and says in `ok` whether it did it. It knows no id of ours: what may have arrived
//! already says so below its title. Text from outside stands in `plain_text` alone, where Slack reads no signs; in the line for
//! notifications, where it does, it is escaped.
//!
//! Deliberately not here: a Slack channel for each incident, and threads.

use std::fmt;

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits};
use allclear_domain::ids::MessageId;
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{
    Channel, Listens, Message, Method, NoticeKind, Outcome, Replies, Reply, Request, Response, Retired, Step, Target,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::Answer;
use super::plain::inert;
use super::setting::{BadSetting, bad, listed};
use super::wording::{Words, cut_bytes, fitted, one_line, retired_title};

/// Where Slack is.
pub const URL_DEFAULT: &str = "https://slack.com/api";
/// The setting without which nothing is sent.
pub const SETTING: &str = "--slack-token";
/// Longest title, in characters: what a `header` block takes.
const TITLE_CHARS_MAX: usize = 150;
/// Longest text, in bytes: a `section` takes 3,000 characters, and none of those has less than a byte.
const TEXT_BYTES_MAX: usize = 2_900;
/// Longest line for notifications, in characters, before it is escaped.
const LINE_CHARS_MAX: usize = 250;
/// Longest body, in bytes: far less than Slack takes, and more than the parts above ever need.
const BODY_BYTES_MAX: usize = 24_000;
/// Buttons beneath a message.
const BUTTONS_MAX: usize = 3;
/// Longest address of a button, in characters: Slack takes no longer one.
const URL_CHARS_MAX: usize = 3_000;
/// Characters of a token; those of bots have some 60, those of apps some 100.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 16..=256;
/// Characters of a signing secret; Slack's have 32.
const SIGNING_LEN: std::ops::RangeInclusive<usize> = 16..=128;
/// Signing secrets at once: the one that is used, and the one before or after it while it is being changed.
const SIGNINGS_MAX: usize = 2;
/// Characters of an ID of Slack; today's have 9 to 11.
const ID_LEN: std::ops::RangeInclusive<usize> = 6..=32;
/// Characters of a message's time stamp, which names it in its channel; Slack's have 17.
const TS_LEN_MAX: usize = 32;

/// The channel's name, and the key of its address.
pub(super) const NAME: &str = "slack";
/// Whoever answers, in a sentence.
pub(super) const VENDOR: &str = "Slack";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Slack member or channel",
    id_example: "slack",
    fields: &[Field {
        key: NAME,
        label: "Member or channel ID",
        hint: "Of a person, from their profile (Copy member ID); or of a channel that the app is in, from its details.",
        shape: "U…",
        example: "U012AB3CD",
        needed: true,
        kept: Kept::Plain,
        check: check_id,
    }],
    carriage: Carriage::Vendor { name: VENDOR, setting: SETTING },
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(TEXT_BYTES_MAX), text_chars: None, buttons: BUTTONS_MAX },
};

fn check_id(given: &str) -> Result<(), String> {
    if is_id(given) {
        return Ok(());
    }
    let shown: String = given.chars().filter(|c| !c.is_control()).take(32).collect();
    Err(format!(
        "`{shown}` is no ID of Slack: a member's begins with `U` or `W` and a channel's with `C` or `G`, in capitals and digits, as in \
         `U012AB3CD`; a profile has it under *Copy member ID*"
    ))
}

/// A member's (`U`, `W`) or a channel's (`C`, `G`; `D` is a chat between two).
fn is_id(given: &str) -> bool {
    ID_LEN.contains(&given.len())
        && given.starts_with(['U', 'W', 'C', 'G', 'D'])
        && given.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Whether a token has no other signs than those of Slack have.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether an address is a place that several read, and no person.
pub(super) fn is_shared(id: &str) -> bool {
    id.starts_with(['C', 'G'])
}

/// An app in a workspace of Slack, as the settings say it.
#[derive(Clone)]
pub struct Workspace {
    /// Without a slash at the end.
    pub(super) url: String,
    /// Of the app's bot.
    token: String,
    /// What Slack signs with: one, or two while it is changed; none where nothing comes back.
    pub(super) signing: Vec<String>,
    /// The app's own token, where a connection is kept open.
    pub(super) app: Option<String>,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("url", &self.url).field("hears", &self.hears()).finish_non_exhaustive()
    }
}

impl Workspace {
    /// A workspace of these settings; without a signing secret nothing is posted back from it.
    ///
    /// # Errors
    /// The first that does not read.
    pub fn read(url: &str, token: &str, signing: &str) -> Result<Self, BadSetting> {
        let url = url.trim().trim_end_matches('/');
        if let Some(fault) = url_fault(url) {
            return Err(bad("slack-url", format!("it {fault}; write it as in `{URL_DEFAULT}`")));
        }
        if url.contains(['?', '#', '@']) {
            return Err(bad("slack-url", format!("it is more than a host and a path; write it as in `{URL_DEFAULT}`")));
        }
        let token = token.trim();
        if !TOKEN_LEN.contains(&token.len()) || !is_plain(token) {
            return Err(bad(
                "slack-token",
                "it is no token of a bot; the app has it under *OAuth & Permissions*, and it begins with `xoxb-`",
            ));
        }
        let signing: Vec<String> = listed(signing).map(ToOwned::to_owned).collect();
        if signing.len() > SIGNINGS_MAX || !signing.iter().all(|one| SIGNING_LEN.contains(&one.len()) && is_plain(one)) {
            let want = "it is no signing secret; the app has it under *Basic Information*; while it is being changed, write the new one, a \
                        comma, and the one before";
            return Err(bad("slack-signing-secret", want));
        }
        Ok(Self { url: url.to_owned(), token: token.to_owned(), signing, app: None })
    }

    /// The same with a connection to it, by the app's own token.
    ///
    /// # Errors
    /// Where that does not read.
    pub fn listening(self, app: &str) -> Result<Self, BadSetting> {
        let app = app.trim();
        if !TOKEN_LEN.contains(&app.len()) || !is_plain(app) || !app.starts_with("xapp-") {
            let want = "it is no token of an app; the app has it under *Basic Information*, *App-Level Tokens*, with the scope                         `connections:write`, and it begins with `xapp-`";
            return Err(bad("slack-app-token", want));
        }
        Ok(Self { app: Some(app.to_owned()), ..self })
    }

    /// Whether buttons call back.
    fn hears(&self) -> bool {
        !self.signing.is_empty() || self.app.is_some()
    }

    /// A request for a method of the Web API.
    fn ask(&self, method: &str, body: Vec<u8>) -> Request {
        Request::Http {
            method: Method::Post,
            url: format!("{}/{method}", self.url),
            headers: vec![
                ("content-type", "application/json; charset=utf-8".to_owned()),
                ("authorization", format!("Bearer {}", self.token)),
            ],
            body,
        }
    }

    /// A line that one member reads, in a chat that others may read as well.
    pub(super) fn whisper(&self, channel: &str, member: &str, words: &str) -> Request {
        let mut body = said(words);
        body["channel"] = channel.into();
        body["user"] = member.into();
        self.ask("chat.postEphemeral", body.to_string().into_bytes())
    }
}

/// The channel.
#[derive(Debug)]
pub struct Slack {
    pub(super) workspace: Option<Workspace>,
}

/// Text from outside where Slack may read signs: what would call somebody or lead somewhere reads as it came. Signs that make
/// something bold are turned off beside it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

/// Text from outside in `plain_text`, which reads no signs; that `<` opens nothing holds whatever Slack makes of it.
fn plain(text: &str) -> String {
    inert(text).replace('<', "<\u{200b}")
}

/// A message of these words alone.
pub(super) fn said(words: &str) -> Value {
    json!({"text": escaped(words), "mrkdwn": false, "blocks": [section(&cut_bytes(&plain(words), TEXT_BYTES_MAX))]})
}

fn header(title: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": one_line(&plain(title), TITLE_CHARS_MAX), "emoji": false}})
}

fn section(text: &str) -> Value {
    // A text of nothing is refused.
    let text = if text.is_empty() { "…" } else { text };
    json!({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": false}})
}

fn link(id: MessageId, label: &str, url: &str) -> Option<Value> {
    (url.chars().count() <= URL_CHARS_MAX).then(|| {
        json!({
            "type": "button", "action_id": OPEN, "value": id.to_string(), "url": url,
            "text": {"type": "plain_text", "text": label, "emoji": false}
        })
    })
}

/// Two buttons of one message may not have the same name.
fn unlike(button: Option<Value>, at: usize) -> Option<Value> {
    let mut button = button?;
    if at > 0 {
        button["action_id"] = format!("{OPEN}-{at}").into();
    }
    Some(button)
}

/// The word of a button that only leads somewhere: Slack tells of it as well.
pub(super) const OPEN: &str = "open";

/// The buttons of a message: those that call back where something is asked and heard, and a link.
fn buttons(message: &Message, words: &Words, hears: bool) -> Vec<Value> {
    let asked = match message.notices.first().map(|notice| notice.kind) {
        Some(NoticeKind::Page) if message.notices.len() > 1 => Some(("Acknowledge all", "Pass all on")),
        Some(NoticeKind::Page) => Some(("Acknowledge", "Pass it on")),
        Some(NoticeKind::Drill) => Some(("Acknowledge the drill", "Pass it on")),
        Some(NoticeKind::StillOnIt) => Some(("I am still on it", "I am not")),
        Some(
            NoticeKind::ConfirmRecovery
            | NoticeKind::Reminder
            | NoticeKind::Update
            | NoticeKind::Request
            | NoticeKind::Over
            | NoticeKind::Step
            | NoticeKind::Readiness
            | NoticeKind::Note
            | NoticeKind::Shift
            | NoticeKind::Code,
        )
        | None => None,
    };
    let Some((yes, no)) = asked.filter(|_| hears) else {
        return words
            .links()
            .iter()
            .take(BUTTONS_MAX)
            .enumerate()
            .filter_map(|(at, one)| unlike(link(message.id, one.label, &one.href), at))
            .collect();
    };
    let button = |label: &str, reply: Reply, style: Option<&str>| {
        let mut button = json!({
            "type": "button", "action_id": reply.word(), "value": message.id.to_string(),
            "text": {"type": "plain_text", "text": label, "emoji": false}
        });
        if let Some(style) = style {
            button["style"] = style.into();
        }
        button
    };
    let mut all = vec![button(yes, Reply::Acknowledge, Some("primary")), button(no, Reply::Decline, None)];
    // The page behind the message's link needs no sign-in; the incident's does.
    let open = words.button().map(|button| button.href).or_else(|| words.page().map(ToOwned::to_owned));
    all.extend(open.and_then(|url| link(message.id, "Open", &url)));
    all
}

impl Slack {
    /// Messages of this workspace.
    #[must_use]
    pub fn new(workspace: Option<&Workspace>) -> Self {
        Self { workspace: workspace.cloned() }
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(&self, message: &Message, target: &Target) -> Result<Request, String> {
        let to = target.address.get(NAME).ok_or("the contact is no Slack member or channel")?;
        check_id(to)?;
        let workspace = self.workspace.as_ref().ok_or_else(|| format!("no {SETTING} is set"))?;
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        let keys = buttons(message, &words, workspace.hears());
        let body = fitted(TEXT_BYTES_MAX, BODY_BYTES_MAX, |room| {
            // What breaks signs has bytes as well.
            let mut cut = room;
            let said = loop {
                let said = plain(&words.short(cut));
                if said.len() <= room || cut == 0 {
                    break said;
                }
                cut = cut * room / said.len();
            };
            let mut blocks = vec![header(&words.subject), section(&said)];
            if !keys.is_empty() {
                blocks.push(json!({"type": "actions", "elements": keys}));
            }
            let body = json!({
                "channel": to,
                "text": escaped(&one_line(&words.subject, LINE_CHARS_MAX)),
                "mrkdwn": false,
                "blocks": blocks,
                // Slack would read the first link to show what is behind it, and a link to us is for one person.
                "unfurl_links": false,
                "unfurl_media": false,
            });
            serde_json::to_vec(&body)
        })?;
        Ok(workspace.ask("chat.postMessage", body))
    }
}

/// The errors after which the same may be asked again, and whether it may have been done all the same.
pub(super) const PASSING: &[(&str, bool)] = &[
    ("ratelimited", false),
    ("rate_limited", false),
    ("message_limit_exceeded", false),
    ("service_unavailable", false),
    ("team_added_to_org", false),
    ("request_timeout", true),
    ("internal_error", true),
    ("fatal_error", true),
];
/// The errors that are of the app and not of whom it writes to.
pub(super) const OF_THE_APP: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "not_allowed_token_type",
    "no_permission",
    "ekm_access_denied",
    "org_login_required",
];

/// What an error says to whoever reads the log.
fn hint(error: &str) -> &'static str {
    match error {
        "channel_not_found" => ": nobody and no channel of this workspace has the contact's ID, or the app is not in it",
        "not_in_channel" => ": invite the app to the channel",
        "is_archived" => ": the channel is archived",
        "user_is_bot" | "user_is_restricted" | "cannot_dm_bot" | "user_disabled" => ": the app cannot write to this member",
        error if OF_THE_APP.contains(&error) => "; compare --slack-token with the app, and its scopes with the guide",
        _ => "",
    }
}

/// What an answer means: `{"ok":true,"channel":"D…","ts":"…",…}`, or `{"ok":false,"error":"…"}`.
fn outcome(response: &Response) -> Outcome {
    let answer = match Answer::of(response, VENDOR) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    let said = answer.healed();
    // Wherever it stands: nobody promises that it comes first.
    let is_ok = said["ok"].as_bool().or_else(|| answer.begins_with("ok").map(|rest| rest.starts_with("true")));
    let error = said["error"].as_str().map(|error| one_line(error, 60));
    match (answer.status, is_ok) {
        (200..=299, Some(true)) => answer.delivered(place_of(&said).as_deref()),
        (200..=299, None) => answer.strange(VENDOR),
        // It says by its status, as 429 with the time to wait, or one in between did.
        (..200 | 300.., _) => answer.refused(error.as_deref()),
        (200..=299, Some(false)) => {
            let error = error.unwrap_or_else(|| "it did not say why".to_owned());
            match PASSING.iter().find(|(own, _)| *own == error) {
                Some((_, maybe_arrived)) => answer.retry(Some(&error), *maybe_arrived),
                None => answer.rejected(&format!("{error}{}", hint(&error))),
            }
        }
    }
}

/// Where a message stands: its channel and its time stamp, with a slash between.
fn place_of(said: &Value) -> Option<String> {
    let (channel, ts) = (said["channel"].as_str()?, said["ts"].as_str()?);
    (is_id(channel) && is_ts(ts)).then(|| format!("{channel}/{ts}"))
}

fn is_ts(ts: &str) -> bool {
    (1..=TS_LEN_MAX).contains(&ts.len()) && ts.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// The place that a delivery's words end with.
fn place_in(receipt: &str) -> Option<(&str, &str)> {
    let (channel, ts) = receipt.rsplit(' ').next()?.split_once('/')?;
    (is_id(channel) && is_ts(ts)).then_some((channel, ts))
}

impl Channel for Slack {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        self.request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        self.workspace.as_ref().filter(|workspace| workspace.hears()).map(|_| self as &dyn Replies)
    }

    fn listens(&self) -> Option<&dyn Listens> {
        self.workspace.as_ref().filter(|workspace| workspace.app.is_some()).map(|_| self as &dyn Listens)
    }

    fn lacks(&self) -> Option<&'static str> {
        self.workspace.is_none().then_some(SETTING)
    }

    fn retires(&self) -> bool {
        self.workspace.is_some()
    }

    fn retire(&self, sent: &Retired<'_>) -> Option<Request> {
        let workspace = self.workspace.as_ref()?;
        let (channel, ts) = place_in(sent.receipt)?;
        let title = retired_title(sent.notice, sent.several);
        let title = one_line(&title, LINE_CHARS_MAX);
        let mut blocks = vec![header(&title), section(&plain(&one_line(sent.says, LINE_CHARS_MAX)))];
        if let Some(open) = link(sent.id, "Open", sent.incident_url) {
            blocks.push(json!({"type": "actions", "elements": [open]}));
        }
        let text = format!("{}: {}", escaped(&title), escaped(sent.says));
        let body = json!({"channel": channel, "ts": ts, "text": text, "mrkdwn": false, "blocks": blocks});
        Some(workspace.ask("chat.update", body.to_string().into_bytes()))
    }

    fn secrets(&self) -> Vec<&str> {
        let own = self.workspace.iter();
        own.flat_map(|own| std::iter::once(&own.token).chain(&own.signing).chain(&own.app)).map(String::as_str).collect()
    }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
pub(crate) mod tests;
