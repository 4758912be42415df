//! Who is signed in: sessions, passwords, and the links that work once.
//!
//! Of a session's token and of a link only SHA-256 is stored: they are 256 random bits. Everything
//! here is durable before it is answered. A link is used up by a guarded write: of two at once one
//! wins. Nothing of this is on the way of a page: whoever is paged needs no session.

use std::sync::PoisonError;

use allclear_domain::access::{Actor, Principal, Scope, scope_of_person};
use allclear_domain::audit::Kind;
use allclear_domain::channel::{Address, Carriage, ChannelForm};
use allclear_domain::org::check::text::slug_of;
use allclear_domain::org::check::{Against, check};
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::model::{Access, Bundle, Contact, Person};
use allclear_domain::org::problem::{PathPart, Place, Problem};
use allclear_domain::time::{Length, after};
use allclear_store::rows::session::{self, OneTime, Session};
use allclear_store::rows::{feed, saved, token};
use allclear_store::{CommitError, Fault, Write};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::NotDone;
use crate::engine::Engine;
use crate::identity::password;
use crate::identity::password::BadPassword;
use crate::identity::throttle::{Account, Keys};
use crate::identity::tokens::hash;
pub use crate::identity::visitor::Visitor;
use crate::org::error::OrgError;
use crate::ports::Rng;

/// A session ends so long after it began, used or not: NIST SP 800-63B-4 asks for a new sign-in
/// every 30 days at its first level, which is what a password alone is.
pub const SESSION_LIFE: Length = Length::from_secs(30 * 86_400);
/// And so long after it was used last: a week of being on call, and a day to spare.
pub const SESSION_IDLE: Length = Length::from_secs(8 * 86_400);
/// Its use is written down at most this often: a day of clicking is some writes, not thousands.
const SEEN_EVERY: Length = Length::from_mins(10);
/// How long an invitation works: a week, so that it outlasts a holiday's weekend.
pub const INVITATION_LIFE: Length = Length::from_secs(7 * 86_400);
/// How long the set-up link works: whoever starts a server is there; the next start makes another.
pub const SET_UP_LIFE: Length = Length::from_secs(86_400);
/// Random bytes of a session's token and of a link.
const TOKEN_BYTES: usize = 32;
/// Characters kept of what a browser calls itself.
const AGENT_CHARS_MAX: usize = 200;
/// The first administrator's form is put again so often when the organisation changes meanwhile.
const PUT_TRIES: u32 = 3;

/// What a link that works once is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The first administrator.
    SetUp,
    /// A person sets a password.
    Invitation,
}

impl LinkKind {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invite",
        }
    }

    /// The first part of its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::Invitation => "invite",
        }
    }

    const fn life(self) -> Length {
        match self {
            Self::SetUp => SET_UP_LIFE,
            Self::Invitation => INVITATION_LIFE,
        }
    }
}

/// Somebody whose session is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who, and what they may do by the organisation as it is now.
    pub principal: Principal,
    /// Names the session in lists.
    pub session: String,
}

/// A session that was just begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// For the cookie; given this once.
    pub token: String,
    pub person: String,
    pub expires_at: Timestamp,
    /// For the cookie by which this device is known again, where it was not known yet.
    pub device: Option<String>,
}

/// Why somebody is not signed in, or a link not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    /// The same words for an unknown account, one without a password, and a wrong password.
    #[error("this name and this password do not belong together")]
    Wrong,
    #[error("too many tries: wait until {0}")]
    Throttled(Timestamp),
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    #[error("this link is not one of ours, or was cut short")]
    LinkUnknown,
    #[error("this link was used already, or has expired")]
    LinkOver,
    #[error("{0}")]
    Password(#[from] BadPassword),
    /// Sentences, one a line.
    #[error("{0}")]
    Person(String),
    #[error("the store does not answer: {0}")]
    Store(#[from] Fault),
}

impl From<CommitError> for NotSignedIn {
    fn from(error: CommitError) -> Self {
        match error {
            // The only guards here are those of links.
            CommitError::Conflict { .. } => Self::LinkOver,
            CommitError::Fault(fault) => Self::Store(fault),
        }
    }
}

/// Whom the set-up makes the first administrator.
#[derive(Debug, Clone)]
pub enum FirstAdministrator {
    /// Somebody of the organisation, by id.
    Known(String),
    /// Somebody new.
    New {
        /// Made from the name where it is empty.
        id: String,
        name: String,
        email: Option<String>,
        /// IANA name; UTC where absent.
        time_zone: Option<String>,
        /// Whether they are paged at that address.
        reached: bool,
    },
}

/// A new link: what is told, and what is stored.
#[must_use]
pub fn new_link(kind: LinkKind, person: Option<&str>, now: Timestamp, rng: &dyn Rng) -> (String, OneTime) {
    let token = random(rng);
    let link = OneTime {
        hash: hash(&token),
        kind: kind.word().to_owned(),
        person: person.map(ToOwned::to_owned),
        created_at: now,
        expires_at: after(now, kind.life()),
        used_at: None,
    };
    (token, link)
}

fn random(rng: &dyn Rng) -> String {
    let mut bytes = [0; TOKEN_BYTES];
    rng.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Takes every way in from a person's id: sessions, password, links, tokens and calendars; and what they kept for themself.
pub(crate) fn shut_out(person: &str, now: Timestamp) -> [Write; 6] {
    [
        session::end_all(person, now),
        session::remove_credential(person),
        session::void_all_of(person, now),
        token::revoke_all_of(person, now),
        feed::revoke_all_of(person, now),
        saved::remove_all_of(person),
    ]
}

fn is_good(session: &Session, now: Timestamp) -> bool {
    session.ended_at.is_none() && now < session.expires_at && now < after(session.seen_at, SESSION_IDLE)
}

impl Engine {
    /// Does slow work beside the tasks that page; nothing where too many wait already.
    async fn beside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.shared.sign_in.hashing.beside(&self.shared.tasks, work).await
    }

    /// Who holds this session, if it is good now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn session(&self, token: &str) -> Result<Option<SignedIn>, Fault> {
        let now = self.now();
        let Some(found) = session::by_hash(self.db(), &hash(token)).await?.filter(|found| is_good(found, now)) else { return Ok(None) };
        let org = self.org();
        // A person who was removed keeps no way in.
        if org.person(&found.person).is_none() {
            return Ok(None);
        }
        if now > after(found.seen_at, SEEN_EVERY)
            && let Err(why) = self.db().commit(vec![session::seen(&found.id, now)]).await
        {
            tracing::debug!(%why, "the use of a session was not written down");
        }
        let scope = scope_of_person(&org, &found.person);
        Ok(Some(SignedIn { principal: Principal::new(Actor::Person(found.person), scope), session: found.id }))
    }

    /// Signs somebody in, by id or e-mail address. A session that was held until now ends (ASVS 7.2.4).
    ///
    /// # Errors
    /// When it is the wrong password, one of too many, or the store does not answer.
    pub async fn sign_in(&self, account: &str, password: &str, visitor: &Visitor<'_>) -> Result<Begun, NotSignedIn> {
        let person = self.account(account);
        let keys = self.keys(account, person.as_deref(), visitor);
        self.throttled(&keys)?;
        let stored = match &person {
            Some(person) => session::credential(self.db(), person).await?,
            None => None,
        };
        let known = stored.is_some();
        if !self.compare(password, stored).await? || !known {
            return Err(NotSignedIn::Wrong);
        }
        let person = person.ok_or(NotSignedIn::Wrong)?;
        let (begun, open) = self.begin(&person, visitor);
        let writes = vec![open, self.audited_at_the_door(Kind::SignedIn, &person, visitor)];
        match visitor.session {
            Some(_) => self.commit_ways_in(self.instead(visitor, writes)).await?,
            None => self.db().commit(writes).await?,
        }
        self.forgiven(&keys);
        Ok(begun)
    }

    /// By what a try counts: a device that is known to the account waits for nobody else.
    fn keys(&self, account: &str, person: Option<&str>, visitor: &Visitor<'_>) -> Keys {
        match (visitor.device, person) {
            (Some(device), Some(person)) if self.shared.sign_in.devices.knows(device, person) => Keys::known(device),
            (_, Some(person)) => Keys::of(Account::Of(person), visitor.address),
            (_, None) => Keys::of(Account::Unknown(account), visitor.address),
        }
    }

    /// The writes, and the end of whatever session was held until now.
    fn instead(&self, visitor: &Visitor<'_>, mut writes: Vec<Write>) -> Vec<Write> {
        writes.extend(visitor.session.map(|token| session::end_by_hash(&hash(token), self.now())));
        writes
    }

    /// Commits what ends somebody's way in, and tells whoever follows.
    async fn commit_ways_in(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        writes.push(self.mark_ways_in());
        self.db().commit(writes).await?;
        self.tell_ways_in();
        Ok(())
    }

    fn throttled(&self, keys: &Keys) -> Result<(), NotSignedIn> {
        let now = self.now();
        let mut throttle = self.shared.sign_in.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.begin(keys, now).map_err(NotSignedIn::Throttled)
    }

    fn forgiven(&self, keys: &Keys) {
        self.shared.sign_in.throttle.lock().unwrap_or_else(PoisonError::into_inner).succeeded(keys);
    }

    /// The person whom somebody means: by id, else by an e-mail address that is one person's alone.
    fn account(&self, said: &str) -> Option<String> {
        let (org, said) = (self.org(), said.trim());
        if let Some(person) = org.person(said) {
            return Some(person.id.clone());
        }
        let mut found =
            org.bundle().people.iter().filter(|person| person.email.as_deref().is_some_and(|mail| mail.eq_ignore_ascii_case(said)));
        let first = found.next()?;
        found.next().is_none().then(|| first.id.clone())
    }

    /// Compares, as slowly where there is nothing to compare with.
    async fn compare(&self, password: &str, stored: Option<String>) -> Result<bool, NotSignedIn> {
        if password.chars().count() > password::PASSWORD_CHARS_MAX {
            return Ok(false);
        }
        let password = password.to_owned();
        let stored = stored.unwrap_or_else(password::nobodys);
        self.beside(move || password::fits(&password, &stored)).await.ok_or(NotSignedIn::Busy)
    }

    /// The hash of a new password, unless it is easy to guess.
    async fn hashed(&self, password: &str, person: &Person) -> Result<String, NotSignedIn> {
        let (password, known, rng) = (password.to_owned(), password::known_of(person, self.channels()), self.shared.ports.rng.clone());
        let made = self.beside(move || password::judge(&password, &known).map(|()| password::hash(&password, rng.as_ref()))).await;
        Ok(made.ok_or(NotSignedIn::Busy)??)
    }

    fn begin(&self, person: &str, visitor: &Visitor<'_>) -> (Begun, Write) {
        let (now, token) = (self.now(), random(self.shared.ports.rng.as_ref()));
        let expires_at = after(now, SESSION_LIFE);
        let stored = Session {
            id: format!("ses_{:032x}", self.fresh_id()),
            hash: hash(&token),
            person: person.to_owned(),
            agent: visitor.agent.map(|agent| agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect()),
            created_at: now,
            seen_at: now,
            expires_at,
            ended_at: None,
        };
        let devices = &self.shared.sign_in.devices;
        let device = if visitor.device.is_some_and(|device| devices.knows(device, person)) {
            None
        } else {
            Some(devices.make(person, self.shared.ports.rng.as_ref()))
        };
        (Begun { token, person: person.to_owned(), expires_at, device }, session::open(&stored))
    }

    /// Ends one session of a person.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sign_out(&self, person: &str, session: &str) -> Result<(), CommitError> {
        let line = self.audited(Kind::SignedOut, &Actor::Person(person.to_owned()), None, None);
        self.commit_ways_in(vec![session::end(person, session, self.now()), line]).await
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sign_out_everywhere(&self, person: &str) -> Result<(), CommitError> {
        let line = self.audited(Kind::SignedOutEverywhere, &Actor::Person(person.to_owned()), None, None);
        self.commit_ways_in(vec![session::end_all(person, self.now()), line]).await
    }

    /// A person's sessions that are good now, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sessions_of(&self, person: &str) -> Result<Vec<Session>, Fault> {
        let now = self.now();
        Ok(session::of_person(self.db(), person).await?.into_iter().filter(|found| is_good(found, now)).collect())
    }

    /// A new password for somebody who knows the old one; every session ends, and a new one begins.
    ///
    /// # Errors
    /// When the old one is wrong, the new one is not taken, or the store does not answer.
    pub async fn change_password(&self, person: &str, old: &str, new: &str, visitor: &Visitor<'_>) -> Result<Begun, NotSignedIn> {
        let form = self.checked(person, new)?;
        let keys = self.keys(person, Some(person), visitor);
        self.throttled(&keys)?;
        let stored = session::credential(self.db(), person).await?;
        let known = stored.is_some();
        if !self.compare(old, stored).await? || !known {
            return Err(NotSignedIn::Wrong);
        }
        self.forgiven(&keys);
        let hashed = self.hashed(new, &form).await?;
        self.replace(person, &hashed, visitor, Vec::new()).await
    }

    fn checked(&self, person: &str, password: &str) -> Result<Person, NotSignedIn> {
        let org = self.org();
        let form = org.person(person).ok_or_else(|| NotSignedIn::Person(format!("there is no person `{person}` any more")))?;
        password::check(password, form, self.channels())?;
        Ok(form.clone())
    }

    async fn replace(&self, person: &str, hashed: &str, visitor: &Visitor<'_>, mut writes: Vec<Write>) -> Result<Begun, NotSignedIn> {
        let now = self.now();
        let (begun, open) = self.begin(person, visitor);
        writes.extend([session::put_credential(person, hashed, now), session::end_all(person, now), open]);
        self.commit_ways_in(self.instead(visitor, writes)).await?;
        Ok(begun)
    }

    /// Makes a link that works once; gives its full address and until when.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn issue_link(&self, who: &Principal, kind: LinkKind, person: Option<&str>) -> Result<(String, Timestamp), NotDone> {
        self.administers(who)?;
        let (token, link) = new_link(kind, person, self.now(), self.shared.ports.rng.as_ref());
        let made = if kind == LinkKind::SetUp { Kind::SetUpLinkMade } else { Kind::InvitationMade };
        self.db().commit(vec![session::issue(&link), self.audited(made, &who.actor, person, None)]).await?;
        Ok((format!("{}/{}/{token}", self.base_url(), kind.path()), link.expires_at))
    }

    /// What a link is for, if it still works.
    ///
    /// # Errors
    /// When it does not, or the store does not answer.
    pub async fn link(&self, kind: LinkKind, token: &str) -> Result<OneTime, NotSignedIn> {
        let found =
            session::link(self.db(), &hash(token)).await?.filter(|link| link.kind == kind.word()).ok_or(NotSignedIn::LinkUnknown)?;
        if found.used_at.is_some() || found.expires_at <= self.now() {
            return Err(NotSignedIn::LinkOver);
        }
        if kind == LinkKind::SetUp && self.has_administrator().await? {
            return Err(NotSignedIn::LinkOver);
        }
        Ok(found)
    }

    /// Whether somebody can sign in as an administrator.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn has_administrator(&self) -> Result<bool, Fault> {
        let org = self.org();
        let people = session::people_with_credential(self.db()).await?;
        Ok(people.iter().any(|person| org.person(person).is_some() && scope_of_person(&org, person) == Scope::Admin))
    }

    /// Sets a password by an invitation; sessions of before end.
    ///
    /// # Errors
    /// When the link does not work any more, the password is not taken, or the store does not answer.
    pub async fn accept_invitation(&self, token: &str, password: &str, visitor: &Visitor<'_>) -> Result<Begun, NotSignedIn> {
        let link = self.link(LinkKind::Invitation, token).await?;
        let person = link.person.clone().ok_or(NotSignedIn::LinkUnknown)?;
        let form = self.checked(&person, password)?;
        let hashed = self.hashed(password, &form).await?;
        let now = self.now();
        let line = self.audited_at_the_door(Kind::InvitationUsed, &person, visitor);
        let used = vec![session::consume(&link.hash, now), session::void(&link.kind, Some(&person), now), line];
        self.replace(&person, &hashed, visitor, used).await
    }

    /// Makes the first administrator. The link is used up first: if we die in between, nobody is an
    /// administrator yet, and the next start prints another link.
    ///
    /// # Errors
    /// When the link does not work any more, the person or the password is not taken, or the store
    /// does not answer.
    pub async fn set_up(
        &self,
        token: &str,
        first: FirstAdministrator,
        password: &str,
        visitor: &Visitor<'_>,
    ) -> Result<Begun, NotSignedIn> {
        let link = self.link(LinkKind::SetUp, token).await?;
        let person = self.first_administrator(first, password)?;
        let hashed = self.hashed(password, &person).await?;
        let now = self.now();
        let used = vec![session::consume(&link.hash, now), session::void(&link.kind, None, now), session::end_all(&person.id, now)];
        self.commit_ways_in(self.instead(visitor, used)).await?;
        for tried in 1.. {
            match self.put_person(&person, &Actor::Administrator).await {
                Ok(_) => break,
                Err(OrgError::Conflict) if tried < PUT_TRIES => {}
                Err(OrgError::Store(fault)) => return Err(fault.into()),
                Err(why) => return Err(NotSignedIn::Person(why.to_string())),
            }
        }
        // After the form: an id that is new is given no password of before.
        let (begun, open) = self.begin(&person.id, visitor);
        let line = self.audited(Kind::SetUp, &Actor::Administrator, Some(&person.id), None);
        self.db().commit(vec![session::put_credential(&person.id, &hashed, now), open, line]).await?;
        Ok(begun)
    }

    /// Who it is to be; or everything that keeps them from it, the password included.
    fn first_administrator(&self, first: FirstAdministrator, password: &str) -> Result<Person, NotSignedIn> {
        let org = self.org();
        let mut wrong = Vec::new();
        let mut person = match first {
            FirstAdministrator::Known(id) => {
                org.person_as_written(&id).cloned().ok_or_else(|| NotSignedIn::Person(format!("there is no person `{id}`")))?
            }
            FirstAdministrator::New { id, name, email, time_zone, reached } => {
                let id = if id.is_empty() { slug_of(&name) } else { id };
                if id.is_empty() && !name.is_empty() {
                    wrong.push(NO_ID_OF_NAME.to_owned());
                }
                if org.person(&id).is_some() {
                    wrong.push(format!("Id: there is a person `{id}` already; choose them from the list, or type another id"));
                }
                let mail = self.channels().iter().find(|form| form.carriage == Carriage::Mail).filter(|_| reached);
                let contact = |form: &ChannelForm, mail: &String| Contact {
                    id: form.id_example.to_owned(),
                    address: Address::of([(form.name, mail.clone())]),
                    verified: true,
                };
                let contacts = mail.zip(email.as_ref()).map(|(form, mail)| contact(form, mail)).into_iter().collect();
                Person {
                    id,
                    name,
                    email,
                    time_zone,
                    access: None,
                    contacts,
                    notify: Default::default(),
                    public_holidays: Vec::new(),
                    shift_notices: Vec::new(),
                }
            }
        };
        person.access = Some(Access::Administrator);
        if org.person(&person.id).is_none() {
            let alone = Bundle { people: vec![person.clone()], ..Bundle::default() };
            let found = check(&alone, Against { now: self.now(), kinds: &[], channels: self.channels() });
            // An id that is missing is told with the name that it would be made of.
            let is_told = |problem: &Problem| person.id.is_empty() && problem.place == Place::root().key("people").index(0).key("id");
            wrong.extend(found.into_iter().filter(|problem| problem.is_error() && !is_told(problem)).filter_map(in_words));
        }
        match password::check(password, &person, self.channels()) {
            Err(why) if wrong.is_empty() => return Err(why.into()),
            Err(why) => wrong.push(format!("Password: {why}")),
            Ok(()) => {}
        }
        if wrong.is_empty() { Ok(person) } else { Err(NotSignedIn::Person(wrong.join("\n"))) }
    }
}

/// Why there is no id, where none was typed.
const NO_ID_OF_NAME: &str = "Id: the name has no letter a to z and no digit to make an id of; type one, as in `ana-ruiz`";

/// What is wrong with somebody new, after the label of its field; nothing of the contact that is their mail address again.
fn in_words(problem: Problem) -> Option<String> {
    let [_, _, PathPart::Key(key), ..] = problem.place.parts() else { return Some(problem.message) };
    if key == "contacts" {
        return None;
    }
    let label = FormKind::Person.field(key).map_or("Id", |field| field.label);
    let hint = problem.hint.map_or_else(String::new, |hint| format!("; {hint}"));
    Some(format!("{label}: {}{hint}", problem.message))
}

/// Sessions and links that were over before an instant, to be forgotten.
#[must_use]
pub fn forget(before: Timestamp) -> [Write; 2] {
    session::forget(before)
}
