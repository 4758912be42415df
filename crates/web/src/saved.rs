//! Saved views: links to boards and searches under names, on the board and on the search, and the forms that keep, rename and remove them.

use allclear_domain::access::{Principal, Right};
use allclear_domain::find::saved::NAME_CHARS_MAX;
use allclear_domain::view::SavedView;
use allclear_engine::saved::NoView;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::reader::{Fields, actor, answer};
use crate::access::visitor::local;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};

/// Where one is kept.
pub(crate) const SAVE: &str = "/saved";
/// Where one is given another name.
pub(crate) const RENAME: &str = "/saved/{id}/rename";
/// Where one is taken away.
pub(crate) const REMOVE: &str = "/saved/{id}/remove";

/// What a reader has, and what a page shows of it.
#[derive(Default)]
pub(crate) struct Saved {
    views: Vec<SavedView>,
    /// Teams with which the reader may share one: id and name.
    teams: Vec<(String, String)>,
    may: bool,
}

impl Saved {
    /// Those of the reader; nothing where they have none and may keep none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn of(app: &App, who: &Principal) -> Result<Self, Refused> {
        let Some(person) = who.person() else { return Ok(Self::default()) };
        let views = match app.engine.saved_views(who).await {
            Ok(views) => views,
            Err(NoView::Store(why)) => {
                tracing::error!(%why, "saved views cannot be listed");
                return Err(Refused::store(None));
            }
            Err(_) => return Ok(Self::default()),
        };
        let org = app.engine.org();
        let is_in = |people: &[String]| people.iter().any(|id| id == person);
        let teams = org.bundle().teams.iter().filter(|team| is_in(&team.members) || is_in(&team.managers));
        let teams = teams.map(|team| (team.id.clone(), team.name.clone())).collect();
        Ok(Self { views, teams, may: app.engine.queries(who).has(Right::Respond) })
    }

    /// Links to them; the one that is open is marked.
    pub(crate) fn links(&self, here: &str) -> Markup {
        html! {
            @if !self.views.is_empty() {
                nav class="filter saved" aria-label="Saved views" {
                    @for view in &self.views {
                        a href=(view.address) aria-current=[(view.address == here).then_some("true")] {
                            bdi { (view.name) }
                            @if let Some(team) = &view.team { span class="n" { (self.team(team)) } }
                        }
                    }
                }
            }
        }
    }

    fn team<'a>(&'a self, id: &'a str) -> &'a str {
        self.teams.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }

    /// The form that keeps what is open.
    pub(crate) fn form(&self, here: &str) -> Markup {
        html! {
            @if self.may && !self.views.iter().any(|view| view.address == here) {
                details class="act-one" {
                    summary { "Save this view" }
                    form method="post" action=(SAVE) {
                        input type="hidden" name="address" value=(here);
                        label class="field" { span { "Name" } input name="name" required maxlength=(NAME_CHARS_MAX) autocomplete="off"; }
                        @if !self.teams.is_empty() {
                            label class="field" {
                                span { "For" }
                                select name="team" {
                                    option value="" { "Me" }
                                    @for (id, name) in &self.teams { option value=(id) { (name) } }
                                }
                            }
                        }
                        button class="do" type="submit" { "Save it" }
                    }
                }
            }
        }
    }

    /// All of them with what can be done.
    pub(crate) fn list(&self) -> Markup {
        html! {
            @if self.may && !self.views.is_empty() {
                details class="act-one" {
                    summary { "Rename or remove saved views" }
                    ul class="list" {
                        @for view in &self.views {
                            @let id = pieces::escaped(&view.id);
                            li {
                                form class="row-of" method="post" action={ "/saved/" (id) "/rename" } {
                                    label class="vh" for={ "name-" (view.id) } { "Name" }
                                    input id={ "name-" (view.id) } name="name" value=(view.name) required maxlength=(NAME_CHARS_MAX);
                                    button class="may" type="submit" { "Rename" }
                                }
                                form method="post" action={ "/saved/" (id) "/remove" } {
                                    button class="may" type="submit" aria-label={ "Remove " (view.name) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn refused(why: NoView) -> Refused {
    let back = html! { p { a href="/search" { "Saved views" } } };
    match why {
        NoView::Denied(no) => no.into(),
        NoView::Store(why) => {
            tracing::error!(%why, "a saved view was not written");
            Refused::store(None)
        }
        NoView::Missing(_) => Refused::missing("saved view", "It was removed, or is another person's."),
        NoView::NoPerson | NoView::Bad(_) | NoView::NoTeam(_) | NoView::Taken | NoView::TooMany => {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "This was not saved", sentence(&why.to_string()), back)
        }
    }
}

/// POST.
pub(crate) async fn save(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        let said = |key: &str| fields.get(key).map_or("", String::as_str);
        let team = Some(said("team")).filter(|team| !team.is_empty());
        let address = match app.engine.save_view(&who, said("name"), said("address"), team).await {
            Ok(made) => made.address,
            // A second press finds it there, which is what was asked for.
            Err(NoView::Taken) if is_there(&app, &who, said("name"), said("address")).await => said("address").to_owned(),
            Err(why) => return Err(refused(why)),
        };
        Ok(Redirect::to(local(Some(&address))).into_response())
    })
    .await
}

async fn is_there(app: &App, who: &Principal, name: &str, address: &str) -> bool {
    let views = app.engine.saved_views(who).await.unwrap_or_default();
    views.iter().any(|view| view.name == name.trim() && view.address == address)
}

/// POST.
pub(crate) async fn rename(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        let name = fields.get("name").map_or("", String::as_str);
        app.engine.rename_view(&who, &id, name).await.map_err(refused)?;
        Ok(Redirect::to("/search").into_response())
    })
    .await
}

/// POST.
pub(crate) async fn remove(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        match app.engine.remove_view(&who, &id).await {
            // A second press finds it gone, which is what was asked for.
            Ok(()) | Err(NoView::Missing(_)) => Ok(Redirect::to("/search").into_response()),
            Err(why) => Err(refused(why)),
        }
    })
    .await
}
