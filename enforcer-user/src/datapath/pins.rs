//! What stays in the kernel when this process ends: maps and links, pinned under a directory named by
//! the version of their layouts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aya::maps::MapData;
use enforcer_common::limits;
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use super::{DatapathError, Options, object};

/// The directory of all pins of this version.
#[derive(Clone, Debug)]
pub struct Pins {
    root: PathBuf,
}

impl Pins {
    /// Makes the directories.
    pub fn prepare(pin_dir: &Path) -> Result<Self, DatapathError> {
        check_mount(pin_dir)?;
        let pins = Self {
            root: pin_dir.join(format!("v{}", limits::ABI)),
        };
        for directory in [pins.root.join("maps"), pins.root.join("links")] {
            fs::create_dir_all(&directory).map_err(|error| DatapathError::Pin {
                path: directory,
                error,
            })?;
        }
        Ok(pins)
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The pin of a map.
    pub fn map(&self, name: &str) -> PathBuf {
        self.root.join("maps").join(name)
    }

    /// The pin of an interface's link. The BPF file system refuses dots, and interface names have no
    /// colons, so one stands for the other.
    pub fn link(&self, interface: &str, hook: &str) -> PathBuf {
        self.root
            .join("links")
            .join(format!("{}-{hook}", interface.replace('.', ":")))
    }

    /// The pin of the map by which the programs of a hook reach each other.
    pub fn steps(&self, interface: &str, hook: &str) -> PathBuf {
        self.link(interface, &format!("{hook}-steps"))
    }

    /// Compares the maps that are pinned already with those that the programs need: aya adopts a
    /// pinned map whatever its shape. True when there are any.
    pub fn check_shapes(&self, options: &Options) -> Result<bool, DatapathError> {
        let object = aya_obj::Object::parse(object::BYTES)
            .map_err(|error| DatapathError::Load(aya::EbpfError::ParseError(error)))?;
        let mut adopted = false;
        for name in super::maps::NAMES {
            let path = self.map(name);
            if !path.exists() {
                continue;
            }
            let map = object.maps.get(name).ok_or(DatapathError::Missing(name))?;
            let info = MapData::from_pin(&path)
                .and_then(|map| map.info())
                .map_err(|error| DatapathError::Map { name, error })?;
            let rows = match name {
                "HOSTS_V4" | "HOSTS_V6" => options.host_capacity,
                _ => map.max_entries(),
            };
            let wanted = shape(map.key_size(), map.value_size(), rows);
            let found = shape(info.key_size(), info.value_size(), info.max_entries());
            if wanted != found {
                return Err(DatapathError::Shape {
                    path,
                    dir: self.root.clone(),
                    found,
                    wanted,
                });
            }
            adopted = true;
        }
        Ok(adopted)
    }
}

fn shape(key: u32, value: u32, rows: u32) -> String {
    format!("{key}-byte keys, {value}-byte values, {rows} rows")
}

/// Whether a directory for pins is, or can be, on a BPF file system.
pub fn check_mount(pin_dir: &Path) -> Result<(), DatapathError> {
    let mount = existing_ancestor(pin_dir);
    let magic = statfs(mount).map_err(|error| DatapathError::Pin {
        path: mount.to_owned(),
        error: error.into(),
    })?;
    if magic.filesystem_type() == BPF_FS_MAGIC {
        return Ok(());
    }
    let (path, mount) = (pin_dir.to_owned(), mount.to_owned());
    Err(DatapathError::NotBpfFs { path, mount })
}

fn existing_ancestor(path: &Path) -> &Path {
    path.ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"))
}
