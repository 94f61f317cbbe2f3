//! Entries on their way out: who says something never waits for who reads it.
//!
//! A journal on a slow disk, or a pipe that nobody reads, would otherwise hold up the controller, and with it leases
//! and decisions.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

use super::sink::Sink;

/// Octets of entries that may wait; some 20,000 entries.
const ROOM: usize = 4 << 20;
/// Between two notices that entries were lost.
const NOTICE: Duration = Duration::from_secs(1);

/// Where every part of the program puts what it says.
#[derive(Clone, Debug)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sink: Sink,
    state: Mutex<State>,
    /// Something came, or something has been written.
    turned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Vec<u8>>,
    /// Octets of them.
    waiting: usize,
    /// A thread writes; until then each entry is written by who says it.
    has_writer: bool,
    /// That thread is about one that is no longer among the entries.
    writes: bool,
    lost: u64,
}

impl Queue {
    pub(super) fn new(sink: Sink) -> Self {
        Self(Arc::new(Shared {
            sink,
            state: Mutex::default(),
            turned: Condvar::new(),
        }))
    }

    /// Says something: at once, or, with a thread that writes, as soon as that comes to it. Of what does not fit, the
    /// newest is lost, and counted.
    pub(super) fn say(&self, entry: &[u8]) {
        let mut state = self.state();
        if !state.has_writer {
            drop(state);
            self.0.sink.write(entry);
            return;
        }
        if state.waiting + entry.len() > ROOM {
            state.lost += 1;
            return;
        }
        state.waiting += entry.len();
        state.entries.push_back(entry.to_owned());
        self.0.turned.notify_all();
    }

    /// Entries that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.state().lost
    }

    /// Leaves writing to a thread, which begins with `begin`.
    pub(super) fn detach(&self, begin: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let queue = self.clone();
        let writer = thread::Builder::new().name("logs".to_owned());
        writer.spawn(move || {
            begin();
            queue.write_all();
        })?;
        self.state().has_writer = true;
        Ok(())
    }

    /// Waits until everything is written, but not for a reader that does not read.
    pub(super) fn flush(&self, limit: Duration) {
        let is_busy = |state: &mut State| state.writes || !state.entries.is_empty();
        let turned = &self.0.turned;
        drop(turned.wait_timeout_while(self.state(), limit, is_busy));
    }

    fn write_all(&self) -> ! {
        let (mut told, mut next) = (0, Instant::now());
        loop {
            let entry = self.next();
            self.0.sink.write(&entry);
            self.state().writes = false;
            self.0.turned.notify_all();
            let lost = self.lost();
            if lost > told && Instant::now() >= next {
                tracing::warn!(
                    entries = lost - told,
                    "entries of the log were lost: what reads it was too slow"
                );
                (told, next) = (lost, Instant::now() + NOTICE);
            }
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.state();
        loop {
            if let Some(entry) = state.entries.pop_front() {
                state.waiting -= entry.len();
                state.writes = true;
                return entry;
            }
            state = self
                .0
                .turned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing of it is half done where a thread may panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For layers that write lines, each of them at once.
impl MakeWriter<'_> for Queue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Queue {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.say(entry);
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{BufRead, BufReader, Read},
        os::unix::net::UnixStream,
        sync::mpsc,
    };

    use super::*;

    fn queue() -> (Queue, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let theirs = File::from(std::os::fd::OwnedFd::from(theirs));
        (Queue::new(Sink::File(theirs)), ours)
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_is_lost_is_counted() {
        let (queue, ours) = queue();
        queue.say(b"at once\n");
        let (begun, begins) = mpsc::channel();
        queue
            .detach(move || begun.send(()).expect("awaited"))
            .expect("a thread");
        begins.recv().expect("it begins");
        // More than socket and queue hold; with nobody who reads, this ends all the same.
        let line = [b'x'; 1023];
        let mut said = 0_u64;
        while queue.lost() == 0 {
            queue.say(&[&line[..], b"\n"].concat());
            said += 1;
        }
        queue.flush(Duration::ZERO);
        let mut lines = BufReader::new(ours)
            .lines()
            .map(|line| line.expect("a line"));
        assert_eq!(lines.next().as_deref(), Some("at once"));
        for _ in 1..said {
            assert_eq!(lines.next().map(|line| line.len()), Some(line.len()));
        }
        // There is room again.
        queue.say(b"the end\n");
        assert_eq!(lines.next().as_deref(), Some("the end"));
        assert_eq!(queue.lost(), 1);
    }

    #[test]
    fn what_was_said_is_written_before_the_end() {
        let (queue, mut ours) = queue();
        queue.detach(|| {}).expect("a thread");
        queue.say(b"the last word");
        queue.flush(Duration::from_secs(15));
        ours.set_nonblocking(true).expect("a socket");
        let mut found = [0; 64];
        let length = ours.read(&mut found).expect("it is there");
        assert_eq!(&found[..length], b"the last word");
    }
}
