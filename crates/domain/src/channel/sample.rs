//! Two channels for the tests of the rules, which may not know the real ones.

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server, WaysOut};
use allclear_domain::org::check::text::{is_email, url_fault};

const LIMITS: Limits = Limits { title_chars: None, text_bytes: None, text_chars: None, buttons: 0 };

static MAIL: ChannelForm = ChannelForm {
    name: "email",
    noun: "mail address",
    id_example: "mail",
    fields: &[Field {
        key: "email",
        label: "Mail address",
        hint: "",
        shape: "name@host",
        example: "ana@example.org",
        needed: true,
        kept: Kept::Plain,
        check: |text| if is_email(text) { Ok(()) } else { Err(format!("`{text}` is not a mail address")) },
    }],
    carriage: Carriage::Mail,
    limits: LIMITS,
};

static HOOK: ChannelForm = ChannelForm {
    name: "webhook",
    noun: "webhook",
    id_example: "hook",
    fields: &[
        Field {
            key: "webhook",
            label: "Address",
            hint: "",
            shape: "https://…",
            example: "https://hooks.example.org/ana",
            needed: true,
            kept: Kept::Plain,
            check: |text| url_fault(text).map_or(Ok(()), |fault| Err(format!("the address {fault}"))),
        },
        Field {
            key: "secret",
            label: "Secret",
            hint: "",
            shape: "whsec_…",
            example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            needed: false,
            kept: Kept::Made { bytes: 1, text: |_| "whsec_made".to_owned() },
            check: |text| {
                if text.starts_with("whsec_") && text.len() >= 38 {
                    Ok(())
                } else {
                    Err("the secret is not `whsec_` and base64 of 24 to 64 bytes".to_owned())
                }
            },
        },
    ],
    carriage: Carriage::Http(Server::Main),
    limits: LIMITS,
};

/// Mail and a webhook.
pub(crate) const WAYS: WaysOut = WaysOut(&[&MAIL, &HOOK]);
