//! The organisation changed form by form, over the real store: by two nodes at once, sent twice, what goes with a
//! person who is removed, silences that take each other's place, and who is meant by an account.

#![allow(clippy::unwrap_used)] // a test that fails here has failed

use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use allclear_channels::registry::WAYS_OUT;
use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::org::check::Spoken;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::model::{Bundle, Silence};
use allclear_domain::time::from_micros;
use allclear_domain::wire::{Message, Outcome, Target};
use allclear_engine::EngineSettings;
use allclear_engine::engine::Engine;
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::identity::sessions::{LinkKind, NotSignedIn, Visitor};
use allclear_engine::org::OrgError;
use allclear_engine::org::file::{Format, parse, to_yaml};
use allclear_engine::org::forms::{Changed, FormError, Seen};
use allclear_engine::org::silences::{SILENCE_BYTES_MAX, SILENCES_BYTES_PER_INTEGRATION_MAX};
use allclear_engine::outbox::OutboxSettings;
use allclear_engine::ports::{BoxFuture, Clock, Ports, Rng, Transport};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The formats that are spoken here.
const KINDS: [Spoken; 2] = [Spoken { kind: "json", signs: false }, Spoken { kind: "grafana", signs: true }];

type Meanwhile = Box<dyn FnOnce() + Send>;

/// A clock that stands, and random numbers; whoever asks the one or the other from a thread that is
/// waited for lets something happen first. A change of the organisation asks between its reads and
/// its commit.
#[derive(Default)]
struct Seam {
    meanwhile: Mutex<Option<(ThreadId, Meanwhile)>>,
    filled: Mutex<u64>,
}

impl Seam {
    fn asked(&self) {
        let mut waiting = self.meanwhile.lock().unwrap();
        if waiting.as_ref().is_some_and(|(thread, _)| *thread == std::thread::current().id()) {
            let (_, happens) = waiting.take().unwrap();
            drop(waiting);
            happens();
        }
    }

    /// Once, when this thread asks next.
    fn let_happen(&self, happens: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Handle::current();
        let happens = Box::new(move || std::thread::spawn(move || runtime.block_on(happens)).join().unwrap());
        *self.meanwhile.lock().unwrap() = Some((std::thread::current().id(), happens));
    }
}

impl Clock for Seam {
    fn now(&self) -> Timestamp {
        self.asked();
        from_micros(1_790_000_000_000_000)
    }
    fn monotonic_ns(&self) -> u64 {
        0
    }
    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

impl Rng for Seam {
    fn fill(&self, buffer: &mut [u8]) {
        self.asked();
        let mut n = self.filled.lock().unwrap();
        for byte in buffer {
            *n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = n.to_be_bytes()[0];
        }
    }
}

struct Nothing;
impl Transport for Nothing {
    fn send<'a>(&'a self, _: &'a str, _: &'a Message, _: &'a Target, _: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Delivered { receipt: "200".into() } })
    }
}

async fn node(url: &str) -> (Engine, Arc<Seam>) {
    started(url, false).await
}

async fn started(url: &str, quarantine: bool) -> (Engine, Arc<Seam>) {
    let db = Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    let seam = Arc::new(Seam::default());
    let ports =
        Ports { clock: seam.clone(), rng: seam.clone(), transport: Arc::new(Nothing), channels: allclear_channels::registry::WAYS_OUT };
    let settings =
        EngineSettings { base_url: "http://localhost:1".into(), quarantine, outbox: OutboxSettings::default(), admin_token: None };
    (Engine::start(db, ports, settings, SecretKey::from_bytes([1; 32])).await.unwrap(), seam)
}

async fn put(engine: &Engine, kind: FormKind, id: &str, seen: Seen, body: Value) -> Result<Changed, FormError> {
    engine.change_form(Form { kind, id: id.into(), body }, seen, None, &KINDS, &Principal::own(Actor::Administrator)).await
}

async fn remove(engine: &Engine, kind: FormKind, id: &str, seen: Seen) -> Result<Changed, FormError> {
    engine.remove_form(kind, id, seen, &KINDS, &Principal::own(Actor::Administrator)).await
}

async fn body(engine: &Engine, kind: FormKind, id: &str) -> Value {
    engine.form_view(kind, id, &KINDS, &Principal::own(Actor::System)).await.unwrap().0.body
}

fn team(name: &str) -> Value {
    json!({"name": name})
}

/// Between what a node looked at and its commit another one commits: that is a conflict, and what
/// the other wrote stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_another_node_is_not_written_over() {
    let url = allclear_store::testing::fresh_database().await.unwrap();
    let ((a, seam), (b, _)) = (node(&url).await, node(&url).await);
    let kind = FormKind::Team;
    put(&a, kind, "night", Seen::Nothing, team("Night")).await.unwrap();
    let change = |name: &'static str| {
        let b = b.clone();
        async move { drop(put(&b, FormKind::Team, "night", Seen::Whatever, team(name)).await.unwrap()) }
    };

    seam.let_happen(change("of b"));
    let put_meanwhile = put(&a, kind, "night", Seen::Whatever, team("of a")).await;
    assert!(matches!(put_meanwhile, Err(FormError::Org(OrgError::Conflict))), "{put_meanwhile:?}");
    assert_eq!(body(&a, kind, "night").await["name"], "of b");

    seam.let_happen(change("of b again"));
    let removed_meanwhile = remove(&a, kind, "night", Seen::Whatever).await;
    assert!(matches!(removed_meanwhile, Err(FormError::Org(OrgError::Conflict))), "{removed_meanwhile:?}");

    // A file with an integration's key to be made.
    seam.let_happen(change("of b at last"));
    let file: Bundle = serde_json::from_value(json!({
        "teams": [{"id": "night", "name": "of the file"}], "integrations": [{"id": "in", "kind": "json"}],
    }))
    .unwrap();
    let applied_meanwhile = a.apply_org(file, None, false, &Principal::own(Actor::Administrator)).await;
    assert!(matches!(applied_meanwhile, Err(OrgError::Conflict)), "{applied_meanwhile:?}");
    assert_eq!(body(&a, kind, "night").await["name"], "of b at last");
}

/// What senders sign with is kept and shown as the key is, is taken away in words, and goes with its format.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signing_secret_is_masked_kept_and_taken_away_one_form_at_a_time() {
    let (engine, _) = node("sqlite::memory:").await;
    let kind = FormKind::Integration;
    let secret_of = |engine: &Engine| engine.org().integration_by_key("grafana-key-0001").unwrap().secret.clone();
    let form = |more: Value| {
        let mut form = json!({"kind": "grafana", "key": "grafana-key-0001"});
        form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        form
    };
    put(&engine, kind, "g", Seen::Nothing, form(json!({"secret": "a-good-secret"}))).await.unwrap();
    for (more, kept) in [
        (json!({}), Some("a-good-secret")),
        (json!({"secret": "********", "name": "Grafana"}), Some("a-good-secret")),
        (json!({"secret": "another-secret"}), Some("another-secret")),
        (json!({"secret": "none"}), None),
        (json!({"secret": "a-good-secret"}), Some("a-good-secret")),
        (json!({"kind": "json"}), None),
    ] {
        put(&engine, kind, "g", Seen::Whatever, form(more.clone())).await.unwrap();
        assert_eq!(secret_of(&engine).as_deref(), kept, "{more}");
        let shown = body(&engine, kind, "g").await;
        assert_eq!(shown.get("secret"), kept.map(|_| json!("********")).as_ref(), "{more}");
    }
    let refused = put(&engine, kind, "g", Seen::Whatever, form(json!({"kind": "json", "secret": "a-good-secret"}))).await;
    assert!(matches!(&refused, Err(FormError::Invalid(problems)) if problems[0].message.contains("do not sign")), "{refused:?}");
}

fn person(id: &str) -> Value {
    json!({"name": id, "email": format!("{id}@example.org"), "contacts": [{"id": "mail", "email": format!("{id}@example.org")}]})
}

/// Whoever gets the id of a person who was removed is somebody else.
async fn nothing_of_before_opens_for_the_next_of_the_name(url: &str) {
    const PASSWORD: &str = "a quiet night at sea";
    let (engine, _) = node(url).await;
    let file = |people: Value| -> Bundle { serde_json::from_value(json!({ "people": people })).unwrap() };
    let apply =
        async |people: Value| drop(engine.apply_org(file(people), None, true, &Principal::own(Actor::Administrator)).await.unwrap());
    let token_of = |link: String| link.rsplit('/').next().unwrap().to_owned();
    let ana = || {
        let mut ana = person("ana");
        ana["id"] = "ana".into();
        ana
    };
    // Once by hand, once by a file that does not name them any more.
    for by_file in [false, true] {
        let add = async || {
            if by_file {
                apply(json!([ana()])).await
            } else {
                drop(put(&engine, FormKind::Person, "ana", Seen::Nothing, ana()).await.unwrap())
            }
        };
        add().await;
        let invited = token_of(engine.issue_link(&Principal::own(Actor::System), LinkKind::Invitation, Some("ana")).await.unwrap().0);
        let session = engine.accept_invitation(&invited, PASSWORD, &Visitor::default()).await.unwrap().token;
        let unused = token_of(engine.issue_link(&Principal::own(Actor::System), LinkKind::Invitation, Some("ana")).await.unwrap().0);
        let (token, _) = engine.create_token(&Principal::own(Actor::System), "t", Scope::Read, Some("ana".into()), None).await.unwrap();
        assert!(engine.session(&session).await.unwrap().is_some() && engine.authenticate(&token).await.unwrap().is_some());

        if by_file {
            apply(json!([])).await
        } else {
            drop(remove(&engine, FormKind::Person, "ana", Seen::Whatever).await.unwrap())
        }
        assert!(engine.sessions_of("ana").await.unwrap().is_empty(), "with the removal, not only with the next of the name");
        add().await;
        assert!(engine.session(&session).await.unwrap().is_none(), "the session");
        assert!(engine.authenticate(&token).await.unwrap().is_none(), "the token");
        assert!(matches!(engine.sign_in("ana", PASSWORD, &Visitor::default()).await, Err(NotSignedIn::Wrong)), "the password");
        assert!(matches!(engine.link(LinkKind::Invitation, &unused).await, Err(NotSignedIn::LinkOver)), "the invitation");
        if !by_file {
            remove(&engine, FormKind::Person, "ana", Seen::Whatever).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_of_before_opens_for_the_next_of_the_name_on_both() {
    nothing_of_before_opens_for_the_next_of_the_name("sqlite::memory:").await;
    nothing_of_before_opens_for_the_next_of_the_name(&allclear_store::testing::fresh_database().await.unwrap()).await;
}

#[tokio::test]
async fn nothing_is_removed_where_nothing_is() {
    let (engine, _) = node("sqlite::memory:").await;
    for seen in [Seen::Whatever, Seen::Nothing] {
        let removed = remove(&engine, FormKind::Team, "none", seen).await;
        assert!(matches!(removed, Err(FormError::Missing { .. })), "{seen:?}: {removed:?}");
    }
    assert!(
        engine.form_versions(FormKind::Team, "none", &Principal::own(Actor::System)).await.unwrap().is_empty(),
        "and no history says that it was"
    );
}

/// By a form nobody locks everybody out; a file may, since it may leave administration to a token.
#[tokio::test]
async fn the_last_administrator_stays_one() {
    let (engine, _) = node("sqlite::memory:").await;
    let of = |id: &str, access: &str| {
        let mut form = person(id);
        form["access"] = access.into();
        form
    };
    let kind = FormKind::Person;
    let refused = |done: Result<Changed, FormError>, key: &str| {
        let Err(FormError::Invalid(problems)) = done else { panic!("{done:?}") };
        let told: Vec<_> = problems.iter().map(|p| (p.id.as_str(), p.key.as_str(), p.message.as_str(), p.hint.as_deref())).collect();
        assert_eq!(told, [("ana", key, "nobody would be an administrator", Some("make somebody else one first"))]);
    };
    put(&engine, kind, "ben", Seen::Nothing, of("ben", "responder")).await.expect("where nobody was one, nobody is missed");
    put(&engine, kind, "ana", Seen::Nothing, of("ana", "administrator")).await.unwrap();
    refused(put(&engine, kind, "ana", Seen::Whatever, of("ana", "responder")).await, "access");
    refused(remove(&engine, kind, "ana", Seen::Whatever).await, "");
    put(&engine, kind, "ben", Seen::Whatever, of("ben", "administrator")).await.unwrap();
    remove(&engine, kind, "ana", Seen::Whatever).await.unwrap();

    let file = serde_json::from_value(json!({"people": [{"id": "ben", "name": "Ben", "access": "observer"}]})).unwrap();
    engine.apply_org(file, None, false, &Principal::own(Actor::Administrator)).await.unwrap();
}

/// A second tap is answered as the first was, with the secret that was made; what somebody else
/// sends is not.
#[tokio::test]
async fn a_form_sent_twice_is_answered_twice() {
    let (engine, _) = node("sqlite::memory:").await;
    for id in ["ana", "ben"] {
        let body = json!({"id": id, "name": id, "access": "administrator"});
        put(&engine, FormKind::Person, id, Seen::Nothing, body).await.unwrap();
    }
    let kind = FormKind::Integration;
    let send = async |seen: Seen, once: Option<&str>, who: &str, name: &str| {
        let form = Form { kind, id: "in".into(), body: json!({"kind": "json", "name": name}) };
        engine.change_form(form, seen, once, &KINDS, &Principal::own(Actor::Person(who.into()))).await
    };
    let first = send(Seen::Nothing, Some("a"), "ana", "In").await.unwrap();
    assert_eq!(first.made.len(), 1);
    assert_eq!(send(Seen::Nothing, Some("a"), "ana", "In").await.unwrap(), first, "as the first, and no second version");
    for (once, who, name) in [(None, "ana", "In"), (Some("b"), "ana", "In"), (Some("a"), "ben", "In"), (Some("a"), "ana", "Other")] {
        let other = send(Seen::Nothing, once, who, name).await;
        assert!(matches!(other, Err(FormError::Exists { .. })), "{once:?} {who} {name}: {other:?}");
    }

    let seen = Seen::Version(first.form.unwrap().version);
    let saved = send(seen, Some("c"), "ana", "Inward").await.unwrap();
    for (once, who) in [(Some("c"), "ana"), (None, "ben")] {
        let again = send(seen, once, who, "Inward").await.unwrap();
        assert_eq!((again.form, again.version), (saved.form.clone(), saved.version), "{who}: it is as they want it");
    }
    let stale = send(seen, Some("c"), "ana", "Outward").await;
    assert!(matches!(stale, Err(FormError::Changed { .. })), "{stale:?}");

    // What a file owns is changed by nobody, also not into what it is.
    let file = serde_json::from_value(json!({"integrations": [{"id": "in", "kind": "json", "name": "Inward"}]})).unwrap();
    engine.apply_org(file, None, false, &Principal::own(Actor::Administrator)).await.unwrap();
    assert!(send(seen, None, "ana", "Inward").await.is_err());
}

fn silence(matches: &str) -> Silence {
    let at = |hours: i64| from_micros(1_790_000_000_000_000 + hours * 3_600_000_000);
    let (comment, created_by) = ("work".to_owned(), "ana".to_owned());
    let integration = Some("prom".to_owned());
    Silence { id: String::new(), matches: matches.to_owned(), starts_at: at(-1), ends_at: at(1), comment, created_by, integration }
}

fn holds(engine: &Engine, id: &str) -> bool {
    let now = from_micros(1_790_000_000_000_000);
    engine.org().silences().iter().any(|found| found.silence.id == id && now < found.silence.ends_at)
}

/// Whoever changes a silence is never left without the old one and the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_replaced_at_the_limit_and_holds_on_where_that_is_refused() {
    // Quarantined: nobody waits until open alerts are judged, which this engine does not do.
    let (engine, _) = started("sqlite::memory:", true).await;
    let long = |n: usize| Silence { comment: "x".repeat(SILENCE_BYTES_MAX - 100), ..silence(&format!("n=\"{n}\"")) };
    let fit = SILENCES_BYTES_PER_INTEGRATION_MAX / SILENCE_BYTES_MAX;
    let first = engine.put_silence(long(0), &Principal::own(Actor::Administrator)).await.unwrap();
    for n in 1..fit {
        engine.put_silence(long(n), &Principal::own(Actor::Administrator)).await.unwrap();
    }
    let one_more = engine.put_silence(long(fit), &Principal::own(Actor::Administrator)).await;
    assert!(matches!(one_more, Err(OrgError::Limit(_))), "{one_more:?}");
    let new = engine.replace_silence(&first, long(fit), &Principal::own(Actor::Administrator)).await.unwrap();
    assert!(holds(&engine, &new) && !holds(&engine, &first), "at the limit too");
    let too_long = silence(&format!("n=\"{}\"", "x".repeat(SILENCE_BYTES_MAX)));
    let refused = engine.replace_silence(&new, too_long, &Principal::own(Actor::Administrator)).await;
    assert!(matches!(refused, Err(OrgError::Limit(_))), "{refused:?}");
    assert!(holds(&engine, &new), "what was refused ends nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_put_over_the_change_of_another_node() {
    let url = allclear_store::testing::fresh_database().await.unwrap();
    let ((a, seam), (b, _)) = (node(&url).await, node(&url).await);
    let old = a.put_silence(silence("n=\"old\""), &Principal::own(Actor::Administrator)).await.unwrap();
    seam.let_happen(async move { drop(put(&b, FormKind::Team, "night", Seen::Whatever, team("Night")).await.unwrap()) });
    let new = Silence { id: "11111111-0000-4000-8000-000000000000".into(), ..silence("n=\"new\"") };
    a.replace_silence(&old, new.clone(), &Principal::own(Actor::Administrator)).await.unwrap();
    assert!(holds(&a, &new.id) && !holds(&a, &old));
    assert_eq!(body(&a, FormKind::Team, "night").await["name"], "Night");
}

/// Who is found by id and by e-mail address has the tries of one.
#[tokio::test]
async fn tries_count_by_person_however_the_account_is_typed() {
    let (engine, _) = node("sqlite::memory:").await;
    put(&engine, FormKind::Person, "ana", Seen::Nothing, json!({"name": "Ana", "email": "ana@example.org"})).await.unwrap();
    let visitor = Visitor { address: Some("192.0.2.1".parse().unwrap()), ..Visitor::default() };
    for n in 0..6 {
        let typed = if n % 2 == 0 { "ana" } else { "Ana@example.org" };
        let tried = engine.sign_in(typed, "wrong", &visitor).await;
        assert!(matches!(tried, Err(NotSignedIn::Wrong)), "{n}: {tried:?}");
    }
    for typed in ["ana", "ana@example.org"] {
        let tried = engine.sign_in(typed, "wrong", &visitor).await;
        assert!(matches!(tried, Err(NotSignedIn::Throttled(_))), "{typed}: {tried:?}");
    }
}

/// Whatever channel it is of, and whoever owns it.
#[tokio::test]
async fn every_secret_of_an_address_is_sealed_masked_and_kept() {
    const MASK: &str = "********";
    for form in WAYS_OUT.iter() {
        let (engine, _) = node("sqlite::memory:").await;
        let contact: serde_json::Map<String, Value> = [("id", "c")]
            .into_iter()
            .chain(form.fields.iter().map(|f| (f.key, f.example)))
            .map(|(k, v)| (k.to_owned(), v.into()))
            .collect();
        let file = |contact: &Value| -> Bundle {
            let people = json!([{"id": "ana", "name": "Ana", "contacts": [contact]}]);
            serde_json::from_value(json!({"people": people, "audiences": [{"id": "all", "contacts": [contact]}]})).unwrap()
        };
        let address = |engine: &Engine, who: &str| engine.org().contact(who, "c").unwrap().0.address.clone();
        engine.apply_org(file(&contact.clone().into()), None, false, &Principal::own(Actor::Administrator)).await.unwrap();
        let stored = allclear_store::rows::form::all(engine.db()).await.unwrap();
        let exported = to_yaml(engine.org().bundle(), WAYS_OUT).unwrap();
        for field in form.fields {
            for row in &stored {
                assert_eq!(row.body.contains(field.example), !field.is_secret(), "{}: {}", field.key, row.body);
            }
            for who in ["ana", "audience:all"] {
                assert_eq!(address(&engine, who).get(field.key), Some(field.example), "what is sent with is in the clear");
            }
            for kind in [(FormKind::Person, "ana"), (FormKind::Audience, "all")] {
                let shown = body(&engine, kind.0, kind.1).await["contacts"][0][field.key].clone();
                assert_eq!(shown, if field.is_secret() { MASK } else { field.example }, "{}", field.key);
            }
            assert_eq!(exported.contains(field.example), !field.is_secret(), "{exported}");
        }
        // What is shown, applied again, and what says nothing of secrets change nothing.
        let mut bare = contact.clone();
        bare.retain(|key, _| key == form.name || form.field(key).is_none_or(|field| !field.is_secret()));
        let bare = Value::from(bare);
        for again in [parse(&exported, Format::Yaml, "org.yaml").unwrap().bundle, file(&bare)] {
            let applied = engine.apply_org(again, None, false, &Principal::own(Actor::Administrator)).await.unwrap();
            assert_eq!((applied.changes, applied.made), (Vec::new(), Vec::new()), "{}", form.name);
        }
        // Where none is stored, what the channel makes is made and told once, for each.
        let (engine, _) = node("sqlite::memory:").await;
        let mut fresh = contact.clone();
        fresh.retain(|key, _| form.field(key).is_none_or(|field| !field.is_made()));
        let made = engine.apply_org(file(&fresh.into()), None, false, &Principal::own(Actor::Administrator)).await.unwrap().made;
        assert_eq!(made.len(), 2 * form.fields.iter().filter(|field| field.is_made()).count(), "{}: {made:?}", form.name);
        for field in form.fields.iter().filter(|field| field.is_made()) {
            assert_eq!(address(&engine, "ana").get(field.key), Some(made[0].secret.as_str()));
        }
    }
}

/// A token that was given for one server is sent to no other, and `none` takes one away.
#[tokio::test]
async fn a_token_of_a_contact_goes_to_the_server_it_was_written_for() {
    let (engine, _) = node("sqlite::memory:").await;
    let contact = async |fields: Value| {
        let mut contact = json!({"id": "ph"});
        contact.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let body = json!({"id": "ana", "name": "Ana", "contacts": [contact]});
        put(&engine, FormKind::Person, "ana", Seen::Whatever, body).await.unwrap();
        engine.org().person("ana").unwrap().contacts[0].address.get("token").map(str::to_owned)
    };
    let token = Some("tk_one".to_owned());
    let topic = |server: &str, topic: &str| json!({"ntfy": format!("https://{server}/{topic}")});
    assert_eq!(contact(json!({"ntfy": "https://a.example/one", "token": "tk_one"})).await, token);
    assert_eq!(contact(topic("a.example", "two")).await, token, "another topic of the same server");
    assert_eq!(contact(topic("b.example", "two")).await, None, "another server");
    assert_eq!(contact(json!({"ntfy": "https://b.example/two", "token": "tk_one"})).await, token);
    assert_eq!(contact(json!({"ntfy": "https://b.example/two", "token": "none"})).await, None);
    assert_eq!(contact(topic("b.example", "two")).await, None, "and it stays away");
    assert_eq!(contact(topic("b.example:8443", "two")).await, None);
}

/// Where the server is a field of its own, it is that which counts; where the address itself is the secret, it stays as it is
/// until somebody writes another.
#[tokio::test]
async fn a_secret_follows_its_address_and_goes_to_no_other_server() {
    const MASK: &str = "********";
    const BOT: &str = "220302654:BBIerUdwDI2wHXKygTfpgTBt1L6QBMEtbx";
    let (engine, _) = node("sqlite::memory:").await;
    let contact = async |fields: Value| {
        let mut contact = json!({"id": "c"});
        contact.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let body = json!({"id": "ana", "name": "Ana", "contacts": [contact]});
        put(&engine, FormKind::Person, "ana", Seen::Whatever, body).await.map_err(|why| format!("{why:?}"))?;
        Ok::<_, String>(engine.org().person("ana").unwrap().contacts[0].address.clone())
    };
    let bot = |address: Result<_, String>| address.map(|address: allclear_domain::channel::Address| address.get("bot").map(str::to_owned));
    assert_eq!(bot(contact(json!({"telegram": 5551, "bot": BOT})).await), Ok(Some(BOT.to_owned())), "a number needs no quotes");
    assert_eq!(bot(contact(json!({"telegram": 5552, "bot": MASK})).await), Ok(Some(BOT.to_owned())), "another chat of the same server");
    for moved in [json!({"server": "https://evil.example"}), json!({"server": "https://evil.example", "bot": MASK})] {
        let mut fields = json!({"telegram": 5552});
        fields.as_object_mut().unwrap().extend(moved.as_object().unwrap().clone());
        let refused = contact(fields).await.unwrap_err();
        assert!(refused.contains("bot") && !refused.contains(BOT), "{refused}");
    }
    let usual = contact(json!({"telegram": 5552, "server": "https://api.telegram.org/", "bot": MASK})).await;
    assert_eq!(bot(usual), Ok(Some(BOT.to_owned())), "the vendor's own server by its name");

    let hook = "https://chat.example.org/hooks/8xqk1rz5x3gq7kmb1o9w4tnh5e";
    let main =
        |address: Result<_, String>| address.map(|address: allclear_domain::channel::Address| address.get("mattermost").map(str::to_owned));
    assert_eq!(main(contact(json!({"mattermost": hook})).await), Ok(Some(hook.to_owned())));
    assert_eq!(body(&engine, FormKind::Person, "ana").await["contacts"][0]["mattermost"], MASK, "the address is the secret");
    assert_eq!(main(contact(json!({"mattermost": MASK})).await), Ok(Some(hook.to_owned())), "as it is shown it may be sent back");
    let other = hook.replace("chat", "talk");
    assert_eq!(main(contact(json!({"mattermost": other})).await), Ok(Some(other.clone())));
    assert!(contact(json!({"mattermost": "none"})).await.is_err() && contact(json!({"teams": MASK})).await.is_err());
}
