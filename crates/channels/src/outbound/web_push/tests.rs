//! What a push holds, and what services answer.

use allclear_domain::ids::MessageId;
use allclear_domain::time::Length;
use allclear_domain::wire::{Heard, Of, ReplyRequest, Says};
use serde_json::{Value, json};

use super::*;
use crate::outbound::webhook::tests::message;

fn channel() -> WebPush {
    WebPush::new(Some(Arc::new(Vapid::read(&vapid::new_key().unwrap(), "mailto:ops@ac.example").unwrap())))
}

fn target() -> Target {
    let of_form = FORM.fields.iter().map(|field| (field.key, field.example));
    Target { name: "Ana".into(), address: Address::of(of_form) }
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let Request::Http { headers, .. } = request else { panic!("{request:?}") };
    headers.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
}

fn now() -> Timestamp {
    message(1, "x").created_at
}

#[test]
fn a_push_goes_to_the_browsers_service_sealed_and_in_its_time() {
    let (channel, target) = (channel(), target());
    let page = message(1, "Disk full");
    let request = channel.request(&page, &target, now()).unwrap();
    let Request::Http { url, body, method, .. } = &request else { panic!("{request:?}") };
    assert_eq!((url.as_str(), *method), ("https://push.example.net/send/f0Rx8zVq2mB", Method::Post));
    assert!(body.len() <= seal::RECORD_BYTES && !String::from_utf8_lossy(body).contains("Disk"));
    assert_eq!((header(&request, "content-encoding"), header(&request, "urgency")), ("aes128gcm", "high"));
    assert_eq!(header(&request, "ttl"), "3600");
    assert!(header(&request, "authorization").starts_with("vapid t=ey") && header(&request, "topic").len() == TOPIC_CHARS);
    let again = channel.request(&page, &target, now()).unwrap();
    assert_eq!(header(&again, "topic"), header(&request, "topic"), "one takes the place of the other");
    for (minutes, ttl) in [(1, "300"), (20, "1200"), (600, "3600")] {
        let about = allclear_domain::wire::About {
            answer_by: now().checked_add(jiff::SignedDuration::from_mins(minutes)).ok(),
            ..Default::default()
        };
        let until = Message { about: Some(about), ..page.clone() };
        assert_eq!(header(&channel.request(&until, &target, now()).unwrap(), "ttl"), ttl, "in {minutes} min");
    }
    let long = channel.request(&message(40, &"🙂\"".repeat(2_000)), &target, now()).unwrap();
    let Request::Http { body, .. } = long else { panic!("no request") };
    assert!(body.len() <= seal::RECORD_BYTES);
    assert!(WebPush::new(None).request(&page, &target, now()).is_err());
}

#[test]
fn what_a_service_answers() {
    let says =
        |status: u16, body: &str| outcome(&Response::Http { status, retry_after: Some(Length::from_secs(7)), body: body.into() }, true);
    assert_eq!(says(201, ""), Outcome::Accepted { receipt: "HTTP 201".into(), within: RECEIPT_WITHIN });
    for (status, words) in [(404, "add it again"), (410, "add it again"), (403, "another key"), (413, "HTTP 413"), (400, "HTTP 400")] {
        let Outcome::Rejected { why } = says(status, "") else { panic!("{status}") };
        assert!(why.contains(words), "{why}");
    }
    assert!(matches!(says(429, ""), Outcome::Retry { after: Some(after), maybe_arrived: false, .. } if after == Length::from_secs(7)));
    for (status, body) in [(500, ""), (502, "<html>"), (200, "<html>portal")] {
        assert!(matches!(says(status, body), Outcome::Retry { maybe_arrived: true, .. }), "{status}");
    }
    let unheard = outcome(&Response::Http { status: 201, retry_after: None, body: String::new() }, false);
    assert!(matches!(unheard, Outcome::Delivered { .. }), "where nothing is heard the service's word is all there is");
}

#[test]
fn an_address_is_one_that_browsers_give() {
    for given in ["https://fcm.googleapis.com/fcm/send/x:APA91b", "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/x"] {
        assert!(endpoint(given).is_ok(), "{given}");
    }
    for given in
        ["http://push.example.net/x", "https://a@b.example/x", "http://127.0.0.1@evil.example/", "http://localhost.evil.example/", "x"]
    {
        assert!(endpoint(given).is_err(), "{given}");
    }
    assert_eq!(endpoint("HTTPS://Push.Example.net:8443/x?y").unwrap(), "https://push.example.net:8443");
    assert_eq!(
        (path_of("https://ac.example/a/tok0"), path_of("https://ac.example"), path_of("/a")),
        ("/a/tok0", "https://ac.example", "/a")
    );
}

#[test]
fn what_is_over_takes_the_place_of_its_page() {
    let (channel, target, page) = (channel(), target(), message(1, "x"));
    let sent = Retired {
        id: page.id,
        receipt: "HTTP 201",
        notice: &page.notices[0],
        address: &target.address,
        several: false,
        says: "Ben has it.",
        incident_url: "https://ac.example/incidents/INC-142",
        now: now(),
    };
    let (over, request) = (channel.retire(&sent).unwrap(), channel.request(&page, &target, now()).unwrap());
    assert_eq!(header(&over, "topic"), header(&request, "topic"));
    assert_ne!(header(&channel.retire(&Retired { several: true, ..sent }).unwrap(), "topic"), header(&over, "topic"));
}

#[test]
fn a_browser_that_moved_says_where_it_is_reached() {
    let (channel, target, id) = (channel(), target(), message(1, "x").id);
    let own = auth(target.address.get(AUTH).unwrap()).unwrap();
    let body = |rest: Value| {
        let mut body = json!({"message": id, "proof": back::proof(&own, id)});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body.to_string().into_bytes()
    };
    let moved = body(json!({"moved": {"endpoint": "https://push.example.net/2", "p256dh": "B", "auth": "A"}}));
    let request = ReplyRequest { url: "", headers: &[], body: &moved };
    let address = Address::of([(NAME, "https://push.example.net/2"), (POINT, "B"), (AUTH, "A")]);
    assert_eq!(channel.read(&request), Ok(vec![Heard { of: Of::Message(id), says: Says::Moved(address) }]));
    assert!(channel.genuine(&request, &target.address, &[]).is_ok());
    let other = MessageId::from_bits(9);
    let stolen = json!({"message": other, "proof": back::proof(&own, id), "answer": "acknowledge"}).to_string().into_bytes();
    assert!(channel.genuine(&ReplyRequest { body: &stolen, ..request }, &target.address, &[]).is_err(), "it is good for one message");
    for rest in [json!({}), json!({"receipt": "read"}), json!({"receipt": "delivered", "answer": "1"})] {
        assert!(channel.read(&ReplyRequest { body: &body(rest), ..request }).is_err());
    }
}
