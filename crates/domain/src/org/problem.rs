//! What is wrong with an organisation, and where.
//!
//! A problem names a place in the forms (`services[0].escalation`), so that a reader of text can
//! turn it into a line. It does not know files or lines.

use std::fmt;

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPart {
    /// A key of an object.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// The way to a value, shown as `services[0].escalation`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place(Vec<PathPart>);

impl Place {
    /// The whole.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }
    /// The value of a key below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(PathPart::Key(key.to_owned()))
    }
    /// The entry of the list here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(PathPart::Index(index))
    }
    /// The place `inner` names when it is counted from here.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }
    /// The steps, outermost first.
    #[must_use]
    pub fn parts(&self) -> &[PathPart] {
        &self.0
    }

    fn with(&self, part: PathPart) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            match part {
                PathPart::Key(key) if at == 0 => f.write_str(key)?,
                PathPart::Key(key) => write!(f, ".{key}")?,
                PathPart::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Whether the organisation can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It is refused.
    Error,
    /// It is taken, and somebody should look: a page may reach nobody.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it is refused for this.
    pub weight: Weight,
    /// Where.
    pub place: Place,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What would work.
    pub hint: Option<String>,
    /// Whether it is wrong only for being new: the program does nothing with it, or not yet, and keeps what is stored of it.
    pub not_yet: bool,
}

impl Problem {
    /// A reason to refuse.
    #[must_use]
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Error, place, message: message.into(), hint: None, not_yet: false }
    }
    /// A reason to look.
    #[must_use]
    pub fn warning(place: Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, place, message: message.into(), hint: None, not_yet: false }
    }
    /// The same, with what would work.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// The same, counted from further out.
    #[must_use]
    pub fn below(mut self, outer: &Place) -> Self {
        self.place = outer.join(&self.place);
        self
    }
    /// The innermost key of its place; empty for the whole.
    #[must_use]
    pub fn key(&self) -> &str {
        self.place
            .parts()
            .iter()
            .rev()
            .find_map(|part| match part {
                PathPart::Key(key) => Some(key.as_str()),
                PathPart::Index(_) => None,
            })
            .unwrap_or("")
    }
    /// Whether it is refused for this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}
