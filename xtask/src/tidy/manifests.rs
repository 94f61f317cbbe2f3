//! What is checked in manifests: lints, versions, who depends on whom.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Finding;
use super::rules::WALLS;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.manifests() {
        let manifest = file
            .text
            .parse()
            .with_context(|| format!("{} is not a manifest", file.path))?;
        findings.extend(check_manifest(file, &manifest));
    }
    Ok(findings)
}

fn check_manifest(file: &File, manifest: &Table) -> Vec<Finding> {
    let lints = opts_in_to_lints(manifest);
    let versions = [SHIPPED, &["dev-dependencies"]]
        .into_iter()
        .flat_map(|kinds| dependencies(manifest, kinds))
        .filter_map(|(name, value)| own_version(name, value));
    let barred = dependencies(manifest, SHIPPED)
        .into_iter()
        .filter_map(|(name, _)| barred(manifest, name));
    let all = lints.into_iter().chain(versions).chain(barred);
    all.map(|what| Finding {
        path: file.path.clone(),
        line: 1,
        what,
    })
    .collect()
}

fn opts_in_to_lints(manifest: &Table) -> Option<String> {
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    let opted = lints.and_then(Value::as_bool) == Some(true);
    (!opted).then(|| "does not opt in to the lints: add `[lints] workspace = true`".to_owned())
}

/// Kinds of dependencies that make what is shipped. Tests may know more: the agent's use the server.
const SHIPPED: &[&str] = &["dependencies", "build-dependencies"];

/// Every dependency of these kinds, also those for one target only.
fn dependencies<'a>(manifest: &'a Table, kinds: &[&str]) -> Vec<(&'a str, &'a Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(Value::as_table)
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn own_version(name: &str, value: &Value) -> Option<String> {
    let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    (!inherited)
        .then(|| format!("`{name}` has a version of its own: put it into the root manifest"))
}

fn barred(manifest: &Table, dependency: &str) -> Option<String> {
    let package = manifest.get("package")?.get("name")?.as_str()?;
    let wall = WALLS.iter().find(|wall| wall.package == package)?;
    let barred = wall.barred.contains(&dependency);
    barred.then(|| format!("may not depend on `{dependency}`: {}", wall.why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = File {
            path: "x/Cargo.toml".to_owned(),
            text: text.to_owned(),
        };
        let manifest = text.parse().expect("a manifest");
        check_manifest(&file, &manifest)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_good_member_has_no_findings() {
        let text = "[package]\nname = 'enforcer-server'\n[lints]\nworkspace = true\n\
                    [dependencies]\nserde.workspace = true\ntokio = { workspace = true, features = ['rt'] }";
        assert_eq!(findings(text), [""; 0]);
    }

    #[test]
    fn missing_lints_own_versions_and_walls_are_found() {
        let text = "[package]\nname = 'enforcer-server'\n\
                    [dev-dependencies]\nserde = '1'\n[target.'cfg(unix)'.dependencies]\nenforcer-common.workspace = true";
        let findings = findings(text).join("\n");
        assert!(findings.contains("[lints]"), "{findings}");
        assert!(findings.contains("`serde` has a version"), "{findings}");
        assert!(
            findings.contains("may not depend on `enforcer-common`"),
            "{findings}"
        );
    }
}
