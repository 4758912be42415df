//! The daily work of responders and coordinators from a terminal.
//!
//! Each command asks the server once or a few times and prints what it says. JSON is printed as
//! the server gave it, so that scripts see the API and not this program's idea of it.

use allclear_domain::expect::Standing;
use allclear_domain::incident::work::TaskState;
use allclear_domain::org::snapshot::{ORGANISATION, SERVICE};
use allclear_domain::paging::Status;
use allclear_domain::time::in_words;
use allclear_domain::view::{
    self, ClockView, EventView, ExpectationView, IncidentView, OnCallView, PageExplanation, PageView, RollView, SignalExplanation, TaskView,
};
use allclear_engine::clock::SystemClock;
use allclear_engine::ports::Clock as _;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::args::{Declare, Explain, Form, List, Log, Oncall, One, OneAt};
use crate::cli::client::{Client, Items, STREAM_SILENCE};
use crate::cli::terminal::{clean, distance, instant, out, outln, table, who};

/// Events of a log that are asked for at once.
const EVENTS_AT_ONCE: &str = "1000";
/// Longest line of a stream; an event's body is at most some KiB.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(crate) fn now() -> Timestamp {
    SystemClock::default().now()
}

/// Prints JSON as it is, or something for people.
pub(crate) fn print<T: DeserializeOwned>(form: Form, value: Value, people: impl FnOnce(T) -> String) -> anyhow::Result<()> {
    if form.json {
        outln!("{value:#}");
    } else {
        out!("{}", people(serde_json::from_value(value)?));
    }
    Ok(())
}

pub(crate) fn line(incident: IncidentView) -> String {
    let by = match who(&incident) {
        "-" => String::new(),
        person => format!(", {person} has it"),
    };
    clean(&format!("{} {} {}{by}: {}", incident.reference, incident.severity.word(), incident.state.word(), incident.title)) + "\n"
}

/// `declare`.
pub async fn declare(args: Declare) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let fields: std::collections::BTreeMap<String, String> = args.fields.into_iter().collect();
    let body = json!({
        "title": args.title, "severity": args.severity, "impact": args.impact, "urgency": args.urgency, "potential": args.potential,
        "type": args.r#type, "fields": fields, "impact_started_at": args.since, "service": args.service, "page": !args.no_page,
        "private": args.private,
    });
    let declared = client.post(&["incidents"], &body).await?;
    if args.form.json {
        outln!("{declared:#}");
        return Ok(());
    }
    let incident: IncidentView = serde_json::from_value(declared)?;
    let reference = incident.reference.clone();
    out!("{}", line(incident));
    // It is declared whatever comes of asking whom that paged.
    match client.get(&["incidents", &reference, "pages"], &[]).await {
        Ok(pages) => out!("{}", whom_it_paged(&serde_json::from_value::<Items<PageView>>(pages)?.items)),
        Err(why) => outln!("  whom it paged could not be read: {}", clean(&why.to_string())),
    }
    Ok(())
}

/// Whom pages tell, now and after a while, by id.
fn whom_it_paged(pages: &[PageView]) -> String {
    let told = pages.iter().flat_map(|page| page.messages.iter().map(|message| message.person.as_str()));
    let planned = pages.iter().flat_map(|page| page.planned.iter().map(|planned| planned.person.as_str()));
    let people: std::collections::BTreeSet<&str> = told.chain(planned).collect();
    let next: std::collections::BTreeSet<&str> = pages.iter().flat_map(|page| page.calls_next.iter().map(String::as_str)).collect();
    let listed = |people: std::collections::BTreeSet<&str>| clean(&people.into_iter().collect::<Vec<_>>().join(", "));
    match (people.is_empty(), next.is_empty()) {
        (true, true) => "  nobody is paged\n".to_owned(),
        (true, false) => format!("  nobody is paged yet, then {}\n", listed(next)),
        (false, true) => format!("  paged {}\n", listed(people)),
        (false, false) => format!("  paged {}, then {}\n", listed(people), listed(next)),
    }
}

/// `list`.
pub async fn list(args: List) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let limit = args.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    // Who searches mostly wants to know how it went last time.
    if args.open || !(args.all || args.state.is_some() || args.search.is_some()) {
        query.push(("open", "true"));
        query.push(("standing", "true"));
    }
    if let Some(words) = &args.search {
        query.push(("q", words));
    }
    if let Some(state) = &args.state {
        query.push(("state", state));
    }
    if let Some(severity) = args.severity {
        query.push(("severity", severity.word()));
    }
    if let Some(service) = &args.service {
        query.push(("service", service));
    }
    if args.exercises {
        query.push(("exercises", "true"));
    }
    let found: Value = client.get(&["incidents"], &query).await?;
    print(args.form, found, |found: Items<IncidentView>| {
        if found.items.is_empty() {
            return "no incidents\n".to_owned();
        }
        let now = now();
        let row = |i: &IncidentView| {
            vec![
                i.reference.clone(),
                i.severity.word().to_owned(),
                i.state.word().to_owned(),
                distance(now, i.began()),
                i.service.clone().unwrap_or_else(|| "-".to_owned()),
                who(i).to_owned(),
                match i.next_due {
                    _ if i.nothing_due == Some(true) => "nothing".to_owned(),
                    Some(at) => distance(now, at),
                    None => "-".to_owned(),
                },
                i.title.clone(),
            ]
        };
        let rows: Vec<_> = found.items.iter().map(row).collect();
        let mut out = table(&["REF", "SEVERITY", "STATE", "BEGAN", "SERVICE", "WHO", "NEXT DUE", "TITLE"], &rows);
        for i in &found.items {
            let under = i.under.iter().filter(|under| under.of > 0).map(|under| under.words(&ToOwned::to_owned));
            for line in under.chain(super::several::contention(i.contention.as_ref())) {
                out.push_str(&clean(&format!("{}: {line}", i.reference)));
                out.push('\n');
            }
        }
        out
    })
}

/// `show`.
pub async fn show(args: OneAt) -> anyhow::Result<()> {
    let (at, now) = (args.asked(), args.at.unwrap_or_else(now));
    let One { reference, remote, form } = args.one;
    let client = Client::new(&remote)?;
    let query: Vec<(&str, &str)> = at.iter().map(|(name, at)| (*name, at.as_str())).collect();
    // What others want as well is known of now alone.
    let whole = if at.is_some() { query.clone() } else { vec![("standing", "true")] };
    let incident: Value = client.get(&["incidents", &reference], &whole).await?;
    let expectations: Value = client.get(&["incidents", &reference, "expectations"], &query).await?;
    // Of pages there is only what became of them.
    let pages: Value = if at.is_some() { json!({"items": []}) } else { client.get(&["incidents", &reference, "pages"], &[]).await? };
    if form.json {
        outln!("{:#}", json!({ "incident": incident, "expectations": expectations["items"], "pages": pages["items"] }));
        return Ok(());
    }
    let expectations: Items<ExpectationView> = serde_json::from_value(expectations)?;
    let pages: Items<PageView> = serde_json::from_value(pages)?;
    out!("{}", shown(&serde_json::from_value(incident)?, &expectations.items, &pages.items, now));
    Ok(())
}

/// `roll`.
pub async fn roll(args: One) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let found: Value = client.get(&["incidents", &args.reference, "roll"], &[]).await?;
    print(args.form, found, |found: Items<RollView>| {
        if found.items.is_empty() {
            return "nobody was asked, and nobody came\n".to_owned();
        }
        let now = now();
        let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| distance(now, at));
        let row = |one: &RollView| {
            let by = one.asked_by.clone().unwrap_or_else(|| "-".to_owned());
            let because = one.because.clone().unwrap_or_else(|| "came by themself".to_owned());
            let roles = if one.roles.is_empty() { "-".to_owned() } else { one.roles.join(", ") };
            vec![
                one.person.clone(),
                one.stands().to_owned(),
                roles,
                at(one.asked_at),
                by,
                at(one.acknowledged_at),
                at(one.joined_at),
                at(one.left_at),
                because,
            ]
        };
        let rows: Vec<_> = found.items.iter().map(row).collect();
        table(&["WHO", "STANDS", "ROLES", "ASKED", "BY", "ACKNOWLEDGED", "JOINED", "LEFT", "WHY"], &rows)
    })
}

fn shown(i: &IncidentView, expectations: &[ExpectationView], pages: &[PageView], now: Timestamp) -> String {
    let mut out = clean(&format!("{} {}", i.reference, i.title)) + "\n";
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("  {name:16}{}\n", clean(&value)));
        }
    };
    let at = |at: Timestamp| format!("{} ({})", instant(at), distance(now, at));
    fact("state", Some(i.state.word().to_owned()));
    fact("severity", Some(i.severity.word().to_owned()));
    fact("impact", i.impact.zip(i.urgency).map(|(impact, urgency)| format!("{}, urgency {}", impact.word(), urgency.word())));
    fact("may become", i.potential.filter(|potential| *potential != i.severity).map(|potential| potential.word().to_owned()));
    fact("advice", i.advice.as_ref().map(|advice| format!("{}: {}", advice.severity, advice.why())));
    fact("type", i.kind.as_ref().map(|kind| kind.name.clone()));
    for field in i.kind.iter().flat_map(|kind| &kind.fields) {
        fact("", Some(format!("{} {}", field.label, field.value.as_deref().unwrap_or("(not answered)"))));
    }
    fact("service", i.service.clone());
    let affected: Vec<String> = i.affected.iter().map(|one| format!("{} ({})", one.service, one.impact)).collect();
    fact("affected", (!affected.is_empty()).then(|| affected.join(", ")));
    for service in i.blast.iter().flat_map(|blast| blast.next().map(move |service| blast.hint(service))) {
        fact("hint", Some(service));
    }
    fact("because", Some(i.because.clone()));
    fact("acknowledged", i.acknowledged_at.map(|when| format!("{} by {}", at(when), i.acknowledged_by.as_deref().unwrap_or("somebody"))));
    // Where somebody has the role it stands with the others below.
    fact("snoozed", i.snoozed_until.map(|until| format!("until {} by {}", at(until), i.snoozed_by.as_deref().unwrap_or("somebody"))));
    fact("commander", i.commander.clone().filter(|_| !i.roles.iter().any(|role| role.role == "commander")));
    fact("part", i.under.as_ref().map(|under| under.words(&ToOwned::to_owned)));
    fact("came here", (!i.came.is_empty()).then(|| i.came.join(", ")));
    fact("went elsewhere", (!i.away.is_empty()).then(|| i.away.join(", ")));
    for line in super::several::contention(i.contention.as_ref()) {
        fact("wanted", Some(line));
    }
    fact("nothing due", i.nothing_due.filter(|yes| *yes).map(|_| "somebody has it, and nothing of it has a time".to_owned()));
    fact("declared", i.declared_at.map(at));
    fact("mitigated", i.mitigated_at.map(at));
    fact("resolved", i.resolved_at.map(at));
    fact("unanswered", i.unanswered.filter(|yes| *yes).map(|_| "nobody answered its last page".to_owned()));
    out.push_str(&coordination(i));
    if !i.clocks.is_empty() {
        let clocks: Vec<_> = i.clocks.iter().map(|clock| clock_row(clock, now)).collect();
        out.push('\n');
        out.push_str(&table(&["CLOCK", "WITHIN", "STANDS", "ELAPSED", "LEFT", "DUE"], &clocks));
    }
    out.push_str(&super::obligations::objectives(i, now));
    out.push_str(&super::obligations::shown(i, now));
    out.push_str(&super::partners::shown(i, now));
    out.push_str(&super::several::shown(i, now));
    let due: Vec<_> = view::next(i, pages, expectations, &|id| id.trim_start_matches(ORGANISATION).trim_start_matches(SERVICE).to_owned())
        .into_iter()
        .flat_map(|next| next.parts.into_iter().map(move |(words, at)| (words, at, next.or_else.clone())))
        .map(|(words, at, or_else)| vec![distance(now, at), words, or_else.unwrap_or_default()])
        .collect();
    let late = view::late(i, &|id| id.trim_start_matches(ORGANISATION).trim_start_matches(SERVICE).to_owned());
    if !late.is_empty() {
        let late: Vec<_> = late.into_iter().map(|(words, at)| vec![distance(now, at), words]).collect();
        out.push('\n');
        out.push_str(&table(&["LATE", "WHAT"], &late));
    }
    if !due.is_empty() {
        out.push('\n');
        out.push_str(&table(&["NEXT DUE", "WHAT", "ELSE"], &due));
    }
    for page in pages {
        out.push('\n');
        let how = if page.status == Status::Told {
            "told, without a page".to_owned()
        } else {
            format!("{}, round {}, step {}", page.status.word(), page.round, page.step)
        };
        out.push_str(&clean(&format!("page {}: {how}", page.id)));
        out.push('\n');
        let message = |m: &allclear_domain::view::MessageView| {
            let state = if m.in_doubt { format!("{} (in doubt)", m.state.word()) } else { m.state.word().to_owned() };
            vec![instant(m.created_at), m.person.clone(), m.channel.clone(), state, m.last_error.clone().unwrap_or_default()]
        };
        let rows: Vec<_> = page.messages.iter().map(message).collect();
        if !rows.is_empty() {
            out.push_str(&table(&["AT", "PERSON", "BY", "STATE", "LAST ERROR"], &rows));
        }
    }
    out
}

/// A clock of an incident: what is to happen, in how much time, and how that stands.
fn clock_row(clock: &ClockView, now: Timestamp) -> Vec<String> {
    let words = |seconds: i64| in_words(SignedDuration::from_secs(seconds), false);
    let stands = match (clock.state, clock.waiting_for) {
        (Standing::Live, Some(waits)) => format!("paused, {}", waits.words()),
        (Standing::Live, None) => "runs".to_owned(),
        (Standing::Void, _) => "over before".to_owned(),
        (Standing::Met | Standing::Missed, _) => clock.state.word().to_owned(),
    };
    let left = if clock.state == Standing::Live { words(clock.left_s) } else { String::new() };
    let due = clock.due_at.filter(|_| clock.state == Standing::Live).map(|at| distance(now, at)).unwrap_or_default();
    let within = format!("{} ({})", clock.within, clock.target);
    vec![clock.clock.word().to_owned(), within, stands, words(clock.elapsed_s), left, due]
}

/// `oncall`.
pub async fn oncall(args: Oncall) -> anyhow::Result<()> {
    if let Some(command) = args.command {
        return super::on_call::obey(command).await;
    }
    let client = Client::new(&args.remote)?;
    let at = args.at.map(|at| at.to_string());
    let query: Vec<(&str, &str)> = at.iter().map(|at| ("at", at.as_str())).collect();
    let found: Value = client.get(&["oncall"], &query).await?;
    print(args.form, found, |found: Items<OnCallView>| {
        let row = |o: &OnCallView| {
            vec![
                o.schedule.clone(),
                ids(&o.people).or_else(|| o.person.clone()).unwrap_or_else(|| "NOBODY".to_owned()),
                o.until.map(instant).unwrap_or_default(),
                then(o),
                o.because.clone(),
            ]
        };
        let rows: Vec<_> = found.items.iter().map(row).collect();
        table(&["SCHEDULE", "ON CALL", "UNTIL", "THEN", "BECAUSE"], &rows)
    })
}

/// Who comes on next: `ben`, or `nobody until 2026-03-02T08:00:00Z, then ben`.
fn then(o: &OnCallView) -> String {
    let Some(next) = ids(&o.next_people).or_else(|| o.next.clone()) else {
        return if o.until.is_some() { "nobody".to_owned() } else { "-".to_owned() };
    };
    match o.next_at.filter(|at| o.until.is_some_and(|until| until < *at)) {
        Some(at) => format!("nobody until {}, then {next}", instant(at)),
        None => next,
    }
}

/// `ana, ben`; nothing where there is nobody, as of a server that says the first alone.
fn ids(people: &[view::OnCallPerson]) -> Option<String> {
    let ids: Vec<&str> = people.iter().map(|one| one.person.as_str()).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// What `explain signal` is answered.
#[derive(Deserialize)]
struct Payload {
    signals: Vec<SignalExplanation>,
    refused: Vec<String>,
    notes: Vec<String>,
}

/// `explain`.
pub async fn explain(command: Explain) -> anyhow::Result<()> {
    match command {
        Explain::Signal { file, integration, remote, form } => {
            let client = Client::new(&remote)?;
            let bytes = crate::cli::org::read(&file)?;
            let found: Value =
                client.post_bytes(&["explain", "signal"], &[("integration", &integration)], "application/json", bytes).await?;
            print(form, found, |payload: Payload| {
                let mut out: String = payload.signals.iter().map(explained).collect();
                for why in payload.refused {
                    out.push_str(&format!("refused: {}\n", clean(&why)));
                }
                for note in payload.notes {
                    out.push_str(&format!("noted: {}\n", clean(&note)));
                }
                out
            })
        }
        Explain::Page { id, remote, form } => {
            let client = Client::new(&remote)?;
            let found: Value = client.get(&["explain", "page", &id], &[]).await?;
            print(form, found, |found: PageExplanation| {
                let mut out = clean(&format!(
                    "page {} for {}: {}, because {}",
                    found.page.id,
                    found.page.reference,
                    found.page.status.word(),
                    found.page.because
                )) + "\n";
                for event in &found.lines {
                    out.push_str(&event_line(event));
                }
                out
            })
        }
    }
}

fn explained(signal: &SignalExplanation) -> String {
    let mut out = clean(&format!("{} [{}] {}", signal.decision, signal.severity.word(), signal.title)) + "\n";
    for step in &signal.steps {
        out.push_str(&format!("  {}\n", clean(step)));
    }
    if let Some(silence) = &signal.silenced_by {
        out.push_str(&format!("  silenced by {}\n", clean(silence)));
    }
    for step in &signal.pages {
        let nobody = step.why_nobody.as_ref().map(|why| format!(" nobody: {}", clean(why))).unwrap_or_default();
        out.push_str(&format!("  {} {}{nobody}\n", clean(&step.name), clean(&step.after)));
        for person in &step.people {
            out.push_str(&format!("    {} via {}: {}\n", clean(&person.person), clean(&person.via), clean(&person.contacts.join(", "))));
        }
    }
    out
}

fn event_line(event: &EventView) -> String {
    clean(&format!("{}  {:24}  {}", instant(event.at), event.actor, event.line)) + "\n"
}

fn print_event(form: Form, event: &EventView) -> anyhow::Result<()> {
    if form.json {
        outln!("{}", serde_json::to_string(event)?);
    } else {
        out!("{}", event_line(event));
    }
    Ok(())
}

/// `log`: one event a line; with `--json`, one object a line, so that it can be followed as well.
pub async fn log(args: Log) -> anyhow::Result<()> {
    let One { reference, remote, form } = args.one;
    let client = Client::new(&remote)?;
    let incident: IncidentView = client.get(&["incidents", &reference], &[]).await?;
    let mut after = 0;
    loop {
        after = rest_of_log(&client, &incident.id, after, args.key, form).await?;
        if !args.follow {
            return Ok(());
        }
        // A stream that ends is begun again where it ended; a server that is gone is an error.
        after = follow(&client, &incident.id, after, form).await?;
    }
}

async fn rest_of_log(client: &Client, id: &str, mut after: i64, key: bool, form: Form) -> anyhow::Result<i64> {
    loop {
        let from = after.to_string();
        let mut query = vec![("after", from.as_str()), ("limit", EVENTS_AT_ONCE)];
        if key {
            query.push(("key", "true"));
        }
        let found: Items<EventView> = client.get(&["incidents", id, "events"], &query).await?;
        for event in &found.items {
            print_event(form, event)?;
            after = after.max(event.seq);
        }
        if found.next.is_none() || found.items.is_empty() {
            return Ok(after);
        }
    }
}

/// Reads the stream until it ends; gives the number of the last event seen.
async fn follow(client: &Client, id: &str, mut after: i64, form: Form) -> anyhow::Result<i64> {
    let from = after.to_string();
    let request = client.request(Method::GET, &["stream"], &[("after", &from)]).header(ACCEPT, "text/event-stream");
    let mut bytes = client.send(request).await?.bytes_stream();
    let mut pending: Vec<u8> = Vec::new();
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout(STREAM_SILENCE, bytes.next()).await {
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let event: EventView = serde_json::from_slice(data.trim_ascii())?;
            after = after.max(event.seq);
            if event.incident.as_deref() == Some(id) {
                print_event(form, &event)?;
            }
        }
        anyhow::ensure!(pending.len() < LINE_BYTES_MAX, "the stream holds a line that is too long");
    }
    Ok(after)
}

/// The commander and the tasks of an incident, for `show`.
fn coordination(i: &IncidentView) -> String {
    let mut text = String::new();
    for role in &i.roles {
        let who = match (&role.person, &role.offered_to) {
            (Some(person), Some(asked)) => format!("{person}, {asked} was asked, no answer yet"),
            (Some(person), None) => person.clone(),
            (None, Some(asked)) => format!("nobody, {asked} was asked, no answer yet"),
            (None, None) if role.needed => "nobody, and somebody is needed".to_owned(),
            (None, None) => continue,
        };
        text.push_str(&format!("  {:16}{}\n", clean(&role.role), clean(&who)));
        for words in &role.warnings {
            text.push_str(&format!("  {:16}{}\n", "", clean(&format!("warning: {words}"))));
        }
    }
    for plan in &i.plans {
        let overdue = plan.overdue_since.map_or_else(String::new, |day| format!("; it was to be looked through by {day}"));
        let stands = format!("{}, version {}: {} of {} steps are through{overdue}", plan.name, plan.version, plan.through, plan.steps);
        text.push_str(&format!("  {:16}{}\n", "plan", clean(&stands)));
    }
    for plan in &i.proposed {
        let words = format!("{} fits: allclear plan {} {}", plan.name, i.reference, plan.plan);
        text.push_str(&format!("  {:16}{}\n", "plan", clean(&words)));
    }
    for task in &i.tasks {
        let owner = task.owner.as_deref().or(task.doer.as_deref()).or(task.role.as_deref()).unwrap_or("nobody");
        let state = if task.late && task.state == TaskState::Open { "late".to_owned() } else { stands(task) };
        text.push_str(&format!("  {:16}{}\n", format!("task {}", task.task), clean(&format!("{state}, {owner}: {}", task.text))));
        if let Some(deed) = &task.deed {
            text.push_str(&format!("  {:16}{}\n", "", clean(&format!("{}: {}", deed.host, deed.words()))));
            if let Some(body) = deed.body.as_ref().filter(|_| deed.may_begin()) {
                text.push_str(&format!("  {:16}{}\n", "", clean(&format!("would send {body}"))));
            }
        }
    }
    for one in &i.hypotheses {
        let why = one.why.as_deref().map_or_else(String::new, |why| format!(" ({why})"));
        let line = clean(&format!("{}: {}{why}", one.state.word(), one.text));
        text.push_str(&format!("  {:16}{line}\n", format!("hypothesis {}", one.hypothesis)));
    }
    for one in &i.decisions {
        let stands = match (one.stands, one.due) {
            (false, _) => "withdrawn",
            (true, true) => "to be looked at again",
            (true, false) => "stands",
        };
        text.push_str(&format!("  {:16}{}\n", format!("decision {}", one.decision), clean(&format!("{stands}: {}", one.text))));
    }
    for item in &i.recovery {
        let note = item.note.as_deref().map_or_else(String::new, |note| format!(" ({note})"));
        let words = format!("{}: {}{note}", item.state.word(), item.text);
        text.push_str(&format!("  {:16}{}\n", format!("recovery {}", item.item), clean(&words)));
    }
    for one in &i.restored {
        let waived = one.waived.as_deref().map_or_else(String::new, |why| format!(" (waived: {why})"));
        let note = one.note.as_deref().map_or_else(String::new, |note| format!(": {note}"));
        let words = allclear_domain::incident::running::back_in_words(one.percent, one.backlog);
        text.push_str(&format!("  {:16}{}\n", "restored", clean(&format!("{} {words}{waived}{note}", one.service))));
    }
    for word in i.reports.iter().flat_map(|reports| &reports.words) {
        let who = if word.report.is_some() { "reported" } else { "told" };
        text.push_str(&format!("  {who:16}{}\n", clean(&word.text)));
    }
    for one in &i.deviations {
        let why = one.why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
        text.push_str(&format!(
            "  {:16}{}\n",
            "not as planned",
            clean(&format!("{} {}{why}", one.task.map_or_else(|| one.text.clone(), |task| format!("task {task}")), one.kind.words()))
        ));
    }
    text
}

/// Where a task stands: a step of a plan is skipped where another task is dropped, and says what it waits for.
fn stands(task: &TaskView) -> String {
    match (task.state, task.plan.is_some()) {
        (TaskState::Dropped, true) => "skipped".to_owned(),
        (TaskState::Open, true) if task.waits_for.is_empty() => "next".to_owned(),
        (TaskState::Open, true) => {
            format!("waits for {}", task.waits_for.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        }
        (state, _) => state.word().to_owned(),
    }
}
