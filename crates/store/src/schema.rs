//! The schema: one text for both databases, and the tables as writes see them.
//!
//! Portable on purpose: ids and JSON are text, instants are microseconds since 1970, lengths are
//! milliseconds, nothing asks the database for the time. `{CLUSTERED}` keeps a table in the order
//! of its key where the database can.

use crate::migrate::Migration;
use crate::val::{Kind, Table};

macro_rules! tables {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, key [$($key:literal),*] { $($column:literal: $kind:ident),* $(,)? })*) => {
        $($(#[$doc])* pub static $constant: Table = Table {
            name: $name,
            columns: &[$(($column, Kind::$kind)),*],
            key: &[$($key),*],
        };)*
        /// Every table, for copies.
        pub static TABLES: &[&Table] = &[$(&$constant),*];
    };
}

tables! {
    /// The log. `seq` is the database's.
    EVENT = "event", key ["stream", "version"] {
        "stream": Text, "version": Int, "incident": Text, "kind": Text, "v": Int, "at": Int, "recorded_at": Int,
        "actor": Text, "cause": Text, "mode": Text, "marking": Text, "body": Text, "salt": Bytes, "body_hash": Bytes, "hash": Bytes,
    }
    /// Folded incidents.
    INCIDENT = "incident", key ["id"] {
        "id": Text, "ref": Text, "state": Text, "open": Bool, "title": Text, "severity": Text, "service": Text, "escalation": Text,
        "group_key": Text, "because": Text, "mode": Text, "commander": Text, "acknowledged_by": Text, "merged_into": Text,
        "page": Text, "alerts_told": Int, "recoveries_told": Int, "recovered": Bool, "reopened": Int,
        "impact_started_at": Int, "detected_at": Int, "declared_at": Int, "acknowledged_at": Int, "mitigated_at": Int,
        "resolved_at": Int, "closed_at": Int, "created_at": Int, "updated_at": Int, "version": Int, "hash": Bytes, "work": Text,
        "private": Bool, "admitted": Text, "alarms": Text,
    }
    /// Folded pages.
    PAGE = "page", key ["id"] {
        "id": Text, "incident": Text, "about": Text, "escalation": Text, "urgency": Text, "alert": Text, "because": Text,
        "status": Text, "round": Int, "step": Int, "catch_all": Bool, "entries": Text, "acknowledged_by": Text,
        "started_at": Int, "ended_at": Int, "version": Int, "hash": Bytes, "asks": Text, "reached": Text, "drill": Text,
    }
    /// Folded reviews.
    REVIEW = "review", key ["id"] {
        "id": Text, "incident": Text, "ref": Text, "state": Text, "owner": Text, "text": Text, "due_at": Int, "late": Bool,
        "opened_at": Int, "published_at": Int, "updated_at": Int, "version": Int, "hash": Bytes,
    }
    /// Folded corrective actions.
    ACTION = "action", key ["id"] {
        "id": Text, "incident": Text, "ref": Text, "text": Text, "owner": Text, "due_at": Int, "due_on": Text, "state": Text, "note": Text,
        "late": Bool, "added_at": Int, "ended_at": Int, "updated_at": Int, "version": Int, "hash": Bytes,
    }
    /// Alerts; `ended` is null while open.
    ALERT = "alert", key ["id"] {
        "id": Text, "integration": Text, "dedup_key": Text, "ended": Text, "title": Text, "severity": Text, "sender_severity": Text,
        "service": Text, "source": Text, "detail": Text, "decision": Text, "because": Text, "silence": Text, "silenced_until": Int,
        "incident": Text, "signal": Text, "org_version": Int, "starts_at": Int, "ends_at": Int, "opened_at": Int, "ended_at": Int,
        "last_seen_at": Int, "count": Int, "text_digest": Int, "returns": Int,
    }
    /// Accepted requests, redacted.
    SIGNAL = "signal", key ["id"] {
        "id": Text, "integration": Text, "format": Text, "received_at": Int, "org_version": Int, "alerts": Int, "body": Text,
    }
    /// Requests of senders that were refused lately, redacted.
    REFUSAL = "refusal", key ["id"] {
        "id": Text, "at": Int, "reason": Text, "status": Int, "integration": Text, "format": Text, "address": Text, "detail": Text,
        "body": Text, "unkept": Int,
    }
    /// The audit log.
    AUDIT = "audit", key ["id"] {
        "id": Text, "at": Int, "kind": Text, "actor": Text, "about": Text, "detail": Text, "address": Text,
    }
    /// Changes that senders told of.
    CHANGE = "change_event", key ["id"] {
        "id": Text, "at": Int, "received_at": Int, "service": Text, "integration": Text, "title": Text, "source": Text, "links": Text,
    }
    /// Who sends heartbeats, and when the last came.
    HEARTBEAT = "heartbeat", key ["integration", "instance"] {
        "integration": Text, "instance": Text, "first_seen_at": Int, "last_seen_at": Int, "counts_from": Int, "awaited": Int, "writes": Int,
    }
    /// Expectations.
    EXPECTATION = "expectation", key ["owner", "key", "occurrence"] {
        "owner": Text, "key": Text, "occurrence": Int, "rule": Text, "rule_version": Int, "incident": Text, "opened_by": Text,
        "opened_at": Int, "segments": Text, "length_ms": Int, "next_look_at": Int, "standing": Text, "settled_at": Int, "why": Text,
    }
    /// The outbox.
    MESSAGE = "message", key ["id"] {
        "id": Text, "lane": Text, "channel": Text, "person": Text, "contact": Text, "page": Text, "incident": Text,
        "org_version": Int, "notice": Text, "state": Text, "attempts": Int, "next_attempt_at": Int, "claimed_by": Text,
        "claimed_at": Int, "created_at": Int, "done_at": Int, "in_doubt": Bool, "last_error": Text, "severity": Text, "bundle": Text,
    }
    /// Nodes that hold messages, and when each was last heard of.
    NODE = "node", key ["id"] { "id": Text, "seen_at": Int }
    /// Targets that do not answer; a probe now and then finds out whether they do again.
    CIRCUIT = "circuit", key ["target"] { "target": Text, "why": Text, "since": Int, "wait_ms": Int, "probe_at": Int }
    /// The organisation's forms as they are now.
    FORM = "form", key ["kind", "id"] {
        "kind": Text, "id": Text, "version": Int, "position": Int, "managed": Text, "body": Text, "at": Int,
        "made": Int, "made_by": Text,
    }
    /// Earlier versions of forms; may be erased without touching the log.
    FORM_HISTORY = "form_history", key ["kind", "id", "version"] {
        "kind": Text, "id": Text, "version": Int, "body": Text, "actor": Text, "at": Int,
    }
    /// API tokens, hashed.
    TOKEN = "token", key ["id"] {
        "id": Text, "name": Text, "hash": Text, "scope": Text, "person": Text, "created_at": Int, "expires_at": Int, "revoked_at": Int,
    }
    /// Addresses at which calendars are fetched; the secret is hashed.
    FEED = "feed", key ["id"] {
        "id": Text, "hash": Text, "kind": Text, "subject": Text, "made_by": Text, "created_at": Int, "revoked_at": Int,
    }
    /// Who asks for cover of which shift, and what became of it.
    COVER = "cover", key ["id"] { "id": Text, "asker": Text, "asked": Text, "state": Text, "ends_at": Int, "version": Int, "body": Text }
    /// Whose turn it was, in the steps of a policy that page one of many.
    TURN = "turn", key ["policy"] { "policy": Text, "version": Int, "body": Text }
    /// Answers given under an `Idempotency-Key`.
    IDEMPOTENCY = "idempotency", key ["principal", "key"] {
        "principal": Text, "key": Text, "digest": Text, "answer": Text, "at": Int,
    }
    /// Who was admitted to which incident: the set in its row, so that a list can ask for it.
    INCIDENT_READER = "incident_reader", key ["incident", "person"] { "incident": Text, "person": Text }
    /// Passwords, hashed; one for each person who has one.
    CREDENTIAL = "credential", key ["person"] { "person": Text, "hash": Text, "set_at": Int }
    /// Who is signed in where; the token is hashed.
    SESSION = "session", key ["id"] {
        "id": Text, "hash": Text, "person": Text, "agent": Text, "created_at": Int, "seen_at": Int, "expires_at": Int, "ended_at": Int,
    }
    /// Links that work once: set-up and invitations; the token is hashed.
    ONE_TIME = "one_time", key ["hash"] {
        "hash": Text, "kind": Text, "person": Text, "created_at": Int, "expires_at": Int, "used_at": Int,
    }
    /// Codes that were sent to prove contacts, hashed; the place is one of the few that a person has.
    CODE = "contact_code", key ["person", "place"] {
        "person": Text, "place": Int, "contact": Text, "mark": Text, "hash": Text, "message": Text, "made_at": Int, "tries": Int,
    }
    /// Seals of the log's order; see `allclear_domain::checkpoint`.
    CHECKPOINT = "checkpoint", key ["number"] {
        "number": Int, "to_seq": Int, "events": Int, "at": Int, "digest": Bytes, "hash": Bytes,
    }
    /// Words of what is found, and the newest places of each; see `rows::find`.
    SEARCH_WORD = "search_word", key ["shelf", "word"] {
        "shelf": Int, "word": Bytes, "places": Int, "sealed": Int, "newest": Bytes,
    }
    /// Older places of words, some hundred together.
    SEARCH_BLOCK = "search_block", key ["shelf", "word", "upto"] { "shelf": Int, "word": Bytes, "upto": Int, "places": Bytes }
    /// Boards and searches under names.
    SAVED_VIEW = "saved_view", key ["id"] { "id": Text, "owner": Text, "name": Text, "address": Text, "made_by": Text, "made_at": Int }
    /// How far words were read: one row.
    SEARCH_PROGRESS = "search_progress", key ["id"] { "id": Int, "version": Int, "format": Int, "seq": Int, "alert": Text }
    /// Named values: versions, counters, marks.
    META = "meta", key ["name"] { "name": Text, "value": Text }
}

/// The schema's steps.
pub static MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "the spine",
        sql: "
create table event (
  seq {SEQ},
  stream text not null, version bigint not null, incident text, kind text not null, v bigint not null,
  at bigint not null, recorded_at bigint not null, actor text not null, cause text not null, mode text not null, marking text,
  body text, salt {BYTES}, body_hash {BYTES} not null, hash {BYTES} not null);
create unique index event_stream_version on event (stream, version);
create index event_incident on event (incident, seq) where incident is not null;

create table incident (
  id text primary key, ref text not null, state text not null, open boolean not null, title text not null, severity text not null,
  service text, escalation text, group_key text, because text not null, mode text not null, commander text, acknowledged_by text,
  merged_into text, page text, alerts_told bigint not null, recoveries_told bigint not null,
  recovered boolean not null, reopened bigint not null,
  impact_started_at bigint, detected_at bigint, declared_at bigint, acknowledged_at bigint, mitigated_at bigint,
  resolved_at bigint, closed_at bigint, created_at bigint not null, updated_at bigint not null,
  version bigint not null, hash {BYTES} not null) {CLUSTERED};
create unique index incident_ref on incident (ref);
create index incident_open on incident (id) where open;
create unique index incident_group on incident (group_key) where open and group_key is not null;
create index incident_state on incident (state, id);
create index incident_severity on incident (severity, id);
create index incident_service on incident (service, id) where service is not null;

create table page (
  id text primary key, incident text not null, about text not null, escalation text, urgency text not null, alert text,
  because text not null, status text not null, round bigint not null, step bigint not null, catch_all boolean not null,
  entries text not null, acknowledged_by text, started_at bigint not null, ended_at bigint,
  version bigint not null, hash {BYTES} not null) {CLUSTERED};
create index page_incident on page (incident, id);

create table alert (
  id text primary key, integration text not null, dedup_key text not null, ended text, title text not null, severity text not null,
  sender_severity text, service text, source text, detail text not null, decision text not null, because text not null,
  silence text, silenced_until bigint, incident text, signal text not null, org_version bigint not null,
  starts_at bigint not null, ends_at bigint, opened_at bigint not null, ended_at bigint,
  last_seen_at bigint not null, count bigint not null) {CLUSTERED};
create index alert_incident on alert (incident, id) where incident is not null;

create table signal (
  id text primary key, integration text not null, format text not null, received_at bigint not null, org_version bigint not null,
  alerts bigint not null, body text not null) {CLUSTERED};

create table expectation (
  owner text not null, key text not null, occurrence bigint not null, rule text not null, rule_version bigint not null,
  incident text, opened_by text not null, opened_at bigint not null, segments text, length_ms bigint not null,
  next_look_at bigint not null, standing text not null, settled_at bigint, why text,
  primary key (owner, key, occurrence)) {CLUSTERED};
create index expectation_due on expectation (next_look_at) where standing = 'live';
create index expectation_incident on expectation (incident, next_look_at) where incident is not null;

create table message (
  id text primary key, lane text not null, channel text not null, person text not null, contact text not null,
  page text not null, incident text not null, org_version bigint not null, notice text not null, state text not null,
  attempts bigint not null, next_attempt_at bigint not null, claimed_by text, claimed_at bigint,
  created_at bigint not null, done_at bigint, in_doubt boolean not null, last_error text) {CLUSTERED};
create index message_queued on message (next_attempt_at) where state = 'queued';
create index message_claimed on message (claimed_at) where state = 'claimed';
create index message_page on message (page);

create table form (
  kind text not null, id text not null, version bigint not null, position bigint not null, managed text, body text not null,
  at bigint not null, primary key (kind, id)) {CLUSTERED};
create table form_history (
  kind text not null, id text not null, version bigint not null, body text, actor text not null, at bigint not null,
  primary key (kind, id, version)) {CLUSTERED};

create table token (
  id text primary key, name text not null, hash text not null, scope text not null, person text,
  created_at bigint not null, expires_at bigint, revoked_at bigint) {CLUSTERED};
create unique index token_hash on token (hash);

create table idempotency (
  principal text not null, key text not null, digest text not null, answer text not null, at bigint not null,
  primary key (principal, key)) {CLUSTERED};
create index idempotency_at on idempotency (at);

create table meta (name text primary key, value text not null) {CLUSTERED};
",
        // The one change that gets through is a redaction: body and salt go, everything else stays.
        sqlite: "
create trigger event_not_deleted before delete on event begin
  select raise(abort, 'the log is append-only'); end;
create trigger event_not_changed before update on event
when not (new.body is null and new.salt is null and new.seq = old.seq and new.stream = old.stream and new.version = old.version
  and new.incident is old.incident and new.kind = old.kind and new.v = old.v and new.at = old.at
  and new.recorded_at = old.recorded_at and new.actor = old.actor and new.cause = old.cause and new.mode = old.mode
  and new.marking is old.marking and new.body_hash = old.body_hash and new.hash = old.hash)
begin select raise(abort, 'the log is append-only'); end;
",
        // Nodes that share a store need the database to say that a condition is open already. Alone, one
        // process holds the file and knows every open alert, so that an index over scattered keys, which
        // costs a page written per alert, would guard nothing; `doctor` looks for what it would forbid.
        postgres: "
create unique index alert_open on alert (integration, dedup_key) where ended is null;
create function event_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.body is null and new.salt is null and new.seq = old.seq and new.stream = old.stream
    and new.version = old.version and new.incident is not distinct from old.incident and new.kind = old.kind and new.v = old.v
    and new.at = old.at and new.recorded_at = old.recorded_at and new.actor = old.actor and new.cause = old.cause
    and new.mode = old.mode and new.marking is not distinct from old.marking and new.body_hash = old.body_hash
    and new.hash = old.hash then
    return new;
  end if;
  raise exception 'the log is append-only';
end $$;
create trigger event_append_only before update or delete on event for each row execute function event_append_only();
",
    },
    Migration {
        number: 2,
        name: "coordination",
        sql: "
alter table incident add column work text;
alter table page add column asks text;
create index incident_declared on incident (declared_at) where declared_at is not null;

create table review (
  id text primary key, incident text not null, ref text not null, state text not null, owner text, text text,
  due_at bigint not null, late boolean not null, opened_at bigint not null, published_at bigint, updated_at bigint not null,
  version bigint not null, hash {BYTES} not null) {CLUSTERED};
create unique index review_incident on review (incident);
create index review_state on review (state, due_at);

create table action (
  id text primary key, incident text, ref text, text text not null, owner text not null, due_at bigint not null,
  state text not null, note text, late boolean not null, added_at bigint not null, ended_at bigint, updated_at bigint not null,
  version bigint not null, hash {BYTES} not null) {CLUSTERED};
create index action_incident on action (incident, id) where incident is not null;
create index action_state on action (state, due_at);
create index action_owner on action (owner, state, due_at);
",
        sqlite: "",
        postgres: "",
    },
    ACCESS,
    SCREENS,
    MAKERS,
    REFUSALS,
    BUNDLES,
    CHECKPOINTS,
    CIRCUITS,
    ALARMS,
    DAYS,
    AUDITED,
    CHANGES,
    EXERCISES,
    REACHED,
    SHOWN,
    REPORTS,
    OWING,
    HEARTBEATS,
    FEEDS,
    CODES,
    TURNS,
    DRILLS,
    WORDS,
];

/// Targets that do not answer.
const CIRCUITS: Migration = Migration {
    number: 9,
    name: "circuits",
    sql: "
create table circuit (
  target text primary key, why text not null, since bigint not null, wait_ms bigint not null, probe_at bigint not null) {CLUSTERED};
",
    sqlite: "",
    postgres: "",
};

/// Messages that go out together, and who is alive to send them.
const BUNDLES: Migration = Migration {
    number: 7,
    name: "bundles",
    // A contact's heap is read worst first out of one index, however much waits there.
    sql: "
alter table message add column severity text not null default 'sev3';
alter table message add column bundle text;
drop index message_queued;
create index message_queued on message (next_attempt_at, person, contact, lane, severity) where state = 'queued';
create index message_heap on message (person, contact, lane, severity, id, next_attempt_at, claimed_by, bundle) where state = 'queued';
create index message_held on message (claimed_by) where state = 'queued' and claimed_by is not null;
create index message_bundle on message (bundle) where bundle is not null;
create table node (id text primary key, seen_at bigint not null) {CLUSTERED};
",
    sqlite: "",
    postgres: "",
};

/// Who may see what, and who is signed in.
const ACCESS: Migration = Migration {
    number: 3,
    name: "access",
    sql: "
alter table incident add column private boolean not null default false;
alter table incident add column admitted text not null default '[]';
create table incident_reader (incident text not null, person text not null, primary key (incident, person)) {CLUSTERED};
create index incident_reader_person on incident_reader (person, incident);
create table credential (person text primary key, hash text not null, set_at bigint not null) {CLUSTERED};
create table session (
  id text primary key, hash text not null, person text not null, agent text, created_at bigint not null, seen_at bigint not null,
  expires_at bigint not null, ended_at bigint) {CLUSTERED};
create unique index session_hash on session (hash);
create index session_person on session (person, id);
create table one_time (
  hash text primary key, kind text not null, person text, created_at bigint not null, expires_at bigint not null,
  used_at bigint) {CLUSTERED};
",
    sqlite: "",
    postgres: "",
};

/// What screens over a large store need.
const SCREENS: Migration = Migration {
    number: 4,
    name: "screens",
    // The board in its order, however much is open; the events by which a search learns of titles.
    sql: "
create index incident_board on incident (severity, id desc) where open;
create index event_titled on event (seq, incident) where kind in ('proposed', 'declared', 'renamed');
",
    sqlite: "",
    postgres: "",
};

/// Which version of the organisation made a form, and who: of two overrides that overlap the one made
/// later wins, and whoever made one may end it. What is there already is numbered as it was made. The
/// columns may be null, since a node of before this step writes forms without them.
const MAKERS: Migration = Migration {
    number: 5,
    name: "makers of forms",
    sql: "
alter table form add column made bigint;
alter table form add column made_by text;
update form set made = (select min(h.version) from form_history h where h.kind = form.kind and h.id = form.id);
update form set made_by = (select h.actor from form_history h where h.kind = form.kind and h.id = form.id and h.version = form.made);
",
    sqlite: "",
    postgres: "",
};

/// What was refused lately.
const REFUSALS: Migration = Migration {
    number: 6,
    name: "refusals",
    sql: "
create table refusal (
  id text primary key, at bigint not null, reason text not null, status bigint not null, integration text, format text not null,
  address text, detail text not null, body text, unkept bigint not null) {CLUSTERED};
",
    sqlite: "",
    postgres: "",
};

/// Seals over the order of the log. An older node beside this one makes none and minds none.
const CHECKPOINTS: Migration = Migration {
    number: 8,
    name: "checkpoints",
    sql: "
create table checkpoint (
  number bigint primary key, to_seq bigint not null, events bigint not null, at bigint not null,
  digest {BYTES} not null, hash {BYTES} not null) {CLUSTERED};
",
    sqlite: "
create trigger checkpoint_not_deleted before delete on checkpoint begin
  select raise(abort, 'checkpoints are append-only'); end;
create trigger checkpoint_not_changed before update on checkpoint begin
  select raise(abort, 'checkpoints are append-only'); end;
",
    postgres: "
create function checkpoint_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'checkpoints are append-only';
end $$;
create trigger checkpoint_append_only before update or delete on checkpoint for each row execute function checkpoint_append_only();
",
};

/// What silences hold, what flaps, and which text an alert has.
const ALARMS: Migration = Migration {
    number: 10,
    name: "alarms",
    // Alerts that ended lately, in the order in which they did: its entries are written at its end, so that one
    // more alert that ends costs no page of its own. Alerts of an incident that a silence holds are few.
    sql: "
alter table incident add column alarms text;
alter table alert add column text_digest bigint;
alter table alert add column returns bigint not null default 0;
create index alert_ended on alert (ended_at) where ended_at is not null;
create index alert_held on alert (silence, id) where ended is null and silence is not null;
",
    sqlite: "",
    postgres: "",
};

/// An action that is due on a day is due on that day for every reader.
const DAYS: Migration = Migration { number: 11, name: "days", sql: "alter table action add column due_on text;", sqlite: "", postgres: "" };

/// Who came in, and who was given a way in or more to do.
const AUDITED: Migration = Migration {
    number: 12,
    name: "audit",
    sql: "
create table audit (
  id text primary key, at bigint not null, kind text not null, actor text not null, about text, detail text, address text) {CLUSTERED};
",
    sqlite: "
create trigger audit_not_deleted before delete on audit begin
  select raise(abort, 'the audit log is append-only'); end;
create trigger audit_not_changed before update on audit begin
  select raise(abort, 'the audit log is append-only'); end;
",
    postgres: "
create function audit_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only';
end $$;
create trigger audit_append_only before update or delete on audit for each row execute function audit_append_only();
",
};

/// Changes stand beside the incidents of their service; they are pruned by when they were told.
const CHANGES: Migration = Migration {
    number: 13,
    name: "changes",
    sql: "
create table change_event (
  id text primary key, at bigint not null, received_at bigint not null, service text, integration text not null, title text not null,
  source text, links text not null) {CLUSTERED};
create index change_event_service on change_event (service, at);
create index change_event_received on change_event (received_at);
",
    sqlite: "",
    postgres: "",
};

/// Test pages are few among many incidents, and looked for whenever a board is shown.
const EXERCISES: Migration = Migration {
    number: 14,
    name: "exercises",
    sql: "create index incident_exercise on incident (id) where mode = 'exercise';",
    sqlite: "",
    postgres: "",
};

/// Who answered a test by its message: looked for whenever administrators see a board. The column may be null, since most
/// pages are no tests, and a node of before this step writes pages without it.
const REACHED: Migration = Migration {
    number: 15,
    name: "reached",
    sql: "
alter table page add column reached text;
create index page_reached on page (reached) where reached is not null;
",
    sqlite: "",
    postgres: "",
};

/// What the page of an incident reads at every refresh: of a storm's alerts the first few as they stand there, how many are
/// open, and who passed a page on. The first index says open or not as `rows::alert::SHOWN_FIRST` does, word for word.
const SHOWN: Migration = Migration {
    number: 16,
    name: "shown",
    sql: "
create index alert_shown on alert (incident, (case when ended is null then 0 else 1 end), opened_at desc, id) where incident is not null;
create index event_declined on event (incident, seq) where kind = 'declined';
",
    sqlite: "",
    postgres: "",
};

/// Reports from outside are few among alarms: how many came lately, and which has a reference.
const REPORTS: Migration = Migration {
    number: 17,
    name: "reports",
    sql: "
create index alert_report_at on alert (integration, opened_at) where source = 'report';
create index alert_report on alert (dedup_key) where source = 'report';
",
    sqlite: "",
    postgres: "",
};

/// What regulators are owed is little among all that is awaited, and looked for whenever a board is shown.
const OWING: Migration = Migration {
    number: 18,
    name: "owing",
    sql: "create index expectation_obligation on expectation (incident) where rule = 'incident.obligation';",
    sqlite: "",
    postgres: "",
};

/// Who sends heartbeats. A heartbeat renews its row, and the expectation of the next is left alone.
const HEARTBEATS: Migration = Migration {
    number: 19,
    name: "heartbeats",
    sql: "
create table heartbeat (
  integration text not null, instance text not null, first_seen_at bigint not null, last_seen_at bigint not null, counts_from bigint not null,
  awaited bigint, writes bigint not null, primary key (integration, instance)) {CLUSTERED};
",
    sqlite: "",
    postgres: "",
};

/// Calendars that people's programs fetch, and who asks for cover of a shift. An older node beside this one knows none, and answers
/// that there is none.
const FEEDS: Migration = Migration {
    number: 20,
    name: "feeds and cover",
    sql: "
create table feed (
  id text primary key, hash text not null, kind text not null, subject text not null, made_by text not null,
  created_at bigint not null, revoked_at bigint) {CLUSTERED};
create unique index feed_hash on feed (hash);
create index feed_live on feed (id) where revoked_at is null;
create table cover (
  id text primary key, asker text not null, asked text, state text not null, ends_at bigint not null, version bigint not null,
  body text not null) {CLUSTERED};
create index cover_open on cover (id) where state = 'open';
",
    sqlite: "",
    postgres: "",
};

/// Codes that prove contacts; and what went out to somebody, which tells whether they are reached.
const CODES: Migration = Migration {
    number: 21,
    name: "codes",
    sql: "
create table contact_code (
  person text not null, place bigint not null, contact text not null, mark text not null, hash text not null, message text not null,
  made_at bigint not null, tries bigint not null, primary key (person, place)) {CLUSTERED};
create index message_person on message (person, id);
",
    sqlite: "",
    postgres: "",
};

/// Whose turn it was in policies that page one of many. An older node beside this one pages everybody whom such a step names.
const TURNS: Migration = Migration {
    number: 22,
    name: "turns",
    sql: "create table turn (policy text primary key, version bigint not null, body text not null) {CLUSTERED};",
    sqlite: "",
    postgres: "",
};

/// Fire drills are few among many pages. The column says of which policy; it may be null, since most pages are none, and a node of
/// before this step writes pages without it. Of one policy one runs at a time, whichever node starts it. And what a period cost people
/// who were on call is read by when steps of pages asked them.
const DRILLS: Migration = Migration {
    number: 23,
    name: "drills",
    sql: "
alter table page add column drill text;
create unique index page_drill_runs on page (drill) where drill is not null and status = 'running';
create index page_drill on page (id) where drill is not null;
create index event_step_reached on event (at, seq) where kind = 'step_reached';
",
    sqlite: "",
    postgres: "",
};

/// Words of what was written, with the places where each stands. An older node beside this one writes none: what it writes is read
/// from the log like everything else. Keys are bytes, which both databases order alike. And what is looked at again under a name.
const WORDS: Migration = Migration {
    number: 24,
    name: "words and saved views",
    sql: "
create table search_word (
  shelf bigint not null, word {BYTES} not null, places bigint not null, sealed bigint not null, newest {BYTES} not null,
  primary key (shelf, word)) {CLUSTERED};
create table search_block (
  shelf bigint not null, word {BYTES} not null, upto bigint not null, places {BYTES} not null, primary key (shelf, word, upto)) {CLUSTERED};
create table search_progress (
  id bigint primary key, version bigint not null, format bigint not null, seq bigint not null, alert text not null) {CLUSTERED};
create table saved_view (
  id text primary key, owner text not null, name text not null, address text not null, made_by text not null, made_at bigint not null) {CLUSTERED};
create unique index saved_view_name on saved_view (owner, name);
",
    sqlite: "",
    postgres: "",
};

/// What [`MIGRATIONS`] makes on PostgreSQL only: for trying several nodes over one SQLite in memory.
#[must_use]
pub fn one_open_alert_per_condition() -> crate::val::Write {
    crate::val::Write::Exec {
        table: &ALERT,
        sql: "create unique index alert_open on alert (integration, dedup_key) where ended is null",
        args: Vec::new(),
        expect: None,
    }
}
