//! Attempts: how many may fail before one has to wait.
//!
//! To sign in, counted per address and person, so that a stranger who guesses cannot lock the person out; and per person
//! and per address alone, much higher, so that neither many addresses nor many names help. Where a person has signed in
//! before, the count of the person alone does not matter: strangers can make others wait, but not the person at home.
//!
//! The codes that devices show, counted per user who types them.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rescind_domain::UserId;

/// Failed attempts, in memory: a restart forgives.
#[derive(Default)]
pub(crate) struct Attempts {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    pairs: HashMap<(IpAddr, String), Failures>,
    people: HashMap<String, Failures>,
    addresses: HashMap<IpAddr, Failures>,
    /// Where people have signed in, and when last.
    homes: HashMap<(IpAddr, String), Instant>,
}

/// Wrong codes of devices, in memory.
#[derive(Default)]
pub(crate) struct Guesses {
    table: Mutex<HashMap<UserId, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// How many may fail before the first wait, which doubles with each further one.
#[derive(Clone, Copy)]
struct Allowance {
    free: u32,
    first_wait: Duration,
}

const PAIR: Allowance = Allowance {
    free: 5,
    first_wait: Duration::from_secs(5),
};
const PERSON: Allowance = Allowance {
    free: 50,
    first_wait: Duration::from_secs(5),
};
const ADDRESS: Allowance = Allowance {
    free: 100,
    first_wait: Duration::from_secs(5),
};
const CODES: Allowance = Allowance {
    free: 10,
    first_wait: Duration::from_secs(5),
};
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After that long without a failure all is forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60 * 60);
/// How long it is remembered where a person signed in.
const AT_HOME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many are remembered of each sort; beyond, the oldest half is forgotten.
const REMEMBERED: usize = 20_000;

impl Attempts {
    /// How long this attempt has to wait, if at all. An attempt that may go ahead counts as failed until
    /// [`Self::succeeded`], so that many at once are no way around.
    pub(crate) fn begin(&self, address: IpAddr, person: &str, now: Instant) -> Result<(), Duration> {
        let mut tables = self.tables.lock();
        let address = network(address);
        let pair = (address, person.to_owned());
        let home = tables.homes.get(&pair);
        let is_at_home = home.is_some_and(|last| now.saturating_duration_since(*last) < AT_HOME);
        let by_person = tables.people.get(person).filter(|_| !is_at_home);
        let waits = [
            wait(tables.pairs.get(&pair), PAIR, now),
            wait(by_person, PERSON, now),
            wait(tables.addresses.get(&address), ADDRESS, now),
        ];
        if let Some(longest) = waits.into_iter().flatten().max() {
            return Err(longest);
        }
        note(&mut tables.pairs, pair, now);
        note(&mut tables.people, person.to_owned(), now);
        note(&mut tables.addresses, address, now);
        Ok(())
    }

    /// Takes the attempt back: it was the right person, who is at home there from now on.
    pub(crate) fn succeeded(&self, address: IpAddr, person: &str, now: Instant) {
        let mut tables = self.tables.lock();
        let address = network(address);
        let pair = (address, person.to_owned());
        tables.pairs.remove(&pair);
        take_back(&mut tables.people, person);
        take_back(&mut tables.addresses, &address);
        if tables.homes.len() >= REMEMBERED && !tables.homes.contains_key(&pair) {
            forget_half(&mut tables.homes, |last| *last);
        }
        tables.homes.insert(pair, now);
    }

    /// Takes the attempt back: nobody found out whether it was the right person.
    pub(crate) fn undecided(&self, address: IpAddr, person: &str) {
        let mut tables = self.tables.lock();
        let address = network(address);
        take_back(&mut tables.pairs, &(address, person.to_owned()));
        take_back(&mut tables.people, person);
        take_back(&mut tables.addresses, &address);
    }

    /// Whether the person has signed in there.
    #[cfg(test)]
    pub(crate) fn is_home(&self, address: IpAddr, person: &str) -> bool {
        let pair = (network(address), person.to_owned());
        self.tables.lock().homes.contains_key(&pair)
    }
}

impl Guesses {
    /// How long this user has to wait, if at all. A code counts as wrong until [`Self::take_back`].
    pub(crate) fn begin(&self, user: UserId, now: Instant) -> Result<(), Duration> {
        let mut table = self.table.lock();
        if let Some(rest) = wait(table.get(&user), CODES, now) {
            return Err(rest);
        }
        note(&mut table, user, now);
        Ok(())
    }

    /// It was not wrong. What was wrong before stays so: one's own codes must be no way to more guesses.
    pub(crate) fn take_back(&self, user: UserId) {
        take_back(&mut self.table.lock(), &user);
    }
}

/// One household or host: all of an IPv4 address, the first 64 bits of an IPv6 address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
    }
}

fn wait(failures: Option<&Failures>, allowance: Allowance, now: Instant) -> Option<Duration> {
    let failures = failures?;
    let beyond = failures.count.checked_sub(allowance.free)?;
    let full = allowance
        .first_wait
        .saturating_mul(1 << beyond.min(16))
        .min(LONGEST_WAIT);
    full.checked_sub(now.saturating_duration_since(failures.last))
        .filter(|rest| !rest.is_zero())
}

fn note<K: Hash + Eq + Clone>(table: &mut HashMap<K, Failures>, key: K, now: Instant) {
    if table.len() >= REMEMBERED && !table.contains_key(&key) {
        forget_half(table, |failures| failures.last);
    }
    let failures = table.entry(key).or_insert(Failures { count: 0, last: now });
    if now.saturating_duration_since(failures.last) > FORGIVEN_AFTER {
        failures.count = 0;
    }
    failures.count = failures.count.saturating_add(1);
    failures.last = now;
}

fn take_back<K, Q>(table: &mut HashMap<K, Failures>, key: &Q)
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    if let Some(failures) = table.get_mut(key) {
        failures.count = failures.count.saturating_sub(1);
    }
}

fn forget_half<K: Hash + Eq, V>(table: &mut HashMap<K, V>, last: impl Fn(&V) -> Instant) {
    let mut times: Vec<Instant> = table.values().map(&last).collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    table.retain(|_, value| last(value) > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn the_sixth_attempt_waits_and_each_further_one_longer() {
        let attempts = Attempts::default();
        let mut now = Instant::now();
        for _ in 0..5 {
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
        }
        for seconds in [5, 10, 20, 40] {
            assert_eq!(
                attempts.begin(HERE, "ada", now),
                Err(Duration::from_secs(seconds))
            );
            now += Duration::from_secs(seconds);
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
        }
    }

    #[test]
    fn a_stranger_who_guesses_does_not_lock_the_person_out() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
        }
        assert!(attempts.begin(HERE, "ada", now).is_err());
        assert_eq!(attempts.begin(THERE, "ada", now), Ok(()));
        assert_eq!(attempts.begin(HERE, "grace", now), Ok(()));
    }

    #[test]
    fn many_addresses_do_not_help() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let addresses = (0..60u32).map(|n| IpAddr::V4(std::net::Ipv4Addr::from_bits(n << 8)));
        let refused = addresses.filter(|address| attempts.begin(*address, "ada", now).is_err());
        assert_eq!(refused.count(), 10);
    }

    #[test]
    fn strangers_do_not_lock_people_out_where_they_have_signed_in() {
        let attempts = Attempts::default();
        let began = Instant::now();
        assert_eq!(attempts.begin(HERE, "ada", began), Ok(()));
        attempts.succeeded(HERE, "ada", began);
        let strangers = |now| {
            let addresses = (0..60u32).map(|n| IpAddr::V4(std::net::Ipv4Addr::from_bits(n << 8)));
            addresses
                .filter(|address| attempts.begin(*address, "ada", now).is_err())
                .count()
        };
        assert!(strangers(began) > 0);
        assert_eq!(attempts.begin(HERE, "ada", began), Ok(()));
        assert!(attempts.begin(THERE, "ada", began).is_err());
        for _ in 0..4 {
            assert_eq!(attempts.begin(HERE, "ada", began), Ok(()));
        }
        assert!(
            attempts.begin(HERE, "ada", began).is_err(),
            "guessing there is counted"
        );
        let later = began + AT_HOME;
        assert!(strangers(later) > 0);
        assert!(
            attempts.begin(HERE, "ada", later).is_err(),
            "nobody is at home for ever"
        );
    }

    #[test]
    fn attempts_that_nobody_looked_at_do_not_count_and_forgive_none() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..200 {
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
            attempts.undecided(HERE, "ada");
        }
        for _ in 0..5 {
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
            assert_eq!(attempts.begin(HERE, "grace", now), Ok(()));
            attempts.undecided(HERE, "grace");
        }
        assert!(attempts.begin(HERE, "ada", now).is_err());
    }

    #[test]
    fn what_is_remembered_of_homes_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..=REMEMBERED as u64 {
            let now = now + Duration::from_millis(n);
            attempts.succeeded(HERE, &n.to_string(), now);
        }
        assert!(attempts.tables.lock().homes.len() <= REMEMBERED);
    }

    #[test]
    fn the_eleventh_wrong_code_waits_and_right_ones_buy_no_more() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let (ada, grace) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        for _ in 0..10 {
            assert_eq!(guesses.begin(ada, now), Ok(()));
            guesses.take_back(ada);
            assert_eq!(guesses.begin(ada, now), Ok(()));
        }
        assert_eq!(guesses.begin(ada, now), Err(Duration::from_secs(5)));
        assert_eq!(guesses.begin(grace, now), Ok(()));
    }

    #[test]
    fn success_forgives_the_pair_and_an_hour_forgives_all() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..20 {
            assert_eq!(attempts.begin(HERE, "ada", now), Ok(()));
            attempts.succeeded(HERE, "ada", now);
        }
        for _ in 0..5 {
            assert_eq!(attempts.begin(HERE, "grace", now), Ok(()));
        }
        let later = now + FORGIVEN_AFTER + Duration::from_secs(1);
        for _ in 0..5 {
            assert_eq!(attempts.begin(HERE, "grace", later), Ok(()));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut table = HashMap::new();
        let now = Instant::now();
        for n in 0..3 * REMEMBERED {
            note(&mut table, n, now + Duration::from_millis(n as u64));
        }
        assert!(table.len() <= REMEMBERED);
        assert!(table.contains_key(&(3 * REMEMBERED - 1)));
    }
}
