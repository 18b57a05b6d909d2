//! `pop3 fetch` and a server of this project in a simulated world in memory: the network delays and breaks connections, disks
//! fail and lose unsynced data, processes die and start again, the server fails and dies, mail arrives, and other clients read
//! theirs. A seed determines the world, so every failure can be reproduced.
//!
//! ```
//! // Nothing was lost, nothing came twice, nothing was removed that was not safe.
//! pop3_simulation::run(1);
//! ```
//!
//! These parts are real: `fetch` (plan, transfer, journal, deliveries into the Maildir), the blocking client, the server's
//! session and its store responder. These parts are simulated: the disk of the Maildir, the server's store, and the network.

mod crowd;
mod disk;
mod network;
mod served;
mod store;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Security, Transport};
use pop3_fetch::{AccountMaildir, FetchError, Run, RunSummary, TransferOptions};
use pop3_maildrop::Maildir;

use crowd::Crowd;
use disk::{SimDisk, Trouble};
use network::{Cut, SimStream};
use served::Served;
use store::{FETCHED, Fault, Ids, SimStore};

/// The events of a world, for inspection and statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One line for each run of `fetch`.
    pub runs: Vec<String>,
    /// The number of messages in the client's Maildir at the end.
    pub messages: usize,
    /// The number of runs that failed.
    pub failed: usize,
    /// The number of runs in which the process was killed or the power failed.
    pub died: usize,
}

struct World {
    random: Rng,
    disk: SimDisk,
    store: SimStore,
    crowd: Arc<Mutex<Crowd>>,
    options: TransferOptions,
    report: Report,
}

/// Runs one world.
///
/// # Panics
/// Panics if mail was lost, duplicated or damaged, or if the server removed it before it was safely stored.
pub fn run(seed: u64) -> Report {
    run_keeping(seed, 0)
}

/// Runs one world in which the newest messages stay on the server.
///
/// # Panics
/// See [`run`].
pub fn run_keeping(seed: u64, keep_newest: usize) -> Report {
    pop3_contract::limit_test();
    let mut random = Rng::with_seed(seed);
    let disk = SimDisk::new(random.fork());
    let root = Path::new("/home/joe/Maildir");
    let ids = [Ids::Own, Ids::Own, Ids::OfContent, Ids::Shared, Ids::Reused, Ids::Numbers][random.usize(..6)];
    let fault = match random.u8(..12) {
        0 => Fault::KeepsDeleted,
        1 => Fault::CutsShort,
        2 => Fault::RefusesMechanisms,
        3 => Fault::EndsAfter(random.usize(14..40)),
        _ => Fault::Nothing,
    };
    // Failures are recorded by unique-id and size, so these must distinguish the messages in such a world.
    let ids = if fault == Fault::CutsShort { Ids::Own } else { ids };
    // A truncated message is tried again only a few times, so nothing else may fail in such a world.
    let failures = if fault == Fault::CutsShort { 0 } else { [0, 0, 2, 10][random.usize(..4)] };
    let store = SimStore::new(random.fork(), (disk.clone(), root.to_owned()), ids, failures, fault);
    for _ in 0..random.usize(..6) {
        store.deliver(FETCHED);
    }
    let crowd = Arc::new(Mutex::new(Crowd::new(store.clone(), random.usize(..4))));
    let options = TransferOptions {
        messages: random.usize(1..5),
        // Almost no time passes in a simulation, so messages must not be set aside.
        set_aside: Duration::ZERO,
        keep_newest,
        ..TransferOptions::new(random.u8(..3) > 0)
    };
    let mut world = World { random, disk, store, crowd, options, report: Report::default() };
    for _ in 0..world.random.usize(1..6) {
        world.fetch(root, fault != Fault::CutsShort);
    }
    // At the end nothing fails any more, and all messages must be fetched.
    world.store.mend();
    if let Ok(mut crowd) = world.crowd.lock() {
        crowd.leave();
    }
    // A server that ends sessions early is emptied only after several runs.
    let runs = if matches!(fault, Fault::EndsAfter(_) | Fault::CutsShort) { 20 } else { 4 };
    let last = (0..runs).map(|_| world.fetch(root, false)).last().flatten();
    let Some(Ok(done)) = last else { panic!("seed {seed}: the last run failed: {:#?}", world.report.runs) };
    assert!(done.problems.is_empty() && done.fetched == 0, "seed {seed}: {done:?}: {:#?}", world.report.runs);
    world.check(root);
    world.report
}

impl World {
    /// Runs `pop3 fetch` once, with random failures. Returns `None` if its process died.
    fn fetch(&mut self, root: &Path, troubled: bool) -> Option<Result<RunSummary, FetchError>> {
        let random = &mut self.random;
        let trouble = match random.u8(..8) {
            0..3 if troubled => Trouble::Fails(random.u64(1..120)),
            3..6 if troubled => Trouble::Stops(random.u64(1..120)),
            _ => Trouble::Nothing,
        };
        let cut = match random.u8(..8) {
            0 if troubled => Cut::Reset(random.u64(..1500)),
            1 if troubled => Cut::Deaf(random.u64(..1500)),
            2 if troubled => Cut::Silent(random.u64(..1500)),
            _ => Cut::Never,
        };
        self.disk.start(trouble);
        let (store, disk, crowd) = (self.store.clone(), self.disk.clone(), Arc::clone(&self.crowd));
        let mut connect = || {
            Box::new(SimStream {
                served: Served::new(&store, random),
                random: random.fork(),
                cut,
                carried: 0,
                commands: 0,
                store: store.clone(),
                disk: disk.clone(),
                crowd: Arc::clone(&crowd),
            }) as Box<dyn Transport>
        };
        let result = fetch_once(&self.disk, root, &mut connect, &self.options);
        let died = self.disk.is_stopped();
        let told = match &result {
            Ok(done) => {
                format!("{} fetched, {} deleted, {} known, problems: {:?}", done.fetched, done.deleted, done.known, done.problems)
            }
            // A message contains file names, which differ between runs with one seed.
            Err(FetchError::Disk { error, .. }) => format!("failed: disk: {}", error.kind()),
            Err(FetchError::Session(_)) => "failed: session".to_owned(),
            Err(error) => format!("failed: {error}"),
        };
        let end = if !died {
            ""
        } else if self.random.bool() {
            self.disk.lose_power();
            ", and the power went"
        } else {
            ", and the process was killed"
        };
        self.report.failed += usize::from(result.is_err());
        self.report.died += usize::from(died);
        self.report.runs.push(format!("{trouble:?}, {cut:?}: {told}{end}"));
        assert!(self.store.lost().is_empty(), "H43: removed, and a power cut would lose it\n{:#?}", self.report.runs);
        // At any time, each visible file in the Maildir is a complete message that arrived at the server.
        let came = self.store.came();
        for message in self.disk.messages(root, false) {
            assert!(came.contains(&message), "H13: no such message came: {}\n{:#?}", message.escape_ascii(), self.report.runs);
        }
        (!died).then_some(result)
    }

    fn check(&mut self, root: &Path) {
        let arrived = self.store.came();
        let (mut came, mut home) = (arrived.clone(), self.disk.messages(root, true));
        came.sort();
        home.sort();
        self.report.messages = home.len();
        let runs = &self.report.runs;
        match self.store.ids() {
            Ids::Own => assert_eq!(home, came, "lost or doubled\n{runs:#?}"),
            // The client cannot distinguish a copy with the same unique-id from the message itself.
            Ids::OfContent | Ids::Shared | Ids::Reused | Ids::Numbers => {
                for message in &came {
                    assert!(home.contains(message), "lost: {}\n{runs:#?}", message.escape_ascii());
                }
                assert!(home.len() <= came.len(), "doubled\n{runs:#?}");
            }
        }
        if self.options.delete && self.store.fault() != Fault::KeepsDeleted {
            // If unique-ids prove nothing, a copy of a deleted message looks like a message that the server keeps.
            let is_copy = |message: &Vec<u8>| came.iter().filter(|other| *other == message).count() > 1;
            let left = self.store.left();
            let may_stay = self.store.ids() != Ids::Own && left.iter().all(is_copy);
            if self.options.keep_newest > 0 {
                // Where unique-ids prove nothing, copies may stay, too.
                let newest = &arrived[arrived.len().saturating_sub(self.options.keep_newest)..];
                let right = left == newest || self.store.ids() != Ids::Own;
                return assert!(right, "the newest stay: {left:?}, {newest:?}\n{runs:#?}");
            }
            assert!(left.is_empty() || may_stay, "what is home is deleted: {left:?}\n{runs:#?}");
        }
    }
}

/// Performs the steps of `pop3 fetch`, in its order.
fn fetch_once(
    disk: &SimDisk,
    root: &Path,
    connect: &mut dyn FnMut() -> Box<dyn Transport>,
    options: &TransferOptions,
) -> Result<RunSummary, FetchError> {
    let client_options = ClientOptions::new(Security::DangerousCleartext);
    let credentials = Credentials::password(FETCHED, "x").map_err(pop3_blocking::Error::from)?;
    let policy = LoginPolicy::default();
    let mut connect_and_login =
        || Client::with_stream_and_login(connect(), "pop.example.org", 110, &client_options, &credentials, &policy);
    let mut first = Some(connect_and_login()?);
    let maildir = Maildir::create_on(Arc::new(disk.clone()), root).map_err(|error| {
        let path = root.to_owned();
        FetchError::Disk { path, error }
    })?;
    let mut account = AccountMaildir::open(maildir, "joe")?;
    let mut run = Run::new(&mut account, options, &());
    run.fetch_new(&mut || first.take().map_or_else(&mut connect_and_login, Ok))?;
    Ok(run.into_summary())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_contract::{Cut, Feed};
    use std::io::{self, Read, Write};
    use std::ops::Range;
    use std::thread;
    use std::time::Instant;

    #[test]
    fn h43_h44_h45_h46_h48_nothing_is_lost_or_doubled_in_any_world() {
        let add = |mut sum: Report, report: Report| {
            sum.messages += report.messages;
            sum.failed += report.failed;
            sum.died += report.died;
            sum
        };
        let worlds = |seeds: Range<u64>| seeds.map(run).fold(Report::default(), add);
        let all = thread::scope(|scope| {
            let first_half = scope.spawn(|| worlds(0..1_250));
            let second_half = worlds(1_250..2_500);
            add(first_half.join().unwrap(), second_half)
        });
        // Worlds without failures would prove nothing.
        assert!(all.messages > 4_000 && all.failed > 1_500 && all.died > 500, "{all:?}");
    }

    #[test]
    fn h43_h48_the_newest_messages_stay_on_the_server_and_nothing_is_lost_or_doubled() {
        let worlds = |seeds: Range<u64>| seeds.map(|seed| run_keeping(seed, 1 + seed as usize % 3).messages).sum::<usize>();
        let messages = thread::scope(|scope| {
            let first_half = scope.spawn(|| worlds(0..200));
            worlds(200..400) + first_half.join().unwrap()
        });
        assert!(messages > 600, "{messages}");
    }

    #[test]
    fn h45_messages_visible_before_a_failed_sync_are_made_visible_again() {
        let (disk, root) = (SimDisk::new(Rng::with_seed(1)), Path::new("/Maildir"));
        let maildir = Maildir::create_on(Arc::new(disk.clone()), root).unwrap();
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(b"A: b\r\n").unwrap();
        let prepared = delivery.prepare().unwrap();
        maildir.sync_tmp().unwrap();
        let name = prepared.name().to_owned();
        prepared.commit().unwrap();
        disk.start(Trouble::Fails(1));
        maildir.sync_new().unwrap_err();
        disk.start(Trouble::Nothing);
        assert!(maildir.complete(&name).unwrap());
        assert_eq!(disk.messages(root, true), [b"A: b\n"], "it survives a power cut");
    }

    /// A server that follows a script.
    struct Scripted(Feed);

    impl Read for Scripted {
        fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
            self.0.read(space)
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(self.0.write(bytes))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Transport for Scripted {
        fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
            Ok(())
        }
    }

    const ROOT: &str = "/Maildir";

    /// Runs `fetch --delete`, one message at a time, with a server that sends these replies after the login.
    fn fetch_from(disk: &SimDisk, says: &[&'static [u8]]) -> (Result<RunSummary, FetchError>, String) {
        let login: [&[u8]; 4] = [b"+OK\r\n", b"-ERR no CAPA\r\n", b"+OK\r\n", b"+OK\r\n"];
        let feed = Feed::scripted(login.into_iter().chain(says.iter().copied()), Cut::Whole);
        feed.end();
        let options = TransferOptions { messages: 1, ..TransferOptions::new(true) };
        let result = fetch_once(disk, Path::new(ROOT), &mut || Box::new(Scripted(feed.clone())), &options);
        (result, String::from_utf8(feed.written()).unwrap())
    }

    const TWO: [&[u8]; 4] =
        [b"-ERR no CAPA\r\n", b"+OK 2 6\r\n", b"+OK\r\n1 3\r\n2 3\r\n.\r\n", b"+OK\r\n1 same\r\n2 same\r\n.\r\n"];

    #[test]
    fn s17_q43_which_of_two_with_one_unique_id_is_gone_is_not_known_when_the_answer_to_quit_is_lost() {
        let disk = SimDisk::new(Rng::with_seed(1));
        // The second message cannot be retrieved now; the first is deleted, and the server removes it.
        let says = [&TWO[..], &[b"+OK\r\nA\r\n.\r\n", b"-ERR not now\r\n", b"+OK\r\n"]].concat();
        let (result, said) = fetch_from(&disk, &says);
        assert!(said.ends_with("RETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n"), "{said}");
        assert_eq!(result.unwrap().problems.len(), 2);
        // The remaining message has the same unique-id.
        let says: [&[u8]; 7] = [
            TWO[0],
            b"+OK 1 3\r\n",
            b"+OK\r\n1 3\r\n.\r\n",
            b"+OK\r\n1 same\r\n.\r\n",
            b"+OK\r\nB\r\n.\r\n",
            b"+OK\r\n",
            b"+OK\r\n",
        ];
        let (_, said) = fetch_from(&disk, &says);
        assert!(said.contains("RETR 1\r\n"), "it is another: {said}");
        let mut home = disk.messages(Path::new(ROOT), true);
        home.sort();
        assert_eq!(home, [b"A\n", b"B\n"]);
    }

    #[test]
    fn h45_nothing_becomes_visible_behind_a_failure() {
        // The simulated disk itself asserts that. Each of its operations fails once, while another message is being retrieved.
        let says = [&TWO[..], &[b"+OK\r\nA\r\n.\r\n", b"+OK\r\nB\r\n.\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK\r\n"]].concat();
        let failed = (1..100).filter(|operation| {
            let disk = SimDisk::new(Rng::with_seed(*operation));
            disk.start(Trouble::Fails(*operation));
            fetch_from(&disk, &says).0.is_err()
        });
        assert!(failed.count() > 30);
    }

    #[test]
    fn a_seed_is_one_world() {
        for seed in 0..50 {
            assert_eq!(run(seed), run(seed), "{seed}");
        }
    }
}
