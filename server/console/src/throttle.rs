//! Who fails to log in has to wait: by name, so that one account is not guessed; by address, so that one place does not guess many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Failures that cost nothing: people mistype.
const FREE_BY_NAME: u32 = 5;
/// An address may be the one of a whole festival office.
const FREE_BY_ADDRESS: u32 = 20;
/// The first wait; it doubles with each failure.
const WAIT_FIRST_MS: u64 = 2_000;
/// The longest one: whoever locks others out by failing in their name locks them out for this long at most.
const WAIT_MAX_MS: u64 = 5 * 60 * 1_000;
/// Failures are forgotten after this long without another.
const FORGET_MS: u64 = 30 * 60 * 1_000;
/// Names and addresses that are remembered. Beyond this the oldest goes: who could fill it has as many addresses anyway.
const KNOWN_MAX: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Only a part: a name may be as long as a request.
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: u64,
}

/// Failures by name and address.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<BTreeMap<Key, Failures>>);

impl Failures {
    fn wait_ms(self, free: u32, now_ms: u64) -> u64 {
        let Some(over) = self.count.checked_sub(free) else {
            return 0;
        };
        let wait = WAIT_FIRST_MS.saturating_mul(1 << over.min(16)).min(WAIT_MAX_MS);
        self.last_ms.saturating_add(wait).saturating_sub(now_ms)
    }
}

fn keys(name: &str, address: Option<IpAddr>) -> impl Iterator<Item = (Key, u32)> {
    let name: String = name.to_lowercase().chars().take(64).collect();
    let address = address.map(|address| (Key::Address(network(address)), FREE_BY_ADDRESS));
    std::iter::once((Key::Name(name), FREE_BY_NAME)).chain(address)
}

/// One customer of an IPv6 provider has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Throttle {
    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this name from this address has to wait; zero when it may try.
    pub(crate) fn wait_ms(&self, name: &str, address: Option<IpAddr>, now_ms: u64) -> u64 {
        let known = self.open();
        keys(name, address)
            .filter_map(|(key, free)| Some(known.get(&key)?.wait_ms(free, now_ms)))
            .max()
            .unwrap_or(0)
    }

    /// It failed.
    pub(crate) fn failed(&self, name: &str, address: Option<IpAddr>, now_ms: u64) {
        let mut known = self.open();
        known.retain(|_, failures| now_ms.saturating_sub(failures.last_ms) < FORGET_MS);
        for (key, _) in keys(name, address) {
            if known.len() >= KNOWN_MAX && !known.contains_key(&key) {
                let oldest = known.iter().min_by_key(|(_, failures)| failures.last_ms);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    known.remove(&oldest);
                }
            }
            let failures = known.entry(key).or_insert(Failures { count: 0, last_ms: 0 });
            *failures = Failures {
                count: failures.count.saturating_add(1),
                last_ms: now_ms,
            };
        }
    }

    /// It worked: this name starts anew. The address does not, or one good account would free it for guessing others.
    pub(crate) fn succeeded(&self, name: &str) {
        let mut known = self.open();
        for (key, _) in keys(name, None) {
            known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));

    #[test]
    fn the_wait_begins_after_five_failures_doubles_and_ends_at_five_minutes() {
        let throttle = Throttle::default();
        let mut waits = Vec::new();
        for _ in 0..16 {
            throttle.failed("Lena", None, 1_000);
            waits.push(throttle.wait_ms("lena", None, 1_000) / 1_000);
        }
        assert_eq!(waits[..10], [0, 0, 0, 0, 2, 4, 8, 16, 32, 64]);
        assert_eq!(waits[15], 300);
        assert_eq!(throttle.wait_ms("lena", None, 1_000 + 300_000), 0);
        assert_eq!(throttle.wait_ms("jonas", None, 1_000), 0);
        throttle.succeeded("LENA");
        assert_eq!(throttle.wait_ms("lena", None, 1_000), 0);
    }

    #[test]
    fn one_address_does_not_guess_many_names_and_a_good_login_does_not_free_it() {
        let throttle = Throttle::default();
        for guess in 0..21 {
            throttle.failed(&format!("user{guess}"), HERE, 0);
        }
        throttle.succeeded("user1");
        assert!(throttle.wait_ms("fresh", HERE, 0) > 0);
        assert_eq!(throttle.wait_ms("fresh", None, 0), 0);
        assert_eq!(
            network("2001:db8::1".parse().unwrap()),
            network("2001:db8::ff:2".parse().unwrap())
        );
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let throttle = Throttle::default();
        for guess in 0..(KNOWN_MAX as u64 + 100) {
            throttle.failed(&format!("{guess}"), None, guess);
        }
        assert_eq!(throttle.open().len(), KNOWN_MAX);
        throttle.failed("late", None, FORGET_MS * 2);
        assert_eq!(throttle.open().len(), 1);
    }
}
