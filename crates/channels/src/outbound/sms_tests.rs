//! What a text message says, what is heard of it, and what is said back.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::wire::About;

use super::*;
use crate::outbound::twilio::tests::{account, field, form};
use crate::outbound::webhook::tests::message;

fn sms() -> Sms {
    Sms::new(Some(&account()))
}

fn to(number: &str) -> Target {
    Target { name: "Ana".into(), address: Address::of([(NAME, number)]) }
}

fn text(message: &Message) -> String {
    let request = sms().request(message, &to("+491700000000")).unwrap();
    assert_eq!(field(&request, "To").as_deref(), Some("+491700000000"));
    field(&request, "Body").unwrap()
}

#[test]
fn a_text_message_says_what_and_where_and_how_to_answer() {
    let page = Message { reply_url: Some("https://ac.example/reply/sms".into()), ..message(1, "Disk full") };
    let code = ReplyCode::of(page.id);
    assert_eq!(
        text(&page),
        format!(
            "[SEV2] INC-142 Disk full\nService: checkout\nhttps://ac.example/a/tok0\nAnswer {code} to take it, {code} no to pass it on."
        )
    );
    let request = sms().request(&page, &to("+491700000000")).unwrap();
    assert_eq!(field(&request, "From").as_deref(), Some("+4930000000"));
    assert_eq!(field(&request, "StatusCallback"), Some(format!("https://ac.example/reply/sms?m={}", page.id)));
    let Request::Http { url, .. } = &request else { panic!("{request:?}") };
    assert_eq!(url, "https://telephone.example/2010-04-01/Accounts/AC1/Messages.json");
    let by_service = Account::read("https://t.example", "AC1", "t", "+4930000000,MG7").unwrap();
    let request = Sms::new(Some(&by_service)).request(&page, &to("+491700000000")).unwrap();
    assert_eq!((field(&request, "MessagingServiceSid").as_deref(), field(&request, "From")), (Some("MG7"), None));

    let many = text(&message(40, "Disk full"));
    assert!(many.starts_with("[SEV1] 40 incidents, worst INC-143 Disk full\nINC-142 [SEV2] Disk full\n"), "{many}");
    assert!(many.contains("\nand 35 more\nhttps://ac.example/a/all\n") && many.contains("take all of them"), "{many}");
    let mut doubt = message(1, "Disk full");
    doubt.in_doubt = true;
    assert!(text(&doubt).starts_with("You may have received this before.\n"));
    for (kind, how) in
        [(NoticeKind::StillOnIt, "if you are"), (NoticeKind::ConfirmRecovery, ""), (NoticeKind::Update, ""), (NoticeKind::Over, "")]
    {
        let mut other = message(1, "Disk full");
        other.notices[0].kind = kind;
        other.notices[0].text = Some("We failed over.".into());
        let told = text(&other);
        assert_eq!(told.contains("Answer "), !how.is_empty(), "{kind:?}: {told}");
        assert!(told.contains(how) && (kind == NoticeKind::ConfirmRecovery || told.contains("We failed over.")), "{kind:?}: {told}");
    }
    let none = Sms::new(None).request(&page, &to("+491700000000")).unwrap_err();
    assert_eq!(none, "no --twilio-account is set");
}

#[test]
fn what_is_long_is_cut_on_characters_and_keeps_its_link_and_its_code() {
    let mut long = message(1, &"é".repeat(1_024));
    long.about = Some(About { description: Some("🔥".repeat(5_000)), ..About::default() });
    let told = text(&long);
    assert!(length(&told) <= BODY_CHARS_MAX && told.contains("🔥…\n"), "{told}");
    long.notices[0].kind = NoticeKind::Update;
    long.notices[0].text = Some("🔥".repeat(5_000));
    let told = text(&long);
    assert!((BODY_CHARS_MAX - 1..=BODY_CHARS_MAX).contains(&length(&told)), "as much as fits: {}", length(&told));
    assert!(told.ends_with("🔥…\nhttps://ac.example/incidents/INC-142"), "{told}");
    assert_eq!((cut("a🔥b", 4), cut("a🔥bc", 4), cut("🔥🔥", 3)), ("a🔥b".into(), "a🔥…".into(), "🔥…".into()));
}

#[test]
fn however_short_a_text_may_be_the_link_is_in_it() {
    for (in_doubt, title) in [(false, "Disk full".to_owned()), (true, "Disk full".to_owned()), (true, "\u{1f6a8} ".repeat(200))] {
        let page = Message { in_doubt, ..message(1, &title) };
        for chars_max in 30..400 {
            let text = text_of(&page, chars_max, true).unwrap();
            assert!(length(&text) <= chars_max && text.contains("\nhttps://ac.example/a/tok0"), "{chars_max}: {text}");
        }
    }
    assert!(text_of(&message(1, "Disk full"), 20, true).unwrap_err().contains("20 characters"), "a link is never cut");
}

#[test]
fn an_answer_is_a_code_with_words_or_words_alone() {
    let code = ReplyCode::read("4821");
    for (given, code, words) in [
        ("4821", code, "acknowledge"),
        (" 4821. ", code, "acknowledge"),
        ("#4821!", code, "acknowledge"),
        ("4821 no", code, "no"),
        ("ack 4821", code, "ack"),
        ("4821: I can't", code, "I can't"),
        ("4821\nyes", code, "yes"),
        ("1", None, "1"),
        ("Yes", None, "Yes"),
        ("", None, ""),
        ("48210", None, "48210"),
        ("4821 4822", code, "4822"),
    ] {
        assert_eq!(answer_of(given), (code, words.to_owned()), "{given:?}");
    }
}

#[test]
fn receipts_are_read_and_what_is_on_its_way_settles_nothing() {
    let id = MessageId::from_bits(3);
    let url = format!("https://ac.example/reply/sms?m={id}");
    let read = |status: &str| {
        let body =
            form(&[("To", "+491700000000"), ("MessageStatus", status), ("ErrorCode", if status == "undelivered" { "30005" } else { "" })]);
        sms().read(&ReplyRequest { url: &url, headers: &[], body: &body }).map(|mut heard| {
            assert_eq!(heard[0].of, Of::Message(id));
            heard.remove(0).says
        })
    };
    assert_eq!(read("delivered"), Ok(Says::Delivered("delivered".into())));
    assert_eq!(read("undelivered"), Ok(Says::Failed("undelivered, error 30005".into())));
    assert_eq!(read("failed"), Ok(Says::Failed("failed".into())));
    for status in ["accepted", "queued", "sending", "sent"] {
        assert_eq!(read(status), Ok(Says::Nothing), "{status}");
    }
    assert!(read("eaten").unwrap_err().to_string().contains("`eaten`"));
    for url in ["https://ac.example/reply/sms?m=", "https://ac.example/reply/sms?m=inc_1", "https://ac.example/reply/sms?x=1"] {
        assert!(sms().read(&ReplyRequest { url, headers: &[], body: b"MessageStatus=sent" }).is_err(), "{url}");
    }
}

#[test]
fn who_answers_is_answered_in_xml_and_a_receipt_with_nothing() {
    let said = |url: &str, fields: &[(&str, &str)], told: Told<'_>| {
        let body = form(fields);
        sms().answer(&ReplyRequest { url, headers: &[], body: &body }, told).map(|own| own.body)
    };
    let (texts, receipts) = ("https://ac.example/reply/sms", format!("https://ac.example/reply/sms?m={}", MessageId::from_bits(3)));
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let answer = [("From", "+491700000000"), ("Body", "1")];
    assert_eq!(
        said(texts, &answer, Told::Taken("You have <INC-1>.")),
        Some(format!("{head}<Response><Message>You have &lt;INC-1&gt;.</Message></Response>"))
    );
    assert!(said(texts, &answer, Told::Refused("why")).unwrap().contains("<Message>why</Message>"));
    assert!(said(texts, &answer, Told::NotNow).unwrap().contains("again in a minute"));
    assert_eq!(said(&receipts, &[("MessageStatus", "sent")], Told::Taken("")), Some(format!("{head}<Response></Response>")));
    assert_eq!(said(&receipts, &[("MessageStatus", "sent")], Told::Refused("late")), Some(format!("{head}<Response></Response>")));
    assert_eq!(said(&receipts, &[("MessageStatus", "sent")], Told::NotNow), None, "sent again");
    let left = [("From", "+491700000000"), ("Body", "STOP"), ("OptOutType", "STOP")];
    assert_eq!(said(texts, &left, Told::Refused("`STOP` is no answer")), Some(format!("{head}<Response></Response>")));
}
