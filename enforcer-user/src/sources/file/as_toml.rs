//! The list as TOML: a table `[[host]]` for each host.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Fault,
    entry::{Entry, Field, KEYS, List},
};
use crate::config::Choice;

/// The only key at the top.
const HOST: &str = "host";

/// Reads hosts and faults.
pub(super) fn read(text: &str, list: &mut List<'_>) {
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            return list.fault(at, Fault::Syntax(error.message().to_owned()));
        }
    };
    for (key, value) in document.get_ref() {
        if key.get_ref() == HOST {
            hosts(value, list);
        } else {
            unknown(key.get_ref(), key.span().start, &[HOST], list);
        }
    }
}

fn hosts(value: &Spanned<DeValue<'_>>, list: &mut List<'_>) {
    let DeValue::Array(elements) = value.get_ref() else {
        return list.fault(value.span().start, Fault::NotTables);
    };
    for element in elements {
        if list.is_full() {
            return;
        }
        match element.get_ref() {
            DeValue::Table(table) => host(element.span().start, table, list),
            _ => list.fault(element.span().start, Fault::NotTables),
        }
    }
}

fn host(at: usize, table: &DeTable<'_>, list: &mut List<'_>) {
    let mut entry = Entry {
        at,
        ..Entry::default()
    };
    let before = list.faults.len();
    for (key, value) in table {
        let name = key.get_ref();
        let Some(known) = KEYS.into_iter().find(|known| *known == name) else {
            unknown(name, key.span().start, &KEYS, list);
            continue;
        };
        let at = value.span().start;
        let DeValue::String(text) = value.get_ref() else {
            list.fault(at, Fault::NotText { key: known });
            continue;
        };
        if let Some(place) = entry.field(known) {
            let text = text.to_string();
            *place = Some(Field { at, text });
        }
    }
    // A key that is misspelt would be missed besides.
    if list.faults.len() == before {
        list.take(&entry);
    }
}

fn unknown(name: &str, at: usize, known: &[&str], list: &mut List<'_>) {
    let choice = Choice::of(name, known);
    let name = name.to_owned();
    list.fault(at, Fault::Unknown { name, choice });
}
