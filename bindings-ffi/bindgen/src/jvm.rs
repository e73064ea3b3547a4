//! What Kotlin's internal package needs to call the library over JNI: the library's records and enums, how they are read and
//! written in UniFFI's format, and a function for each export. The function returns a `Call`, which the hand-written code makes.

use crate::interface::camel;
use anyhow::{Result, bail};
use askama::Template;
use camino::Utf8Path;
use std::collections::BTreeSet;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Metadata, Type, VariantMetadata};

/// Kotlin does not need these. It ends a call with `Native.cancel`.
const OF_SWIFT: [&str; 2] = ["abort", "abortable"];
/// It has its own native method.
const VERSION: &str = "version";

#[derive(Template)]
#[template(path = "Interface.kt", escape = "none")]
pub(crate) struct Interface {
    version: &'static str,
    records: Vec<Record>,
    enums: Vec<Enum>,
    calls: Vec<Call>,
    read: BTreeSet<String>,
    written: BTreeSet<String>,
}

struct Record {
    name: String,
    fields: Vec<Field>,
}

struct Enum {
    name: String,
    is_error: bool,
    variants: Vec<Variant>,
}

struct Variant {
    name: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    ty: Type,
}

/// An exported function, constructor or method. A method that both clients have is one call.
struct Call {
    name: String,
    number: i32,
    arguments: Vec<Field>,
    response: Option<Type>,
}

impl Interface {
    /// Reads the interface of a library.
    pub(crate) fn of(library: &Utf8Path) -> Result<Self> {
        let mut interface = Self {
            version: env!("CARGO_PKG_VERSION"),
            records: Vec::new(),
            enums: Vec::new(),
            calls: Vec::new(),
            read: BTreeSet::new(),
            written: BTreeSet::new(),
        };
        for item in extract_from_library(library)? {
            interface.add(item)?;
        }
        interface.records.sort_by(|a, b| a.name.cmp(&b.name));
        interface.enums.sort_by(|a, b| a.name.cmp(&b.name));
        interface.calls.sort_by(|a, b| a.name.cmp(&b.name));
        interface.calls.dedup_by(|a, b| a.name == b.name);
        interface.reach();
        Ok(interface)
    }

    fn add(&mut self, item: Metadata) -> Result<()> {
        match item {
            Metadata::Record(it) => self.records.push(Record { name: it.name, fields: fields(it.fields) }),
            Metadata::Enum(it) => self.enums.push(Enum {
                is_error: it.shape.is_error(),
                variants: it
                    .variants
                    .into_iter()
                    .map(|VariantMetadata { name, fields: of_it, .. }| Variant {
                        name,
                        fields: fields(of_it),
                    })
                    .collect(),
                name: it.name,
            }),
            Metadata::Func(it) if it.name == VERSION => {}
            Metadata::Func(it) => {
                self.calls.push(Call::new(camel(&it.name), &it.name, it.inputs, it.return_type))
            }
            Metadata::Method(it) if OF_SWIFT.contains(&it.name.as_str()) => {}
            Metadata::Method(it) => {
                self.calls.push(Call::new(camel(&it.name), &it.name, it.inputs, it.return_type));
            }
            Metadata::Constructor(it) => {
                let object = Type::Object {
                    module_path: it.module_path,
                    name: it.self_name.clone(),
                    imp: uniffi_meta::ObjectImpl::Struct,
                };
                let exported = format!("{}.{}", it.self_name, it.name);
                let name = it.name + &it.self_name;
                self.calls.push(Call::new(name, &exported, it.inputs, Some(object)));
            }
            Metadata::Object(_) | Metadata::Namespace(_) => {}
            other => bail!("Kotlin cannot use {other:?}"),
        }
        Ok(())
    }

    /// Finds the types that calls read and write. Every call may read the error.
    fn reach(&mut self) {
        let errors = self.enums.iter().filter(|it| it.is_error).map(|it| it.name.clone());
        let mut read: Vec<String> = errors.collect();
        let mut written = Vec::new();
        for call in &self.calls {
            call.arguments.iter().for_each(|argument| names(&argument.ty, &mut written));
            call.response.iter().for_each(|response| names(response, &mut read));
        }
        self.read = self.with_parts(read);
        self.written = self.with_parts(written);
    }

    /// These types, with the types of their fields.
    fn with_parts(&self, mut waiting: Vec<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let records = self.records.iter().filter(|it| it.name == name).flat_map(|it| &it.fields);
            let variants = self.enums.iter().filter(|it| it.name == name).flat_map(|it| &it.variants);
            if found.insert(name.clone()) {
                records
                    .chain(variants.flat_map(|it| &it.fields))
                    .for_each(|field| names(&field.ty, &mut waiting));
            }
        }
        found
    }

    fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    fn is_written(&self, name: &str) -> bool {
        self.written.contains(name)
    }
}

impl Call {
    fn new(name: String, exported: &str, inputs: Vec<FnParamMetadata>, response: Option<Type>) -> Self {
        let arguments: Vec<Field> =
            inputs.into_iter().map(|input| Field { name: input.name, ty: input.ty }).collect();
        let signature: String =
            arguments.iter().map(|argument| format!("{}:{},", argument.name, rust(&argument.ty))).collect();
        let result = response.as_ref().map_or_else(|| "()".to_owned(), rust);
        let number = number(&format!("{exported}({signature}){result}"));
        Self { name, number, arguments, response }
    }

    fn response(&self) -> String {
        self.response.as_ref().map_or_else(|| "Unit".to_owned(), kotlin)
    }

    fn reading(&self) -> String {
        self.response.as_ref().map_or_else(String::new, read)
    }
}

fn fields(fields: Vec<FieldMetadata>) -> Vec<Field> {
    fields.into_iter().map(|field| Field { name: field.name, ty: field.ty }).collect()
}

/// The records and enums in a type.
fn names(ty: &Type, found: &mut Vec<String>) {
    match ty {
        Type::Record { name, .. } | Type::Enum { name, .. } => found.push(name.clone()),
        Type::Optional { inner_type } | Type::Sequence { inner_type } | Type::Box { inner_type } => {
            names(inner_type, found);
        }
        Type::Map { key_type, value_type } => {
            names(key_type, found);
            names(value_type, found);
        }
        _ => {}
    }
}

/// `jvm::number` in the library.
fn number(signature: &str) -> i32 {
    let hash = signature
        .bytes()
        .filter(|byte| *byte != b' ')
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// A type as the library spells it. The lint in the library's tests allows only these.
fn rust(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Timestamp => "SystemTime".to_owned(),
        Type::Optional { inner_type } => format!("Option<{}>", rust(inner_type)),
        Type::Sequence { inner_type } => format!("Vec<{}>", rust(inner_type)),
        Type::Map { key_type, value_type } => format!("HashMap<{},{}>", rust(key_type), rust(value_type)),
        Type::Record { name, .. } | Type::Enum { name, .. } => name.clone(),
        Type::Object { .. } => "Self".to_owned(),
        other => format!("{other:?}"),
    }
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

/// The name of the function that reads or writes a type.
fn function(name: &str) -> String {
    camel(&snake(name))
}

/// `SubAccount` as `sub_account`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
