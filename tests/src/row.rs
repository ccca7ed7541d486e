//! What a threat's test counts, and the row that it prints.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How much is tried.
#[derive(Clone, Copy)]
pub struct Share {
    full: bool,
}

impl Share {
    /// One of two counts: the bounded one, or the full one.
    pub fn of<T>(self, bounded: T, full: T) -> T {
        if self.full { full } else { bounded }
    }
}

/// Tries, and those that ended wrongly.
#[derive(Default)]
pub struct Tally {
    /// How many were tried.
    pub tried: u64,
    /// What ended wrongly, in words.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Counts one try.
    pub fn expect(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.tried += 1;
        if !right {
            self.wrong.push(what());
        }
    }

    /// Counts what another has counted.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.wrong.extend(other.wrong);
    }
}

/// Runs one threat's test, prints its row, and fails if anything ended wrongly.
///
/// # Panics
/// When anything did.
pub fn report(number: &str, name: &str, run: impl FnOnce(Share) -> (Tally, String)) {
    let share = Share { full: std::env::var("CHANCERY_THREATS").is_ok_and(|share| share == "full") };
    let start = Instant::now();
    let (tally, tried) = run(share);
    let result = match tally.wrong.len() {
        0 => "held".to_owned(),
        wrong => format!("{wrong} wrong"),
    };
    // The test harness may have begun a line.
    println!("\n{number}  {name:<17} {:>9}  {result:<7} {:>4} s  {tried}", tally.tried, start.elapsed().as_secs());
    let shown: Vec<&String> = tally.wrong.iter().take(20).collect();
    assert!(tally.wrong.is_empty(), "{} of {} ended wrongly, such as {shown:#?}", tally.wrong.len(), tally.tried);
}

/// Shares the items among all processors.
///
/// # Panics
/// When `work` does.
pub fn spread<T: Sync>(items: &[T], work: impl Fn(usize, &T) -> Tally + Sync) -> Tally {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut tally = Tally::default();
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?)))
        {
            tally.add(work(index, item));
        }
        tally
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().fold(Tally::default(), |mut all, thread| {
            all.add(thread.join().expect("a worker does not panic"));
            all
        })
    })
}
