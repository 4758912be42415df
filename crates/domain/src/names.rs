//! What the lines for people are made with: whom ids stand for, and how an instant and a text are written.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::org::snapshot::{AUDIENCE, ORGANISATION, Org};

/// Whom ids stand for, and who did it. Names come from the organisation as it is now; the log holds ids only.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    org: &'a Org,
    actor: &'a str,
    zone: Option<&'a TimeZone>,
}

impl<'a> Names<'a> {
    /// For an event that `actor` caused.
    #[must_use]
    pub const fn new(org: &'a Org, actor: &'a str) -> Self {
        Self { org, actor, zone: None }
    }

    /// For a reader whose other times are in this zone.
    #[must_use]
    pub const fn in_zone(self, zone: Option<&'a TimeZone>) -> Self {
        Self { zone, ..self }
    }

    /// An instant within a line: in the reader's zone, which the log names at its head; in UTC, and with its name, where the
    /// reader has none.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        self.zone.map_or_else(|| clock(at), |zone| at.to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M:%S").to_string())
    }

    /// Who did it.
    #[must_use]
    pub fn who(&self) -> &'a str {
        match self.actor.split_once(':') {
            Some(("person", id)) => self.person(id),
            Some(("organisation", id)) => self.organisation(id),
            Some((_, id)) => id,
            None => self.actor,
        }
    }

    /// A person, or an audience or another organisation that is reached by addresses of its own; the id where nobody has it any more.
    #[must_use]
    pub fn person<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        if let Some(organisation) = id.strip_prefix(ORGANISATION) {
            return self.organisation(organisation);
        }
        match id.strip_prefix(AUDIENCE) {
            Some(audience) => self.audience(audience),
            None => self.org.person(id).map_or(id, |person| &person.name),
        }
    }

    /// The person whom an event names, else who did it.
    #[must_use]
    pub fn by<'b>(&self, id: Option<&'b str>) -> &'b str
    where
        'a: 'b,
    {
        match id {
            None | Some("") => self.who(),
            Some(id) => self.person(id),
        }
    }

    /// Several.
    #[must_use]
    pub fn people<'b>(&self, ids: &'b [String]) -> Vec<&'b str>
    where
        'a: 'b,
    {
        ids.iter().map(|id| self.person(id)).collect()
    }

    /// A service.
    #[must_use]
    pub fn service<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.org.service(id).map_or(id, |service| &service.name)
    }

    /// A team.
    #[must_use]
    pub fn team<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.org.team(id).map_or(id, |team| &team.name)
    }

    /// Another organisation.
    #[must_use]
    pub fn organisation<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.org.organisation(id).map_or(id, |organisation| &organisation.name)
    }

    /// Whether this organisation did it itself.
    #[must_use]
    pub fn is_by_organisation(&self, id: &str) -> bool {
        self.actor.strip_prefix(ORGANISATION) == Some(id)
    }

    /// An audience.
    #[must_use]
    pub fn audience<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.org.audience(id).and_then(|audience| audience.name.as_deref()).unwrap_or(id)
    }
}

/// An instant as people read it; a line is the same for readers in all zones.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// With what somebody wrote to it.
#[must_use]
pub fn with_text(line: String, text: Option<&str>) -> String {
    match text {
        None | Some("") => line,
        Some(text) => format!("{line}: {text}"),
    }
}
