//! Which known word somebody may have meant.

/// Longest word compared, in characters; beyond it nobody mistyped, they meant something else.
const WORD_MAX: usize = 64;
/// Most known words shown in a hint.
const KNOWN_SHOWN_MAX: usize = 12;

/// `a person`, `an escalation`.
#[must_use]
pub fn a(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {what}")
}

/// The known word nearest to the given one, where it is near enough to be a slip: at most one
/// edit in three letters, and one at least.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = given.chars().flat_map(char::to_lowercase).collect();
    if letters.is_empty() || letters.len() > WORD_MAX {
        return None;
    }
    let allowed = (letters.len() / 3).max(1);
    known
        .into_iter()
        .filter(|word| word.chars().count() <= WORD_MAX)
        .map(|word| (edits(&letters, &word.chars().flat_map(char::to_lowercase).collect::<Vec<_>>()), word))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// A hint: ``did you mean `payments`?``, else the known words, else that there are none.
#[must_use]
pub fn meant<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list = listed(known.clone());
    match (nearest(given, known), list) {
        (Some(word), list) => format!("did you mean `{word}`? known: {list}"),
        (None, list) if list.is_empty() => "none is known yet".into(),
        (None, list) => format!("known: {list}"),
    }
}

/// Words in order of the alphabet, the first dozen of them.
#[must_use]
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_unstable();
    words.dedup();
    let more = words.len().saturating_sub(KNOWN_SHOWN_MAX);
    words.truncate(KNOWN_SHOWN_MAX);
    let mut out = words.join(", ");
    if more > 0 {
        out.push_str(&format!(" and {more} more"));
    }
    out
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string
/// alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, right) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(left != right);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["contacts", "notify", "name", "id", "email"];
        assert_eq!(nearest("contcts", known), Some("contacts"));
        assert_eq!(nearest("noitfy", known), Some("notify"), "a swap is one slip");
        assert_eq!(nearest("ID", known), Some("id"));
        assert_eq!(nearest("phone", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(meant("phone", known), "known: contacts, email, id, name, notify");
        assert_eq!(meant("x", []), "none is known yet");
    }
}
