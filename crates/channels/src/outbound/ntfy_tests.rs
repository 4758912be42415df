//! What ntfy gets, and what each of its answers means.

use allclear_domain::channel::Address;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::time::Length;
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

fn sent(message: &Message, token: Option<&str>) -> (String, Vec<(&'static str, String)>, Value) {
    let fields = [(NAME, "https://ntfy.example/ana_1")].into_iter().chain(token.map(|token| (TOKEN, token)));
    let target = Target { name: "Ana".into(), address: Address::of(fields) };
    match Ntfy::request(message, &target).unwrap() {
        Request::Http { url, headers, body, .. } => {
            assert!(body.len() <= BODY_BYTES_MAX, "{} bytes", body.len());
            (url, headers, serde_json::from_slice(&body).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_is_published_at_the_root_with_a_button_that_acknowledges() {
    let (url, headers, body) = sent(&message(1, "Disk \"full\"\r\nX-Evil: 1 é"), Some("tk_secret"));
    assert_eq!(url, "https://ntfy.example/");
    assert_eq!(headers, [("content-type", "application/json".to_owned()), ("authorization", "Bearer tk_secret".to_owned())]);
    assert_eq!(
        body,
        json!({
            "topic": "ana_1",
            "title": "[SEV2] INC-142 Disk \"full\" X-Evil: 1 é",
            "message": "Severity: SEV2\nService: checkout\nPaged: ana, 2026-11-21 03:00 UTC\nStep: 1, round 1",
            "priority": 4,
            "tags": ["rotating_light", "sev2"],
            "click": "https://ac.example/incidents/INC-142",
            "actions": [
                {"action": "http", "label": "Acknowledge", "url": "https://ac.example/a/tok0", "method": "POST", "clear": true},
                {"action": "view", "label": "Open", "url": "https://ac.example/incidents/INC-142", "clear": false}],
        })
    );
    assert_eq!(sent(&message(1, "x"), None).1.len(), 1, "without a token nothing is claimed");
}

#[test]
fn many_have_one_button_and_what_only_tells_has_none() {
    let (_, _, body) = sent(&message(400, &"\"".repeat(1_000)), None);
    assert_eq!(body["actions"][0]["label"], "Acknowledge all");
    assert_eq!((&body["actions"][0]["url"], &body["click"]), (&json!("https://ac.example/a/all"), &json!("https://ac.example/a/all")));
    let mut over = message(1, "x");
    over.notices[0].kind = NoticeKind::Over;
    over.notices[0].text = Some("It is over.".into());
    let (_, _, body) = sent(&over, None);
    assert_eq!((&body["actions"][0]["action"], &body["actions"][1]), (&json!("view"), &Value::Null));
    assert_eq!(body["tags"][0], "white_check_mark");
    let again = Message { in_doubt: true, ..message(1, "x") };
    assert!(sent(&again, None).2["message"].as_str().unwrap().starts_with("You may have received this before.\n"));
}

#[test]
fn it_rings_as_loud_as_it_is_urgent() {
    let rings = |kind, severity: &str, urgency| {
        let mut message = Message { urgency, ..message(1, "x") };
        (message.notices[0].kind, message.notices[0].incident.severity) = (kind, severity.to_owned());
        sent(&message, None).2["priority"].as_u64().unwrap()
    };
    use NotifyUrgency::{High, Low};
    assert_eq!(
        [rings(NoticeKind::Page, "sev1", High), rings(NoticeKind::Page, "sev3", High), rings(NoticeKind::Page, "sev4", Low)],
        [5, 4, 3]
    );
    assert_eq!([rings(NoticeKind::StillOnIt, "sev1", High), rings(NoticeKind::ConfirmRecovery, "sev5", Low)], [4, 3]);
    for kind in [NoticeKind::Reminder, NoticeKind::Update, NoticeKind::Over] {
        assert_eq!([rings(kind, "sev1", High), rings(kind, "sev5", Low)], [2, 2], "{kind:?}");
    }
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
        (200, r#"{"id":"sPs71M8A2T","time":1,"message":"cut he"#, Outcome::Delivered { receipt: "HTTP 200 sPs71M8A2T".into() }),
        (200, "", Outcome::Delivered { receipt: "HTTP 200".into() }),
        (200, r#"{"id":"<b>","x":1}"#, Outcome::Delivered { receipt: "HTTP 200".into() }),
        (302, "", rejected("HTTP 302: redirects are not followed; set the address it leads to")),
        (
            400,
            r#"{"code":40024,"http":400,"error":"invalid request: topic\ninvalid"}"#,
            rejected("HTTP 400: invalid request: topic invalid"),
        ),
        (400, "<html>", rejected("HTTP 400")),
        (401, "", rejected("HTTP 401: the ntfy server does not take this contact's token, or wants one")),
        (403, "", rejected("HTTP 403: this contact may not publish to its topic")),
        (404, "", rejected("HTTP 404: no ntfy server answers at this address")),
        (408, "", retry("HTTP 408", false)),
        (
            429,
            r#"{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}"#,
            retry("HTTP 429: limit reached: daily message quota reached", false),
        ),
        (429, "", retry("HTTP 429: too many messages", false)),
        (500, "", retry("HTTP 500", true)),
        (502, "", retry("HTTP 502", true)),
        (503, "", retry("HTTP 503", false)),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}

#[test]
fn an_address_is_a_server_and_a_topic() {
    assert_eq!(place("https://ntfy.sh/ana"), Ok(("https://ntfy.sh/", "ana")));
    assert_eq!(place("http://[::1]:8080/a-b_C9"), Ok(("http://[::1]:8080/", "a-b_C9")));
    let long = format!("https://ntfy.sh/{}", "a".repeat(65));
    for bad in [
        "ntfy.sh/ana",
        "https://ntfy.sh",
        "https://ntfy.sh/",
        "https://ntfy.sh/a/b",
        "https://ntfy.sh/ana/",
        "https://ntfy.sh/ana?x=1",
        "https://ntfy.sh/ana#x",
        "https://ntfy.sh/ána",
        "https://u:p@ntfy.sh/ana",
        &long,
    ] {
        assert!(place(bad).is_err(), "{bad}");
    }
}
