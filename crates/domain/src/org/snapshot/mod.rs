//! The organisation as decisions read it: immutable, indexed, in memory, with a version.
//!
//! Route → service → escalation → schedule → person → notification rule is a walk over this,
//! without I/O; events cite its version. Explaining and what-if are the same walk over another
//! one. It is built from any bundle: what cannot be used is left out and named in
//! [`Org::unusable`], since an organisation stored long ago must still page whom it can.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::forms::calendar::{Calendar, Calendars, HolidayLists};
use super::forms::obligation::ObligationForm;
use super::forms::organisation::Organisation;
pub use super::forms::role::ROLES;
use super::forms::service_target::{ServiceTarget, most_particular};
pub use super::forms::target::Target;
use super::matrix::Matrix;
use super::model::{
    Audience, Bundle, Contact, Escalation, IncidentType, Integration, Level, NotifyUrgency, Override, OwnContacts, Person, Plan,
    ReportForm, Route, Schedule, Service, Silence, Slug, Team, TemporarySchedule,
};
use super::problem::{Place, Problem};
pub use super::roles::RoleSetting;
use crate::channel::WaysOut;
use crate::matcher::Matchers;
use crate::obligation::{Days, Period};
use crate::oncall::{Because, CompiledSchedule, Feeds, NEXT_AHEAD, OnCall};
use crate::severity::Severity;
use crate::time::Length;

/// What stands before an audience's id where addresses of its own are told: in targets, and in the place
/// of a person in messages.
pub const AUDIENCE: &str = "audience:";
/// The same before the id of another organisation.
pub const ORGANISATION: &str = "organisation:";
/// The same before the id of a plan, whose steps stand in the place of contacts: what they do goes to an address of their own.
pub const PLAN: &str = "plan:";
/// The same before the id of a service, where one stands among people.
pub const SERVICE: &str = "service:";
/// How often stakeholders of the worst incidents are told, where nothing is said: PagerDuty's public guide has
/// 20 to 30 minutes for executives.
const UPDATE_EVERY_WORST: Length = Length::from_mins(30);
/// The same for sev3.
const UPDATE_EVERY_SEV3: Length = Length::from_mins(60);

/// How long an acknowledgement of a sev1 lasts where nothing is said: as long as between two updates.
const ACKNOWLEDGEMENT_LASTS_SEV1: Length = Length::from_mins(30);
/// The same for sev2: twice that.
const ACKNOWLEDGEMENT_LASTS_SEV2: Length = Length::from_mins(60);

/// All forms at one version.
#[derive(Debug, Clone)]
pub struct Org {
    /// Grows with every change; cited by events.
    pub version: u64,
    channels: WaysOut,
    bundle: Bundle,
    people: HashMap<Slug, usize>,
    /// Those who say themselves how they are reached, with that beside their form.
    reached: HashMap<Slug, Person>,
    teams: HashMap<Slug, usize>,
    schedules: HashMap<Slug, usize>,
    compiled: HashMap<Slug, CompiledSchedule>,
    calendars: Calendars,
    holidays: HolidayLists,
    feeds: Feeds,
    overrides: HashMap<Slug, Vec<Override>>,
    escalations: HashMap<Slug, usize>,
    services: HashMap<Slug, usize>,
    integrations: HashMap<Slug, usize>,
    integration_keys: HashMap<String, usize>,
    /// Report forms as senders.
    report_senders: Vec<Integration>,
    routes: Vec<CompiledRoute>,
    silences: Vec<CompiledSilence>,
    severities: [SeveritySetting; 5],
    roles: Vec<RoleSetting>,
    proposed: Vec<ProposedPlan>,
    /// Where the steps of plans that do something send it, by the plan.
    deeds: HashMap<Slug, Vec<Contact>>,
    matrix: Matrix,
    /// Obligations that are proposed by matchers, by their places in the file.
    may_apply: Vec<ProposedPlan>,
    unusable: Vec<Problem>,
}

/// Where the steps of a plan send what they do.
fn deeds_of(plan: &Plan) -> Vec<Contact> {
    plan.tasks.iter().filter_map(|task| Some(task.deed.as_ref()?.as_contact(&task.id))).collect()
}

/// A route whose matchers are read.
#[derive(Debug, Clone)]
pub struct CompiledRoute {
    /// Its id, or `route N` by its position from 1.
    pub name: String,
    /// What it matches.
    pub matchers: Matchers,
    /// What it does.
    pub route: Route,
}

/// A plan that is proposed where its matchers fit, by its place in the file.
#[derive(Debug, Clone)]
struct ProposedPlan {
    at: usize,
    matchers: Matchers,
}

/// A silence whose matchers are read.
#[derive(Debug, Clone)]
pub struct CompiledSilence {
    /// As written.
    pub silence: Silence,
    /// What it matches.
    pub matchers: Matchers,
}

impl CompiledSilence {
    /// Whether its time has come and is not over.
    #[must_use]
    pub fn is_active(&self, at: Timestamp) -> bool {
        self.silence.starts_at <= at && at < self.silence.ends_at
    }
}

/// What a severity means here, with the defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveritySetting {
    /// Which.
    pub id: Severity,
    /// What people call it; `sev1` where not said.
    pub name: String,
    /// Which list of a person's rules is used.
    pub notify: NotifyUrgency,
    /// Cadence of updates.
    pub update_every: Option<Length>,
    /// How long a review may take; `None`: none is asked for.
    pub review_within: Option<ReviewWithin>,
    /// How long an acknowledgement lasts while nobody does anything; `None`: it does not age.
    pub acknowledgement_lasts: Option<Length>,
}

/// How long a review may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewWithin {
    Length(Length),
    /// Days from Monday to Friday, in UTC.
    BusinessDays(u32),
}

/// Of a severity of which nothing is said (design: five business days).
pub const REVIEW_BUSINESS_DAYS: u32 = 5;

impl ReviewWithin {
    /// When it is due, counted from an instant.
    #[must_use]
    pub fn due_at(self, from: Timestamp) -> Timestamp {
        let days = match self {
            Self::Length(length) => return crate::time::after(from, length),
            Self::BusinessDays(days) => days,
        };
        let mut at = from.to_zoned(TimeZone::UTC);
        let mut left = days;
        while left > 0 {
            let Ok(next) = at.tomorrow() else { return from };
            at = next;
            if !matches!(at.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) {
                left -= 1;
            }
        }
        at.timestamp()
    }
}

/// Whom a target names at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Each once, with how they came to be named: `on call in payments-primary (layer 1)`.
    pub people: Vec<(Slug, String)>,
    /// Where nobody is named: the reason, to follow "nobody was notified because".
    pub why_nobody: Option<String>,
}

/// How somebody is reached: a contact, and how long after the page reaches them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach<'a> {
    /// Verified.
    pub contact: &'a Contact,
    /// The channel that its address is for.
    pub channel: &'static str,
    /// After the page reaches the person.
    pub after: Length,
}

/// Notification urgency of a severity of which nothing is said: sev1–sev3 wake people.
#[must_use]
pub const fn default_urgency(severity: Severity) -> NotifyUrgency {
    NotifyUrgency::usual(severity)
}

impl Org {
    /// Indexes a bundle. Of two forms with one id the first counts. `channels` are those that there are here.
    #[must_use]
    pub fn build(version: u64, bundle: Bundle, channels: WaysOut) -> Self {
        let mut unusable = Vec::new();
        let holidays = bundle.holiday_lists();
        let people = index(&bundle.people, |form| &form.id);
        let beside = |own: &OwnContacts| Some((own.id.clone(), own.beside(&bundle.people[*people.get(&own.id)?], channels)));
        let reached: HashMap<Slug, Person> = bundle.own_contacts.iter().filter_map(beside).collect();
        let everybody = bundle.people.iter().map(|form| reached.get(&form.id).unwrap_or(form));
        let feeds = Feeds::of(&bundle.external_calendars, &bundle.calendar_copies, everybody);
        let mut calendars = Calendars::new();
        for (at, form) in bundle.calendars.iter().enumerate() {
            match Calendar::compile(form, &holidays) {
                Ok(calendar) => {
                    calendars.entry(form.id.clone()).or_insert(calendar);
                }
                Err(problems) => {
                    let place = Place::root().key("calendars").index(at);
                    unusable.extend(problems.into_iter().map(|p| p.below(&place)));
                }
            }
        }
        let mut compiled: HashMap<Slug, CompiledSchedule> = HashMap::new();
        for (at, form) in bundle.schedules.iter().enumerate() {
            match CompiledSchedule::compile(form, &calendars) {
                Ok(schedule) => {
                    compiled.entry(form.id.clone()).or_insert_with(|| schedule.fed(form, &feeds));
                }
                Err(problems) => {
                    let place = Place::root().key("schedules").index(at);
                    unusable.extend(problems.into_iter().map(|p| p.below(&place)));
                }
            }
        }
        for (at, form) in bundle.temporary_schedules.iter().enumerate() {
            let Some(schedule) = compiled.get_mut(&form.schedule) else { continue };
            if let Err(problems) = schedule.take(form, &calendars) {
                let place = Place::root().key("temporary_schedules").index(at);
                unusable.extend(problems.into_iter().map(|p| p.below(&place)));
            }
        }
        let mut overrides: HashMap<Slug, Vec<Override>> = HashMap::new();
        for form in &bundle.overrides {
            overrides.entry(form.schedule.clone()).or_default().push(form.clone());
        }
        let mut routes = Vec::with_capacity(bundle.routes.len());
        for (at, route) in bundle.routes.iter().enumerate() {
            match Matchers::parse(&route.matches) {
                Ok(matchers) => {
                    let name = route.id.clone().unwrap_or_else(|| format!("route {}", at + 1));
                    routes.push(CompiledRoute { name, matchers, route: route.clone() });
                }
                Err(bad) => {
                    unusable.push(Problem::error(Place::root().key("routes").index(at).key("match"), bad.to_string()));
                }
            }
        }
        let mut silences = Vec::with_capacity(bundle.silences.len());
        for (at, silence) in bundle.silences.iter().enumerate() {
            match Matchers::parse(&silence.matches) {
                Ok(matchers) => silences.push(CompiledSilence { silence: silence.clone(), matchers }),
                Err(bad) => {
                    unusable.push(Problem::error(Place::root().key("silences").index(at).key("match"), bad.to_string()));
                }
            }
        }
        let mut proposed = Vec::new();
        for (at, plan) in bundle.plans.iter().enumerate().filter(|(_, plan)| !plan.matches.trim().is_empty()) {
            match Matchers::parse(&plan.matches) {
                Ok(matchers) => proposed.push(ProposedPlan { at, matchers }),
                Err(bad) => {
                    unusable.push(Problem::error(Place::root().key("plans").index(at).key("match"), bad.to_string()));
                }
            }
        }
        let mut may_apply = Vec::new();
        for (at, form) in bundle.obligations.iter().enumerate().filter(|(_, form)| !form.matches.trim().is_empty()) {
            match Matchers::parse(&form.matches) {
                Ok(matchers) => may_apply.push(ProposedPlan { at, matchers }),
                Err(bad) => {
                    unusable.push(Problem::error(Place::root().key("obligations").index(at).key("match"), bad.to_string()));
                }
            }
        }
        let mut integration_keys = HashMap::new();
        for (at, form) in bundle.integrations.iter().enumerate() {
            if let Some(key) = &form.key {
                integration_keys.entry(key.clone()).or_insert(at);
            }
        }
        Self {
            version,
            people,
            reached,
            teams: index(&bundle.teams, |form| &form.id),
            schedules: index(&bundle.schedules, |form| &form.id),
            compiled,
            calendars,
            holidays,
            feeds,
            overrides,
            escalations: index(&bundle.escalations, |form| &form.id),
            services: index(&bundle.services, |form| &form.id),
            integrations: index(&bundle.integrations, |form| &form.id),
            report_senders: bundle.report_forms.iter().map(ReportForm::as_sender).collect(),
            integration_keys,
            routes,
            silences,
            severities: Severity::ALL.map(|severity| severity_setting(&bundle, severity)),
            roles: super::roles::catalogue(&bundle),
            proposed,
            deeds: bundle.plans.iter().map(|plan| (plan.id.clone(), deeds_of(plan))).filter(|(_, deeds)| !deeds.is_empty()).collect(),
            matrix: Matrix::of(&bundle.triage),
            may_apply,
            unusable,
            channels,
            bundle,
        }
    }

    /// The channels that there are here.
    #[must_use]
    pub const fn channels(&self) -> WaysOut {
        self.channels
    }

    /// The forms it was built from.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }
    /// The person of this id, with what they say themselves of how they are reached.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.reached.get(id).or_else(|| self.person_as_written(id))
    }
    /// The same as their form is written.
    #[must_use]
    pub fn person_as_written(&self, id: &str) -> Option<&Person> {
        self.people.get(id).map(|at| &self.bundle.people[*at])
    }
    /// Everybody, as [`Self::person`] has them.
    pub fn everybody(&self) -> impl Iterator<Item = &Person> {
        self.bundle.people.iter().map(|form| self.reached.get(&form.id).unwrap_or(form))
    }
    /// What somebody says themself of how they are reached.
    #[must_use]
    pub fn own_contacts(&self, person: &str) -> Option<&OwnContacts> {
        self.bundle.own_contacts.iter().find(|own| own.id == person)
    }
    /// The time zone of a person; UTC for whoever named none or is not here.
    #[must_use]
    pub fn zone_of(&self, person: &str) -> TimeZone {
        let name = self.person(person).and_then(|person| person.time_zone.as_deref());
        name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }
    /// The team of this id.
    #[must_use]
    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.get(id).map(|at| &self.bundle.teams[*at])
    }
    /// The schedule of this id, as written.
    #[must_use]
    pub fn schedule_form(&self, id: &str) -> Option<&Schedule> {
        self.schedules.get(id).map(|at| &self.bundle.schedules[*at])
    }
    /// The schedule of this id, ready to answer; absent also where it cannot be used.
    #[must_use]
    pub fn schedule(&self, id: &str) -> Option<&CompiledSchedule> {
        self.compiled.get(id)
    }
    /// The calendars that can be read.
    #[must_use]
    pub const fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// What a day is called that somebody has off by a public holiday, in their own time zone; an empty name where it has none.
    #[must_use]
    pub fn holiday_of(&self, person: &str, day: Date) -> Option<&str> {
        let lists = self.person(person)?.public_holidays.iter();
        lists.filter_map(|id| self.holidays.get(id)).find_map(|days| days.name_of(day))
    }

    /// Whether somebody names public holidays at all.
    #[must_use]
    pub fn names_holidays(&self, person: &str) -> bool {
        self.person(person).is_some_and(|form| form.public_holidays.iter().any(|id| self.holidays.contains_key(id)))
    }

    /// The temporary schedules of a schedule, by their start.
    #[must_use]
    pub fn temporary(&self, schedule: &str) -> Vec<&TemporarySchedule> {
        let mut found: Vec<_> = self.bundle.temporary_schedules.iter().filter(|form| form.schedule == schedule).collect();
        found.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        found
    }

    /// A schedule as it would be read with its temporary ones.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compiled_as(&self, form: &Schedule) -> Result<CompiledSchedule, Vec<Problem>> {
        let mut schedule = CompiledSchedule::compile(form, &self.calendars)?.fed(form, &self.feeds);
        for temporary in self.temporary(&form.id) {
            // One that cannot be read holds nowhere, and is told by itself.
            drop(schedule.take(temporary, &self.calendars));
        }
        Ok(schedule)
    }

    /// The overrides of a schedule, in no order.
    #[must_use]
    pub fn overrides(&self, schedule: &str) -> &[Override] {
        self.overrides.get(schedule).map_or(&[], Vec::as_slice)
    }
    /// The escalation of this id.
    #[must_use]
    pub fn escalation(&self, id: &str) -> Option<&Escalation> {
        self.escalations.get(id).map(|at| &self.bundle.escalations[*at])
    }
    /// The service of this id.
    #[must_use]
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.get(id).map(|at| &self.bundle.services[*at])
    }
    /// The integration of this id.
    #[must_use]
    pub fn integration(&self, id: &str) -> Option<&Integration> {
        let sender = self.integrations.get(id).map(|at| &self.bundle.integrations[*at]);
        sender.or_else(|| self.report_senders.iter().find(|form| form.id == id))
    }
    /// The form of this id by which anybody reports.
    #[must_use]
    pub fn report_form(&self, id: &str) -> Option<&ReportForm> {
        self.bundle.report_forms.iter().find(|form| form.id == id)
    }
    /// The integration that a sender's key names. The lookup hashes the key, so its time tells
    /// nothing of how much of a guess was right.
    #[must_use]
    pub fn integration_by_key(&self, key: &str) -> Option<&Integration> {
        self.integration_keys.get(key).map(|at| &self.bundle.integrations[*at])
    }
    /// The catalogue of roles: the usual ones, then the organisation's own.
    #[must_use]
    pub fn roles(&self) -> &[RoleSetting] {
        &self.roles
    }
    /// The role of this id.
    #[must_use]
    pub fn role(&self, id: &str) -> Option<&RoleSetting> {
        self.roles.iter().find(|role| role.id == id)
    }
    /// The calendar of this id, ready to answer; absent also where it cannot be used.
    #[must_use]
    pub fn calendar(&self, id: &str) -> Option<&Calendar> {
        self.calendars.get(id)
    }
    /// The target of an incident of this severity and service; nothing where none is set for it.
    #[must_use]
    pub fn target_of(&self, severity: Severity, service: Option<&str>) -> Option<&ServiceTarget> {
        most_particular(&self.bundle.targets, severity, service)
    }
    /// The plan of this id.
    #[must_use]
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.bundle.plans.iter().find(|plan| plan.id == id)
    }
    /// Whether any plan is proposed for anything.
    #[must_use]
    pub fn proposes_plans(&self) -> bool {
        !self.proposed.is_empty() || self.bundle.types.iter().any(|form| form.plan.is_some())
    }
    /// The plans that are proposed for an incident of which `value` tells what a matcher sees under a name: its type's first, then
    /// those that match, in the order of the file.
    pub fn plans_for<'a>(&self, value: impl Fn(&str) -> &'a str) -> impl Iterator<Item = &Plan> {
        let of_type = self.incident_type(value("type")).and_then(|form| self.plan(form.plan.as_deref()?));
        let matching = self.proposed.iter().filter(move |plan| plan.matchers.fit(&value));
        let matching = matching.filter_map(|plan| self.bundle.plans.get(plan.at));
        of_type.into_iter().chain(matching.filter(move |plan| of_type.is_none_or(|other| other.id != plan.id)))
    }
    /// The obligation of this id.
    #[must_use]
    pub fn obligation(&self, id: &str) -> Option<&ObligationForm> {
        self.bundle.obligations.iter().find(|form| form.id == id)
    }
    /// Whether any obligation is proposed for anything.
    #[must_use]
    pub fn proposes_obligations(&self) -> bool {
        !self.may_apply.is_empty()
    }
    /// The obligations that may apply to an incident of which `value` tells what a matcher sees under a name, in the order of
    /// the file.
    pub fn obligations_for<'a>(&self, value: impl Fn(&str) -> &'a str) -> impl Iterator<Item = &ObligationForm> {
        self.may_apply.iter().filter(move |form| form.matchers.fit(&value)).filter_map(|form| self.bundle.obligations.get(form.at))
    }
    /// When a period is over that began at an instant, by the days of a calendar. Without one, or where it cannot be used,
    /// Saturdays and Sundays are free, and days are those of UTC.
    #[must_use]
    pub fn period_ends(&self, period: Period, from: Timestamp, calendar: Option<&str>) -> Timestamp {
        let Some(calendar) = calendar.and_then(|id| self.calendar(id)) else {
            let is_open = |day: Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            return period.ends(from, &Days { zone: &TimeZone::UTC, is_holiday: &|_| false, is_open: &is_open });
        };
        let (is_holiday, is_open) = (|day: Date| calendar.is_holiday(day), |day: Date| calendar.opens_on(day));
        period.ends(from, &Days { zone: calendar.zone(), is_holiday: &is_holiday, is_open: &is_open })
    }
    /// The audience of this id.
    #[must_use]
    pub fn audience(&self, id: &str) -> Option<&Audience> {
        self.bundle.audiences.iter().find(|audience| audience.id == id)
    }
    /// The other organisation of this id.
    #[must_use]
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.bundle.organisations.iter().find(|organisation| organisation.id == id)
    }
    /// When a length that begins at an instant is over, where only the hours of another organisation count. Where they do not
    /// open for so long, every hour counts: a request is not without an end because of a calendar.
    #[must_use]
    pub fn due_in_hours_of(&self, organisation: &str, from: Timestamp, within: Length) -> Timestamp {
        let hours = self.organisation(organisation).and_then(|form| form.hours.as_deref()).and_then(|id| self.calendar(id));
        hours.and_then(|hours| hours.after(from, within)).unwrap_or_else(|| crate::time::after(from, within))
    }
    /// A contact of a person, or of an audience or another organisation where the name begins with [`AUDIENCE`] or
    /// [`ORGANISATION`], or where a step of a plan sends what it does where it begins with [`PLAN`]; with a name to show.
    #[must_use]
    pub fn contact(&self, person: &str, contact: &str) -> Option<(&Contact, &str)> {
        if let Some(id) = person.strip_prefix(PLAN) {
            let (id, deeds) = self.deeds.get_key_value(id)?;
            return deeds.iter().find(|other| other.id == contact).map(|contact| (contact, id.as_str()));
        }
        if let Some(id) = person.strip_prefix(ORGANISATION) {
            let form = self.organisation(id)?;
            return form.contacts.iter().find(|other| other.id == contact).map(|contact| (contact, form.name.as_str()));
        }
        let (contacts, name) = match person.strip_prefix(AUDIENCE) {
            Some(id) => self.audience(id).map(|audience| (&audience.contacts, audience.name.as_ref().unwrap_or(&audience.id)))?,
            None => self.person(person).map(|person| (&person.contacts, &person.name))?,
        };
        contacts.iter().find(|other| other.id == contact).map(|contact| (contact, name.as_str()))
    }
    /// The managers of the team that a service belongs to.
    #[must_use]
    pub fn managers_of(&self, service: Option<&str>) -> Vec<String> {
        let team = service.and_then(|id| self.service(id)).and_then(|service| service.team.as_deref()).and_then(|id| self.team(id));
        team.map(|team| team.managers.iter().map(|id| format!("person:{id}")).collect()).unwrap_or_default()
    }
    /// Who answers for an incident where nobody has it: the managers of its service's team, else of the teams that its
    /// policy's schedules and targets belong to.
    #[must_use]
    pub fn managers_for(&self, service: Option<&str>, escalation: Option<&str>) -> Vec<String> {
        let managers = self.managers_of(service);
        if !managers.is_empty() {
            return managers;
        }
        let steps = escalation.and_then(|id| self.escalation(id)).map_or(&[] as &[_], |policy| &policy.steps);
        let team_of = |target: &String| match Target::parse(target)? {
            Target::Schedule(id) | Target::Next(id) => self.team(self.schedule_form(id)?.team.as_deref()?),
            Target::Team(id) => self.team(id),
            Target::Person(_) | Target::Audience(_) | Target::Organisation(_) => None,
        };
        let teams = steps.iter().flat_map(|step| &step.page).filter_map(team_of);
        let managers: std::collections::BTreeSet<&String> = teams.flat_map(|team| &team.managers).collect();
        managers.into_iter().map(|id| format!("person:{id}")).collect()
    }
    /// Whose policy it is: the teams of the services that it is set for, and those of the schedules and teams that it pages.
    #[must_use]
    pub fn teams_of_escalation(&self, escalation: &str) -> std::collections::BTreeSet<&str> {
        let services = self.bundle.services.iter().filter(|service| service.escalation.as_deref() == Some(escalation));
        let steps = self.escalation(escalation).map_or(&[] as &[_], |policy| &policy.steps);
        let team_of = |target: &String| match Target::parse(target)? {
            Target::Schedule(id) | Target::Next(id) => self.team(self.schedule_form(id)?.team.as_deref()?),
            Target::Team(id) => self.team(id),
            Target::Person(_) | Target::Audience(_) | Target::Organisation(_) => None,
        };
        let paged = steps.iter().flat_map(|step| &step.page).filter_map(team_of).map(|team| team.id.as_str());
        services.filter_map(|service| service.team.as_deref()).chain(paged).collect()
    }
    /// The managers of the teams that a person is in.
    #[must_use]
    pub fn managers_of_person(&self, person: &str) -> Vec<String> {
        let teams = self.bundle.teams.iter().filter(|team| team.members.iter().any(|member| member == person));
        let managers: std::collections::BTreeSet<&String> = teams.flat_map(|team| &team.managers).filter(|id| *id != person).collect();
        managers.into_iter().map(|id| format!("person:{id}")).collect()
    }
    /// The escalation of a service, where it has one.
    #[must_use]
    pub fn escalation_of(&self, service: &str) -> Option<&Escalation> {
        self.escalation(self.service(service)?.escalation.as_deref()?)
    }
    /// Whether a person answers for a team: as a member or as a manager.
    #[must_use]
    pub fn is_of_team(&self, person: &str, team: &str) -> bool {
        self.team(team).is_some_and(|form| form.members.iter().chain(&form.managers).any(|id| id == person))
    }
    /// The escalation of a team: that of the first of its services that has one, else the first that begins with the team or with
    /// one of its schedules.
    #[must_use]
    pub fn escalation_of_team(&self, team: &str) -> Option<&Escalation> {
        let its = |service: &&Service| service.team.as_deref() == Some(team);
        let of_service = self.bundle.services.iter().filter(its).find_map(|service| self.escalation(service.escalation.as_deref()?));
        let names = |target: &String| match Target::parse(target) {
            Some(Target::Team(id)) => id == team,
            Some(Target::Schedule(id) | Target::Next(id)) => self.schedule_form(id).is_some_and(|form| form.team.as_deref() == Some(team)),
            Some(Target::Person(_) | Target::Audience(_) | Target::Organisation(_)) | None => false,
        };
        let begins = |policy: &&Escalation| policy.steps.first().is_some_and(|step| step.page.iter().any(names));
        of_service.or_else(|| self.bundle.escalations.iter().find(begins))
    }
    /// In the order in which they are read.
    #[must_use]
    pub fn routes(&self) -> &[CompiledRoute] {
        &self.routes
    }
    /// All of them, whether their time has come or not.
    #[must_use]
    pub fn silences(&self) -> &[CompiledSilence] {
        &self.silences
    }
    /// What a severity means here.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> &SeveritySetting {
        &self.severities[usize::from(severity.rank() - 1)]
    }
    /// The severity of an impact and an urgency.
    #[must_use]
    pub fn severity_of(&self, impact: Level, urgency: Level) -> Severity {
        self.matrix.severity(impact, urgency)
    }
    /// The matrix of impact and urgency.
    #[must_use]
    pub const fn matrix(&self) -> &Matrix {
        &self.matrix
    }
    /// The type of incident of this id.
    #[must_use]
    pub fn incident_type(&self, id: &str) -> Option<&IncidentType> {
        self.bundle.types.iter().find(|form| form.id == id)
    }
    /// Who is paged when every round is through, as targets.
    #[must_use]
    pub fn catch_all(&self) -> &[String] {
        &self.bundle.catch_all
    }
    /// What of the bundle cannot be used and was left out.
    #[must_use]
    pub fn unusable(&self) -> &[Problem] {
        &self.unusable
    }

    /// Whom `schedule:ID` (everybody who is on call), `next:ID` (who comes on next), `person:ID` or `team:ID` (every member) names at
    /// an instant.
    #[must_use]
    pub fn people_for(&self, target: &str, at: Timestamp) -> Resolved {
        let nobody = |why: String| Resolved { people: Vec::new(), why_nobody: Some(why) };
        match Target::parse(target) {
            None => nobody(format!("`{target}` names neither a schedule, a person, a team nor an audience")),
            Some(Target::Audience(id)) => match self.audience(id) {
                None => nobody(format!("there is no audience `{id}`")),
                Some(audience) => self.people_of_audience(audience),
            },
            Some(Target::Organisation(id)) => match self.organisation(id) {
                None => nobody(format!("there is no organisation `{id}`")),
                Some(_) => Resolved { people: vec![(target.to_owned(), format!("the agreed way to {id}"))], why_nobody: None },
            },
            Some(Target::Person(id)) => match self.person(id) {
                Some(_) => Resolved { people: vec![(id.to_owned(), "named in the step".into())], why_nobody: None },
                None => nobody(format!("there is no person `{id}`")),
            },
            Some(Target::Team(id)) => match self.team(id) {
                None => nobody(format!("there is no team `{id}`")),
                Some(team) => {
                    let mut seen = HashSet::new();
                    let people: Vec<_> = team
                        .members
                        .iter()
                        .filter(|member| self.person(member).is_some() && seen.insert(member.as_str()))
                        .map(|member| (member.clone(), format!("member of team {id}")))
                        .collect();
                    let why_nobody = people.is_empty().then(|| format!("team `{id}` has no members"));
                    Resolved { people, why_nobody }
                }
            },
            Some(Target::Schedule(id)) => self.on_call_for(id, at),
            Some(Target::Next(id)) => self.next_on_call_for(id, at),
        }
    }

    /// Whom several targets name together, each person once, by the first target that names them.
    #[must_use]
    pub fn people_for_all(&self, targets: &[String], at: Timestamp) -> Resolved {
        let mut seen = HashSet::new();
        let mut people = Vec::new();
        let mut reasons = Vec::new();
        for target in targets {
            let resolved = self.people_for(target, at);
            reasons.extend(resolved.why_nobody);
            people.extend(resolved.people.into_iter().filter(|(person, _)| seen.insert(person.clone())));
        }
        if targets.is_empty() {
            reasons.push("no target is named".into());
        }
        let why_nobody = people.is_empty().then(|| reasons.join("; "));
        Resolved { people, why_nobody }
    }

    /// Until when somebody is away, where they are at an instant; of several absences the one that lasts longest.
    #[must_use]
    pub fn away_until(&self, person: &str, at: Timestamp) -> Option<Timestamp> {
        let theirs = self.bundle.absences.iter().filter(|one| one.person == person && one.starts_at <= at && at < one.ends_at);
        theirs.map(|one| one.ends_at).max()
    }

    /// How a person is reached at an urgency, soonest first. Only verified contacts of a channel that there is count. Where
    /// the list for low urgency is empty, the one for high is used; where that gives none of them, every one at once,
    /// since a page that finds somebody must not end there for want of a rule.
    #[must_use]
    pub fn reach(&self, person: &str, urgency: NotifyUrgency) -> Vec<Reach<'_>> {
        if let Some(audience) = person.strip_prefix(AUDIENCE).and_then(|id| self.audience(id)) {
            return audience.contacts.iter().filter_map(|contact| self.way(contact, Length::ZERO)).collect();
        }
        if let Some(organisation) = person.strip_prefix(ORGANISATION).and_then(|id| self.organisation(id)) {
            // The first is the agreed way; a later one has its turn where that fails.
            let ways = organisation.contacts.iter().filter_map(|contact| self.way(contact, Length::ZERO));
            return ways.collect();
        }
        let Some(person) = self.person(person) else { return Vec::new() };
        let rules = match urgency {
            NotifyUrgency::Low if !person.notify.low.is_empty() => &person.notify.low,
            NotifyUrgency::Low | NotifyUrgency::High => &person.notify.high,
        };
        let mut out: Vec<Reach<'_>> = rules
            .iter()
            .filter_map(|rule| {
                let contact = person.contacts.iter().find(|contact| contact.id == rule.contact)?;
                self.way(contact, rule.after)
            })
            .collect();
        if out.is_empty() {
            out = self.reach_by_default(person, urgency);
        }
        out.sort_by_key(|reach| reach.after);
        out
    }

    /// Somebody without a rule that holds: by the default rules. A channel that none of them names is used at once, and where they
    /// leave nothing for this urgency, everything is.
    fn reach_by_default<'a>(&'a self, person: &'a Person, urgency: NotifyUrgency) -> Vec<Reach<'a>> {
        let all = || person.contacts.iter().filter_map(|contact| self.way(contact, Length::ZERO));
        let after = |reach: &Reach<'_>| match self.bundle().notify_defaults.iter().find(|rule| rule.id == reach.channel) {
            Some(rule) => rule.after(urgency),
            None => Some(Length::ZERO),
        };
        let found: Vec<Reach<'a>> = all().filter_map(|reach| Some(Reach { after: after(&reach)?, ..reach })).collect();
        if found.is_empty() { all().collect() } else { found }
    }

    /// A contact that may be used.
    fn way<'a>(&self, contact: &'a Contact, after: Length) -> Option<Reach<'a>> {
        let form = self.channels.of(&contact.address).filter(|_| contact.verified)?;
        Some(Reach { contact, channel: form.name, after })
    }

    fn people_of_audience(&self, audience: &Audience) -> Resolved {
        let mut people: Vec<(Slug, String)> = Vec::new();
        let mut seen = HashSet::new();
        let members = audience.teams.iter().filter_map(|team| self.team(team)).flat_map(|team| &team.members);
        for person in audience.people.iter().chain(members).filter(|id| self.person(id).is_some()) {
            if seen.insert(person.as_str()) {
                people.push((person.clone(), format!("in audience {}", audience.id)));
            }
        }
        if !audience.contacts.is_empty() {
            people.push((format!("{AUDIENCE}{}", audience.id), format!("addresses of audience {}", audience.id)));
        }
        let why_nobody = people.is_empty().then(|| format!("nobody is in audience `{}`", audience.id));
        Resolved { people, why_nobody }
    }

    fn on_call_for(&self, id: &str, at: Timestamp) -> Resolved {
        let schedule = match self.usable_schedule(id) {
            Ok(schedule) => schedule,
            Err(nobody) => return nobody,
        };
        let on_call = schedule.on_call_at(self.overrides(id), at);
        if let (None, Because::Off { id: by }) = (&on_call.person, &on_call.because) {
            let why = format!("nobody is on call in `{id}`: override `{by}` has nobody on");
            return Resolved { people: Vec::new(), why_nobody: Some(why) };
        }
        self.those_on(&on_call, &format!("on call in {id}"), || format!("nobody is on call in `{id}`"))
    }

    fn next_on_call_for(&self, id: &str, at: Timestamp) -> Resolved {
        let schedule = match self.usable_schedule(id) {
            Ok(schedule) => schedule,
            Err(nobody) => return nobody,
        };
        match schedule.next_on_call(self.overrides(id), at) {
            Some((next, from)) => self.those_on(&next, &format!("next on call in {id} from {from}"), String::new),
            None => {
                let days = NEXT_AHEAD.as_hours() / 24;
                let why = format!("nobody else comes on call in `{id}` within {days} days");
                Resolved { people: Vec::new(), why_nobody: Some(why) }
            }
        }
    }

    fn usable_schedule(&self, id: &str) -> Result<&CompiledSchedule, Resolved> {
        self.schedule(id).ok_or_else(|| {
            let why = match self.schedule_form(id) {
                Some(_) => format!("schedule `{id}` cannot be read"),
                None => format!("there is no schedule `{id}`"),
            };
            Resolved { people: Vec::new(), why_nobody: Some(why) }
        })
    }

    /// Those of who is on that there are, each with how they came to be named.
    fn those_on(&self, on_call: &OnCall, how: &str, nobody: impl FnOnce() -> String) -> Resolved {
        let there = |person: &Slug| self.person(person).is_some();
        let on = on_call.with_rules().filter(|(person, _)| there(person));
        let people: Vec<(Slug, String)> = on.map(|(person, because)| (person.clone(), format!("{how} ({because})"))).collect();
        let gone: Vec<String> = on_call.people().filter(|person| !there(person)).map(|person| format!("`{person}`")).collect();
        let why_nobody = match (people.is_empty(), gone.is_empty()) {
            (false, _) => None,
            (true, true) => Some(nobody()),
            (true, false) => Some(format!("{} is {how}, but there is no such person", gone.join(" and "))),
        };
        Resolved { people, why_nobody }
    }
}

fn index<T>(forms: &[T], id: impl Fn(&T) -> &Slug) -> HashMap<Slug, usize> {
    let mut out = HashMap::with_capacity(forms.len());
    for (at, form) in forms.iter().enumerate() {
        out.entry(id(form).clone()).or_insert(at);
    }
    out
}

fn severity_setting(bundle: &Bundle, severity: Severity) -> SeveritySetting {
    let form = bundle.severities.iter().find(|form| form.id == severity);
    SeveritySetting {
        id: severity,
        name: form.and_then(|f| f.name.clone()).unwrap_or_else(|| severity.word().to_owned()),
        notify: form.and_then(|f| f.notify).unwrap_or(default_urgency(severity)),
        update_every: form
            .and_then(|f| f.update_every)
            .or(match severity {
                Severity::Sev1 | Severity::Sev2 => Some(UPDATE_EVERY_WORST),
                Severity::Sev3 => Some(UPDATE_EVERY_SEV3),
                Severity::Sev4 | Severity::Sev5 => None,
            })
            .filter(|length| !length.is_zero()),
        review_within: match (form.and_then(|f| f.review_within), severity) {
            (Some(length), _) if length.is_zero() => None,
            (Some(length), _) => Some(ReviewWithin::Length(length)),
            (None, Severity::Sev1 | Severity::Sev2) => Some(ReviewWithin::BusinessDays(REVIEW_BUSINESS_DAYS)),
            (None, _) => None,
        },
        acknowledgement_lasts: form
            .and_then(|f| f.acknowledgement_lasts)
            .or(match severity {
                Severity::Sev1 => Some(ACKNOWLEDGEMENT_LASTS_SEV1),
                Severity::Sev2 => Some(ACKNOWLEDGEMENT_LASTS_SEV2),
                Severity::Sev3 | Severity::Sev4 | Severity::Sev5 => None,
            })
            .filter(|length| !length.is_zero()),
    }
}
