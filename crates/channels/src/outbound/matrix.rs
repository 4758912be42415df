//! The way out to a room of Matrix: channel `matrix`.
//!
//! A message is an `m.room.message` that is put into the room under its own id
//! (<https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>): the server knows it by that,
//! so that one which may have arrived and is sent again is one in the room. It is plain text and the same as simple HTML, and calls
//! nobody in the room by name. What is over is shown as over by an edit.
//!
//! Deliberately not here: encrypted rooms, answers and reactions, which a program would have to ask for all the time (`/sync`), and
//! rooms that are made for a person.

use allclear_domain::channel::{Address, Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, Outcome, Request, Response, Retired, Step, Target};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::answers::{Answer, words};
use super::wording::{Button, Words, fitted, one_line, retired_title};

/// Longest title, in characters: the first line.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes, before it is escaped.
const TEXT_BYTES_MAX: usize = 8_000;
/// Longest body, in bytes: a server takes events of 65,536, with what it adds to them.
const BODY_BYTES_MAX: usize = 48_000;
/// Characters of a room's id; servers take 255 bytes.
const ROOM_LEN: std::ops::RangeInclusive<usize> = 4..=255;
/// Characters of an access token.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 8..=1_024;
/// Longest id of an event, in bytes.
const EVENT_BYTES_MAX: usize = 255;

/// The channel's name, and the key of the room.
const NAME: &str = "matrix";
/// The key of the access token.
const TOKEN: &str = "token";
/// The key of the server, and where it is unless said otherwise.
const SERVER: &str = "server";
const USUAL_SERVER: &str = "https://matrix-client.matrix.org";
/// Whoever answers, in a sentence.
const VENDOR: &str = "a Matrix server";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Matrix room",
    id_example: "matrix",
    fields: &[
        Field {
            key: NAME,
            label: "Room ID",
            hint: "Of a room that the account is in and that is not encrypted; its settings show it under *Advanced*.",
            shape: "!…",
            example: "!OGEhHVWSdvArJzumhm:example.org",
            needed: true,
            kept: Kept::Plain,
            check: |given| {
                if is_room(given) {
                    Ok(())
                } else {
                    Err("the room is no ID as `!OGEhHVWSdvArJzumhm:example.org`; a name that begins with `#` is not one".to_owned())
                }
            },
        },
        Field {
            key: TOKEN,
            label: "Access token",
            hint: "Of the account that writes into the room, which is best one of its own.",
            shape: "…",
            example: "syt_YWxsY2xlYXI_q7Vd2kX9nT4mZ8rB3wLc_0a1b2c",
            needed: true,
            kept: Kept::Secret,
            check: |given| {
                if is_token(given) { Ok(()) } else { Err("the token is not 8 to 1024 letters, digits and signs without spaces".to_owned()) }
            },
        },
        Field {
            key: SERVER,
            label: "Server",
            hint: "The homeserver of the account; left out, it is matrix.org's.",
            shape: "https://…",
            example: "https://matrix.example.org",
            needed: false,
            kept: Kept::Plain,
            check: |given| root(given).map(drop),
        },
    ],
    carriage: Carriage::Http(Server::Field { key: SERVER, usual: USUAL_SERVER }),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(BODY_BYTES_MAX), text_chars: None, buttons: 0 },
};

fn is_room(given: &str) -> bool {
    ROOM_LEN.contains(&given.len()) && given.starts_with('!') && given.bytes().all(|b| b.is_ascii_graphic())
}

fn is_token(given: &str) -> bool {
    TOKEN_LEN.contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic())
}

/// The server's address without what stands behind its name; or what is wrong with it.
fn root(given: &str) -> Result<&str, String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    if given.contains(['?', '#', '@']) {
        return Err("the address has a `?`, a `#` or a name in it; write the server's alone".to_owned());
    }
    Ok(given.trim_end_matches('/'))
}

/// Text between the tags of HTML.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "<br>")
}

/// What stands in a room: a title, what is said, and links, as text and as HTML.
fn content(title: &str, said: &str, links: &[Button]) -> Value {
    let beneath: String = links.iter().map(|link| format!("\n{}: {}", link.label, link.href)).collect();
    let anchors: Vec<String> = links.iter().map(|link| format!("<a href=\"{}\">{}</a>", html(&link.href), html(link.label))).collect();
    let anchors = if anchors.is_empty() { String::new() } else { format!("<br>{}", anchors.join(" · ")) };
    json!({
        "msgtype": "m.text",
        "body": format!("{title}\n{said}{beneath}"),
        "format": "org.matrix.custom.html",
        "formatted_body": format!("<strong>{}</strong><br>{}{anchors}", html(title), html(said)),
        // Nobody is called by name, whatever the text says.
        "m.mentions": {},
    })
}

/// # Errors
/// Where no request can be made of it, in words.
fn put(address: &Address, transaction: &str, body: Vec<u8>) -> Result<Request, String> {
    let room = address.get(NAME).filter(|room| is_room(room)).ok_or("the contact is no Matrix room")?;
    let token = address.get(TOKEN).filter(|token| is_token(token)).ok_or("the contact has no access token")?;
    let root = root(FORM.server(address).unwrap_or(USUAL_SERVER))?;
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    Ok(Request::Http {
        method: Method::Put,
        url: format!("{root}/_matrix/client/v3/rooms/{}/send/m.room.message/{}", part(room), part(transaction)),
        headers: vec![("content-type", "application/json".to_owned()), ("authorization", format!("Bearer {token}"))],
        body,
    })
}

/// The channel.
#[derive(Debug)]
pub struct Matrix;

impl Matrix {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target) -> Result<Request, String> {
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        let links = words.links();
        let body = fitted(TEXT_BYTES_MAX, BODY_BYTES_MAX, |room| serde_json::to_vec(&content(&words.subject, &words.short(room), &links)))?;
        put(&target.address, &message.id.to_string(), body)
    }
}

/// What an answer means: `{"event_id":"$…"}`, or `{"errcode":"M_…","error":"…"}`.
fn outcome(response: &Response) -> Outcome {
    let answer = match Answer::of(response, VENDOR) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    let said = answer.json();
    if answer.is_yes() {
        let event = said["event_id"].as_str().filter(|event| is_event(event));
        return event.map_or_else(|| answer.strange(VENDOR), |event| answer.delivered(Some(event)));
    }
    let code = words(&said["errcode"]);
    let why = match (code.as_deref(), words(&said["error"])) {
        (Some(code), Some(error)) => Some(format!("{code}: {error}")),
        (code, error) => code.map(ToOwned::to_owned).or(error),
    };
    let answer = answer.waiting(said["retry_after_ms"].as_u64().map(|ms| ms.div_ceil(1_000)));
    match code.as_deref() {
        Some("M_LIMIT_EXCEEDED") => answer.retry(why.as_deref(), false),
        Some("M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN") => {
            answer.rejected(&format!("{}; the contact's token is not good any more", why.unwrap_or_default()))
        }
        Some("M_FORBIDDEN") => {
            answer.rejected(&format!("{}; the account has to be in the room, and may have to be allowed to write", why.unwrap_or_default()))
        }
        _ => answer.refused(why.as_deref()),
    }
}

fn is_event(event: &str) -> bool {
    event.starts_with('$') && event.len() <= EVENT_BYTES_MAX && event.bytes().all(|b| b.is_ascii_graphic())
}

impl Channel for Matrix {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        Self::request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }

    fn retires(&self) -> bool {
        true
    }

    fn retire(&self, sent: &Retired<'_>) -> Option<Request> {
        let event = sent.receipt.rsplit(' ').next().filter(|event| is_event(event))?;
        let title = retired_title(sent.notice, sent.several);
        let open = Button { label: "Open", href: sent.incident_url.to_owned() };
        let new = content(&one_line(&title, TITLE_CHARS_MAX), &one_line(sent.says, TITLE_CHARS_MAX), &[open]);
        let mut body = new.clone();
        body["m.new_content"] = new;
        body["m.relates_to"] = json!({"rel_type": "m.replace", "event_id": event});
        put(sent.address, &format!("{}-over", sent.id), body.to_string().into_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::time::Length;

    use super::*;
    use crate::outbound::webhook::tests::message;

    fn target() -> Target {
        let fields = [(NAME, "!OGE/x:example.org"), (TOKEN, "syt_0123456789"), (SERVER, "https://matrix.example.org/")];
        Target { name: "Ana".into(), address: Address::of(fields) }
    }

    fn read(request: Request) -> (String, Value) {
        match request {
            Request::Http { method, url, headers, body } => {
                assert_eq!(method, Method::Put);
                assert!(headers.contains(&("authorization", "Bearer syt_0123456789".into())), "{headers:?}");
                (url, serde_json::from_slice(&body).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_is_put_under_its_own_id() {
        let page = message(1, "Disk <b>full</b> @room \"x\" & 🔥");
        let (url, body) = read(Matrix::request(&page, &target()).unwrap());
        let room = "%21OGE%2Fx%3Aexample%2Eorg";
        let id = page.id.to_string().replace('_', "%5F");
        assert_eq!(url, format!("https://matrix.example.org/_matrix/client/v3/rooms/{room}/send/m.room.message/{id}"));
        assert_eq!((&body["msgtype"], &body["m.mentions"]), (&json!("m.text"), &json!({})));
        let html = body["formatted_body"].as_str().unwrap();
        assert!(
            html.starts_with("<strong>[SEV2] INC-142 Disk &lt;b&gt;full&lt;/b&gt; @room &quot;x&quot; &amp; 🔥</strong><br>"),
            "{html}"
        );
        assert!(html.contains("<a href=\"https://ac.example/a/tok0\">Acknowledge</a>"), "{html}");
        assert!(body["body"].as_str().unwrap().ends_with("\nOpen: https://ac.example/incidents/INC-142"), "{body}");
        let mut again = page.clone();
        again.in_doubt = true;
        assert_eq!(read(Matrix::request(&again, &target()).unwrap()).0, url, "sent again, it is the same one");
        let (_, long) = read(Matrix::request(&message(1, &"<🔥>".repeat(10_000)), &target()).unwrap());
        assert!(long.to_string().len() <= BODY_BYTES_MAX);
    }

    #[test]
    fn answers_are_read_by_their_codes() {
        let answered = |status: u16, body: &str| outcome(&Response::Http { status, retry_after: None, body: body.into() });
        assert_eq!(
            answered(200, r#"{"event_id":"$YUwRidLecu:example.org"}"#),
            Outcome::Delivered { receipt: "HTTP 200 $YUwRidLecu:example.org".into() }
        );
        let limited = answered(429, r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":2001}"#);
        let Outcome::Retry { after, maybe_arrived, .. } = limited else { panic!("{limited:?}") };
        assert_eq!((after, maybe_arrived), (Some(Length::from_secs(3)), false), "rounded up");
        for (status, body, why) in [
            (401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}"#, "token is not good"),
            (403, r#"{"errcode":"M_FORBIDDEN","error":"not in room"}"#, "has to be in the room"),
            (404, r#"{"errcode":"M_UNRECOGNIZED","error":"x"}"#, "M_UNRECOGNIZED: x"),
            (413, r#"{"errcode":"M_TOO_LARGE","error":"x"}"#, "M_TOO_LARGE"),
        ] {
            let Outcome::Rejected { why: told } = answered(status, body) else { panic!("{body}") };
            assert!(told.contains(why), "{told}");
        }
        for (status, body) in [(200, "<html>"), (200, "{}"), (200, r#"{"event_id":"x"}"#), (502, ""), (500, r#"{"errcode":"M_UNKNOWN"}"#)] {
            assert!(matches!(answered(status, body), Outcome::Retry { maybe_arrived: true, .. }), "{status} {body}");
        }
    }

    #[test]
    fn what_is_over_is_an_edit_of_its_event() {
        let page = message(1, "x");
        let target = target();
        let retired = |receipt: &str| {
            let sent = Retired {
                id: page.id,
                receipt,
                notice: &page.notices[0],
                address: &target.address,
                several: true,
                says: "Ana has it.",
                incident_url: "https://ac.example/incidents/INC-142",
                now: Timestamp::UNIX_EPOCH,
            };
            Matrix.retire(&sent).map(read)
        };
        let (url, body) = retired("HTTP 200 $e:example.org").unwrap();
        assert!(url.ends_with("%2Dover"), "{url}");
        assert_eq!(body["m.relates_to"], json!({"rel_type": "m.replace", "event_id": "$e:example.org"}));
        let text = body["m.new_content"]["body"].as_str().unwrap();
        assert!(text.starts_with("[SEV2] INC-142 x and others\nAna has it.\nOpen: "), "{text}");
        assert!(retired("HTTP 200").is_none() && retired("").is_none());
    }
}
