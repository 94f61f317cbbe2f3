//! Where entries end.

use std::{
    fs::File,
    io::{self, IoSlice, Write},
    os::{fd::AsRawFd, unix::net::UnixDatagram},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        socket::{ControlMessage, MsgFlags, sendmsg},
    },
};

/// Where systemd's journal takes entries.
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Where entries end. What cannot be written is lost: there is nobody whom to tell.
#[derive(Debug)]
pub(super) enum Sink {
    /// Standard error.
    StandardError,
    /// Systemd's journal.
    Journal(UnixDatagram),
    /// A file, for tests.
    #[cfg(test)]
    File(File),
}

impl Sink {
    /// The journal, if there is one.
    pub(super) fn journal() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(JOURNAL)?;
        Ok(Self::Journal(socket))
    }

    pub(super) fn write(&self, entry: &[u8]) {
        let _lost = match self {
            Self::StandardError => io::stderr().write_all(entry),
            Self::Journal(socket) => send(socket, entry),
            #[cfg(test)]
            Self::File(file) => (&mut &*file).write_all(entry),
        };
    }
}

/// Sends an entry. One that is too long for a datagram goes in a sealed file
/// (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).
fn send(socket: &UnixDatagram, entry: &[u8]) -> io::Result<()> {
    match socket.send(entry) {
        Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {
            send_file(socket, entry)
        }
        // The journal was started again.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            socket.send_to(entry, JOURNAL).map(drop)
        }
        sent => sent.map(drop),
    }
}

fn send_file(socket: &UnixDatagram, entry: &[u8]) -> io::Result<()> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create(c"entry", flags)?);
    file.write_all(entry)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::all()))?;
    let files = [file.as_raw_fd()];
    let message = [ControlMessage::ScmRights(&files)];
    let nothing = [IoSlice::new(&[])];
    sendmsg::<()>(
        socket.as_raw_fd(),
        &nothing,
        &message,
        MsgFlags::empty(),
        None,
    )?;
    Ok(())
}
