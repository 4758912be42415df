//! Text from outside for places that read signs in it. What would call people, lead elsewhere or load a picture is broken by a
//! character that nobody sees, so that the text reads as it came and does nothing. It is deliberately not escaped: each chat
//! has signs of its own, and shows the escapes of another.

/// Takes no room, breaks no line, and is part of no name or link.
const UNSEEN: char = '\u{200b}';

/// The text without mentions (`@all`) and without links and pictures of Markdown (`[x](…)`, `![x](…)`, `[x][y]`, `[x]: …`).
/// Mail addresses and bare links stay as they are.
pub(super) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // What defines a link has a space behind its colon, and the port of an IPv6 address a number.
        let defines = c == ':' && chars.peek().is_none_or(|next| next.is_whitespace());
        if before == ']' && (matches!(c, '(' | '[') || defines) {
            out.push(UNSEEN);
        }
        out.push(c);
        if c == '@' && !before.is_alphanumeric() {
            out.push(UNSEEN);
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_or_leads_does_nothing_and_reads_the_same() {
        for (text, wanted) in [
            ("@all: disk full", "@\u{200b}all: disk full"),
            ("(@here) .@channel", "(@\u{200b}here) .@\u{200b}channel"),
            ("ana@example.org", "ana@example.org"),
            ("[Acknowledge](https://evil.example)", "[Acknowledge]\u{200b}(https://evil.example)"),
            ("![x](https://track.example/p.png)", "![x]\u{200b}(https://track.example/p.png)"),
            ("[a][b]\n[b]: https://evil.example", "[a]\u{200b}[b]\n[b]\u{200b}: https://evil.example"),
            ("see http://[::1]:8080/a/x", "see http://[::1]:8080/a/x"),
            ("cpu[0] > 90 %, see https://run.example/book", "cpu[0] > 90 %, see https://run.example/book"),
        ] {
            assert_eq!(inert(text), wanted);
            assert_eq!(inert(text).replace(UNSEEN, ""), text);
        }
    }
}
