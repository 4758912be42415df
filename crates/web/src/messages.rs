//! The messages that a demonstration would have sent, each with the link to click.

use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::DemoMessage;
use crate::parts;
use crate::when::When;

/// Messages on their page.
const SHOWN_MAX: usize = 200;
/// Characters of one message.
const TEXT_CHARS_MAX: usize = 600;

/// The page's body.
pub(crate) fn page(sent: &[DemoMessage], org: &Org, when: &When) -> Markup {
    html! {
        div class="wide" {
            h1 { "Messages" }
            p class="quiet" { "This demonstration sends none. These would have gone out, the newest first; each link does what it would do on a phone." }
            (list(sent, org, when, SHOWN_MAX))
            @if sent.len() > SHOWN_MAX { p class="quiet" { (sent.len() - SHOWN_MAX) " older ones are not shown." } }
        }
    }
}

/// The newest `max`, newest first.
pub(crate) fn list(sent: &[DemoMessage], org: &Org, when: &When, max: usize) -> Markup {
    html! {
        @if sent.is_empty() { p class="quiet" { "None so far. The first follows the first alarm." } }
        ol class="messages" {
            @for message in sent.iter().rev().take(max) {
                li {
                    p class="quiet" {
                        (when.stamp(message.at)) " · " strong { bdi { (parts::name(org, &message.person)) } } " · " (message.channel)
                    }
                    p class="said" { bdi { (parts::cut(&message.text, TEXT_CHARS_MAX)) } }
                    @if let Some(href) = parts::followable(&message.ack_url) {
                        a class="press" href=(href) { span { "Open the link as " bdi { (parts::name(org, &message.person)) } } }
                    }
                }
            }
        }
    }
}
