//! Makes a frame that shows something shorter and emptier, as long as it still does.

/// Tries at most.
const TRIES: u32 = 3_000;

/// The shortest and emptiest frame found that still shows it.
pub fn shrink(frame: Vec<u8>, shows: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut shrinking = Shrinking {
        frame,
        shows,
        tries: TRIES,
    };
    loop {
        let before = shrinking.frame.clone();
        for chunk in chunks(before.len()) {
            shrinking.drop_chunks(chunk);
            shrinking.clear_chunks(chunk);
        }
        if shrinking.frame == before {
            return before;
        }
    }
}

/// Sizes of what is tried at once: halves, quarters and so on down to single bytes.
fn chunks(length: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(length / 2), |size| Some(size / 2)).take_while(|size| *size > 0)
}

struct Shrinking<F> {
    frame: Vec<u8>,
    shows: F,
    tries: u32,
}

impl<F: FnMut(&[u8]) -> bool> Shrinking<F> {
    fn drop_chunks(&mut self, chunk: usize) {
        let mut end = self.frame.len();
        while end >= chunk && self.tries > 0 {
            let mut candidate = self.frame.clone();
            candidate.drain(end - chunk..end);
            self.attempt(candidate);
            end -= chunk;
        }
    }

    fn clear_chunks(&mut self, chunk: usize) {
        for start in (0..self.frame.len()).step_by(chunk) {
            let end = (start + chunk).min(self.frame.len());
            if self.tries == 0 || self.frame[start..end].iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut candidate = self.frame.clone();
            candidate[start..end].fill(0);
            self.attempt(candidate);
        }
    }

    fn attempt(&mut self, candidate: Vec<u8>) {
        self.tries -= 1;
        if (self.shows)(&candidate) {
            self.frame = candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let frame: Vec<u8> = (0..200).collect();
        let shows = |frame: &[u8]| frame.len() >= 14 && frame.contains(&77);
        let least = shrink(frame, shows);
        assert_eq!(least.len(), 14);
        assert_eq!(
            least.iter().filter(|byte| **byte != 0).collect::<Vec<_>>(),
            [&77]
        );
    }
}
