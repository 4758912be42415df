//! What Pushover gets, and what each of its answers means.

use std::collections::BTreeMap;

use allclear_domain::channel::Address;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::wire::{About, NoticeKind};

use super::*;
use crate::outbound::webhook::tests::message;

const USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";

fn now() -> Timestamp {
    "2026-11-21T03:00:05Z".parse().unwrap()
}

/// The form's fields, read as a browser's would be.
fn sent(message: &Message) -> BTreeMap<String, String> {
    let target = Target { name: "Ana".into(), address: Address::of([(NAME, USER), (APP, TOKEN)]) };
    match Pushover::request(message, &target, now()).unwrap() {
        Request::Http { url, headers, body, .. } => {
            assert_eq!(url, "https://api.pushover.net/1/messages.json");
            assert_eq!(headers, [("content-type", "application/x-www-form-urlencoded".to_owned())]);
            let url = format!("http://x/?{}", String::from_utf8(body).unwrap()).parse::<reqwest::Url>().unwrap();
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn worst(mut message: Message) -> Message {
    message.notices[0].incident.severity = "sev1".to_owned();
    message
}

#[test]
fn a_page_is_a_form_with_its_link_beside_the_text() {
    let said = sent(&message(1, "Disk \"full\" & more=1\r\nX-Evil: 1 é+🙂"));
    let wanted = [
        ("token", TOKEN),
        ("user", USER),
        ("title", "[SEV2] INC-142 Disk \"full\" & more=1 X-Evil: 1 é+🙂"),
        ("message", "Severity: SEV2\nService: checkout\nPaged: ana, 2026-11-21 03:00 UTC\nStep: 1, round 1"),
        ("priority", "1"),
        ("url", "https://ac.example/a/tok0"),
        ("url_title", "Acknowledge"),
    ];
    assert_eq!(said, wanted.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>());
}

#[test]
fn the_worst_rings_until_it_is_acknowledged_or_others_are_asked() {
    let mut page = worst(message(1, "x"));
    let rings = |page: &Message| -> Vec<Option<String>> {
        let said = sent(page);
        ["priority", "retry", "expire", "callback"].iter().map(|key| said.get(*key).cloned()).collect()
    };
    let emergency = |expire: &str| ["2", "30", expire, "https://ac.example/a/tok0"].map(|said| Some(said.to_owned())).to_vec();
    assert_eq!(rings(&page), emergency("300"), "the callback is the message's link");
    for (answer_by, expire) in
        [("2026-11-21T03:05:05Z", "300"), ("2026-11-21T03:04:05Z", "240"), ("2026-11-21T03:00:00Z", "90"), ("2026-11-21T09:00:00Z", "600")]
    {
        page.about = Some(About { answer_by: Some(answer_by.parse().unwrap()), ..About::default() });
        assert_eq!(rings(&page), emergency(expire), "{answer_by}");
    }
    assert_eq!(sent(&worst(message(3, "x")))["callback"], "https://ac.example/a/all", "one answer for all of them");
    for quieter in [Message { urgency: NotifyUrgency::Low, ..worst(message(1, "x")) }, message(1, "x")] {
        let said = sent(&quieter);
        assert!(["retry", "expire", "callback"].iter().all(|key| !said.contains_key(*key)), "{said:?}");
    }
}

#[test]
fn it_rings_as_loud_as_it_is_urgent() {
    let rings = |kind, severity: &str, urgency| {
        let mut message = Message { urgency, ..message(1, "x") };
        (message.notices[0].kind, message.notices[0].incident.severity) = (kind, severity.to_owned());
        sent(&message)["priority"].clone()
    };
    use NotifyUrgency::{High, Low};
    assert_eq!([rings(NoticeKind::Page, "sev1", High), rings(NoticeKind::Page, "sev3", High)], ["2", "1"]);
    assert_eq!([rings(NoticeKind::Page, "sev4", Low), rings(NoticeKind::Over, "sev1", High)], ["0", "-1"]);
    assert_eq!(rings(NoticeKind::StillOnIt, "sev1", High), "1", "a question is no emergency");
}

#[test]
fn whatever_it_says_fits_and_a_link_is_whole() {
    for title in ["🙂".repeat(10_000), "é\r\n".repeat(5_000), "%&=+".repeat(2_500)] {
        for notices in [1, 40] {
            let said = sent(&worst(message(notices, &title)));
            assert!(said["title"].chars().count() <= TITLE_CHARS_MAX && said["message"].len() <= TEXT_BYTES_MAX, "{said:?}");
        }
    }
    // A base address so long that its links may not stand beside the text.
    let mut long = message(1, "x");
    long.ack_urls = vec![format!("https://ac.example/{}/a/tok0", "x".repeat(600))];
    let said = sent(&long);
    assert_eq!((said["url"].as_str(), said["url_title"].as_str()), ("https://ac.example/incidents/INC-142", "Open"));
    assert!(said["message"].contains(&long.ack_urls[0]) && said["message"].len() <= TEXT_BYTES_MAX, "{said:?}");
    let again = Message { in_doubt: true, ..message(1, "x") };
    assert!(sent(&again)["message"].starts_with("You may have received this before.\n"));
}

#[test]
fn what_answers_mean() {
    let http = |status, body: &str| outcome(&Response::Http { status, retry_after: None, body: body.into() });
    let retry = |why: &str, maybe_arrived| Outcome::Retry { after: None, why: why.into(), maybe_arrived, down: false, unanswered: false };
    let rejected = |why: &str| Outcome::Rejected { why: why.into() };
    for (status, body, wanted) in [
        (
            200,
            r#"{"receipt":"rLqVuqTRh62UzxtmqiaLzQmVcPgiCy","status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b"}"#,
            Outcome::Delivered { receipt: "HTTP 200 647d2300-702c-4b38-8b2f-d56326ae460b".into() },
        ),
        (200, r#"{"status":1}"#, Outcome::Delivered { receipt: "HTTP 200".into() }),
        (200, r#"{"status":0,"errors":["user identifier is invalid"]}"#, rejected("HTTP 200: user identifier is invalid")),
        (200, r#"{"status":0}"#, rejected("HTTP 200: Pushover does not take it")),
        (200, "ok", retry("HTTP 200: this is no answer of Pushover", true)),
        (
            400,
            r#"{"user":"invalid","errors":["user identifier is not a valid user","title\nis long"],"status":0,"request":"x"}"#,
            rejected("HTTP 400: user identifier is not a valid user; title is long"),
        ),
        (401, "", rejected("HTTP 401")),
        (413, "<html>", rejected("HTTP 413")),
        (
            429,
            r#"{"errors":["application has reached its monthly limit"],"status":0}"#,
            retry("HTTP 429: application has reached its monthly limit", false),
        ),
        (500, "", retry("HTTP 500", true)),
        (503, "", retry("HTTP 503", false)),
    ] {
        assert_eq!(http(status, body), wanted, "{status} {body}");
    }
}

#[test]
fn keys_and_servers_are_checked_and_keys_not_repeated() {
    assert_eq!((key(USER, "key"), key(TOKEN, "token")), (Ok(()), Ok(())));
    for bad in ["", "u", &USER[1..], "uQiRzpo4DXghDmr9QzzfQu27cmVRs-", "uQiRzpo4DXghDmr9QzzfQu27cmVRsGG"] {
        let why = key(bad, "key").unwrap_err();
        assert!(bad.len() < 2 || !why.contains(bad), "{why}");
    }
    assert_eq!(endpoint("http://127.0.0.1:99/").as_deref(), Ok("http://127.0.0.1:99/1/messages.json"));
    assert!(endpoint("https://x.example/?a").is_err() && endpoint("https://u@x.example").is_err() && endpoint("x.example").is_err());
    assert!(form(&[("a", "1&b=2"), ("c", "")]) == b"a=1%26b%3D2&c=");
}
