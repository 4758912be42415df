//! The audit log: a line with every sign-in, token, invitation and change of access, in the same commit as what it tells of.

use allclear_domain::access::Actor;
use allclear_domain::audit::{Entry, Kind};
use allclear_domain::ids::AuditId;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_store::Write;
use allclear_store::rows::audit;
use serde_json::Value;

use crate::engine::Engine;
use crate::identity::visitor::Visitor;

impl Engine {
    /// A line of what somebody did.
    pub(crate) fn audited(&self, kind: Kind, actor: &Actor, about: Option<&str>, detail: Option<String>) -> Write {
        audit::add(&self.entry(kind, actor, about, detail))
    }

    /// A line of what a person did at the door.
    pub(crate) fn audited_at_the_door(&self, kind: Kind, person: &str, visitor: &Visitor<'_>) -> Write {
        let address = visitor.address.map(|address| address.to_string());
        audit::add(&Entry { address, ..self.entry(kind, &Actor::Person(person.to_owned()), None, None) })
    }

    /// The line of a change of a form, where it changes what somebody may; nothing where it does not.
    pub(crate) fn audited_form(&self, actor: &Actor, old: Option<&Value>, form: &Form) -> Option<Write> {
        let (kind, was, is) = if form.kind == FormKind::Person {
            (Kind::AccessChanged, access(old), access(Some(&form.body)))
        } else if form.kind == FormKind::Team {
            (Kind::ManagersChanged, managers(old), managers(Some(&form.body)))
        } else {
            return None;
        };
        // Somebody new is news by more than the usual access alone.
        let usual = old.is_none() && is == access(None);
        (was != is && !usual).then(|| self.audited(kind, actor, Some(&form.id), Some(format!("{was} → {is}"))))
    }

    fn entry(&self, kind: Kind, actor: &Actor, about: Option<&str>, detail: Option<String>) -> Entry {
        let id = AuditId::from_bits(self.fresh_id());
        Entry { id, at: self.now(), kind, actor: actor.clone(), about: about.map(ToOwned::to_owned), detail, address: None }
    }
}

/// What a person's form gives them; a responder's where it does not say.
fn access(body: Option<&Value>) -> String {
    body.and_then(|body| body.get("access")?.as_str()).unwrap_or("responder").to_owned()
}

fn managers(body: Option<&Value>) -> String {
    let ids: Vec<&str> = body.and_then(|body| body.get("managers")?.as_array()).into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") }
}
