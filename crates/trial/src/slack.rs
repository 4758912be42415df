//! A workspace of Slack: it takes what an app asks of the Web API as Slack does, refuses what Slack refuses, keeps the messages
//! and changes them, and presses buttons and types lines as its members would: posted and signed with the app's signing secret, or
//! over the connections of Socket Mode that the app has opened (`slack_socket`).
//!
//! The limits of Block Kit are those of its reference; what is said of a member is not looked at beyond its ID.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fake::{Answer, Came, Fake, form};
use crate::slack_socket::Sockets;
use crate::world::{Setup, World, client};

/// The variables of the app's secrets.
pub const VARIABLES: [&str; 3] = ["ALLCLEAR_SLACK_TOKEN", "ALLCLEAR_SLACK_SIGNING_SECRET", "ALLCLEAR_SLACK_APP_TOKEN"];
/// The bot's token.
pub const TOKEN: &str = "xoxb-trial-0123456789-abcdefghij";
/// The app's own.
pub const APP_TOKEN: &str = "xapp-1-A0001-0123456789-abcdefghij";
/// What requests are signed with.
pub const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// A message as members see it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The channel, or the chat with a member.
    pub channel: String,
    /// Whom it was for, as it was asked.
    pub to: String,
    /// What names it there.
    pub ts: String,
    /// The line of notifications.
    pub text: String,
    /// What is seen.
    pub blocks: Vec<Value>,
    /// How often it was changed.
    pub changed: usize,
}

impl Shown {
    /// Everything that is read in it.
    #[must_use]
    pub fn words(&self) -> String {
        self.blocks.iter().filter_map(|block| block["text"]["text"].as_str()).collect::<Vec<_>>().join("\n")
    }
    /// A button by its name.
    #[must_use]
    pub fn button(&self, action: &str) -> Option<&Value> {
        self.blocks.iter().filter_map(|block| block["elements"].as_array()).flatten().find(|one| one["action_id"] == action)
    }
}

/// A line that one member alone saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whispered {
    /// Where.
    pub channel: String,
    /// To whom.
    pub user: String,
    /// What.
    pub text: String,
}

#[derive(Default)]
struct State {
    shown: Vec<Shown>,
    whispered: Vec<Whispered>,
    /// Errors of what is for these IDs.
    errors: BTreeMap<String, String>,
    /// What was posted to a line's `response_url`.
    later: Vec<Value>,
    /// Where connections are opened; nothing before somebody listens.
    sockets: Option<Sockets>,
}

/// A running workspace.
#[derive(Clone)]
pub struct Slack {
    /// The server, for scripts.
    pub fake: Fake,
    state: Arc<Mutex<State>>,
    client: reqwest::Client,
}

/// What the program answered.
#[derive(Debug, Clone)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
    /// The words of an answer to a line.
    pub says: String,
}

impl Slack {
    /// Listens on a free port of this machine.
    pub async fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = Arc::clone(&state);
        let fake = Fake::start(move |came| answer(came, &mut own.lock().unwrap_or_else(PoisonError::into_inner))).await;
        Self { fake, state, client: client() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A world whose program has the app.
    #[must_use]
    pub fn carries(&self, setup: Setup) -> Setup {
        let url = format!("{}/api", self.fake.url());
        setup.args(&["--slack-url", &url]).env(VARIABLES[0], TOKEN).env(VARIABLES[1], SIGNING)
    }

    /// A world whose program has the app, hears by Socket Mode, and is posted to by nobody.
    pub async fn listens(&self, setup: Setup) -> Setup {
        let url = format!("{}/api", self.fake.url());
        let sockets = Sockets::start().await;
        self.state().sockets = Some(sockets);
        setup.args(&["--slack-url", &url]).env(VARIABLES[0], TOKEN).env(VARIABLES[2], APP_TOKEN)
    }

    /// The connections of Socket Mode.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    pub fn sockets(&self) -> Sockets {
        self.state().sockets.clone().expect("somebody listens")
    }

    /// What was posted to a line's `response_url`, in its order.
    #[must_use]
    pub fn later(&self) -> Vec<Value> {
        self.state().later.clone()
    }

    /// From now on what is for this ID is refused with this error; none takes that back.
    pub fn refuses(&self, id: &str, error: Option<&str>) {
        match error {
            Some(error) => self.state().errors.insert(id.to_owned(), error.to_owned()),
            None => self.state().errors.remove(id),
        };
    }

    /// The messages that were for this ID, as they are now, in their order.
    #[must_use]
    pub fn shown(&self, to: &str) -> Vec<Shown> {
        self.state().shown.iter().filter(|one| one.to == to).cloned().collect()
    }

    /// What was whispered, in its order.
    #[must_use]
    pub fn whispered(&self) -> Vec<Whispered> {
        self.state().whispered.clone()
    }

    /// Somebody presses a button of a message.
    ///
    /// # Panics
    /// When the message has no such button, or no answer comes.
    pub async fn press(&self, world: &World, message: &Shown, action: &str, by: &str) -> Told {
        let button = message.button(action).expect("the button is there").clone();
        self.post(world, &payload(message, &button, by)).await
    }

    /// Somebody types a line behind `/allclear`.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn types(&self, world: &World, by: &str, words: &str) -> Told {
        self.post(world, &typed(by, words)).await
    }

    /// Posts a body, signed now.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post(&self, world: &World, body: &str) -> Told {
        self.post_at(world, body, 0, SIGNING).await
    }

    /// The same, signed so many seconds from now, with another secret.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post_at(&self, world: &World, body: &str, seconds: i64, secret: &str) -> Told {
        let time = (world.now().await.as_second() + seconds).to_string();
        self.post_signed(&world.at("/reply/slack"), body, &time, &signature(secret, &time, body)).await
    }

    /// The same with these headers.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post_signed(&self, at: &str, body: &str, time: &str, signature: &str) -> Told {
        let request = self.client.post(at).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("x-slack-request-timestamp", time).header("x-slack-signature", signature).body(body.to_owned());
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a whole answer");
        let says = serde_json::from_str::<Value>(&text).ok().and_then(|said| said["blocks"][0]["text"]["text"].as_str().map(str::to_owned));
        Told { status, says: says.unwrap_or_default(), text }
    }
}

/// The form of a button that was pressed.
#[must_use]
pub fn payload(message: &Shown, button: &Value, by: &str) -> String {
    form(&[("payload", &pressed(message, button, by).to_string())])
}

/// The payload of a button that was pressed.
#[must_use]
pub fn pressed(message: &Shown, button: &Value, by: &str) -> Value {
    json!({
        "type": "block_actions",
        "user": {"id": by, "username": "somebody", "team_id": "T0001"},
        "api_app_id": "A0001",
        "token": "legacy",
        "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": false},
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "team": {"id": "T0001", "domain": "trial"},
        "channel": {"id": message.channel, "name": "directmessage"},
        "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks},
        "response_url": "https://hooks.slack.com/actions/T0001/1/x",
        "actions": [{
            "action_id": button["action_id"], "block_id": "b", "value": button["value"], "type": "button", "text": button["text"],
            "action_ts": "1548426417.840180"
        }]
    })
}

/// The form of a line that was typed; each is an invocation of its own.
#[must_use]
pub fn typed(by: &str, words: &str) -> String {
    let fields = invocation(by, words, "https://hooks.slack.com/commands/T0001/1/x");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields: Vec<(String, String)> = fields.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect();
    form(&fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

/// The payload of a line that was typed, which is answered later at this address.
#[must_use]
pub fn invocation(by: &str, words: &str, response_url: &str) -> Value {
    static INVOCATIONS: AtomicU64 = AtomicU64::new(1);
    let trigger = format!("13345224609.{}.8088930838d88f008e0", INVOCATIONS.fetch_add(1, Ordering::Relaxed));
    // As Slack escapes what is typed.
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({
        "command": "/allclear", "text": words, "user_id": by, "user_name": "somebody", "channel_id": "C0GENERAL", "team_id": "T0001",
        "trigger_id": trigger, "response_url": response_url, "is_enterprise_install": "false"
    })
}

/// As Slack signs.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn signature(secret: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("v0:{time}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={digits}")
}

/// An address for one connection, for the app's own token.
fn opened(came: &Came, state: &State) -> Answer {
    if came.header("authorization") == format!("Bearer {TOKEN}") {
        return no("not_allowed_token_type");
    }
    if came.header("authorization") != format!("Bearer {APP_TOKEN}") {
        return no("invalid_auth");
    }
    match (state.errors.get("apps.connections.open"), &state.sockets) {
        (Some(error), _) => no(error),
        (None, Some(sockets)) => Answer::json(200, &json!({"ok": true, "url": sockets.ticket()})),
        (None, None) => no("socket_mode_is_off"),
    }
}

fn no(error: &str) -> Answer {
    Answer::json(200, &json!({"ok": false, "error": error, "response_metadata": {"messages": [format!("[ERROR] {error}")]}}))
}

fn answer(came: &Came, state: &mut State) -> Answer {
    if came.path.starts_with("/hooks/") {
        state.later.push(came.json());
        return Answer::json(200, &json!({"ok": true}));
    }
    if came.path == "/api/apps.connections.open" {
        return opened(came, state);
    }
    if came.header("authorization") != format!("Bearer {TOKEN}") {
        return no("invalid_auth");
    }
    let asked = came.json();
    let Some(method) = came.path.strip_prefix("/api/").filter(|_| came.method == "POST" && asked.is_object()) else {
        return no("unknown_method");
    };
    let channel = asked["channel"].as_str().unwrap_or_default().to_owned();
    if channel.is_empty() {
        return no("channel_not_found");
    }
    if let Some(error) = state.errors.get(&channel) {
        return no(error);
    }
    if let Some(error) = wrong_blocks(&asked) {
        return Answer::json(200, &json!({"ok": false, "error": "invalid_blocks", "errors": [error]}));
    }
    let text = asked["text"].as_str().unwrap_or_default().to_owned();
    let blocks = asked["blocks"].as_array().cloned().unwrap_or_default();
    if text.is_empty() {
        return no("no_text");
    }
    match method {
        "chat.postMessage" => {
            // A member's chat with the app has an ID of its own.
            let place = if channel.starts_with(['U', 'W']) { format!("D{}", &channel[1..]) } else { channel.clone() };
            let ts = format!("1795230{:03}.000100", state.shown.len());
            let said = json!({"ok": true, "channel": place, "ts": ts, "message": {"type": "message", "text": text, "blocks": blocks}});
            state.shown.push(Shown { channel: place, to: channel, ts, text, blocks, changed: 0 });
            Answer::json(200, &said)
        }
        "chat.update" => match state.shown.iter_mut().find(|one| one.channel == channel && asked["ts"] == one.ts.as_str()) {
            Some(found) => {
                found.text = text;
                found.blocks = blocks;
                found.changed += 1;
                Answer::json(200, &json!({"ok": true, "channel": channel, "ts": found.ts, "text": found.text}))
            }
            None => no("message_not_found"),
        },
        "chat.postEphemeral" => {
            let user = asked["user"].as_str().unwrap_or_default().to_owned();
            if user.is_empty() {
                return no("user_not_in_channel");
            }
            let read = blocks.first().and_then(|block| block["text"]["text"].as_str()).unwrap_or(&text).to_owned();
            state.whispered.push(Whispered { channel, user, text: read });
            Answer::json(200, &json!({"ok": true, "message_ts": "1502210682.580145"}))
        }
        _ => no("unknown_method"),
    }
}

/// What Slack would find wrong with the blocks of a message.
fn wrong_blocks(asked: &Value) -> Option<String> {
    let blocks = asked["blocks"].as_array()?;
    let length = |value: &Value| value.as_str().map_or(usize::MAX, |text| text.chars().count());
    let fits = |value: &Value, most: usize| (1..=most).contains(&length(value));
    let is_text = |value: &Value, most: usize| value["type"] == "plain_text" && fits(&value["text"], most);
    let mut actions = Vec::new();
    for block in blocks {
        let fine = match block["type"].as_str() {
            Some("header") => is_text(&block["text"], 150),
            Some("section") => is_text(&block["text"], 3_000),
            Some("actions") => block["elements"].as_array().is_some_and(|all| {
                (1..=25).contains(&all.len())
                    && all.iter().all(|one| {
                        actions.push(one["action_id"].clone());
                        one["type"] == "button"
                            && is_text(&one["text"], 75)
                            && fits(&one["action_id"], 255)
                            && (one["value"].is_null() || fits(&one["value"], 2_000))
                            && (one["url"].is_null() || fits(&one["url"], 3_000))
                            && (one["style"].is_null() || one["style"] == "primary" || one["style"] == "danger")
                    })
            }),
            _ => false,
        };
        if !fine {
            return Some(format!("must be a block: {block}"));
        }
    }
    let twice = actions.iter().enumerate().any(|(at, one)| actions[..at].contains(one));
    (blocks.len() > 50 || twice).then(|| "too many blocks, or an action_id twice".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_slacks_documentation_does() {
        let body = "token=x&command=%2Fincident&text=declare";
        assert_eq!(signature(SIGNING, "1531420618", body), "v0=5e1f6e2b850e7949dffd173c491037efdc649af933d16a166be86201aff3e1d2");
    }

    #[test]
    fn it_refuses_what_slack_refuses() {
        let mut state = State::default();
        let ask = |method: &str, body: Value, token: &str, state: &mut State| {
            let headers =
                [("authorization".to_owned(), format!("Bearer {token}")), ("content-type".to_owned(), "application/json".to_owned())];
            let came = Came {
                method: "POST".into(),
                path: format!("/api/{method}"),
                headers: headers.into(),
                body: body.to_string(),
                answered: 0,
                ..Came::default()
            };
            serde_json::from_str::<Value>(&answer(&came, state).body).unwrap()
        };
        let text = |text: &str| json!({"type": "plain_text", "text": text});
        let fine = json!({"channel": "U1", "text": "x", "blocks": [{"type": "header", "text": text("x")}]});
        assert_eq!(ask("chat.postMessage", fine.clone(), "other", &mut state)["error"], "invalid_auth");
        assert_eq!(ask("chat.postMessage", fine, TOKEN, &mut state)["channel"], "D1");
        for block in [
            json!({"type": "header", "text": text(&"x".repeat(151))}),
            json!({"type": "section", "text": text("")}),
            json!({"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}}),
            json!({"type": "carousel"}),
        ] {
            let asked = json!({"channel": "U1", "text": "x", "blocks": [block]});
            assert_eq!(ask("chat.postMessage", asked, TOKEN, &mut state)["error"], "invalid_blocks");
        }
        assert_eq!(ask("chat.update", json!({"channel": "D1", "ts": "1", "text": "x"}), TOKEN, &mut state)["error"], "message_not_found");
    }
}
