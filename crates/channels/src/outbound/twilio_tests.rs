//! The signature's vector, whom it makes genuine, and what Twilio's answers mean.

use allclear_domain::channel::Address;
use allclear_domain::wire::{NotGenuine, Outcome, ReplyRequest, Request, Response};

use super::*;

pub(crate) fn account() -> Account {
    Account::read("https://telephone.example/", "AC1", "12345", "+4930000000").unwrap()
}

/// A body of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    match account().request("Any", fields) {
        Request::Http { body, .. } => body,
        other => panic!("{other:?}"),
    }
}

/// A field of a request.
pub(crate) fn field(request: &Request, name: &str) -> Option<String> {
    let Request::Http { body, .. } = request else { panic!("{request:?}") };
    Fields::read(body).unwrap().get(name).map(ToOwned::to_owned)
}

#[test]
fn the_vector() {
    let (url, body) = ("https://pager.example.org/twilio/gather", b"CallSid=CA1&Digits=4&From=%2B491700000000");
    assert_eq!(signature("12345", url, body), "IGjdmYjxdEGqJaYrIeCrWL4Nd+4=");
    assert_eq!(signature("12345", url, b"From=%2B491700000000&Digits=4&CallSid=CA1"), "IGjdmYjxdEGqJaYrIeCrWL4Nd+4=", "in whatever order");
    let headers = [("x-twilio-signature", &b"IGjdmYjxdEGqJaYrIeCrWL4Nd+4="[..])];
    let request = ReplyRequest { url, headers: &headers, body };
    let address = |number: &str| Address::of([("sms", number)]);
    assert_eq!(account().genuine(&request, &address("+491700000000"), "sms"), Ok(()));
    assert_eq!(account().genuine(&request, &address("+491700000001"), "sms"), Err(NotGenuine), "another's");
    assert_eq!(account().genuine(&request, &address("+491700000000"), "voice"), Err(NotGenuine), "of another channel");
    let forged = ReplyRequest { body: b"CallSid=CA1&Digits=1&From=%2B491700000000", ..request };
    assert_eq!(account().genuine(&forged, &address("+491700000000"), "sms"), Err(NotGenuine));
}

#[test]
fn a_signature_holds_with_the_port_and_without_and_while_the_token_is_changed() {
    let body = form(&[("From", "+491700000000"), ("Body", "ä & b")]);
    let address = Address::of([("sms", "+491700000000")]);
    let is_taken = |account: &Account, ours: &str, theirs: &str, token: &str| {
        let header = signature(token, theirs, &body);
        let headers = [("x-twilio-signature", header.as_bytes())];
        account.genuine(&ReplyRequest { url: ours, headers: &headers, body: &body }, &address, "sms").is_ok()
    };
    for (ours, theirs, fits) in [
        ("https://ac.example/reply/sms", "https://ac.example/reply/sms", true),
        ("https://ac.example/reply/sms", "https://ac.example:443/reply/sms", true),
        ("https://ac.example:8443/reply/sms", "https://ac.example/reply/sms", true),
        ("http://[::1]:80/reply/sms", "http://[::1]/reply/sms", true),
        ("http://[::1]/reply/sms", "http://[::1]:80/reply/sms", true),
        ("https://ac.example/reply/sms", "https://other.example/reply/sms", false),
        ("https://ac.example/reply/sms", "http://ac.example/reply/sms", false),
        ("https://ac.example/reply/sms", "https://ac.example/reply/voice", false),
    ] {
        assert_eq!(is_taken(&account(), ours, theirs, "12345"), fits, "{ours} {theirs}");
    }
    let url = "https://ac.example/reply/sms";
    let changing = Account::read(URL_DEFAULT, "AC1", "new, 12345", "+4930000000").unwrap();
    assert!(is_taken(&changing, url, url, "new") && is_taken(&changing, url, url, "12345") && !is_taken(&changing, url, url, "older"));
    let Request::Http { headers, url, .. } = changing.request("Calls", &[]) else { panic!("over HTTP") };
    assert_eq!(url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json");
    assert!(headers.contains(&("authorization", format!("Basic {}", BASE64.encode("AC1:new")))), "the first is sent with");
    assert!(!format!("{changing:?}").contains("new"), "{changing:?}");
}

#[test]
fn what_answers_mean() {
    let within = Length::from_secs(60);
    let http =
        |status: u16, body: &str| outcome(&Response::Http { status, retry_after: Some(Length::from_secs(7)), body: body.into() }, within);
    assert_eq!(http(201, r#"{"sid":"SM12","status":"queued"}"#), Outcome::Accepted { receipt: "HTTP 201, SM12".into(), within });
    assert_eq!(http(201, r#"{"body":"cut"#), Outcome::Accepted { receipt: "HTTP 201".into(), within });
    let error = |code: u64, words: &str| format!(r#"{{"code":{code},"message":"{words}","more_info":"https://x.example","status":400}}"#);
    assert_eq!(
        http(400, &error(21610, "Attempt to send to unsubscribed recipient")),
        Outcome::Rejected { why: "HTTP 400, 21610: Attempt to send to unsubscribed recipient".into() }
    );
    assert_eq!(
        http(400, &error(21211, "The 'To' number +491700000000 is not a valid phone number.")),
        Outcome::Rejected { why: "HTTP 400, 21211: The 'To' number +… is not a valid phone number.".into() },
        "no number in a log"
    );
    assert!(
        matches!(http(401, &error(20003, "Authenticate")), Outcome::Rejected { why } if why.contains("--twilio-token") && why.contains("20003"))
    );
    for (status, code) in [(429, 20429), (400, 21611), (408, 0)] {
        assert!(
            matches!(http(status, &error(code, "Too many")), Outcome::Retry { after: Some(after), maybe_arrived: false, .. } if after.as_secs() == 7),
            "{status}"
        );
    }
    for (status, doubt) in [(500, true), (502, true), (503, false), (599, true)] {
        assert!(matches!(http(status, "<html>"), Outcome::Retry { maybe_arrived, .. } if maybe_arrived == doubt), "{status}");
    }
    let failed = Response::Failed { why: "no answer within 10 s".into(), maybe_arrived: true, permanent: false };
    assert!(matches!(outcome(&failed, within), Outcome::Retry { maybe_arrived: true, .. }), "in doubt");
}

#[test]
fn what_is_a_number() {
    for good in ["+491700000000", "+12025550123", "+4930123", "+123456789012345"] {
        assert_eq!(check_number(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "+",
        "0170 0000000",
        "+49 170 0000000",
        "00491700000000",
        "+049170000000",
        "+1234567890123456",
        "+123456",
        "+49a700000000",
        "491700000000",
    ] {
        assert!(check_number(bad).unwrap_err().contains("`+491700000000`"), "{bad}");
    }
}

#[test]
fn forms_and_xml_are_read_and_written_as_they_are() {
    let given = [("Body", "a+b c&d=é%🙂\n"), ("Empty", "")];
    let read = Fields::read(&form(&given)).unwrap();
    assert!(given.iter().all(|(name, value)| read.get(name) == Some(value)), "{read:?}");
    assert_eq!(Fields::read(b"a=%C3%A9+x&b").unwrap().get("a"), Some("é x"));
    assert!(Fields::read(b"a=%ff").is_none() && Fields::read(b"\xff").is_none());
    assert_eq!(xml("<b> & \"'\u{1b}\u{0}"), "&lt;b&gt; &amp; &quot;&apos;  ");
    assert_eq!(without_numbers("from +4930000000 to +491700000000, +1 digit"), "from +… to +…, +1 digit");
}
