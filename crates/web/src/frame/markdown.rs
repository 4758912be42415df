//! Markdown as reviews use it: headings, paragraphs, lists, quotes, tables, code. Text is text: no
//! HTML gets through, and links stay what was written.
//!
//! Deliberately a small part of the language, since what it does not know it shows as written.

use maud::{Markup, html};

/// Headings of a review begin below the page's own.
const DEEPEST: usize = 3;

/// The text as a page shows it.
pub(crate) fn render(text: &str) -> Markup {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        let joins = fenced
            || blocks
                .last()
                .and_then(|block| block.last())
                .is_some_and(|last| !last.trim().is_empty() && kind(last) == kind(line) && kind(line) != Kind::Heading);
        match blocks.last_mut() {
            Some(block) if joins && (fenced || !fence) => block.push(line),
            _ => blocks.push(vec![line]),
        }
        fenced ^= fence;
    }
    html! { @for block in &blocks { (shown(block)) } }
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Heading,
    Item,
    Quote,
    Row,
    Code,
    Blank,
    Words,
}

fn kind(line: &str) -> Kind {
    let line = line.trim_start();
    match () {
        () if line.is_empty() => Kind::Blank,
        () if line.starts_with("```") => Kind::Code,
        () if line.starts_with('#') => Kind::Heading,
        () if line.starts_with("- ") || line.starts_with("* ") => Kind::Item,
        () if line.starts_with('>') => Kind::Quote,
        () if line.starts_with('|') => Kind::Row,
        () => Kind::Words,
    }
}

fn shown(block: &[&str]) -> Markup {
    let first = block.first().copied().unwrap_or_default();
    match kind(first) {
        Kind::Heading => {
            let depth = first.trim_start().chars().take_while(|c| *c == '#').count().min(DEEPEST);
            let words = first.trim_start().trim_start_matches('#').trim();
            html! { @if depth <= 2 { h2 { (inline(words)) } } @else { h3 { (inline(words)) } } }
        }
        Kind::Item => html! { ul class="bullets" { @for line in block { li { (inline(&line.trim_start()[2..])) } } } },
        Kind::Quote => html! { blockquote { @for line in block { p { (inline(line.trim_start().trim_start_matches('>').trim())) } } } },
        Kind::Row => table(block),
        Kind::Code => {
            html! { pre { code { (block.iter().filter(|line| kind(line) != Kind::Code).copied().collect::<Vec<_>>().join("\n")) } } }
        }
        Kind::Blank => html! {},
        Kind::Words => html! { p { (inline(&block.join(" "))) } },
    }
}

fn table(block: &[&str]) -> Markup {
    let cells = |line: &str| -> Vec<String> { line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let rule = |line: &&&str| line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    let mut rows = block.iter().filter(|line| !rule(line)).map(|line| cells(line));
    let head = rows.next().unwrap_or_default();
    html! {
        div class="wide-table" tabindex="0" role="group" aria-label="Table" {
            table {
                thead { tr { @for cell in &head { th scope="col" { (inline(cell)) } } } }
                tbody { @for row in rows { tr { @for cell in &row { td { (inline(cell)) } } } } }
            }
        }
    }
}

/// `**strong**`, `_emphasis_` and `` `code` `` within a line.
fn inline(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } }
            @else {
                @for (at, part) in part.split("**").enumerate() {
                    @if at % 2 == 1 { strong { (emphasis(part)) } } @else { (emphasis(part)) }
                }
            }
        }
    }
}

/// `_so_`, where the marks stand at the ends of words: `snake_case` stays as it is. One way forward over the text,
/// since a review is long and somebody may mean ill.
fn emphasis(text: &str) -> Markup {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_ink = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    let marks: Vec<usize> = text.match_indices('_').map(|(at, _)| at).collect();
    let around = |at: usize| (text[..at].chars().next_back(), text[at + 1..].chars().next());
    let opens = |at: usize| matches!(around(at), (before, after) if !is_word(before) && is_ink(after));
    let closes = |at: usize| matches!(around(at), (before, after) if is_ink(before) && !is_word(after));
    let (mut shown, mut opened) = (0, None);
    let mut parts = Vec::new();
    for at in marks {
        match opened {
            Some(from) if at > from + 1 && closes(at) => {
                parts.push((&text[shown..from], Some(&text[from + 1..at])));
                (shown, opened) = (at + 1, None);
            }
            None if opens(at) => opened = Some(at),
            _ => {}
        }
    }
    parts.push((&text[shown..], None));
    html! { @for (plain, stressed) in parts { (plain) @if let Some(words) = stressed { em { (words) } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emphasis_is_of_words_and_not_within_them() {
        let shown = |text: &str| inline(text).into_string();
        assert_eq!(shown("who: _fill in_ (_two_)"), "who: <em>fill in</em> (<em>two</em>)");
        for plain in ["snake_case_name", "_ alone _", "a _ b", "_open", "__", "żółw_"] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn a_text_as_long_as_a_review_may_be_is_shown_however_it_is_made() {
        // Were it recursive, the stack of a test's thread would not hold it.
        for shape in ["_ü_ ", " _ü", "ü_ ", "`ü", "**ü", "_", "ü\n\n", "> ü\n", "- ü\n", "| ü ", "# ü\n", "```\nü\n"] {
            let text = shape.repeat(100_000 / shape.len());
            let (written, shown) = (text.matches('ü').count(), render(&text).into_string());
            assert_eq!(shown.matches('ü').count(), written, "{shape}");
        }
    }

    #[test]
    fn a_review_reads_as_headings_lists_and_tables_and_never_as_html() {
        let page = render("# What happened\nIt **broke** at `03:00`,\nall of it.\n\n- one\n- <b>two</b>\n\n| When | What |\n|---|---|\n| 03:00 | x |\n\n```\n# code\n```").into_string();
        for wanted in [
            "<h2>What happened</h2>",
            "<p>It <strong>broke</strong> at <code>03:00</code>, all of it.</p>",
            "<li>one</li><li>&lt;b&gt;two&lt;/b&gt;</li>",
            "<th scope=\"col\">When</th>",
            "<td>03:00</td>",
            "<pre><code># code</code></pre>",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
    }
}
