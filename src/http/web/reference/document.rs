//! The OpenAPI document, read once into what the pages show of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// What the document says.
pub(in crate::http::web) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let value = serde_json::from_str(crate::http::api::document()).unwrap_or_default();
    Document::read(&value)
});

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// How deep a type is written out before it is `object`.
const DEPTH: usize = 4;

/// The whole document.
#[derive(Debug, Default)]
pub(in crate::http::web) struct Document {
    pub version: String,
    pub about: String,
    pub groups: Vec<Group>,
    /// What any operation may answer where it refuses.
    pub refusals: Vec<Refusal>,
    schemas: BTreeMap<String, Schema>,
}

/// Operations about the same things.
#[derive(Debug)]
pub(in crate::http::web) struct Group {
    pub name: String,
    pub operations: Vec<Operation>,
}

/// A method and a path.
#[derive(Debug)]
pub(in crate::http::web) struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    /// Who may, and with what.
    pub needs: String,
    pub parameters: Vec<Parameter>,
    /// The name of what is sent.
    pub body: Option<String>,
    pub answers: Vec<Reply>,
}

/// A parameter of the path or the query.
#[derive(Debug)]
pub(in crate::http::web) struct Parameter {
    pub name: String,
    pub place: String,
    pub required: bool,
    pub about: String,
}

/// What is answered where all went well.
#[derive(Debug)]
pub(in crate::http::web) struct Reply {
    pub status: String,
    pub about: String,
    /// The name of what is answered.
    pub schema: Option<String>,
}

/// What is answered where it did not.
#[derive(Debug)]
pub(in crate::http::web) struct Refusal {
    pub status: String,
    pub about: String,
}

/// An object that is sent or answered.
#[derive(Debug)]
pub(in crate::http::web) struct Schema {
    pub name: String,
    pub about: String,
    pub fields: Vec<Field>,
    /// The other objects that it is made of.
    parts: Vec<String>,
}

/// A member of such an object.
#[derive(Debug)]
pub(in crate::http::web) struct Field {
    pub name: String,
    /// Of which type, in short.
    pub kind: String,
    pub required: bool,
    pub about: String,
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn members<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The name that a reference ends in.
fn referred(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str()?.rsplit('/').next().map(str::to_owned)
}

/// The schema of a body or an answer.
fn content(value: &Value) -> Option<String> {
    members(value, "content").find_map(|(_, media)| referred(media.get("schema")?))
}

impl Document {
    fn read(value: &Value) -> Self {
        let info = value.get("info").cloned().unwrap_or_default();
        let mut document =
            Self { version: text(&info, "version"), about: text(&info, "description"), ..Self::default() };
        for (path, methods) in members(value, "paths") {
            for method in METHODS {
                let Some(operation) = methods.get(method) else { continue };
                if document.refusals.is_empty() {
                    document.refusals = refusals(operation);
                }
                let name = list(operation, "tags").find_map(Value::as_str).unwrap_or("other").to_owned();
                let operation = Operation::read(path, method, operation);
                match document.groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.operations.push(operation),
                    None => document.groups.push(Group { name, operations: vec![operation] }),
                }
            }
        }
        document.groups.sort_by(|one, other| one.name.cmp(&other.name));
        let schemas = value.get("components").cloned().unwrap_or_default();
        document.schemas =
            members(&schemas, "schemas").map(|(name, schema)| (name.clone(), Schema::read(name, schema))).collect();
        document
    }

    /// The objects that the operations of a group name, and those that these are made of, by name.
    pub fn schemas_of(&self, group: &Group) -> Vec<&Schema> {
        let named = |operation: &Operation| {
            let answered = operation.answers.iter().filter_map(|answer| answer.schema.clone());
            operation.body.clone().into_iter().chain(answered).collect::<Vec<_>>()
        };
        let mut open: Vec<String> = group.operations.iter().flat_map(named).collect();
        let mut found: BTreeMap<&str, &Schema> = BTreeMap::new();
        while let Some(name) = open.pop() {
            let Some((name, schema)) = self.schemas.get_key_value(&name) else { continue };
            if found.insert(name, schema).is_none() {
                open.extend(schema.parts.iter().cloned());
            }
        }
        found.into_values().collect()
    }
}

fn refusals(operation: &Value) -> Vec<Refusal> {
    members(operation, "responses")
        .filter(|(status, _)| !status.starts_with('2'))
        .map(|(status, answer)| Refusal { status: status.clone(), about: text(answer, "description") })
        .collect()
}

impl Operation {
    fn read(path: &str, method: &str, value: &Value) -> Self {
        let parameter = |value: &Value| Parameter {
            name: text(value, "name"),
            place: text(value, "in"),
            required: value.get("required").and_then(Value::as_bool).unwrap_or_default(),
            about: text(value, "description"),
        };
        let answers = members(value, "responses").filter(|(status, _)| status.starts_with('2'));
        let answer = |(status, answer): (&String, &Value)| Reply {
            status: status.clone(),
            about: text(answer, "description"),
            schema: content(answer),
        };
        Self {
            id: text(value, "operationId"),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: text(value, "summary"),
            needs: text(value, "description"),
            // What stands in the path shows itself there.
            parameters: list(value, "parameters")
                .map(parameter)
                .filter(|parameter| parameter.place != "path" || !parameter.about.is_empty())
                .collect(),
            body: value.get("requestBody").and_then(content),
            answers: answers.map(answer).collect(),
        }
    }
}

impl Schema {
    fn read(name: &str, value: &Value) -> Self {
        let required: Vec<&str> = list(value, "required").filter_map(Value::as_str).collect();
        let mut parts = Vec::new();
        let mut field = |(name, value): (&String, &Value)| Field {
            kind: kind(value, &mut parts, DEPTH),
            required: required.contains(&name.as_str()),
            about: text(value, "description"),
            name: name.clone(),
        };
        let fields = members(value, "properties").map(&mut field).collect();
        Self { name: name.to_owned(), about: text(value, "description"), fields, parts }
    }
}

/// A type in short: `string`, `integer or null`, `list of Team`.
fn kind(value: &Value, parts: &mut Vec<String>, depth: usize) -> String {
    if let Some(name) = referred(value) {
        parts.push(name.clone());
        return name;
    }
    if depth == 0 {
        return "object".to_owned();
    }
    let mut either = |key| {
        let kinds: Vec<String> = list(value, key).map(|value| kind(value, parts, depth - 1)).collect();
        (!kinds.is_empty()).then(|| kinds.join(" or "))
    };
    if let Some(kinds) = either("oneOf").or_else(|| either("anyOf")).or_else(|| either("allOf")) {
        return kinds;
    }
    let names: Vec<&str> = match value.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    let words = names.into_iter().map(|name| match (name, value.get("items")) {
        ("array", Some(items)) => format!("list of {}", kind(items, parts, depth - 1)),
        _ => name.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::DOCUMENT;

    #[test]
    fn every_operation_and_every_object_it_names_is_there() {
        let operations: Vec<_> = DOCUMENT.groups.iter().flat_map(|group| &group.operations).collect();
        assert!(operations.len() > 50, "{}", operations.len());
        assert_eq!(DOCUMENT.refusals.len(), 9);
        for operation in &operations {
            assert!(!operation.summary.is_empty() && !operation.needs.is_empty(), "{operation:?}");
            assert!(!operation.answers.is_empty(), "{operation:?}");
        }
        for group in &DOCUMENT.groups {
            let schemas = DOCUMENT.schemas_of(group);
            let named =
                group.operations.iter().flat_map(|o| o.body.iter().chain(o.answers.iter().flat_map(|a| &a.schema)));
            for name in named {
                assert!(schemas.iter().any(|schema| schema.name == *name && !schema.fields.is_empty()), "{name}");
            }
        }
        let page = DOCUMENT.schemas.get("PageOfRepository").unwrap();
        let kinds: Vec<_> = page.fields.iter().map(|field| (&*field.name, &*field.kind)).collect();
        assert_eq!(kinds, [("items", "list of Repository"), ("next", "string or null")]);
    }
}
