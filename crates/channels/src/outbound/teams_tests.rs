//! What a workflow of Teams gets, and what each of its answers means.

use allclear_domain::channel::Address;
use allclear_domain::time::Length;
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

const FLOW: &str = "https://flow.example/workflows/4f6c0d1e2b3a/triggers/manual/paths/invoke?sv=1.0&sig=pXw3kQ9vN2xT7LrWb5cYz8";

fn sent(message: &Message) -> Value {
    let target = Target { name: "Ana".into(), address: Address::of([(NAME, FLOW)]) };
    match Teams::request(message, &target).unwrap() {
        Request::Http { url, body, .. } => {
            assert_eq!(url, FLOW, "with its signature");
            let units: usize = std::str::from_utf8(&body).unwrap().encode_utf16().count();
            assert!(body.len() <= BODY_BYTES_MAX && units * 2 <= 28_000, "{} bytes", body.len());
            serde_json::from_slice(&body).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn texts(body: &Value) -> Vec<&str> {
    body["attachments"][0]["content"]["body"].as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect()
}

#[test]
fn a_page_is_a_card_with_a_button_for_each_link() {
    let body = sent(&message(1, "Disk \"full\"\r\nX-Evil: 1 é 🙂"));
    let (post, card) = (&body["attachments"][0], &body["attachments"][0]["content"]);
    assert_eq!((&body["type"], &post["contentType"]), (&json!("message"), &json!("application/vnd.microsoft.card.adaptive")));
    assert_eq!((&post["contentUrl"], &card["type"], &card["version"]), (&Value::Null, &json!("AdaptiveCard"), &json!("1.4")));
    let title = "[SEV2] INC-142 Disk \"full\" X-Evil: 1 é 🙂";
    assert_eq!(texts(&body), [title, "Severity: SEV2", "Service: checkout", "Paged: ana, 2026-11-21 03:00 UTC", "Step: 1, round 1"]);
    assert_eq!((&card["body"][0]["weight"], &card["body"][0]["color"]), (&json!("Bolder"), &json!("Attention")));
    assert_eq!(
        card["actions"],
        json!([
            {"type": "Action.OpenUrl", "title": "Acknowledge", "url": "https://ac.example/a/tok0"},
            {"type": "Action.OpenUrl", "title": "Open", "url": "https://ac.example/incidents/INC-142"}])
    );
}

#[test]
fn whatever_it_says_fits_and_links_are_whole() {
    for title in ["🙂".repeat(10_000), "\"\\\r\n".repeat(3_000), "@](".repeat(3_000), "x\n".repeat(5_000)] {
        for notices in [1, 40] {
            let mut message = message(notices, &title);
            message.about = Some(allclear_domain::wire::About { description: Some(title.clone()), ..Default::default() });
            let body = sent(&message);
            let wanted = if notices == 1 { "https://ac.example/a/tok0" } else { "https://ac.example/a/all" };
            assert_eq!(body["attachments"][0]["content"]["actions"][0]["url"], wanted);
            assert!(texts(&body).iter().all(|text| !text.contains("](") && !text.contains('\n')), "{body}");
        }
    }
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    let body = sent(&over);
    assert_eq!(body["attachments"][0]["content"]["body"][0]["color"], "Good");
    assert!(!body.to_string().contains("/a/tok"), "nothing is to be acknowledged");
}

#[test]
fn what_answers_mean() {
    let http = |status, body: &str| outcome(&Response::Http { status, retry_after: Some(Length::from_secs(9)), body: body.into() });
    let retry = |why: &str, maybe_arrived| Outcome::Retry {
        after: Some(Length::from_secs(9)),
        why: why.into(),
        maybe_arrived,
        down: false,
        unanswered: false,
    };
    let rejected = |why: &str| Outcome::Rejected { why: why.into() };
    for (status, body, wanted) in [
        (202, "", Outcome::Delivered { receipt: "HTTP 202".into() }),
        (200, "1", Outcome::Delivered { receipt: "HTTP 200".into() }),
        (200, "<html>Sign in", retry("HTTP 200: this is no answer of a workflow", true)),
        (
            400,
            r#"{"error":{"code":"TriggerInputSchemaMismatch","message":"The input body\ndoes not match"}}"#,
            rejected("HTTP 400: The input body does not match"),
        ),
        (401, r#"{"error":{"code":"DirectApiAuthorizationRequired"}}"#, rejected("HTTP 401: DirectApiAuthorizationRequired")),
        (404, "", rejected("HTTP 404: there is no workflow at this address any more")),
        (404, r#"{"error":{"code":"WorkflowNotFound","message":"It was deleted."}}"#, rejected("HTTP 404: It was deleted.")),
        (413, "", rejected("HTTP 413")),
        (429, "", retry("HTTP 429: too many messages", false)),
        (500, "", retry("HTTP 500", true)),
        (502, "<html>", retry("HTTP 502", true)),
        (503, "", retry("HTTP 503", false)),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}
