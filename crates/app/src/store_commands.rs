//! Commands that work on the database directly, with or without a running server.

use allclear_domain::ids::{IdGen, TokenId};
use allclear_domain::org::diff::FormKind;
use allclear_domain::time::after;
use allclear_engine::auth;
use allclear_engine::clock::SystemClock;
use allclear_engine::ports::{Clock as _, Rng, SystemRng};
use allclear_store::rows::token::{self, Stored};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Access, Db, OpenOptions, rows};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::cli::{Given, Token, Usage};

/// Random bytes of a token: as many as of those that the server makes.
const TOKEN_BYTES: usize = 32;

/// Opens the database that the settings name.
async fn open<W>(given: &Given<W>, access: Access) -> anyhow::Result<Db> {
    let settings = given.resolve()?;
    let options = OpenOptions { readers: 1, ..OpenOptions::new(MIGRATIONS, TABLES) };
    Ok(Db::open(settings.text("database").unwrap_or_default(), options.access(access)).await?)
}

/// `token create`.
pub async fn token(command: Token) -> anyhow::Result<()> {
    let Token::Create { store, name, scope, person, life } = command;
    if name.trim().is_empty() || name.chars().count() > auth::TOKEN_NAME_CHARS_MAX {
        return Err(Usage(format!("--name takes 1 to {} characters", auth::TOKEN_NAME_CHARS_MAX)).into());
    }
    let db = open(&store, Access::Beside).await?;
    if let Some(person) = &person
        && !rows::form::all(&db).await?.iter().any(|form| form.kind == FormKind::Person.word() && form.id == *person)
    {
        anyhow::bail!("there is no person `{person}` in the organisation; `allclear config export` shows who is");
    }
    let mut seed = [0; 8];
    SystemRng.fill(&mut seed);
    let now = SystemClock::default().now();
    let mut bytes = [0; TOKEN_BYTES];
    SystemRng.fill(&mut bytes);
    let text = format!("{}{}", auth::TOKEN_PREFIX, URL_SAFE_NO_PAD.encode(bytes));
    let stored = Stored {
        id: TokenId::from_bits(IdGen::new(u64::from_le_bytes(seed)).next(now)),
        name,
        hash: auth::hash(&text),
        scope,
        person,
        created_at: now,
        expires_at: Some(after(now, life)),
        revoked_at: None,
    };
    db.commit(vec![token::put(&stored)]).await?;
    db.close().await;
    println!("{text}");
    Ok(())
}
