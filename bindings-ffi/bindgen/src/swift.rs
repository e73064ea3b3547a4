//! The resource types of Swift.

use crate::resources::{Argument, Call, Resource, camel, pascal};
use askama::Template;
use uniffi_meta::Type;

/// The longest line that `swift format` allows.
pub(crate) const WIDTH: usize = 130;

#[derive(Template)]
#[template(path = "Resource.swift", escape = "none")]
pub(crate) struct File<'a> {
    pub(crate) resource: &'a Resource,
}

/// The calls by their names, for the tests.
#[derive(Template)]
#[template(path = "Calls.swift", escape = "none")]
pub(crate) struct Calls<'a> {
    pub(crate) resources: &'a [Resource],
}

/// The client that a type belongs to.
struct Client {
    name: &'static str,
    /// The text between the parameters and the result of a call.
    effects: &'static str,
    r#try: &'static str,
}

const CLIENTS: [Client; 2] = [
    Client { name: "Client", effects: "async throws", r#try: "try await" },
    Client { name: "BlockingClient", effects: "throws(ProxyMeshError)", r#try: "try" },
];

impl File<'_> {
    fn has_dates(&self) -> bool {
        self.resource.calls.iter().any(|call| call.arguments.iter().any(Argument::is_date))
    }
}

/// The name of a type, with abbreviations in capitals.
pub(crate) fn type_name(name: &str) -> String {
    match name {
        "ips" => "IPs".to_owned(),
        "LabeledIp" => "LabeledIP".to_owned(),
        _ => pascal(name),
    }
}

/// The doc comment of a call, without indentation.
fn comment(call: &Call) -> Vec<String> {
    let mut lines = call.docs.text.clone();
    let mut fields = Vec::new();
    let mut item = |marker: &str, text: &[String]| {
        let indent = " ".repeat(marker.len() - marker.trim_start().len() + 2);
        fields.extend(
            text.iter()
                .enumerate()
                .map(|(i, line)| if i == 0 { format!("{marker}{line}") } else { format!("{indent}{line}") }),
        );
    };
    match call.arguments.as_slice() {
        [] => {}
        [only] => item(&format!("- Parameter {}: ", camel(&only.name)), &only.docs),
        several => {
            item("- Parameters:", &[String::new()]);
            for argument in several {
                item(&format!("  - {}: ", camel(&argument.name)), &argument.docs);
            }
        }
    }
    item("- Returns: ", &call.docs.returns);
    if !call.docs.errors.is_empty() {
        item("- Throws:", &[String::new()]);
    }
    for (kind, text) in &call.docs.errors {
        let case =
            kind.chars().take(1).flat_map(char::to_lowercase).chain(kind.chars().skip(1)).collect::<String>();
        item(&format!("  - ``ProxyMeshError/{case}(_:)``: "), text);
    }
    if !fields.is_empty() {
        lines.push(String::new());
        lines.append(&mut fields);
    }
    lines
}

/// The name and the parameters. A required first parameter has no label.
fn signature(client: &Client, call: &Call, indent: usize) -> String {
    let parameters: Vec<String> = call
        .arguments
        .iter()
        .enumerate()
        .map(|(i, argument)| {
            let label = if i == 0 && !argument.optional { "_ " } else { "" };
            let default = if argument.optional { "? = nil" } else { "" };
            format!("{label}{}: {}{default}", camel(&argument.name), parameter_type(argument))
        })
        .collect();
    let end = match &call.response {
        None => format!("{} {{", client.effects),
        Some(response) => format!("{} -> {} {{", client.effects, type_of(response)),
    };
    let line = format!("public func {}({}) {end}", call.name, parameters.join(", "));
    if indent + line.len() <= WIDTH {
        return line;
    }
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + 4));
    format!("public func {}(\n{inner}{}\n{outer}) {end}", call.name, parameters.join(&format!(",\n{inner}")))
}

/// The body: the library's call, and the conversion of its result.
fn body(client: &Client, call: &Call, indent: usize) -> String {
    let tries = client.r#try;
    let exported = camel(&call.exported);
    let wrap = |inner: &str| match &call.response {
        Some(Type::Record { name, .. }) => format!("{}({inner})", type_name(name)),
        Some(Type::Sequence { inner_type }) => match inner_type.as_ref() {
            Type::Record { name, .. } => format!("{inner}.map({}.init)", type_name(name)),
            _ => inner.to_owned(),
        },
        Some(Type::Map { .. }) => format!("{inner}.mapValues {{ Int(clamping: $0) }}"),
        _ => inner.to_owned(),
    };
    let line = format!(
        "{tries} {}",
        wrap(&format!("client.call({exported}({}))", passed(call, "", ", ").join(", ")))
    );
    if indent + line.len() <= WIDTH {
        return line;
    }
    let at = |levels: usize| format!("\n{}", " ".repeat(indent + 4 * levels));
    let inputs = passed(call, &at(3), &format!(",{}", at(3))).join(&format!(",{}", at(2)));
    format!(
        "let response = {tries} client.call({}{exported}({}{inputs})){}return {}",
        at(1),
        at(2),
        at(0),
        wrap("response")
    )
}

/// The arguments for the library's call. In a record, `before` comes before the fields and `separator` between them.
fn passed(call: &Call, before: &str, separator: &str) -> Vec<String> {
    call.inputs()
        .into_iter()
        .map(|group| match group {
            [Argument { record: Some(record), .. }, ..] => {
                let fields: Vec<String> = group.iter().map(labelled).collect();
                format!("{}: {}({before}{})", record.argument, record.ty, fields.join(separator))
            }
            _ => group.iter().map(labelled).collect(),
        })
        .collect()
}

/// An argument in the form that the library accepts.
fn labelled(argument: &Argument) -> String {
    let name = camel(&argument.name);
    match &argument.ty {
        _ if argument.is_date() => format!("{name}: {name}?.isoDate"),
        Type::Int64 if parameter_type(argument) == "Int" => format!("{name}: {name}.map(Int64.init)"),
        _ => format!("{name}: {name}"),
    }
}

fn parameter_type(argument: &Argument) -> String {
    match &argument.ty {
        _ if argument.is_date() => "DateComponents".to_owned(),
        // The ID of a token. An Int has only 32 bits on some platforms.
        Type::Int64 if argument.name == "id" => "Int64".to_owned(),
        ty => type_of(ty),
    }
}

fn type_of(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Int64 => "Int".to_owned(),
        Type::Sequence { inner_type } => format!("[{}]", type_of(inner_type)),
        Type::Map { key_type, value_type } => format!("[{}: {}]", type_of(key_type), type_of(value_type)),
        Type::Record { name, .. } => type_name(name),
        other => format!("{other:?}"), // the Swift compiler rejects it
    }
}

/// Whether the caller may ignore the result of a write. A new token is the exception: its secret is shown only once.
fn is_discardable(call: &Call) -> bool {
    let has_secret = matches!(&call.response, Some(Type::Record { name, .. }) if name == "NewToken");
    call.writes() && call.response.is_some() && !has_secret
}

/// The effects of a function that can also throw errors that are not the SDK's.
fn plain_effects(client: &Client) -> &'static str {
    if client.r#try.contains("await") { "async throws" } else { "throws" }
}

/// The code that makes a call for a test, with arguments that it reads by name.
fn made(client: &Client, resource: &Resource, call: &Call) -> String {
    let arguments = call.arguments.iter().enumerate().map(|(i, argument)| {
        let label =
            if i == 0 && !argument.optional { String::new() } else { format!("{}: ", camel(&argument.name)) };
        let read = match parameter_type(argument).as_str() {
            "DateComponents" => "date",
            "Int" | "Int64" => "whole",
            _ => "text",
        };
        let read = if argument.optional { format!("maybe{}", pascal(read)) } else { read.to_owned() };
        format!("{label}arguments.{read}(\"{}\")", argument.name)
    });
    let arguments: Vec<String> = arguments.collect();
    let called = format!("{} {}.{}", client.r#try, camel(resource.name), call.name);
    let line = format!("return JSON({called}({}))", arguments.join(", "));
    if 12 + line.len() <= WIDTH {
        return line;
    }
    let arguments = arguments.join(",\n                    ");
    format!("return JSON(\n                {called}(\n                    {arguments}))")
}
