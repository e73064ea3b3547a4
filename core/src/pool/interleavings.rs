//! A pool under a model checker. shuttle runs callers in many orders against a service that answers or fails, while some callers
//! give up. Only time is simulated.

use super::*;
use crate::simulated::{self, GivenUp};
use shuttle::rand::Rng;
use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

thread_local! {
    /// Whether callers lose patience with a fetch.
    static IMPATIENT: Cell<bool> = const { Cell::new(false) };
}

/// Lets the time pass only if a test wants it to.
pub(super) async fn sleep_until(until: Instant) {
    if !IMPATIENT.get() {
        return std::future::pending().await;
    }
    simulated::sleep_until(until).await;
}

/// What the service does.
struct Fake {
    fails: fn() -> bool,
    fetching: AtomicUsize,
    most_fetching: AtomicUsize,
    fetched: AtomicUsize,
}

impl Source for Fake {
    async fn list(&self) -> Result<Vec<Proxy>> {
        let fetching = self.fetching.fetch_add(1, SeqCst) + 1;
        // A caller that gives up no longer fetches.
        let _over = Over(&self.fetching);
        self.most_fetching.fetch_max(fetching, SeqCst);
        shuttle::future::yield_now().await;
        self.fetched.fetch_add(1, SeqCst);
        if (self.fails)() { Err(Error::config("no list")) } else { Ok(proxies()) }
    }

    async fn geo(&self) -> Result<Geo> {
        shuttle::future::yield_now().await;
        Ok(Geo::from([("open", [("DE".to_owned(), 3)].into()), ("world", [].into())]))
    }
}

fn proxies() -> Vec<Proxy> {
    let names = ["us-ca", "de", "open"].iter();
    names.filter_map(|name| format!("{name}.proxymesh.com:31280").parse().ok()).collect()
}

struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Three callers, of which the first ones give up. Every other caller gets a proxy or the error of a fetch. Then one more caller
/// comes, which must not wait forever either.
fn run(cancelled: usize, fails: fn() -> bool, options: PoolOptions) -> (Arc<Fake>, Vec<Option<Result<()>>>) {
    let zero = || AtomicUsize::new(0);
    let service = Arc::new(Fake { fails, fetching: zero(), most_fetching: zero(), fetched: zero() });
    let pool = Arc::new(Pool::new(options));
    let callers: Vec<_> = (0..3)
        .map(|number| {
            let (service, pool) = (service.clone(), pool.clone());
            let polls =
                if number < cancelled { shuttle::rand::thread_rng().gen_range(0..6) } else { usize::MAX };
            let call = async move {
                let countries = (number == 1).then_some(["DE"]);
                let wanted = pool.wanted(countries, false)?;
                let handed = pool.next_from(&*service, &wanted).await?;
                let is_failure = number == 2;
                pool.report(&handed.proxy, Report::from(if is_failure { 509 } else { 200 }));
                // If the caller that fetches gives up, the list is there, but nobody knows yet for how long.
                assert!(cancelled > 0 || pool.at_once(&wanted).is_some(), "the list is there");
                Ok(())
            };
            shuttle::future::spawn(GivenUp::after(polls, call))
        })
        .collect();
    // If a task waits forever, shuttle reports that every task is blocked.
    let ends = shuttle::future::block_on(async {
        let mut ends = Vec::new();
        for caller in callers {
            ends.push(caller.await.unwrap_or(None));
        }
        let wanted = pool.wanted(None::<[&str; 0]>, false).map(|wanted| (wanted, service.clone()));
        ends.push(Some(match wanted {
            Ok((wanted, service)) => pool.next_from(&*service, &wanted).await.map(drop),
            Err(error) => Err(error),
        }));
        ends
    });
    (service, ends)
}

fn check(test: fn()) {
    shuttle::check_random(test, 1_500);
    shuttle::check_pct(test, 1_500, 3);
}

#[test]
fn one_caller_fetches_the_list_for_all() {
    check(|| {
        let (service, ends) = run(0, || false, PoolOptions::new());
        assert!(ends.iter().all(|end| matches!(end, Some(Ok(())))), "{ends:?}");
        assert_eq!(service.most_fetching.load(SeqCst), 1);
        // The second time is for the geo counts, if nobody wanted them the first time.
        assert!(service.fetched.load(SeqCst) <= 2);
    });
}

#[test]
fn a_caller_that_gives_up_leaves_the_fetch_to_another() {
    check(|| {
        let (service, ends) = run(2, || false, PoolOptions::new());
        assert!(ends.iter().skip(2).all(|end| matches!(end, Some(Ok(())))), "{ends:?}");
        assert_eq!(service.most_fetching.load(SeqCst), 1);
    });
}

#[test]
fn callers_that_wait_for_a_failed_fetch_get_its_error() {
    check(|| {
        let (service, ends) = run(1, || shuttle::rand::thread_rng().gen_bool(0.5), PoolOptions::new());
        for end in ends.iter().skip(1) {
            let texts = end.as_ref().map(|end| end.as_ref().map_err(ToString::to_string));
            assert!(
                matches!(&texts, Some(Ok(()))) || matches!(&texts, Some(Err(text)) if text == "no list"),
                "{ends:?}"
            );
        }
        assert_eq!(service.most_fetching.load(SeqCst), 1);
    });
}

/// The caller wakes up because the list has arrived, but is held up until the fetch of the geo counts has failed.
#[test]
fn a_caller_that_was_not_listening_when_the_fetch_failed_gets_its_error() {
    shuttle::check_random(
        || {
            let pool = Pool::new(PoolOptions::new());
            let wanted = pool.wanted(Some(["DE"]), false).expect("a country");
            let state = pool.state();
            let next = |so_far| lock(&state).next(&pool.options, &wanted, Instant::now(), so_far);
            let Next::Fetch(started) = next(SoFar::Nothing) else { panic!("the first caller fetches") };
            let Next::Wait(mut fetching) = next(SoFar::Nothing) else { panic!("the second caller waits") };
            let fetch = Fetch::new(&state, &pool.options, started);
            assert!(fetch.listed(proxies()));
            shuttle::future::block_on(fetching.progress());
            fetch.ended(Err(&Error::config("no counts")), &wanted);
            let Next::Ready(Err(error)) = next(SoFar::WaitedFor(fetching.number())) else {
                panic!("it fetches again")
            };
            assert!(error.to_string().contains("no counts"));
            assert!(matches!(next(SoFar::Nothing), Next::Fetch(_)), "a later caller fetches again");
        },
        1,
    );
}

#[test]
fn a_caller_that_loses_patience_fetches_the_list_itself() {
    check(|| {
        IMPATIENT.set(true);
        let (_, ends) = run(1, || false, PoolOptions::new());
        IMPATIENT.set(false);
        assert!(ends.iter().skip(1).all(|end| matches!(end, Some(Ok(())))), "{ends:?}");
    });
}
