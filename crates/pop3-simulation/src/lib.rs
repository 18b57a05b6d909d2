//! `pop3 fetch` and a server of ours in one world in memory: the network cuts and delays, disks fail and lose what was not synced,
//! processes die and start again, the server fails and dies, mail comes, others read. All of it by a seed, so that what failed once
//! fails again.
//!
//! ```
//! // Nothing was lost, nothing came twice, nothing was removed that was not safe.
//! pop3_simulation::run(1);
//! ```
//!
//! Real are: the whole of `fetch` (plan, transfer, journal, deliveries into the Maildir), the blocking client, the session and what
//! answers for a store. Played are the disk under the Maildir, the store of the server, and the network.

mod crowd;
mod disk;
mod network;
mod store;

use std::path::Path;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use indicatif::ProgressBar;
use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Security};
use pop3_cli::failure::Failure;
use pop3_cli::fetch::journal::Journal;
use pop3_cli::fetch::transfer::How;
use pop3_cli::fetch::{Done, bring_home};
use pop3_maildrop::Maildir;
use pop3_maildrop::maildir::disk::Disk;

use crowd::Crowd;
use disk::{SimDisk, Trouble};
use network::{Cut, Served, SimStream};
use store::{FETCHED, Ids, SimStore};

/// What happened in a world, for whoever wants to see it, and for statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A line for each run of `fetch`.
    pub runs: Vec<String>,
    /// Messages that came home.
    pub messages: usize,
    /// Runs that failed, and those in which the process died or lost its power.
    pub failed: usize,
    /// See `failed`.
    pub died: usize,
}

struct World {
    chance: Rng,
    disk: SimDisk,
    store: SimStore,
    crowd: Arc<Mutex<Crowd>>,
    how: How,
    report: Report,
}

/// Lives through one world.
///
/// # Panics
/// Mail was lost, doubled or damaged, or was removed before it was safe.
pub fn run(seed: u64) -> Report {
    let mut chance = Rng::with_seed(seed);
    let disk = SimDisk::new(chance.fork());
    let root = Path::new("/home/joe/Maildir");
    let ids = [Ids::Own, Ids::Own, Ids::OfContent, Ids::Shared][chance.usize(..4)];
    let failures = [0, 0, 2, 10][chance.usize(..4)];
    let store = SimStore::new(chance.fork(), (disk.clone(), root.to_owned()), ids, failures);
    for _ in 0..chance.usize(..6) {
        store.deliver(FETCHED);
    }
    let crowd = Arc::new(Mutex::new(Crowd::new(store.clone(), chance.usize(..4))));
    let how = How { messages: chance.usize(1..5), ..How::new(chance.u8(..3) > 0) };
    let mut world = World { chance, disk, store, crowd, how, report: Report::default() };
    for _ in 0..world.chance.usize(1..6) {
        world.fetch(root, true);
    }
    // In the end nothing goes wrong any more, and everything must be home.
    world.store.mend();
    if let Ok(mut crowd) = world.crowd.lock() {
        crowd.leave();
    }
    let last = (0..3).map(|_| world.fetch(root, false)).last().flatten();
    let Some(Ok(done)) = last else { panic!("the last run failed: {:#?}", world.report.runs) };
    assert!(done.troubles.is_empty() && done.fetched == 0, "{done:?}");
    world.check(root);
    world.report
}

impl World {
    /// One run of `pop3 fetch`, and what becomes of its process. `None`: it died.
    fn fetch(&mut self, root: &Path, troubled: bool) -> Option<Result<Done, Failure>> {
        let chance = &mut self.chance;
        let trouble = match chance.u8(..8) {
            0..3 if troubled => Trouble::Fails(chance.u64(1..120)),
            3..6 if troubled => Trouble::Stops(chance.u64(1..120)),
            _ => Trouble::Nothing,
        };
        let cut = match chance.u8(..8) {
            0 if troubled => Cut::Reset(chance.u64(..1500)),
            1 if troubled => Cut::Deaf(chance.u64(..1500)),
            2 if troubled => Cut::Silent(chance.u64(..1500)),
            _ => Cut::Never,
        };
        self.disk.start(trouble);
        let served = Served::new(&self.store, chance);
        let stream = SimStream {
            served,
            chance: chance.fork(),
            cut,
            carried: 0,
            store: self.store.clone(),
            disk: self.disk.clone(),
            crowd: Arc::clone(&self.crowd),
        };
        let result = fetch_once(&self.disk, root, stream, &self.how);
        let died = self.disk.is_stopped();
        let told = match &result {
            Ok(done) => {
                format!("{} fetched, {} deleted, {} known, troubles: {:?}", done.fetched, done.deleted, done.known, done.troubles)
            }
            // A name differs from run to run.
            Err(failure) => format!("failed: {:?}", failure.exit),
        };
        let end = if !died {
            ""
        } else if self.chance.bool() {
            self.disk.lose_power();
            ", and the power went"
        } else {
            ", and the process was killed"
        };
        self.report.failed += usize::from(result.is_err());
        self.report.died += usize::from(died);
        self.report.runs.push(format!("{trouble:?}, {cut:?}: {told}{end}"));
        assert!(self.store.lost().is_empty(), "H43: removed, and a power cut would lose it\n{:#?}", self.report.runs);
        // Whatever is seen in the Maildir is a message that came, whole, at any time.
        let came = self.store.came();
        for message in self.disk.messages(root, false) {
            assert!(came.contains(&message), "H13: no such message came: {}\n{:#?}", message.escape_ascii(), self.report.runs);
        }
        (!died).then_some(result)
    }

    fn check(&mut self, root: &Path) {
        let (mut came, mut home) = (self.store.came(), self.disk.messages(root, true));
        came.sort();
        home.sort();
        self.report.messages = home.len();
        let runs = &self.report.runs;
        match self.store.ids() {
            Ids::Own => assert_eq!(home, came, "lost or doubled\n{runs:#?}"),
            // A copy that comes later is the one that was removed, as far as anybody can tell.
            Ids::OfContent => assert!(came.iter().all(|message| home.contains(message)), "lost\n{runs:#?}"),
            // Messages that share a unique-id cannot be told apart, so they may come again; each that came must be home, as often.
            Ids::Shared => {
                let mut home = home.into_iter();
                for message in &came {
                    assert!(home.any(|at_home| at_home == *message), "lost: {}\n{runs:#?}", message.escape_ascii());
                }
            }
        }
        if self.how.delete {
            assert_eq!(self.store.left(), 0, "what is home is deleted\n{runs:#?}");
        }
    }
}

/// What `pop3 fetch` does, in its order.
fn fetch_once(disk: &SimDisk, root: &Path, stream: SimStream, how: &How) -> Result<Done, Failure> {
    let maildir = Maildir::create_on(Arc::new(disk.clone()), root).map_err(|error| Failure::file(root, &error))?;
    let options = ClientOptions::new(Security::DangerousCleartext);
    let credentials = Credentials::password(FETCHED, "x").map_err(pop3_blocking::Error::from)?;
    let client = Client::log_in_over(Box::new(stream), "pop.example.org", 110, &options, &credentials, &LoginPolicy::default())?;
    let path = root.join("pop3-fetched-joe");
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut journal = Journal::open(&disk, &path).map_err(|error| Failure::file(&path, &error))?;
    journal.settle(&maildir).map_err(|error| Failure::file(&path, &error))?;
    bring_home(client, &maildir, &mut journal, how, &ProgressBar::hidden())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h43_h44_h45_h46_h48_nothing_is_lost_or_doubled_in_any_world() {
        let mut all = Report::default();
        for seed in 0..2_000 {
            let report = run(seed);
            all.messages += report.messages;
            all.failed += report.failed;
            all.died += report.died;
        }
        // Worlds in which nothing happens would prove nothing.
        assert!(all.messages > 4_000 && all.failed > 1_500 && all.died > 500, "{all:?}");
    }

    #[test]
    fn h45_what_became_visible_before_a_failed_sync_is_made_visible_again() {
        let (disk, root) = (SimDisk::new(Rng::with_seed(1)), Path::new("/Maildir"));
        let maildir = Maildir::create_on(Arc::new(disk.clone()), root).unwrap();
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(b"A: b\r\n").unwrap();
        let prepared = delivery.prepare().unwrap();
        maildir.sync_tmp().unwrap();
        let name = prepared.name().to_owned();
        prepared.commit().unwrap();
        disk.start(Trouble::Fails(1));
        maildir.sync().unwrap_err();
        disk.start(Trouble::Nothing);
        assert!(maildir.complete(&name).unwrap());
        assert_eq!(disk.messages(root, true), [b"A: b\n"], "it survives a power cut");
    }

    #[test]
    fn a_seed_is_one_world() {
        for seed in 0..50 {
            assert_eq!(run(seed), run(seed), "{seed}");
        }
    }
}
