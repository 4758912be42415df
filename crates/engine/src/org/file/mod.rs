//! The organisation as text: one file or a folder of YAML, JSON and TOML.
//!
//! Every fault names the file, the line, the key and what would work. Text is bounded before it
//! is parsed, and so is what aliases may expand to. Files of a folder are read in the order of
//! their names and laid one after another; two files may not name the same form.
//!
//! What the forms mean is judged in `allclear_domain::org::check`; this module finds the lines
//! of what that finds. It stores nothing and sends nothing.

mod lines;
mod parse;
pub mod part;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use allclear_domain::channel::WaysOut;
use allclear_domain::hex::hex;
use allclear_domain::org::check::{self, Against};
use allclear_domain::org::diff::{FormKind, applied};
use allclear_domain::org::export::masked;
use allclear_domain::org::model::Bundle;
use allclear_domain::org::problem::{PathPart, Place, Problem, Weight};
use sha2::{Digest, Sha256};

use lines::Lines;
pub use tags::{Secrets, Variable};

/// Largest file, in bytes: about 5 000 people with their contacts.
pub const FILE_LEN_MAX: u64 = 1024 * 1024;
/// Most files in a folder.
pub const FILES_MAX: usize = 256;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
    Toml,
}

impl Format {
    /// By the ending of a file's name.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// One thing that is wrong, as an editor shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Whether the organisation is refused for this.
    pub weight: Weight,
    /// The file's name as given; absent where the fault is in what was stored before.
    pub file: Option<String>,
    /// From 1, where known.
    pub line: Option<u32>,
    /// The key, or the way to it (`services[0].escalation`); empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would work.
    pub hint: Option<String>,
}

impl fmt::Display for FileProblem {
    /// `org.yaml:12: services[0].escalation: error: …; did you mean …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file.as_deref().unwrap_or("(stored)"))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(if self.weight == Weight::Error { ": error: " } else { ": warning: " })?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// Why an organisation could not be read: everything that is wrong, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", joined(.problems))]
pub struct OrgFileError {
    /// At least one.
    pub problems: Vec<FileProblem>,
}

impl OrgFileError {
    fn one(file: &str, line: Option<u32>, key: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problems: vec![fault(file, line, key, message, hint)] }
    }
}

fn fault(file: &str, line: Option<u32>, key: &str, message: impl Into<String>, hint: impl Into<String>) -> FileProblem {
    let hint = Some(hint.into()).filter(|hint| !hint.is_empty());
    FileProblem { weight: Weight::Error, file: Some(file.to_owned()), line, key: key.to_owned(), message: message.into(), hint }
}

fn joined(problems: &[FileProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(FileProblem::to_string).collect();
    lines.join("\n")
}

/// An organisation that was read, and where everything in it stands.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The forms of all files.
    pub bundle: Bundle,
    /// SHA-256 of the bytes of all files, one after another, in hex.
    pub digest: String,
    /// The files, in the order in which they were read.
    pub sources: Vec<PathBuf>,
    lines: Vec<Lines>,
    origins: HashMap<&'static str, Vec<Origin>>,
}

/// Where an entry of a merged list comes from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    source: usize,
    index: usize,
}

impl Loaded {
    /// Everything wrong with the organisation that results when this is applied to what is
    /// stored, with the lines of what stands in the files. What was wrong before is a warning.
    #[must_use]
    pub fn check(&self, stored: &Bundle, prune: bool, against: Against<'_>) -> Vec<FileProblem> {
        // What is applied comes first in every list, so its places are those of the files.
        let whole = applied(stored, &self.bundle, prune, against.channels);
        check::check_change(stored, &whole, against).into_iter().map(|problem| self.place(problem)).collect()
    }

    /// The file and line of a place.
    #[must_use]
    pub fn locate(&self, place: &Place) -> Option<(&Path, Option<u32>)> {
        let [PathPart::Key(list), PathPart::Index(at), rest @ ..] = place.parts() else {
            return Some((self.sources.first()?, None));
        };
        let origin = self.origins.get(list.as_str())?.get(*at)?;
        let mut inner = Place::root().key(list).index(origin.index);
        for part in rest {
            inner = match part {
                PathPart::Key(key) => inner.key(key),
                PathPart::Index(index) => inner.index(*index),
            };
        }
        Some((&self.sources[origin.source], self.lines[origin.source].line_of(&inner)))
    }

    fn place(&self, problem: Problem) -> FileProblem {
        let found = self.locate(&problem.place);
        FileProblem {
            weight: problem.weight,
            file: found.map(|(path, _)| path.display().to_string()),
            line: found.and_then(|(_, line)| line),
            key: problem.place.to_string(),
            message: problem.message,
            hint: problem.hint,
        }
    }
}

/// Reads a file, with the secrets that it names put in from `secrets`; or every `*.yaml`, `*.yml`, `*.json` and `*.toml` of a folder in the order of
/// their names. Names that begin with a dot are passed over.
///
/// # Errors
/// Everything that cannot be read, of all files.
pub fn read(path: &Path, secrets: Secrets) -> Result<Loaded, OrgFileError> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        OrgFileError::one(
            &shown,
            None,
            "",
            format!("cannot be read: {error}"),
            "give a file, or a folder of files, that exists and may be read",
        )
    };
    let mut texts = Vec::new();
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let hidden = file.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            // Follows links: mounted configuration is often made of them.
            if !hidden && Format::of(&file).is_some() && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(OrgFileError::one(
                &shown,
                None,
                "",
                "the folder has no organisation in it",
                "put `*.yaml`, `*.json` or `*.toml` files there",
            ));
        }
        if files.len() > FILES_MAX {
            return Err(OrgFileError::one(&shown, None, "", format!("the folder has more than {FILES_MAX} files"), "join some of them"));
        }
        for file in files {
            let text = read_text(&file)?;
            texts.push((file, text));
        }
    } else {
        texts.push((path.to_owned(), read_text(path)?));
    }
    let texts = texts.into_iter().map(|(file, text)| {
        let format = Format::of(&file).unwrap_or(Format::Yaml);
        (file, format, text)
    });
    load(texts.collect(), secrets)
}

/// The text of a file with the secrets that it names put in, for whoever sends it on: only YAML names any.
///
/// # Errors
/// Every one that cannot be, and every tag that is not known.
pub fn with_secrets(text: &str, path: &Path, secrets: Secrets) -> Result<String, OrgFileError> {
    match Format::of(path).unwrap_or(Format::Yaml) {
        Format::Yaml => tags::resolved(text, path, secrets).map(std::borrow::Cow::into_owned).map_err(|problems| OrgFileError { problems }),
        Format::Json | Format::Toml => Ok(text.to_owned()),
    }
}

/// Reads a text under a name that faults are shown with. It names no secrets of this program.
///
/// # Errors
/// Everything that cannot be read.
pub fn parse(text: &str, format: Format, file_name: &str) -> Result<Loaded, OrgFileError> {
    load(vec![(PathBuf::from(file_name), format, text.to_owned())], Secrets::Nowhere)
}

/// The organisation as YAML with secrets masked: the same text for the same forms.
///
/// # Errors
/// Where a form of a later capability holds what YAML cannot.
pub fn to_yaml(bundle: &Bundle, channels: WaysOut) -> Result<String, serde_saphyr::SerializeError> {
    serde_saphyr::to_string(&masked(bundle, channels))
}

fn read_text(file: &Path) -> Result<String, OrgFileError> {
    use std::io::Read as _;
    let shown = file.display().to_string();
    let unreadable = |error: std::io::Error| OrgFileError::one(&shown, None, "", format!("cannot be read: {error}"), "");
    let mut bytes = Vec::new();
    // One byte more than allowed tells that it is too long, without reading the rest.
    std::fs::File::open(file).map_err(unreadable)?.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        OrgFileError::one(&shown, u32::try_from(line).ok(), "", "this line is not UTF-8", "save the file as UTF-8")
    })
}

fn load(texts: Vec<(PathBuf, Format, String)>, secrets: Secrets) -> Result<Loaded, OrgFileError> {
    let mut hash = Sha256::new();
    let mut problems = Vec::new();
    let mut read = Vec::new();
    for (path, format, text) in texts {
        let shown = path.display().to_string();
        if text.len() as u64 > FILE_LEN_MAX {
            problems.push(fault(&shown, None, "", format!("is larger than {FILE_LEN_MAX} bytes"), "split it, and give the folder"));
            continue;
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let resolved = if format == Format::Yaml { tags::resolved(text, &path, secrets) } else { Ok(text.into()) };
        let text = match resolved {
            Ok(text) => text,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        // With the secrets in it, so that one that changed is applied.
        hash.update(text.as_bytes());
        match parse::parse(&text, format, &shown) {
            Ok((bundle, lines)) => read.push((path, bundle, lines)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(OrgFileError { problems });
    }
    let digest = hex(&hash.finalize());
    let mut loaded = Loaded { bundle: Bundle::default(), digest, sources: Vec::new(), lines: Vec::new(), origins: HashMap::new() };
    for (source, (path, bundle, lines)) in read.into_iter().enumerate() {
        loaded.sources.push(path);
        loaded.lines.push(lines);
        problems.extend(loaded.lay(source, bundle));
    }
    if problems.is_empty() { Ok(loaded) } else { Err(OrgFileError { problems }) }
}

impl Loaded {
    /// Lays one file's forms after those of the files before it.
    fn lay(&mut self, source: usize, from: Bundle) -> Vec<FileProblem> {
        let mut twice: Vec<(&'static str, String, Origin, Origin)> = Vec::new();
        for kind in FormKind::ALL {
            let (list, origins) = (kind.list(), self.origins.entry(kind.list()).or_default());
            let mut before: HashMap<&str, Origin> = HashMap::new();
            for (id, origin) in self.bundle.ids(kind).into_iter().zip(origins.iter()) {
                if let Some(id) = id {
                    before.entry(id).or_insert(*origin);
                }
            }
            for (index, id) in from.ids(kind).into_iter().enumerate() {
                let origin = Origin { source, index };
                if let Some((id, first)) = id.and_then(|id| Some((id, before.get(id)?))) {
                    twice.push((list, id.to_owned(), *first, origin));
                }
                origins.push(origin);
            }
        }
        self.bundle.append(from);
        twice
            .into_iter()
            .map(|(list, id, first, second)| {
                let place = |origin: Origin| Place::root().key(list).index(origin.index).key("id");
                let file = |origin: Origin| self.sources[origin.source].display().to_string();
                let line = |origin: Origin| self.lines[origin.source].line_of(&place(origin));
                let at = line(first).map_or(String::new(), |line| format!(":{line}"));
                fault(
                    &file(second),
                    line(second),
                    &place(second).to_string(),
                    format!("`{id}` stands in {}{at} already", file(first)),
                    "keep it in one of the two files",
                )
            })
            .collect()
    }
}
