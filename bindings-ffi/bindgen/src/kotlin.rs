//! The resource classes of Kotlin and Java.

use crate::resources::{Argument, Call, Resource, camel, pascal};
use askama::Template;
use uniffi_meta::Type;

#[derive(Template)]
#[template(path = "Resource.kt", escape = "none")]
pub(crate) struct File<'a> {
    pub(crate) resource: &'a Resource,
}

/// The calls by their names, for the tests.
#[derive(Template)]
#[template(path = "Calls.kt", escape = "none")]
pub(crate) struct Calls<'a> {
    pub(crate) resources: &'a [Resource],
}

/// The client that a class belongs to.
struct Client {
    name: &'static str,
    prefix: &'static str,
    /// Whether it is for Java, which has no named arguments.
    java: bool,
    suspend: &'static str,
    is_future: bool,
}

const CLIENTS: [Client; 3] = [
    Client { name: "Client", prefix: "", java: false, suspend: "suspend ", is_future: false },
    Client { name: "BlockingClient", prefix: "Blocking", java: true, suspend: "", is_future: false },
    Client { name: "AsyncClient", prefix: "Async", java: true, suspend: "", is_future: true },
];

impl File<'_> {
    fn class(&self) -> String {
        pascal(self.resource.name)
    }

    fn property(&self) -> String {
        camel(self.resource.name)
    }

    fn imports(&self) -> Vec<String> {
        let mut imports = Vec::new();
        let arguments = || self.resource.calls.iter().flat_map(|call| &call.arguments);
        if arguments().any(Argument::is_date) {
            imports.push("java.time.LocalDate".to_owned());
        }
        imports.push("java.util.concurrent.CompletableFuture".to_owned());
        let mut records: Vec<_> = arguments().filter_map(|argument| argument.record.as_ref()).collect();
        records.dedup();
        imports
            .extend(records.iter().map(|record| format!("com.proxymesh.internal.{0} as Ffi{0}", record.ty)));
        imports.extend(
            self.resource
                .calls
                .iter()
                .map(|call| format!("com.proxymesh.internal.{}", camel(&call.exported))),
        );
        imports
    }
}

impl Calls<'_> {
    /// The calls that the tests make directly.
    fn internal(&self) -> Vec<String> {
        let calls = self.resources.iter().flat_map(|resource| &resource.calls);
        let dated = calls.filter(|call| call.arguments.iter().any(Argument::is_date));
        dated.map(|call| camel(&call.exported)).collect()
    }
}

/// The doc comment of a call, without indentation.
fn comment(call: &Call) -> Vec<String> {
    let mut lines = call.docs.text.clone();
    let mut tags = Vec::new();
    let mut tag = |name: String, text: &[String]| {
        tags.extend(
            text.iter()
                .enumerate()
                .map(|(i, line)| if i == 0 { format!("{name} {line}") } else { format!("  {line}") }),
        );
    };
    for argument in &call.arguments {
        tag(format!("@param {}", camel(&argument.name)), &argument.docs);
    }
    tag("@return".to_owned(), &call.docs.returns);
    for (kind, text) in &call.docs.errors {
        // java.util.concurrent has a `TimeoutException`.
        let kind = if kind == "Timeout" { "CallTimeout" } else { kind };
        tag(format!("@throws {kind}Exception"), text);
    }
    if !tags.is_empty() {
        lines.push(String::new());
        lines.append(&mut tags);
    }
    lines
}

/// The parameters, all on one line or each on its own line.
fn parameters(call: &Call) -> String {
    let parameters: Vec<String> = call
        .arguments
        .iter()
        .map(|argument| {
            let ty = if argument.is_date() { "LocalDate".to_owned() } else { type_of(&argument.ty) };
            let default = if argument.optional { "? = null" } else { "" };
            format!("{}: {ty}{default}", camel(&argument.name))
        })
        .collect();
    if parameters.len() < 4 {
        return parameters.join(", ");
    }
    let lines: String = parameters.iter().map(|parameter| format!("        {parameter},\n")).collect();
    format!("\n{lines}    ")
}

fn has_defaults(call: &Call) -> bool {
    call.arguments.iter().any(|argument| argument.optional)
}

/// The arguments for the library's call. If `whole` is true, a record is passed as one object, not as its fields.
fn passed(call: &Call, whole: bool) -> String {
    let passed: Vec<String> = call
        .inputs()
        .into_iter()
        .map(|group| {
            let names: Vec<String> = group.iter().map(|argument| camel(&argument.name)).collect();
            match group {
                [Argument { record: Some(record), .. }, ..] if whole => {
                    format!("{}.toFfi()", record.argument)
                }
                [Argument { record: Some(record), .. }, ..] => {
                    format!("Ffi{}({})", record.ty, names.join(", "))
                }
                [argument, ..] if argument.is_date() => format!("{}?.toString()", names.concat()),
                _ => names.concat(),
            }
        })
        .collect();
    passed.join(", ")
}

/// The body: the library's call, and the conversion of its result.
fn body(client: &Client, call: &Call, whole: bool) -> String {
    let made = format!("{}({})", camel(&call.exported), passed(call, whole));
    let line = format!("calls.make({made})");
    let converted = if client.is_future && call.response.is_none() { " { null }" } else { converted(call) };
    if line.len() + converted.len() < 120 {
        line + converted
    } else {
        format!("calls.make(\n            {made},\n        ){converted}")
    }
}

fn converted(call: &Call) -> &'static str {
    match &call.response {
        Some(Type::Record { .. }) => " { it.fromFfi() }",
        Some(Type::Sequence { inner_type }) if matches!(**inner_type, Type::Record { .. }) => {
            " { list -> list.map { it.fromFfi() } }"
        }
        Some(Type::Map { .. }) => " { it.toSortedMap() }",
        _ => "",
    }
}

fn response(client: &Client, call: &Call) -> String {
    let response = call.response.as_ref().map(type_of);
    if client.is_future {
        format!("CompletableFuture<{}>", response.as_deref().unwrap_or("Void?"))
    } else {
        response.unwrap_or_else(|| "Unit".to_owned())
    }
}

fn type_of(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Int64 => "Long".to_owned(),
        Type::Sequence { inner_type } => format!("List<{}>", type_of(inner_type)),
        Type::Map { key_type, value_type } => format!("Map<{}, {}>", type_of(key_type), type_of(value_type)),
        // java.net has a `Proxy`.
        Type::Record { name, .. } if name == "Proxy" => "ProxyServer".to_owned(),
        Type::Record { name, .. } => name.clone(),
        other => format!("{other:?}"), // the Kotlin compiler rejects it
    }
}

/// The record whose fields a call takes. Java passes it as one object, because it has no named arguments.
fn record(call: &Call) -> Option<(&Argument, String)> {
    let record = call.arguments.iter().find_map(|argument| argument.record.as_ref())?;
    let first = call.arguments.first()?;
    Some((first, format!("{}: {}", record.argument, record.ty)))
}

/// The code that makes a call for a test, with arguments that it reads by name. If the text for a date is not a date, the code calls
/// the library directly.
fn made(client: &Client, resource: &Resource, call: &Call) -> String {
    let awaited = if client.is_future { ".await()" } else { "" };
    let read = |argument: &Argument, ty: &str| {
        let optional = if argument.optional { format!("maybe{}", pascal(ty)) } else { ty.to_owned() };
        format!("{optional}(\"{}\")", argument.name)
    };
    let arguments = |date: &str| -> String {
        let read = call.arguments.iter().map(|argument| match argument.ty {
            _ if argument.is_date() => read(argument, date),
            Type::Int64 => read(argument, "whole"),
            _ => read(argument, "text"),
        });
        read.collect::<Vec<_>>().join(", ")
    };
    let line = format!("{}.{}({}){awaited}", camel(resource.name), call.name, arguments("date"));
    match call.arguments.iter().find(|argument| argument.is_date()) {
        Some(date) => format!(
            "if (isDate(\"{}\")) {line} else calls().make({}({})){}{awaited}",
            date.name,
            camel(&call.exported),
            arguments("text"),
            converted(call)
        ),
        None => line,
    }
}
