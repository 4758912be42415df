//! `serve`: puts the parts together, runs them, and stops them in order.
//!
//! The order of starting is the order in which a failure should be told: settings, address, key,
//! database, engine, organisation; only then is the first request answered. The order of stopping
//! is the reverse: no new connections, every request its answer, streams ended, soft state written.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use allclear_channels::carry::http::{TransportConfig, Transports};
use allclear_channels::outbound::described::account::Account;
use allclear_channels::outbound::mail_back::MailReplies;
use allclear_channels::outbound::web_push::vapid::{self, Vapid};
use allclear_channels::registry::{self, Around, Channels};
use allclear_domain::access::{Actor, Principal};
use allclear_domain::channel::WaysOut;
use allclear_domain::org::check::Against;
use allclear_domain::org::diff;
use allclear_domain::org::handover::{Handover, handovers};
use allclear_domain::org::model::Contact;
use allclear_domain::org::problem::Weight;
use allclear_engine::clock::SystemClock;
use allclear_engine::identity::own_key;
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::identity::sessions::{LinkKind, SET_UP_LIFE};
use allclear_engine::org::OrgError;
use allclear_engine::org::file;
use allclear_engine::ports::{Ports, SystemRng, Transport};
use allclear_engine::{Engine, EngineSettings};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Access, Db, Dialect, OpenError, OpenOptions, rows};
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::accept::{self, Listeners};
use crate::clock_offset::ClockOffset;
use crate::config::{Config, environment};
use crate::operator_alarm::Operators;
use crate::routes::{self, Faces};
use crate::told_once::Teller;
use crate::transport::{Carrier, Recorder};
use crate::vendors;
use crate::{checkpoint_log, demo, key, listen, upkeep};

/// Part of the drain that is kept for writing down and closing.
const DRAIN_TAIL: Duration = Duration::from_secs(2);
/// How often an organisation is applied again when another node changed it at the same time.
const APPLY_TRIES: u32 = 3;

/// Runs until a signal says to stop.
///
/// # Errors
/// When something that is needed is not there.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let place = Bound::take(&config)?;
    let vendors = vendors::read(config.vendors.as_deref())?;
    let ways = registry::ways_out(&vendors).map_err(anyhow::Error::msg)?;
    let transports = transports(&config, &place.base_url)?;
    let kept = OnceLock::new();
    let made = |keys: OwnKeys| {
        let carrier = carrier(&config, &place.base_url, &vendors, &keys, transports)?;
        anyhow::Ok(Arc::clone(kept.get_or_init(|| carrier)) as Arc<dyn Transport>)
    };
    let engine = start(&config, place.base_url.clone(), (made, ways), Arc::default()).await?;
    engine.set_operator_alarm(Arc::new(Operators::of(&config, &place.base_url)?));
    let teller = Teller::new(&config.database, config.secret_key_file.as_deref());
    let set_up = async {
        if let Some(file) = &config.org {
            keep_serving(&engine, apply_file(&engine, file, &teller).await)?;
        }
        if let Err(why) = tell_reached_at(&engine).await {
            // Links made beside can be given an address; who is being paged cannot wait.
            tracing::warn!(why = %format!("{why:#}"), "links made on this store beside the server will need --base-url");
        }
        warn_of_what_is_missing(&engine);
        if config.operators.0.is_empty() {
            tracing::info!("no --operator-alarm is set, so nobody is told outside of this program when paging itself is impaired");
        }
        if let Err(why) = first_start(&engine, &teller).await {
            // A set-up link can wait; who is being paged cannot.
            if engine.org().version == 0 {
                return Err(why);
            }
            tracing::error!(why = %format!("{why:#}"), "no set-up link was made; the next start makes one");
        }
        anyhow::Ok(Faces::default())
    };
    let set_up = set_up.await;
    run(&config, place, engine, set_up, async |engine, _| {
        if let Some(carrier) = kept.get() {
            listen::start(engine, carrier);
        }
        checkpoint_log::start(engine, config.checkpoint_log.clone());
        Ok(())
    })
    .await
}

/// A file that cannot be applied stops a first start. Later the organisation in the store stays in
/// force: what is being paged must not stop for a slip in a file.
fn keep_serving(engine: &Engine, applied: anyhow::Result<()>) -> anyhow::Result<()> {
    match applied {
        Err(why) if engine.org().version > 0 => {
            tracing::error!(why = %format!("{why:#}"), "the organisation file was not applied; the stored organisation stays in force");
            Ok(())
        }
        other => other,
    }
}

/// The same on a throw-away store, with things happening.
///
/// # Errors
/// When something that is needed is not there.
pub async fn demo(config: Config) -> anyhow::Result<()> {
    let place = Bound::take(&config)?;
    let recorder = Arc::new(Recorder::default());
    let clock = Arc::new(SystemClock::default());
    let records = Arc::clone(&recorder) as Arc<dyn Transport>;
    let engine = start(&config, place.base_url.clone(), (|_| Ok(records), registry::WAYS_OUT), Arc::clone(&clock)).await?;
    let set_up = demo::prepare(&engine, &clock).await.map(|()| demo::faces(&engine, recorder));
    run(&config, place, engine, set_up, async |engine, address| demo::begin(engine, address).await).await
}

/// Where we listen, taken before anything else is begun.
struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    base_url: String,
    signals: Signals,
}

impl Bound {
    fn take(config: &Config) -> anyhow::Result<Self> {
        let signals = Signals::new()?;
        let listener = accept::listen(config.listen).with_context(|| {
            format!("cannot listen on {}; another address is given with --listen, as in --listen 127.0.0.1:8181", config.listen)
        })?;
        let address = listener.local_addr()?;
        let base_url = config.reached_at(address);
        Ok(Self { listener, address, base_url, signals })
    }
}

/// Answers requests until a signal comes; an engine that was not set up is stopped at once.
async fn run(
    config: &Config,
    place: Bound,
    engine: Engine,
    set_up: anyhow::Result<Faces>,
    begin: impl AsyncFnOnce(&Engine, SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Bound { listener, address, mut signals, .. } = place;
    let faces = match set_up {
        Ok(faces) => faces,
        Err(why) => {
            engine.stop().await;
            return Err(why);
        }
    };
    let router = routes::router(engine.clone(), faces, config.trusted_proxies.clone());
    let doors = Listeners::open(listener, router, config.limits, config.trusted_proxies.clone());
    let begun = match tell_address(config, address) {
        Ok(()) => begin(&engine, address).await,
        failed => failed,
    };
    if begun.is_ok() {
        upkeep::start(&engine);
        signals.first().await;
    }
    stop(&engine, &doors, config, &mut signals).await;
    begun
}

/// Keys that channels work with, which the store and the key file have.
struct OwnKeys {
    /// For pushes to browsers; nothing where the store gives none.
    vapid: Option<Arc<Vapid>>,
    /// Of the addresses that mails are answered to.
    mail_replies: [u8; 32],
}

impl OwnKeys {
    async fn of(config: &Config, base_url: &str, db: &Db, key: &SecretKey) -> Self {
        let kept = own_key::kept_or_made(db, key, &SystemRng, rows::meta::PUSH_KEY, vapid::new_key).await;
        let read = kept.map_err(|why| why.to_string()).and_then(|kept| Vapid::read(&kept, &pushes_come_from(config, base_url)));
        // Whoever is reached otherwise is paged all the same.
        let vapid = read.inspect_err(|why| tracing::error!(%why, "there is no key for pushes, so that no browser is rung")).ok();
        Self { vapid: vapid.map(Arc::new), mail_replies: key.derive("mail answer") }
    }
}

/// Whom a push service writes to, as RFC 8292 wants it.
fn pushes_come_from(config: &Config, base_url: &str) -> String {
    if base_url.starts_with("https://") {
        return base_url.to_owned();
    }
    let host = base_url.parse::<reqwest::Url>().ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    let from = config.mails_come_from(host.as_deref().unwrap_or("localhost"));
    format!("mailto:{}", from.rsplit_once('<').map_or(from.as_str(), |(_, address)| address.trim_end_matches('>')))
}

/// Opens the database and starts the engine.
async fn start(
    config: &Config,
    base_url: String,
    (transport, channels): (impl FnOnce(OwnKeys) -> anyhow::Result<Arc<dyn Transport>>, WaysOut),
    clock: Arc<SystemClock>,
) -> anyhow::Result<Engine> {
    let place = key::place(config.secret_key_file.as_deref(), &config.database)?;
    let options = OpenOptions::new(MIGRATIONS, TABLES).access(Access::Serve);
    let db = Db::open(&config.database, options).await?;
    // After the database: one that is in use, or not ours, gets no key beside it.
    if let Some(path) = place.as_ref().filter(|path| !path.exists())
        && rows::meta::get(&db, rows::meta::ORG_VERSION).await?.is_some()
    {
        // A new key would open nothing of what is sealed here: a restored copy needs the old one.
        return Err(key::KeyError::Missing { path: path.clone() }.into());
    }
    let key = key::read_or_make(place.as_deref(), &SystemRng)?;
    let offset = ClockOffset::new(Arc::clone(&clock));
    offset.ask(&db).await.context("the database's clock cannot be read")?;
    let transport = transport(OwnKeys::of(config, &base_url, &db, &key).await)?;
    #[cfg(feature = "test-clock")]
    crate::control::set_ahead(&offset)?;
    #[cfg(feature = "failpoints")]
    let transport = failpoint(&db, transport)?;
    let settings =
        EngineSettings { base_url, quarantine: config.quarantine, outbox: config.outbox, admin_token: config.admin_token.clone() };
    let ports = Ports { clock, rng: Arc::new(SystemRng), transport, channels };
    let engine = match Engine::start(db.clone(), ports, settings, key).await {
        Ok(engine) => engine,
        Err(why) => return Err(if_damaged(&db, &config.database, why.into())),
    };
    if engine.db().dialect() == Dialect::Postgres {
        engine.tasks().spawn(offset.clone().follow(engine.clone()));
    }
    if engine.is_quarantined() {
        tracing::warn!("in quarantine: nothing is sent until `allclear release`");
    }
    #[cfg(feature = "test-clock")]
    if let Some(socket) = crate::config::environment("ALLCLEAR_TEST_CONTROL") {
        crate::control::start(Path::new(&socket), &engine, &offset)
            .with_context(|| format!("the control socket {socket} cannot be made"))?;
    }
    Ok(engine)
}

/// What a start met on a damaged page says what helps, rather than only what failed.
fn if_damaged(db: &Db, database: &str, why: anyhow::Error) -> anyhow::Error {
    match (db.damage(), database.strip_prefix("sqlite:")) {
        (Some(found), Some(path)) => OpenError::Damaged { path: path.to_owned(), why: found }.into(),
        _ => why,
    }
}

#[cfg(feature = "failpoints")]
fn failpoint(db: &Db, transport: Arc<dyn Transport>) -> anyhow::Result<Arc<dyn Transport>> {
    let Some(text) = crate::config::environment("ALLCLEAR_FAILPOINT") else { return Ok(transport) };
    let failpoint = Arc::new(crate::failpoints::Failpoint::parse(&text).map_err(anyhow::Error::msg)?);
    failpoint.watch(db);
    Ok(failpoint.wrap(transport))
}

/// What carries, made from the settings.
fn transports(config: &Config, base_url: &str) -> anyhow::Result<Transports> {
    let url: reqwest::Url = base_url.parse().context("the base URL does not read")?;
    let mail_from = config.mails_come_from(url.host_str().unwrap_or("localhost"));
    Ok(Transports::new(TransportConfig { guard: config.guard.clone(), smtp: config.smtp.clone(), mail_from })?)
}

/// What sends, made from the settings and the installation's own keys.
fn carrier(config: &Config, base_url: &str, vendors: &[Account], keys: &OwnKeys, transports: Transports) -> anyhow::Result<Arc<Carrier>> {
    let url: reqwest::Url = base_url.parse().context("the base URL does not read")?;
    let host = url.host_str().unwrap_or("localhost");
    let replies = config.mail_replies.as_ref().map(|(to, key)| MailReplies::read(to, key, keys.mail_replies));
    let replies = replies.transpose().map_err(anyhow::Error::msg)?;
    Ok(Arc::new(Carrier::new(
        Channels::new(Around {
            host,
            mail: config.smtp.is_some(),
            mail_replies: replies.as_ref(),
            vapid: keys.vapid.as_ref(),
            telephone: config.telephone.as_ref(),
            slack: config.slack.as_ref(),
            vendors,
        }),
        transports,
    )))
}

/// Applies an organisation file that is not the one applied last.
async fn apply_file(engine: &Engine, file: &Path, teller: &Teller) -> anyhow::Result<()> {
    let loaded = match file::read(file, file::Secrets::Here(environment, engine.channels())) {
        Ok(loaded) => loaded,
        Err(why) => {
            eprintln!("{why}");
            anyhow::bail!("the organisation {} cannot be read", file.display());
        }
    };
    for tried in 1.. {
        if engine.org_digest().await?.as_deref() == Some(loaded.digest.as_str()) {
            return Ok(());
        }
        let kinds: Vec<_> = registry::kinds().collect();
        let problems =
            loaded.check(engine.org().bundle(), false, Against { now: engine.now(), kinds: &kinds, channels: engine.channels() });
        for problem in &problems {
            eprintln!("{problem}");
        }
        if problems.iter().any(|problem| problem.weight == Weight::Error) {
            anyhow::bail!("the organisation {} is refused; nothing of it was applied", file.display());
        }
        let will_be = diff::applied(engine.org().bundle(), &loaded.bundle, false, engine.channels());
        for Handover { schedule, was, will_be } in handovers(&engine.org(), will_be, engine.now()) {
            let nobody = || "nobody".to_owned();
            let (was, will_be) = (was.unwrap_or_else(nobody), will_be.unwrap_or_else(nobody));
            tracing::warn!(schedule, was, will_be, "the file changes who is on call now");
        }
        if engine.would_make_secrets(&loaded.bundle)
            && let Err((path, why)) = teller.secrets_can_be_told()
        {
            anyhow::bail!(
                "the organisation {} leaves out secrets that would be made and told once in {}, which cannot be written: {why}; nothing of it \
                 was applied. Let this user write there, or give every integration a `key` and every webhook a `secret` in the file, or \
                 start once on a terminal, which shows them",
                file.display(),
                path.display()
            );
        }
        match engine.apply_org(loaded.bundle.clone(), Some(&loaded.digest), false, &Principal::own(Actor::Administrator)).await {
            Ok(applied) => {
                tracing::info!(file = %file.display(), version = applied.version, changes = applied.changes.len(), "applied the organisation");
                let made: Vec<_> = applied.made.iter().map(|made| (made.of.as_str(), made.secret.as_str())).collect();
                teller.secrets(&made).context("the secrets that were made cannot be written down")?;
                return Ok(());
            }
            Err(OrgError::Conflict) if tried < APPLY_TRIES => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

/// People whom a channel should reach that has nothing to send with: better said now than at 3 a.m.
fn warn_of_what_is_missing(engine: &Engine) {
    let org = engine.org();
    for form in engine.channels().iter() {
        let Some(setting) = engine.lacks(form.name) else { continue };
        let is_of = |contact: &Contact| contact.address.get(form.name).is_some();
        let people = org.everybody().filter(|person| person.contacts.iter().any(is_of)).count();
        if people > 0 {
            tracing::warn!(people, channel = form.name, "no {setting} is set, so nobody is reached over {}", form.name);
        }
    }
}

/// Notes where people reach this server, for links that are made beside it.
async fn tell_reached_at(engine: &Engine) -> anyhow::Result<()> {
    let here = engine.base_url();
    if rows::meta::get(engine.db(), rows::meta::REACHED_AT).await?.as_deref() != Some(here) {
        engine.db().commit(vec![rows::meta::put(rows::meta::REACHED_AT, here)]).await?;
    }
    Ok(())
}

/// As long as nobody can sign in as an administrator: a link for the first one.
async fn first_start(engine: &Engine, teller: &Teller) -> anyhow::Result<()> {
    if engine.has_administrator().await? {
        teller.no_set_up_link();
        return Ok(());
    }
    let (url, _) = engine.issue_link(&Principal::own(Actor::System), LinkKind::SetUp, None).await?;
    teller.set_up_link(&url, SET_UP_LIFE);
    Ok(())
}

/// Says where we listen, to people and to programs.
fn tell_address(config: &Config, address: SocketAddr) -> anyhow::Result<()> {
    if let Some(file) = &config.port_file {
        // Renamed into place, so that whoever waits for the file finds it whole.
        let partial = file.with_extension("partial");
        std::fs::write(&partial, format!("{}\n", address.port()))
            .and_then(|()| std::fs::rename(&partial, file))
            .with_context(|| format!("the port file {} cannot be written", file.display()))?;
    }
    eprintln!("listening on http://{address}");
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    Ok(())
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches both from now on.
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one.
    async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Stops in order; a second signal cuts it short.
async fn stop(engine: &Engine, doors: &Listeners, config: &Config, signals: &mut Signals) {
    tracing::info!("stopping: what is under way is finished first");
    let drain = config.limits.drain;
    let in_order = async {
        doors.close();
        let for_answers = drain.saturating_sub(DRAIN_TAIL);
        let answered = tokio::time::timeout(for_answers, doors.answered()).await;
        if answered.is_err() {
            tracing::warn!("some requests are not answered yet; they are cut off");
        }
        // Ends the streams, which would keep their connections open.
        engine.stop().await;
        let _ = tokio::time::timeout(DRAIN_TAIL.min(drain), doors.empty()).await;
    };
    tokio::select! {
        () = in_order => {}
        () = signals.first() => tracing::warn!("a second signal: stopping at once"),
    }
    doors.cut().await;
    tracing::info!("stopped");
}
