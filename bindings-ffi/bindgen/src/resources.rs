//! Reads the calls of the clients from the library's metadata, and groups them by resource.

use anyhow::{Context, Result, bail};
use camino::Utf8Path;
use std::collections::BTreeMap;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{Metadata, MethodMetadata, RecordMetadata, Type};

/// The resources and their docs.
const RESOURCES: [(&str, &str); 6] = [
    ("geo", "The number of exit IPs in each country, for the proxies that can choose a country."),
    ("hostnames", "Hostnames that may use the proxies without credentials."),
    ("ips", "IPs that may use the proxies without credentials, at most 100 per account."),
    ("proxies", "The proxies that the account may use."),
    ("sub_accounts", "Sub-accounts. Only the parent account may make these calls."),
    ("tokens", "Bearer tokens. These calls require the parent account's username and password, not a token."),
];

pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static str,
    pub(crate) calls: Vec<Call>,
}

pub(crate) struct Call {
    /// The name that the library exports, such as `sub_accounts_create`.
    pub(crate) exported: String,
    /// The name within the resource, such as `create`.
    pub(crate) name: String,
    pub(crate) docs: Docs,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) response: Option<Type>,
}

/// An argument of a call. If the library takes a record of optional fields, each field is an argument.
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) ty: Type,
    pub(crate) optional: bool,
    pub(crate) record: Option<Record>,
}

/// The record that an argument is a field of.
#[derive(Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) argument: String,
    pub(crate) ty: String,
}

/// The sections of a doc comment, as lines without comment markers.
#[derive(Default)]
pub(crate) struct Docs {
    pub(crate) text: Vec<String>,
    pub(crate) returns: Vec<String>,
    /// The kind of each error, by its name in the core, and its text.
    pub(crate) errors: Vec<(String, Vec<String>)>,
    arguments: BTreeMap<String, Vec<String>>,
}

impl Resource {
    /// Whether Kotlin's classes extend hand-written ones, which have more than calls.
    pub(crate) fn is_extended(&self) -> bool {
        matches!(self.name, "ips" | "proxies")
    }
}

/// The resources of a library.
pub(crate) fn resources(library: &Utf8Path) -> Result<Vec<Resource>> {
    let items = extract_from_library(library)?;
    let records: BTreeMap<&str, &RecordMetadata> = items
        .iter()
        .filter_map(|item| match item {
            Metadata::Record(record) => Some((record.name.as_str(), record)),
            _ => None,
        })
        .collect();
    let methods = || {
        items.iter().filter_map(|item| match item {
            Metadata::Method(method) if method.self_name == "Client" => Some(method),
            _ => None,
        })
    };
    RESOURCES
        .into_iter()
        .map(|(name, docs)| {
            let of_it = methods()
                .filter_map(|method| Some((method, method.name.strip_prefix(name)?.strip_prefix('_')?)));
            let mut calls = of_it
                .map(|(method, call)| read(method, call, &records).with_context(|| method.name.clone()))
                .collect::<Result<Vec<Call>>>()?;
            calls.sort_by(|a, b| a.name.cmp(&b.name));
            if calls.is_empty() {
                bail!("the library exports no call of {name}");
            }
            Ok(Resource { name, docs, calls })
        })
        .collect()
}

fn read(method: &MethodMetadata, name: &str, records: &BTreeMap<&str, &RecordMetadata>) -> Result<Call> {
    let mut docs = Docs::read(method.docstring.as_deref().unwrap_or_default())?;
    let mut arguments = Vec::new();
    for input in &method.inputs {
        if let Type::Record { name: ty, .. } = &input.ty
            && let Some(record) = records.get(ty.as_str())
        {
            arguments.extend(record.fields.iter().map(|field| {
                let docs = field.docstring.as_deref().unwrap_or_default();
                Argument {
                    docs: docs.lines().map(str::to_owned).collect(),
                    record: Some(Record { argument: input.name.clone(), ty: ty.clone() }),
                    ..Argument::new(&field.name, &field.ty)
                }
            }));
        } else {
            let docs =
                docs.arguments.remove(&input.name).with_context(|| format!("{} has no docs", input.name))?;
            arguments.push(Argument { docs, ..Argument::new(&input.name, &input.ty) });
        }
    }
    if let Some(name) = docs.arguments.keys().next() {
        bail!("the docs describe {name}, which is not an argument");
    }
    let response = method.return_type.clone();
    Ok(Call { exported: method.name.clone(), name: name.to_owned(), docs, arguments, response })
}

impl Argument {
    fn new(name: &str, ty: &Type) -> Self {
        let (ty, optional) = match ty {
            Type::Optional { inner_type } => (inner_type.as_ref(), true),
            _ => (ty, false),
        };
        Self { name: name.to_owned(), docs: Vec::new(), ty: ty.clone(), optional, record: None }
    }

    /// Whether it is a date. The library accepts it as text.
    pub(crate) fn is_date(&self) -> bool {
        self.name == "expires_at"
    }
}

impl Call {
    /// Whether a `Proxy` is accepted in place of its name.
    pub(crate) fn takes_proxy(&self) -> bool {
        self.arguments.iter().any(|argument| argument.name == "proxy")
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        self.docs.text.iter().any(|line| line.contains("`POST "))
    }

    /// The arguments in the form that the library accepts. The fields of a record form one group, and any other argument is its own group.
    pub(crate) fn inputs(&self) -> Vec<&[Argument]> {
        self.arguments.chunk_by(|a, b| a.record.is_some() && a.record == b.record).collect()
    }
}

impl Docs {
    fn read(docs: &str) -> Result<Self> {
        let mut read = Self::default();
        let mut section = "";
        let mut item: Option<&mut Vec<String>> = None;
        for line in docs.lines() {
            if let Some(title) = line.strip_prefix("# ") {
                section = title;
                item = None;
                continue;
            }
            match section {
                "" => read.text.push(line.to_owned()),
                "Returns" => read.returns.push(line.to_owned()),
                "Arguments" | "Errors" => {
                    if let Some((name, text)) =
                        line.strip_prefix("* `").and_then(|line| line.split_once("`: "))
                    {
                        let lines = vec![text.to_owned()];
                        item = if section == "Errors" {
                            read.errors.push((name.to_owned(), lines));
                            read.errors.last_mut().map(|(_, lines)| lines)
                        } else {
                            read.arguments.insert(name.to_owned(), lines);
                            read.arguments.get_mut(name)
                        };
                    } else if let (Some(lines), false) = (item.as_mut(), line.trim().is_empty()) {
                        lines.push(line.trim().to_owned());
                    }
                }
                other => bail!("the docs have an unknown section: {other}"),
            }
        }
        for lines in [&mut read.text, &mut read.returns] {
            let is_empty = |line: &String| line.trim().is_empty();
            lines.drain(..lines.iter().take_while(|line| is_empty(line)).count());
            while lines.last().is_some_and(is_empty) {
                lines.pop();
            }
        }
        Ok(read)
    }
}

/// `monthly_limit` as `monthlyLimit`.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalised(word))
}

/// `sub_accounts` as `SubAccounts`.
pub(crate) fn pascal(name: &str) -> String {
    capitalised(&camel(name))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
