//! The lines of a file, one at a time, and none without a bound.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// No entry is longer: a request is not, by far.
const LONGEST: u64 = 1 << 20;

/// A line.
#[derive(Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its text, without its end.
    pub text: Vec<u8>,
    /// Whether it has an end.
    pub is_whole: bool,
    /// Whether it is longer than any entry; the file is not read on from there.
    pub is_too_long: bool,
}

/// The lines of a file.
#[derive(Debug)]
pub struct Lines {
    file: BufReader<File>,
    number: u64,
    is_over: bool,
}

impl Lines {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::new(File::open(path)?),
            number: 0,
            is_over: false,
        })
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        let read = (&mut self.file)
            .take(LONGEST)
            .read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_whole = text.pop_if(|last| *last == b'\n').is_some();
        let is_too_long = !is_whole && read as u64 == LONGEST;
        self.is_over = is_too_long;
        Ok(Some(Line {
            number: self.number,
            text,
            is_whole,
            is_too_long,
        }))
    }
}

impl Iterator for Lines {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self.read().transpose()?;
        self.is_over |= line.is_err();
        Some(line)
    }
}
