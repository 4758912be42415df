//! Each shipped vendor's request and answers, after its documentation, and what a description of one's own may not say.

use std::collections::BTreeMap;

use allclear_domain::channel::Address;
use allclear_domain::time::Length;
use allclear_domain::wire::{Heard, Method, NotGenuine, Of, ReplyCode, ReplyRequest, Says, Told};
use serde_json::json;

use super::account::parse;
use super::shipped::{names, shipped};
use super::*;
use crate::outbound::form::Fields;
use crate::outbound::webhook::tests::message;

const TO: &str = "+491700000001";
const REPLY_KEY: &str = "k-0123456789abcdefghij";

/// An account with this vendor, every value of which says its name.
fn account(name: &str) -> Account {
    let (description, form) = shipped(name).unwrap();
    let own = |name: &String| (name.clone(), if name == "from" { "+4930000000".to_owned() } else { format!("the-{name}-0123456789") });
    let mut values: BTreeMap<String, String> = description.settings.keys().chain(description.secrets.keys()).map(own).collect();
    values.insert("reply_key".into(), REPLY_KEY.into());
    if name == "sinch" {
        values.insert("region".into(), "eu".into());
    }
    Account::of((description, form), false, values).unwrap()
}

fn described(name: &str) -> Described {
    let account = account(name);
    Described::new(account.form(), &[account])
}

fn target(name: &str) -> Target {
    Target { name: "Ana".into(), address: Address::of([(name, TO)]) }
}

fn page(title: &str) -> Message {
    Message { reply_url: Some("https://ac.example/reply/x".into()), ..message(1, title) }
}

/// The request for a page, with its body read and its receipts' address apart.
fn asked(name: &str, title: &str) -> (Method, String, Vec<(&'static str, String)>, Value) {
    let page = page(title);
    match described(name).request(&page, &target(name)).unwrap() {
        Request::Http { method, url, headers, body } => {
            let is_form = headers.iter().any(|(_, value)| value == "application/x-www-form-urlencoded");
            let body = if is_form {
                Fields::read(&body).unwrap().into_pairs().into_iter().map(|(name, value)| (name, Value::from(value))).collect()
            } else {
                serde_json::from_slice(&body).unwrap()
            };
            (method, url, headers, body)
        }
        other => panic!("{other:?}"),
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}

/// As a table: vendor, address, what says whose it is, and the body with the text and the receipt's address cut out.
#[test]
fn each_vendor_is_asked_as_its_documentation_says() {
    let secret = |name: &str| format!("the-{name}-0123456789");
    let id = page("x").id.to_string();
    let golden = [
        (
            "46elks",
            "https://api.46elks.com/a1/sms",
            basic(&secret("username"), &secret("password")),
            json!({"from": "+4930000000", "to": TO, "message": "TEXT", "whendelivered": "RECEIPT"}),
        ),
        (
            "gatewayapi",
            "https://gatewayapi.com/rest/mtsms",
            basic(&secret("token"), ""),
            json!({
                "sender": "+4930000000", "message": "TEXT", "encoding": "UCS2", "userref": id, "callback_url": "RECEIPT",
                "recipients": [{"msisdn": "491700000001"}]
            }),
        ),
        (
            "plivo",
            "https://api.plivo.com/v1/Account/the-auth_id-0123456789/Message/",
            basic(&secret("auth_id"), &secret("auth_token")),
            json!({"src": "+4930000000", "dst": TO, "text": "TEXT", "url": "RECEIPT", "method": "POST"}),
        ),
        (
            "sinch",
            "https://eu.sms.api.sinch.com/xms/v1/the-plan-0123456789/batches",
            format!("Bearer {}", secret("token")),
            json!({
                "from": "+4930000000", "to": [TO], "body": "TEXT", "delivery_report": "per_recipient", "client_reference": id,
                "callback_url": "RECEIPT"
            }),
        ),
        (
            "telnyx",
            "https://api.telnyx.com/v2/messages",
            format!("Bearer {}", secret("key")),
            json!({"from": "+4930000000", "to": TO, "text": "TEXT", "webhook_url": "RECEIPT", "use_profile_webhooks": false}),
        ),
        (
            "vonage",
            "https://rest.nexmo.com/sms/json",
            basic(&secret("api_key"), &secret("api_secret")),
            json!({
                "from": "+4930000000", "to": "491700000001", "text": "TEXT", "type": "unicode", "client-ref": id, "callback": "RECEIPT"
            }),
        ),
    ];
    assert_eq!(names().collect::<Vec<_>>(), golden.iter().map(|one| one.0).collect::<Vec<_>>(), "each has its line");
    let nasty = "disk \"full\" & <b> {to} {secret.token} \\ 🔥\r\nx";
    for (name, url, authorization, body) in golden {
        let asked = asked(name, nasty);
        assert_eq!((asked.0, asked.1.as_str()), (Method::Post, url), "{name}");
        assert!(asked.2.contains(&("authorization", authorization)), "{name}: {:?}", asked.2);
        let (description, form) = shipped(name).unwrap();
        let mut found = asked.3;
        let mut texts = 0;
        for value in found.as_object_mut().unwrap().values_mut() {
            let said = value.as_str().unwrap_or_default().to_owned();
            if said.starts_with(&format!("https://ac.example/reply/x?m={id}&s=")) {
                *value = "RECEIPT".into();
            } else if said.contains("INC-142 disk \"full\" & <b> {to} {secret.token} \\ 🔥 x") {
                assert!(said.contains("https://ac.example/a/tok0") && said.contains("Answer "), "{name}: {said}");
                *value = "TEXT".into();
                texts += 1;
            }
        }
        assert_eq!((found, texts), (body, 1), "{name}");
        let Carriage::Vendor { name: vendor, .. } = form.carriage else { panic!("{name}") };
        assert_eq!((description.name.as_str(), description.vendor.as_str()), (form.name, vendor), "the table says what the file says");
        assert!(description.documentation.starts_with("https://"), "{name}");
        assert_eq!(description.to, To::Number, "{name}");
    }
}

/// As a table: vendor, status, body, and what it means.
#[test]
fn each_vendors_answers_mean_what_its_documentation_says() {
    let accepted = |receipt: &str| Outcome::Accepted { receipt: receipt.into(), within: Length::from_secs(60) };
    let rejected = |why: &str| Outcome::Rejected { why: why.into() };
    let retry = |why: &str, maybe_arrived: bool| Outcome::Retry {
        after: Some(Length::from_secs(9)),
        why: why.into(),
        maybe_arrived,
        down: false,
        unanswered: false,
    };
    let compare = "compare --vendors with the account";
    let golden = [
        (
            "46elks",
            200,
            r#"{"status":"created","direction":"outgoing","from":"+46","created":"2026","parts":1,"to":"+491700000001","cost":5200,"message":"it is repeated","id":"sf8425555e5d8db61dda7a7b3f1b91bdb"}"#,
            accepted("HTTP 200, sf8425555e5d8db61dda7a7b3f1b91bdb"),
        ),
        (
            "46elks",
            401,
            "API access requires Basic HTTP authentication",
            rejected(&format!("HTTP 401: API access requires Basic HTTP authentication; {compare}")),
        ),
        ("46elks", 403, "Account has insufficient credits", rejected(&format!("HTTP 403: Account has insufficient credits; {compare}"))),
        ("46elks", 400, "Invalid to number +491700000001", rejected("HTTP 400: Invalid to number …")),
        (
            "gatewayapi",
            200,
            r#"{"ids":[421332671,4421332672],"usage":{"countries":{"DK":3},"currency":"DKK","total_cost":0.36}}"#,
            accepted("HTTP 200, 421332671"),
        ),
        (
            "gatewayapi",
            401,
            r#"{"code":"0x0213","incident_uuid":"d8127429","message":"Unauthorized IP-address: 127.0.0.1","variables":["127.0.0.1"]}"#,
            rejected(&format!("HTTP 401: 0x0213: Unauthorized IP-address: 127.0.0.1; {compare}")),
        ),
        ("gatewayapi", 422, r#"{"code":"0x0216","message":"Insufficient credit"}"#, rejected("HTTP 422: 0x0216: Insufficient credit")),
        (
            "plivo",
            202,
            r#"{"message":"message(s) queued","message_uuid":["db3ce55a-7f1d-11e1-8ea7-1231380bc196"],"api_id":"db342550"}"#,
            accepted("HTTP 202, db3ce55a-7f1d-11e1-8ea7-1231380bc196"),
        ),
        (
            "plivo",
            400,
            r#"{"api_id":"97ceeb52","error":"491700000001 is not a valid phone number"}"#,
            rejected("HTTP 400: … is not a valid phone number"),
        ),
        ("plivo", 429, r#"{"error":"too many"}"#, retry("HTTP 429: too many", false)),
        (
            "sinch",
            201,
            r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["491700000001"],"from":"x","canceled":false,"body":"it is repeated and cut"#,
            accepted("HTTP 201, 01FC66621XXXXX119Z8PMV1QPQ"),
        ),
        (
            "sinch",
            400,
            r#"{"code":"syntax_constraint_violation","text":"The syntax constraint was violated"}"#,
            rejected("HTTP 400: syntax_constraint_violation: The syntax constraint was violated"),
        ),
        ("sinch", 401, "", rejected(&format!("HTTP 401: not allowed; {compare}"))),
        (
            "telnyx",
            200,
            r#"{"data":{"record_type":"message","direction":"outbound","id":"b0c7e8cb-6227-4c74-9f32-c7f80c30934b","to":[{"status":"queued"}],"text":"it is repeated"}}"#,
            accepted("HTTP 200, b0c7e8cb-6227-4c74-9f32-c7f80c30934b"),
        ),
        (
            "telnyx",
            400,
            r#"{"errors":[{"code":"40310","title":"Invalid 'to' address","detail":"The 'to' address should be in E.164: +491700000001"}]}"#,
            rejected("HTTP 400: 40310: The 'to' address should be in E.164: …"),
        ),
        ("telnyx", 500, r#"{"errors":[{"code":"10007","detail":"Unexpected error"}]}"#, retry("HTTP 500: 10007: Unexpected error", true)),
        (
            "vonage",
            200,
            r#"{"message-count":"1","messages":[{"to":"491700000001","message-id":"0C000000217B7F02","status":"0","remaining-balance":"15.53590000","message-price":"0.03330000","network":"23410"}]}"#,
            accepted("HTTP 200, 0C000000217B7F02"),
        ),
        (
            "vonage",
            200,
            r#"{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}"#,
            retry("HTTP 200: 1: Throughput Rate Exceeded", false),
        ),
        (
            "vonage",
            200,
            r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}"#,
            rejected("HTTP 200: 4: Bad Credentials"),
        ),
        (
            "vonage",
            200,
            r#"{"message-count":"1","messages":[{"status":"5","error-text":"Internal Error"}]}"#,
            retry("HTTP 200: this is no answer of Vonage", true),
        ),
    ];
    for (name, status, body, wanted) in golden {
        let response = Response::Http { status, retry_after: Some(Length::from_secs(9)), body: body.into() };
        assert_eq!(outcome(&response, &account(name), TO), wanted, "{name} {status} {body}");
    }
    // Whoever it is: a portal in between, a proxy, and nobody.
    for name in names() {
        let answered = |status, body: &str| outcome(&Response::Http { status, retry_after: None, body: body.into() }, &account(name), TO);
        for body in ["<!doctype html><title>Sign in</title>", "", "ok", "{}", "[]", r#"{"error":"no"}"#] {
            let Outcome::Retry { maybe_arrived: true, why, .. } = answered(200, body) else { panic!("{name}: {body}") };
            assert!(why.contains("this is no answer of"), "{name}: {why}");
        }
        assert!(matches!(answered(503, "<html>"), Outcome::Retry { maybe_arrived: false, .. }), "{name}");
        assert!(matches!(answered(302, ""), Outcome::Rejected { .. }), "{name}");
        let failed = Response::Failed { why: "no route".into(), maybe_arrived: true, permanent: false };
        assert_eq!(outcome(&failed, &account(name), TO), Outcome::failed("no route", true, false), "{name}");
    }
}

/// Where receipts of the page go, as the vendor was told.
fn receipt_url(name: &str) -> String {
    back::receipt_url(&format!("https://ac.example/reply/{name}"), &account(name), page("x").id, TO)
}

/// As a table: vendor, what it posts of a message, and what that says.
#[test]
fn receipts_of_each_vendor_are_heard() {
    let form = |pairs: &[(&str, &str)]| super::form(pairs);
    let delivered = |words: &str| Says::Delivered(words.into());
    let failed = |words: &str| Says::Failed(words.into());
    let golden = [
        ("46elks", form(&[("id", "s1"), ("status", "sent")]), Says::Nothing),
        ("46elks", form(&[("id", "s1"), ("status", "delivered"), ("delivered", "2026-11-21T03:00:00.1")]), delivered("delivered")),
        ("46elks", form(&[("id", "s1"), ("status", "failed")]), failed("failed")),
        ("gatewayapi", br#"{"id":1000001,"msisdn":491700000001,"time":1450000000,"status":"DELIVERED","userref":"x"}"#.to_vec(), delivered("DELIVERED")),
        ("gatewayapi", br#"{"id":1,"msisdn":491700000001,"status":"UNDELIVERABLE","error":"Unknown subscriber","code":"0x00"}"#.to_vec(), failed("UNDELIVERABLE, Unknown subscriber")),
        ("gatewayapi", br#"{"id":1,"status":"ENROUTE"}"#.to_vec(), Says::Nothing),
        ("plivo", form(&[("From", "14155550100"), ("To", "491700000001"), ("Status", "delivered"), ("MessageUUID", "u"), ("ErrorCode", "000")]), delivered("delivered")),
        ("plivo", form(&[("Status", "undelivered"), ("ErrorCode", "300")]), failed("undelivered, 300")),
        ("plivo", form(&[("Status", "queued")]), Says::Nothing),
        ("sinch", br#"{"type":"recipient_delivery_report_sms","batch_id":"b","recipient":"491700000001","code":0,"status":"Delivered"}"#.to_vec(), delivered("Delivered")),
        ("sinch", br#"{"type":"recipient_delivery_report_sms","code":402,"status":"Aborted"}"#.to_vec(), failed("Aborted, 402")),
        ("sinch", br#"{"type":"recipient_delivery_report_sms","code":401,"status":"Dispatched"}"#.to_vec(), Says::Nothing),
        ("telnyx", br#"{"data":{"event_type":"message.finalized","payload":{"to":[{"phone_number":"+491700000001","status":"delivered"}]}}}"#.to_vec(), delivered("delivered")),
        ("telnyx", br#"{"data":{"event_type":"message.finalized","payload":{"to":[{"status":"delivery_failed"}],"errors":[{"code":"40008","detail":"Undeliverable"}]}}}"#.to_vec(), failed("delivery_failed, Undeliverable")),
        ("telnyx", br#"{"data":{"event_type":"message.sent","payload":{"to":[{"status":"sent"}]}}}"#.to_vec(), Says::Nothing),
        ("vonage", br#"{"msisdn":"491700000001","to":"x","messageId":"0C","status":"delivered","err-code":"0","client-ref":"x"}"#.to_vec(), delivered("delivered")),
        ("vonage", form(&[("msisdn", "491700000001"), ("status", "expired"), ("err-code", "99")]), failed("expired, 99")),
        ("vonage", form(&[("status", "buffered"), ("err-code", "0")]), Says::Nothing),
    ];
    for (name, body, says) in golden {
        let url = receipt_url(name);
        let request = ReplyRequest { url: &url, headers: &[], body: &body };
        let channel = described(name);
        assert_eq!(
            channel.read(&request),
            Ok(vec![Heard { of: Of::Message(page("x").id), says }]),
            "{name}: {}",
            String::from_utf8_lossy(&body)
        );
        assert_eq!(channel.genuine(&request, &target(name).address, &[]), Ok(()), "{name}");
        let other = Address::of([(name, "+491709999999")]);
        assert_eq!(channel.genuine(&request, &other, &[]), Err(NotGenuine), "{name}: somebody else's");
        // Another vendor's account makes other addresses; so does another message, and one that was changed.
        for forged in [
            url.replace("&s=", "&s=0"),
            url[..url.len() - 1].to_owned(),
            format!("{url}&x=1"),
            url.split('&').next().unwrap().to_owned(),
            back::receipt_url(
                &format!("https://ac.example/reply/{name}"),
                &account(if name == "plivo" { "sinch" } else { "plivo" }),
                page("x").id,
                TO,
            ),
        ] {
            let request = ReplyRequest { url: &forged, ..request };
            assert_eq!(channel.genuine(&request, &target(name).address, &[]), Err(NotGenuine), "{name}: {forged}");
        }
        assert!(channel.answer(&request, Told::Refused("late")).is_some_and(|own| own.body.is_empty()), "{name}: it posts no more");
        assert!(channel.answer(&request, Told::NotNow).is_none() && channel.says_back(&request, Told::Taken("x")).is_none(), "{name}");
        for body in [&b""[..], b"{}", b"\xff", b"status=eaten", br#"{"status":{"deep":1}}"#] {
            assert!(channel.read(&ReplyRequest { body, ..request }).is_err(), "{name}: {}", String::from_utf8_lossy(body));
        }
    }
}

/// As a table: vendor, and what it posts of a text message from a person.
#[test]
fn what_people_write_is_heard_by_its_code_and_only_with_the_key() {
    let code = ReplyCode::of(page("x").id);
    let words = format!("{code} no");
    let form = |pairs: &[(&str, &str)]| super::form(pairs);
    let golden = [
        ("46elks", form(&[("direction", "incoming"), ("id", "s1"), ("from", TO), ("to", "+46"), ("message", &words)])),
        (
            "gatewayapi",
            json!({"id": 1, "msisdn": 491_700_000_001_u64, "receiver": 451_204, "message": words, "senttime": 1}).to_string().into_bytes(),
        ),
        ("plivo", form(&[("From", "491700000001"), ("To", "1415"), ("Text", &words), ("Type", "sms"), ("MessageUUID", "u")])),
        ("sinch", json!({"type": "mo_text", "from": "491700000001", "to": "1415", "body": words, "id": "m"}).to_string().into_bytes()),
        (
            "telnyx",
            json!({"data": {"event_type": "message.received", "payload": {"from": {"phone_number": TO}, "text": words}}})
                .to_string()
                .into_bytes(),
        ),
        ("vonage", form(&[("msisdn", "491700000001"), ("to", "1415"), ("text", &words), ("type", "text"), ("messageId", "0B")])),
    ];
    assert_eq!(names().collect::<Vec<_>>(), golden.iter().map(|one| one.0).collect::<Vec<_>>(), "each has its line");
    for (name, body) in golden {
        let url = format!("https://ac.example/reply/{name}?k={REPLY_KEY}");
        let request = ReplyRequest { url: &url, headers: &[], body: &body };
        let channel = described(name);
        let heard = Heard { of: Of::Sender { from: TO.into(), code: Some(code) }, says: Says::Answer("no".into()) };
        assert_eq!(channel.read(&request), Ok(vec![heard]), "{name}");
        let genuine = |url: &str, to: &str| channel.genuine(&ReplyRequest { url, ..request }, &Address::of([(name, to)]), &[]);
        assert_eq!(genuine(&url, TO), Ok(()), "{name}");
        assert_eq!(genuine(&url, "+491709999999"), Err(NotGenuine), "{name}");
        for forged in [
            "https://ac.example/reply/x?k=",
            "https://ac.example/reply/x?k=k-0123456789abcdefghik",
            "https://ac.example/reply/x",
            &format!("{url}&m=1"),
        ] {
            assert_eq!(genuine(forged, TO), Err(NotGenuine), "{name}: {forged}");
        }
        // What is said back goes in the answer, or as a message that no receipt is asked of.
        let own = channel.answer(&request, Told::Taken("You have INC-1.")).unwrap();
        match (name, channel.says_back(&request, Told::Taken("You have INC-1."))) {
            ("46elks", None) => assert_eq!(own.body, "You have INC-1."),
            (_, Some(Request::Http { body, .. })) => {
                let body = String::from_utf8(body).unwrap();
                assert!(
                    own.body.is_empty() && body.contains("INC") && body.contains("491700000001") && !body.contains("reply%2F"),
                    "{name}: {body}"
                );
                assert!(!body.contains("https://ac.example"), "{name}: {body}");
            }
            other => panic!("{other:?}"),
        }
    }
    // Without a key nothing that people write is heard, and nobody is told to write.
    let mut account = account("plivo");
    account.reply_key = None;
    let channel = Described::new(account.form(), &[account.clone()]);
    let Request::Http { body, .. } = channel.request(&page("x"), &target("plivo")).unwrap() else { panic!("over HTTP") };
    assert!(!String::from_utf8(body).unwrap().contains("Answer "));
    let request = ReplyRequest { url: "https://ac.example/reply/plivo?k=", headers: &[], body: b"From=491700000001&Text=1" };
    assert_eq!(channel.genuine(&request, &target("plivo").address, &[]), Err(NotGenuine));
}

#[test]
fn secrets_are_veiled_in_whatever_a_vendor_says() {
    for name in names() {
        let channel = described(name);
        let said = channel.secrets().join(" and ");
        let outcome = Outcome::Rejected { why: format!("no: {said}") };
        let told = format!("{:?}", super::super::veil::veiled(outcome, &channel, &target(name).address));
        assert!(channel.secrets().iter().all(|secret| !told.contains(secret)) && told.contains("no: "), "{name}: {told}");
        assert!(!format!("{channel:?}").contains("0123456789\""), "{channel:?}");
    }
}

/// A description of one's own that reads, with lines in the place of others.
fn own(change: &[(&str, &str)]) -> String {
    let text = r#"name = "pigeon"
vendor = "Pigeon"
server = "https://pigeon.example"
[settings]
loft = "which loft"
[secrets]
ring = "the ring"
[request]
path = "/fly/{setting.loft}"
[request.json]
to = "{to}"
says = ["{text}", { link = "{link}" }]
[auth]
header = { name = "X-Ring", value = "{secret.ring}" }
"#;
    change.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn ones_own_description_is_read_and_asked() {
    let file = "[pigeon]\ndescription = \"pigeon.toml\"\nloft = \"a/b ü\"\nring = \"$RING\"\n";
    let environment = |name: &str| (name == "RING").then(|| "a-ring-0123456789".to_owned());
    let accounts = parse(file, "vendors.toml", environment, |name| {
        Ok(own(&[("https://pigeon.example", "https://pigeon.example/api")]) + &format!("# {name}"))
    })
    .unwrap();
    let channel = Described::new(accounts[0].form(), &accounts);
    let Request::Http { url, headers, body, .. } = channel.request(&page("Disk full"), &target("pigeon")).unwrap() else {
        panic!("over HTTP")
    };
    assert_eq!(url, "https://pigeon.example/api/fly/a%2Fb%20%C3%BC", "a setting is one segment");
    assert!(headers.contains(&("x-ring", "a-ring-0123456789".into())), "{headers:?}");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["to"], &body["says"][1]["link"]), (&json!(TO), &json!("https://ac.example/a/tok0")));
    assert!(channel.replies().is_none(), "it says nothing of receipts");
    let yes = outcome(&Response::Http { status: 204, retry_after: None, body: "{}".into() }, &accounts[0], TO);
    assert_eq!(yes, Outcome::Delivered { receipt: "HTTP 204".into() });
}

#[test]
fn what_a_description_may_not_say_is_told_with_where_and_why() {
    assert!(Description::read(&own(&[])).is_ok());
    let deep = format!("says = {}\"{{text}}\"{}", "[".repeat(20), "]".repeat(20));
    let many = format!("more = [{}]\nto =", "\"x\", ".repeat(200));
    for (change, at, why) in [
        (("\"{text}\"", "\"{who}\""), "request.json.says[0]", "no place `{who}`"),
        (("\"{text}\"", "\"{text\""), "request.json.says[0]", "stands alone"),
        (("\"{text}\"", "\"text\""), "request", "`{text}`"),
        (("to = \"{to}\"", "a = 1"), "request", "`{to}`"),
        (("{secret.ring}", "{secret.wing}"), "auth", "not among the `secrets`"),
        (("{setting.loft}", "{setting.left}"), "request.path", "not among the `settings`"),
        (("{setting.loft}", "{secret.ring}"), "request.path", "does not belong into an address"),
        (("https://pigeon.example", "https://{to}.example"), "server", "only settings"),
        (("https://pigeon.example", "pigeon.example"), "server", "does not begin with"),
        (("https://pigeon.example", "https://u@pigeon.example"), "server", "scheme, the host"),
        (("path = \"/fly", "path = \"fly"), "request.path", "begins with `/`"),
        (("[request]", "[request]\nmethod = \"DELETE\""), "request.method", "`POST`, `PUT` or `GET`"),
        (("[request]", "[request]\nmethod = \"GET\""), "request.method", "has no body"),
        (("[request]", "[request]\nform = { a = \"b\" }"), "request", "not both"),
        (("X-Ring", "Host"), "auth.header.name", "no name of a header"),
        (("X-Ring", "X Ring"), "auth.header.name", "no name of a header"),
        (("header = {", "bearer = \"x\"\nheader = {"), "auth", "one of"),
        (("name = \"pigeon\"", "name = \"Pigeon Post\""), "name", "small letters"),
        (("loft = \"which", "server = \"which"), "settings.server", "none of"),
        (("ring = \"the", "loft = \"the"), "secrets.loft", "a setting has that name"),
        (("vendor = \"Pigeon\"", "vendor = \"Pigeon\"\nloop = true"), "line 3", "unknown field"),
        (("vendor = \"Pigeon\"", "vendor = \"Pigeon\"\nto = \"ring\""), "to", "`number`"),
        (("vendor = \"Pigeon\"", "vendor = \"Pigeon\"\ntext_chars = 9"), "text_chars", "from 70"),
        (("says = [\"{text}\"", deep.as_str()), "line", ""),
        (("to =", many.as_str()), "request.json", "more than 64 values"),
        (("\"{to}\"", "\"{to}{receipt_url}\""), "receipt", "go together"),
        (
            ("[auth]", "[receipt]\nwithin = \"60s\"\nstate = \"/s\"\ndelivered = [\"d\"]\nfailed = [\"f\"]\n[auth]"),
            "receipt",
            "go together",
        ),
        (("[auth]", "[taken]\nid = \"id\"\n[auth]"), "taken.id", "no pointer"),
        (("[auth]", "[taken]\nstatus = [200, 404]\n[auth]"), "taken.status", "200 to 299"),
        (("[auth]", "[taken]\nwhere = [{ at = \"x\" }]\n[auth]"), "taken.where[0].at", "no pointer"),
        (("[auth]", "[reply]\nfrom = \"/f\"\ntext = \"/t\"\nsays_back = \"song\"\n[auth]"), "reply.says_back", "`body`"),
    ] {
        let told = Description::read(&own(&[change])).unwrap_err();
        assert!(told.at.starts_with(at) && told.why.contains(why), "{change:?}: {told}");
    }
    assert!(Description::read(&"#".repeat(40_000)).unwrap_err().why.contains("are the most"));
    for text in ["", "name = 1", "\u{0}", "[[[["] {
        assert!(Description::read(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_wrong_with_an_account_is_told_and_no_value_is() {
    let whole =
        "[plivo]\nauth_id = \"MA1\"\nauth_token = \"hush-0123456789\"\nfrom = \"+4930000000\"\nreply_key = \"k-0123456789abcdefghij\"\n";
    let read = |text: &str| parse(text, "vendors.toml", |_| None, |_| Ok(own(&[])));
    assert_eq!(read(whole).unwrap()[0].name(), "plivo");
    assert!(read("").unwrap().is_empty());
    for (from, to, at, why) in [
        ("auth_token = \"hush-0123456789\"\n", "", "[plivo] auth_token", "it is missing: the Auth Token"),
        ("auth_token", "auth_tokens", "[plivo] auth_tokens", "what is: `auth_id`, `from`, `auth_token`"),
        ("\"hush-0123456789\"", "\"\"", "[plivo] auth_token", "1 to 1024 bytes"),
        ("\"hush-0123456789\"", "\"hush\\u0007\"", "[plivo] auth_token", "one line"),
        ("\"hush-0123456789\"", "\"$HUSH\"", "[plivo] auth_token", "the variable `HUSH` is not set"),
        ("\"hush-0123456789\"", "7", "vendors.toml, line", "a table for each vendor"),
        ("\"k-0123456789abcdefghij\"", "\"hush\"", "[plivo] reply_key", "at least 20"),
        ("[plivo]", "[plover]", "[plover]", "`46elks`, `gatewayapi`, `plivo`"),
        ("[plivo]\n", "[plivo]\nserver = \"ftp://hush\"\n", "[plivo] server", "does not begin"),
        ("[plivo]\n", "[plivo]\ndescription = \"x.toml\"\n", "[plivo] description, x.toml", "is named `pigeon`"),
        ("[plivo]", "[plivo", "vendors.toml, line 1", "does not read"),
    ] {
        let told = read(&whole.replacen(from, to, 1)).unwrap_err();
        assert!(told.at.starts_with(at) && told.why.contains(why), "{from} {to}: {told}");
        assert!(!told.to_string().contains("hush"), "{told}");
    }
    let sinch = "[sinch]\nregion = \"evil.example/\"\nplan = \"p\"\nfrom = \"+49\"\ntoken = \"t\"\n";
    assert!(read(sinch).unwrap_err().why.contains("name of a host"), "an account leads nowhere else");
    let many: String = (0..40).map(|n| format!("[v{n}]\n")).collect();
    assert!(read(&many).unwrap_err().why.contains("more than 32"));
}
