//! The whole command line: what is written by hand ([`args`](crate::cli::args)), and what the table of what may be asked
//! adds ([`asks`](crate::cli::asks)).

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::args::{Cli, Command};
use crate::cli::asks::{self, Asked};

/// The command after which the help lists those of the table: who has seen an incident does something about it.
const BEFORE_THE_TABLE: &str = "show";

/// What somebody wants of the program.
#[derive(Debug)]
pub enum Line {
    /// One of the commands that are written by hand.
    Own(Command),
    /// Something of the table.
    Asked(Asked),
}

/// Everything that the program understands.
#[must_use]
pub fn whole() -> clap::Command {
    asks::with_all(Cli::command(), BEFORE_THE_TABLE)
}

/// Reads a command line.
///
/// # Errors
/// When it is none of this program's; asking for help is an error that is printed, too.
pub fn read(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Line, clap::Error> {
    let mut command = whole();
    let mut matches = command.try_get_matches_from_mut(line)?;
    let read = match Asked::of(&matches) {
        Ok(Some(asked)) => Ok(Line::Asked(asked)),
        Ok(None) => Cli::from_arg_matches_mut(&mut matches).map(|cli| Line::Own(cli.command)),
        Err(why) => Err(why),
    };
    read.map_err(|why| why.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_well_formed_and_has_help() {
        whole().debug_assert();
        for command in whole().get_subcommands().flat_map(|command| std::iter::once(command).chain(command.get_subcommands())) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    fn parse(line: &str) -> Result<Line, clap::Error> {
        read(line.split(' '))
    }

    #[test]
    fn the_commands_of_the_contract_are_understood() {
        for line in [
            "allclear serve --listen 127.0.0.1:0 --quarantine --no-bundle --admin-token t",
            "allclear serve --demo",
            "allclear serve --print-config --json",
            "allclear config check org.yaml --json",
            "allclear config apply org --prune --url http://x",
            "allclear token create --name n --scope respond --person ana --database sqlite:x.db",
            "allclear set-up-link --database sqlite:x.db",
            "allclear declare broken --severity sev1 --service checkout --json",
            "allclear declare broken --impact high --urgency low --potential sev1 --type ward --field ward=3 --since 2026-12-24T18:00:00Z",
            "allclear field set INC-1 ward 3",
            "allclear field clear INC-1 ward",
            "allclear assess INC-1 high medium",
            "allclear search db-7 failover --kind decision --from 2026-12-24T18:00:00Z --json",
            "allclear log INC-1 --follow",
            "allclear export INC-1",
            "allclear export INC-1 cert",
            "allclear export INC-1 --format bundle -o inc-1.bundle",
            "allclear import bundle inc-1.bundle --database sqlite:x.db",
            "allclear verify --against checkpoints.log",
            "allclear verify-bundle inc-1.bundle --keys jwks.json --json",
            "allclear page INC-1 --why again",
            "allclear page INC-1 --why hands --to person:ana --to team:database",
            "allclear update INC-1 fixed --to customers --next 30m",
            "allclear role INC-1 commander --person ana --do offer",
            "allclear task add INC-1 call --owner ana --within 30m",
            "allclear task done INC-1 1",
            "allclear time INC-1 impact_started --at 2026-12-24T18:00:00Z --why older",
            "allclear review edit INC-1 -",
            "allclear action add fix --owner ana --within 2w --incident INC-1",
            "allclear trends --days 30",
            "allclear explain signal - --integration prom",
            "allclear drill payments --wait 2m --no-wait --json",
            "allclear drills payments",
            "allclear oncall load --schedule payments-primary --from 2026-01-01T00:00:00Z --json",
            "allclear oncall --at 2026-12-24T18:00:00Z",
            "allclear backup copy.db --database postgres://x/y",
            "allclear completions bash",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
        for line in [
            "allclear",
            "allclear serve --json",
            "allclear declare x --severity sev9",
            "allclear declare x --impact high",
            "allclear declare x --severity sev1 --impact high --urgency high",
            "allclear declare x --type ward --field ward",
            "allclear token create --name n --scope king",
            "allclear list --limit 0",
            "allclear export INC-1 --format pdf",
            "allclear export INC-1 cert --format md",
            "allclear page INC-1",
            "allclear search",
            "allclear search x --kind thing",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
