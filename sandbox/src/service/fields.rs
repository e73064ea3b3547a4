//! The parameters of a call. They are read one by one, and all errors are reported together.

use crate::answer::{FieldErrors, Refusal};

/// A parameter was missing or invalid; the reason is kept in [`Fields`].
#[derive(Debug)]
pub(crate) struct Invalid;

#[derive(Debug)]
pub(crate) struct Fields<'a> {
    pairs: &'a [(String, String)],
    errors: FieldErrors,
}

impl<'a> Fields<'a> {
    /// Refuses names the call does not know, and names given twice.
    pub(crate) fn new(pairs: &'a [(String, String)], known: &[&str]) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::new();
        for (name, _) in pairs {
            let reason = if !known.contains(&name.as_str()) {
                unknown(known)
            } else if pairs.iter().filter(|(other, _)| other == name).count() > 1 {
                "This field was given more than once.".to_owned()
            } else {
                continue;
            };
            errors.insert(name.clone(), vec![reason]);
        }
        if !errors.is_empty() {
            return Err(Refusal::form(&errors));
        }
        Ok(Self { pairs, errors })
    }

    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Result<T, Invalid> {
        let value = self.value(name).filter(|value| !value.is_empty());
        let result = match value {
            Some(value) => read(value),
            None => Err("This field is required.".to_owned()),
        };
        result.map_err(|reason| self.note(name, reason))
    }

    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Invalid> {
        let result = self.value(name).map(read).transpose();
        result.map_err(|reason| self.note(name, reason))
    }

    /// Refuses the call if any parameter that was read is invalid.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::form(&self.errors)) }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.pairs.iter();
        let (_, value) = pairs.find(|(given, _)| given == name)?;
        Some(value)
    }

    fn note(&mut self, name: &str, reason: String) -> Invalid {
        let reasons = self.errors.entry(name.to_owned()).or_default();
        reasons.push(reason);
        Invalid
    }
}

/// Only the compiler needs this. [`Fields::check`] has refused the call before it is used.
impl From<Invalid> for Refusal {
    fn from(_: Invalid) -> Self {
        Self::new(400, "The input is invalid.")
    }
}

fn unknown(known: &[&str]) -> String {
    match known {
        [] => "Unknown parameter: this call takes none.".to_owned(),
        known => format!("Unknown parameter: this call takes {}.", known.join(", ")),
    }
}
