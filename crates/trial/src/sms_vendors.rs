//! Vendors of text messages that the program knows by descriptions: each takes what its own documentation says that it takes, refuses
//! the rest, answers in its own shape, and posts receipts and what people write as it does. What the program is told of them is its
//! own; what is here was written from the vendors' pages, so that a mistake there is not repeated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::fake::{Answer, Came, Fake, form};
use crate::world::client;

/// What is in the address for what people write.
pub const REPLY_KEY: &str = "trial-reply-key-0123456789";

/// How a vendor speaks.
#[derive(Clone, Copy)]
pub struct Vendor {
    /// The channel's name.
    pub name: &'static str,
    /// The lines of its account, beside `server` and `reply_key`.
    pub account: &'static str,
    /// Where it is asked, behind the server's address.
    pub path: &'static str,
    /// The user and the password, or the bearer's token.
    credentials: Credentials,
    /// Where a request says whom it is for, without a sign where the vendor has it so.
    to: (&'static str, bool),
    text: &'static str,
    receipt: &'static str,
    /// How it says that it has the message.
    yes: (u16, &'static str),
    /// How it refuses it for good; `NUMBER` stands for whom it is for.
    pub no: (u16, &'static str),
    /// The states of a receipt: on its way, arrived, and not.
    pub states: [&'static str; 3],
    /// A receipt of this state for this number.
    posted: fn(&str, &str) -> (bool, String),
    /// What somebody wrote, from this number.
    wrote: fn(&str, &str) -> (bool, String),
    /// Whether what is answered to what somebody wrote is sent to them.
    pub says_in_answer: bool,
}

#[derive(Clone, Copy)]
enum Credentials {
    Basic(&'static str, &'static str),
    Bearer(&'static str),
}

/// All of them.
pub static VENDORS: [Vendor; 6] = [
    Vendor {
        name: "46elks",
        account: "username = \"u46\"\npassword = \"hush-46-elks-000\"\nfrom = \"+46766861004\"\n",
        path: "/a1/sms",
        credentials: Credentials::Basic("u46", "hush-46-elks-000"),
        to: ("/to", true),
        text: "/message",
        receipt: "/whendelivered",
        yes: (
            200,
            r#"{"status":"created","direction":"outgoing","from":"+46766861004","parts":1,"cost":5200,"message":"it is repeated","id":"sf8425555e5d8db61"}"#,
        ),
        no: (400, "Invalid to number NUMBER for u46:hush-46-elks-000"),
        states: ["sent", "delivered", "failed"],
        posted: |_, state| (false, form(&[("id", "sf8425555e5d8db61"), ("status", state)])),
        wrote: |from, text| {
            (false, form(&[("direction", "incoming"), ("id", "s1"), ("from", from), ("to", "+46766861004"), ("message", text)]))
        },
        says_in_answer: true,
    },
    Vendor {
        name: "gatewayapi",
        account: "token = \"hush-gateway-token\"\nfrom = \"AllClear\"\n",
        path: "/rest/mtsms",
        credentials: Credentials::Basic("hush-gateway-token", ""),
        to: ("/recipients/0/msisdn", false),
        text: "/message",
        receipt: "/callback_url",
        yes: (200, r#"{"ids":[421332671],"usage":{"countries":{"DE":1},"currency":"DKK","total_cost":0.12}}"#),
        no: (
            422,
            r#"{"code":"0x0216","incident_uuid":"d8127429","message":"NUMBER cannot be reached, hush-gateway-token","variables":[]}"#,
        ),
        states: ["ENROUTE", "DELIVERED", "UNDELIVERABLE"],
        posted: |to, state| {
            (
                true,
                json!({"id": 421_332_671, "msisdn": to.trim_start_matches('+').parse::<u64>().unwrap_or(0), "time": 1, "status": state})
                    .to_string(),
            )
        },
        wrote: |from, text| {
            (true, json!({"id": 1, "msisdn": from.trim_start_matches('+').parse::<u64>().unwrap_or(0), "receiver": 451_204, "message": text, "senttime": 1, "webhook_label": "x"}).to_string())
        },
        says_in_answer: false,
    },
    Vendor {
        name: "plivo",
        account: "auth_id = \"MAXXXXXXXXXXXXXXXXXX\"\nauth_token = \"hush-plivo-token\"\nfrom = \"+14155550100\"\n",
        path: "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/",
        credentials: Credentials::Basic("MAXXXXXXXXXXXXXXXXXX", "hush-plivo-token"),
        to: ("/dst", true),
        text: "/text",
        receipt: "/url",
        yes: (202, r#"{"message":"message(s) queued","message_uuid":["db3ce55a-7f1d-11e1-8ea7-1231380bc196"],"api_id":"db342550"}"#),
        no: (400, r#"{"api_id":"97ceeb52","error":"NUMBER is not valid for hush-plivo-token"}"#),
        states: ["sent", "delivered", "undelivered"],
        posted: |to, state| {
            (
                false,
                form(&[
                    ("From", "14155550100"),
                    ("To", to.trim_start_matches('+')),
                    ("Status", state),
                    ("MessageUUID", "u"),
                    ("ErrorCode", "300"),
                ]),
            )
        },
        wrote: |from, text| {
            (
                false,
                form(&[
                    ("From", from.trim_start_matches('+')),
                    ("To", "14155550100"),
                    ("Text", text),
                    ("Type", "sms"),
                    ("MessageUUID", "u"),
                ]),
            )
        },
        says_in_answer: false,
    },
    Vendor {
        name: "sinch",
        account: "region = \"eu\"\nplan = \"jd63jf88477ll123\"\ntoken = \"hush-sinch-token\"\nfrom = \"+14155550101\"\n",
        path: "/xms/v1/jd63jf88477ll123/batches",
        credentials: Credentials::Bearer("hush-sinch-token"),
        to: ("/to/0", true),
        text: "/body",
        receipt: "/callback_url",
        yes: (201, r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","canceled":false,"type":"mt_text","delivery_report":"per_recipient"}"#),
        no: (400, r#"{"code":"syntax_invalid_parameter_format","text":"NUMBER, hush-sinch-token"}"#),
        states: ["Dispatched", "Delivered", "Aborted"],
        posted: |to, state| {
            (true, json!({"type": "recipient_delivery_report_sms", "batch_id": "01FC", "recipient": to.trim_start_matches('+'), "code": 402, "status": state, "at": "2026-11-21T03:00:00Z"}).to_string())
        },
        wrote: |from, text| {
            (
                true,
                json!({"type": "mo_text", "id": "01XX", "from": from.trim_start_matches('+'), "to": "14155550101", "body": text})
                    .to_string(),
            )
        },
        says_in_answer: false,
    },
    Vendor {
        name: "telnyx",
        account: "key = \"KEY0hush-telnyx-key\"\nfrom = \"+14155550102\"\n",
        path: "/v2/messages",
        credentials: Credentials::Bearer("KEY0hush-telnyx-key"),
        to: ("/to", true),
        text: "/text",
        receipt: "/webhook_url",
        yes: (
            200,
            r#"{"data":{"record_type":"message","direction":"outbound","id":"b0c7e8cb-6227-4c74-9f32-c7f80c30934b","to":[{"status":"queued"}]}}"#,
        ),
        no: (400, r#"{"errors":[{"code":"40310","title":"Invalid 'to' address","detail":"NUMBER is not E.164, KEY0hush-telnyx-key"}]}"#),
        states: ["sent", "delivered", "delivery_failed"],
        posted: |to, state| {
            let event = if state == "sent" { "message.sent" } else { "message.finalized" };
            (true, json!({"data": {"event_type": event, "payload": {"id": "b0c7", "to": [{"phone_number": to, "status": state}], "errors": []}}}).to_string())
        },
        wrote: |from, text| {
            (true, json!({"data": {"event_type": "message.received", "payload": {"from": {"phone_number": from}, "to": [{"phone_number": "+14155550102"}], "text": text}}}).to_string())
        },
        says_in_answer: false,
    },
    Vendor {
        name: "vonage",
        account: "api_key = \"abcd1234\"\napi_secret = \"hush-vonage-secret\"\nfrom = \"14155550103\"\n",
        path: "/sms/json",
        credentials: Credentials::Basic("abcd1234", "hush-vonage-secret"),
        to: ("/to", false),
        text: "/text",
        receipt: "/callback",
        yes: (
            200,
            r#"{"message-count":"1","messages":[{"to":"4917","message-id":"0C000000217B7F02","status":"0","remaining-balance":"15.53590000"}]}"#,
        ),
        no: (200, r#"{"message-count":"1","messages":[{"status":"7","error-text":"NUMBER barred, hush-vonage-secret"}]}"#),
        states: ["accepted", "delivered", "rejected"],
        posted: |to, state| {
            (true, json!({"msisdn": to.trim_start_matches('+'), "to": "x", "messageId": "0C", "status": state, "err-code": "4", "scts": "2111210300"}).to_string())
        },
        wrote: |from, text| {
            (
                false,
                form(&[
                    ("msisdn", from.trim_start_matches('+')),
                    ("to", "14155550103"),
                    ("text", text),
                    ("type", "text"),
                    ("messageId", "0B"),
                ]),
            )
        },
        says_in_answer: false,
    },
];

/// A text message that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texted {
    /// The vendor's name.
    pub by: &'static str,
    /// Whom, with the sign.
    pub to: String,
    /// What.
    pub text: String,
    /// Where receipts go; nothing where none are wanted.
    pub receipt: Option<String>,
}

impl Texted {
    /// The code that it says to answer with.
    #[must_use]
    pub fn code(&self) -> &str {
        self.text.rsplit_once("Answer ").and_then(|(_, rest)| rest.split_once(' ')).map_or("", |(code, _)| code)
    }
}

/// All vendors at one address, each behind its name.
#[derive(Clone)]
pub struct SmsVendors {
    /// The server, for scripts.
    pub fake: Fake,
    texted: Arc<Mutex<Vec<Texted>>>,
    client: reqwest::Client,
}

/// What the program answered.
#[derive(Debug, Clone)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl SmsVendors {
    /// Listens on a free port of this machine.
    pub async fn start() -> Self {
        let texted: Arc<Mutex<Vec<Texted>>> = Arc::default();
        let own = Arc::clone(&texted);
        let fake = Fake::start(move |came| answer(came, &mut own.lock().unwrap_or_else(PoisonError::into_inner))).await;
        Self { fake, texted, client: client() }
    }

    fn state(&self) -> MutexGuard<'_, Vec<Texted>> {
        self.texted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of accounts.
    #[must_use]
    pub fn accounts(&self) -> String {
        let one = |vendor: &Vendor| {
            format!(
                "[{name}]\nserver = \"{url}/{name}\"\nreply_key = \"{REPLY_KEY}\"\n{account}\n",
                name = vendor.name,
                url = self.fake.url(),
                account = vendor.account
            )
        };
        VENDORS.iter().map(one).collect()
    }

    /// What was asked of a vendor and taken, in its order.
    #[must_use]
    pub fn texted(&self, name: &str) -> Vec<Texted> {
        self.state().iter().filter(|one| one.by == name).cloned().collect()
    }

    /// What became of a text message.
    ///
    /// # Panics
    /// When it wants no receipt, or no answer comes.
    pub async fn status(&self, vendor: &Vendor, of: &Texted, state: &str) -> Told {
        let at = of.receipt.clone().expect("a receipt is wanted");
        self.post(&at, (vendor.posted)(&of.to, state)).await
    }

    /// A text message from somebody's phone, which the vendor posts to this address.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn write(&self, vendor: &Vendor, at: &str, from: &str, text: &str) -> Told {
        self.post(at, (vendor.wrote)(from, text)).await
    }

    async fn post(&self, at: &str, (is_json, body): (bool, String)) -> Told {
        let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        let response = self.client.post(at).header("content-type", kind).body(body).send().await.expect("an answer");
        Told { status: response.status().as_u16(), text: response.text().await.expect("a whole answer") }
    }
}

fn answer(came: &Came, texted: &mut Vec<Texted>) -> Answer {
    let plain = |status: u16, body: &str| Answer { status, kind: "text/plain", body: body.to_owned() };
    let named = |vendor: &&Vendor| came.path == format!("/{}{}", vendor.name, vendor.path);
    let Some(vendor) = VENDORS.iter().find(named).filter(|_| came.method == "POST") else { return plain(404, "no such address") };
    let wanted = match vendor.credentials {
        Credentials::Basic(user, password) => format!("Basic {}", BASE64.encode(format!("{user}:{password}"))),
        Credentials::Bearer(token) => format!("Bearer {token}"),
    };
    if came.header("authorization") != wanted {
        return plain(401, "who are you?");
    }
    let asked = came.json();
    let text = |at: &str| asked.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let (Some(to), Some(said)) = (text(vendor.to.0), text(vendor.text)) else { return plain(400, "something is missing") };
    let is_number = to.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()) && to.starts_with('+') == vendor.to.1;
    if !is_number || said.is_empty() || said.encode_utf16().count() > 1_600 {
        return plain(400, "that is no text message");
    }
    texted.push(Texted { by: vendor.name, to: format!("+{}", to.trim_start_matches('+')), text: said, receipt: text(vendor.receipt) });
    Answer { status: vendor.yes.0, kind: "application/json", body: vendor.yes.1.to_owned() }
}
