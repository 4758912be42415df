//! What must hold of every channel, told from its own form: a new one is tried here without a line of its own.
//!
//! That its fields are asked for in the browser is tried in `web`, that its secrets are sealed and masked in a store in
//! `engine`, and that a message arrives in the stories.

#![allow(clippy::unwrap_used, clippy::panic)] // a test fails loudly, in its helpers too

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use allclear_channels::outbound::described::account::Account as Vendor;
use allclear_channels::outbound::described::shipped;
use allclear_channels::outbound::slack::Workspace;
use allclear_channels::outbound::slack_back;
use allclear_channels::outbound::twilio::{self, Account};
use allclear_channels::outbound::web_push::vapid::{Vapid, new_key};
use allclear_channels::outbound::webhook;
use allclear_channels::registry::{Around, Channels, WAYS_OUT};
use allclear_domain::channel::{Address, Carriage, ChannelForm, Field, Kept, Server};
use allclear_domain::ids::{IncidentId, MessageId, PageId};
use allclear_domain::org::check::text::is_slug;
use allclear_domain::org::check::{Against, check};
use allclear_domain::org::export::{MASK, masked};
use allclear_domain::org::model::{Bundle, CONTACT_KEYS, NotifyUrgency};
use allclear_domain::time::Length;
use allclear_domain::wire::{
    Heard, Message, NotGenuine, Notice, NoticeIncident, NoticeKind, Of, Outcome, Reply, ReplyCode, ReplyRequest, Request, Response, Says,
    Step, Target,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// No field takes it.
const NOT_ONE: &str = "\u{1}not one\n";

/// The token of the account for text messages and calls.
const TOKEN: &str = "12345";
/// What is in the address for what people write.
const REPLY_KEY: &str = "k-0123456789abcdefghij";
/// The signing secret of the app in Slack.
const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// An account with each vendor that is data.
fn vendors() -> Vec<Vendor> {
    let one = |name: &str| {
        let (description, form) = shipped::shipped(name).unwrap();
        let value = |key: String| {
            let value = if key == "region" { "eu".to_owned() } else { format!("{key}-0123456789") };
            (key, value)
        };
        let asked: Vec<String> = description.asked_for().map(ToOwned::to_owned).collect();
        let values = asked.into_iter().map(value).chain([("reply_key".to_owned(), REPLY_KEY.to_owned())]).collect();
        Vendor::of((description, form), false, values).unwrap()
    };
    shipped::names().map(one).collect()
}

fn channels() -> Channels {
    let account = Account::read("https://telephone.example", "AC1", TOKEN, "+4930000000").unwrap();
    let slack =
        Workspace::read("https://slack.example/api", "xoxb-1234567890-abcdef", SIGNING).and_then(|own| own.listening("xapp-1-A01-abcdef"));
    let slack = slack.unwrap();
    let vendors = vendors();
    let vapid = Arc::new(Vapid::read(&new_key().unwrap(), "mailto:ops@ac.example").unwrap());
    Channels::new(Around {
        mail: true,
        vapid: Some(&vapid),
        telephone: Some(&account),
        slack: Some(&slack),
        vendors: &vendors,
        ..Around::nothing("ac.example")
    })
}

fn every_field() -> impl Iterator<Item = (&'static ChannelForm, &'static Field)> {
    WAYS_OUT.iter().flat_map(|form| form.fields.iter().map(move |field| (form, field)))
}

/// Somebody whose address has the example in every field.
fn target(form: &ChannelForm) -> Target {
    Target { name: "Ana".into(), address: Address::of(form.fields.iter().map(|field| (field.key, field.example))) }
}

/// A person and an audience with that address, changed.
fn bundle(form: &ChannelForm, change: impl FnOnce(&mut Map<String, Value>)) -> Bundle {
    let mut contact = Map::new();
    contact.insert("id".into(), form.id_example.into());
    contact.extend(form.fields.iter().map(|field| (field.key.to_owned(), field.example.into())));
    change(&mut contact);
    let contacts = json!([contact]);
    let people = json!([{"id": "ana", "name": "Ana", "contacts": contacts}]);
    serde_json::from_value(json!({"people": people, "audiences": [{"id": "all", "contacts": contacts}]})).unwrap()
}

/// With one field that says this.
fn with(form: &ChannelForm, key: &str, value: &str) -> Bundle {
    bundle(form, |contact| drop(contact.insert(key.into(), value.into())))
}

/// What is wrong with it, each as `place: words`.
fn wrong(bundle: &Bundle) -> Vec<String> {
    let against = Against { now: Timestamp::UNIX_EPOCH, kinds: &[], channels: WAYS_OUT };
    check(bundle, against).iter().filter(|problem| problem.is_error()).map(|p| format!("{}: {}", p.place, p.message)).collect()
}

#[test]
fn a_form_says_what_it_must() {
    let mut names = BTreeSet::new();
    for form in WAYS_OUT.iter() {
        assert!(names.insert(form.name) && is_slug(form.name) && is_slug(form.id_example), "{}", form.name);
        assert_eq!(form.fields[0].key, form.name, "the main field is under the channel's name");
        assert!(form.fields[0].needed, "{}: the main field is needed", form.name);
        if let Carriage::Http(server) = form.carriage {
            // What says where it goes is a URL, of the address or of the vendor.
            let address = Address::of(form.fields.iter().map(|field| (field.key, field.example)));
            assert!(form.server(&address).is_some_and(|url| url.starts_with("https://")), "{}", form.name);
            assert!(form.fields.iter().any(|field| form.says_server(field.key)), "{}", form.name);
            let bare = Address::of([(form.name, form.fields[0].example)]);
            assert!(form.server(&bare).is_some_and(|url| url.starts_with("https://")), "{}", form.name);
            if let Server::Field { key, usual } = server {
                assert_eq!(form.field(key).map(|field| (field.needed, (field.check)(usual))), Some((false, Ok(()))), "{}", form.name);
            }
        }
        let keys: BTreeSet<_> = form.fields.iter().map(|field| field.key).collect();
        assert_eq!(keys.len(), form.fields.len(), "{}: each key once", form.name);
    }
    for (form, field) in every_field() {
        let said = [field.label, field.hint, field.shape, field.example];
        assert!(said.iter().all(|said| !said.is_empty()) && field.hint.ends_with('.'), "{}.{}", form.name, field.key);
        assert!(is_slug(field.key) && !CONTACT_KEYS.contains(&field.key), "{}.{}", form.name, field.key);
        // What is sealed is told by its key alone.
        let mut same = every_field().filter(|(_, other)| other.key == field.key);
        assert!(same.all(|(_, other)| other.is_secret() == field.is_secret()), "{} is a secret here and none there", field.key);
        assert!(!names.contains(field.key) || field.key == form.name, "{} is the name of another channel", field.key);
    }
}

#[test]
fn every_field_is_checked_and_its_example_passes() {
    for form in WAYS_OUT.iter() {
        assert_eq!(wrong(&bundle(form, |_| ())), Vec::<String>::new(), "{}", form.name);
    }
    for (form, field) in every_field() {
        let told = wrong(&with(form, field.key, NOT_ONE));
        for place in ["people[0].contacts[0]", "audiences[0].contacts[0]"] {
            let beginning = format!("{place}.{}: ", field.key);
            assert!(told.iter().any(|said| said.starts_with(&beginning) && said.len() > beginning.len()), "{}: {told:?}", field.key);
        }
        assert!(!field.is_secret() || told.iter().all(|said| !said.contains("not one")), "a secret is not repeated: {told:?}");
        let told = wrong(&bundle(form, |contact| drop(contact.remove(field.key))));
        assert_eq!(told.is_empty(), !field.needed, "{}.{}: {told:?}", form.name, field.key);
        let says = |said: &String| said.contains(&format!("`{}`", field.key)) || field.key == form.name;
        assert!(told.iter().all(says), "what is missing is named: {told:?}");
        if field.is_secret() {
            let told = wrong(&with(form, field.key, MASK));
            assert!(told[0].contains("none is stored"), "{told:?}");
        }
        if let Kept::Made { bytes, text } = field.kept {
            for byte in [0, 0xff] {
                assert_eq!((field.check)(&text(&vec![byte; bytes])), Ok(()), "{}: what is made passes", field.key);
            }
        }
    }
}

#[test]
fn a_field_of_another_channel_is_refused() {
    for (form, field) in every_field().filter(|(form, field)| field.key != form.name) {
        for other in WAYS_OUT.iter().filter(|other| other.field(field.key).is_none()) {
            let told = wrong(&with(other, field.key, field.example));
            assert!(told[0].contains("only a") && told[0].contains(form.noun), "{told:?}");
        }
    }
}

#[test]
fn secrets_are_masked_in_export_and_in_debug_and_what_is_plain_comes_back() {
    for form in WAYS_OUT.iter() {
        let bundle = bundle(form, |_| ());
        let shown = serde_json::to_string(&masked(&bundle, WAYS_OUT)).unwrap();
        let debugged = format!("{bundle:?}{:?}", target(form));
        for field in form.fields {
            assert_eq!(shown.contains(field.example), !field.is_secret(), "{}: {shown}", field.key);
            assert!(!debugged.contains(field.example), "{}: no address in a log", field.key);
        }
        let again: Bundle = serde_json::from_value(serde_json::to_value(&bundle).unwrap()).unwrap();
        assert_eq!(again, bundle, "as it is stored");
    }
}

fn message(kind: NoticeKind, notices: usize, title: &str, text: Option<&str>) -> Message {
    let notice = |n: usize| Notice {
        kind,
        key: format!("pag/1/1/ana/{n}"),
        page: PageId::from_bits(2),
        step: 1,
        round: 1,
        late: true,
        person: "ana".into(),
        text: text.map(Into::into),
        because: None,
        incident: NoticeIncident {
            id: IncidentId::from_bits(1),
            reference: format!("INC-{n}"),
            title: title.into(),
            severity: "sev1".into(),
            service: Some("checkout".into()),
            guest: None,
        },
    };
    Message {
        id: MessageId::from_bits(3),
        created_at: "2026-11-21T03:00:00Z".parse().unwrap(),
        in_doubt: true,
        urgency: NotifyUrgency::High,
        notices: (0..notices).map(notice).collect(),
        bundle_url: (notices > 1 && kind.gathers()).then(|| "https://ac.example/a/all".to_owned()),
        ack_urls: (0..notices.min(30)).map(|n| format!("https://ac.example/a/tok{n}")).collect(),
        incident_urls: (0..notices.min(30)).map(|n| format!("https://ac.example/incidents/INC-{n}")).collect(),
        reply_url: Some("https://ac.example/reply".to_owned()),
        about: None,
        names: allclear_domain::wire::Names::default(),
    }
}

const KINDS: [NoticeKind; 6] =
    [NoticeKind::Page, NoticeKind::ConfirmRecovery, NoticeKind::StillOnIt, NoticeKind::Reminder, NoticeKind::Update, NoticeKind::Over];

#[test]
fn whatever_a_message_says_fits_the_limits() {
    let channels = channels();
    // A title and an update are no longer than this where they come in.
    let nasty = |chars: usize| "é\u{202e}\" \\ <b>&\r\n🙂".chars().cycle().take(chars).collect::<String>();
    let (title, text) = (nasty(1_024), nasty(5_000));
    for form in WAYS_OUT.iter() {
        for kind in KINDS {
            for (notices, title, text) in [
                (1, "Disk full", None),
                (1, "Disk full", Some("short")),
                (1, title.as_str(), Some(text.as_str())),
                (40, title.as_str(), None),
                (1_000, "x", None),
            ] {
                let (message, target) = (message(kind, notices, title, text), target(form));
                match channels.channel(form.name).unwrap().start(&message, &target, message.created_at) {
                    Step::Ask(request, _) => assert!(fits(form, &request), "{} {kind:?} {notices}", form.name),
                    Step::Done(outcome) => panic!("{} {kind:?} {notices}: {outcome:?}", form.name),
                }
            }
        }
    }
}

/// What a body says, whichever way it is written.
fn read(headers: &[(&'static str, String)], body: &[u8]) -> Value {
    let kind = headers.iter().find(|(name, _)| *name == "content-type").map(|(_, value)| value.as_str());
    if kind != Some("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).unwrap();
    }
    let text = std::str::from_utf8(body).unwrap();
    let plain = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let (byte, left) = match (first, tail) {
                (b'%', [a, b, left @ ..]) => (u8::from_str_radix(std::str::from_utf8(&[*a, *b]).unwrap(), 16).unwrap(), left),
                _ => (*first, tail),
            };
            bytes.push(byte);
            rest = left;
        }
        Value::from(String::from_utf8(bytes).unwrap())
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), plain(value))).collect()
}

/// Where the bodies of the channels have a title, a text and buttons.
const TITLES: [&str; 3] = ["/blocks/0/text/text", "/title", "/attachments/0/title"];
const TEXTS: [&str; 4] = ["/blocks/1/text/text", "/message", "/text", "/attachments/0/text"];
const BUTTONS: [&str; 4] = ["/blocks/2/elements", "/actions", "/reply_markup/inline_keyboard", "/attachments/0/content/actions"];

fn fits(form: &ChannelForm, request: &Request) -> bool {
    let (title, bytes, by_mail) = match request {
        Request::Http { body, .. } if form.carriage == Carriage::Telephone => {
            let text = ["Body", "Twiml"].iter().find_map(|name| field_of(body, name)).unwrap();
            assert!(text.contains("INC-0") || text.contains("INC 0"), "{}: {text}", form.name);
            assert!(form.limits.text_chars.is_some_and(|max| text.encode_utf16().count() <= max), "{}: {}", form.name, text.len());
            (String::new(), text.len(), false)
        }
        // Sealed: what it says is looked at beside the channel, and how long it is here.
        Request::Http { headers, body, .. } if headers.iter().any(|(name, _)| *name == "content-encoding") => {
            (String::new(), body.len(), false)
        }
        Request::Http { headers, body, .. } => {
            let body = read(headers, body);
            let text = |places: &[&str]| places.iter().find_map(|at| body.pointer(at)?.as_str()).map(str::to_owned);
            let buttons = BUTTONS.iter().find_map(|at| body.pointer(at)?.as_array()).map_or(0, Vec::len);
            assert!(buttons <= form.limits.buttons, "{}: {buttons} buttons", form.name);
            let bytes = text(&TEXTS).map_or_else(|| body.to_string().len(), |text| text.len());
            (text(&TITLES).unwrap_or_default(), bytes, false)
        }
        Request::Mail { subject, text, .. } => (subject.clone(), text.len(), true),
    };
    by_mail == (form.carriage == Carriage::Mail)
        && form.limits.title_chars.is_none_or(|max| title.chars().count() <= max)
        && form.limits.text_bytes.is_none_or(|max| bytes <= max)
}

/// As a form has it.
fn encoded(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A field of a form.
fn field_of(body: &[u8], name: &str) -> Option<String> {
    let url = format!("https://x.example/?{}", std::str::from_utf8(body).unwrap());
    let url: reqwest::Url = url.parse().unwrap();
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// How a message ends when everything is answered like this.
fn ends(form: &ChannelForm, response: &Response) -> Outcome {
    let (channels, target) = (channels(), target(form));
    let message = message(NoticeKind::Page, 1, "Disk full", None);
    let mut step = channels.channel(form.name).unwrap().start(&message, &target, message.created_at);
    loop {
        match step {
            Step::Ask(_, then) => step = then(response),
            Step::Done(outcome) => return outcome,
        }
    }
}

/// How servers say that they have it: a channel that looks at what they say has its own here.
const TAKEN: [&str; 10] = [
    r#"{"event_id":"$YUwRidLecu"}"#,
    r#"{"ids":[421332671]}"#,
    r#"{"message_uuid":["db3ce55a"]}"#,
    r#"{"id":"01FC66621"}"#,
    r#"{"data":{"id":"b0c7e8cb"}}"#,
    r#"{"messages":[{"status":"0","message-id":"0C"}]}"#,
    "words",
    r#"{"id":25,"appid":5}"#,
    r#"{"status":1,"request":"647d2300-702c"}"#,
    r#"{"ok":true,"result":{}}"#,
];

#[test]
fn every_outcome_is_reached_and_no_answer_is_taken_for_another() {
    for form in WAYS_OUT.iter() {
        let http = |status, said: &str| Response::Http { status, retry_after: Some(Length::from_secs(7)), body: said.into() };
        let smtp = |code| Response::Smtp { code, text: "words".into() };
        let mut found = BTreeSet::new();
        // Of a status that says no it matters little what is said.
        let all = (100..600).flat_map(|code| TAKEN.map(|said| (code, said)));
        for (code, said) in all.filter(|(code, said)| (200..300).contains(code) || *said == "words") {
            let (own, foreign) = match form.carriage {
                Carriage::Http(_) | Carriage::Telephone | Carriage::Vendor { .. } => (http(code, said), smtp(code)),
                Carriage::Mail => (smtp(code), http(code, said)),
            };
            assert!(matches!(ends(form, &foreign), Outcome::Rejected { .. }), "{}: {code} of somebody else", form.name);
            let (word, said) = match ends(form, &own) {
                Outcome::Delivered { receipt } => ("delivered", receipt),
                Outcome::Accepted { receipt, .. } => ("accepted", receipt),
                Outcome::Retry { why, .. } => ("retry", why),
                Outcome::Rejected { why } => ("rejected", why),
            };
            assert!(said.contains(&code.to_string()), "{}: {code} is in {said:?}", form.name);
            assert!(!matches!(word, "accepted" | "delivered") || (200..300).contains(&code), "{}: {code}", form.name);
            // Taken for now, or delivered: a channel says one of the two.
            found.insert(if word == "accepted" { "delivered" } else { word });
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["delivered", "rejected", "retry"], "{}", form.name);
        for (maybe_arrived, permanent) in [(false, false), (true, false), (false, true)] {
            let failed = Response::Failed { why: "no route".into(), maybe_arrived, permanent };
            assert_eq!(ends(form, &failed), Outcome::failed("no route", maybe_arrived, permanent), "{}", form.name);
        }
        assert_eq!(ends(form, &Response::Busy { why: "full".into() }), Outcome::busy("full"), "{}", form.name);
    }
}

#[test]
fn an_address_that_does_not_read_is_refused_before_anybody_is_asked() {
    let channels = channels();
    let message = message(NoticeKind::Page, 1, "Disk full", None);
    for form in WAYS_OUT.iter() {
        for address in [Address::default(), Address::of([(form.name, NOT_ONE)])] {
            let target = Target { name: "Ana".into(), address };
            let step = channels.channel(form.name).unwrap().start(&message, &target, message.created_at);
            assert!(matches!(step, Step::Done(Outcome::Rejected { .. })), "{}", form.name);
        }
    }
}

/// What was asked of us, and what it is to be heard as.
struct Asked {
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    heard: Heard,
    /// Whether the time of signing is signed as well.
    is_timed: bool,
    /// Whether what is posted is signed, and not only known by a secret beside it.
    is_signed: bool,
}

/// How whoever is behind a channel asks, signed with what this address holds: a channel that hears something says here how.
fn asked(channel: &str, address: &Address, says: &Says, at: Timestamp) -> Asked {
    let message = MessageId::from_bits(3);
    match channel {
        "webhook" => {
            let body = match says {
                Says::Delivered(words) => json!({"message": message, "receipt": "delivered", "why": words}),
                Says::Failed(why) => json!({"message": message, "receipt": "failed", "why": why}),
                Says::Answer(words) => json!({"message": message, "answer": words}),
                Says::Moved(_) | Says::Nothing => panic!("a webhook always says something else"),
            };
            let body = body.to_string().into_bytes();
            let signature = webhook::signature(address.get("secret").unwrap(), "reply-1", at.as_second(), &body).unwrap();
            let headers =
                [("webhook-id", "reply-1".into()), ("webhook-timestamp", at.as_second().to_string()), ("webhook-signature", signature)];
            let heard = Heard { of: Of::Message(message), says: says.clone() };
            Asked { url: "https://ac.example/reply".into(), headers: headers.into(), body, heard, is_timed: true, is_signed: true }
        }
        "sms" => {
            let number = address.get("sms").unwrap().replace('+', "%2B");
            let ours = "%2B4930000000";
            let (url, body, of, says) = match says {
                Says::Delivered(_) => {
                    (true, "MessageStatus=delivered".to_owned(), Of::Message(message), Says::Delivered("delivered".into()))
                }
                Says::Failed(_) => (
                    true,
                    "MessageStatus=undelivered&ErrorCode=30005".to_owned(),
                    Of::Message(message),
                    Says::Failed("undelivered, error 30005".into()),
                ),
                Says::Answer(words) => {
                    let code = ReplyCode::of(message);
                    (
                        false,
                        format!("Body={code}+{}", words.replace(' ', "+").replace('\'', "%27")),
                        Of::Sender { from: address.get("sms").unwrap().to_owned(), code: Some(code) },
                        says.clone(),
                    )
                }
                Says::Moved(_) | Says::Nothing => (true, "MessageStatus=sent".to_owned(), Of::Message(message), Says::Nothing),
            };
            let (from, to) = if url { (ours, number.as_str()) } else { (number.as_str(), ours) };
            let body = format!("From={from}&To={to}&{body}").into_bytes();
            let url = if url { format!("https://ac.example/reply/sms?m={message}") } else { "https://ac.example/reply/sms".to_owned() };
            let headers = vec![("x-twilio-signature", twilio::signature(TOKEN, &url, &body))];
            Asked { url, headers, body, heard: Heard { of, says }, is_timed: false, is_signed: true }
        }
        "voice" => {
            let number = address.get("voice").unwrap().replace('+', "%2B");
            let (body, says) = match says {
                Says::Delivered(_) => ("CallStatus=completed", Says::Delivered("the call was answered".into())),
                Says::Failed(_) => ("CallStatus=no-answer", Says::Failed("nobody picked up".into())),
                Says::Answer(words) => match Reply::of_words(words) {
                    Ok(Reply::Acknowledge) => ("CallStatus=in-progress&Digits=4", Says::Answer("acknowledge".into())),
                    Ok(Reply::Decline) => ("CallStatus=in-progress&Digits=8", Says::Answer("decline".into())),
                    Err(_) => ("CallStatus=in-progress&Digits=5", Says::Answer("key 5".into())),
                },
                Says::Moved(_) | Says::Nothing => ("CallStatus=ringing", Says::Nothing),
            };
            let url = format!("https://ac.example/reply/voice?m={message}");
            let body = format!("To={number}&{body}").into_bytes();
            let headers = vec![("x-twilio-signature", twilio::signature(TOKEN, &url, &body))];
            Asked { url, headers, body, heard: Heard { of: Of::Message(message), says }, is_timed: false, is_signed: true }
        }
        "telegram" => {
            // It gives no receipts: whatever is pressed is an answer.
            let word = match says {
                Says::Answer(words) => words.clone(),
                Says::Delivered(_) | Says::Failed(_) | Says::Moved(_) | Says::Nothing => "acknowledge".to_owned(),
            };
            let chat: i64 = address.get("telegram").unwrap().parse().unwrap();
            let body = json!({"callback_query": {
                "id": "1", "from": {"id": chat}, "message": {"chat": {"id": chat}}, "data": format!("{word}:{message}")
            }});
            let headers = vec![("x-telegram-bot-api-secret-token", address.get("secret").unwrap().to_owned())];
            let heard = Heard { of: Of::Pressed { message, by: chat.to_string() }, says: Says::Answer(word) };
            Asked {
                url: "https://ac.example/reply".into(),
                headers,
                body: body.to_string().into_bytes(),
                heard,
                is_timed: false,
                is_signed: false,
            }
        }
        "web_push" => {
            // Each message came with what its answers are proved by, sealed.
            let auth = URL_SAFE_NO_PAD.decode(address.get("auth").unwrap()).unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&auth).unwrap();
            mac.update(format!("allclear answer {message}").as_bytes());
            let proof = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
            let body = match says {
                Says::Delivered(why) => json!({"message": message, "proof": proof, "receipt": "delivered", "why": why}),
                Says::Failed(why) => json!({"message": message, "proof": proof, "receipt": "failed", "why": why}),
                Says::Answer(words) => json!({"message": message, "proof": proof, "answer": words}),
                Says::Moved(_) | Says::Nothing => panic!("told beside the channel"),
            };
            let heard = Heard { of: Of::Message(message), says: says.clone() };
            let body = body.to_string().into_bytes();
            Asked { url: "https://ac.example/reply".into(), headers: Vec::new(), body, heard, is_timed: false, is_signed: false }
        }
        "slack" => {
            let by = address.get("slack").unwrap();
            // It gives no receipts: what is told of a link that was followed settles nothing.
            let (action, says) = match says {
                Says::Answer(words) => (words.as_str(), says.clone()),
                Says::Delivered(_) | Says::Failed(_) | Says::Moved(_) | Says::Nothing => ("open", Says::Nothing),
            };
            let payload = json!({
                "type": "block_actions", "user": {"id": by}, "channel": {"id": "D1"},
                "actions": [{"action_id": action, "value": message.to_string()}]
            });
            let body = format!("payload={}", encoded(&payload.to_string())).into_bytes();
            let time = at.as_second().to_string();
            let signature = slack_back::signature(SIGNING, &time, &body);
            let headers = vec![("x-slack-request-timestamp", time), ("x-slack-signature", signature)];
            let heard = Heard { of: Of::Pressed { message, by: by.to_owned() }, says };
            Asked { url: "https://ac.example/reply".into(), headers, body, heard, is_timed: true, is_signed: true }
        }
        other => panic!("`{other}` hears something: write here how it is told"),
    }
}

/// Everything that may be heard.
fn everything_said() -> Vec<Says> {
    let answers = ["acknowledge", "decline", "1", "2", "I can't", "what?"];
    [Says::Delivered("it rang".into()), Says::Failed("no such number".into())]
        .into_iter()
        .chain(answers.map(|words| Says::Answer(words.into())))
        .collect()
}

#[test]
fn every_receipt_and_answer_is_heard_and_only_of_whoever_the_message_went_to() {
    let channels = channels();
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
    let mut hear = Vec::new();
    for form in WAYS_OUT.iter() {
        let Some(replies) = channels.channel(form.name).unwrap().replies() else { continue };
        hear.push(form.name);
        // What a vendor that is data posts is its description's, and told with it.
        if shipped::names().any(|name| name == form.name) {
            continue;
        }
        let own = target(form).address;
        // Somebody else of the house, with an address like it and secrets of their own; where their contact holds none, with
        // another number.
        let mut other = own.clone();
        match form.carriage {
            Carriage::Telephone => other.set(form.name, "+491709999999"),
            Carriage::Vendor { .. } => {
                other.set(form.name, if form.fields[0].example.starts_with('+') { "+491709999999" } else { "U0OTHER99" })
            }
            Carriage::Http(_) | Carriage::Mail => {}
        }
        for field in form.fields {
            match field.kept {
                Kept::Made { bytes, text } => other.set(field.key, text(&vec![7; bytes])),
                Kept::Secret => other.set(field.key, field.example.chars().rev().collect::<String>()),
                Kept::Plain => {}
            }
        }
        assert_ne!(own, other, "{}: what comes back is known by a secret", form.name);
        for says in everything_said() {
            let Asked { url, headers, body, heard, is_timed, is_signed } = asked(form.name, &own, &says, now);
            let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            let request = ReplyRequest { url: &url, headers: &headers, body: &body };
            assert_eq!(replies.read(&request), Ok(vec![heard]), "{}", form.name);
            assert!(body.len() <= replies.body_bytes_max());
            let genuine = |request: &ReplyRequest<'_>, address: &Address, at: i64| {
                replies.genuine(request, address, &[now.checked_add(jiff::SignedDuration::from_secs(at)).unwrap()])
            };
            assert_eq!(genuine(&request, &own, 0), Ok(()), "{}", form.name);
            assert_eq!(replies.genuine(&request, &own, &[Timestamp::UNIX_EPOCH, now]), Ok(()), "by either of our clocks");
            assert_eq!(genuine(&request, &other, 0), Err(NotGenuine), "{}: another contact's", form.name);
            assert_eq!(genuine(&request, &Address::of([(form.name, "x")]), 0), Err(NotGenuine), "{}: no secret", form.name);
            for at in [-301, 301, i64::from(i32::MAX)].into_iter().filter(|_| is_timed) {
                assert_eq!(genuine(&request, &own, at), Err(NotGenuine), "{}: stale by {at} s", form.name);
            }
            let forged = [&body[..], b" "].concat();
            for body in [&forged[..], &body[..body.len() - 1], b""].into_iter().filter(|_| is_signed) {
                assert_eq!(genuine(&ReplyRequest { body, ..request }, &own, 0), Err(NotGenuine), "{}: other bytes", form.name);
            }
            let elsewhere = format!("{url}&more=1").replacen("/reply", "/replies", 1);
            let elsewhere = ReplyRequest { url: &elsewhere, ..request };
            assert!(is_timed || !is_signed || genuine(&elsewhere, &own, 0) == Err(NotGenuine), "{}: for another address", form.name);
            for at in 0..headers.len() {
                let without: Vec<_> = headers.iter().enumerate().filter(|(own, _)| *own != at).map(|(_, header)| *header).collect();
                assert_eq!(
                    genuine(&ReplyRequest { headers: &without, ..request }, &own, 0),
                    Err(NotGenuine),
                    "{}: {:?}",
                    form.name,
                    headers[at]
                );
                for cut in 0..headers[at].1.len() {
                    let mut headers = headers.clone();
                    headers[at].1 = &headers[at].1[..cut];
                    assert_eq!(genuine(&ReplyRequest { headers: &headers, ..request }, &own, 0), Err(NotGenuine), "{}: cut", form.name);
                }
            }
        }
        for body in [&b""[..], b"{}", b"\xff", b"null"] {
            let request = ReplyRequest { url: "", headers: &[], body };
            assert!(replies.read(&request).is_err_and(|why| !why.to_string().is_empty()), "{}", form.name);
        }
    }
    assert!(["webhook", "sms", "voice", "slack", "telegram", "web_push"].iter().all(|name| hear.contains(name)), "{hear:?}");
    for says in everything_said() {
        let Says::Answer(words) = says else { continue };
        assert_eq!(Reply::of_words(&words).is_ok(), words != "what?", "{words}");
    }
}

/// `ALLCLEAR_BLESS=1 cargo test -p allclear-channels --test channels` writes the page anew.
#[test]
fn every_channel_is_documented() {
    let mut page = String::from(
        "# Channels\n\n\
         Made from what each channel says of itself (`crates/channels/src/outbound/`); a test keeps it so.\n\n\
         A contact of the organisation has an `id` and the fields of one channel. The first field of a channel is needed and says\n\
         which channel it is. A secret is stored sealed, and shown as `********` from then on; one that was given goes to the server\n\
         it was written for, and whoever moves the address to another writes it again. `none` takes one away.\n\n\
         What somebody receives over each of them is in the guides: [a webhook](guides/paging.md#what-a-webhook-receives),\n\
         [ntfy](guides/paging.md#what-ntfy-receives), [other phones and chats](guides/paging.md#what-other-phones-and-chats-receive).\n",
    );
    let channels = channels();
    for form in WAYS_OUT.iter() {
        write!(page, "\n## `{}`\nAs in `{}`.\n\n| key | what | example | |\n|---|---|---|---|\n", form.name, form.example()).unwrap();
        for field in form.fields {
            let kept = match field.kept {
                Kept::Plain if field.needed => "needed",
                Kept::Plain => "",
                Kept::Secret if field.needed => "needed; secret",
                Kept::Secret => "secret",
                Kept::Made { .. } => "secret; made and shown once where it is left out",
            };
            writeln!(page, "| `{}` | {}. {} | `{}` | {kept} |", field.key, field.label, field.hint, field.example).unwrap();
        }
        let carried = match form.carriage {
            Carriage::Http(Server::Main) => "by HTTP, to the host of its address".to_owned(),
            Carriage::Http(Server::Browser) => "by HTTP, to the push service that the browser named".to_owned(),
            Carriage::Http(Server::Field { key, usual }) => format!("by HTTP, to the host of `{key}`, or to {usual}"),
            Carriage::Mail => "by the mail server (`--smtp`)".to_owned(),
            Carriage::Telephone => "by the provider of the telephone (`--twilio-account`)".to_owned(),
            Carriage::Vendor { name, setting } => format!("by {name} (`{setting}`)"),
        };
        let title = form.limits.title_chars.map(|max| format!("a title of {max} characters"));
        let text = form.limits.text_bytes.map(|max| format!("{max} bytes of text"));
        let chars = form.limits.text_chars.map(|max| format!("{max} characters of text"));
        let limits = [title, text, chars].into_iter().flatten().collect::<Vec<_>>();
        let limits = if limits.is_empty() { String::new() } else { format!(" At most {}.", limits.join(" and ")) };
        let back = match channels.channel(form.name).unwrap().replies() {
            Some(_) => {
                let how = match (form.carriage, form.name) {
                    (Carriage::Telephone, _) => "telephone.md",
                    (_, "slack") => "slack.md",
                    (_, "telegram") => "telegram.md",
                    (Carriage::Http(Server::Browser), _) => "browsers.md",
                    (Carriage::Vendor { .. }, _) => "vendors.md",
                    (Carriage::Http(_) | Carriage::Mail, _) => "gateway.md#what-comes-back",
                };
                let kept = channels.channel(form.name).unwrap().listens().map_or("", |_| ", or over a connection that is kept open");
                format!("Receipts and answers come back at `/reply/{}`{kept} ([how](guides/{how})).", form.name)
            }
            None if form.carriage == Carriage::Mail => {
                "What people answer comes back at `/reply/email/KEY` where `--mail-replies-to` is set ([how](guides/mail.md)).".to_owned()
            }
            None => "Nothing comes back over it but what a link does.".to_owned(),
        };
        writeln!(page, "\nIt is carried {carried}.{limits} {back}").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
    #[allow(clippy::disallowed_methods)] // the one setting of these tests
    if std::env::var("ALLCLEAR_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/channels.md does not say what the code says; run this test with ALLCLEAR_BLESS=1");
}
