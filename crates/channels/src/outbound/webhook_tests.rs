//! The bytes of a signed webhook, and what each answer means.

use allclear_domain::channel::Address;
use allclear_domain::ids::{IncidentId, MessageId, PageId};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::time::Length;
use allclear_domain::wire::{About, Link, Message, Notice, NoticeIncident, NoticeKind, Outcome, Request, Response, Target};

use super::{BODY_BYTES_MAX, NAME, SECRET, STORM_BYTES_MAX, Webhook, is_secret, outcome, signature};

pub(crate) fn message(notices: usize, title: &str) -> Message {
    let notice = |n: usize| Notice {
        kind: NoticeKind::Page,
        key: format!("pag/1/1/ana/{n}"),
        page: PageId::from_bits(2),
        step: 1,
        round: 1,
        late: false,
        person: "ana".into(),
        text: None,
        because: None,
        incident: NoticeIncident {
            id: IncidentId::from_bits(1),
            reference: format!("INC-{}", 142 + n),
            title: title.into(),
            severity: if n == 1 { "sev1".into() } else { "sev2".into() },
            service: (n == 0).then(|| "checkout".into()),
            guest: None,
        },
    };
    Message {
        id: MessageId::from_bits(3),
        created_at: "2026-11-21T03:00:00Z".parse().unwrap(),
        in_doubt: false,
        urgency: NotifyUrgency::High,
        notices: (0..notices).map(notice).collect(),
        bundle_url: (notices > 1).then(|| "https://ac.example/a/all".to_owned()),
        ack_urls: (0..notices).map(|n| format!("https://ac.example/a/tok{n}")).collect(),
        incident_urls: (0..notices).map(|n| format!("https://ac.example/incidents/INC-{}", 142 + n)).collect(),
        reply_url: Some("https://ac.example/reply/webhook".to_owned()),
        about: None,
        names: allclear_domain::wire::Names::default(),
    }
}

fn to(url: &str, secret: Option<&str>) -> Target {
    let fields = [(NAME, url)].into_iter().chain(secret.map(|secret| (SECRET, secret)));
    Target { name: "Ana".into(), address: Address::of(fields) }
}

fn request(message: &Message, secret: Option<&str>) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let target = to("https://hook.example/ana", secret);
    match Webhook::request(message, &target, "2026-11-21T03:00:05Z".parse().unwrap()).unwrap() {
        Request::Http { headers, body, .. } => (headers, body),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_standards_vector() {
    let body = br#"{"type":"incident.declared","timestamp":"2026-11-21T03:00:00Z","data":{"id":"inc_1"}}"#;
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    assert_eq!(signature(secret, "msg_1", 1_795_230_000, body).unwrap(), "v1,vNQrlCA8fng1X1z2WgZyZX+MIj4vyEcnckRF7THY+pk=");
    assert!(signature("whsec_", "i", 0, b"").is_err() && signature("whsec_*", "i", 0, b"").is_err());
}

#[test]
fn the_page_is_what_the_contract_says() {
    let (headers, body) = request(&message(1, "Disk \"full\"\r\nX-Evil: 1 é"), Some("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
    assert_eq!(
        String::from_utf8(body.clone()).unwrap(),
        concat!(
            r#"{"type":"page","timestamp":"2026-11-21T03:00:00Z","data":{"key":"pag/1/1/ana/0","page":"pag_00000000000000000000000002","#,
            r#""step":1,"round":1,"late":false,"person":"ana","ack_url":"https://ac.example/a/tok0","incident":{"id":"inc_00000000000000000000000001","#,
            r#""ref":"INC-142","title":"Disk \"full\"\r\nX-Evil: 1 é","severity":"sev2","service":"checkout","url":"https://ac.example/incidents/INC-142"}},"reply_url":"https://ac.example/reply/webhook"}"#
        )
    );
    let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()).unwrap();
    assert_eq!(header("webhook-id"), "msg_00000000000000000000000003");
    assert_eq!(header("webhook-timestamp"), "1795230005");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("user-agent"), concat!("allclear/", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        header("webhook-signature"),
        signature("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", header("webhook-id"), 1_795_230_005, &body).unwrap()
    );
    assert!(request(&message(1, "x"), None).0.iter().all(|(name, _)| *name != "webhook-signature"));
}

#[test]
fn many_notices_are_a_list_that_stays_small() {
    let (_, body) = request(&message(3, "x"), None);
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(read["type"], "pages");
    assert_eq!(read["data"][2]["incident"]["service"], serde_json::Value::Null);
    assert_eq!(read["data"].as_array().unwrap().len(), 3);
    assert!(read.get("omitted").is_none());

    let (_, body) = request(&message(30, &"🔥".repeat(1024)), None);
    assert!(body.len() <= BODY_BYTES_MAX);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["data"].as_array().unwrap().len(), 30, "titles shrink first");

    assert_eq!((&read["count"], &read["worst"], &read["ack_url"]), (&3.into(), &"sev1".into(), &"https://ac.example/a/all".into()));
}

#[test]
fn a_storm_is_listed_whole_its_worst_written_out_and_the_rest_in_brief() {
    let (_, body) = request(&message(5_000, "Storm00000q00z"), None);
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let listed = read["data"].as_array().unwrap();
    assert!(body.len() <= STORM_BYTES_MAX, "{} bytes", body.len());
    assert_eq!((listed.len(), &read["count"], read.get("omitted")), (5_000, &5_000.into(), None), "none is left out");
    assert!(listed[0]["ack_url"].is_string() && listed[4_999].get("ack_url").is_none());
    assert_eq!(listed[4_999]["incident"]["ref"], "INC-5141");

    let (_, body) = request(&message(5_000, &"🔥".repeat(1024)), None);
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(body.len() <= STORM_BYTES_MAX, "{} bytes", body.len());
    assert_eq!(read["data"].as_array().unwrap().len() as u64 + read["omitted"].as_u64().unwrap_or(0), 5_000);
}

#[test]
fn what_answers_mean() {
    let http = |status, retry_after| outcome(&Response::Http { status, retry_after, body: String::new() });
    for status in [200, 202, 204] {
        assert!(matches!(http(status, None), Outcome::Delivered { .. }), "{status}");
    }
    let says = |status, body: &str| outcome(&Response::Http { status, retry_after: None, body: body.into() });
    for status in [200, 202] {
        assert!(
            matches!(says(status, r#" {"accepted": true, "id": 7}"#), Outcome::Accepted { receipt, .. } if receipt.contains("accepted"))
        );
        for body in ["accepted", r#"{"accepted": "true"}"#, r#"{"accepted": false}"#, r#"{"accepted": true"#, "[true]", "true", "{}"] {
            assert!(matches!(says(status, body), Outcome::Delivered { .. }), "{status} {body}");
        }
    }
    assert!(matches!(says(503, r#"{"accepted": true}"#), Outcome::Retry { .. }));
    for status in [301, 302, 307, 400, 401, 404, 410, 413, 422] {
        assert!(matches!(http(status, Some(Length::from_secs(1))), Outcome::Rejected { .. }), "{status}");
    }
    for status in [408, 425, 429, 500, 502, 503, 599] {
        assert!(
            matches!(http(status, Some(Length::from_secs(7))), Outcome::Retry { after: Some(after), .. } if after.as_secs() == 7),
            "{status}"
        );
    }
    let failed = |permanent| outcome(&Response::Failed { why: "x".into(), maybe_arrived: true, permanent });
    assert!(matches!(failed(false), Outcome::Retry { maybe_arrived: true, down: false, unanswered: true, .. }));
    assert!(matches!(failed(true), Outcome::Rejected { .. }));
}

#[test]
fn a_bad_target_is_refused_in_words() {
    for url in ["ftp://x/y", "https://a b", "https://x/\r\nHost: y", ""] {
        let target = to(url, None);
        assert!(Webhook::request(&message(1, "x"), &target, jiff::Timestamp::UNIX_EPOCH).is_err(), "{url}");
    }
    let target = to("https://x", Some("whsec_!!!"));
    let why = Webhook::request(&message(1, "x"), &target, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(why.contains("secret") && !why.contains("!!!"));
}

#[test]
fn whatever_is_told_arrives_cut_where_it_is_too_long_and_says_where_the_whole_stands() {
    let mut long = message(1, "Disk full");
    long.notices[0].kind = NoticeKind::Update;
    long.notices[0].text = Some("\u{1f525}".repeat(5_000));
    let (_, body) = request(&long, None);
    assert!(body.len() <= BODY_BYTES_MAX, "{}", body.len());
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let text = body["data"]["text"].as_str().unwrap();
    assert!(text.starts_with('\u{1f525}') && text.ends_with("The whole text: https://ac.example/incidents/INC-142"), "{text}");
}

#[test]
fn whoever_is_woken_reads_what_the_alarm_says_and_a_long_one_never_costs_the_page() {
    let about = |description: &str| About {
        description: Some(description.to_owned()),
        source: Some("db7".into()),
        labels: [("host".to_owned(), "db1".to_owned())].into(),
        links: vec![Link { href: "https://runbook.example/disk".into(), text: "runbook".into() }],
        service: Some("Checkout".into()),
        person: "Ana Ruiz".into(),
        time_zone: "Europe/Madrid".into(),
        also_told: vec!["Ben Okoye".into()],
        then_asked: Vec::new(),
        answer_by: Some("2026-11-21T03:05:00Z".parse().unwrap()),
    };
    let body = |description: &str| {
        let (_, body) = request(&Message { about: Some(about(description)), ..message(1, "Disk full") }, None);
        assert!(body.len() <= BODY_BYTES_MAX, "{}", body.len());
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    };
    let page = body("91 % of /var");
    assert_eq!(page["data"]["about"]["description"], "91 % of /var");
    assert_eq!(page["data"]["about"]["links"][0]["href"], "https://runbook.example/disk");
    assert_eq!(
        (&page["data"]["about"]["also_told"][0], &page["data"]["about"]["answer_by"]),
        (&"Ben Okoye".into(), &"2026-11-21T03:05:00Z".into())
    );
    let long = body(&"x".repeat(30_000));
    assert!(long["data"]["about"]["description"].as_str().unwrap().ends_with("x…"));
}

#[test]
fn what_is_a_secret() {
    assert!(is_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "24 bytes");
    assert!(is_secret(&format!("whsec_{}=", "A".repeat(43))), "32 bytes");
    assert!(!is_secret("whsec_c2hvcnQ="), "5 bytes");
    assert!(!is_secret(&format!("whsec_{}", "A".repeat(88))), "66 bytes");
    assert!(!is_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
}

#[test]
fn a_step_sends_what_its_plan_says_under_one_key_and_its_answer_comes_back() {
    let mut message = message(1, "Disk");
    message.notices[0].kind = NoticeKind::Step;
    message.notices[0].text = Some(r#"{"open":"{{url}}","what":"a \"b\""}"#.to_owned());
    let (headers, body) = request(&message, Some("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
    assert_eq!(String::from_utf8(body).unwrap(), r#"{"open":"https://ac.example/incidents/INC-142","what":"a \"b\""}"#);
    let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    assert!(header("webhook-signature").is_some() && header("webhook-id") == header("idempotency-key"));
    assert_eq!(header("idempotency-key"), Some(message.id.to_string()));

    let said = |status: u16, body: &str| super::outcome_of_step(&Response::Http { status, retry_after: None, body: body.to_owned() });
    assert_eq!(said(200, "job 1\r\n\u{1b}x"), Outcome::Delivered { receipt: "HTTP 200\njob 1 x".into() });
    assert_eq!(
        said(202, r#"{"accepted": true}"#),
        Outcome::Delivered { receipt: "HTTP 202\n{\"accepted\": true}".into() },
        "a yes is a yes"
    );
    assert_eq!(said(204, ""), Outcome::Delivered { receipt: "HTTP 204".into() });
    assert_eq!(said(400, "no such site"), Outcome::Rejected { why: "HTTP 400\nno such site".into() });
    assert!(matches!(said(500, "oops"), Outcome::Retry { why, maybe_arrived: true, .. } if why == "HTTP 500\noops"));
    let long = said(200, &"x".repeat(9_000));
    assert!(matches!(&long, Outcome::Delivered { receipt } if receipt.chars().count() < 520 && receipt.ends_with('…')), "{long:?}");
    // What is no step has no such header.
    message.notices[0].kind = NoticeKind::Reminder;
    assert!(request(&message, None).0.iter().all(|(name, _)| *name != "idempotency-key"));
}
