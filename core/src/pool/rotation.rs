//! Which proxy is next, and which ones are left out. This does no I/O and reads no clock.

use super::{Order, Outcome, PoolOptions, ProxyStats, Report};
use crate::{
    error::{Error, Result},
    model::GeoCounts,
    proxy::{ExitChoice, Proxy},
};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// The longest cooldown, as a multiple of the first.
const LONGEST_COOLDOWN: u32 = 16;
/// How many sets of countries keep their turns. Nobody needs as many, but a program may ask for any set.
const MOST_TURNS: usize = 1000;
/// How much a new measurement counts in the average latency.
const NEW_LATENCY: f64 = 0.3;

/// The geo counts of the proxies that can choose a country, by their names.
pub(super) type Geo = HashMap<&'static str, GeoCounts>;

/// The countries that a caller wants. `None` means any.
pub(super) type Countries = Option<Vec<String>>;

/// A proxy and what is known about it. `T` is a point in time.
#[derive(Clone)]
struct Member<T> {
    proxy: Proxy,
    /// Failures since the last success.
    in_a_row: u32,
    cool_until: Option<T>,
    latency: Option<Duration>,
    /// How often a country was chosen for it. This gives each of several countries its turn.
    chosen: usize,
    handed_out: u64,
    successes: u64,
    failures: u64,
    bytes: u64,
}

impl<T: Copy + Ord> Member<T> {
    fn new(proxy: Proxy) -> Self {
        let (handed_out, successes, failures, bytes) = (0, 0, 0, 0);
        Self {
            proxy,
            in_a_row: 0,
            cool_until: None,
            latency: None,
            chosen: 0,
            handed_out,
            successes,
            failures,
            bytes,
        }
    }

    fn is_cooling(&self, now: T) -> bool {
        self.cool_until.is_some_and(|until| until > now)
    }
}

/// The turns of some of the members, which are given by their places in the list.
#[derive(Clone)]
enum Turns {
    /// The first one is next.
    RoundRobin(VecDeque<usize>),
    /// All of them, and those that have not had their turn in this round.
    Random { all: Vec<usize>, left: Vec<usize> },
    /// Each one with the share of turns that it has not had yet.
    Fastest(Vec<(usize, f64)>),
}

impl Turns {
    fn new(order: Order, places: Vec<usize>) -> Self {
        match order {
            Order::RoundRobin => Self::RoundRobin(places.into()),
            Order::Random => Self::Random { all: places, left: Vec::new() },
            Order::Fastest => Self::Fastest(places.into_iter().map(|place| (place, 0.0)).collect()),
        }
    }

    fn places(&self) -> Vec<usize> {
        match self {
            Self::RoundRobin(queue) => queue.iter().copied().collect(),
            Self::Random { all, .. } => all.clone(),
            Self::Fastest(shares) => shares.iter().map(|(place, _)| *place).collect(),
        }
    }

    /// The next one that is usable.
    fn next<T: Copy + Ord>(&mut self, members: &[Member<T>], now: T) -> Option<usize> {
        let usable = |place: usize| members.get(place).is_some_and(|member| !member.is_cooling(now));
        match self {
            Self::RoundRobin(queue) => {
                for _ in 0..queue.len() {
                    queue.rotate_left(1);
                    if let Some(&place) = queue.back()
                        && usable(place)
                    {
                        return Some(place);
                    }
                }
                None
            }
            Self::Random { all, left } => {
                // Whoever was left out in this round may be the only usable one, so a whole round comes after it.
                for _ in 0..2 {
                    while let Some(place) = left.pop() {
                        if usable(place) {
                            return Some(place);
                        }
                    }
                    left.clone_from(all);
                    fastrand::shuffle(left);
                }
                None
            }
            Self::Fastest(shares) => {
                // Smooth weighted round robin: each usable proxy earns a share in proportion to its speed, and the one with the
                // largest share pays for the turn. A proxy that has not been measured counts as the fastest, so that it will be.
                let speed = |place: usize| {
                    members
                        .get(place)
                        .and_then(|member| member.latency)
                        .map(|latency| latency.as_secs_f64().max(1e-6).recip())
                };
                let fastest = shares
                    .iter()
                    .filter_map(|(place, _)| speed(*place))
                    .fold(None, |most: Option<f64>, speed| Some(most.map_or(speed, |most| most.max(speed))));
                let mut total = 0.0;
                for (place, share) in shares.iter_mut().filter(|(place, _)| usable(*place)) {
                    let weight = speed(*place).or(fastest).unwrap_or(1.0);
                    *share += weight;
                    total += weight;
                }
                let next = shares
                    .iter_mut()
                    .filter(|(place, _)| usable(*place))
                    .reduce(|most, one| if one.1 > most.1 { one } else { most })?;
                next.1 -= total;
                Some(next.0)
            }
        }
    }

    /// The turns of other places. Those that had turns before keep their order, and the others come last.
    fn over(&self, order: Order, now_at: impl Fn(usize) -> Option<usize>, places: &[usize]) -> Self {
        let kept = |before: &[usize]| -> Vec<usize> {
            before.iter().filter_map(|place| now_at(*place)).filter(|place| places.contains(place)).collect()
        };
        let before = kept(&self.places());
        let new = places.iter().copied().filter(|place| !before.contains(place));
        match self {
            Self::Random { left, .. } => {
                let mut left: Vec<usize> = kept(left).into_iter().chain(new.clone()).collect();
                fastrand::shuffle(&mut left);
                Self::Random { all: places.to_vec(), left }
            }
            Self::RoundRobin(_) | Self::Fastest(_) => {
                Self::new(order, before.iter().copied().chain(new).collect())
            }
        }
    }
}

/// The members of a pool, and whose turn it is.
#[derive(Clone)]
pub(super) struct Rotation<T> {
    members: Vec<Member<T>>,
    geo: Option<Geo>,
    turns: HashMap<Countries, Turns>,
    /// How many proxies the account has, with those that the pool leaves out.
    authorised: usize,
}

impl<T: Copy + Ord + std::ops::Add<Duration, Output = T>> Rotation<T> {
    pub(super) fn new() -> Self {
        Self { members: Vec::new(), geo: None, turns: HashMap::new(), authorised: 0 }
    }

    pub(super) fn knows_countries(&self) -> bool {
        self.geo.is_some()
    }

    /// Replaces the members. A proxy that was a member before keeps what is known about it, and its turn.
    pub(super) fn set(&mut self, options: &PoolOptions, proxies: Vec<Proxy>) {
        self.authorised = proxies.len();
        let mut before: HashMap<(String, u16), usize> = HashMap::new();
        for (place, member) in self.members.iter().enumerate() {
            before.insert(address(&member.proxy), place);
        }
        let mut now_at = vec![None; self.members.len()];
        let mut members: Vec<Member<T>> = Vec::with_capacity(proxies.len());
        for proxy in proxies.into_iter().filter(|proxy| !options.excludes(proxy)) {
            match before.remove(&address(&proxy)).and_then(|place| Some((place, self.members.get(place)?))) {
                Some((place, member)) => {
                    if let Some(now_at) = now_at.get_mut(place) {
                        *now_at = Some(members.len());
                    }
                    members.push(Member { proxy, ..member.clone() });
                }
                None => members.push(Member::new(proxy)),
            }
        }
        self.members = members;
        self.renew_turns(options.order, |place| now_at.get(place).copied().flatten());
    }

    pub(super) fn set_geo(&mut self, options: &PoolOptions, geo: Geo) {
        self.geo = Some(geo);
        self.renew_turns(options.order, Some);
    }

    fn renew_turns(&mut self, order: Order, now_at: impl Fn(usize) -> Option<usize>) {
        for (countries, turns) in std::mem::take(&mut self.turns) {
            let turns = turns.over(order, &now_at, &self.fitting(&countries));
            self.turns.insert(countries, turns);
        }
    }

    /// The places of the members that have exit IPs in one of the countries.
    fn fitting(&self, countries: &Countries) -> Vec<usize> {
        (0..self.members.len())
            .filter(|place| {
                let proxy = self.members.get(*place).map(|member| &member.proxy);
                proxy.is_some_and(|proxy| self.fits(proxy, countries))
            })
            .collect()
    }

    fn fits(&self, proxy: &Proxy, countries: &Countries) -> bool {
        countries.as_ref().is_none_or(|countries| !self.choices(proxy, countries).is_empty())
    }

    /// Those of the countries in which the proxy has exit IPs.
    fn choices<'c>(&self, proxy: &Proxy, countries: &'c [String]) -> Vec<&'c String> {
        if proxy.chooses_country() {
            let counts =
                self.geo.as_ref().and_then(|geo| geo.get(proxy.name().to_ascii_lowercase().as_str()));
            countries
                .iter()
                .filter(|country| {
                    counts.and_then(|counts| counts.get(*country)).is_some_and(|count| *count > 0)
                })
                .collect()
        } else {
            let own = proxy.country();
            countries.iter().filter(|country| own.as_ref() == Some(country)).collect()
        }
    }

    /// The next proxy for one of the countries that is not cooling down.
    pub(super) fn next(
        &mut self,
        options: &PoolOptions,
        countries: &Countries,
        now: T,
        seconds: impl Fn(T) -> Duration,
    ) -> Result<Proxy> {
        if !self.turns.contains_key(countries) {
            if self.turns.len() >= MOST_TURNS {
                self.turns.clear();
            }
            let turns = Turns::new(options.order, self.fitting(countries));
            self.turns.insert(countries.clone(), turns);
        }
        let place = self.turns.get_mut(countries).and_then(|turns| turns.next(&self.members, now));
        let Some(place) = place else { return Err(self.lack(countries, now, seconds)) };
        let country = countries.as_ref().and_then(|countries| {
            let member = self.members.get(place)?;
            let choices = self.choices(&member.proxy, countries);
            choices.get(member.chosen.checked_rem(choices.len())?).map(|country| (*country).clone())
        });
        let Some(member) = self.members.get_mut(place) else { return Err(exhausted(0, Duration::ZERO)) };
        member.handed_out += 1;
        match country {
            None => Ok(member.proxy.clone()),
            Some(country) => {
                member.chosen = member.chosen.wrapping_add(1);
                steered(&member.proxy, &country)
            }
        }
    }

    /// Why no proxy can be handed out.
    fn lack(&self, countries: &Countries, now: T, seconds: impl Fn(T) -> Duration) -> Error {
        let fitting = self.fitting(countries);
        if fitting.is_empty() {
            if self.members.is_empty() && self.authorised > 0 {
                return Error::validation("exclude", "leaves out every authorised proxy");
            }
            if let Some(countries) = countries.as_ref().filter(|_| !self.members.is_empty()) {
                let names: Vec<&str> = self.members.iter().map(|member| member.proxy.name()).collect();
                let has_some = |name: &&&str| {
                    let counts = self.geo.as_ref().and_then(|geo| geo.get(**name));
                    counts.is_some_and(|counts| {
                        countries.iter().any(|country| counts.get(country).is_some_and(|n| *n > 0))
                    })
                };
                let elsewhere: Vec<&str> = ["open", "world"].iter().filter(has_some).copied().collect();
                let hint = match elsewhere.as_slice() {
                    [] => String::new(),
                    names => format!("; authorise {}, which has some", names.join(" or ")),
                };
                let reason = format!(
                    "no authorised proxy ({}) has exits in {}{hint}",
                    names.join(", "),
                    countries.join(" or ")
                );
                return Error::validation("country", reason);
            }
        }
        let ends = fitting
            .iter()
            .filter_map(|place| self.members.get(*place)?.cool_until)
            .filter(|until| *until > now);
        exhausted(fitting.len(), ends.min().map_or(Duration::ZERO, seconds))
    }

    /// Records how a request went. Returns the cooldown that begins with it.
    pub(super) fn report(
        &mut self,
        options: &PoolOptions,
        proxy: &Proxy,
        report: Report,
        now: T,
    ) -> Option<Duration> {
        let member = self.members.iter_mut().find(|member| is_same(&member.proxy, proxy))?;
        member.bytes = member.bytes.saturating_add(report.bytes);
        if let Some(latency) = report.latency {
            member.latency = Some(match member.latency {
                None => latency,
                Some(before) => before.mul_f64(1.0 - NEW_LATENCY) + latency.mul_f64(NEW_LATENCY),
            });
        }
        if !report.outcome.is_failure() {
            member.successes += 1;
            member.in_a_row = 0;
            return None;
        }
        member.failures += 1;
        if member.is_cooling(now) {
            // A request that was in progress when the cooldown began failed for the same reason.
            return None;
        }
        let doubled = 1_u32.checked_shl(member.in_a_row).unwrap_or(LONGEST_COOLDOWN).min(LONGEST_COOLDOWN);
        member.in_a_row += 1;
        let cooldown = options.cooldown.saturating_mul(doubled);
        member.cool_until = Some(now + cooldown);
        Some(cooldown)
    }

    /// The members that have exit IPs in one of the countries, with their numbers.
    pub(super) fn stats(
        &self,
        countries: &Countries,
        now: T,
        seconds: impl Fn(T) -> Duration,
    ) -> Vec<ProxyStats> {
        let members = self.members.iter().filter(|member| self.fits(&member.proxy, countries));
        members
            .map(|member| {
                let proxy = match countries.as_deref() {
                    Some([country]) => {
                        steered(&member.proxy, country).unwrap_or_else(|_| member.proxy.clone())
                    }
                    _ => member.proxy.clone(),
                };
                ProxyStats {
                    proxy,
                    handed_out: member.handed_out,
                    successes: member.successes,
                    failures: member.failures,
                    bytes: member.bytes,
                    latency: member.latency,
                    cooling: member.cool_until.filter(|until| *until > now).map(&seconds),
                }
            })
            .collect()
    }
}

fn steered(proxy: &Proxy, country: &str) -> Result<Proxy> {
    proxy.clone().steer(ExitChoice::new().country(country)?)
}

fn address(proxy: &Proxy) -> (String, u16) {
    (proxy.host().to_owned(), proxy.port())
}

fn is_same(one: &Proxy, other: &Proxy) -> bool {
    one.port() == other.port() && one.host() == other.host()
}

fn exhausted(count: usize, retry_after: Duration) -> Error {
    let reason = match count {
        0 => "the account has no authorised proxy: add one with proxies.add".to_owned(),
        _ => {
            let proxies =
                if count == 1 { "the one proxy is".to_owned() } else { format!("all {count} proxies are") };
            let wait = retry_after.as_secs_f64().ceil();
            format!("{proxies} cooling down after failures; the first can be used again in {wait} s")
        }
    };
    Error::PoolExhausted { reason, retry_after }
}

impl Outcome {
    /// Whether it counts against the proxy or its exit. A status of the list usually comes from the proxy, or from a site that
    /// blocks it.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Success => false,
            Self::Failure => true,
            Self::Status(status) => matches!(status, 402 | 403 | 407 | 429 | 500.. | 0..100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Clock = Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn list(names: &[&str]) -> Vec<Proxy> {
        names.iter().map(|name| format!("{name}.proxymesh.com:31280").parse().unwrap()).collect()
    }

    fn rotation(options: &PoolOptions, names: &[&str]) -> Rotation<Clock> {
        let mut rotation = Rotation::new();
        rotation.set(options, list(names));
        rotation
    }

    fn next(
        rotation: &mut Rotation<Clock>,
        options: &PoolOptions,
        countries: &[&str],
        now: Clock,
    ) -> Result<String> {
        let countries = Some(countries).filter(|countries| !countries.is_empty());
        let countries =
            countries.map(|countries| countries.iter().map(|&country| country.to_owned()).collect());
        let proxy = rotation.next(options, &countries, now, |until| until - now)?;
        let wanted = proxy.exit_choice().wanted_country().map(|country| format!(" {country}"));
        Ok(proxy.name().to_owned() + &wanted.unwrap_or_default())
    }

    fn names(
        rotation: &mut Rotation<Clock>,
        options: &PoolOptions,
        countries: &[&str],
        count: usize,
    ) -> Vec<String> {
        (0..count).map(|_| next(rotation, options, countries, SECOND).unwrap()).collect()
    }

    fn geo(open: &[(&str, u64)], world: &[(&str, u64)]) -> Geo {
        let counts = |counts: &[(&str, u64)]| {
            counts.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
        };
        Geo::from([("open", counts(open)), ("world", counts(world))])
    }

    fn proxy(name: &str) -> Proxy {
        list(&[name]).remove(0)
    }

    fn fail(
        rotation: &mut Rotation<Clock>,
        options: &PoolOptions,
        name: &str,
        now: Clock,
    ) -> Option<Duration> {
        rotation.report(options, &proxy(name), Outcome::Failure.into(), now)
    }

    #[test]
    fn the_turns_continue_when_the_list_changes() {
        let options = PoolOptions::new();
        let mut pool = rotation(&options, &["us-ca", "us-ny", "de"]);
        assert_eq!(names(&mut pool, &options, &[], 1), ["us-ca"]);
        pool.set(&options, list(&["uk", "de", "us-ca"]));
        assert_eq!(names(&mut pool, &options, &[], 4), ["de", "us-ca", "uk", "de"]);
    }

    #[test]
    fn a_cooldown_doubles_and_ends() {
        let options = PoolOptions::new().cooldown(10 * SECOND).unwrap();
        let mut pool = rotation(&options, &["us-ca", "de"]);
        let mut now = SECOND;
        for seconds in [10, 20, 40, 80, 160, 160] {
            assert_eq!(fail(&mut pool, &options, "us-ca", now), Some(seconds * SECOND));
            assert_eq!(fail(&mut pool, &options, "us-ca", now), None, "it is already left out");
            assert_eq!(next(&mut pool, &options, &[], now + (seconds * SECOND) / 2).unwrap(), "de");
            now += seconds * SECOND;
        }
        let both =
            [next(&mut pool, &options, &[], now).unwrap(), next(&mut pool, &options, &[], now).unwrap()];
        assert!(both.contains(&"us-ca".to_owned()), "{both:?}");
        pool.report(&options, &proxy("us-ca"), Outcome::Success.into(), now);
        assert_eq!(
            fail(&mut pool, &options, "us-ca", now),
            Some(10 * SECOND),
            "the success has reset the count"
        );
        fail(&mut pool, &options, "de", now + SECOND);
        let error = next(&mut pool, &options, &[], now + 2 * SECOND).unwrap_err();
        let text = "all 2 proxies are cooling down after failures; the first can be used again in 8 s";
        assert_eq!((error.to_string().as_str(), error.retry_after()), (text, Some(8 * SECOND)));
    }

    #[test]
    fn in_random_order_each_proxy_has_one_turn_per_round() {
        let options = PoolOptions::new().order(Order::Random);
        let mut pool = rotation(&options, &["a", "b", "c", "d", "e"]);
        let mut rounds = std::collections::HashSet::new();
        for _ in 0..50 {
            let round = names(&mut pool, &options, &[], 5);
            let mut sorted = round.clone();
            sorted.sort();
            assert_eq!(sorted, ["a", "b", "c", "d", "e"]);
            rounds.insert(round);
        }
        assert!(rounds.len() > 20);
        for name in ["a", "b", "c", "d"] {
            fail(&mut pool, &options, name, SECOND);
        }
        assert!(names(&mut pool, &options, &[], 9).iter().all(|name| name == "e"));
    }

    #[test]
    fn a_faster_proxy_has_more_turns() {
        let options = PoolOptions::new().order(Order::Fastest);
        let mut pool = rotation(&options, &["slow", "fast", "new"]);
        let took = |milliseconds| Report::from(200).latency(Duration::from_millis(milliseconds));
        pool.report(&options, &proxy("slow"), took(400), SECOND);
        pool.report(&options, &proxy("fast"), took(100), SECOND);
        let turns = names(&mut pool, &options, &[], 900);
        let of = |name: &str| turns.iter().filter(|turn| *turn == name).count();
        assert_eq!((of("slow"), of("fast"), of("new")), (100, 400, 400));
        // A new measurement counts for three tenths: 0.7 * 400 + 0.3 * 100.
        pool.report(&options, &proxy("slow"), took(100), SECOND);
        let stats = pool.stats(&None, SECOND, |until| until);
        assert_eq!(
            stats.iter().find(|stats| stats.proxy.name() == "slow").unwrap().latency,
            Some(Duration::from_millis(310))
        );
    }

    #[test]
    fn several_countries_have_their_turns() {
        let options = PoolOptions::new();
        let mut pool = rotation(&options, &["us-ca", "open", "de", "world"]);
        pool.set_geo(&options, geo(&[("DE", 3), ("FR", 2), ("US", 0)], &[("US", 1)]));
        let turns = names(&mut pool, &options, &["DE", "FR"], 4);
        assert_eq!(turns, ["open DE", "de DE", "open FR", "de DE"]);
        assert_eq!(names(&mut pool, &options, &["US"], 3), ["us-ca US", "world US", "us-ca US"]);
        let error = next(&mut pool, &options, &["JP"], SECOND).unwrap_err();
        assert_eq!(
            error.to_string(),
            "country: no authorised proxy (us-ca, open, de, world) has exits in JP"
        );
        pool.set(&options, list(&["us-ca"]));
        let error = next(&mut pool, &options, &["DE", "FR"], SECOND).unwrap_err();
        let text =
            "country: no authorised proxy (us-ca) has exits in DE or FR; authorise open, which has some";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn excluded_proxies_are_never_handed_out() {
        let options = PoolOptions::new().exclude("US-CA").unwrap().exclude("de.proxymesh.com").unwrap();
        let mut pool = rotation(&options, &["us-ca", "de", "uk"]);
        assert_eq!(names(&mut pool, &options, &[], 2), ["uk", "uk"]);
        let options = options.exclude(proxy("uk")).unwrap();
        pool.set(&options, list(&["us-ca", "de", "uk"]));
        let error = next(&mut pool, &options, &[], SECOND).unwrap_err();
        assert_eq!(error.to_string(), "exclude: leaves out every authorised proxy");
        pool.set(&options, Vec::new());
        let error = next(&mut pool, &options, &[], SECOND).unwrap_err();
        assert_eq!(error.to_string(), "the account has no authorised proxy: add one with proxies.add");
        assert!(PoolOptions::new().exclude("http://uk").is_err());
    }

    #[test]
    fn the_stats_add_up() {
        let options = PoolOptions::new();
        let mut pool = rotation(&options, &["us-ca"]);
        names(&mut pool, &options, &[], 3);
        pool.report(&options, &proxy("us-ca"), Report::from(200).bytes(1000), SECOND);
        pool.report(&options, &proxy("us-ca"), Report::from(404).bytes(24), SECOND);
        pool.report(&options, &proxy("us-ca"), 509.into(), SECOND);
        assert_eq!(pool.report(&options, &proxy("unknown"), 509.into(), SECOND), None);
        let stats = pool.stats(&None, SECOND, |until| until - SECOND).remove(0);
        assert_eq!((stats.handed_out, stats.successes, stats.failures, stats.bytes), (3, 2, 1, 1024));
        assert_eq!(stats.cooling, Some(60 * SECOND));
    }

    #[test]
    fn a_status_of_the_proxy_or_of_a_site_that_blocks_it_is_a_failure() {
        let failures: Vec<u16> = (0..=600).filter(|status| Outcome::Status(*status).is_failure()).collect();
        let expected = (0..100).chain([402, 403, 407, 429]).chain(500..=600);
        assert_eq!(failures, expected.collect::<Vec<u16>>());
    }

    #[test]
    fn any_number_of_sets_of_countries_may_be_asked_for() {
        let options = PoolOptions::new();
        let mut pool = rotation(&options, &["de"]);
        pool.set_geo(&options, geo(&[], &[]));
        for number in 0..3000_u32 {
            let one = |at: u32| char::from_u32('A' as u32 + number / 26_u32.pow(at) % 26).unwrap();
            let country = format!("{}{}", one(0), one(1));
            let _ = next(&mut pool, &options, &["DE", &country, &one(2).to_string()], SECOND);
        }
        assert!(pool.turns.len() <= MOST_TURNS);
    }
}
