//! The way back from Slack where Slack cannot reach us: Socket Mode (<https://docs.slack.dev/apis/events-api/using-socket-mode>).
//!
//! With an app-level token (`xapp-…`) Slack gives an address for a WebSocket (`apps.connections.open`), sends over it what it would
//! post, each in an envelope with an id, and takes that id back as the receipt, with the answer to a line beside it. What is in an
//! envelope is read as the body of the same request (`slack_back`), so that one path decides what follows; it needs no signature,
//! since we opened the connection. An address is good for one connection and some hours: before Slack ends one it says so.
//!
//! Slack gives each envelope to one of the connections that an app has open, ten at most; one that is not taken may come again over
//! another.

use allclear_domain::wire::{Envelope, Frame, Listens, NotOpened, OwnAnswer, Request, Response};
use serde_json::{Value, json};

use super::form::form;
use super::slack::{OF_THE_APP, PASSING, Slack, VENDOR};
use super::wording::one_line;

/// Longest address of a connection, in characters; Slack's have some 250.
const ADDRESS_CHARS_MAX: usize = 2_000;
/// Longest id of an envelope, in characters; Slack's have 36.
const ENVELOPE_CHARS_MAX: usize = 128;
/// Errors of `apps.connections.open` that pass by themselves, beside those of every method.
const TOO_MANY: &str = "too_many_websockets";

fn wrong(why: impl Into<String>) -> NotOpened {
    NotOpened { why: why.into(), after: None, is_lasting: false }
}

impl Listens for Slack {
    fn ask(&self) -> Request {
        let (workspace, app) = (self.workspace.as_ref(), self.workspace.as_ref().and_then(|own| own.app.as_deref()));
        // Nobody asks a channel that does not listen.
        let url = workspace.map(|own| own.url.as_str()).unwrap_or_default();
        Request::Http {
            method: allclear_domain::wire::Method::Post,
            url: format!("{url}/apps.connections.open"),
            headers: vec![
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("authorization", format!("Bearer {}", app.unwrap_or_default())),
            ],
            body: Vec::new(),
        }
    }

    fn address(&self, response: &Response) -> Result<String, NotOpened> {
        let (status, after, body) = match response {
            Response::Http { status, retry_after, body } => (*status, *retry_after, body),
            Response::Failed { why, .. } | Response::Busy { why } => return Err(wrong(why.clone())),
            Response::Smtp { .. } => return Err(wrong("it was not asked over HTTP")),
        };
        let said: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        if said["ok"] != true {
            let error = said["error"].as_str().map(|error| one_line(error, 60));
            let passes = |error: &str| PASSING.iter().any(|(own, _)| *own == error) || error == TOO_MANY;
            let is_lasting = error.as_deref().is_some_and(|error| !passes(error)) && (200..=299).contains(&status);
            let hint = match error.as_deref() {
                Some(error) if OF_THE_APP.contains(&error) || error == "not_allowed_token_type" => {
                    ": compare --slack-app-token with the app, which has it under Basic Information, App-Level Tokens, with the scope \
                     connections:write"
                }
                Some(TOO_MANY) => ": ten connections of this app are open already",
                Some(_) if is_lasting => ": look whether Socket Mode is on in the app",
                Some(_) | None => "",
            };
            let error = error.unwrap_or_else(|| format!("{VENDOR} did not say why"));
            return Err(NotOpened { why: format!("HTTP {status}: {error}{hint}"), after, is_lasting });
        }
        let address = said["url"].as_str().unwrap_or_default();
        // As secret as what is asked itself: in the clear only where that is.
        let in_the_clear = self.workspace.as_ref().is_some_and(|own| own.url.starts_with("http://"));
        let is_one = address.starts_with("wss://") || (in_the_clear && address.starts_with("ws://"));
        if !is_one || address.chars().count() > ADDRESS_CHARS_MAX {
            return Err(wrong(format!("HTTP {status}: {VENDOR} gave no address that a connection can be opened at")));
        }
        Ok(address.to_owned())
    }

    fn frame(&self, text: &str) -> Frame {
        let Ok(said) = serde_json::from_str::<Value>(text) else { return Frame::Nothing };
        let kind = said["type"].as_str().unwrap_or_default();
        match kind {
            "hello" => return Frame::Ready,
            "disconnect" => {
                let reason = said["reason"].as_str().map(|reason| one_line(reason, 60)).unwrap_or_default();
                return match reason.as_str() {
                    "link_disabled" => Frame::Refused { why: format!("{reason}: Socket Mode was turned off in the app") },
                    // `warning`: in some ten seconds; `refresh_requested`: about now.
                    _ => Frame::Leaving { why: reason },
                };
            }
            _ => {}
        }
        let id = said["envelope_id"].as_str().unwrap_or_default();
        let is_id = (1..=ENVELOPE_CHARS_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control);
        if !is_id {
            return Frame::Nothing;
        }
        let payload = &said["payload"];
        let body = match (kind, payload) {
            // As they are posted: a line as a form, a button as a form with one field, an event as it is.
            ("slash_commands", Value::Object(fields)) => {
                let fields: Vec<(&str, &str)> = fields.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
                form(&fields)
            }
            ("interactive", payload) => form(&[("payload", &payload.to_string())]),
            (_, payload) => payload.to_string().into_bytes(),
        };
        Frame::Brought(Envelope { id: id.to_owned(), body, takes_answer: said["accepts_response_payload"] == true })
    }

    fn taken(&self, envelope: &Envelope, answer: Option<&OwnAnswer>) -> String {
        let mut receipt = json!({"envelope_id": envelope.id});
        let answer = answer.filter(|_| envelope.takes_answer).and_then(|own| serde_json::from_str::<Value>(&own.body).ok());
        if let Some(answer) = answer.filter(Value::is_object) {
            receipt["payload"] = answer;
        }
        receipt.to_string()
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::time::Length;
    use allclear_domain::wire::{Channel as _, Line, Replies as _, ReplyRequest, Told};

    use super::*;
    use crate::outbound::slack::Workspace;
    use crate::outbound::slack::tests::workspace;

    fn slack() -> Slack {
        Slack::new(Some(&workspace().listening("xapp-1-A01-hush-hush").unwrap()))
    }

    fn answered(status: u16, body: &str) -> Result<String, NotOpened> {
        slack().address(&Response::Http { status, retry_after: Some(Length::from_secs(7)), body: body.to_owned() })
    }

    #[test]
    fn a_connection_is_asked_for_with_the_apps_own_token() {
        let Request::Http { url, headers, .. } = slack().ask() else { panic!("over HTTP") };
        assert_eq!(url, "https://slack.example/api/apps.connections.open");
        assert!(headers.contains(&("authorization", "Bearer xapp-1-A01-hush-hush".to_owned())), "{headers:?}");
        let url = "wss://wss-primary.slack.com/link/?ticket=t&app_id=a";
        assert_eq!(answered(200, &format!(r#"{{"ok":true,"url":"{url}"}}"#)).as_deref(), Ok(url));
        for (status, body, lasting, why) in [
            (200, r#"{"ok":false,"error":"invalid_auth"}"#, true, "--slack-app-token"),
            (200, r#"{"ok":false,"error":"not_allowed_token_type"}"#, true, "--slack-app-token"),
            (200, r#"{"ok":false,"error":"something_new"}"#, true, "Socket Mode"),
            (200, r#"{"ok":false,"error":"too_many_websockets"}"#, false, "ten"),
            (429, r#"{"ok":false,"error":"ratelimited"}"#, false, "ratelimited"),
            (200, r#"{"ok":false,"error":"internal_error"}"#, false, "internal_error"),
            (200, r#"{"ok":true,"url":"ws://in-the-clear.example/"}"#, false, "no address"),
            (200, r#"{"ok":true,"url":"https://slack.example/"}"#, false, "no address"),
            (200, "<!doctype html>", false, "did not say why"),
            (503, "", false, "503"),
        ] {
            let not = answered(status, body).unwrap_err();
            assert!(not.is_lasting == lasting && not.why.contains(why), "{body}: {not:?}");
        }
        assert_eq!(answered(429, r#"{"ok":false,"error":"ratelimited"}"#).unwrap_err().after, Some(Length::from_secs(7)));
        let local = Workspace::read("http://127.0.0.1:1/api", "xoxb-1234567890-abcdef", "").unwrap().listening("xapp-1-A01-hush-hush");
        let local = Slack::new(Some(&local.unwrap()));
        let response = Response::Http { status: 200, retry_after: None, body: r#"{"ok":true,"url":"ws://127.0.0.1:2/l"}"#.into() };
        assert!(local.address(&response).is_ok() && local.replies().is_some() && local.listens().is_some(), "without a signing secret");
        assert!(Slack::new(Some(&workspace())).listens().is_none() && !format!("{local:?}").contains("hush"));
    }

    #[test]
    fn envelopes_are_the_requests_that_slack_would_post() {
        let slack = slack();
        let line = r#"{"type":"slash_commands","envelope_id":"e1","accepts_response_payload":true,
            "payload":{"command":"/allclear","text":"declare a &amp; b","user_id":"U1ANA0000","trigger_id":"1.2.x"}}"#;
        let Frame::Brought(envelope) = slack.frame(line) else { panic!("an envelope") };
        let request = ReplyRequest { url: "", headers: &envelope.headers(), body: &envelope.body };
        let read = slack.line(&request).unwrap();
        assert_eq!(read, Line { from: "U1ANA0000".into(), words: "declare a & b".into(), key: "1.2.x".into() });
        assert!(slack.is_of_vendor(&request, &[]), "nobody else could have sent it");
        assert!(!slack.is_of_vendor(&ReplyRequest { headers: &[], ..request }, &[]), "over HTTP it needs a signature");
        let own = slack.answer(&request, Told::Taken("You have INC-1."));
        let receipt: Value = serde_json::from_str(&slack.taken(&envelope, own.as_ref())).unwrap();
        assert_eq!((&receipt["envelope_id"], &receipt["payload"]["response_type"]), (&json!("e1"), &json!("ephemeral")), "{receipt}");
        let press = r#"{"type":"interactive","envelope_id":"e2","accepts_response_payload":false,"payload":{"type":"block_actions"}}"#;
        let Frame::Brought(envelope) = slack.frame(press) else { panic!("an envelope") };
        assert_eq!(envelope.body, form(&[("payload", r#"{"type":"block_actions"}"#)]));
        assert_eq!(slack.taken(&envelope, own.as_ref()), r#"{"envelope_id":"e2"}"#, "no answer is shown");
        assert_eq!(slack.frame(r#"{"type":"hello","num_connections":1}"#), Frame::Ready);
        assert_eq!(slack.frame(r#"{"type":"disconnect","reason":"warning"}"#), Frame::Leaving { why: "warning".into() });
        assert!(matches!(slack.frame(r#"{"type":"disconnect","reason":"link_disabled"}"#), Frame::Refused { .. }));
        for junk in ["", "x", "[]", "{}", "null", r#"{"envelope_id":7}"#, r#"{"type":"interactive","envelope_id":""}"#] {
            assert_eq!(slack.frame(junk), Frame::Nothing, "{junk}");
        }
        assert!(
            matches!(slack.frame(r#"{"type":"new","envelope_id":"e3"}"#), Frame::Brought(_)),
            "it is taken, so that it does not come again"
        );
    }
}
