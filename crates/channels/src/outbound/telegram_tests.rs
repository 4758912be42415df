//! What Telegram gets, what each of its answers means, and what is asked once more.

use allclear_domain::channel::Address;
use allclear_domain::time::Length;
use allclear_domain::wire::NoticeKind;
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

fn target() -> Target {
    Target { name: "Ana".into(), address: Address::of([(NAME, "5551234567"), (BOT, TOKEN)]) }
}

fn read(request: &Request) -> (&str, Value) {
    match request {
        Request::Http { url, body, .. } => (url, serde_json::from_slice(body).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// What is asked, one request for each of these answers, and how it ends.
fn asked(message: &Message, answers: &[(u16, &str)]) -> (Vec<Value>, Outcome) {
    let target = target();
    let mut step = Telegram.start(message, &target, message.created_at);
    let (mut bodies, mut answers) = (Vec::new(), answers.iter());
    loop {
        match step {
            Step::Done(outcome) => return (bodies, outcome),
            Step::Ask(request, then) => {
                let (url, body) = read(&request);
                assert_eq!(url, format!("https://api.telegram.org/bot{TOKEN}/sendMessage"));
                bodies.push(body);
                let (status, said) = answers.next().expect("no more is asked");
                step = then(&Response::Http { status: *status, retry_after: None, body: (*said).to_owned() });
            }
        }
    }
}

const OK: &str = r#"{"ok":true,"result":{"message_id":42,"from":{"id":1},"text":"cut he"#;

fn sent(message: &Message) -> Value {
    asked(message, &[(200, OK)]).0.remove(0)
}

#[test]
fn a_page_is_plain_text_with_a_button_for_each_link() {
    assert_eq!(
        sent(&message(1, "Disk \"full\"\r\n*X*_Evil_: <b>1</b> é 🙂")),
        json!({
            "chat_id": "5551234567",
            "text": "[SEV2] INC-142 Disk \"full\" *X*_Evil_: <b>1</b> é 🙂\n\
                     Severity: SEV2\nService: checkout\nPaged: ana, 2026-11-21 03:00 UTC\nStep: 1, round 1",
            "disable_notification": false,
            "link_preview_options": {"is_disabled": true},
            "reply_markup": {"inline_keyboard": [
                [{"text": "Acknowledge", "url": "https://ac.example/a/tok0"}],
                [{"text": "Open", "url": "https://ac.example/incidents/INC-142"}]]},
        })
    );
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    let body = sent(&over);
    assert_eq!((&body["disable_notification"], body.to_string().contains("/a/tok")), (&json!(true), false));
}

#[test]
fn with_the_webhooks_secret_the_buttons_call_back() {
    let mut target = target();
    target.address.set(SECRET, "q7Vd2kX9nT4mZ8rB3wLc");
    let page = message(1, "x");
    let keys = |message: &Message, has_buttons: bool| {
        let how = Try { chat: "5551234567".into(), has_moved: false, has_buttons };
        read(&Telegram::request(message, &target, &how).unwrap()).1["reply_markup"]["inline_keyboard"].clone()
    };
    let calls = |word: &str| format!("{word}:{}", page.id);
    assert_eq!(
        keys(&page, true),
        json!([
            [{"text": "Acknowledge", "callback_data": calls("acknowledge")}],
            [{"text": "Pass it on", "callback_data": calls("decline")}],
            [{"text": "Open", "url": "https://ac.example/a/tok0"}]
        ])
    );
    assert_eq!(keys(&page, false).as_array().map(Vec::len), Some(2), "those that lead somewhere are left out");
    assert!(calls("acknowledge").len() <= 64, "as long as Telegram takes it");
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    assert_eq!(keys(&over, true), json!([[{"text": "Open", "url": "https://ac.example/incidents/INC-142"}]]), "nothing is asked");
}

#[test]
fn what_is_over_is_shown_as_over_without_its_buttons() {
    let page = message(1, "x @all");
    let target = target();
    let retired = |receipt: &str| {
        let sent = Retired {
            id: page.id,
            receipt,
            notice: &page.notices[0],
            address: &target.address,
            several: false,
            says: "Ana has it.",
            incident_url: "https://ac.example/incidents/INC-142",
            now: Timestamp::UNIX_EPOCH,
        };
        Telegram.retire(&sent)
    };
    for receipt in ["HTTP 200 42", "HTTP 200 42; the chat's number is -1001234567890 now"] {
        let request = retired(receipt).unwrap();
        let (url, body) = read(&request);
        assert_eq!(url, format!("https://api.telegram.org/bot{TOKEN}/editMessageText"));
        assert_eq!((&body["chat_id"], &body["message_id"], &body["reply_markup"]), (&json!("5551234567"), &json!(42), &Value::Null));
        let text = body["text"].as_str().unwrap();
        assert!(text.contains("INC-142 x @\u{200b}all\nAna has it.\nOpen: https://"), "{text}");
    }
    assert!(["", "HTTP 200", "HTTP 200 x"].iter().all(|receipt| retired(receipt).is_none()));
}

#[test]
fn buttons_that_telegram_does_not_take_become_links_in_the_text() {
    for why in ["Bad Request: BUTTON_URL_INVALID", "Bad Request: inline keyboard button URL 'http://pager/a/x' is invalid: Wrong HTTP URL"]
    {
        let no = format!(r#"{{"ok":false,"error_code":400,"description":"{why}"}}"#);
        let (bodies, outcome) = asked(&message(1, "x"), &[(400, &no), (200, OK)]);
        assert_eq!(outcome, Outcome::Delivered { receipt: "HTTP 200 42".into() });
        let text = bodies[1]["text"].as_str().unwrap();
        assert!(text.ends_with("\nAcknowledge: https://ac.example/a/tok0\nOpen: https://ac.example/incidents/INC-142"), "{text}");
        assert_eq!(bodies[1]["reply_markup"], Value::Null);
        let (bodies, outcome) = asked(&message(1, "x"), &[(400, &no), (400, &no)]);
        assert_eq!((bodies.len(), outcome), (2, Outcome::Rejected { why: format!("HTTP 400: {why}") }), "asked once more, not for ever");
    }
}

#[test]
fn a_group_that_has_another_number_now_is_followed() {
    let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001234567890}}"#;
    let (bodies, outcome) = asked(&message(1, "x"), &[(400, moved), (200, OK)]);
    assert_eq!((&bodies[0]["chat_id"], &bodies[1]["chat_id"]), (&json!("5551234567"), &json!("-1001234567890")));
    assert_eq!(outcome, Outcome::Delivered { receipt: "HTTP 200 42; the chat's number is -1001234567890 now".into() });
    let (bodies, outcome) = asked(&message(1, "x"), &[(400, moved), (400, moved)]);
    assert!(bodies.len() == 2 && matches!(outcome, Outcome::Rejected { why } if why.contains("supergroup")));
}

#[test]
fn whatever_it_says_fits_and_links_are_whole() {
    let no = r#"{"ok":false,"error_code":400,"description":"Bad Request: BUTTON_URL_INVALID"}"#;
    for title in ["🙂".repeat(10_000), "é\r\n".repeat(5_000), "@](".repeat(3_000), "@ ".repeat(5_000)] {
        for notices in [1, 40] {
            let mut message = message(notices, &title);
            message.about = Some(allclear_domain::wire::About { description: Some(title.clone()), ..Default::default() });
            let (bodies, _) = asked(&message, &[(400, no), (200, OK)]);
            for body in &bodies {
                let text = body["text"].as_str().unwrap();
                assert!(text.len() <= TEXT_BYTES_MAX && text.encode_utf16().count() <= 4_096, "{} bytes", text.len());
                assert!(!text.contains("@]") && !text.contains("]("), "{text}");
            }
            let wanted = if notices == 1 { "https://ac.example/a/tok0" } else { "https://ac.example/a/all" };
            assert_eq!(bodies[0]["reply_markup"]["inline_keyboard"][0][0]["url"], wanted);
            assert!(bodies[1]["text"].as_str().unwrap().contains(wanted), "{}", bodies[1]);
        }
    }
    let again = Message { in_doubt: true, ..message(1, "x") };
    assert!(sent(&again)["text"].as_str().unwrap().contains("\nYou may have received this before.\n"));
}

#[test]
fn what_answers_mean() {
    let http = |status, body: &str| asked(&message(1, "x"), &[(status, body)]).1;
    let retry = |after: Option<u64>, why: &str, maybe_arrived| Outcome::Retry {
        after: after.map(Length::from_secs),
        why: why.into(),
        maybe_arrived,
        down: false,
        unanswered: false,
    };
    let rejected = |why: &str| Outcome::Rejected { why: why.into() };
    for (status, body, wanted) in [
        (200, OK, Outcome::Delivered { receipt: "HTTP 200 42".into() }),
        (200, r#"{"ok":true}"#, Outcome::Delivered { receipt: "HTTP 200".into() }),
        (200, "", retry(None, "HTTP 200: this is no answer of Telegram", true)),
        (200, "<html>Sign in", retry(None, "HTTP 200: this is no answer of Telegram", true)),
        (200, r#"{"ok":false,"error_code":403,"description":"Forbidden"}"#, rejected("HTTP 403: Forbidden")),
        (200, r#"{"ok":false}"#, rejected("HTTP 400")),
        (
            400,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
            rejected("HTTP 400: Bad Request: chat not found"),
        ),
        (
            401,
            r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
            rejected("HTTP 401: Telegram does not know this contact's bot token"),
        ),
        (
            403,
            r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
            rejected("HTTP 403: Forbidden: bot was blocked by the user"),
        ),
        (404, "", rejected("HTTP 404: no bot answers to this contact's token at this server")),
        (
            429,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}}"#,
            retry(Some(30), "HTTP 429: Too Many Requests: retry after 30", false),
        ),
        (429, "", retry(None, "HTTP 429: too many messages", false)),
        (
            500,
            r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#,
            retry(None, "HTTP 500: Internal Server Error", true),
        ),
        (502, "<html>", retry(None, "HTTP 502", true)),
        (302, "", rejected("HTTP 302: redirects are not followed; set the address it leads to")),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}

#[test]
fn chats_tokens_and_servers() {
    for good in ["1", "5551234567", "-1001234567890", "@example", "@a_b9"] {
        assert!(is_chat(good), "{good}");
    }
    for bad in ["", "-", "--1", "1.5", "@", "@a", "@9abcd", "@exämple", "ana", "1 2", "123456789012345678901"] {
        assert!(!is_chat(bad), "{bad}");
    }
    assert!(is_token(TOKEN));
    for bad in ["", "1:", "110201543", "x:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "1:AAHdqTcvCH1vGWJxfSeofSAs0K5/../x", "1:short"] {
        assert!(!is_token(bad), "{bad}");
    }
    assert_eq!(root("http://127.0.0.1:99/"), Ok("http://127.0.0.1:99"));
    assert!(root("https://x.example/?a").is_err() && root("x.example").is_err());
}
