//! The audit log, for administrators.

use allclear_domain::access::Right;
use allclear_domain::audit::Kind;
use allclear_domain::ids::AuditId;
use allclear_domain::view::AuditView;
use allclear_store::rows::audit;

use super::{LIST_MAX, NoAnswer, Queries};

impl Queries<'_> {
    /// The audit log, newest first.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn audit(&self, before: Option<AuditId>, limit: i64) -> Result<Vec<AuditView>, NoAnswer> {
        self.may(Right::Administer)?;
        let org = self.engine().org();
        let name = |id: &str| org.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone());
        let view = |entry: audit::StoredEntry| {
            let who = match entry.actor.split_once(':') {
                Some(("person", id)) => name(id),
                Some(("token", id)) => format!("the token {id}"),
                Some(_) => entry.actor.clone(),
                None if entry.actor == "administrator" => "An administrator".to_owned(),
                None => entry.actor.clone(),
            };
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == entry.kind);
            let mut line = format!("{who} {}", kind.map_or_else(|| entry.kind.clone(), |kind| kind.says().to_owned()));
            if let Some(about) = &entry.about {
                line.push_str(&format!(" {}", name(about)));
            }
            if let Some(detail) = &entry.detail {
                line.push_str(&format!(": {detail}"));
            }
            AuditView {
                id: entry.id.to_string(),
                at: entry.at,
                kind: entry.kind,
                actor: entry.actor,
                about: entry.about,
                detail: entry.detail,
                address: entry.address,
                line,
            }
        };
        Ok(audit::list(self.db(), before, limit.clamp(1, LIST_MAX)).await?.into_iter().map(view).collect())
    }
}
