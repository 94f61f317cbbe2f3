//! The bytes of a capture.

use std::{
    fs::File,
    io::{self, Chain, Cursor, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::CaptureError;

/// A file or standard input, whose first bytes have been looked at.
pub(super) struct Source {
    path: PathBuf,
    magic: Vec<u8>,
    bytes: Chain<Cursor<Vec<u8>>, Box<dyn Read>>,
    ended: Arc<AtomicBool>,
}

/// Whether a source has been read to its end.
#[derive(Clone, Debug)]
pub(super) struct End(Arc<AtomicBool>);

impl End {
    /// Whether it has.
    pub fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Source {
    /// Opens a file, or standard input when the name is `-`.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let failed = |cause| CaptureError::Read {
            path: path.to_owned(),
            cause,
        };
        let mut bytes: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        let mut magic = Vec::new();
        bytes
            .by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: Cursor::new(magic.clone()).chain(bytes),
            magic,
            ended: Arc::default(),
        })
    }

    /// Its first four bytes; fewer when there are no more.
    pub fn magic(&self) -> &[u8] {
        &self.magic
    }

    /// Its name.
    pub fn name(&self) -> &Path {
        &self.path
    }

    /// Tells of its end while another reads it.
    pub fn end(&self) -> End {
        End(self.ended.clone())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) => {
                    self.ended.store(true, Ordering::Relaxed);
                    return Ok(0);
                }
                read => return read,
            }
        }
    }
}
