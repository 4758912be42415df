//! What is asked of an incident, from a terminal: commands made at the start from the table of what may be asked
//! ([`allclear_domain::ask`]), as the API's bodies and the forms of the pages are.
//!
//! A row says what its commands are called and what stands by its place; there is no code here for any of them. What is
//! given is sent as the server's API takes it, and what it makes of that is the server's: here only numbers, times and
//! choices are looked at, which are wrong whatever the server knows.

use allclear_domain::ask::{self, Ask, Came, Field, Given, Program};
use allclear_domain::view::IncidentView;
use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::incidents::{line, now, print};
use crate::cli::shared_args::One;
use crate::cli::terminal::{clean, distance};

/// In the place of a long text: read it from standard input.
const STANDARD_INPUT: &str = "-";

/// Something that is asked of an incident.
#[derive(Debug)]
pub struct Asked {
    pub(crate) one: One,
    pub(crate) ask: &'static Ask,
    pub(crate) given: Given,
}

/// Every command of the table, with its row.
fn programs() -> impl Iterator<Item = (&'static Ask, &'static Program)> {
    ask::all().flat_map(|ask| ask.programs.iter().map(move |program| (ask, program)))
}

/// The commands of a command line together with those of the table, which its help lists after one of its own.
pub fn with_all(command: Command, after: &str) -> Command {
    let mut command = command;
    let own: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let first = own.iter().position(|name| name == after).map_or(own.len(), |at| at + 1);
    let mut next = first;
    for (ask, program) in programs() {
        command = match program.words.split_once(' ') {
            // A command of that name has commands of its own beside what the table asks by it.
            None if own.iter().any(|name| name == program.words) => {
                let taken = made(ask, program, program.words);
                command.mut_subcommand(program.words, |one| {
                    let one = one.about(program.what_it_does(ask)).subcommand_required(false).arg_required_else_help(false);
                    one.args(taken.get_arguments())
                })
            }
            None => command.subcommand(made(ask, program, program.words).display_order(place(&mut next))),
            Some((group, word)) => {
                let made = made(ask, program, word);
                if command.find_subcommand(group).is_none() {
                    let group = Command::new(group).about(ask.says).subcommand_required(true).arg_required_else_help(true);
                    command = command.subcommand(group.display_order(place(&mut next)));
                }
                command.mut_subcommand(group, |group| group.subcommand(made))
            }
        };
    }
    let moved = next - first;
    command.mut_subcommands(|one| match own.iter().position(|name| name == one.get_name()) {
        Some(at) if at < first => one.display_order(at),
        Some(at) => one.display_order(at + moved),
        None => one,
    })
}

fn place(next: &mut usize) -> usize {
    *next += 1;
    *next - 1
}

fn made(ask: &'static Ask, program: &'static Program, word: &'static str) -> Command {
    // What many arguments say of themselves together is not what the command does.
    let mut command = One::augment_args(Command::new(word)).about(program.what_it_does(ask));
    for field in program.places.iter().filter_map(|name| ask.field(name)) {
        let help = if field.kind.is_long() { format!("{}; {STANDARD_INPUT} is standard input", field.help()) } else { field.help() };
        command = command.arg(argument(field).value_name(field.name.to_uppercase()).help(help).required(true));
    }
    for field in program.options(ask) {
        let help = if field.kind.is_list() { format!("{}; several may be named", field.help()) } else { field.help() };
        let arg = argument(field).long(field.option_name()).value_name(field.value_name()).help(help);
        command = command.arg(arg.required(field.needed).conflicts_with_all(program.shut_out_by(ask, field.name)));
    }
    command
}

fn argument(field: &'static Field) -> Arg {
    let arg = Arg::new(field.name).action(if field.kind.is_list() { ArgAction::Append } else { ArgAction::Set });
    match field.kind.choices() {
        Some(words) => arg.value_parser(PossibleValuesParser::new(words)).ignore_case(true),
        None if field.kind.is_measured() => {
            arg.value_parser(ValueParser::new(move |text: &str| field.reads(text).map(|()| text.to_owned())))
        }
        None => arg,
    }
}

impl Asked {
    /// What a command line asks for, where it is a command of the table.
    ///
    /// # Errors
    /// When its incident does not read.
    pub fn of(matches: &ArgMatches) -> Result<Option<Self>, clap::Error> {
        programs().find_map(|(ask, program)| Some((ask, program, under(matches, program.words)?))).map_or(
            Ok(None),
            |(ask, program, found)| {
                let one = One::from_arg_matches(found)?;
                Ok(Some(Self { one, ask, given: given(ask, program, found) }))
            },
        )
    }
}

/// The matches of the command with these words.
fn under<'a>(matches: &'a ArgMatches, words: &str) -> Option<&'a ArgMatches> {
    let found = words.split(' ').try_fold(matches, ArgMatches::subcommand_matches)?;
    // What has commands of its own is one of these, where one is named.
    found.subcommand_name().is_none().then_some(found)
}

fn given(ask: &'static Ask, program: &'static Program, matches: &ArgMatches) -> Given {
    let mut given = Given::default();
    for field in program.places.iter().filter_map(|name| ask.field(name)).chain(program.options(ask)) {
        for text in matches.get_many::<String>(field.name).unwrap_or_default() {
            let choices = field.kind.choices().unwrap_or_default();
            given.put_text(field, choices.into_iter().find(|word| word.eq_ignore_ascii_case(text)).unwrap_or(text));
        }
    }
    for (name, text) in program.gives {
        if let Some(field) = ask.field(name) {
            given.put_text(field, text);
        }
    }
    given
}

/// Asks it, and prints the incident afterwards with what came of it.
pub async fn ask(asked: Asked) -> anyhow::Result<()> {
    let Asked { one, ask, mut given } = asked;
    for field in ask.fields.iter().filter(|field| field.kind.is_long()) {
        if given.as_text(field.name) == Some(STANDARD_INPUT) {
            let text = String::from_utf8(crate::cli::org::read(STANDARD_INPUT.as_ref())?)?;
            given.put(field.name, text.trim_end_matches(['\n', '\r']).to_owned());
        }
    }
    let client = Client::new(&one.remote)?;
    let found: Value = client.post(&["incidents", &one.reference, ask.verb.word()], &given).await?;
    print(one.form, found, |incident: IncidentView| {
        let came = incident.came(ask.came, &given, |at| distance(now(), at));
        // A file is written as it is, so that it can be put into one.
        if ask.came == Came::Export {
            return came.map(|file| file + "\n").unwrap_or_default();
        }
        let lines = came.iter().flat_map(|came| came.lines()).map(|came| format!("  {}\n", clean(came)));
        line(incident) + &lines.collect::<String>()
    })
}

#[cfg(test)]
mod tests {
    use allclear_domain::ask::By;
    use clap::error::ErrorKind;
    use jiff::Timestamp;

    use super::*;
    use crate::cli::line::{self, Line};

    fn by() -> By<'static> {
        By { person: Some("ana"), via: "api", now: Timestamp::UNIX_EPOCH }
    }

    fn read(line: &[String]) -> Result<Asked, clap::Error> {
        match line::read(line)? {
            Line::Asked(asked) => Ok(asked),
            Line::Own(other) => panic!("{line:?} is {other:?}"),
        }
    }

    /// A line that gives these fields: what stands in each, as in the example of its kind.
    fn written(ask: &Ask, program: &Program, way: &[&str]) -> Vec<String> {
        let mut line: Vec<String> = ["allclear"].into_iter().chain(program.words.split(' ')).chain(["INC-7"]).map(str::to_owned).collect();
        line.extend(program.places.iter().map(|name| ask.field(name).unwrap().kind.example().to_owned()));
        let is_told = |name: &&str| program.places.contains(name) || program.gives.iter().any(|(given, _)| given == name);
        for field in way.iter().filter(|name| !is_told(name)).map(|name| ask.field(name).unwrap()) {
            line.extend([format!("--{}", field.option_name()), field.kind.example().to_owned()]);
        }
        line
    }

    #[test]
    fn every_row_is_asked_from_a_terminal_as_over_the_api() {
        let mut tried = 0;
        for ask in ask::all() {
            for way in ask.all_ways() {
                let able = ask.programs.iter().filter(|program| program.ways(ask).contains(&way));
                for program in able {
                    let mut body = ask.example(&way);
                    for (name, text) in program.gives {
                        body.put_text(ask.field(name).unwrap(), text);
                    }
                    let line = written(ask, program, &way);
                    let asked = read(&line).unwrap_or_else(|why| panic!("{line:?}: {why}"));
                    assert_eq!((asked.ask.verb, asked.one.reference.as_str()), (ask.verb, "INC-7"), "{line:?}");
                    let help = program.words.split(' ').fold(line::whole(), |command, word| command.find_subcommand(word).unwrap().clone());
                    assert_eq!(help.get_about().unwrap().to_string(), program.what_it_does(ask));
                    // Through the text of a body, as the server reads it.
                    let sent: Given = serde_json::from_str(&serde_json::to_string(&asked.given).unwrap()).unwrap();
                    assert_eq!(sent, body, "{line:?}");
                    let of_line = ask.read(&sent, &by());
                    assert!(of_line.is_ok(), "{line:?}: {of_line:?}");
                    assert_eq!(of_line, ask.read(&body, &by()), "{line:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried >= ask::all().count(), "{tried} lines were tried");
    }

    #[test]
    fn what_is_needed_is_missed_and_what_does_not_go_together_is_refused() {
        for ask in ask::all() {
            for program in ask.programs {
                let way = program.ways(ask).swap_remove(0);
                let line = written(ask, program, &way);
                for field in program.options(ask) {
                    let flag = format!("--{}", field.option_name());
                    let mut other = line.clone();
                    if let Some(at) = other.iter().position(|word| *word == flag) {
                        other.drain(at..at + 2);
                        let refused = read(&other).err().map(|why| why.kind());
                        assert_eq!(refused, field.needed.then_some(ErrorKind::MissingRequiredArgument), "{other:?}");
                    } else {
                        other.extend([flag, field.kind.example().to_owned()]);
                        assert_eq!(read(&other).unwrap_err().kind(), ErrorKind::ArgumentConflict, "{other:?}");
                    }
                }
                let less: Vec<String> = line.iter().take(2 + program.words.matches(' ').count() + program.places.len()).cloned().collect();
                assert_eq!(read(&less).unwrap_err().kind(), ErrorKind::MissingRequiredArgument, "{less:?}");
            }
        }
    }

    #[test]
    fn numbers_times_and_choices_are_wrong_before_anything_is_sent() {
        let kind = |line: &str| read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap_err().kind();
        for line in [
            "allclear severity INC-1 sev9 --why x",
            "allclear task done INC-1 first",
            "allclear task add INC-1 x --within soon",
            "allclear snooze INC-1 --until tomorrow",
            "allclear role INC-1 scribe --do keep",
            "allclear decide INC-1 x --reversible perhaps",
        ] {
            assert!(matches!(kind(line), ErrorKind::InvalidValue | ErrorKind::ValueValidation), "{line}");
        }
        let words = ["allclear", "severity", "INC-1", "SEV2", "--why", "x"].map(str::to_owned);
        assert_eq!(read(&words).unwrap().given.as_text("severity"), Some("sev2"));
    }

    #[test]
    fn several_are_named_one_by_one() {
        let line = "allclear page INC-1 --why hands --to person:ana --to team:database".split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(read(&line).unwrap().given.list("page").unwrap(), ["person:ana", "team:database"]);
    }
}
