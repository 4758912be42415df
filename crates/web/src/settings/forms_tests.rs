//! What must hold of every kind of form, told from its own description: a new kind is tried here with a sample of its own,
//! which the compiler asks for.
//!
//! That a change is taken, kept and shown again is tried in the stories, and what a kind's rules are beside them.

use std::collections::BTreeSet;

use allclear_channels::registry::WAYS_OUT;
use allclear_domain::org::check::{Against, Spoken, check};
use allclear_domain::org::diff::{ChangeKind, Form, FormKind, applied, diff, forms, from_forms};
use allclear_domain::org::export::{MASK, each_secret, mask_body};
use allclear_domain::org::forms::about::{Field, Input};
use allclear_domain::org::forms::calendar::CalendarForm;
use allclear_domain::org::forms::obligation::ObligationForm;
use allclear_domain::org::forms::organisation::Organisation;
use allclear_domain::org::forms::role;
use allclear_domain::org::forms::service_target::ServiceTarget;
use allclear_domain::org::model::{self, Bundle};
use allclear_domain::org::snapshot::Org;
use allclear_engine::org::file::part::{read_form, value_of_yaml};
use allclear_engine::org::file::{self, Format};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::{Map, Value, json};

use super::controls::Around;
use super::fields::field;
use super::typed;
use crate::access::form_key::{FIELD, SEEN};
use crate::first::NEXT;
use crate::frame::time_text::When;

const GUIDE: &str = include_str!("../../../../docs/guides/organisation.md");
const FORMATS: [Spoken; 2] = [Spoken { kind: "json", signs: true }, Spoken { kind: "heartbeat", signs: true }];

/// A form of the kind with every key that it may have, as it is stored. Together they are an organisation without errors.
fn sample(kind: FormKind) -> Value {
    match kind {
        FormKind::Person => {
            json!({"id": "ana", "name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid", "access": "responder",
            "contacts": contacts(), "notify": {"high": [{"contact": "hook"}], "low": [{"contact": "mail", "after": "1m"}]}, "public_holidays": ["es"], "shift_notices": ["1d", "1h"]})
        }
        FormKind::Team => json!({"id": "payments", "name": "Payments", "members": ["ana"], "managers": ["ana"]}),
        FormKind::Schedule => json!({"id": "primary", "name": "Primary", "team": "payments", "time_zone": "Europe/Madrid", "layers": [
            {"name": "first", "people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05", "ends": "2027-01-04",
             "only": [{"days": ["Mon"], "from": "09:00", "to": "17:00"}]}], "external_calendars": ["rota"]}),
        FormKind::Override => {
            json!({"id": "o", "schedule": "primary", "effect": "adds", "person": "ana", "starts_at": "2026-03-02T09:00:17Z", "ends_at": "2026-03-03T09:00:00Z"})
        }
        FormKind::OwnContacts => {
            json!({"id": "ana", "contacts": [{"id": "own", "webhook": "https://hooks.example.org/own", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "verified": false}], "notify": {"high": [{"contact": "own"}], "low": [{"contact": "mail", "after": "1m"}]}, "shift_notices": ["2h"]})
        }
        FormKind::Escalation => {
            json!({"id": "payments", "name": "Payments", "steps": [
                {"page": ["person:ana"], "within": "5m", "one_of": "round_robin",
                 "when": {"severity": "sev2", "urgency": "high", "types": ["ward"], "outside": "office", "match": "service=\"checkout\""}},
                {"page": ["team:payments"], "within": "10m", "acknowledged_by": 2}], "repeat": 2, "again_every": "1h"})
        }
        FormKind::Service => json!({"id": "checkout", "name": "Checkout", "team": "payments", "escalation": "payments", "tier": 1,
            "rto": "4h", "mtpd": "1d", "depends_on": ["db"], "runbook": "https://wiki.example.org/checkout"}),
        FormKind::Integration => {
            json!({"id": "prom", "name": "Prometheus", "kind": "heartbeat", "key": "prom-key-0001", "secret": "prom-secret-01", "service": "checkout",
                "every": "30 2 * * 1-5 Europe/Madrid", "grace": "5m"})
        }
        FormKind::Route => {
            json!({"id": "critical", "order": 0, "match": "severity=\"critical\"", "set": {"severity": "sev1"}, "declare": "candidate", "continue": true})
        }
        FormKind::Severity => json!({"id": "sev1", "name": "Critical", "notify": "high", "update_every": "30m", "review_within": "5d",
            "acknowledgement_lasts": "30m"}),
        FormKind::Silence => {
            json!({"id": "night", "match": "a=\"b\"", "starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-07-02T00:00:00Z",
            "comment": "work", "created_by": "ana", "integration": "prom"})
        }
        FormKind::CatchAll => json!({"targets": ["person:ana", "team:payments"]}),
        FormKind::Audience => json!({"id": "board", "name": "Board", "people": ["ana"], "teams": ["payments"], "contacts": contacts()}),
        FormKind::Calendar => {
            json!({"id": "office", "name": "Office", "time_zone": "Europe/Madrid", "hours": [{"days": ["Mon"], "from": "09:00", "to": "17:00"}],
            "holidays": ["2026-12-25", {"date": "2027-01-01", "name": "New Year"}],
            "ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261012\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR", "public_holidays": ["es"]})
        }
        FormKind::Organisation => {
            json!({"id": "cert", "name": "National CERT", "kind": "agency", "hours": "office", "reference": "agreement 12", "tlp": "amber+strict",
            "contacts": [{"id": "mail", "email": "cert@example.org"}]})
        }
        FormKind::Target => json!({"id": "sev1", "severity": "sev1", "services": ["checkout"], "acknowledge": "5m", "engage": "15m",
            "mitigate": "1h", "resolve": "4h", "calendar": "office"}),
        FormKind::Role => {
            json!({"id": "translator", "name": "Translator", "duties": ["Say it plainly", {"text": "Say who you are", "when": "first"}],
            "exclusive": false, "needed_from": "sev2", "within": "10m", "from": "team:payments", "deputy": "liaison", "relief_after": "4h"})
        }
        FormKind::Plan => {
            json!({"id": "outage", "name": "Outage", "owner": "person:ana", "version": 2, "review_by": "2036-01-31", "match": "service=\"checkout\"",
            "roles": ["commander", "scribe"], "involve": ["team:payments", "organisation:cert"],
            "ask": [{"organisation": "cert", "text": "Please look at your side", "within": "1h"}], "tasks": [
                {"id": "scope", "text": "Say what is affected", "role": "commander", "within": "10m", "question": "Fail over?", "options": [
                    "Fail over", {"text": "Wait", "skips": ["call"], "reversible": true}]},
                {"id": "call", "text": "Call the bank", "person": "ana", "after": ["scope"], "link": "https://wiki.example.org/call",
                 "do": {"webhook": "https://hooks.example.org/call", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "method": "POST",
                    "body": "{\"what\": \"{{title}}\"}", "by_itself": true}}],
            "updates": [{"audience": "board", "every": "30m"}], "recovery": ["Errors are below the objective"],
            "links": ["https://wiki.example.org/outage"], "obligations": ["circia"]})
        }
        FormKind::Type => {
            json!({"id": "ward", "name": "Ward on paper", "purpose": "a ward has no systems", "severity": "sev2", "private": false,
            "plan": "outage", "fields": [{"id": "patients", "label": "How many patients?", "kind": "number", "required": "declare"},
                {"id": "cause", "label": "What was it?", "kind": "choice", "required": "close", "choices": ["Change, or release", "Other"]}]})
        }
        FormKind::ReportForm => {
            json!({"id": "door", "name": "Tell us", "words": "Call 112 where life is in danger.", "service": "checkout", "services": ["checkout"],
            "asks": "contact", "at_once": true, "team": "payments", "hourly": 60})
        }
        FormKind::Absence => {
            json!({"id": "away", "person": "ana", "starts_at": "2026-03-02T09:00:17Z", "ends_at": "2026-03-03T09:00:00Z", "reason": "Holiday"})
        }
        FormKind::TemporarySchedule => {
            json!({"id": "xmas", "schedule": "primary", "name": "Christmas", "starts_at": "2026-12-24T09:00:17Z",
            "ends_at": "2026-12-27T09:00:00Z", "layers": [{"people": ["ana"], "every": "1d", "handoff": "09:00", "starts": "2026-12-21"}]})
        }
        FormKind::Holidays => {
            json!({"id": "es", "name": "Spain", "days": ["2026-12-25", {"date": "2027-01-01", "name": "New Year"}],
            "ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261012\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR", "external_calendar": "rota"})
        }
        FormKind::NotifyDefault => json!({"id": "sms", "high": "2m", "low": "10m"}),
        FormKind::ExternalCalendar => {
            json!({"id": "rota", "name": "Rota", "url": "https://calendar.example.org/private/rota.ics",
            "ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Ana\nDTSTART:20260105T080000Z\nDURATION:P1D\nEND:VEVENT\nEND:VCALENDAR", "people_by": "summary"})
        }
        FormKind::CalendarCopy => json!({"id": "rota", "of": "0123456789abcdef", "ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n"}),
        FormKind::Triage => json!({"id": "low", "means": "one desk", "high": "sev3", "medium": "sev4", "low": "sev5"}),
        FormKind::Obligation => {
            json!({"id": "circia", "name": "CIRCIA", "rule": "circia-incident", "match": "service=\"checkout\"", "recipient": "cert",
            "calendar": "office", "length": "48 hours", "why": "our contract says so", "although_not_law": true})
        }
    }
}

/// The keys of a kind's model in their order, by the model itself; nothing of the kinds that take any key.
fn of_model(kind: FormKind) -> Option<Vec<&'static str>> {
    Some(match kind {
        FormKind::Person => keys::<model::Person>(),
        FormKind::Team => keys::<model::Team>(),
        FormKind::Schedule => keys::<model::Schedule>(),
        // Which version made it, and who, is said by the store and by nobody who fills a form.
        FormKind::Override => keys::<model::Override>().into_iter().filter(|key| !["made", "made_by"].contains(key)).collect(),
        // What was proved is said by whoever typed the code.
        FormKind::OwnContacts => keys::<model::OwnContacts>().into_iter().filter(|key| *key != "proofs").collect(),
        FormKind::Escalation => keys::<model::Escalation>(),
        FormKind::Service => keys::<model::Service>(),
        FormKind::Integration => keys::<model::Integration>(),
        // `order` is not of the file: it stands for the place in its list.
        FormKind::Route => ["id", "order"].into_iter().chain(keys::<model::Route>().into_iter().skip(1)).collect(),
        // What is refused as not there yet has no field.
        FormKind::Severity => {
            keys::<model::SeverityForm>().into_iter().filter(|key| !["acknowledge_within", "resolve_within"].contains(key)).collect()
        }
        FormKind::Silence => keys::<model::Silence>(),
        FormKind::Audience => keys::<model::Audience>(),
        FormKind::Calendar => keys::<CalendarForm>(),
        FormKind::Organisation => keys::<Organisation>(),
        FormKind::Target => keys::<ServiceTarget>(),
        // A list in the file, and a form of one key here.
        FormKind::CatchAll => vec!["id", "targets"],
        FormKind::Role => keys::<role::Role>(),
        FormKind::Obligation => keys::<ObligationForm>(),
        FormKind::Plan => keys::<model::Plan>().into_iter().filter(|key| *key != "decisions").collect(),
        FormKind::Type => keys::<model::IncidentType>(),
        FormKind::ReportForm => keys::<model::ReportForm>(),
        FormKind::Absence => keys::<model::Absence>(),
        FormKind::Holidays => keys::<model::Holidays>(),
        FormKind::ExternalCalendar => keys::<model::ExternalCalendar>(),
        FormKind::CalendarCopy => keys::<model::CalendarCopy>(),
        FormKind::TemporarySchedule => keys::<model::TemporarySchedule>(),
        FormKind::NotifyDefault => keys::<model::NotifyDefault>(),
        FormKind::Triage => keys::<model::TriageRow>(),
    })
}

/// What a field does not take, by how it is asked for; nothing where it takes any words.
fn wrong(field: &Field) -> Option<Value> {
    Some(match field.input {
        Input::Line | Input::Text => match field.key {
            "name" if field.needed => json!(" "),
            "email" => json!("ana at home"),
            "match" => json!("a=~\"(\""),
            "every" => json!("some"),
            "ics" => json!("hello"),
            "length" => json!("soon"),
            "why" => json!(" "),
            "words" => json!("x".repeat(1_001)),
            "reason" => json!("x".repeat(201)),
            "deputy" => json!("gone"),
            "reference" => json!("12 ".repeat(100)),
            "purpose" | "means" => json!("x".repeat(400)),
            // People write here what they like.
            "name" | "runbook" | "comment" | "created_by" | "of" => return None,
            key => panic!("say what `{key}` does not take, or that it takes any words"),
        },
        Input::Number | Input::Length | Input::Instant => json!("some"),
        Input::Zone => json!("Mars/Base"),
        Input::Secret => json!("short"),
        Input::Check => json!("perhaps"),
        Input::Word(_) | Input::Format => json!("no such word"),
        Input::One(_) => json!("gone"),
        Input::Target => json!("gone"),
        // Those stand in rows alone.
        Input::Ticks(_) | Input::Names | Input::Date | Input::Turn | Input::Contact | Input::Channel => return None,
        // What has to hold is said in any words, and so is where help stands.
        Input::Several(..) if ["recovery", "links"].contains(&field.key) => json!([" "]),
        Input::Many(_) | Input::Several(..) => json!(["gone"]),
        Input::Rows(_) => json!([{"no such key": 1}]),
        Input::Part(..) => json!({"no such key": 1}),
        Input::Contacts => json!([{"id": "x", "pager": "1"}]),
        // All of a form whose keys nobody knows.
    })
}

/// An address of every channel with every field, as its own examples are.
fn contacts() -> Value {
    let of = |form: &allclear_domain::channel::ChannelForm| {
        let fields = form.fields.iter().map(|field| (field.key.to_owned(), Value::from(field.example)));
        Value::Object([("id".to_owned(), form.id_example.into())].into_iter().chain(fields).collect::<Map<_, _>>())
    };
    WAYS_OUT.iter().map(of).collect()
}

/// What no file and no page may show: the secrets of the samples.
fn secrets() -> BTreeSet<&'static str> {
    let of_channels = WAYS_OUT.iter().flat_map(|form| form.fields).filter(|field| field.is_secret()).map(|field| field.example);
    of_channels.chain(["prom-key-0001"]).collect()
}

/// Takes from a model what it tells its reader: the keys that it knows.
struct Keys<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Keys<'_> {
    type Error = serde::de::value::Error;
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("only the keys are asked for"))
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        self.deserialize_any(visitor)
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn keys<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut found = Vec::new();
    drop(T::deserialize(Keys(&mut found)));
    found
}

fn form(kind: FormKind) -> Form {
    let body = sample(kind);
    let id = body.get("id").and_then(Value::as_str).unwrap_or("catch_all").to_owned();
    Form { kind, id, body }
}

/// One form of each kind, and what they name besides.
fn all() -> Vec<Form> {
    let db = Form { kind: FormKind::Service, id: "db".into(), body: json!({"id": "db", "name": "Database", "escalation": "payments"}) };
    FormKind::ALL.into_iter().map(form).chain([db]).collect()
}

/// All, with one key of one form changed, or gone.
fn with(kind: FormKind, key: &str, value: Option<Value>) -> (Value, Vec<Form>) {
    let mut forms = all();
    let changed = forms.iter_mut().find(|form| form.kind == kind).unwrap();
    let body = changed.body.as_object_mut().unwrap();
    match value {
        Some(value) => drop(body.insert(key.to_owned(), value)),
        None => drop(body.remove(key)),
    }
    (changed.body.clone(), forms)
}

fn bundle(forms: Vec<Form>) -> Bundle {
    from_forms(forms).unwrap()
}

fn against() -> Against<'static> {
    Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &FORMATS, channels: WAYS_OUT }
}

fn errors(bundle: &Bundle) -> Vec<String> {
    check(bundle, against()).iter().filter(|problem| problem.is_error()).map(|p| format!("{}: {}", p.place, p.message)).collect()
}

fn each() -> impl Iterator<Item = (FormKind, &'static Field)> {
    FormKind::ALL.into_iter().flat_map(|kind| kind.about().fields.iter().map(move |field| (kind, field)))
}

fn when() -> When {
    When::new(against().now, Some("Europe/Madrid"))
}

#[test]
fn every_key_of_the_model_is_a_field_in_its_order_and_in_the_sample() {
    for kind in FormKind::ALL {
        let about = kind.about();
        assert!([about.plural, about.one, about.purpose].iter().all(|words| !words.is_empty()), "{kind:?}");
        assert_eq!((FormKind::from_word(about.word), FormKind::from_list(kind.list())), (Some(kind), Some(kind)));
        let shown: Vec<&str> = about.fields.iter().map(|field| field.key).collect();
        let Some(known) = of_model(kind) else {
            assert!(shown.is_empty(), "{kind:?}");
            continue;
        };
        let with_id: Vec<&str> = ["id"].into_iter().chain(shown.iter().copied()).collect();
        assert_eq!(with_id, known, "{kind:?}: a key of the model without a field, or a field without a key, or in another order");
        let said: BTreeSet<String> = sample(kind).as_object().unwrap().keys().cloned().chain(["id".to_owned()]).collect();
        assert_eq!(said, with_id.iter().map(|key| (*key).to_owned()).collect(), "{kind:?}: the sample says every key");
    }
    assert_eq!(errors(&bundle(all())), [""; 0], "the samples are an organisation");
}

#[test]
fn what_a_field_does_not_take_is_refused_with_its_place() {
    for (kind, field) in each() {
        let Some(wrong) = wrong(field) else { continue };
        let (body, forms) = with(kind, field.key, Some(wrong.clone()));
        // The place of a route is not of the file: what is typed for it is read, and what is sent, by what takes forms.
        if (kind, field.key) == (FormKind::Route, "order") {
            let faults = typed::body(kind, &Value::Null, &[("order".to_owned(), "some".to_owned())].into(), &when(), WAYS_OUT).unwrap_err();
            assert_eq!(faults[0].key, "order");
            continue;
        }
        let place = match read_form(kind, "x", &body) {
            Err(fault) => {
                assert!(!fault.message.is_empty());
                fault.key
            }
            Ok(()) => {
                let found = errors(&bundle(forms));
                let list = kind.list();
                let own = found.iter().find_map(|told| Some(told.strip_prefix(list)?.strip_prefix("[0]")?.to_owned()));
                own.unwrap_or_else(|| panic!("{kind:?} takes {wrong} for `{}`: {found:?}", field.key))
            }
        };
        // The catch-all is its one field; a key that nobody knows is its own place, and of what is read by itself, being of no file,
        // only the words of the reader are known.
        let known = kind == FormKind::CatchAll || place == "no such key" || (!kind.may_be_of_file() && place.is_empty());
        assert!(known || place.trim_start_matches('.').starts_with(field.key), "{kind:?} `{}`: {place}", field.key);
    }
}

#[test]
fn secrets_are_sealed_and_masked_and_never_leave() {
    let whole = bundle(all());
    let text = file::to_yaml(&whole, WAYS_OUT).unwrap();
    let mut masked_bodies = String::new();
    for Form { kind, mut body, .. } in all() {
        let mut sealed = body.clone();
        each_secret(kind, &mut sealed, WAYS_OUT, |_| Ok::<_, ()>("sealed".to_owned())).unwrap();
        assert!(secrets().iter().all(|secret| !sealed.to_string().contains(secret)), "{kind:?} is stored with a secret: {sealed}");
        mask_body(kind, &mut body, WAYS_OUT);
        masked_bodies.push_str(&body.to_string());
    }
    for secret in secrets() {
        assert!(!text.contains(secret) && !masked_bodies.contains(secret), "{secret} leaves");
    }
    assert!(text.contains(MASK));
}

#[test]
fn every_form_goes_to_a_file_and_comes_back() {
    let mut whole = bundle(all());
    assert_eq!(bundle(forms(&whole)), whole);
    let exported = file::parse(&file::to_yaml(&whole, WAYS_OUT).unwrap(), Format::Yaml, "org.yaml").unwrap().bundle;
    assert_eq!(diff(&whole, &exported, true, WAYS_OUT), [], "an export changes nothing");
    assert_eq!(applied(&whole, &exported, true, WAYS_OUT), whole);
    // These are never of a file.
    whole.overrides.clear();
    whole.own_contacts.clear();
    whole.calendar_copies.clear();
    let json = serde_json::to_string_pretty(&whole).unwrap();
    for format in [Format::Json, Format::Yaml] {
        assert_eq!(file::parse(&json, format, "org").unwrap().bundle, whole);
    }
    let said: Vec<usize> = FormKind::ALL
        .into_iter()
        .filter(|kind| kind.may_be_of_file())
        .map(|kind| json.find(&format!("\n  \"{}\": [", kind.list())).unwrap_or_else(|| panic!("{kind:?} is not in the file")))
        .collect();
    assert!(said.is_sorted(), "lists stand in the order of the table");
}

#[test]
fn what_changes_is_named_by_its_key() {
    for (kind, field) in each().filter(|(kind, field)| !field.needed && kind.may_be_of_file()) {
        let (_, without) = with(kind, field.key, None);
        let found = diff(&bundle(all()), &bundle(without), true, WAYS_OUT);
        // What is not said stays as it is stored; the only route stays where it is.
        if field.input == Input::Secret || matches!((kind, field.key), (FormKind::Person, "access") | (FormKind::Route, "order")) {
            assert_eq!(found, [], "{kind:?} `{}`", field.key);
            continue;
        }
        let told: Vec<_> = found.iter().map(|change| (change.kind, change.id.clone(), change.action.clone())).collect();
        assert_eq!(told, [(kind, form(kind).id, ChangeKind::Change { fields: vec![field.key.to_owned()] })], "`{}`", field.key);
    }
}

#[test]
fn every_field_is_drawn_and_what_nobody_touched_comes_back() {
    let (org, when) = (Org::build(1, bundle(all()), WAYS_OUT), when());
    for kind in FormKind::ALL {
        let mut stored = sample(kind);
        mask_body(kind, &mut stored, WAYS_OUT);
        let texts = typed::texts(kind, &stored, &when, WAYS_OUT);
        let around = Around {
            kind,
            org: &org,
            when: &when,
            formats: &FORMATS,
            fields: &texts,
            stored: None,
            action: "/",
            focus: None,
            owned: false,
        };
        for row in kind.about().fields {
            let drawn = field(row, &around, &[]).into_string();
            let anchor = format!("id=\"{}\"", super::controls::anchor(row.key));
            assert!(drawn.contains(&anchor) && drawn.contains(row.label), "{kind:?} `{}`: {drawn}", row.key);
        }
        let mut again = typed::body(kind, &stored, &texts, &when, WAYS_OUT).unwrap();
        for row in kind.about().fields.iter().filter(|row| row.input == Input::Secret) {
            assert_eq!(again.get(row.key), None, "a secret that is not typed is not said");
            again[row.key] = MASK.into();
        }
        assert_eq!(again, stored, "{kind:?}");
    }
}

#[test]
fn no_form_has_a_key_that_its_page_needs_for_itself() {
    for (kind, field) in each() {
        for taken in [SEEN, FIELD, NEXT] {
            assert_ne!(field.key, taken, "{kind:?}");
        }
    }
}

#[test]
fn every_example_is_one() {
    for (kind, row) in each() {
        let example = match row.input {
            Input::Rows(rows) => rows.example.to_owned(),
            Input::Part(_, example) => example.to_owned(),
            Input::Contacts => WAYS_OUT.examples(),
            _ => continue,
        };
        let (body, _) = with(kind, row.key, Some(value_of_yaml(&example).unwrap()));
        read_form(kind, "x", &body).unwrap();
    }
}

#[test]
fn every_field_is_in_the_guide() {
    let section = |list: &str| {
        let named = |section: &&str| section.lines().next().is_some_and(|title| title.split([',', ' ']).any(|word| word == list));
        GUIDE.split("\n## ").find(named)
    };
    for kind in FormKind::ALL {
        // Overrides are made on the page of who is on call, own contacts on everybody's page Me: each is described with what it is of.
        let of_another =
            [(FormKind::Override, "schedules"), (FormKind::OwnContacts, "people"), (FormKind::CalendarCopy, "external_calendars")];
        let list = of_another.iter().find(|(other, _)| *other == kind).map_or(kind.list(), |(_, list)| list);
        let text = section(list).unwrap_or_else(|| panic!("the guide has no section on {list}"));
        for row in kind.about().fields.iter().filter(|row| !row.key.is_empty() && kind != FormKind::CatchAll) {
            // A route's place is not of the file.
            let text = if row.key == "order" { GUIDE } else { text };
            let said = [format!("`{}`", row.key), format!("`{}.", row.key), format!("`{}[", row.key)];
            let own = row.key == "schedule" || said.iter().any(|said| text.contains(said));
            assert!(own, "the guide does not say what `{}` of {list} is", row.key);
        }
    }
}

/// The example of the guide, word for word.
#[test]
fn the_calendar_of_the_guide_is_one() {
    let section = GUIDE.split("\n## calendars\n").nth(1).unwrap();
    let text = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let loaded = file::parse(text, Format::Yaml, "org.yaml").unwrap();
    assert_eq!(loaded.check(&Bundle::default(), false, against()), []);
    let broken = file::parse(&text.replace("20261012", "20261312"), Format::Yaml, "org.yaml").unwrap();
    let told: Vec<String> = broken.check(&Bundle::default(), false, against()).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("org.yaml:9: error: calendars[0].ics: line 3: `20261312` is not a date"), "{told:?}");
}
