//! How one is reached oneself: contacts, their codes, and the order in which they are used. Of whoever asks, and of nobody else;
//! that an administrator says by hand that a contact is somebody's stands here too.

use allclear_domain::access::{Principal, may_look_after};
use allclear_domain::org::model::Notify;
use allclear_domain::time::Length;
use allclear_engine::Engine;
use allclear_engine::org::codes::SentCode;
use allclear_engine::org::own::{Arranged, Ask, MyContact, MyContacts, NotArranged, address_of};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Api;
use crate::http::caller::{Admin, Read, Who};
use crate::http::extract::{Asked, P, Q};
use crate::http::problem::Problem;
use crate::rest::org::OrgSecret;

/// A person who may change how they are reached: asked before the body is read.
pub(crate) struct Myself(Principal);

impl FromRequestParts<Api> for Myself {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let who = Who::<Read>::from_request_parts(parts, api).await?.0;
        may_look_after(&api.engine.org(), &who, Engine::myself(&who)?)?;
        Ok(Self(who))
    }
}

impl Myself {
    fn id(&self) -> Result<&str, Problem> {
        Ok(Engine::myself(&self.0)?)
    }
}

/// A code that waits to be typed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContactCode {
    /// The message that carries it, for `GET /api/v1/messages/{id}`.
    message: String,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// Until when it works.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Times that it may be typed still.
    left: u32,
    /// `queued`, `claimed`, `accepted`, `delivered`, `rejected` or `withdrawn`.
    state: &'static str,
    attempts: u32,
    /// Why it has not arrived, where it has not.
    why: Option<String>,
}

impl From<SentCode> for ContactCode {
    fn from(code: SentCode) -> Self {
        Self {
            message: code.message.to_string(),
            sent_at: code.sent_at,
            until: code.until,
            left: code.left,
            state: code.state.word(),
            attempts: code.attempts,
            why: code.why,
        }
    }
}

/// One way to reach the person who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnContact {
    id: String,
    /// `email`, `webhook`, `sms`, …; null for one that is not known here.
    channel: Option<&'static str>,
    /// With the keys of the organisation file; what may not be shown is `********`.
    address: Map<String, Value>,
    /// `own` where the person added it, `form` where it stands in their form, `file` where a file owns that.
    held_by: &'static str,
    /// Only verified contacts are paged.
    verified: bool,
    /// When it was proved; null where it was written as verified.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// Who said so by hand; null where a code was typed.
    verified_by: Option<String>,
    /// The setting without which this server sends nothing by its channel.
    lacks: Option<&'static str>,
    /// The code that waits to be typed, where one does.
    code: Option<ContactCode>,
}

/// How the person who asks is reached.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnContacts {
    person: String,
    items: Vec<OwnContact>,
    rules: ContactRules,
    /// Whether the person set the rules; else they are those of the form.
    rules_are_own: bool,
    /// How long before a shift of theirs begins they are told: `1d`, `1h`.
    shift_notices: Vec<String>,
    /// Whether the person said so; else it is what the form says.
    shift_notices_are_own: bool,
}

/// How long before one's shifts one is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShiftNotices {
    /// Lengths from `5m` to `31d`, at most four; nobody is told where it is empty.
    #[schema(value_type = Vec<String>)]
    before: Vec<Length>,
}

/// Which contacts are used, in order, for each urgency.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactRules {
    #[serde(default)]
    high: Vec<ContactRule>,
    /// Where it is empty, those of `high` are used.
    #[serde(default)]
    low: Vec<ContactRule>,
}

/// One of them.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactRule {
    /// A contact's id.
    contact: String,
    /// How long after the page reaches the person, as in `5m`; at once where it is left out.
    #[serde(default)]
    after: Option<String>,
}

/// What a change did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContactChanged {
    /// The contact's id; empty of the rules.
    contact: String,
    /// Secrets that were made: in this answer only.
    made: Vec<OrgSecret>,
}

impl From<Arranged> for ContactChanged {
    fn from(done: Arranged) -> Self {
        Self { contact: done.contact, made: done.made.into_iter().map(OrgSecret::from).collect() }
    }
}

/// Whether whoever asks knows what it does.
#[derive(Deserialize)]
pub(crate) struct Sure {
    #[serde(default)]
    sure: bool,
}

/// What was typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypedCode {
    /// Six digits.
    code: String,
}

fn shown(of: MyContact, codes: &mut Vec<SentCode>) -> OwnContact {
    let at = codes.iter().position(|code| code.contact == of.id).filter(|_| !of.verified);
    let (verified_at, by) = of.proved.map_or((None, None), |(at, by)| (Some(at), by));
    OwnContact {
        channel: of.channel,
        address: of.address.fields().map(|(key, value)| (key.to_owned(), Value::from(value))).collect(),
        held_by: of.holder.word(),
        verified: of.verified,
        verified_at,
        verified_by: by.map(|by| by.to_string()),
        lacks: of.lacks,
        code: at.map(|at| codes.remove(at).into()),
        id: of.id,
    }
}

fn written(rules: &[allclear_domain::org::model::NotifyEntry]) -> Vec<ContactRule> {
    let one = |rule: &allclear_domain::org::model::NotifyEntry| ContactRule {
        contact: rule.contact.clone(),
        after: (!rule.after.is_zero()).then(|| rule.after.to_string()),
    };
    rules.iter().map(one).collect()
}

/// How one is reached: every contact, what is known of it, and the order for each urgency. Secrets are masked.
#[utoipa::path(get, path = "/api/v1/me/contacts", operation_id = "my_contacts", tag = "me",
    responses((status = 200, body = OwnContacts), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn contacts(State(api): State<Api>, who: Who<Read>) -> Result<Json<OwnContacts>, Problem> {
    let me = Engine::myself(&who.0)?;
    let MyContacts { person, contacts, rules, rules_are_own, shift_notices, shift_notices_are_own } =
        api.engine.contacts_of(me, &who.0).await?;
    let mut codes = api.engine.codes_of(me, &who.0).await?;
    let items = contacts.into_iter().map(|one| shown(one, &mut codes)).collect();
    Ok(Json(OwnContacts {
        person,
        items,
        rules: ContactRules { high: written(&rules.high), low: written(&rules.low) },
        rules_are_own,
        shift_notices: shift_notices.iter().map(ToString::to_string).collect(),
        shift_notices_are_own,
    }))
}

/// Adds a contact of one's own: its address, with the keys of the organisation file, as in `{"email": "ana@example.org"}`. It is not
/// used until the code that is sent to it was typed.
#[utoipa::path(post, path = "/api/v1/me/contacts", operation_id = "add_my_contact", tag = "me", request_body = Value,
    responses((status = 201, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn add(
    State(api): State<Api>,
    me: Myself,
    Asked(body): Asked<Value>,
) -> Result<(StatusCode, Json<ContactChanged>), Problem> {
    let done = api.engine.arrange(me.id()?, &Ask::Add(address_of(&body)?), false, &me.0).await?;
    Ok((StatusCode::CREATED, Json(done.into())))
}

/// Changes the address of a contact. Another address is not verified; a secret that is left out or `********` stays.
#[utoipa::path(put, path = "/api/v1/me/contacts/{id}", operation_id = "change_my_contact", tag = "me", request_body = Value,
    params(("id" = String, Path), ("sure" = Option<bool>, Query, description = "`true`: also where nothing reaches you then")),
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn change(
    State(api): State<Api>,
    me: Myself,
    P(id): P<String>,
    Q(Sure { sure }): Q<Sure>,
    Asked(body): Asked<Value>,
) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Change(id, address_of(&body)?), sure, &me.0).await?.into()))
}

/// Takes a contact away, and out of the order.
#[utoipa::path(delete, path = "/api/v1/me/contacts/{id}", operation_id = "remove_my_contact", tag = "me",
    params(("id" = String, Path), ("sure" = Option<bool>, Query, description = "`true`: also where nothing reaches you then")),
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    me: Myself,
    P(id): P<String>,
    Q(Sure { sure }): Q<Sure>,
) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Remove(id), sure, &me.0).await?.into()))
}

/// Sends a code over the contact, which proves that it is yours when you type it. Five in an hour, over all contacts.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/code", operation_id = "send_my_code", tag = "me", params(("id" = String, Path)),
    responses((status = 202, body = ContactCode), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn send_code(State(api): State<Api>, me: Myself, P(id): P<String>) -> Result<(StatusCode, Json<ContactCode>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.engine.send_code(me.id()?, &id, &me.0).await?.into())))
}

/// Types the code that was sent last: from then on the contact is used.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/verify", operation_id = "verify_my_contact", tag = "me", params(("id" = String, Path)),
    request_body = TypedCode,
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn verify(
    State(api): State<Api>,
    me: Myself,
    P(id): P<String>,
    Asked(TypedCode { code }): Asked<TypedCode>,
) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.enter_code(me.id()?, &id, &code, &me.0).await?.into()))
}

/// Sets which contacts are used, in which order and after how long, in the place of what one's form says.
#[utoipa::path(put, path = "/api/v1/me/rules", operation_id = "put_my_rules", tag = "me", request_body = ContactRules,
    params(("sure" = Option<bool>, Query, description = "`true`: also where nothing reaches you then")),
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn put_rules(
    State(api): State<Api>,
    me: Myself,
    Q(Sure { sure }): Q<Sure>,
    Asked(body): Asked<ContactRules>,
) -> Result<Json<ContactChanged>, Problem> {
    let rules = serde_json::to_value(&body).ok().map(without_nulls).map(serde_json::from_value::<Notify>);
    let rules = match rules {
        Some(Ok(rules)) => rules,
        Some(Err(why)) => return Err(Problem::bad(why.to_string())),
        None => return Err(Problem::bad("the rules cannot be read")),
    };
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Order(Some(rules)), sure, &me.0).await?.into()))
}

/// A rule without a delay says none.
fn without_nulls(mut rules: Value) -> Value {
    for list in rules.as_object_mut().into_iter().flat_map(Map::values_mut) {
        for rule in list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            rule.retain(|_, value| !value.is_null());
        }
    }
    rules
}

/// Sets how long before one's shifts one is told, each once, by what tells what may wait; in the place of what one's form says.
#[utoipa::path(put, path = "/api/v1/me/shift-notices", operation_id = "put_my_shift_notices", tag = "me", request_body = ShiftNotices,
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn put_shift_notices(
    State(api): State<Api>,
    me: Myself,
    Asked(body): Asked<ShiftNotices>,
) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Notices(Some(body.before)), false, &me.0).await?.into()))
}

/// Takes away what one said of it: what one's form says counts again.
#[utoipa::path(delete, path = "/api/v1/me/shift-notices", operation_id = "remove_my_shift_notices", tag = "me",
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn remove_shift_notices(State(api): State<Api>, me: Myself) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Notices(None), false, &me.0).await?.into()))
}

/// Takes one's own rules away: what one's form says counts again.
#[utoipa::path(delete, path = "/api/v1/me/rules", operation_id = "remove_my_rules", tag = "me",
    params(("sure" = Option<bool>, Query, description = "`true`: also where nothing reaches you then")),
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn remove_rules(State(api): State<Api>, me: Myself, Q(Sure { sure }): Q<Sure>) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.arrange(me.id()?, &Ask::Order(None), sure, &me.0).await?.into()))
}

/// Says by hand that a contact reaches its person, without a code: as who says so it is kept.
#[utoipa::path(post, path = "/api/v1/people/{id}/contacts/{contact}/verified", operation_id = "verify_contact_by_hand", tag = "organisation",
    params(("id" = String, Path), ("contact" = String, Path)),
    responses((status = 200, body = ContactChanged), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn verified_by_hand(
    State(api): State<Api>,
    who: Who<Admin>,
    P((person, contact)): P<(String, String)>,
) -> Result<Json<ContactChanged>, Problem> {
    Ok(Json(api.engine.verify_by_hand(&person, &contact, &who.0).await?.into()))
}

impl From<NotArranged> for Problem {
    fn from(why: NotArranged) -> Self {
        let told = why.to_string();
        let problem = Self::new(why.code(), told);
        if let NotArranged::Invalid(problems) = &why {
            return problem.of_forms(problems);
        }
        if let NotArranged::TooOften(refusal) = why { refusal.into() } else { problem }
    }
}
