//! The description of the control API as JSON and as a page, and the pages of the error codes.
//!
//! Both are made when somebody asks first, since few do and making them takes some megabytes; the page needs no script.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::OpenApi;

use crate::Api;
use crate::http::problem::{Problem, find};

/// Parts of a reference that are followed before a schema is shown by its name only.
const SCHEMA_PREFIX: &str = "#/components/schemas/";
/// The methods of a path, in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Colours are the system's own, so that both schemes come with a ground that fits.
const STYLE: &str = ":root{color-scheme:light dark;background:Canvas;color:CanvasText}a{color:LinkText}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code{font:.9em ui-monospace,monospace}summary{cursor:pointer;padding:.3rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}\
    dd{margin:0}table{border-collapse:collapse}td,th{border:1px solid #8888;padding:.2rem .5rem;text-align:left;vertical-align:top}";

/// The description, made once.
#[derive(Clone, Default)]
struct Made(Arc<tokio::sync::OnceCell<(Bytes, Bytes)>>);

impl Made {
    /// As JSON, and as a page.
    async fn get(&self, version: &str) -> Result<(Bytes, Bytes), Problem> {
        let version = version.to_owned();
        let make = || async { tokio::task::spawn_blocking(move || make(&crate::rest::described(&version))).await };
        self.0.get_or_try_init(make).await.cloned().map_err(|why| Problem::new("internal", format!("the description was not made: {why}")))
    }
}

pub(crate) fn routes() -> Router<Api> {
    let (made, policy) = (Made::default(), policy());
    let text = {
        let made = made.clone();
        move |State(api): State<Api>| async move {
            let (text, _) = made.get(&api.options.version).await?;
            Ok::<_, Problem>(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text))
        }
    };
    let page = move |State(api): State<Api>| async move {
        let (_, page) = made.get(&api.options.version).await?;
        Ok::<_, Problem>(([(CONTENT_SECURITY_POLICY, policy)], Html(page)))
    };
    Router::new().route("/api/v1/openapi.json", get(text)).route("/api/docs", get(page)).route("/docs/errors/{code}", get(error_page))
}

fn make(spec: &OpenApi) -> (Bytes, Bytes) {
    // What serialises without a failure once does so always: it is made of our own types.
    let mut described = serde_json::to_value(spec).unwrap_or_default();
    crate::schema::say_what_is_always_there(&mut described);
    crate::rest::describe_asks(&mut described);
    say_what_answers_mean(&mut described);
    crate::http::bounds::put(&mut described);
    (Bytes::from(described.to_string()), Bytes::from(page_of(&described)))
}

/// Each answer has words, as OpenAPI wants them: what a status means is the same for every route.
fn say_what_answers_mean(described: &mut Value) {
    let Some(paths) = described["paths"].as_object_mut() else { return };
    let routes = paths.values_mut().filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    let answers = routes.filter_map(|route| route.get_mut("responses")?.as_object_mut()).flatten();
    for (status, answer) in answers {
        let words = match status.as_str() {
            "201" => "It was made.",
            "202" => "It was accepted, and is carried out.",
            "204" => "It was done; there is nothing to say of it.",
            "default" => "It was refused, or failed: `code` says why, and `detail` what would work.",
            _ => "As asked.",
        };
        if let Some(answer) = answer.as_object_mut().filter(|answer| !answer.contains_key("description")) {
            answer.insert("description".to_owned(), words.into());
        }
    }
}

/// What the page may load and do: its own style, which is named by its digest, and nothing else.
fn policy() -> HeaderValue {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    HeaderValue::try_from(policy).expect("base64 is text")
}

async fn error_page(Path(code): Path<String>) -> Response {
    match find(&code) {
        Some(code) => ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], code.page).into_response(),
        None => Problem::new("not_found", "there is no such error code; docs/errors has them all").into_response(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A schema in a few words: its name as a link, or its type.
fn kind_of(schema: &Value) -> String {
    if let Some(name) = text(schema, "$ref").strip_prefix(SCHEMA_PREFIX) {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind_of(items));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(list) = schema.get(several).and_then(Value::as_array) {
            return list.iter().map(kind_of).collect::<Vec<_>>().join(if several == "allOf" { " and " } else { " or " });
        }
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words
            .iter()
            .map(|word| format!("<code>{}</code>", escaped(word.as_str().unwrap_or_default())))
            .collect::<Vec<_>>()
            .join(", ");
    }
    match schema.get("type") {
        Some(Value::String(one)) => escaped(if text(schema, "format") == "date-time" { "instant" } else { one }),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(escaped).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    }
}

fn content_of(out: &mut String, title: &str, holder: &Value) {
    for (media, content) in holder.get("content").and_then(Value::as_object).into_iter().flatten() {
        let kind = content.get("schema").map(kind_of).unwrap_or_default();
        let _ = write!(out, "<dt>{title}</dt><dd><code>{}</code> {kind}</dd>", escaped(media));
    }
}

/// Writing into a string does not fail, so its results are dropped here.
fn page_of(spec: &Value) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>All Clear API</title>\
         <style>{STYLE}</style><main><h1>All Clear API {}</h1><p>Send <code>Authorization: Bearer TOKEN</code>. \
         The description for programs is <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>",
        escaped(spec.pointer("/info/version").and_then(Value::as_str).unwrap_or_default())
    );
    for (path, item) in spec.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let _ = write!(
                out,
                "<details><summary><code>{} {}</code> {}</summary><p>{}</p><dl>",
                method.to_uppercase(),
                escaped(path),
                escaped(text(operation, "summary")),
                escaped(text(operation, "description"))
            );
            for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let kind = parameter.get("schema").map(kind_of).unwrap_or_default();
                let (name, place) = (escaped(text(parameter, "name")), escaped(text(parameter, "in")));
                let _ = write!(out, "<dt><code>{name}</code> ({place})</dt><dd>{kind} {}</dd>", escaped(text(parameter, "description")));
            }
            if let Some(body) = operation.get("requestBody") {
                content_of(&mut out, "body", body);
            }
            for (status, answer) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
                content_of(&mut out, &escaped(status), answer);
            }
            out.push_str("</dl></details>");
        }
    }
    for (name, schema) in spec.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten() {
        let _ = write!(out, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escaped(name), escaped(text(schema, "description")));
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else {
            let _ = write!(out, "<p>{}</p>", kind_of(schema));
            continue;
        };
        out.push_str("<table><tr><th scope=col>field<th scope=col>type<th scope=col>what</tr>");
        for (field, of) in fields {
            let _ = write!(out, "<tr><td><code>{}</code><td>{}<td>{}</tr>", escaped(field), kind_of(of), escaped(text(of, "description")));
        }
        out.push_str("</table>");
    }
    out.push_str("</main>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_page_names_the_style_that_is_in_it() {
        let page = page_of(&serde_json::json!({"paths": {}}));
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
        assert!(policy().to_str().unwrap().contains(&format!("style-src 'sha256-{digest}'")), "{style}");
    }
}
