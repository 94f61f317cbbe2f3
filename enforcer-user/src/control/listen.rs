//! Making a control socket that only those may use who are meant to.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use nix::unistd::Group;
use tokio::net::UnixListener;

/// The name of the socket for those who may ask and change nothing, beside that for everything.
pub const READERS: &str = "read.sock";

/// Who may use a socket besides root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    Root,
    /// The members of this group.
    Group(String),
    /// The user with this number.
    User(u32),
}

/// Why a socket cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody answers there.
    #[error(
        "another gateway is running here: it answers at {0}; stop it first, or give this one its own `run_dir`"
    )]
    Occupied(PathBuf),
    /// Something else has the name.
    #[error("{0} is in the way and is no socket; move it aside")]
    InTheWay(PathBuf),
    /// The socket of a gateway that is gone cannot be removed.
    #[error("cannot remove {path}, which a gateway left behind")]
    Remove {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket cannot be made.
    #[error("cannot listen at {path}; its directory must exist and be writable")]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such group.
    #[error(
        "there is no group `{0}` on this machine; make it with `groupadd --system {0}`, or name another"
    )]
    NoGroup(String),
    /// The groups of this machine cannot be read.
    #[error("cannot look up the group `{name}`")]
    Group {
        /// The group.
        name: String,
        /// Why.
        source: nix::Error,
    },
    /// The socket cannot be given to those who may use it.
    #[error("cannot set the owner and mode of {path}")]
    Access {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes the socket, in place of one that a gateway left behind. Must run inside a tokio runtime.
pub fn bind(path: &Path, access: &Access) -> Result<UnixListener, ListenError> {
    let (user, group, mode) = owner(access)?;
    clear(path)?;
    let listener = UnixListener::bind(path).map_err(|source| ListenError::Bind {
        path: path.to_owned(),
        source,
    })?;
    // Until here the umask decides, which lets nobody else write; to connect one must.
    chown(path, user, group)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|source| ListenError::Access {
            path: path.to_owned(),
            source,
        })?;
    Ok(listener)
}

fn owner(access: &Access) -> Result<(Option<u32>, Option<u32>, u32), ListenError> {
    match access {
        Access::Root => Ok((None, None, 0o600)),
        Access::User(user) => Ok((Some(*user), None, 0o600)),
        Access::Group(name) => match Group::from_name(name) {
            Ok(Some(group)) => Ok((None, Some(group.gid.as_raw()), 0o660)),
            Ok(None) => Err(ListenError::NoGroup(name.clone())),
            Err(source) => Err(ListenError::Group {
                name: name.clone(),
                source,
            }),
        },
    }
}

/// Removes what a gateway left behind, and only that.
fn clear(path: &Path) -> Result<(), ListenError> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(ListenError::InTheWay(path.to_owned()));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(ListenError::Occupied(path.to_owned()));
    }
    fs::remove_file(path).map_err(|source| ListenError::Remove {
        path: path.to_owned(),
        source,
    })
}
