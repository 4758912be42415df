//! What whoever asked something of an incident is told of it afterwards, in lines below the incident's own.

use jiff::Timestamp;

use super::{IncidentView, card};
use crate::ask::{Came, Given};
use crate::incident::running::RecoveryState;
use crate::incident::work::TaskState;

impl IncidentView {
    /// What came of something that was asked with this; nothing where the incident's own line says it. `when` says how far
    /// away a time is.
    #[must_use]
    pub fn came(&self, came: Came, given: &Given, when: impl Fn(Timestamp) -> String) -> Option<String> {
        match came {
            Came::Itself => None,
            Came::Roles => Some(self.roles_held() + &self.role_notes(given.text("role").as_deref())),
            Came::Plan => self.plan_lines(given.text("plan").as_deref()),
            Came::Recovery => Some(self.recovery_line()),
            Came::Task => self.task_line(given.number("task"), when),
            Came::Audiences => {
                let told = given.list("audiences").filter(|told| !told.is_empty());
                Some(format!("update sent to {}", told.map_or_else(|| "the log only".to_owned(), |told| told.join(", "))))
            }
            Came::Reminder => {
                let who = self.snoozed_by.as_deref().unwrap_or("whoever has it");
                self.snoozed_until.map(|until| format!("{who} is reminded {}, and nobody is asked before", when(until)))
            }
            Came::Sight if self.private => Some("private: only those it concerns see it".to_owned()),
            Came::Sight => Some("everybody may see it".to_owned()),
            Came::Obligations => Some(self.obligation_lines(given.number("obligation"), when)),
            Came::Export => self.export.as_ref().and_then(|export| serde_json::to_string_pretty(export).ok()),
            Came::GuestLink => {
                let replaced = if self.guest_replaced { ", the one before works no more" } else { "" };
                self.guest_url.as_ref().map(|url| format!("guest link, shown once{replaced}: {url}"))
            }
        }
    }

    /// What of the plan comes first; a line each.
    fn plan_lines(&self, plan: Option<&str>) -> Option<String> {
        let running = self.plans.iter().find(|one| Some(one.plan.as_str()) == plan)?;
        let overdue = running.overdue_since.map_or_else(String::new, |day| format!(", which was to be looked through by {day}"));
        let head = format!("plan {} (version {}){overdue}: {} tasks", running.name, running.version, running.steps);
        let next = self.tasks.iter().filter(|task| task.plan.as_deref() == plan && task.is_next());
        let lines = next.map(|task| {
            let who = task.owner.as_deref().or(task.doer.as_deref()).or(task.role.as_deref()).unwrap_or("nobody has it");
            let choose = task.to_choose().map_or_else(String::new, |options| format!(" (choose: {options})"));
            let deed = task.deed.as_ref().map_or_else(String::new, |deed| format!(" ({}: {})", deed.host, deed.words()));
            format!("\ntask {}, {who}: {}{choose}{deed}", task.task, task.text)
        });
        Some(head + &lines.collect::<String>())
    }

    /// What of the recovery is still open.
    fn recovery_line(&self) -> String {
        let open: Vec<String> = self
            .recovery
            .iter()
            .filter(|item| item.state == RecoveryState::Open)
            .map(|item| format!("{}. {}", item.item, item.text))
            .chain(
                self.restored
                    .iter()
                    .filter(|one| !one.through)
                    .map(|one| format!("{} is {}", one.service, crate::incident::running::back_in_words(one.percent, one.backlog))),
            )
            .collect();
        if open.is_empty() { "nothing of its recovery is open".to_owned() } else { format!("still open: {}", open.join("; ")) }
    }

    /// The obligation that was named, else the one that was proposed last: how it stands, and what is due.
    fn obligation_lines(&self, number: Option<u32>, when: impl Fn(Timestamp) -> String) -> String {
        let named = number.map_or_else(|| self.obligations.last(), |number| self.obligations.iter().find(|one| one.obligation == number));
        let Some(one) = named else { return "no obligation".to_owned() };
        let head = format!("obligation {} {}: {} ({})", one.obligation, one.state.words(), one.name, one.status.words());
        match one.owed().and_then(|report| Some((report, report.due_at?))) {
            Some((report, due_at)) => {
                format!("{head}\nreport {}, {}, to {}: due {}", report.report, report.name, one.recipient, when(due_at))
            }
            None => head,
        }
    }

    /// Who has which role.
    fn roles_held(&self) -> String {
        let held = self.roles.iter().filter_map(|role| match (&role.person, &role.offered_to) {
            (Some(person), Some(asked)) => Some(format!("{} {person} ({asked} was asked, no answer yet)", role.role)),
            (Some(person), None) => {
                let asks = role.asked_by.as_ref().map_or_else(String::new, |by| format!(" ({by} asks to take over)"));
                Some(format!("{} {person}{asks}", role.role))
            }
            (None, Some(asked)) => Some(format!("{} nobody ({asked} was asked, no answer yet)", role.role)),
            (None, None) => None,
        });
        let held: Vec<String> = held.collect();
        if held.is_empty() { "nobody has a role".to_owned() } else { held.join(", ") }
    }

    /// What is worth knowing of the role that was given, and its card where somebody has it; a line each.
    fn role_notes(&self, role: Option<&str>) -> String {
        let Some(role) = self.roles.iter().find(|one| Some(one.role.as_str()) == role) else { return String::new() };
        let warnings = role.warnings.iter().map(|words| format!("warning: {words}"));
        let duties = if role.person.is_some() { role.duties.as_slice() } else { &[] };
        let card = card(duties).map(|(heading, texts)| format!("{heading}: {}", texts.join("; ")));
        warnings.chain(card).map(|line| format!("\n{line}")).collect()
    }

    /// The task with this number, else the one that was added last.
    fn task_line(&self, number: Option<u32>, when: impl Fn(Timestamp) -> String) -> Option<String> {
        let task = number.map_or_else(|| self.tasks.last(), |number| self.tasks.iter().find(|task| task.task == number))?;
        let due = task.due_at.filter(|_| task.state == TaskState::Open).map_or_else(String::new, |at| format!(", due {}", when(at)));
        let owner = task.owner.as_deref().unwrap_or("nobody has it");
        let deed = task.deed.as_ref().map_or_else(String::new, |deed| format!("\n{}: {}", deed.host, deed.words()));
        Some(format!("task {} {}, {owner}{due}: {}{deed}", task.task, task.state.word(), task.text))
    }
}
