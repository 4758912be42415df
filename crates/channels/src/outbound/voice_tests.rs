//! What a call says, what its keys do, and which calls count as failed.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;

use super::*;
use crate::outbound::twilio::tests::{account, field, form};
use crate::outbound::webhook::tests::message;

fn voice() -> Voice {
    Voice::new(Some(&account()))
}

fn request(message: &Message) -> Request {
    let target = Target { name: "Ana".into(), address: Address::of([(NAME, "+491700000000")]) };
    voice().request(message, &target).unwrap()
}

fn twiml(message: &Message) -> String {
    field(&request(message), "Twiml").unwrap()
}

#[test]
fn a_call_says_it_twice_and_takes_a_key() {
    let mut page = message(1, "Disk full: see https://x.example/INC & <b>");
    page.reply_url = Some("https://ac.example/reply/voice".into());
    let told = twiml(&page);
    let back = format!("https://ac.example/reply/voice?m={}", page.id);
    let once = format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"8\" action=\"{back}\" method=\"POST\"><Say>This is All Clear. An incident of severity 2: \
         INC 142. Disk full: see a link &amp; &lt;b&gt;. Service checkout. Press 1 to take it, 2 to pass it on.</Say></Gather>"
    );
    assert_eq!(
        told,
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{once}{once}<Say>No key was pressed. Goodbye.</Say></Response>")
    );
    let request = request(&page);
    let Request::Http { url, .. } = &request else { panic!("{request:?}") };
    assert_eq!(url, "https://telephone.example/2010-04-01/Accounts/AC1/Calls.json");
    for (name, value) in
        [("To", "+491700000000"), ("From", "+4930000000"), ("Timeout", "25"), ("AsyncAmd", "true"), ("MachineDetection", "Enable")]
    {
        assert_eq!(field(&request, name).as_deref(), Some(value), "{name}");
    }
    for name in ["StatusCallback", "AsyncAmdStatusCallback"] {
        assert_eq!(field(&request, name).as_deref(), Some(back.as_str()), "{name}");
    }
    let mut drill = message(1, "DRILL of Payments: nothing is wrong");
    drill.notices[0].kind = NoticeKind::Drill;
    (drill.in_doubt, drill.reply_url) = (true, Some("https://ac.example/reply/voice".into()));
    let said = twiml(&drill);
    assert!(said.contains("<Say>This is a drill. This is All Clear. You may have been called"), "{said}");
    assert!(said.contains("Press 1 to prove that you are reached, 2 to pass it on.") && !said.contains("severity"), "{said}");
    let many = twiml(&message(40, "Disk full"));
    assert!(many.contains("40 incidents. The first, severity 2: INC 142. Disk full. Press 1 to take all of them"), "{many}");
    for (kind, asks) in
        [(NoticeKind::StillOnIt, true), (NoticeKind::ConfirmRecovery, false), (NoticeKind::Update, false), (NoticeKind::Over, false)]
    {
        let mut other = message(1, "Disk full");
        other.notices[0].kind = kind;
        other.notices[0].text = Some("We failed over.".into());
        let told = twiml(&other);
        assert_eq!(told.contains("<Gather"), asks, "{kind:?}: {told}");
        assert!(told.matches("INC 142").count() == 2, "{kind:?}: {told}");
    }
    let mut owed = message(1, "Disk full");
    owed.notices[0].because = Some("nobody has taken command".into());
    owed.in_doubt = true;
    let told = twiml(&owed);
    assert!(
        told.contains("You may have been called about this already.") && told.contains("It calls because: nobody has taken command."),
        "{told}"
    );
}

#[test]
fn a_long_call_is_cut_and_a_service_without_a_number_cannot_call() {
    let mut long = message(1, &"&".repeat(1_024));
    long.notices[0].because = Some("<".repeat(4_000));
    assert!(twiml(&long).chars().count() <= TWIML_CHARS_MAX);
    let target = Target { name: String::new(), address: Address::of([(NAME, "+491700000000")]) };
    let by_service = Account::read("https://t.example", "AC1", "t", "MG7").unwrap();
    let why = Voice::new(Some(&by_service)).request(&message(1, "x"), &target).unwrap_err();
    assert!(why.contains("--twilio-from has no number"), "{why}");
    assert_eq!(Voice::new(None).request(&message(1, "x"), &target).unwrap_err(), "no --twilio-account is set");
}

#[test]
fn only_a_key_answers_and_a_machine_is_a_call_that_failed() {
    let id = MessageId::from_bits(3);
    let url = format!("https://ac.example/reply/voice?m={id}");
    let read = |fields: &[(&str, &str)]| {
        let body = form(fields);
        voice().read(&ReplyRequest { url: &url, headers: &[], body: &body }).map(|mut heard| heard.remove(0).says)
    };
    let answer = |words: &str| Ok(Says::Answer(words.to_owned()));
    for (key, words) in [("1", "acknowledge"), ("4", "acknowledge"), ("2", "decline"), ("8", "decline"), ("6", "key 6"), ("#", "key #")] {
        assert_eq!(read(&[("CallStatus", "in-progress"), ("Digits", key)]), answer(words), "{key}");
    }
    assert_eq!(
        read(&[("CallStatus", "in-progress"), ("Digits", "1"), ("AnsweredBy", "machine_start")]),
        answer("acknowledge"),
        "a detector may be wrong"
    );
    for by in ["machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax"] {
        assert!(matches!(read(&[("AnsweredBy", by)]), Ok(Says::Failed(why)) if why.contains("no key")), "{by}");
        assert!(matches!(read(&[("AnsweredBy", by), ("CallStatus", "completed")]), Ok(Says::Failed(_))), "{by}");
    }
    for by in ["human", "unknown"] {
        assert_eq!(read(&[("AnsweredBy", by)]), Ok(Says::Nothing), "{by}");
    }
    assert_eq!(read(&[("CallStatus", "completed")]), Ok(Says::Delivered("the call was answered".into())), "and not acknowledged");
    assert_eq!(read(&[("CallStatus", "completed"), ("Digits", "")]), Ok(Says::Delivered("the call was answered".into())));
    for (status, why) in [("busy", "busy"), ("no-answer", "picked up"), ("failed", "failed, SIP 404"), ("canceled", "cancelled, SIP 404")] {
        let heard = read(&[("CallStatus", status), ("SipResponseCode", "404")]);
        assert!(matches!(&heard, Ok(Says::Failed(said)) if said.contains(why)), "{heard:?}");
    }
    for status in ["queued", "initiated", "ringing", "in-progress"] {
        assert_eq!(read(&[("CallStatus", status)]), Ok(Says::Nothing), "{status}");
    }
    assert!(read(&[("CallStatus", "eaten")]).is_err() && read(&[]).is_err());
    let inbound = ReplyRequest { url: "https://ac.example/reply/voice", headers: &[], body: b"CallStatus=ringing" };
    assert!(voice().read(&inbound).unwrap_err().to_string().contains("names no message"));
}

#[test]
fn what_a_key_did_is_spoken_back_and_one_that_does_nothing_is_asked_for_again() {
    let url = format!("https://ac.example/reply/voice?m={}", MessageId::from_bits(3));
    let said = |fields: &[(&str, &str)], told: Told<'_>| {
        let body = form(fields);
        voice().answer(&ReplyRequest { url: &url, headers: &[], body: &body }, told).map(|own| own.body)
    };
    let key = |key| [("Digits", key)];
    assert!(said(&key("1"), Told::Taken("You have INC-1.")).unwrap().contains("<Response><Say>You have INC 1.</Say></Response>"));
    assert!(said(&key("2"), Told::Refused("INC-1 is over.")).unwrap().contains("<Response><Say>INC 1 is over.</Say>"));
    let again = said(&key("5"), Told::Refused("`key 5` is no answer")).unwrap();
    assert!(again.contains("<Gather") && again.contains(&url) && again.contains("That key does nothing. Press 1"), "{again}");
    let later = said(&key("1"), Told::NotNow).unwrap();
    assert!(later.contains("<Gather") && later.contains("press the key again"), "{later}");
    assert!(said(&[("CallStatus", "completed")], Told::Taken("")).unwrap().ends_with("<Response></Response>"));
    assert_eq!(said(&[("CallStatus", "completed")], Told::NotNow), None);
}
