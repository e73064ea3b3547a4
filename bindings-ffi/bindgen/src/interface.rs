//! What another language needs to call the library: its records and enums, and a call for each export. The number of a call is its
//! key in the library. The templates for Kotlin and Swift write this as code that reads and writes values in UniFFI's format.

use crate::resources::camel;
use anyhow::{Result, bail};
use camino::Utf8Path;
use std::collections::BTreeSet;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Metadata, Type, VariantMetadata};

#[derive(Default)]
pub(crate) struct Interface {
    pub(crate) records: Vec<Record>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) calls: Vec<Call>,
    read: BTreeSet<String>,
    written: BTreeSet<String>,
}

pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) is_error: bool,
    pub(crate) variants: Vec<Variant>,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// An exported function, constructor or method. A method that both clients have is one call.
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) arguments: Vec<Field>,
    pub(crate) response: Option<Type>,
}

impl Interface {
    /// Reads the interface of a library.
    pub(crate) fn of(library: &Utf8Path) -> Result<Self> {
        let mut interface = Self::default();
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
            Metadata::Func(it) => {
                self.calls.push(Call::new(camel(&it.name), &it.name, it.inputs, it.return_type))
            }
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
            other => bail!("the bridge has no {other:?}"),
        }
        Ok(())
    }

    /// Finds the types that calls read and write. Every call may read errors and log records.
    fn reach(&mut self) {
        let errors = self.enums.iter().filter(|it| it.is_error).map(|it| it.name.clone());
        let mut read: Vec<String> = errors.chain(["LogRecord".to_owned()]).collect();
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

    pub(crate) fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    pub(crate) fn is_written(&self, name: &str) -> bool {
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

/// `bridge::number` in the library.
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

/// The name of the function that reads or writes a type.
pub(crate) fn function(name: &str) -> String {
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
