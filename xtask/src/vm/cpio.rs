//! The archive format of an initial file system (cpio "newc"), as far as it is needed here.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// Writes entries one after another; folders above an entry come by themselves.
pub(super) struct Archive<W> {
    out: W,
    entries: u32,
    paths: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            entries: 0,
            paths: BTreeSet::new(),
        }
    }

    /// Adds a file, executable for all. The first of a path wins.
    pub(super) fn file(&mut self, path: &str, data: &[u8]) -> io::Result<()> {
        self.entry(path, PROGRAM, data)
    }

    /// Adds a symbolic link. The first of a path wins.
    pub(super) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.entry(path, LINK, target.as_bytes())
    }

    /// Adds an empty folder.
    pub(super) fn folder(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, FOLDER, &[])
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.raw("TRAILER!!!", 0, &[])?;
        self.out.flush()
    }

    fn entry(&mut self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        let path = path.trim_start_matches('/');
        if path.is_empty() || !self.paths.insert(path.to_owned()) {
            return Ok(());
        }
        let above = Path::new(path)
            .parent()
            .and_then(Path::to_str)
            .unwrap_or_default();
        self.entry(above, FOLDER, &[])?;
        self.raw(path, mode, data)
    }

    fn raw(&mut self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        self.entries += 1;
        let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let (inode, links) = (self.entries, 1);
        // inode, mode, uid, gid, links, time, size, device of the file (2), device it is (2), name, sum
        let fields = [
            inode,
            mode,
            0,
            0,
            links,
            0,
            size(data.len())?,
            0,
            0,
            0,
            0,
            size(path.len() + 1)?,
            0,
        ];
        write!(self.out, "070701")?;
        fields
            .iter()
            .try_for_each(|field| write!(self.out, "{field:08x}"))?;
        self.padded(path.as_bytes(), 110, 1)?;
        self.padded(data, 0, 0)
    }

    /// Writes data and zeros up to a multiple of four, counted from `offset`.
    fn padded(&mut self, data: &[u8], offset: usize, at_least: usize) -> io::Result<()> {
        let length = offset + data.len() + at_least;
        let zeros = at_least + length.next_multiple_of(4) - length;
        self.out.write_all(data)?;
        self.out.write_all(&[0; 4][..zeros])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned_and_folders_come_first() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive
            .file("/etc/x", b"hello")
            .expect("a vector takes everything");
        archive
            .file("/etc/x", b"again")
            .expect("a vector takes everything");
        archive.finish().expect("a vector takes everything");
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8_lossy(&bytes);
        let at = |word: &str| text.find(word).expect(word);
        assert!(at("etc\0") < at("etc/x\0") && at("hello") < at("TRAILER!!!\0"));
        assert!(!text.contains("again"));
        assert_eq!(
            text.match_indices("070701")
                .map(|(at, _)| at % 4)
                .sum::<usize>(),
            0
        );
    }
}
