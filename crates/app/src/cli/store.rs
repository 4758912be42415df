//! Commands that work on the database directly, with or without a running server: copies, health,
//! and the tokens that everything else needs.

use std::path::PathBuf;

use allclear_channels::registry;
use allclear_domain::access::{Actor, Scope};
use allclear_domain::audit;
use allclear_domain::ids::{AuditId, IdGen, TokenId};
use allclear_domain::org::diff::FormKind;
use allclear_domain::time::{Length, after};
use allclear_engine::clock::SystemClock;
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::identity::sessions::{LinkKind, SET_UP_LIFE, new_link};
use allclear_engine::identity::tokens;
use allclear_engine::ports::{Clock as _, Rng, SystemRng};
use allclear_engine::upkeep;
use allclear_store::rows::token::StoredToken;
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Access, Db, Dialect, OpenError, OpenOptions, Write, rows};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::args::{CopyFile, Doctor, Form, Import, Invite, Release, SetUpLink, Token, Usage, Verify};
use crate::cli::client::Client;
use crate::cli::terminal;
use crate::cli::terminal::outln;
use crate::config::Resolved;
use crate::{key, operator_alarm};

/// Random bytes of a token: as many as of those that the server makes.
const TOKEN_BYTES: usize = 32;

/// Opens the database that the settings name.
async fn open(settings: &Resolved, access: Access) -> Result<Db, OpenError> {
    let options = OpenOptions { readers: 1, ..OpenOptions::new(MIGRATIONS, TABLES) };
    Db::open(settings.text("database").unwrap_or_default(), options.access(access)).await
}

/// `token create`.
pub async fn token(command: Token) -> anyhow::Result<()> {
    let Token::Create { store, name, scope, person, life, form } = command;
    if name.trim().is_empty() || name.chars().count() > tokens::TOKEN_NAME_CHARS_MAX {
        return Err(Usage(format!("--name takes 1 to {} characters", tokens::TOKEN_NAME_CHARS_MAX)).into());
    }
    let made = make_token(&store.resolve()?, name, scope, person, life).await?;
    print_token(form, &made);
    Ok(())
}

/// A token, alone unless JSON is asked.
fn print_token(form: Form, made: &Value) {
    if form.json {
        outln!("{made:#}");
    } else {
        outln!("{}", made["token"].as_str().unwrap_or_default());
    }
}

/// Makes a token in the store. A server that runs beside takes it from the next request on.
async fn make_token(settings: &Resolved, name: String, scope: Scope, person: Option<String>, life: Length) -> anyhow::Result<Value> {
    let db = open(settings, Access::Beside).await?;
    if let Some(person) = &person {
        known_person(&db, person).await?;
    }
    let mut seed = [0; 8];
    SystemRng.fill(&mut seed);
    let now = SystemClock::default().now();
    let mut bytes = [0; TOKEN_BYTES];
    SystemRng.fill(&mut bytes);
    let text = format!("{}{}", tokens::TOKEN_PREFIX, URL_SAFE_NO_PAD.encode(bytes));
    let stored = StoredToken {
        id: TokenId::from_bits(IdGen::new(u64::from_le_bytes(seed)).next(now)),
        name,
        hash: tokens::hash(&text),
        scope,
        person,
        created_at: now,
        expires_at: Some(after(now, life)),
        revoked_at: None,
    };
    let detail = format!("{}, {}, at the store", stored.name, scope.word());
    let line = audited(audit::Kind::TokenMade, Some(stored.id.to_string()), detail);
    db.commit(vec![rows::token::put(&stored), line]).await?;
    db.close().await;
    Ok(json!({
        "token": text, "id": stored.id.to_string(), "name": stored.name, "scope": scope.word(), "person": stored.person,
        "created_at": stored.created_at, "expires_at": stored.expires_at,
    }))
}

/// `invite`: asks the server where there is a token to ask with, else the database.
pub async fn invite(args: Invite) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let made = if client.has_token() {
        let beside = "where the server's store is at hand, `env -u ALLCLEAR_TOKEN allclear invite` makes it there";
        client.post(&["people", &args.person, "invitation"], &json!({})).await.map_err(|why| anyhow::anyhow!("{why}; {beside}"))?
    } else {
        make_invitation(&args.store.resolve()?, &args.person).await?
    };
    let until = made["expires_at"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .map(|at| format!(", until {}", terminal::instant(at)))
        .unwrap_or_default();
    eprintln!("with this link {} chooses a password and is signed in; it works once{until}; pass it on privately", args.person);
    if args.form.json {
        outln!("{made:#}");
    } else {
        outln!("{}", made["url"].as_str().unwrap_or_default());
    }
    Ok(())
}

/// `set-up-link`: another one than the server wrote down when it started.
pub async fn set_up_link(args: SetUpLink) -> anyhow::Result<()> {
    let settings = args.store.resolve()?;
    let db = open(&settings, Access::Beside).await?;
    let made = issued(&db, &settings, LinkKind::SetUp, None).await;
    db.close().await;
    let made = made?;
    eprintln!("with this link somebody becomes the first administrator, once and within {SET_UP_LIFE}, while there is none");
    if args.form.json {
        outln!("{made:#}");
    } else {
        outln!("{}", made["url"].as_str().unwrap_or_default());
    }
    Ok(())
}

/// Makes an invitation in the store. A server that runs beside takes it at once.
async fn make_invitation(settings: &Resolved, person: &str) -> anyhow::Result<Value> {
    let db = open(settings, Access::Beside).await?;
    known_person(&db, person).await?;
    let made = issued(&db, settings, LinkKind::Invitation, Some(person)).await;
    db.close().await;
    made
}

async fn issued(db: &Db, settings: &Resolved, kind: LinkKind, person: Option<&str>) -> anyhow::Result<Value> {
    let (token, link) = new_link(kind, person, SystemClock::default().now(), &SystemRng);
    let made = if kind == LinkKind::SetUp { audit::Kind::SetUpLinkMade } else { audit::Kind::InvitationMade };
    let line = audited(made, person.map(ToOwned::to_owned), "at the store".to_owned());
    db.commit(vec![rows::session::issue(&link), line]).await?;
    let listen = settings.text("listen").unwrap_or_default();
    // As said here, else as the server says that keeps this store.
    let base = match settings.text("base-url").filter(|url| !url.is_empty()) {
        Some(said) => said.to_owned(),
        None => rows::meta::get(db, rows::meta::REACHED_AT).await?.unwrap_or_else(|| format!("http://{listen}")),
    };
    let url = format!("{}/{}/{token}", base.trim_end_matches('/'), kind.path());
    Ok(json!({ "person": person, "url": url, "expires_at": link.expires_at }))
}

/// A line of the audit log: somebody with the store at hand is an administrator.
fn audited(kind: audit::Kind, about: Option<String>, detail: String) -> Write {
    let (now, mut seed) = (SystemClock::default().now(), [0; 8]);
    SystemRng.fill(&mut seed);
    let id = AuditId::from_bits(IdGen::new(u64::from_le_bytes(seed)).next(now));
    rows::audit::add(&audit::Entry { id, at: now, kind, actor: Actor::Administrator, about, detail: Some(detail), address: None })
}

async fn known_person(db: &Db, person: &str) -> anyhow::Result<()> {
    if !rows::form::all(db).await?.iter().any(|form| form.kind == FormKind::Person.word() && form.id == *person) {
        anyhow::bail!("there is no person `{person}` in the organisation; `allclear config export` shows who is");
    }
    Ok(())
}

/// `backup`.
pub async fn backup(args: CopyFile) -> anyhow::Result<()> {
    let db = open(&args.store.resolve()?, Access::ReadOnly).await?;
    db.backup(&args.file, upkeep::quarantine_mark(SystemClock::default().now())).await?;
    db.close().await;
    told_file(args.form, &args.file);
    eprintln!("the copy is in quarantine: restored, it sends nothing until `allclear release`; the secret key file is not in it");
    Ok(())
}

/// `restore`.
pub async fn restore(args: CopyFile) -> anyhow::Result<()> {
    anyhow::ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    // As a server: so that none runs on it meanwhile, and the schema is made.
    let db = open(&args.store.resolve()?, Access::Serve).await?;
    db.restore_into(&args.file).await?;
    // A copy that was made otherwise may lack the mark.
    if rows::meta::get(&db, rows::meta::QUARANTINE).await?.is_none() {
        db.commit(upkeep::quarantine_mark(SystemClock::default().now())).await?;
    }
    db.close().await;
    told_file(args.form, &args.file);
    eprintln!("restored, and in quarantine: start the server with the secret key file of then, look around, then `allclear release`");
    Ok(())
}

/// `import`.
pub async fn import(command: Import) -> anyhow::Result<()> {
    let Import::Bundle { file, store, form } = command;
    let bundle = super::record::read(&file)?;
    // As a server: so that none runs on it meanwhile.
    let db = open(&store.resolve()?, Access::Serve).await?;
    let made = upkeep::import::import(&db, &bundle, SystemClock::default().now(), &SystemRng).await;
    let postgres = db.dialect() == Dialect::Postgres;
    db.close().await;
    let made = made?;
    if form.json {
        outln!("{:#}", json!({ "ref": made.reference, "id": made.id, "events": made.events, "signed_by": made.signed_by }));
    } else {
        outln!("{}", terminal::clean(&format!("{}: {} events, signed by the key {}", made.reference, made.events, made.signed_by)));
    }
    if postgres {
        eprintln!("nodes that run have to be started again: they may hand out its reference once more");
    }
    Ok(())
}

fn told_file(form: Form, file: &PathBuf) {
    let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
    if form.json {
        outln!("{:#}", json!({ "file": file, "bytes": bytes }));
    } else {
        eprintln!("{}: {bytes} bytes", file.display());
    }
}

/// The secret key of the store; a database in memory has one that dies with it.
fn existing_key(settings: &Resolved) -> Result<SecretKey, key::KeyError> {
    let database = settings.text("database").unwrap_or_default();
    match key::place(settings.text("secret-key-file").map(std::path::Path::new), database)? {
        Some(place) => key::read(&place),
        None => key::read_or_make(None, &SystemRng),
    }
}

/// `doctor`.
pub async fn doctor(args: Doctor) -> anyhow::Result<()> {
    let settings = args.store.resolve()?;
    if args.alarm {
        return operator_alarm::test(&settings, args.form).await;
    }
    let key = existing_key(&settings)?;
    let db = open(&settings, Access::ReadOnly).await?;
    let kinds: Vec<_> = registry::kinds().collect();
    let channels = crate::vendors::ways(settings.text("vendors").map(std::path::Path::new))?;
    let mut found = upkeep::doctor(&db, &key, &kinds, channels, SystemClock::default().now()).await?;
    db.close().await;
    let mut hints = Vec::new();
    let client = Client::new(&args.remote)?;
    if client.has_token() {
        ask_the_server(&client, &mut found, &mut hints).await;
    } else {
        hints.push("with an administrator's token in ALLCLEAR_TOKEN the running server is asked what impairs paging".to_owned());
        if settings.text("operator-alarm").is_none() {
            hints.push(NO_OPERATOR.to_owned());
        }
    }
    if args.form.json {
        outln!("{:#}", json!({ "healthy": found.errors.is_empty(), "errors": found.errors, "warnings": found.warnings, "hints": hints }));
    } else {
        for hint in &hints {
            eprintln!("hint: {}", terminal::clean(hint));
        }
        for (weight, lines) in [("error", &found.errors), ("warning", &found.warnings)] {
            for line in lines {
                outln!("{weight}: {}", terminal::clean(line));
            }
        }
    }
    anyhow::ensure!(found.errors.is_empty(), "{} things must be mended", found.errors.len());
    eprintln!("nothing must be mended; {} warnings", found.warnings.len());
    Ok(())
}

const NO_OPERATOR: &str = "no --operator-alarm is set: nobody is told outside of paging when paging itself is impaired";

/// What the running server knows of itself; where it cannot be asked, that is worth a warning.
async fn ask_the_server(client: &Client, found: &mut upkeep::Diagnosis, hints: &mut Vec<String>) {
    let told: Value = match client.get(&["troubles"], &[]).await {
        Ok(told) => told,
        Err(why) => {
            found.warnings.push(format!("the server could not be asked what impairs paging: {why:#}"));
            return;
        }
    };
    for one in told["impaired"].as_array().into_iter().flatten() {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let line = format!("paging is impaired: {} ({}); {}", text("what"), text("detail"), text("advice"));
        if one["unready"] == true { found.errors.push(line) } else { found.warnings.push(line) }
    }
    if told["operator_addresses"] == 0 {
        hints.push(NO_OPERATOR.to_owned());
    }
}

/// `verify`.
pub async fn verify(args: Verify) -> anyhow::Result<()> {
    let settings = args.store.resolve()?;
    let db = open(&settings, Access::ReadOnly).await?;
    let found = upkeep::verify(&db).await?;
    let held = match &args.against {
        None => None,
        Some(path) => {
            let file = super::record::read(path)?;
            Some(upkeep::anchors::against(&db, &existing_key(&settings)?, &file).await?)
        }
    };
    db.close().await;
    let against = held.as_ref().map(|held| json!({ "checkpoints": held.checkpoints, "events": held.events, "findings": held.findings }));
    if args.form.json {
        let broken: Vec<Value> = found.broken.iter().map(|b| json!({ "stream": b.stream, "version": b.version, "why": b.why })).collect();
        let ranges: Vec<Value> =
            found.ranges.iter().map(|r| json!({ "after_seq": r.after_seq, "to_seq": r.to_seq, "why": r.why })).collect();
        outln!(
            "{:#}",
            json!({
                "events": found.events, "unsealed": found.unsealed, "broken": broken, "ranges": ranges, "rows": found.rows,
                "against": against,
            })
        );
    } else {
        outln!("{} events, {} of them since the last checkpoint", found.events, found.unsealed);
        if let Some(held) = &held {
            outln!("{} checkpoints and {} events of the file were held against it", held.checkpoints, held.events);
        }
        for line in found.findings().iter().chain(held.iter().flat_map(|held| &held.findings)) {
            outln!("{}", terminal::clean(line));
        }
    }
    let findings = found.findings().len() + held.as_ref().map_or(0, |held| held.findings.len());
    anyhow::ensure!(findings == 0, "{findings} things are not what was written");
    eprintln!("every log's chain holds, and every row is what its log says");
    if held.is_some() {
        eprintln!("and the log is the one from which the file was made");
    }
    Ok(())
}

/// `release`: through the server where it can be asked, else in the store of one that is stopped.
pub async fn release(args: Release) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    if client.has_token() {
        let _: Value = client.json(client.request(Method::POST, &["release"], &[])).await?;
    } else {
        let settings = args.store.resolve()?;
        // A server that runs keeps its quarantine in memory, so it has to be asked. On SQLite the
        // lock tells whether there is one.
        let db = match open(&settings, Access::Serve).await {
            Err(OpenError::InUse { .. }) => {
                anyhow::bail!("a server runs on this database: set ALLCLEAR_TOKEN to an administrator's token, so that it can be asked")
            }
            opened => opened?,
        };
        db.commit(vec![rows::meta::remove(rows::meta::QUARANTINE)]).await?;
        if db.dialect() == Dialect::Postgres {
            eprintln!("nodes that run already have to be restarted, or asked with ALLCLEAR_TOKEN");
        }
        db.close().await;
    }
    eprintln!("released: what is due is sent from now on");
    Ok(())
}
