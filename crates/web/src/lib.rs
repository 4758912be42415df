//! What people see: pages rendered on the server, plain links and plain forms; a script of our own
//! keeps them fresh and adds the keyboard, and nothing depends on it.
//!
//! [`router`] serves the small page behind a message's link (`/a/{token}`), the board (`/`), an
//! incident with its log and every command (`/incidents/{ref}`), who is on call, services,
//! settings, what was learned, and, in the demonstration, the messages that would have been sent
//! (`/outbox`). Each subject is a folder; [`frame`] is what stands around every page, [`posted`] what all their forms
//! have in common; [`hub`] sees that something changed, and [`live`] tells the pages.
//!
//! Invariants: GET and HEAD change nothing; a POST comes from one of our own pages ([`access`]);
//! what people or senders wrote is text, never markup; every page carries the headers of
//! [`frame::assets`]; nothing is fetched from another host.
//!
//! [`access`] has the pages of passwords and sessions, and says who visits.
//!
//! Deliberately not here: the API (a sibling), any rule about who is paged, and a
//! fallback for unknown paths, since the program joins this router with others: it may use
//! [`not_found`].

mod access;
mod app;
mod board;
mod demo_outbox;
mod find;
mod first;
mod frame;
mod guest;
mod hub;
mod incident;
mod learning;
mod live;
mod me;
mod message_link;
mod on_call;
mod places;
mod posted;
mod reports;
mod saved;
mod services;
mod settings;
mod took;

use std::sync::Arc;

use allclear_engine::Engine;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

use app::App;
pub use app::{DemoMessage, DemoOutbox, WebOptions};
use hub::Hub;

/// The pages.
pub fn router(engine: Engine, options: WebOptions) -> Router {
    let app = App { engine, options: Arc::new(options), hub: Hub::default(), places: &places::PLACES };
    let with_places = app.places.iter().fold(Router::new(), |router, place| router.route(place.path, (place.page)()));
    let pages = with_places
        .route("/incidents/{ref}", get(incident::show))
        .route("/incidents/{ref}/alerts", get(incident::alerts::show))
        .route("/incidents/{ref}/blast.svg", get(incident::blast::show))
        .route("/incidents/{ref}/briefing", get(incident::briefing::show))
        .route("/incidents/{ref}/record", get(incident::record::file))
        .route("/incidents/{ref}/print", get(incident::print::show))
        .route("/incidents/{ref}/{verb}", get(incident::back).post(incident::submit::submit))
        .route(board::letters::PATH, post(board::letters::set))
        .route(board::at_once::ACKNOWLEDGE, post(board::at_once::acknowledge))
        .route(took::UNDO_ALL, post(board::at_once::undo))
        .route(first::PATH, get(first::go_on))
        .route(first::TEST, post(me::test))
        .route(me::ready::PATH, get(me::ready::show))
        .route("/messages/{id}", get(me::message::show))
        .route(on_call::load::PATH, get(on_call::load::show))
        .route(on_call::drills::PATH, get(on_call::drills::show).post(on_call::drills::start))
        .route(on_call::drills::ONE, get(on_call::drills::one))
        .route(on_call::drills::STOP, get(on_call::drills::back).post(on_call::drills::stop))
        .route(on_call::calendar::PATH, get(on_call::calendar::show))
        .route(on_call::suggest::PATH, get(on_call::suggest::show).post(on_call::suggest::accept))
        .route(on_call::calendar::OVERRIDE, get(on_call::calendar::back).post(on_call::calendar::take))
        .route(on_call::calendar::TEMPORARY, get(on_call::calendar::back).post(on_call::calendar::make_temporary))
        .route(on_call::calendar::TEMPORARY_END, get(on_call::calendar::back_of_temporary).post(on_call::calendar::end_temporary))
        .route("/on-call/override", post(on_call::take))
        .route("/on-call/override/{id}/end", post(on_call::end))
        .route(on_call::absences::ENTER, post(on_call::acts::enter_absence))
        .route(on_call::absences::END, post(on_call::acts::end_absence))
        .route(on_call::cover::ASK, post(on_call::acts::ask_for_cover))
        .route(on_call::cover::ANSWER, post(on_call::acts::answer_cover))
        .route(on_call::feeds::MINE, post(on_call::acts::make_calendar))
        .route(on_call::feeds::OF_SCHEDULE, post(on_call::acts::make_calendar_of_schedule))
        .route(on_call::feeds::REVOKE, post(on_call::feeds::revoke))
        .route("/services/{id}", get(services::one))
        .route(saved::SAVE, post(saved::save))
        .route(saved::RENAME, post(saved::rename))
        .route(saved::REMOVE, post(saved::remove))
        .route("/actions/{id}/{verb}", post(learning::actions::act))
        .route("/reviews/{id}", get(learning::reviews::one))
        .route("/reviews/{id}/{verb}", get(learning::reviews::back).post(learning::reviews::act))
        .route("/settings/refused", get(settings::refused))
        .route("/settings/audit", get(settings::audit::show))
        .route("/settings/{kind}", get(settings::of_kind).post(settings::add))
        .route("/settings/{kind}/{id}", get(settings::one).post(settings::save))
        .route("/settings/plan/{id}/adopt", post(settings::adopt::adopt))
        .route("/settings/person/{id}/invite", post(settings::invite))
        .route("/settings/integration/{id}/test", post(settings::test_alarm))
        .route("/settings/{kind}/{id}/remove", get(settings::back).post(settings::remove))
        .route("/settings/{kind}/{id}/detach", get(settings::back).post(settings::detach))
        .route("/live", get(live::follow))
        .route("/a/{token}", get(message_link::show).post(message_link::acknowledge))
        .route("/a/{token}/decline", post(message_link::decline).get(message_link::back))
        .route(
            "/a/{token}/{verb}",
            post(message_link::goes_on::submit)
                .layer(DefaultBodyLimit::max(message_link::goes_on::FORM_BYTES_MAX))
                .get(message_link::back_of_verb),
        )
        .route("/guest/{token}", get(guest::show))
        .route("/guest/{token}/{verb}", post(guest::act).layer(DefaultBodyLimit::max(guest::FORM_BYTES_MAX)).get(guest::back))
        .merge(reports::routes())
        .merge(access::sign_in::routes())
        .merge(me::account::routes())
        .merge(me::reached::routes())
        .layer(axum::middleware::from_fn_with_state(app.clone(), access::visitor::guarded))
        .layer(axum::middleware::map_response(frame::assets::secured))
        .layer(axum::middleware::from_fn(frame::packing::packed))
        .with_state(app);
    frame::assets::routes().merge(frame::push::routes()).merge(pages)
}

/// The page for a path that leads nowhere, for the program's fallback.
#[must_use]
pub fn not_found(headers: &HeaderMap) -> Response {
    let refusal = frame::refused::Refused::missing("page", "Start from the board.");
    frame::assets::secure(refusal.answer(frame::refused::wants_html(headers)))
}
