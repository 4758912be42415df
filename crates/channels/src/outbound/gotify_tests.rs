//! What a Gotify server gets, and what each of its answers means.

use allclear_domain::channel::Address;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::time::Length;
use allclear_domain::wire::NoticeKind;
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

fn sent(message: &Message) -> (String, Vec<(&'static str, String)>, Value) {
    let target = Target { name: "Ana".into(), address: Address::of([(NAME, "https://push.example/gotify/"), (APP, "Asecret.token")]) };
    match Gotify::request(message, &target).unwrap() {
        Request::Http { url, headers, body, .. } => (url, headers, serde_json::from_slice(&body).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_is_pushed_with_the_token_in_a_header_and_a_tap_leads_to_its_link() {
    let (url, headers, body) = sent(&message(1, "Disk \"full\"\r\nX-Evil: 1 é 🙂"));
    assert_eq!(url, "https://push.example/gotify/message", "a server may live in a folder");
    assert_eq!(headers, [("content-type", "application/json".to_owned()), ("x-gotify-key", "Asecret.token".to_owned())]);
    assert_eq!(
        body,
        json!({
            "title": "[SEV2] INC-142 Disk \"full\" X-Evil: 1 é 🙂",
            "message": "Severity: SEV2\nService: checkout\nPaged: ana, 2026-11-21 03:00 UTC\nStep: 1, round 1\n\
                        Acknowledge: https://ac.example/a/tok0\nOpen: https://ac.example/incidents/INC-142",
            "priority": 8,
            "extras": {"client::notification": {"click": {"url": "https://ac.example/a/tok0"}}},
        })
    );
    assert!(!body.to_string().contains("token"), "the token is in the header alone");
}

#[test]
fn many_have_one_link_and_what_only_tells_leads_to_the_incident() {
    let (_, _, body) = sent(&message(400, &"🙂".repeat(10_000)));
    assert!(
        body["title"].as_str().unwrap().chars().count() <= TITLE_CHARS_MAX && body["message"].as_str().unwrap().len() <= TEXT_BYTES_MAX
    );
    assert!(body["message"].as_str().unwrap().ends_with("\nAcknowledge all: https://ac.example/a/all"), "{body}");
    assert_eq!(body["extras"]["client::notification"]["click"]["url"], "https://ac.example/a/all");
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    over.notices[0].text = Some("It is over.".into());
    let (_, _, body) = sent(&over);
    assert_eq!(body["extras"]["client::notification"]["click"]["url"], "https://ac.example/incidents/INC-142");
    assert!(!body.to_string().contains("/a/tok"), "nothing is to be acknowledged: {body}");
    let again = Message { in_doubt: true, ..message(1, "x") };
    assert!(sent(&again).2["message"].as_str().unwrap().starts_with("You may have received this before.\n"));
}

#[test]
fn it_rings_as_loud_as_it_is_urgent() {
    let rings = |kind, severity: &str, urgency| {
        let mut message = Message { urgency, ..message(1, "x") };
        (message.notices[0].kind, message.notices[0].incident.severity) = (kind, severity.to_owned());
        sent(&message).2["priority"].as_u64().unwrap()
    };
    use NotifyUrgency::{High, Low};
    assert_eq!([rings(NoticeKind::Page, "sev1", High), rings(NoticeKind::Page, "sev3", High)], [10, 8]);
    assert_eq!([rings(NoticeKind::Page, "sev4", Low), rings(NoticeKind::Update, "sev1", High)], [5, 2]);
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
        (200, r#"{"id":25,"appid":5,"message":"cut he"#, Outcome::Delivered { receipt: "HTTP 200 25".into() }),
        (200, " {\n \"id\" : 25 }", Outcome::Delivered { receipt: "HTTP 200 25".into() }),
        (200, "", retry("HTTP 200: this is no answer of a Gotify server", true)),
        (200, "<html>Sign in to this network</html>", retry("HTTP 200: this is no answer of a Gotify server", true)),
        (200, r#"{"id":"x"}"#, retry("HTTP 200: this is no answer of a Gotify server", true)),
        (302, "", rejected("HTTP 302: redirects are not followed; set the address it leads to")),
        (
            400,
            r#"{"error":"Bad Request","errorCode":400,"errorDescription":"Field 'message'\nis required"}"#,
            rejected("HTTP 400: Field 'message' is required"),
        ),
        (
            401,
            r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#,
            rejected("HTTP 401: the Gotify server does not take this contact's token: it is the one of an application, not of a client"),
        ),
        (403, "", rejected("HTTP 403")),
        (404, "", rejected("HTTP 404: no Gotify server answers at this address")),
        (429, "", retry("HTTP 429: too many messages", false)),
        (500, "", retry("HTTP 500", true)),
        (503, "", retry("HTTP 503", false)),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}

#[test]
fn an_address_is_a_server() {
    for (given, wanted) in [
        ("https://push.example", "https://push.example/message"),
        ("http://[::1]:8080/", "http://[::1]:8080/message"),
        ("https://push.example/a/b//", "https://push.example/a/b/message"),
    ] {
        assert_eq!(endpoint(given).as_deref(), Ok(wanted));
    }
    for bad in
        ["push.example", "https://", "https://push.example/?token=x", "https://push.example/#x", "https://u:p@push.example", "ftp://x"]
    {
        assert!(endpoint(bad).is_err(), "{bad}");
    }
}
