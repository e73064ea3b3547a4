//! Writes records to stdout, in one of four formats.

use crate::{failure::Failure, terminal::printable};
use clap::{ValueEnum, builder::styling::Style};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, IsTerminal, Write};
use unicode_width::UnicodeWidthStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Ndjson,
    Csv,
}

impl Format {
    /// The format that was asked for, or else the default.
    pub(crate) fn or_default(asked: Option<Self>) -> Self {
        asked.unwrap_or(if io::stdout().is_terminal() { Self::Table } else { Self::Json })
    }
}

/// A column: a field of a record.
pub(crate) struct Column {
    field: &'static str,
    /// The heading in a table.
    heading: &'static str,
    /// How a table shows a 0.
    zero: &'static str,
    /// How a table shows that there is no value.
    nothing: &'static str,
    /// Whether a table leaves out the column if no record has a value.
    optional: bool,
}

pub(crate) const fn column(field: &'static str, heading: &'static str) -> Column {
    Column { field, heading, zero: "0", nothing: "-", optional: false }
}

/// A limit, for which 0 means that there is none.
pub(crate) const fn limit(field: &'static str, heading: &'static str) -> Column {
    Column { zero: "none", ..column(field, heading) }
}

/// A date, without which something never happens.
pub(crate) const fn date(field: &'static str, heading: &'static str) -> Column {
    Column { nothing: "never", ..column(field, heading) }
}

/// A column that a table leaves out if no record has a value.
pub(crate) const fn optional(field: &'static str, heading: &'static str) -> Column {
    Column { optional: true, ..column(field, heading) }
}

/// What a command returns. It serializes to an object with a field for each column. `schema.json` describes the objects.
pub(crate) trait Record: Serialize {
    const COLUMNS: &'static [Column];
}

/// A record without its type.
pub(crate) struct Row {
    columns: &'static [Column],
    cells: Vec<Value>,
}

impl<R: Record> From<R> for Row {
    fn from(record: R) -> Self {
        // A record has no keys other than text.
        let mut fields = match serde_json::to_value(record) {
            Ok(Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let cells = R::COLUMNS.iter().map(|column| fields.remove(column.field).unwrap_or_default()).collect();
        debug_assert!(fields.is_empty(), "no columns for {fields:?}");
        Self { columns: R::COLUMNS, cells }
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().map(|column| column.field).zip(&self.cells))
    }
}

/// The output of one command. Records appear at once, except in a table, which needs the widths of all.
pub(crate) struct Output {
    format: Format,
    /// Those of the first record. All records have the same.
    columns: Option<&'static [Column]>,
    waiting: Vec<Row>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, columns: None, waiting: Vec::new() }
    }

    pub(crate) fn row(&mut self, row: impl Into<Row>) -> Result<(), Failure> {
        let row = row.into();
        let first = self.columns.is_none();
        self.begin(row.columns)?;
        let mut out = io::stdout().lock();
        match self.format {
            Format::Table => self.waiting.push(row),
            Format::Json => {
                out.write_all(if first { b"\n  " } else { b",\n  " })?;
                serde_json::to_writer(&mut out, &row).map_err(io::Error::from)?;
            }
            Format::Ndjson => {
                serde_json::to_writer(&mut out, &row).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Format::Csv => csv(&mut out, row.cells.iter().map(text))?,
        }
        Ok(out.flush()?)
    }

    /// Writes what comes before the first record.
    fn begin(&mut self, columns: &'static [Column]) -> Result<(), Failure> {
        if self.columns.is_some() {
            return Ok(());
        }
        self.columns = Some(columns);
        let mut out = io::stdout().lock();
        match self.format {
            Format::Json => out.write_all(b"[")?,
            Format::Csv => csv(&mut out, columns.iter().map(|column| column.field.to_owned()))?,
            Format::Table | Format::Ndjson => {}
        }
        Ok(())
    }

    /// Writes what comes after the last record. `R` is the type of the records, of which there may be none.
    pub(crate) fn end<R: Record>(mut self) -> Result<(), Failure> {
        let empty = self.columns.is_none();
        self.begin(R::COLUMNS)?;
        let mut out = io::stdout().lock();
        match self.format {
            Format::Json => out.write_all(if empty { b"]\n" } else { b"\n]\n" })?,
            Format::Table if !self.waiting.is_empty() => {
                table(&mut out, self.columns.unwrap_or_default(), &self.waiting)?;
            }
            Format::Table | Format::Ndjson | Format::Csv => {}
        }
        Ok(out.flush()?)
    }
}

/// Writes all records of a list.
pub(crate) fn list<R: Record>(format: Format, records: impl IntoIterator<Item = R>) -> Result<(), Failure> {
    let mut output = Output::new(format);
    for record in records {
        output.row(record)?;
    }
    output.end::<R>()
}

/// A value as text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}={}", text_or_json(value))).collect();
            fields.join(" ")
        }
        other => other.to_string(),
    }
}

/// The same, in quotes if it contains a space.
fn text_or_json(value: &Value) -> String {
    let text = text(value);
    if text.contains(' ') { Value::from(text).to_string() } else { text }
}

fn csv(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"', '\r', '\n']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

fn table(out: &mut impl Write, columns: &[Column], rows: &[Row]) -> io::Result<()> {
    let colour = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let bold = if colour { Style::new().bold() } else { Style::new() };
    let mut heading = String::new();
    let mut lines = vec![String::new(); rows.len()];
    for (index, column) in columns.iter().enumerate() {
        let values: Vec<&Value> = rows.iter().filter_map(|row| row.cells.get(index)).collect();
        let cells: Vec<String> = values.iter().map(|value| column.shown(value)).collect();
        if column.optional && values.iter().all(|value| text(value).is_empty()) {
            continue;
        }
        let width = cells.iter().map(|cell| cell.width()).fold(column.heading.width(), usize::max);
        let numeric = values.iter().any(|value| value.is_number());
        pad(&mut heading, column.heading, width, numeric);
        for (line, cell) in lines.iter_mut().zip(&cells) {
            pad(line, cell, width, numeric);
        }
    }
    writeln!(out, "{bold}{}{bold:#}", heading.trim_end())?;
    lines.iter().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

impl Column {
    /// A value as a table shows it.
    fn shown(&self, value: &Value) -> String {
        match value {
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            value if value.as_f64() == Some(0.0) => self.zero.to_owned(),
            value => match text(value) {
                text if text.is_empty() => self.nothing.to_owned(),
                text => printable(&text),
            },
        }
    }
}

/// Adds a cell to a line. Numbers are on the right, so that their digits are aligned.
fn pad(line: &mut String, cell: &str, width: usize, right: bool) {
    if !line.is_empty() {
        line.push_str("  ");
    }
    let space = " ".repeat(width.saturating_sub(cell.width()));
    let (before, after) = if right { (space.as_str(), "") } else { ("", space.as_str()) };
    line.extend([before, cell, after]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_no_control_characters() {
        const COLUMNS: &[Column] = &[
            column("name", "NAME"),
            limit("limit", "LIMIT"),
            optional("gone", "GONE"),
            column("label", "LABEL"),
        ];
        let row = |name: &str, limit: u64, label: &str| Row {
            columns: COLUMNS,
            cells: vec![name.into(), limit.into(), Value::Null, label.into()],
        };
        let rows = [row("日本", 5, "a\u{1b}[2Jb"), row("crawler", 0, "")];
        let mut out = Vec::new();
        table(&mut out, COLUMNS, &rows).unwrap();
        let expected = "NAME     LIMIT  LABEL\n日本         5  a\u{fffd}[2Jb\ncrawler   none  -\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let mut out = Vec::new();
        csv(&mut out, ["a", "b,c", "d\"e", ""].map(str::to_owned).into_iter()).unwrap();
        assert_eq!(out, b"a,\"b,c\",\"d\"\"e\",\r\n");
    }
}
