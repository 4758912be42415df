//! Settings given as flags: made from the table in [`config`](crate::config), so that a flag, its
//! variable and its help cannot differ.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use crate::config::{self, ConfigError, Resolved, SETTINGS};

/// Which settings a command takes.
pub trait Which {
    /// Their names; all where absent.
    const NAMES: Option<&'static [&'static str]>;
}

/// `serve` takes all.
#[derive(Debug, Clone)]
pub struct ForServe;
impl Which for ForServe {
    const NAMES: Option<&'static [&'static str]> = None;
}

/// Commands that work on the database directly.
#[derive(Debug, Clone)]
pub struct ForStore;
impl Which for ForStore {
    const NAMES: Option<&'static [&'static str]> = Some(&["database", "secret-key-file"]);
}

/// `doctor` looks at the database, and at whom operators' alarms would reach.
#[derive(Debug, Clone)]
pub struct ForDoctor;
impl Which for ForDoctor {
    const NAMES: Option<&'static [&'static str]> =
        Some(&["database", "secret-key-file", "base-url", "listen", "smtp", "mail-from", "operator-alarm"]);
}

/// Commands that work on the database, and name an address of the server.
#[derive(Debug, Clone)]
pub struct ForInvite;
impl Which for ForInvite {
    const NAMES: Option<&'static [&'static str]> = Some(&["database", "secret-key-file", "base-url", "listen"]);
}

/// Settings given as flags, and the file to read others from.
#[derive(Debug, Clone)]
pub struct Given<W> {
    flags: BTreeMap<&'static str, String>,
    file: Option<PathBuf>,
    which: PhantomData<W>,
}

impl<W> Given<W> {
    /// Looks every setting up.
    ///
    /// # Errors
    /// When the file does not read.
    pub fn resolve(&self) -> Result<Resolved, ConfigError> {
        config::resolve(&self.flags, config::environment, self.file.as_deref())
    }
}

impl<W: Which> FromArgMatches for Given<W> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = BTreeMap::new();
        for setting in chosen::<W>() {
            if setting.value.is_empty() {
                if matches.get_flag(setting.name) {
                    flags.insert(setting.name, "true".to_owned());
                }
            } else if let Some(texts) = matches.get_many::<String>(setting.name) {
                flags.insert(setting.name, texts.cloned().collect::<Vec<_>>().join(" "));
            }
        }
        Ok(Self { flags, file: matches.get_one::<PathBuf>("config").cloned(), which: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn chosen<W: Which>() -> impl Iterator<Item = &'static config::Setting> {
    SETTINGS.iter().filter(|setting| W::NAMES.is_none_or(|names| names.contains(&setting.name)))
}

impl<W: Which> Args for Given<W> {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for setting in chosen::<W>() {
            let default =
                setting.default.filter(|_| !setting.value.is_empty()).map(|text| format!(" [default: {text}]")).unwrap_or_default();
            let help = format!("{}{default} [env: {}]", setting.help, config::variable(setting.name));
            let arg = Arg::new(setting.name).long(setting.name).help(help);
            command = command.arg(match (setting.value.is_empty(), setting.many) {
                (true, _) => arg.action(ArgAction::SetTrue),
                (false, true) => arg.action(ArgAction::Append).value_name(setting.value),
                (false, false) => arg.value_name(setting.value),
            });
        }
        let file = Arg::new("config").long("config").value_name("FILE").value_parser(clap::value_parser!(PathBuf));
        command.arg(file.help("File with settings [default: allclear.toml, where it exists]"))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}
