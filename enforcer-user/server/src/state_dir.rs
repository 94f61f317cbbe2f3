//! The state directory: what stands in it, and to whom it belongs.
//!
//! Everything in it belongs to the owner of the directory, also when root makes it: a server
//! without privileges must be able to use what `enforcer server token create` made before it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};

/// A directory that exists and can be used.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// It is not there and cannot be made.
    #[error("cannot make the state directory {}: {cause}; make it, or name another with --state-dir", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// What stopped it.
        cause: io::Error,
    },
    /// Nothing was ever kept in it.
    #[error("there is no server state in {}; name the server's state directory with --state-dir", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// Another server runs on it.
    #[error("another server uses the state directory {}; stop it first, or name another with --state-dir", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file in it cannot be read.
    #[error("cannot read {}: {cause}; give this user the right to read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What stopped it.
        cause: io::Error,
    },
    /// A file in it cannot be written.
    #[error("cannot write {}: {cause}; give this user the right to write there, and room on the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What stopped it.
        cause: io::Error,
    },
}

impl StateDir {
    /// The directory at `path`, made if it is not there.
    pub fn make(path: &Path) -> Result<Self, StateDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|cause| StateDirError::Make {
                path: path.to_owned(),
                cause,
            })?;
        Ok(Self(path.to_owned()))
    }

    /// The directory at `path`, in which a server has kept its state.
    pub fn existing(path: &Path) -> Result<Self, StateDirError> {
        let dir = Self(path.to_owned());
        if !dir.database().exists() {
            return Err(StateDirError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(dir)
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("server.db")
    }

    /// The certificate, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("server.crt")
    }

    /// The certificate's key, PEM.
    pub fn key(&self) -> PathBuf {
        self.0.join("server.key")
    }

    /// The certificate's pin.
    pub fn pin(&self) -> PathBuf {
        self.0.join("server.pin")
    }

    /// The addresses that the running server listens on, one a line.
    pub fn addresses(&self) -> PathBuf {
        self.0.join("server.addr")
    }

    /// Takes the directory for one server, until the file is dropped.
    pub fn lock(&self) -> Result<File, StateDirError> {
        let path = self.0.join("server.lock");
        let failed = |cause| StateDirError::Write {
            path: path.clone(),
            cause,
        };
        let file = open_private(&path).map_err(failed)?;
        self.hand_over(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StateDirError::InUse {
                path: self.0.clone(),
            }),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Makes an empty private file unless there is one.
    pub fn touch(&self, path: &Path) -> Result<(), StateDirError> {
        open_private(path).map_err(|cause| StateDirError::Write {
            path: path.to_owned(),
            cause,
        })?;
        self.hand_over(path)
    }

    /// Writes a file, whole or not at all.
    pub fn write(&self, path: &Path, mode: u32, text: &str) -> Result<(), StateDirError> {
        let new = path.with_added_extension("new");
        let failed = |cause| StateDirError::Write {
            path: path.to_owned(),
            cause,
        };
        remove(&new).map_err(failed)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)
            .map_err(failed)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        self.hand_over(&new)?;
        fs::rename(&new, path).map_err(failed)
    }

    /// Reads a file.
    pub fn read(&self, path: &Path) -> Result<String, StateDirError> {
        fs::read_to_string(path).map_err(|cause| StateDirError::Read {
            path: path.to_owned(),
            cause,
        })
    }

    /// Removes the addresses of a server that no longer runs.
    pub fn forget_addresses(&self) -> Result<(), StateDirError> {
        let path = self.addresses();
        remove(&path).map_err(|cause| StateDirError::Write { path, cause })
    }

    fn hand_over(&self, path: &Path) -> Result<(), StateDirError> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(());
        }
        fs::metadata(&self.0)
            .and_then(|owner| chown(path, Some(owner.uid()), Some(owner.gid())))
            .map_err(|cause| StateDirError::Write {
                path: path.to_owned(),
                cause,
            })
    }
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
