//! POST of the settings: what was typed becomes a change of one form, held against the version that
//! was looked at. Where it is refused the page comes back with everything that was typed.

use allclear_domain::access::Principal;
use allclear_domain::ids::SilenceId;
use allclear_domain::org::check::text::{is_slug, slug_of};
use allclear_domain::org::diff::{CATCH_ALL_ID, Form as OrgForm, FormKind};
use allclear_domain::org::forms::about::IdOf;
use allclear_domain::org::problem::Weight;
use allclear_engine::org::forms::{Changed, FormError, Seen};
use allclear_engine::org::{FormProblem, OrgError};
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::page::{Came, FormState, done, refused, shown};
use super::typed_rows::{Deed, compacted};
use super::{administrator, kind_of, path, path_of_new, typed};
use crate::access::form_key;
use crate::access::reader::{Fields, answer};
use crate::app::App;
use crate::first;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;
use crate::posted::said;

const NOT_SAVED: &str = "This was not saved";
const NOT_REMOVED: &str = "This was not removed";
const NOT_TAKEN: &str = "This was not taken from the file";

/// Who changes a form of which kind.
struct Here<'a> {
    app: &'a App,
    who: &'a Principal,
    when: &'a When,
    kind: FormKind,
}

/// Of the kind's address: one more.
pub(crate) async fn add(State(app): State<App>, headers: HeaderMap, Path(kind): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        // The same form once more is the same object.
        let made = || form_key::id(&path_of_new(kind), &fields).unwrap_or_else(|| app.engine.fresh_id());
        let id = match kind.about().id {
            IdOf::Typed => said(&fields, "id").unwrap_or_else(|| slug_of(&said(&fields, "name").unwrap_or_default())),
            IdOf::OneOf(..) | IdOf::Channel => said(&fields, "id").unwrap_or_default(),
            IdOf::Made if kind == FormKind::Silence => SilenceId::from_bits(made()).as_uuid().to_string(),
            IdOf::Made if kind == FormKind::TemporarySchedule => format!("tmp-{:x}", made()),
            IdOf::Made => format!("ovr-{:x}", made()),
            IdOf::Only => CATCH_ALL_ID.to_owned(),
        };
        Box::pin(put(&Here { app: &app, who: &who, when: &when, kind }, &id, None, fields)).await
    })
    .await
}

/// Of a form's address: it changes.
pub(crate) async fn save(
    State(app): State<App>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        let (view, _) = app.engine.form_view(kind, &id, &app.options.formats, &who).await.map_err(refused)?;
        Box::pin(put(&Here { app: &app, who: &who, when: &when, kind }, &id, Some(&view.body), fields)).await
    })
    .await
}

async fn put(here: &Here<'_>, id: &str, stored: Option<&Value>, mut fields: Fields) -> Result<Response, Refused> {
    let Here { app, who, when, kind } = *here;
    let ways = app.engine.org().channels();
    if let Some((deed, at)) = Deed::of(&fields) {
        deed.done(&at, kind, &mut fields, ways);
        let focus = deed.leads_to(&at, kind, &fields, ways);
        let told = FormState {
            first: first::is_step(&fields),
            preview: deed == Deed::Look,
            fields: Some(fields),
            again: true,
            focus,
            ..FormState::default()
        };
        return shown(app, who, when, kind, stored.map(|_| id), told).await;
    }
    let fields = compacted(kind, fields, ways);
    let empty = json!({});
    let done_or_not = match typed::body(kind, stored.unwrap_or(&empty), &fields, when, ways) {
        Ok(body) => {
            let seen = if stored.is_some() { version_of(&fields) } else { Seen::Nothing };
            let there = if stored.is_some() { path(kind, id) } else { path_of_new(kind) };
            let once = form_key::key(&there, &fields).map(|once| once.key);
            let form = OrgForm { kind, id: id.to_owned(), body };
            app.engine.change_form(form, seen, once.as_deref(), &app.options.formats, who).await
        }
        Err(faults) => Err(FormError::Invalid(
            no_id(kind, id, stored.is_none())
                .into_iter()
                .chain(faults)
                .map(|fault| FormProblem {
                    weight: Weight::Error,
                    kind,
                    id: id.to_owned(),
                    key: fault.key,
                    message: fault.message,
                    hint: fault.hint,
                    of_the_change: false,
                    not_yet: None,
                })
                .collect(),
        )),
    };
    match done_or_not {
        Ok(Changed { made, problems, .. }) => {
            let elsewhere: Vec<FormProblem> =
                problems.into_iter().filter(|problem| problem.of_the_change || !problem.is_of(kind, id)).collect();
            let is_step = first::is_step(&fields);
            if made.is_empty() && elsewhere.is_empty() && is_step {
                return Ok(Redirect::to(first::PATH).into_response());
            }
            if made.is_empty() && elsewhere.is_empty() {
                let there = path(kind, id);
                let and = if there.contains('?') { '&' } else { '?' };
                return Ok(Redirect::to(&format!("{there}{and}saved")).into_response());
            }
            done(app, who, when, kind, Came { id: Some(id), is_step, made: &made, elsewhere: &elsewhere }).await
        }
        // Its id was made from this very form, so that it was sent twice, also where the engine does not
        // remember: to another node, or after a start.
        Err(FormError::Exists { .. }) if matches!(kind.about().id, IdOf::Made) => Ok(Redirect::to(&path(kind, id)).into_response()),
        Err(why) => again(here, stored.map(|_| id), Some(fields), NOT_SAVED, why).await,
    }
}

/// What is wrong with the id of a new form, to be told with whatever else is.
fn no_id(kind: FormKind, id: &str, is_new: bool) -> Option<typed::Fault> {
    let is_wrong = is_new && kind.about().id == IdOf::Typed && !is_slug(id);
    let message = if id.is_empty() { "no id can be made of the name: type one" } else { "this cannot be an id" };
    let hint = "use lower-case letters, digits, `-`, `_` and `.`, at most 64, as in `payments-db`";
    is_wrong.then(|| typed::Fault { key: "id".to_owned(), message: message.to_owned(), hint: Some(hint.to_owned()) })
}

/// POST: it goes, where somebody says that they are sure.
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        if !fields.contains_key("sure") {
            let refusal = Some((NOT_REMOVED, "Tick the box under “Remove” to say that you are sure.".to_owned()));
            let mut response = Box::pin(shown(&app, &who, &when, kind, Some(&id), FormState { refusal, ..FormState::default() })).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
        match app.engine.remove_form(kind, &id, version_of(&fields), &app.options.formats, &who).await {
            Ok(Changed { problems, .. }) if problems.is_empty() => {
                Ok(Redirect::to(&format!("/settings/{}?removed={}", kind.word(), crate::frame::pieces::escaped(&id))).into_response())
            }
            Ok(Changed { problems, .. }) => done(&app, &who, &when, kind, Came { elsewhere: &problems, ..Came::default() }).await,
            Err(why) => Box::pin(again(&Here { app: &app, who: &who, when: &when, kind }, Some(&id), None, NOT_REMOVED, why)).await,
        }
    })
    .await
}

/// POST: it is taken from the file that owns it.
pub(crate) async fn detach(
    State(app): State<App>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        match app.engine.detach_form(kind, &id, version_of(&fields), &who).await {
            Ok(_) => Ok(Redirect::to(&path(kind, &id)).into_response()),
            Err(why) => Box::pin(again(&Here { app: &app, who: &who, when: &when, kind }, Some(&id), None, NOT_TAKEN, why)).await,
        }
    })
    .await
}

/// The version that the page was made from. A page that says none was not made by us: it fits none.
fn version_of(fields: &Fields) -> Seen {
    Seen::Version(fields.get(form_key::SEEN).and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The page once more, with why not.
async fn again(here: &Here<'_>, id: Option<&str>, fields: Option<Fields>, what: &'static str, why: FormError) -> Result<Response, Refused> {
    let status = match &why {
        FormError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        FormError::Org(OrgError::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
        FormError::Missing { .. } | FormError::Removed => {
            return Err(Refused::missing("form any more", "Somebody removed it. Look among the settings."));
        }
        _ => StatusCode::CONFLICT,
    };
    let words = match &why {
        FormError::Org(OrgError::Store(_)) => "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        FormError::Changed { .. } => {
            format!("{} What you typed is still here; make your change to the form as it is now.", sentence(&why.to_string()))
        }
        FormError::Exists { .. } if id.is_none() && fields.as_ref().is_some_and(|fields| said(fields, "id").is_none()) => {
            format!("{} That id was made from the name: type another.", sentence(&why.to_string()))
        }
        _ => sentence(&why.to_string()),
    };
    let stale = matches!(why, FormError::Changed { .. });
    let problems = if let FormError::Invalid(problems) = why { problems } else { Vec::new() };
    let first = fields.as_ref().is_some_and(first::is_step);
    let told = FormState { fields, refusal: Some((what, words)), problems, stale, first, ..FormState::default() };
    let mut response = shown(here.app, here.who, here.when, here.kind, id, told).await?;
    *response.status_mut() = status;
    Ok(response)
}
