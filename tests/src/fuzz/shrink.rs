//! Makes a frame that shows something shorter and emptier, as long as it still does.

/// Tries at most.
const TRIES: usize = 3_000;

/// The shortest and emptiest frame found that still shows it.
pub fn shrink(mut frame: Vec<u8>, mut shows: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut tries = TRIES;
    let mut attempt = |candidate: &[u8]| {
        tries = tries.saturating_sub(1);
        tries > 0 && shows(candidate)
    };
    loop {
        let before = frame.clone();
        for chunk in chunks(frame.len()) {
            drop_chunks(&mut frame, chunk, &mut attempt);
            clear_chunks(&mut frame, chunk, &mut attempt);
        }
        if frame == before {
            return frame;
        }
    }
}

/// Sizes of what is tried at once: halves, quarters and so on down to single bytes.
fn chunks(length: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(length / 2), |size| Some(size / 2)).take_while(|size| *size > 0)
}

fn drop_chunks(frame: &mut Vec<u8>, chunk: usize, shows: &mut impl FnMut(&[u8]) -> bool) {
    let mut end = frame.len();
    while end >= chunk {
        let mut candidate = frame.clone();
        candidate.drain(end - chunk..end);
        if shows(&candidate) {
            *frame = candidate;
        }
        end -= chunk;
    }
}

fn clear_chunks(frame: &mut [u8], chunk: usize, shows: &mut impl FnMut(&[u8]) -> bool) {
    for start in (0..frame.len()).step_by(chunk) {
        let end = (start + chunk).min(frame.len());
        if frame[start..end].iter().all(|byte| *byte == 0) {
            continue;
        }
        let kept = frame[start..end].to_vec();
        frame[start..end].fill(0);
        if !shows(frame) {
            frame[start..end].copy_from_slice(&kept);
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
