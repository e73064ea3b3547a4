//! What Kotlin's internal package needs to call the library: the code for its [`Interface`].

use crate::{
    interface::{Call, Field, Interface, function},
    resources::camel,
};
use askama::Template;
use uniffi_meta::Type;

#[derive(Template)]
#[template(path = "Interface.kt", escape = "none")]
pub(crate) struct File<'a> {
    pub(crate) version: &'static str,
    pub(crate) interface: &'a Interface,
}

fn response(call: &Call) -> String {
    call.response.as_ref().map_or_else(|| "Unit".to_owned(), kotlin)
}

fn reading(call: &Call) -> String {
    call.response.as_ref().map_or_else(String::new, read)
}

fn kotlin(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Boolean => "Boolean".to_owned(),
        Type::Int32 => "Int".to_owned(),
        // An object is a handle.
        Type::Int64 | Type::Object { .. } => "Long".to_owned(),
        Type::Float64 => "Double".to_owned(),
        Type::Timestamp => "Instant".to_owned(),
        Type::Optional { inner_type } => format!("{}?", kotlin(inner_type)),
        Type::Sequence { inner_type } => format!("List<{}>", kotlin(inner_type)),
        Type::Map { key_type, value_type } => format!("Map<{}, {}>", kotlin(key_type), kotlin(value_type)),
        Type::Record { name, .. } | Type::Enum { name, .. } => name.clone(),
        Type::Box { inner_type } => kotlin(inner_type),
        other => format!("{other:?}"), // the Kotlin compiler rejects it
    }
}

/// The code that reads a value.
fn read(ty: &Type) -> String {
    match ty {
        Type::Optional { inner_type } => format!("optional {{ {} }}", read(inner_type)),
        Type::Sequence { inner_type } => format!("list {{ {} }}", read(inner_type)),
        Type::Map { key_type, value_type } => {
            format!("map({{ {} }}) {{ {} }}", read(key_type), read(value_type))
        }
        Type::Box { inner_type } => read(inner_type),
        _ => format!("{}()", function(&kotlin(ty))),
    }
}

/// The code that writes a value.
fn write(value: &str, ty: &Type) -> String {
    match ty {
        Type::Optional { inner_type } => format!("optional({value}) {{ {} }}", write("it", inner_type)),
        Type::Sequence { inner_type } => format!("list({value}) {{ {} }}", write("it", inner_type)),
        Type::Box { inner_type } => write(value, inner_type),
        _ => format!("{}({value})", function(&kotlin(ty))),
    }
}

fn read_all(fields: &[Field]) -> String {
    fields.iter().map(|field| read(&field.ty)).collect::<Vec<_>>().join(", ")
}

fn write_all(arguments: &[Field]) -> String {
    arguments
        .iter()
        .map(|argument| write(&camel(&argument.name), &argument.ty))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The code as a lambda.
#[allow(clippy::needless_pass_by_value)]
fn block(code: String) -> String {
    if code.is_empty() { "{}".to_owned() } else { format!("{{ {code} }}") }
}

fn write_field(field: &Field) -> String {
    write(&format!("value.{}", camel(&field.name)), &field.ty)
}

fn parameters(fields: &[Field], before: &str) -> String {
    let each = fields.iter().map(|field| format!("{before}{}: {}", camel(&field.name), kotlin(&field.ty)));
    each.collect::<Vec<_>>().join(", ")
}
