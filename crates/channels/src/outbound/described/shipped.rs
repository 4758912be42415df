//! The descriptions that come with the program: vendors of text messages, each after its own public documentation, which its file
//! names.

use std::sync::OnceLock;

use allclear_domain::channel::{Carriage, ChannelForm};

use super::description::Description;
use super::{LIMITS, SETTING, number_field};

/// A vendor: its name and its file. What the table of channels says of it stands in the program, so that it is there without
/// reading; a test holds it against the file.
struct Shipped {
    name: &'static str,
    form: &'static ChannelForm,
    text: &'static str,
    read: OnceLock<Description>,
}

macro_rules! ship {
    ($($form:ident = $name:literal, $vendor:literal, $noun:literal;)*) => {
        $(
            /// What the channel says of itself.
            pub static $form: ChannelForm = ChannelForm {
                name: $name,
                noun: $noun,
                id_example: $name,
                fields: &[number_field($name)],
                carriage: Carriage::Vendor { name: $vendor, setting: SETTING },
                limits: LIMITS,
            };
        )*
        static ALL: [Shipped; 6] = [
            $(Shipped { name: $name, form: &$form, text: include_str!(concat!("shipped/", $name, ".toml")), read: OnceLock::new() },)*
        ];
    };
}

ship! {
    ELKS = "46elks", "46elks", "mobile phone (by 46elks)";
    GATEWAYAPI = "gatewayapi", "GatewayAPI", "mobile phone (by GatewayAPI)";
    PLIVO = "plivo", "Plivo", "mobile phone (by Plivo)";
    SINCH = "sinch", "Sinch", "mobile phone (by Sinch)";
    TELNYX = "telnyx", "Telnyx", "mobile phone (by Telnyx)";
    VONAGE = "vonage", "Vonage", "mobile phone (by Vonage)";
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|one| one.name)
}

/// The one of this name.
///
/// # Panics
/// Never: a test reads each.
#[must_use]
pub fn shipped(name: &str) -> Option<(&'static Description, &'static ChannelForm)> {
    let one = ALL.iter().find(|one| one.name == name)?;
    let read = one.read.get_or_init(|| Description::read(one.text).unwrap_or_else(|why| panic!("{}: {why}", one.name)));
    Some((read, one.form))
}
