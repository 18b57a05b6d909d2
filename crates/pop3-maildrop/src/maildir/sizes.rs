//! Wire sizes of messages, for messages whose size neither the name nor the index states.

use std::io::{self, Read};
use std::thread;

use pop3_proto::codec::WireSize;

/// Returns the size of a message in octets on the wire.
pub(super) fn count(mut message: impl Read, buffer: &mut [u8]) -> io::Result<u64> {
    let mut size = WireSize::new();
    loop {
        match message.read(buffer) {
            Ok(0) => return Ok(size.octets()),
            Ok(count) => size.add(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Calls `work` for each item, on several threads if there are many items, and returns the results in order.
pub(super) fn for_all<T: Sync, R: Send>(items: &[T], work: impl Fn(&T, &mut [u8]) -> io::Result<R> + Sync) -> io::Result<Vec<R>> {
    /// The number of items for which another thread is worth its cost.
    const SHARE: usize = 1000;
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len() / SHARE + 1);
    let do_some = |some: &[T]| {
        let mut buffer = vec![0; 64 * 1024];
        some.iter().map(|item| work(item, &mut buffer)).collect::<io::Result<Vec<R>>>()
    };
    if threads == 1 {
        return do_some(items);
    }
    thread::scope(|scope| {
        let shares = items.chunks(items.len().div_ceil(threads));
        let do_some = &do_some;
        let begin = |share| thread::Builder::new().spawn_scoped(scope, move || do_some(share));
        let mut all = Vec::with_capacity(items.len());
        for worker in shares.map(begin).collect::<io::Result<Vec<_>>>()? {
            all.extend(worker.join().map_err(|_| io::Error::other("a thread that counts messages has failed"))??);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that is interrupted before each piece and fails after the last one.
    struct Troubled(u8);

    impl Read for Troubled {
        fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Err(io::ErrorKind::Interrupted.into()),
                2 => {
                    space[..2].copy_from_slice(b"a\n");
                    Ok(2)
                }
                4 => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn s07_a_message_that_breaks_off_has_no_size() {
        assert_eq!(count(&b"a\n.\n"[..], &mut [0; 3]).unwrap(), 6);
        assert_eq!(count(Troubled(0), &mut [0; 16]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(count(Troubled(4), &mut [0; 16]).unwrap(), 0);
    }
}
