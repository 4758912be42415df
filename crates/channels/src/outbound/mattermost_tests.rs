//! What an incoming webhook of a chat gets, and what each of its answers means.

use allclear_domain::channel::Address;
use allclear_domain::time::Length;
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

const HOOK: &str = "https://chat.example/hooks/8xqk1rz5x3gq7kmb1o9w4tnh5e";

fn sent(message: &Message) -> Value {
    let target = Target { name: "Ana".into(), address: Address::of([(NAME, HOOK)]) };
    match Mattermost::request(message, &target).unwrap() {
        Request::Http { url, headers, body, .. } => {
            assert_eq!((url.as_str(), headers), (HOOK, vec![("content-type", "application/json".to_owned())]));
            assert!(body.len() <= BODY_BYTES_MAX, "{} bytes", body.len());
            serde_json::from_slice(&body).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_is_one_attachment_whose_title_leads_to_its_link() {
    let title = "[SEV2] INC-142 Disk \"full\" X-Evil: 1 é 🙂";
    assert_eq!(
        sent(&message(1, "Disk \"full\"\r\nX-Evil: 1 é 🙂")),
        json!({"attachments": [{
            "fallback": title,
            "color": "#d9480f",
            "title": title,
            "title_link": "https://ac.example/a/tok0",
            "text": "Severity: SEV2\nService: checkout\nPaged: ana, 2026-11-21 03:00 UTC\nStep: 1, round 1",
            "fields": [
                {"title": "Acknowledge", "value": "https://ac.example/a/tok0", "short": false},
                {"title": "Open", "value": "https://ac.example/incidents/INC-142", "short": false}],
        }]})
    );
}

#[test]
fn text_from_outside_calls_nobody_and_leads_nowhere() {
    let mut page = message(1, "@channel <!channel> [Acknowledge](https://evil.example) a&b ana@example.org");
    page.about =
        Some(allclear_domain::wire::About { description: Some("```\n@all ![x](https://t.example/p.png)".into()), ..Default::default() });
    let body = sent(&page);
    let (title, text) = (body["attachments"][0]["title"].as_str().unwrap(), body["attachments"][0]["text"].as_str().unwrap());
    for said in [title, text] {
        assert!(!said.contains("@channel") && !said.contains("@all") && !said.contains("](") && !said.contains('<'), "{said}");
    }
    assert!(title.contains("&lt;!channel&gt;") && title.contains("a&amp;b ana@example.org"), "{title}");
    assert_eq!(body["attachments"][0]["fields"][0]["value"], "https://ac.example/a/tok0", "code that never ends swallows no link");
}

#[test]
fn whatever_it_says_fits_and_links_are_whole() {
    for title in ["🙂".repeat(10_000), "<&>\"\\\r\n".repeat(2_000), "@](".repeat(3_000)] {
        for notices in [1, 40] {
            let mut message = message(notices, &title);
            message.about = Some(allclear_domain::wire::About { description: Some(title.clone()), ..Default::default() });
            let body = sent(&message);
            let wanted = if notices == 1 { "https://ac.example/a/tok0" } else { "https://ac.example/a/all" };
            assert_eq!(
                (&body["attachments"][0]["title_link"], &body["attachments"][0]["fields"][0]["value"]),
                (&json!(wanted), &json!(wanted))
            );
        }
    }
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    let body = sent(&over);
    assert_eq!((&body["attachments"][0]["color"], body.to_string().contains("/a/tok")), (&json!("#2e7d32"), false));
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
    let delivered = |why: &str| Outcome::Delivered { receipt: why.into() };
    for (status, body, wanted) in [
        // Mattermost and Slack; Rocket.Chat; one that says nothing.
        (200, "ok", delivered("HTTP 200")),
        (200, r#"{"success":true}"#, delivered("HTTP 200")),
        (204, "", delivered("HTTP 204")),
        (200, r#"{"success":false,"error":"Invalid integration id"}"#, rejected("HTTP 200: Invalid integration id")),
        (200, "<!doctype html><title>Sign in", retry("HTTP 200: this is no answer of a chat's webhook", true)),
        (
            400,
            r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook.","detailed_error":"","status_code":400}"#,
            rejected("HTTP 400: Invalid webhook."),
        ),
        (404, "no_service", rejected("HTTP 404: no_service")),
        (410, "channel_is_archived", rejected("HTTP 410: channel_is_archived")),
        (302, "", rejected("HTTP 302: redirects are not followed; set the address it leads to")),
        (429, "rate_limited", retry("HTTP 429: rate_limited", false)),
        (500, "rollup_error", retry("HTTP 500: rollup_error", true)),
        (502, "<html>bad gateway", retry("HTTP 502", true)),
        (503, "", retry("HTTP 503", false)),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}
