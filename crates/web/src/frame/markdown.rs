//! Markdown as reviews use it: CommonMark with tables. Text is text: HTML is shown as it was written, links lead to
//! the web and to mail only, and pictures are links, since nothing is fetched from elsewhere.

use std::sync::LazyLock;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// How deep lists and quotes are shown within each other; what is deeper keeps its words and loses its marks, so that a
/// text of nothing but marks is no deeper page.
const NESTED_MAX: usize = 16;
/// Where links may lead.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];
/// A table may be wider than the page, and is scrolled by keyboard then.
const TABLE: &str = "<div class=\"wide-table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>";

/// What a page may contain that was made from somebody's text, whatever the text is.
static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = ammonia::Builder::empty();
    cleaner
        .add_tags([
            "h2",
            "h3",
            "p",
            "ul",
            "ol",
            "li",
            "blockquote",
            "pre",
            "code",
            "em",
            "strong",
            "del",
            "a",
            "hr",
            "br",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ])
        .generic_attributes(std::collections::HashSet::new())
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("ol", ["start"])
        .url_schemes(SCHEMES.into())
        // An address without a scheme would lead into this very page's neighbours.
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"));
    cleaner
});

/// The text as a page shows it.
pub(crate) fn render(text: &str) -> Markup {
    let mut shown = String::with_capacity(text.len() * 2);
    html::push_html(&mut shown, Shallow::new(Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)));
    let clean = CLEANER.clean(&shown).to_string();
    // What was written as text has its brackets escaped by now: only ours are found.
    PreEscaped(clean.replace("<table>", TABLE).replace("</table>", "</table></div>").replace("<ul>", "<ul class=\"bullets\">"))
}

/// The events of a text, as far as a page shows them.
struct Shallow<'a> {
    events: Parser<'a>,
    nested: usize,
}

impl<'a> Shallow<'a> {
    const fn new(events: Parser<'a>) -> Self {
        Self { events, nested: 0 }
    }
}

/// Headings of a text begin below the page's own, and end soon after.
const fn level(of: HeadingLevel) -> HeadingLevel {
    match of {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H2,
        HeadingLevel::H3 | HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H3,
    }
}

impl<'a> Iterator for Shallow<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let event = match self.events.next()? {
                Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
                Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
                Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
                Event::Start(Tag::Heading { level: of, .. }) => {
                    Event::Start(Tag::Heading { level: level(of), id: None, classes: Vec::new(), attrs: Vec::new() })
                }
                Event::End(TagEnd::Heading(of)) => Event::End(TagEnd::Heading(level(of))),
                Event::Start(Tag::Image { link_type, dest_url, title, id }) => Event::Start(Tag::Link { link_type, dest_url, title, id }),
                Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
                Event::Start(tag @ (Tag::BlockQuote(_) | Tag::List(_) | Tag::Item)) => {
                    self.nested += 1;
                    if self.nested > NESTED_MAX {
                        continue;
                    }
                    Event::Start(tag)
                }
                Event::End(tag @ (TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item)) => {
                    self.nested -= 1;
                    if self.nested >= NESTED_MAX {
                        continue;
                    }
                    Event::End(tag)
                }
                event => event,
            };
            return Some(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_as_long_as_a_review_may_be_is_shown_however_it_is_made() {
        // Were it recursive, the stack of a test's thread would not hold it.
        let shapes = [
            "_ü_ ",
            " _ü",
            "ü_ ",
            "`ü",
            "**ü",
            "_",
            "ü\n\n",
            "> ü\n",
            ">",
            "- ü\n",
            "- - ",
            "| ü ",
            "# ü\n",
            "```\nü\n",
            "[ü](",
            "[",
            "<ü",
            "&ü",
        ];
        for shape in shapes {
            let text = shape.repeat(100_000 / shape.len());
            let (written, shown) = (text.matches('ü').count(), render(&text).into_string());
            assert_eq!(shown.matches('ü').count(), written, "{shape}");
        }
    }

    #[test]
    fn a_review_reads_as_headings_lists_tables_and_links() {
        let text = "# What happened\nIt **broke** at `03:00`,\nall of _it_: snake_case_name.\n\n1. one\n2. two\n   - deeper\n\n\
                    - [the graph](https://graphs.example.org/a?b=1&c=2)\n\n\
                    | When | What |\n|---|---|\n| 03:00 | x |\n\n```\n# code\n```\n";
        let page = render(text).into_string();
        for wanted in [
            "<h2>What happened</h2>",
            "<p>It <strong>broke</strong> at <code>03:00</code>,\nall of <em>it</em>: snake_case_name.</p>",
            "<ol>\n<li>one</li>\n<li>two\n<ul class=\"bullets\">\n<li>deeper</li>",
            "<a href=\"https://graphs.example.org/a?b=1&amp;c=2\" rel=\"noopener noreferrer nofollow\">the graph</a>",
            "aria-label=\"Table\"><table><thead><tr><th>When</th><th>What</th></tr></thead>",
            "<td>03:00</td>",
            "<pre><code># code\n</code></pre>",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
    }

    #[test]
    fn nothing_that_was_written_becomes_html_or_leads_where_a_link_should_not() {
        for (text, shown) in [
            ("<b>two</b>", "<p>&lt;b&gt;two&lt;/b&gt;</p>"),
            ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
            ("a <img src=x onerror=alert(1)>", "<p>a &lt;img src=x onerror=alert(1)&gt;</p>"),
            ("<table>", "<p>&lt;table&gt;</p>"),
            ("[x](javascript:alert(1))", "<p><a rel=\"noopener noreferrer nofollow\">x</a></p>"),
            ("[x](/sign-out)", "<p><a rel=\"noopener noreferrer nofollow\">x</a></p>"),
            ("[x](data:text/html,x)", "<p><a rel=\"noopener noreferrer nofollow\">x</a></p>"),
            (
                "![x](https://elsewhere.example.org/1.png \"t\")",
                "<p><a href=\"https://elsewhere.example.org/1.png\" rel=\"noopener noreferrer nofollow\">x</a></p>",
            ),
            ("# a {#id .big onclick=x}", "<h2>a {#id .big onclick=x}</h2>"),
        ] {
            assert_eq!(render(text).into_string().trim(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_nested_deeper_than_a_page_shows_keeps_its_words() {
        let page = render(&format!("{}deep", "> ".repeat(1_000))).into_string();
        assert_eq!((page.matches("<blockquote>").count(), page.matches("deep").count()), (NESTED_MAX, 1), "{page}");
    }
}
