//! What a message in Slack is, what its answers mean, and what is heard of it.

use allclear_domain::channel::Address;
use allclear_domain::time::Length;
use allclear_domain::wire::{Heard, Line, NoticeKind, Of, ReplyRequest, Says, Told};

use super::super::form::form;
use super::super::slack_back::signature;
use super::*;
use crate::outbound::webhook::tests::message;

const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

pub(crate) fn workspace() -> Workspace {
    Workspace::read("https://slack.example/api/", "xoxb-1234567890-abcdef", SIGNING).unwrap()
}

fn slack() -> Slack {
    Slack::new(Some(&workspace()))
}

fn to(id: &str) -> Target {
    Target { name: "Ana".into(), address: Address::of([(NAME, id)]) }
}

fn body(slack: &Slack, message: &Message, id: &str) -> Value {
    match slack.request(message, &to(id)).unwrap() {
        Request::Http { method, url, headers, body } => {
            assert_eq!((method, url.as_str()), (Method::Post, "https://slack.example/api/chat.postMessage"));
            assert!(headers.contains(&("authorization", "Bearer xoxb-1234567890-abcdef".to_owned())), "{headers:?}");
            serde_json::from_slice(&body).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_a_title_a_text_and_buttons() {
    let page = message(1, "Disk full");
    let body = body(&slack(), &page, "U012AB3CD");
    assert_eq!((&body["channel"], &body["text"]), (&json!("U012AB3CD"), &json!("[SEV2] INC-142 Disk full")));
    assert_eq!(body["blocks"][0]["text"]["text"], "[SEV2] INC-142 Disk full");
    assert!(body["blocks"][1]["text"]["text"].as_str().unwrap().starts_with("Severity: SEV2\nService: checkout\n"), "{body}");
    let elements = body["blocks"][2]["elements"].as_array().unwrap();
    let seen: Vec<_> = elements.iter().map(|one| (one["action_id"].as_str().unwrap(), one["value"].as_str().unwrap())).collect();
    let id = page.id.to_string();
    assert_eq!(seen, [("acknowledge", id.as_str()), ("decline", id.as_str()), ("open", id.as_str())]);
    assert_eq!(elements[2]["url"], "https://ac.example/a/tok0", "the page that needs no sign-in");
    for (kind, labels) in [
        (NoticeKind::StillOnIt, vec!["I am still on it", "I am not", "Open"]),
        (NoticeKind::Over, vec!["Open"]),
        (NoticeKind::Code, vec!["Open"]),
    ] {
        let mut other = message(1, "Disk full");
        other.notices[0].kind = kind;
        other.notices[0].text = Some("048213".into());
        let body = self::body(&slack(), &other, "U012AB3CD");
        let seen: Vec<_> =
            body["blocks"][2]["elements"].as_array().unwrap().iter().map(|one| one["text"]["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(seen, labels, "{kind:?}");
    }
    let silent = Slack::new(Some(&Workspace::read(URL_DEFAULT, "xoxb-1234567890-abcdef", "").unwrap()));
    assert!(silent.replies().is_none() && slack().replies().is_some());
    assert_eq!(Slack::new(None).request(&page, &to("U012AB3CD")).unwrap_err(), "no --slack-token is set");
}

#[test]
fn text_from_outside_does_nothing_and_fits() {
    for title in ["<!channel> *x* `y` <https://evil.example|z> <@U1> & @here", &"🔥".repeat(4_000), &"<".repeat(4_000), ""] {
        for notices in [1, 2, 40] {
            let mut page = message(notices, title);
            page.about = Some(allclear_domain::wire::About { description: Some(title.repeat(3)), ..Default::default() });
            let body = body(&slack(), &page, "C012AB3CD");
            let chars = |at: &str| body.pointer(at).unwrap().as_str().unwrap().chars().count();
            assert!((1..=150).contains(&chars("/blocks/0/text/text")) && (1..=3_000).contains(&chars("/blocks/1/text/text")), "{body}");
            let all = body.to_string();
            for call in ["<!", "<@", "<http", "mrkdwn\":true", "\"type\":\"mrkdwn\""] {
                assert!(!all.contains(call), "{call} in {all}");
            }
        }
    }
    assert_eq!(escaped("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
}

#[test]
fn answers_are_read_by_what_they_say_and_not_by_their_status() {
    let answered =
        |status: u16, body: &str| outcome(&Response::Http { status, retry_after: Some(Length::from_secs(9)), body: body.to_owned() });
    let yes = r#"{"ok":true,"channel":"D024BE7LH","ts":"1503435956.000247","message":{"text":"it is repeated, and was cut"#;
    assert_eq!(answered(200, yes), Outcome::Delivered { receipt: "HTTP 200 D024BE7LH/1503435956.000247".into() });
    let otherwise = r#"{"channel":"D024BE7LH","ok":true,"ts":"1503435956.000247"}"#;
    assert_eq!(answered(200, otherwise), answered(200, yes), "in whatever order");
    assert_eq!(answered(200, r#"{"ok":true}"#), Outcome::Delivered { receipt: "HTTP 200".into() });
    for (error, why) in [
        ("channel_not_found", "nobody and no channel"),
        ("account_inactive", "--slack-token"),
        ("invalid_auth", "--slack-token"),
        ("missing_scope", "scopes"),
        ("not_in_channel", "invite"),
        ("brand_new", "HTTP 200: brand_new"),
    ] {
        let Outcome::Rejected { why: told } = answered(200, &format!(r#"{{"ok":false,"error":"{error}"}}"#)) else { panic!("{error}") };
        assert!(told.starts_with(&format!("HTTP 200: {error}")) && told.contains(why), "{told}");
    }
    for (status, body, in_doubt) in [
        (200, r#"{"ok":false,"error":"ratelimited"}"#, false),
        (429, r#"{"ok":false,"error":"ratelimited"}"#, false),
        (200, r#"{"ok":false,"error":"internal_error"}"#, true),
        (200, r#"{"ok":false,"error":"fatal_error"}"#, true),
        (200, "<!doctype html>", true),
        (200, "", true),
        (502, "<html>", true),
        (503, "", false),
    ] {
        let Outcome::Retry { after, maybe_arrived, .. } = answered(status, body) else { panic!("{status} {body}") };
        assert_eq!((after, maybe_arrived), (Some(Length::from_secs(9)), in_doubt), "{status} {body}");
    }
}

#[test]
fn what_is_over_is_shown_as_over_where_it_stands() {
    let page = message(1, "Disk <!channel> full");
    let retired = |receipt: &str| {
        let sent = Retired {
            id: page.id,
            address: &to("U012AB3CD").address,
            receipt,
            notice: &page.notices[0],
            several: false,
            says: "Ana has it, since 2026-11-21 04:00 CET.",
            incident_url: "https://ac.example/incidents/INC-142",
            now: Timestamp::UNIX_EPOCH,
        };
        slack().retire(&sent).map(|request| match request {
            Request::Http { url, body, .. } => (url, serde_json::from_slice::<Value>(&body).unwrap()),
            other => panic!("{other:?}"),
        })
    };
    let (url, body) = retired("HTTP 200 D024BE7LH/1503435956.000247").unwrap();
    assert_eq!(url, "https://slack.example/api/chat.update");
    assert_eq!((&body["channel"], &body["ts"]), (&json!("D024BE7LH"), &json!("1503435956.000247")));
    assert_eq!(body["blocks"][1]["text"]["text"], "Ana has it, since 2026-11-21 04:00 CET.");
    assert_eq!(body["blocks"][2]["elements"].as_array().map(Vec::len), Some(1), "a link, and no button: {body}");
    assert!(!body.to_string().contains("<!"), "{body}");
    for receipt in ["", "HTTP 200", "HTTP 200 D024BE7LH", "HTTP 200 ../x/1", "HTTP 200 D024BE7LH/x"] {
        assert!(retired(receipt).is_none(), "{receipt}");
    }
}

fn pressed(user: &str, channel: &str, action: &str, value: &str) -> Vec<u8> {
    let payload = json!({
        "type": "block_actions", "user": {"id": user}, "channel": {"id": channel}, "actions": [{"action_id": action, "value": value}]
    });
    form(&[("payload", &payload.to_string())])
}

#[test]
fn a_press_names_its_message_and_who_pressed_and_a_line_who_typed_it() {
    let id = message(1, "x").id;
    let read = |body: &[u8]| slack().read(&ReplyRequest { url: "", headers: &[], body });
    let of = Of::Pressed { message: id, by: "U012AB3CD".into() };
    for (action, says) in [
        ("acknowledge", Says::Answer("acknowledge".into())),
        ("decline", Says::Answer("decline".into())),
        ("open", Says::Nothing),
        ("open-1", Says::Nothing),
    ] {
        let heard = read(&pressed("U012AB3CD", "D1", action, &id.to_string()));
        assert_eq!(heard, Ok(vec![Heard { of: of.clone(), says }]), "{action}");
    }
    for body in
        [pressed("U012AB3CD", "D1", "acknowledge", "INC-1"), pressed("", "D1", "acknowledge", &id.to_string()), form(&[("payload", "[]")])]
    {
        assert!(read(&body).is_err(), "{}", String::from_utf8_lossy(&body));
    }
    let line = form(&[("command", "/allclear"), ("text", "declare a &lt;b&gt; &amp;lt; c\nd"), ("user_id", "U012AB3CD")]);
    let request = ReplyRequest { url: "", headers: &[("x-slack-signature", b"v0=12")], body: &line };
    let wanted = Line { from: "U012AB3CD".into(), words: "declare a <b> &lt; c\nd".into(), key: "v0=12".into() };
    assert_eq!(slack().line(&request), Some(wanted));
    assert!(slack().line(&ReplyRequest { body: &pressed("U1", "D1", "open", "x"), ..request }).is_none());
    let said = slack().answer(&request, Told::Taken("You have <INC-1>.")).unwrap();
    assert!(said.media_type == "application/json" && said.body.contains(r#""response_type":"ephemeral""#), "{said:?}");
    assert!(slack().says_back(&request, Told::Taken("x")).is_none(), "a line is answered at once");
}

#[test]
fn a_press_is_of_whoever_holds_the_address_or_of_the_channel_it_went_to() {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
    let time = now.as_second().to_string();
    let id = message(1, "x").id.to_string();
    let genuine = |user: &str, channel: &str, own: &str| {
        let body = pressed(user, channel, "acknowledge", &id);
        let sign = signature(SIGNING, &time, &body);
        let headers = [("x-slack-request-timestamp", time.as_bytes()), ("x-slack-signature", sign.as_bytes())];
        let request = ReplyRequest { url: "", headers: &headers, body: &body };
        assert!(slack().is_of_vendor(&request, &[now]));
        slack().genuine(&request, &Address::of([(NAME, own)]), &[now]).is_ok()
    };
    assert!(genuine("U012AB3CD", "D0XXXXXXX", "U012AB3CD"));
    assert!(!genuine("U0OTHER00", "D0XXXXXXX", "U012AB3CD"), "somebody else");
    assert!(genuine("U0OTHER00", "C0OPS0000", "C0OPS0000"), "whoever reads the channel");
    assert!(!genuine("U0OTHER00", "C0ELSE000", "C0OPS0000"), "another channel");
    // As Slack's documentation signs it.
    let body = b"token=x&command=%2Fincident&text=declare";
    assert_eq!(signature(SIGNING, "1531420618", body), "v0=5e1f6e2b850e7949dffd173c491037efdc649af933d16a166be86201aff3e1d2");
}

#[test]
fn an_id_is_in_capitals_and_says_what_it_is_of() {
    for id in ["U012AB3CD", "W012AB3CD", "C012AB3CD", "G012AB3CD"] {
        assert_eq!(check_id(id), Ok(()), "{id}");
    }
    for id in ["", "u012ab3cd", "@ana", "#ops", "U01", "X012AB3CD", "U012-B3CD", "ana@example.org"] {
        assert!(check_id(id).unwrap_err().contains("Copy member ID"), "{id}");
    }
}
