//! Reads JSON as sloppy senders write it: an alarm outweighs a trifle in it.
//!
//! The types here take whatever stands where they are and fail for nothing but broken JSON: a
//! number where a text belongs, null, a list, a field said twice. What was taken otherwise than
//! written is remembered, so that it can be named. JSON that is broken only in a trifle (a lone
//! surrogate, a stray byte, `NaN`) is mended and read again, by [`read`]; clean requests never come
//! to that.
//!
//! Deliberately not here: limits of labels and texts ([`crate::inbound::text`]), and what a format makes of
//! its fields.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::marker::PhantomData;

use allclear_domain::wire::Link;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::inbound::clean;

/// How deep what stands where a text belongs is looked into; deeper it is left out. Far below the
/// depth at which the reader of JSON gives up.
const NESTED_MAX: usize = 16;
/// What stands for something that was too deep.
const TOO_DEEP: &str = "…";

/// A scalar that should be a text and is sometimes a number, a boolean, null, or no scalar at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loose<'a> {
    /// The text; of an object or a list, its JSON.
    pub text: Cow<'a, str>,
    /// What stood here instead of a scalar.
    pub wrong: Option<&'static str>,
}

impl Loose<'_> {
    /// The text without surrounding space; `None` when empty, or no scalar.
    #[must_use]
    pub fn filled(&self) -> Option<&str> {
        let text = self.text.trim();
        (self.wrong.is_none() && !text.is_empty()).then_some(text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn is<'a>(text: impl Into<Cow<'a, str>>) -> Loose<'a> {
            Loose { text: text.into(), wrong: None }
        }
        struct Scalar;
        impl<'de> Visitor<'de> for Scalar {
            type Value = Loose<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(is(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(is(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(is(text))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(is(if value { "true" } else { "false" }))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(is(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(is(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(is(value.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose { text: Cow::Borrowed(""), wrong: Some("null") })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(Loose { text: Nested(0).visit_map(map)?.to_string().into(), wrong: Some("an object") })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Ok(Loose { text: Nested(0).visit_seq(list)?.to_string().into(), wrong: Some("a list") })
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

/// Any value, down to a depth.
#[derive(Clone, Copy)]
struct Nested(usize);

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0 >= NESTED_MAX {
            IgnoredAny::deserialize(deserializer)?;
            return Ok(TOO_DEEP.into());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = list.next_element_seed(Self(self.0 + 1))? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(name) = map.next_key::<Loose<'de>>()? {
            let value = map.next_value_seed(Self(self.0 + 1))?;
            out.insert(name.text.into_owned(), value);
        }
        Ok(Value::Object(out))
    }
}

/// An object that is read by a type of its own, or something else that stands in its place.
#[derive(Debug)]
pub enum Element<T> {
    /// The object.
    Read(T),
    /// What it is instead.
    Wrong(&'static str),
}

/// A list of objects, or one, or something else.
#[derive(Debug)]
pub struct Elements<T> {
    /// The first of them, at most [`clean::ALERTS_MAX`].
    pub list: Vec<Element<T>>,
    /// How many there are.
    pub count: usize,
    /// What stands here where it is no list.
    pub wrong: Option<&'static str>,
}

impl<T> Default for Elements<T> {
    fn default() -> Self {
        Self { list: Vec::new(), count: 0, wrong: Some("nothing") }
    }
}

/// Visits what is no object: says what it is.
macro_rules! says_what_it_is {
    ($value:ty, $made:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<$value, E> {
            Ok($made("a text"))
        }
        fn visit_bool<E>(self, _: bool) -> Result<$value, E> {
            Ok($made("a boolean"))
        }
        fn visit_u64<E>(self, _: u64) -> Result<$value, E> {
            Ok($made("a number"))
        }
        fn visit_i64<E>(self, _: i64) -> Result<$value, E> {
            Ok($made("a number"))
        }
        fn visit_f64<E>(self, _: f64) -> Result<$value, E> {
            Ok($made("a number"))
        }
        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok($made("null"))
        }
    };
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Element<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Element::Read)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Element<T>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Element::Wrong("a list"))
            }
            says_what_it_is!(Element<T>, Element::Wrong);
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = Elements<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Elements<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(none("an object"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Elements<T>, A::Error> {
                let mut list = Vec::new();
                while list.len() < clean::ALERTS_MAX {
                    match items.next_element()? {
                        Some(item) => list.push(item),
                        None => return Ok(Elements { count: list.len(), list, wrong: None }),
                    }
                }
                // The rest is only counted, so that it takes no memory.
                let mut count = list.len();
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { list, count, wrong: None })
            }
            says_what_it_is!(Elements<T>, none);
        }
        fn none<T>(what: &'static str) -> Elements<T> {
            Elements { list: Vec::new(), count: 0, wrong: Some(what) }
        }
        deserializer.deserialize_any(List(PhantomData))
    }
}

/// Makes a type of lenient fields readable from an object: unknown names are passed over, and of a
/// name said twice the last counts, as in Go's reader.
macro_rules! lenient_object {
    ($name:ident { $($field:ident: $key:literal),+ $(,)? }) => {
        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<&'a ()>);
                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name<'a>, A::Error> {
                        let mut out = $name::default();
                        while let Some(name) = map.next_key::<crate::inbound::lenient::Loose<'de>>()? {
                            match name.text.as_ref() {
                                $($key => out.$field = map.next_value()?,)+
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(out)
                    }
                }
                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use lenient_object;

/// Names and scalars of an object in the order they came; or what is no object.
#[derive(Debug, Default)]
pub struct Pairs<'a> {
    /// Names and values.
    pub list: Vec<(Cow<'a, str>, Loose<'a>)>,
    /// What stands here where it is no object.
    pub wrong: Option<&'static str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some((name, value)) = map.next_entry::<Loose<'de>, Loose<'de>>()? {
                    list.push((name.text, value));
                }
                Ok(Pairs { list, wrong: None })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(no("a list"))
            }
            says_what_it_is!(Pairs<'de>, no);
        }
        fn no<'a>(what: &'static str) -> Pairs<'a> {
            // Null is how many write that there are none.
            Pairs { list: Vec::new(), wrong: (what != "null").then_some(what) }
        }
        deserializer.deserialize_any(Object)
    }
}

/// Links as senders write them, `[{"href":…,"text":…}, "https://…"]`, and those that lead nowhere,
/// as text.
#[must_use]
pub fn links(raw: &RawValue) -> (Vec<Link>, Vec<String>) {
    #[derive(Default)]
    struct Form<'a> {
        href: Loose<'a>,
        url: Loose<'a>,
        src: Loose<'a>,
        text: Loose<'a>,
        alt: Loose<'a>,
    }
    lenient_object!(Form { href: "href", url: "url", src: "src", text: "text", alt: "alt" });
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        // One link that is no list of links.
        let one = serde_json::from_str::<Loose<'_>>(raw.get()).unwrap_or_default();
        match one.filled().map(|href| clean::link(href, "").ok_or(href)) {
            Some(Ok(link)) => good.push(link),
            Some(Err(href)) => bad.push(href.to_owned()),
            None => bad.extend(one.wrong.filter(|what| *what != "null").map(|_| one.text.into_owned())),
        }
        return (good, bad);
    };
    for item in items {
        let (href, caption) = match serde_json::from_str::<Element<Form<'_>>>(item.get()) {
            Ok(Element::Read(form)) => {
                let href = [form.href, form.url, form.src].into_iter().find(|said| !said.text.trim().is_empty()).unwrap_or_default();
                (href, if form.text.filled().is_some() { form.text } else { form.alt })
            }
            Ok(Element::Wrong(_)) | Err(_) => (serde_json::from_str::<Loose<'_>>(item.get()).unwrap_or_default(), Loose::default()),
        };
        match clean::link(&href.text, &caption.text) {
            Some(link) if good.len() < clean::LINKS_MAX => good.push(link),
            Some(link) => bad.push(link.href),
            None if href.text.trim().is_empty() => {}
            None => bad.push(href.text.into_owned()),
        }
    }
    (good, bad)
}

/// Some elements of a body that is a list, or an object with a list of `alerts`, as they came.
#[must_use]
pub fn picked(body: &[u8], at: &[usize]) -> Option<String> {
    #[derive(Deserialize)]
    struct Holder<'a> {
        #[serde(borrow)]
        alerts: Vec<&'a RawValue>,
    }
    let mended = OnceCell::new();
    let in_object = OnceCell::new();
    let list = read::<Vec<&RawValue>>(body, &mended).or_else(|_| read::<Holder<'_>>(body, &in_object).map(|holder| holder.alerts)).ok()?;
    let picked: Vec<&str> = at.iter().filter_map(|at| list.get(*at).map(|raw| raw.get())).collect();
    Some(format!("[{}]", picked.join(",")))
}

/// A body whose JSON was broken in trifles, with these mended.
#[derive(Debug, PartialEq, Eq)]
pub struct Mended {
    /// JSON, as far as it goes.
    text: String,
    /// What was mended, in words.
    pub notes: Vec<&'static str>,
}

/// Reads a body, and once more after mending it where it is broken. `mended` holds what was mended.
///
/// # Errors
/// Where it is no JSON all the same.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8], mended: &'a OnceCell<Mended>) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).or_else(|why| match mend(body) {
        Some(better) => serde_json::from_str(&mended.get_or_init(|| better).text),
        None => Err(why),
    })
}

/// Puts right what breaks JSON and means nothing; `None` where there is nothing of it.
fn mend(body: &[u8]) -> Option<Mended> {
    const SURROGATE: &str = "half of a character (a lone surrogate) was replaced";
    const BYTES: &str = "bytes that are no UTF-8 were replaced";
    const ESCAPE: &str = "a backslash before a character that needs none was kept as it is";
    const CONTROL: &str = "control characters within a text were escaped";
    const NUMBER: &str = "a value that is no number (NaN, Infinity) was read as null";
    const LARGE: &str = "a number that is too large was read as text";
    let text = String::from_utf8_lossy(body);
    let mut notes = Vec::new();
    let mut note = |what: &'static str| {
        if !notes.contains(&what) {
            notes.push(what);
        }
    };
    if matches!(text, Cow::Owned(_)) {
        note(BYTES);
    }
    let bytes = text.as_bytes();
    let unit = |at: usize| -> Option<u32> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(br"\u")?;
        digits.iter().try_fold(0, |code, digit| Some(code * 16 + (*digit as char).to_digit(16)?))
    };
    let mut out = String::with_capacity(text.len() + 16);
    let (mut at, mut copied, mut within) = (0, 0, false);
    // Copies what was passed over, puts `instead` in, and goes on at `next`.
    macro_rules! put {
        ($instead:expr, $next:expr) => {{
            out.push_str(&text[copied..at]);
            out.push_str($instead);
            at = $next;
            copied = at;
        }};
    }
    while let Some(byte) = bytes.get(at).copied() {
        match (within, byte) {
            (_, b'"') => {
                within = !within;
                at += 1;
            }
            (true, b'\\') => match (bytes.get(at + 1), unit(at)) {
                (_, Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
                (_, Some(0xd800..=0xdfff)) => {
                    note(SURROGATE);
                    put!("\u{fffd}", at + 6);
                }
                (_, Some(_)) => at += 6,
                (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), None) => at += 2,
                (Some(_) | None, None) => {
                    note(ESCAPE);
                    put!(r"\\", at + 1);
                }
            },
            (true, 0..0x20) => {
                note(CONTROL);
                put!(&format!("\\u{byte:04x}"), at + 1);
            }
            (false, b'N' | b'I' | b'-') if ["NaN", "Infinity", "-Infinity"].iter().any(|word| bytes[at..].starts_with(word.as_bytes())) => {
                note(NUMBER);
                let length = match byte {
                    b'N' => 3,
                    b'I' => 8,
                    _ => 9,
                };
                put!("null", at + length);
            }
            (false, b'-' | b'0'..=b'9') => {
                let length = bytes[at..].iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')).count();
                let number = &text[at..at + length];
                if number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    note(LARGE);
                    put!(&format!("\"{number}\""), at + length);
                } else {
                    at += length;
                }
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[copied..]);
    (!notes.is_empty()).then_some(Mended { text: out, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(body: &[u8]) -> (String, Vec<&'static str>) {
        let mended = OnceCell::new();
        let read: Loose<'_> = read(body, &mended).unwrap();
        let text = read.text.into_owned();
        (text, mended.into_inner().map(|mended| mended.notes).unwrap_or_default())
    }

    #[test]
    fn trifles_that_break_json_are_mended_and_named() {
        for (body, want) in [
            (br#""a\ud800b""#.as_slice(), "a\u{fffd}b"),
            (br#""\udc00\ud83d\ude00""#, "\u{fffd}😀"),
            (b"\"a\xffb\"", "a\u{fffd}b"),
            (br#""C:\data\\x\"""#, r#"C:\data\x""#),
            (b"\"a\nb\tc\"", "a\nb\tc"),
            (b"1e999", "1e999"),
        ] {
            let (text, notes) = text_of(body);
            assert_eq!((text.as_str(), notes.len()), (want, 1), "{}", String::from_utf8_lossy(body));
        }
        let (text, notes) = text_of(br#"{"v":NaN,"w":[-Infinity,1.5],"x":"NaN"}"#);
        assert_eq!((text.as_str(), notes.len()), (r#"{"v":null,"w":[null,1.5],"x":"NaN"}"#, 1));
        assert_eq!(text_of(br#""plain \u00e9 \\ud800""#), ("plain é \\ud800".to_owned(), vec![]));
        for broken in ["", "{", "[1,]", "nope", r#"{"a":NaNo}"#, "\"open", "\"\\"] {
            assert!(read::<Loose<'_>>(broken.as_bytes(), &OnceCell::new()).is_err(), "{broken}");
        }
    }

    #[test]
    fn depth_is_no_reason_to_fail() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let read: Loose<'_> = serde_json::from_str(&deep).unwrap();
        assert_eq!((read.wrong, read.filled()), (Some("a list"), None));
        assert!(read.text.len() < 100 && read.text.contains(TOO_DEEP));
    }

    #[test]
    fn what_was_refused_is_picked_out() {
        assert_eq!(picked(br#"[1,{"a":[2]},3]"#, &[1, 2, 9]).as_deref(), Some(r#"[{"a":[2]},3]"#));
        assert_eq!(picked(br#"{"alerts":[1,NaN]}"#, &[1]).as_deref(), Some("[null]"));
        assert_eq!(picked(b"{}", &[0]), None);
    }

    #[test]
    fn links_as_senders_write_them() {
        let raw: &RawValue = serde_json::from_str(
            r#"[{"href":"https://a","text":"A"},"https://b",{"src":"https://c","alt":"C"},{"href":"www.d"},7,null,{"href":["x"]},{}]"#,
        )
        .unwrap();
        let (good, bad) = links(raw);
        assert_eq!(
            good.iter().map(|l| (l.href.as_str(), l.text.as_str())).collect::<Vec<_>>(),
            [("https://a", "A"), ("https://b", ""), ("https://c", "C")]
        );
        assert_eq!(bad, ["www.d", "7", r#"["x"]"#]);
        let one: &RawValue = serde_json::from_str(r#""https://a""#).unwrap();
        assert_eq!(links(one).0.len(), 1);
    }
}
