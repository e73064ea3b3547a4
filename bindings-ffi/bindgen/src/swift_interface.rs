//! What Swift's internal module needs to call the library: the code for its [`Interface`].

use crate::{
    interface::{Call, Field, Interface, Record, Variant, function},
    resources::camel,
    swift::WIDTH,
};
use askama::Template;
use uniffi_meta::Type;

#[derive(Template)]
#[template(path = "Interface.swift", escape = "none")]
pub(crate) struct File<'a> {
    pub(crate) version: &'static str,
    pub(crate) interface: &'a Interface,
}

fn swift(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Boolean => "Bool".to_owned(),
        Type::Int32 => "Int32".to_owned(),
        // An object is a handle.
        Type::Int64 | Type::Object { .. } => "Int64".to_owned(),
        Type::Float64 => "Double".to_owned(),
        Type::Timestamp => "Date".to_owned(),
        Type::Optional { inner_type } => format!("{}?", swift(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", swift(inner_type)),
        Type::Map { key_type, value_type } => format!("[{}: {}]", swift(key_type), swift(value_type)),
        Type::Record { name, .. } | Type::Enum { name, .. } => name.clone(),
        Type::Box { inner_type } => swift(inner_type),
        other => format!("{other:?}"), // the Swift compiler rejects it
    }
}

fn result(call: &Call) -> String {
    call.response.as_ref().map_or_else(|| "Void".to_owned(), swift)
}

/// The name of the reader's and the writer's method for a type that is not a container.
fn method(ty: &Type) -> String {
    match ty {
        Type::Int32 => "int32".to_owned(),
        Type::Int64 | Type::Object { .. } => "int64".to_owned(),
        _ => function(&swift(ty)),
    }
}

/// The code that reads a value. The name of the reader ends in a dot, or is empty within the reader itself.
fn read(ty: &Type, reader: &str) -> String {
    match ty {
        Type::Optional { inner_type } => format!("{reader}optional {{ try {} }}", read(inner_type, "$0.")),
        Type::Sequence { inner_type } => format!("{reader}list {{ try {} }}", read(inner_type, "$0.")),
        Type::Map { key_type, value_type } => format!(
            "{reader}map(key: {{ try {} }}, value: {{ try {} }})",
            read(key_type, "$0."),
            read(value_type, "$0.")
        ),
        Type::Box { inner_type } => read(inner_type, reader),
        _ => format!("{reader}{}()", method(ty)),
    }
}

/// The code that writes a value, with the name of the writer in the same form.
fn write(value: &str, ty: &Type, writer: &str) -> String {
    match ty {
        Type::Optional { inner_type } => {
            format!("{writer}optional({value}) {{ {} }}", write("$1", inner_type, "$0."))
        }
        Type::Sequence { inner_type } => {
            format!("{writer}list({value}) {{ {} }}", write("$1", inner_type, "$0."))
        }
        Type::Box { inner_type } => write(value, inner_type, writer),
        _ => format!("{writer}{}({value})", method(ty)),
    }
}

/// The code that creates a value from fields that the reader reads, in one line if they fit.
fn created(before: &str, fields: &[Field], indent: usize) -> String {
    let each = fields.iter().map(|field| format!("{}: {}", camel(&field.name), read(&field.ty, "")));
    let each: Vec<String> = each.collect();
    let line = format!("{before}({})", each.join(", "));
    if indent + line.len() <= WIDTH {
        return line;
    }
    let inner = format!("\n{}", " ".repeat(indent + 4));
    format!("{before}({inner}{})", each.join(&format!(",{inner}")))
}

/// The names and types of fields.
fn parameters(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| format!("{}: {}", camel(&field.name), swift(&field.ty))).collect()
}

/// A declaration with its parameters, in one line if they fit.
fn declared(before: &str, fields: &[Field], after: &str, indent: usize) -> String {
    let parameters = parameters(fields);
    let line = format!("{before}({}){after}", parameters.join(", "));
    if indent + line.len() <= WIDTH {
        return line;
    }
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + 4));
    format!("{before}(\n{inner}{}\n{outer}){after}", parameters.join(&format!(",\n{inner}")))
}

/// The start of the declaration of a case. A keyword needs backticks.
fn named(variant: &Variant) -> String {
    match case(variant).as_str() {
        "internal" => "case `internal`".to_owned(),
        name => format!("case {name}"),
    }
}

/// The start of the code that creates a record.
fn tried(record: &Record) -> String {
    format!("try {}", record.name)
}

/// The start of the code that creates a case.
fn chosen(variant: &Variant) -> String {
    format!("return try .{}", case(variant))
}

/// The name of an enum's case, which has no capital.
fn case(variant: &Variant) -> String {
    function(&variant.name)
}

/// The pattern that matches a case and names its fields.
fn pattern(variant: &Variant) -> String {
    let names: Vec<String> =
        variant.fields.iter().map(|field| format!("let {}", camel(&field.name))).collect();
    format!("{}({})", case(variant), names.join(", "))
}

/// The declaration of a call's function.
fn signature(call: &Call) -> String {
    declared(
        &format!("package func {}", call.name),
        &call.arguments,
        &format!(" -> Call<{}> {{", result(call)),
        0,
    )
}

/// The code that writes an argument.
fn write_argument(field: &Field) -> String {
    write(&camel(&field.name), &field.ty, "writer.")
}

fn write_variant_field(field: &Field) -> String {
    write(&camel(&field.name), &field.ty, "")
}

fn write_field(field: &Field) -> String {
    write(&format!("value.{}", camel(&field.name)), &field.ty, "")
}

/// The closures of a call, which write its arguments and read its response.
fn body(call: &Call) -> String {
    let reading = match &call.response {
        None => "{ _ in }".to_owned(),
        Some(ty) => format!("{{ reader in try {} }}", read(ty, "reader.")),
    };
    if call.arguments.is_empty() {
        return format!("Call({}, response: {reading})", call.number);
    }
    let lines: Vec<String> =
        call.arguments.iter().map(|field| format!("\n            {}", write_argument(field))).collect();
    format!(
        "Call(\n        {},\n        arguments: {{ writer in{}\n        }},\n        response: {reading})",
        call.number,
        lines.concat()
    )
}
