//! The list as CSV: a line that names the columns, and then one for each host (RFC 4180). Empty lines and
//! those that begin with `#` do not count.

use std::net::IpAddr;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{
    Fault,
    entry::{Entry, Field, KEYS, List},
};
use crate::config::Choice;

/// Reads hosts and faults.
pub(super) fn read(text: &str, list: &mut List<'_>) {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<_>> = None;
    let mut record = StringRecord::new();
    // Reading from memory never fails, and the text is UTF-8.
    while !list.is_full() && reader.read_record(&mut record).unwrap_or(false) {
        let line = Line::new(text, &record);
        match &columns {
            _ if line.is_empty() => {}
            Some(columns) => host(&line, columns, list),
            None => match header(&line, list) {
                Some(found) => columns = Some(found),
                None => return,
            },
        }
    }
    if columns.is_none() && !list.is_full() {
        list.fault(0, Fault::Empty);
    }
}

/// The fields of a line, each with the byte at which it begins.
struct Line<'a> {
    record: &'a StringRecord,
    starts: Vec<usize>,
}

impl<'a> Line<'a> {
    fn new(text: &str, record: &'a StringRecord) -> Self {
        let byte = record.position().map_or(0, csv::Position::byte);
        let byte = usize::try_from(byte).unwrap_or(text.len());
        let start = behind_comments(text, byte);
        let starts = starts(&text[start..], record.len());
        let starts = starts.into_iter().map(|at| start + at).collect();
        Self { record, starts }
    }

    fn is_empty(&self) -> bool {
        self.record.iter().all(str::is_empty)
    }

    fn fields(&self) -> impl Iterator<Item = Field> {
        let fields = self.record.iter().zip(&self.starts);
        fields.map(|(text, at)| Field {
            at: *at,
            text: unquoted(text).to_owned(),
        })
    }

    fn start(&self) -> usize {
        self.starts.first().copied().unwrap_or_default()
    }
}

/// Quotation marks behind a space do not quote for the reader. Nothing that stands in a list has any.
fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text).trim()
}

/// The reader says where it began to look for a record; empty lines and comments may come first.
fn behind_comments(text: &str, byte: usize) -> usize {
    let mut at = byte;
    for line in text[byte..].split_inclusive('\n') {
        if !line.trim_end_matches(['\r', '\n']).is_empty() && !line.starts_with('#') {
            break;
        }
        at += line.len();
    }
    at.min(text.len())
}

/// Where the first `count` fields begin: behind a comma, spaces and a quotation mark. As for the reader,
/// only a mark at the very beginning quotes, and two of them within are one.
fn starts(text: &str, count: usize) -> Vec<usize> {
    let mut starts = Vec::with_capacity(count);
    let mut place = Place::Beginning;
    // A comma behind the end, so that the last field ends too.
    for (at, character) in text.char_indices().chain([(text.len(), ',')]) {
        if matches!(place, Place::Beginning | Place::Spaces) && !matches!(character, ' ' | '\t') {
            starts.push(at + usize::from(character == '"'));
        }
        place = match (place, character) {
            (Place::Quoted, '"') => Place::Closed,
            (Place::Quoted, _) | (Place::Beginning | Place::Closed, '"') => Place::Quoted,
            (_, ',') => Place::Beginning,
            (_, '\n') => break,
            (Place::Beginning | Place::Spaces, ' ' | '\t') => Place::Spaces,
            _ => Place::Within,
        };
    }
    starts.resize(count, text.len());
    starts
}

/// Where in a field a character stands.
#[derive(Clone, Copy)]
enum Place {
    Beginning,
    Spaces,
    Within,
    Quoted,
    Closed,
}

/// The columns by their places; `None` when there are none that could be used.
fn header(line: &Line<'_>, list: &mut List<'_>) -> Option<Vec<&'static str>> {
    let fields: Vec<Field> = line.fields().collect();
    if fields
        .iter()
        .any(|field| field.text.parse::<IpAddr>().is_ok())
    {
        list.fault(line.start(), Fault::NoHeader);
        return None;
    }
    if let [only] = &fields[..]
        && let Some(other) = only
            .text
            .chars()
            .find(|one| matches!(one, ';' | '\t' | '|'))
    {
        list.fault(line.start(), Fault::Separator(other));
        return None;
    }
    let mut columns = Vec::new();
    for field in fields {
        let name = field.text.to_ascii_lowercase();
        match KEYS.into_iter().find(|key| *key == name) {
            Some(key) if columns.contains(&key) => list.fault(field.at, Fault::ColumnTwice(name)),
            Some(key) => columns.push(key),
            None => {
                let choice = Choice::of(&name, &KEYS);
                let name = field.text;
                list.fault(field.at, Fault::Unknown { name, choice });
            }
        }
    }
    let zone = list.needs_zones().then_some("zone");
    for needed in ["address", "role"].into_iter().chain(zone) {
        if list.faults.is_empty() && !columns.contains(&needed) {
            list.fault(line.start(), Fault::NoColumn(needed));
        }
    }
    list.faults.is_empty().then_some(columns)
}

fn host(line: &Line<'_>, columns: &[&'static str], list: &mut List<'_>) {
    let (found, wanted) = (line.record.len(), columns.len());
    if let Some(open) = line.fields().find(|field| field.text.contains('\n')) {
        return list.fault(open.at, Fault::Quote);
    }
    if found != wanted {
        let surplus = line.starts.get(wanted).copied();
        let at = surplus.unwrap_or_else(|| line.start());
        return list.fault(at, Fault::Fields { found, wanted });
    }
    let mut entry = Entry {
        at: line.start(),
        ..Entry::default()
    };
    for (field, column) in line.fields().zip(columns) {
        if let Some(place) = entry.field(column) {
            *place = (!field.text.is_empty()).then_some(field);
        }
    }
    list.take(&entry);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Fields begin where the reader finds them.
        #[test]
        fn fields_have_their_places(text in "[ab,\" \n#]{0,40}") {
            let mut reader = ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(Trim::All)
                .comment(Some(b'#'))
                .from_reader(text.as_bytes());
            for record in reader.records() {
                let record = record.expect("text");
                let line = Line::new(&text, &record);
                for (field, at) in record.iter().zip(&line.starts) {
                    let first = |text: &str| {
                        let marks = ['"', ' ', '\n'];
                        text.trim_start_matches(marks).chars().next()
                    };
                    if let Some(character) = first(field) {
                        prop_assert_eq!(first(&text[*at..]), Some(character), "{:?} {}", record, at);
                    }
                }
            }
        }
    }
}
