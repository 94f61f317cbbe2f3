//! Which kernel modules the machine needs, in the order in which they can be loaded.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// What the gateway and its tests use of the kernel, by module name. What a kernel has built in needs no loading.
const WANTED: &[&str] = &[
    // Interfaces.
    "8021q",
    "bridge",
    "dummy",
    "macvlan",
    "tun",
    "veth",
    "virtio_net",
    "vrf",
    // Programs on them.
    "act_gact",
    "act_mirred",
    "cls_bpf",
    "cls_u32",
    "sch_ingress",
    // Packet filter, address translation and what is known of connections.
    "nf_conntrack_netlink",
    "nf_tables",
    "nft_chain_nat",
    "nft_ct",
    "nft_flow_offload",
    "nft_limit",
    "nft_log",
    "nft_masq",
    "nft_nat",
    "nft_redir",
    "nft_reject_inet",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
];

/// A module's name and its content, ready to be loaded.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) object: Vec<u8>,
}

/// The wanted modules and all that they depend on, dependencies first.
pub(super) fn read(folder: &Path) -> Result<Vec<Module>> {
    let index = fs::read_to_string(folder.join("modules.dep"))?;
    let built_in = fs::read_to_string(folder.join("modules.builtin"))?;
    let paths = order(&index, &built_in, WANTED)?;
    paths.into_iter().map(|path| load(folder, path)).collect()
}

/// Orders modules by `modules.dep`: each line is a module, a colon, and everything it needs, the
/// first to be loaded last.
fn order<'a>(index: &'a str, built_in: &str, wanted: &[&str]) -> Result<Vec<&'a str>> {
    let lines = index.lines().filter_map(|line| line.split_once(':'));
    let known: HashMap<_, _> = lines
        .map(|(path, needs)| (name_of(path), (path, needs)))
        .collect();
    let mut ordered = Vec::new();
    for name in wanted {
        let Some((path, needs)) = known.get(*name) else {
            ensure!(
                built_in.lines().any(|path| name_of(path) == *name),
                "the kernel has no module {name}"
            );
            continue;
        };
        for module in needs.split_whitespace().rev().chain([*path]) {
            if !ordered.contains(&module) {
                ordered.push(module);
            }
        }
    }
    Ok(ordered)
}

fn name_of(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file)
}

fn load(folder: &Path, path: &str) -> Result<Module> {
    let file = folder.join(path);
    let object = match file.extension().and_then(|extension| extension.to_str()) {
        Some("ko") => fs::read(&file)?,
        Some("xz") => unpack(&file)?,
        _ => bail!("{} is neither .ko nor .ko.xz", file.display()),
    };
    Ok(Module {
        name: name_of(path).to_owned(),
        object,
    })
}

fn unpack(file: &Path) -> Result<Vec<u8>> {
    let mut command = Command::new("xz");
    command
        .arg("--decompress")
        .arg("--stdout")
        .arg(file)
        .stderr(Stdio::inherit());
    let output = command.output().context("xz could not be started")?;
    ensure!(
        output.status.success(),
        "xz could not unpack {}",
        file.display()
    );
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_once() {
        let index = "net/8021q/8021q.ko.xz: net/garp.ko.xz net/llc.ko.xz\nnet/bridge.ko.xz: net/llc.ko.xz\n\
                     net/garp.ko.xz: net/llc.ko.xz\nnet/llc.ko.xz:\n";
        let ordered =
            order(index, "net/tun.ko\n", &["8021q", "tun", "bridge"]).expect("all are known");
        assert_eq!(
            ordered,
            [
                "net/llc.ko.xz",
                "net/garp.ko.xz",
                "net/8021q/8021q.ko.xz",
                "net/bridge.ko.xz"
            ]
        );
    }

    #[test]
    fn a_module_that_the_kernel_lacks_is_named() {
        let error = order("", "", &["veth"]).expect_err("there is no module at all");
        assert_eq!(error.to_string(), "the kernel has no module veth");
    }
}
