//! Finds exports that UniFFI accepts but that break Kotlin, Swift or Java, or that the bridge does not have. It reads the interface
//! from the symbols of the library, as the generator does.

use super::declared;
use crate::bridge::{self, objects};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};
use uniffi_bindgen::macro_metadata::extract_from_bytes;
use uniffi_meta::{
    ConstructorMetadata, EnumMetadata, EnumShape, FieldMetadata, FnMetadata, FnParamMetadata, Metadata,
    MethodMetadata, RecordMetadata, Type, VariantMetadata,
};

/// Every exception of the JVM has these.
const OF_THROWABLE: [&str; 4] = ["message", "cause", "stack_trace", "suppressed"];

/// Only these return an object.
const CREATES: [&str; 4] = [".with_options", ".pool", ".lease", ".follower"];

#[derive(Default)]
struct Lint {
    found: BTreeSet<String>,
}

impl Lint {
    fn find(&mut self, place: &str, what: impl AsRef<str>) {
        self.found.insert(format!("{place}: {}", what.as_ref()));
    }

    fn docs(&mut self, place: &str, docs: Option<&String>) {
        if docs.is_some_and(|docs| docs.contains("*/") || docs.contains("/*")) {
            self.find(place, "its docs begin or end a comment");
        }
    }

    /// Allows the types that the generator can write in every language. UniFFI itself rejects pointer-sized integers.
    fn type_(&mut self, place: &str, type_: &Type) {
        match type_ {
            Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64 => {
                self.find(place, "an unsigned integer, which Java does not have");
            }
            Type::Optional { inner_type } | Type::Sequence { inner_type } | Type::Box { inner_type } => {
                self.type_(place, inner_type);
            }
            Type::Map { key_type, value_type } => {
                self.type_(place, key_type);
                self.type_(place, value_type);
            }
            Type::String
            | Type::Boolean
            | Type::Int32
            | Type::Int64
            | Type::Float64
            | Type::Timestamp
            | Type::Record { .. }
            | Type::Enum { .. } => {}
            // The languages get its handle.
            Type::Object { .. } if CREATES.iter().any(|name| place.ends_with(name)) => {}
            _ => self.find(place, "a type that the generator does not know"),
        }
    }

    fn fields(&mut self, place: &str, fields: &[FieldMetadata]) {
        for field in fields {
            let place = format!("{place}.{}", field.name);
            self.type_(&place, &field.ty);
            self.docs(&place, field.docstring.as_ref());
        }
    }

    fn function(
        &mut self,
        place: &str,
        inputs: &[FnParamMetadata],
        output: Option<&Type>,
        docs: Option<&String>,
    ) {
        for input in inputs {
            self.type_(place, &input.ty);
        }
        if let Some(output) = output {
            self.type_(place, output);
        }
        self.docs(place, docs);
    }

    fn asynchronous(&mut self, place: &str, is_async: bool) {
        if is_async {
            self.find(place, "an async export, but the bridge makes each call in both ways");
        }
    }

    fn item(&mut self, item: &Metadata) {
        match item {
            Metadata::Func(it) => {
                self.function(&it.name, &it.inputs, it.return_type.as_ref(), it.docstring.as_ref());
                self.asynchronous(&it.name, it.is_async);
            }
            Metadata::Method(it) => {
                let place = format!("{}.{}", it.self_name, it.name);
                self.function(&place, &it.inputs, it.return_type.as_ref(), it.docstring.as_ref());
                self.asynchronous(&place, it.is_async);
            }
            Metadata::Constructor(it) => {
                let place = format!("{}.{}", it.self_name, it.name);
                self.function(&place, &it.inputs, None, it.docstring.as_ref());
                self.asynchronous(&place, it.is_async);
            }
            Metadata::Object(it) => self.docs(&it.name, it.docstring.as_ref()),
            Metadata::Record(it) => {
                self.docs(&it.name, it.docstring.as_ref());
                self.fields(&it.name, &it.fields);
            }
            Metadata::Enum(it) => {
                self.docs(&it.name, it.docstring.as_ref());
                for variant in &it.variants {
                    let place = format!("{}.{}", it.name, variant.name);
                    self.docs(&place, variant.docstring.as_ref());
                    self.fields(&place, &variant.fields);
                    for field in &variant.fields {
                        if it.shape.is_error() && OF_THROWABLE.contains(&field.name.as_str()) {
                            let place = format!("{place}.{}", field.name);
                            self.find(&place, "exceptions already have a field of this name");
                        }
                    }
                }
            }
            Metadata::Namespace(_) => {}
            // Nothing of these kinds is exported yet. If you export the first one, add a rule here.
            other => self.find(&format!("{other:?}"), "the lint does not know this kind"),
        }
    }
}

fn lint(items: &[Metadata]) -> BTreeSet<String> {
    let mut lint = Lint::default();
    for item in items {
        lint.item(item);
    }
    lint.found
}

/// Builds the library as `make bindings` does. The linker removes the description of the interface from a test program.
fn library() -> Vec<u8> {
    let mut cargo = Command::new(env!("CARGO"));
    // These variables describe this program's package. With them, cargo would rebuild other packages.
    for (name, _) in std::env::vars_os() {
        let of_a_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_a_package) {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .args(["build", "--quiet", "--locked", "--package", "proxymesh-ffi", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let files = messages
        .filter(|message| message["target"]["name"] == "proxymesh_ffi")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let is_library = |path: &String| path.ends_with(std::env::consts::DLL_EXTENSION);
    let path = files.filter_map(|file| file.as_str().map(str::to_owned)).find(is_library).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn nothing_is_exported_that_breaks_a_language() {
    assert_eq!(lint(&extract_from_bytes(&library()).unwrap()), BTreeSet::new());
}

#[test]
fn the_bridge_has_everything_that_is_described_and_nothing_else() {
    let items = extract_from_bytes(&library()).unwrap();
    let names =
        |name: &dyn Fn(&Metadata) -> Option<String>| items.iter().filter_map(name).collect::<BTreeSet<_>>();
    let functions = names(&|item| match item {
        Metadata::Func(it) => Some(it.name.clone()),
        Metadata::Constructor(it) => Some(format!("{}.{}", it.self_name, it.name)),
        _ => None,
    });
    let without_object = bridge::operations().map(|it| it.name).filter(|name| name.starts_with("proxy_"));
    let in_bridge = bridge::functions().map(|it| it.name).chain(without_object);
    assert_eq!(functions, in_bridge.map(str::to_owned).collect());

    let methods_of = |object: &str| {
        names(&|item| match item {
            Metadata::Method(it) if it.self_name == object => Some(it.name.clone()),
            _ => None,
        })
    };
    for (object, prefix) in [("Pool", "pool_"), ("Lease", "lease_"), ("Follower", "follower_")] {
        let in_bridge = objects::methods().map(|it| it.name).chain(bridge::operations().map(|it| it.name));
        let in_bridge: BTreeSet<_> =
            in_bridge.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect();
        assert!(!in_bridge.is_empty());
        assert_eq!(methods_of(object), in_bridge);
    }
    let methods: BTreeSet<_> = objects::METHODS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(methods_of("BlockingClient"), methods);
    let calls = declared().into_iter().map(str::to_owned);
    assert_eq!(methods_of("Client"), calls.chain(methods).collect());

    let numbers = || {
        let methods = objects::methods().map(|it| it.number).chain(bridge::operations().map(|it| it.number));
        methods.chain(bridge::calls().map(|it| it.number)).chain(bridge::functions().map(|it| it.number))
    };
    assert_eq!(numbers().collect::<BTreeSet<_>>().len(), numbers().count(), "two have the same number");
}

fn field(name: &str, ty: Type, docs: &str) -> FieldMetadata {
    let docstring = Some(docs.to_owned());
    FieldMetadata { name: name.to_owned(), orig_name: None, ty, default: None, docstring }
}

fn method(name: &str, is_async: bool, inputs: Vec<Type>, return_type: Option<Type>, docs: &str) -> Metadata {
    Metadata::Method(MethodMetadata {
        module_path: "proxymesh_ffi::bad".to_owned(),
        self_name: "Bad".to_owned(),
        name: name.to_owned(),
        orig_name: None,
        is_async,
        inputs: inputs.into_iter().map(|ty| FnParamMetadata::simple("input", ty)).collect(),
        return_type,
        throws: None,
        takes_self_by_arc: false,
        checksum: None,
        docstring: Some(docs.to_owned()),
    })
}

fn record(docs: &str, fields: Vec<FieldMetadata>) -> Metadata {
    Metadata::Record(RecordMetadata {
        module_path: "proxymesh_ffi::bad".to_owned(),
        name: "Bad".to_owned(),
        orig_name: None,
        remote: false,
        fields,
        docstring: Some(docs.to_owned()),
    })
}

fn error(field: FieldMetadata, docs: &str) -> Metadata {
    let variant = VariantMetadata {
        name: "Case".to_owned(),
        orig_name: None,
        discr: None,
        fields: vec![field],
        docstring: Some(docs.to_owned()),
    };
    Metadata::Enum(EnumMetadata {
        module_path: "proxymesh_ffi::bad".to_owned(),
        name: "Bad".to_owned(),
        orig_name: None,
        shape: EnumShape::Error { flat: false },
        remote: false,
        variants: vec![variant],
        discr_type: None,
        non_exhaustive: false,
        docstring: None,
    })
}

#[test]
fn every_rule_finds_its_bad_example() {
    let optional = |inner: Type| Type::Optional { inner_type: Box::new(inner) };
    let list = |inner: Type| Type::Sequence { inner_type: Box::new(inner) };
    let map = |value: Type| Type::Map { key_type: Box::new(Type::String), value_type: Box::new(value) };
    let asynchronous_function = Metadata::Func(FnMetadata {
        module_path: "proxymesh_ffi::bad".to_owned(),
        name: "bad".to_owned(),
        orig_name: None,
        is_async: true,
        inputs: Vec::new(),
        return_type: None,
        throws: None,
        checksum: None,
        docstring: None,
    });
    let asynchronous_constructor = Metadata::Constructor(ConstructorMetadata {
        module_path: "proxymesh_ffi::bad".to_owned(),
        self_name: "Bad".to_owned(),
        name: "new".to_owned(),
        orig_name: None,
        is_async: true,
        inputs: Vec::new(),
        throws: None,
        checksum: None,
        docstring: None,
    });
    let throwable = "exceptions already have a field of this name";
    let comment = "its docs begin or end a comment";
    let unsigned = "an unsigned integer, which Java does not have";
    let unknown = "a type that the generator does not know";
    let object = || Type::Object {
        module_path: "proxymesh_ffi::bad".to_owned(),
        name: "Bad".to_owned(),
        imp: uniffi_meta::ObjectImpl::Struct,
    };
    let both = "an async export, but the bridge makes each call in both ways";
    let found = [
        (method("it", true, vec![], None, ""), "Bad.it", both),
        (asynchronous_function, "bad", both),
        (asynchronous_constructor, "Bad.new", both),
        (method("it", false, vec![Type::UInt8], None, ""), "Bad.it", unsigned),
        (method("it", false, vec![], Some(optional(list(Type::UInt32))), ""), "Bad.it", unsigned),
        (method("it", false, vec![], Some(map(Type::UInt64)), ""), "Bad.it", unsigned),
        (method("it", false, vec![optional(Type::Duration)], None, ""), "Bad.it", unknown),
        (method("it", false, vec![], Some(list(Type::Bytes)), ""), "Bad.it", unknown),
        (method("it", false, vec![Type::Int8], None, ""), "Bad.it", unknown),
        (method("it", false, vec![], Some(object()), ""), "Bad.it", unknown),
        (method("it", false, vec![], None, "Sends `Accept: */*`."), "Bad.it", comment),
        (record("", vec![field("port", Type::UInt16, "")]), "Bad.port", unsigned),
        (record("All of `/api/*`.", vec![]), "Bad", comment),
        (record("", vec![field("kind", Type::String, "`text/*`, or `*/`.")]), "Bad.kind", comment),
        (error(field("message", Type::String, ""), ""), "Bad.Case.message", throwable),
        (error(field("cause", Type::String, ""), ""), "Bad.Case.cause", throwable),
        (error(field("stack_trace", Type::String, ""), ""), "Bad.Case.stack_trace", throwable),
        (error(field("number", Type::UInt32, ""), ""), "Bad.Case.number", unsigned),
        (error(field("text", Type::String, ""), "As `*/`."), "Bad.Case", comment),
    ];
    for (item, place, what) in found {
        assert_eq!(
            lint(std::slice::from_ref(&item)),
            BTreeSet::from([format!("{place}: {what}")]),
            "{item:?}"
        );
    }
    let good = [
        method("shut_down", false, vec![optional(Type::Int64)], Some(map(list(Type::Int32))), "`a/b`"),
        method("with_options", false, vec![], Some(object()), ""),
        record("", vec![field("message", Type::Float64, "")]),
        error(field("text", Type::String, "A sentence."), ""),
    ];
    assert_eq!(lint(&good), BTreeSet::new());
}

#[test]
fn each_call_is_declared_once() {
    let calls: BTreeSet<_> = declared().into_iter().collect();
    assert_eq!(calls.len(), declared().len());
    let expected: BTreeSet<_> =
        proxymesh::endpoint::CALLS.iter().map(|call| call.name.replace('.', "_")).collect();
    assert_eq!(calls, expected.iter().map(String::as_str).collect());
}
