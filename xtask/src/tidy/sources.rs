//! What is checked in Rust files: length, name, words that are out of place.

use std::path::Path;

use super::Finding;
use super::rules::{BANS, Ban, EMPTY_NAMES, LONG_FILES, MAX_LINES, UNSAFE_PLACES};
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let whole = length(file).into_iter().chain(name(file));
    let what = whole.map(|what| Finding {
        path: file.path.clone(),
        line: 1,
        what,
    });
    what.chain(BANS.iter().flat_map(|ban| banned(file, ban)))
        .chain(unsafe_code(file))
        .collect()
}

fn length(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    let too_long = lines > MAX_LINES && !LONG_FILES.contains(&file.path.as_str());
    too_long.then(|| format!("{lines} lines, more than {MAX_LINES}: split it by what it does"))
}

fn name(file: &File) -> Option<String> {
    let path = Path::new(&file.path).with_extension("");
    let mut names = path.iter().filter_map(|name| name.to_str());
    let empty = names.find(|name| EMPTY_NAMES.contains(name))?;
    Some(format!(
        "`{empty}` says nothing of what is in it: name it by that"
    ))
}

fn banned(file: &File, ban: &Ban) -> Vec<Finding> {
    let excepted = ban.except.iter().any(|place| file.path.starts_with(place));
    if excepted || !file.path.starts_with(ban.under) {
        return Vec::new();
    }
    let found = |line: &str| ban.words.iter().find(|word| has_word(line, word)).copied();
    occurrences(file, found, |word| format!("`{word}`: {}", ban.why))
}

fn unsafe_code(file: &File) -> Vec<Finding> {
    if UNSAFE_PLACES
        .iter()
        .any(|place| file.path.starts_with(place))
    {
        return Vec::new();
    }
    let found = |line: &str| has_word(line, "unsafe").then_some("unsafe");
    occurrences(file, found, |_| {
        "`unsafe` outside the places that may have it".to_owned()
    })
}

fn occurrences(
    file: &File,
    found: impl Fn(&str) -> Option<&'static str>,
    what: impl Fn(&str) -> String,
) -> Vec<Finding> {
    let hits = file
        .code()
        .filter_map(|(line, code)| Some((line, found(&code)?)));
    hits.map(|(line, word)| Finding {
        path: file.path.clone(),
        line,
        what: what(word),
    })
    .collect()
}

/// Whether a word or path stands in the line, not merely as part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_name) && !line[at + word.len()..].starts_with(part_of_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<usize> {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check_file(&file)
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn aya_is_named_only_by_the_datapath() {
        let text = "use std::fmt;\nuse aya::Ebpf;\n// aya\nlet ayah = 1;";
        assert_eq!(findings("enforcer-user/src/controller.rs", text), [2]);
        assert_eq!(findings("enforcer-user/src/datapath/load.rs", text), [0; 0]);
    }

    #[test]
    fn unsafe_stands_only_in_its_places() {
        let text = "#![deny(unsafe_code)]\nlet x = unsafe { y() };";
        assert_eq!(findings("enforcer-user/src/main.rs", text), [2]);
        assert_eq!(findings("enforcer-ebpf/src/cursor.rs", text), [0; 0]);
    }

    #[test]
    fn empty_names_and_long_files_are_found() {
        assert_eq!(findings("common/src/utils.rs", ""), [1]);
        assert_eq!(findings("common/src/helpers/clock.rs", ""), [1]);
        assert_eq!(findings("common/src/long.rs", &"\n".repeat(401)), [1]);
    }

    #[test]
    fn tests_do_not_sleep() {
        let text = "use std::thread::sleep;\ntokio::time::sleep(second).await;";
        assert_eq!(findings("tests/tests/lease.rs", text), [1, 2]);
        assert_eq!(findings("tests/src/wait.rs", text), [0; 0]);
    }
}
