//! The accounts with vendors that are data, and descriptions of one's own: the file that `--vendors` names, and those beside it.

use std::path::Path;

use allclear_channels::outbound::described::SETTING;
use allclear_channels::outbound::described::account::{Account, BadAccounts, FILE_BYTES_MAX, parse};
use allclear_channels::outbound::described::description::DESCRIPTION_BYTES_MAX;
use allclear_channels::registry;
use allclear_domain::channel::WaysOut;
use anyhow::Context as _;

use crate::config::environment;

/// The accounts of a file; none where no file is named.
///
/// # Errors
/// The first thing that does not read, and where it is.
pub fn read(path: Option<&Path>) -> anyhow::Result<Vec<Account>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = text_of(path, FILE_BYTES_MAX)?;
    let beside = path.parent().unwrap_or(Path::new("."));
    let accounts = parse(&text, &path.display().to_string(), environment, |name| text_of(&beside.join(name), DESCRIPTION_BYTES_MAX));
    accounts.with_context(|| format!("{SETTING} does not read"))
}

/// The channels, with the descriptions of one's own that this file brings.
///
/// # Errors
/// The first thing that does not read, and where it is.
pub fn ways(path: Option<&Path>) -> anyhow::Result<WaysOut> {
    registry::ways_out(&read(path)?).map_err(anyhow::Error::msg)
}

fn text_of(path: &Path, bytes_max: usize) -> Result<String, BadAccounts> {
    let at = path.display().to_string();
    let no = |why: String| BadAccounts { at: at.clone(), why };
    let bytes = std::fs::read(path).map_err(|why| no(format!("it cannot be read: {why}")))?;
    if bytes.len() > bytes_max {
        return Err(no(format!("it has {} bytes, and {bytes_max} are the most", bytes.len())));
    }
    String::from_utf8(bytes).map_err(|_| no("it is not UTF-8".to_owned()))
}
