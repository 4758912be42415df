//! What the description says beside the types of Rust: bounds of parameters and texts, by name, so that whoever holds to
//! the description is refused for no form of theirs, and whoever does not is.

use allclear_engine::read::{LIST_MAX, SEARCH_CHARS_MAX};
use serde_json::{Value, json};

use crate::http::extract::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::rest::EVENTS_MAX;

/// A length of time as people write it; at most ten years, which no pattern can say exactly.
const LENGTH: &str = "^([0-9]{1,2}w)?([0-9]{1,3}d)?([0-9]{1,3}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$";
/// A version of something, or any.
const VERSION: &str = "^(\\*|\"[0-9]{1,15}\")$";
/// What ids, and so cursors, look like behind their prefix: 128 bits in Crockford's base 32.
const ID: &str = "_[0-7][0-9a-hjkmnp-tv-z]{25}$";

/// Puts the bounds into a description.
pub(crate) fn put(spec: &mut Value) {
    let paths = spec.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for operation in paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()).map(|(_, operation)| operation) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let Some(schema) = parameter.get_mut("schema") else { continue };
            // A parameter is there or left out; there is no way to write that it is null.
            never_null(schema);
            let bounds = match name.as_str() {
                "limit" if id == "list_incident_events" => json!({"minimum": 1, "maximum": EVENTS_MAX}),
                "limit" => json!({"minimum": 1, "maximum": LIST_MAX}),
                // Those that are over are asked for by their state.
                "open" if id == "list_incidents" => json!({"enum": [true]}),
                "q" => json!({"minLength": 1, "maxLength": SEARCH_CHARS_MAX, "pattern": "\\S"}),
                "cursor" => json!({"pattern": format!("^{}{ID}", listed(&id))}),
                "Idempotency-Key" => json!({"minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$"}),
                "If-Match" => json!({"pattern": VERSION}),
                "If-None-Match" => json!({"enum": ["*"]}),
                _ => continue,
            };
            merge(schema, bounds);
        }
    }
    let schemas = spec.pointer_mut("/components/schemas").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, schema) in schemas {
        for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            if ["within", "next_within", "expires_in"].contains(&name.as_str()) {
                merge(field, json!({"pattern": LENGTH, "minLength": 2}));
            }
        }
    }
}

/// The prefix of the ids that an operation lists.
fn listed(operation: &str) -> &'static str {
    match operation.rsplit('_').next().unwrap_or_default() {
        "alerts" => "alt",
        "signals" => "sig",
        "refused" => "rfs",
        "audit" => "aud",
        "reviews" => "rev",
        "actions" => "act",
        _ => "inc",
    }
}

fn never_null(schema: &mut Value) {
    if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
        let kinds: Vec<Value> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        schema["type"] = if let [one] = kinds.as_slice() { one.clone() } else { kinds.into() };
    }
    if let Some(any) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        any.retain(|one| one.get("type").and_then(Value::as_str) != Some("null"));
    }
}

fn merge(schema: &mut Value, bounds: Value) {
    if let (Some(schema), Value::Object(bounds)) = (schema.as_object_mut(), bounds) {
        schema.extend(bounds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_bounds_and_are_never_null() {
        let limit = |id: &str| {
            json!({"operationId": id, "parameters": [{"name": "limit", "schema": {"type": ["integer", "null"], "format": "int64"}},
                {"name": "severity", "schema": {"oneOf": [{"type": "null"}, {"$ref": "#/x"}]}}]})
        };
        let mut spec = json!({"paths": {"/a": {"get": limit("list_alerts")}, "/b": {"get": limit("list_incident_events")}},
            "components": {"schemas": {"Task": {"properties": {"within": {"type": ["string", "null"]}}}}}});
        put(&mut spec);
        let schema = |path: &str, at: usize| spec["paths"][path]["get"]["parameters"][at]["schema"].clone();
        assert_eq!(schema("/a", 0), json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": LIST_MAX}));
        assert_eq!(schema("/b", 0)["maximum"], EVENTS_MAX);
        assert_eq!(schema("/a", 1), json!({"oneOf": [{"$ref": "#/x"}]}));
        assert_eq!(spec["components"]["schemas"]["Task"]["properties"]["within"]["pattern"], LENGTH);
    }
}
