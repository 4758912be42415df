//! Whether single letters do something in this browser: a plain cookie without anything of its reader in it, set by a
//! form of *Me*, so that people who speak to their computer, or whose fingers rest on the keys, can switch them off.

use axum::Form;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::reader::{Fields, answer, reader};
use crate::app::App;

/// Where the form goes.
pub(crate) const PATH: &str = "/menu/letters";
/// The page that has the form.
const BACK: &str = "/menu";
/// What the cookie says where they are off; `js/keys.js` reads it.
const OFF: &str = "letters=off";
/// Seconds that a browser keeps it: a year, about the longest that browsers keep any.
const KEPT_S: u32 = 31_536_000;

/// Whether they are off.
fn is_off(headers: &HeaderMap) -> bool {
    let said = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|line| line.split(';')).any(|cookie| cookie.trim() == OFF)
}

/// The form.
pub(crate) fn form(headers: &HeaderMap) -> Markup {
    let off = is_off(headers);
    html! {
        section {
            h2 { "Letters as keys" }
            p class="prose" {
                @if off { "They do nothing in this browser." }
                @else {
                    "They are on in this browser: " kbd { "?" } " lists them, and " kbd { "a" } " acknowledges the row that has the focus."
                }
            }
            form method="post" action=(PATH) {
                button class="may" type="submit" name="letters" value=(if off { "on" } else { "off" }) {
                    @if off { "Switch letters on" } @else { "Switch letters off" }
                }
            }
        }
    }
}

/// POST.
pub(crate) async fn set(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        reader(&app, &headers).await?;
        let off = fields.get("letters").is_some_and(|word| word == "off");
        let secure = if app.engine.base_url().starts_with("https:") { "; Secure" } else { "" };
        let kept = if off { KEPT_S } else { 0 };
        let cookie = format!("{OFF}; Path=/; Max-Age={kept}; SameSite=Lax{secure}");
        Ok(([(SET_COOKIE, cookie)], Redirect::to(BACK)).into_response())
    })
    .await
}
