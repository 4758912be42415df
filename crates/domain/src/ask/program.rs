//! How what is asked stands on the command line: the words of its commands, and where each takes which fields.
//!
//! Which options a command has, and which of them shut each other out, follows from the ways of its row; a row says no
//! more than what stands by its place. The command line is made from this, and has nothing of its own for any row.

use super::Ask;
use super::field::Field;
use super::given::Given;

/// A command of the command line. A row has several where its fields go together in ways that people call differently.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its words, as in `task add`.
    pub words: &'static str,
    /// What it does, where it is not all of what the row does.
    says: Option<&'static str>,
    /// The fields that are told apart by their place, after the incident. None of them may be left out.
    pub places: &'static [&'static str],
    /// What it gives by itself, for fields that it does not take.
    pub gives: &'static [(&'static str, &'static str)],
    /// The fields that a neighbour takes, where its own do not tell the two apart.
    lacks: &'static [&'static str],
}

/// What somebody who asked is told of the incident afterwards, beside its own line; [`view`](crate::view) has the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Its own line says it.
    Itself,
    /// Who has which role.
    Roles,
    /// The task that was named, else the one that was added.
    Task,
    /// What of a plan comes first.
    Plan,
    /// What has to hold, and what of it does.
    Recovery,
    /// Which audiences were told.
    Audiences,
    /// Who is reminded, and when.
    Reminder,
    /// Who sees it.
    Sight,
    /// What regulators are owed, and when.
    Obligations,
    /// The link that was made.
    GuestLink,
    /// The file that was made, and nothing else: it is written where whoever asked writes it.
    Export,
}

impl Program {
    /// A command with these words, which takes every field as an option.
    #[must_use]
    pub const fn of(words: &'static str) -> Self {
        Self { words, says: None, places: &[], gives: &[], lacks: &[] }
    }

    /// The same, which takes these fields by their place.
    #[must_use]
    pub const fn places(self, places: &'static [&'static str]) -> Self {
        Self { places, ..self }
    }

    /// The same, which gives this by itself.
    #[must_use]
    pub const fn gives(self, gives: &'static [(&'static str, &'static str)]) -> Self {
        Self { gives, ..self }
    }

    /// The same, which never takes these fields: a neighbour does.
    #[must_use]
    pub const fn lacks(self, lacks: &'static [&'static str]) -> Self {
        Self { lacks, ..self }
    }

    /// The same, which does no more than this.
    #[must_use]
    pub const fn says(self, says: &'static str) -> Self {
        Self { says: Some(says), ..self }
    }

    /// What it does, in a sentence without its full stop.
    #[must_use]
    pub fn what_it_does(&self, ask: &Ask) -> &'static str {
        self.says.unwrap_or(ask.says)
    }

    /// The ways of its row that it can ask in: those with everything that it always gives, and nothing that it lacks.
    #[must_use]
    pub fn ways(&self, ask: &Ask) -> Vec<Vec<&'static str>> {
        let always = |way: &[&str]| self.places.iter().chain(self.gives.iter().map(|(name, _)| name)).all(|name| way.contains(name));
        let never = |way: &[&str]| self.lacks.iter().any(|name| way.contains(name));
        ask.all_ways().into_iter().filter(|way| always(way) && !never(way)).collect()
    }

    /// The fields that it takes as options, in the order of the row.
    pub fn options(&self, ask: &'static Ask) -> impl Iterator<Item = &'static Field> + use<> {
        let (ways, places, gives) = (self.ways(ask), self.places, self.gives);
        let is_told = move |name: &str| places.contains(&name) || gives.iter().any(|(given, _)| *given == name);
        ask.fields.iter().filter(move |field| !is_told(field.name) && ways.iter().any(|way| way.contains(&field.name)))
    }

    /// The options that cannot be given together with one of them.
    pub fn shut_out_by(&self, ask: &'static Ask, option: &'static str) -> impl Iterator<Item = &'static str> + use<> {
        let ways = self.ways(ask);
        let together = move |name: &str| ways.iter().any(|way| way.contains(&name) && way.contains(&option));
        self.options(ask).map(|field| field.name).filter(move |name| !together(name))
    }
}

impl Ask {
    /// What somebody might give in one of its ways: for trying it at every door.
    #[must_use]
    pub fn example(&self, way: &[&str]) -> Given {
        let mut given = Given::default();
        for field in way.iter().filter_map(|name| self.field(name)) {
            given.put_text(field, field.kind.example());
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::ask::{Asked, By, all, named};

    fn by() -> By<'static> {
        By { person: Some("ana"), via: "cli", now: Timestamp::UNIX_EPOCH }
    }

    fn names(fields: impl Iterator<Item = &'static Field>) -> Vec<&'static str> {
        fields.map(|field| field.name).collect()
    }

    #[test]
    fn every_row_has_its_commands_and_they_have_every_field_in_every_way() {
        let mut words = BTreeSet::new();
        for ask in all() {
            let word = ask.verb.word();
            assert!(!ask.programs.is_empty(), "{word} has no command on the command line");
            let of_programs: Vec<_> = ask.programs.iter().flat_map(|program| program.ways(ask)).collect();
            for way in ask.all_ways() {
                assert!(of_programs.contains(&way), "{word}: no command asks in the way {way:?}");
            }
            for program in ask.programs {
                assert!(words.insert(program.words), "`{}` is two commands", program.words);
                assert!(!program.what_it_does(ask).is_empty());
                for name in program.places {
                    assert!(ask.field(name).is_some(), "`{}` takes `{name}`, which is no field", program.words);
                }
                for (name, text) in program.gives {
                    let field = ask.field(name).unwrap_or_else(|| panic!("`{}` gives `{name}`, which is no field", program.words));
                    assert!(field.reads(text).is_ok(), "`{}` gives `{text}` for `{name}`", program.words);
                }
            }
        }
        for name in &words {
            let under = |other: &&str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
            assert!(!words.iter().any(under), "`{name}` is a command and a group of them");
        }
    }

    #[test]
    fn options_and_what_shuts_them_out_follow_from_the_ways() {
        let task = named("task").unwrap();
        let of = |words: &str| task.programs.iter().find(|program| program.words == words).unwrap();
        assert_eq!(names(of("task add").options(task)), ["owner", "due_at", "within"]);
        assert_eq!(of("task add").shut_out_by(task, "within").collect::<Vec<_>>(), ["due_at"]);
        assert_eq!(names(of("task assign").options(task)), [""; 0]);
        assert_eq!(names(of("task done").options(task)), ["note"]);
        let page = named("escalate").unwrap();
        assert_eq!(page.programs[0].shut_out_by(page, "escalation").collect::<Vec<_>>(), ["page"]);
        assert_eq!(page.programs[0].shut_out_by(page, "why").count(), 0);
    }

    #[test]
    fn what_a_command_gives_by_itself_tells_it_from_its_neighbours() {
        let task = named("task").unwrap();
        let mut asked: Vec<Asked> = Vec::new();
        for program in task.programs {
            let way = program.ways(task).swap_remove(0);
            let mut given = task.example(&way);
            for (name, text) in program.gives {
                given.put_text(task.field(name).unwrap(), text);
            }
            let read = task.read(&given, &by()).unwrap();
            assert!(!asked.contains(&read), "`{}` asks what another does", program.words);
            asked.push(read);
        }
    }
}
