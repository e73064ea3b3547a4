//! Leases under a model checker. shuttle runs processes in many orders. The service fails and loses responses. Processes give up,
//! and they are killed between any two accesses to a file or calls to the service.
//!
//! It runs the leases' own code, down to the accesses to files. Time is simulated, and so are the files ([`machine`]) and the
//! service. Two things that no code can prevent are left out. A removal does not take effect after the process that requested it has
//! ended or given up. An addition that takes effect late does not do so after the next lease has removed the IP.

pub(super) mod machine;

use super::*;
use crate::{
    error::Refusal,
    simulated::{self, GivenUp, Instant},
};
use follow::{Follow, World};
use machine::{Machine, Process};
use shuttle::{
    Config, Runner,
    future::yield_now,
    rand::Rng,
    scheduler::{PctScheduler, RandomScheduler},
};
use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);
/// How often followers check the address. In the meantime, nobody loses patience.
const INTERVAL: Duration = Duration::from_millis(10);
const TOKEN: &str = "token";
const LABEL: &str = "crawl";
/// For processes that are not killed.
const FOR_EVER: i64 = i64::MAX;

pub(super) async fn sleep(wait: Duration) {
    simulated::sleep_until(Instant::now() + wait).await;
}

fn random(below: usize) -> usize {
    shuttle::rand::thread_rng().gen_range(0..below)
}

fn ip(last: u8) -> IpAddr {
    [203, 0, 113, last].into()
}

/// An account at the service. What it promises is checked with each change.
#[derive(Default)]
struct Account(Mutex<Known>);

#[derive(Default)]
struct Known {
    there: BTreeMap<IpAddr, There>,
    /// Which process needs which IP.
    needed: Vec<(Arc<Process>, IpAddr)>,
    /// The processes that are using leases.
    inside: Vec<Arc<Process>>,
    /// How many have begun to do so.
    begun: usize,
    /// The IPs that were removed, in order.
    removed: Vec<IpAddr>,
    /// How many additions have not been carried out yet.
    adding: usize,
    trouble: Trouble,
}

impl Known {
    /// No IP is there that leases have added.
    fn check_nothing_left(&self, only: Option<IpAddr>) {
        let is_left = |ip: IpAddr, there: &There| !there.is_the_users && only.is_none_or(|only| only == ip);
        let left: Vec<_> = self.there.iter().filter(|(ip, there)| is_left(**ip, there)).collect();
        assert!(left.is_empty(), "{left:?} was left behind");
    }
}

#[derive(Debug)]
struct There {
    label: String,
    is_the_users: bool,
}

/// What may go wrong.
#[derive(Clone, Copy, Default)]
struct Trouble {
    /// Calls fail, and responses are lost.
    fails: bool,
    /// IPs are refused, as if the account were full.
    is_full: bool,
    /// Processes are killed.
    kills: bool,
    /// Calls are given up.
    gives_up: bool,
    /// Processes lose patience with each other.
    is_impatient: bool,
}

impl Trouble {
    fn is_any(self) -> bool {
        self.fails || self.is_full || self.kills || self.gives_up || self.is_impatient
    }
}

impl Account {
    fn with(trouble: Trouble) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Known { trouble, ..Known::default() })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap()
    }

    /// Ends all trouble. Also waits, if wanted, until no addition is on its way.
    async fn settles(&self, waits: bool) {
        self.known().trouble = Trouble::default();
        while waits && self.known().adding > 0 {
            yield_now().await;
        }
    }

    fn is_there(&self, ip: IpAddr) -> bool {
        self.known().there.contains_key(&ip)
    }

    fn add(&self, ip: IpAddr, label: &str, is_the_users: bool) -> Result<()> {
        let mut known = self.known();
        if known.there.contains_key(&ip) {
            return Err(refused(400));
        }
        known.there.insert(ip, There { label: label.to_owned(), is_the_users });
        Ok(())
    }

    fn remove(&self, ip: IpAddr) -> Result<()> {
        let mut known = self.known();
        let there = known.there.remove(&ip).ok_or_else(|| refused(400))?;
        assert!(!there.is_the_users, "{ip} was the user's");
        let needs = known.needed.iter().find(|needed| needed.1 == ip && !needed.0.is_dead());
        assert!(needs.is_none(), "{ip} was removed, but a process needs it");
        known.removed.push(ip);
        Ok(())
    }
}

fn refused(status: u16) -> Error {
    Refusal { status, ..Refusal::elsewhere(CALL) }.into_error()
}

fn lost() -> Error {
    Error::Connection { call: CALL, reason: "lost".to_owned(), attempts: 1 }
}

/// A process as the service sees it.
#[derive(Clone)]
struct Caller {
    account: Arc<Account>,
    process: Arc<Process>,
    credentials: &'static str,
}

impl Caller {
    fn needs(&self, ip: IpAddr) {
        let mut known = self.account.known();
        if !self.process.is_dead() {
            assert!(known.there.contains_key(&ip), "it has entered, but {ip} is not there");
            known.needed.push((self.process.clone(), ip));
        }
    }

    fn needs_no_more(&self, ip: IpAddr) {
        self.account.known().needed.retain(|needed| !(self.is_this(&needed.0) && needed.1 == ip));
    }

    fn begins(&self) {
        let mut known = self.account.known();
        known.inside.push(self.process.clone());
        known.begun += 1;
    }

    /// If no other process is using a lease: how many have begun.
    fn is_alone(&self) -> Option<usize> {
        let known = self.account.known();
        let others = known.inside.iter().any(|inside| !self.is_this(inside) && !inside.is_dead());
        (!others).then_some(known.begun)
    }

    fn ends(&self) {
        self.account.known().inside.retain(|inside| !self.is_this(inside));
    }

    fn is_this(&self, process: &Arc<Process>) -> bool {
        Arc::ptr_eq(&self.process, process)
    }

    fn step(&self) -> Result<()> {
        self.process.step().map_err(|error| Error::config(error.to_string()))
    }

    async fn sends(&self) -> Result<()> {
        self.step()?;
        yield_now().await;
        if self.fails() { Err(refused(503)) } else { Ok(()) }
    }

    async fn receives(&self) -> Result<()> {
        yield_now().await;
        self.step()?;
        if self.fails() { Err(lost()) } else { Ok(()) }
    }

    fn fails(&self) -> bool {
        let fails = self.account.known().trouble.fails;
        fails && random(8) == 0
    }
}

impl Service for Caller {
    fn record(&self, guard: &Guard, ip: IpAddr) -> Record {
        let account = record::Account {
            service: "",
            credentials: self.credentials.as_bytes(),
            owner: "",
            name: (self.credentials != TOKEN).then_some(self.credentials),
        };
        guard.record(&account, &ip.to_string())
    }

    async fn labels(&self) -> Result<BTreeMap<IpAddr, String>> {
        self.sends().await?;
        let labels =
            self.account.known().there.iter().map(|(ip, there)| (*ip, there.label.clone())).collect();
        self.receives().await.map(|()| labels)
    }

    async fn add(&self, new: NewIp) -> Result<()> {
        self.sends().await?;
        let (account, ip) = (self.account.clone(), new.ip);
        if account.known().trouble.is_full && random(4) == 0 {
            return Err(refused(400));
        }
        let removed = account.known().removed.len();
        account.known().adding += 1;
        let delay = 1 + if self.fails() { random(100) } else { 0 };
        // The service goes on when the process gives up or is killed.
        let adding = shuttle::future::spawn(async move {
            for _ in 0..delay {
                yield_now().await;
            }
            account.known().adding -= 1;
            if account.known().removed[removed..].contains(&ip) {
                return Err(lost());
            }
            account.add(ip, new.label.as_ref().map_or("", |label| label.as_str()), false)
        });
        self.receives().await?;
        let added = adding.await.unwrap();
        self.receives().await?;
        added
    }

    async fn delete(&self, ip: IpAddr) -> Result<()> {
        self.sends().await?;
        let removed = self.account.remove(ip);
        self.receives().await?;
        removed
    }
}

/// Uses one lease: enters, works and leaves. It may give up at any time.
async fn hold(caller: &Caller, ip: IpAddr) {
    let trouble = caller.account.known().trouble;
    let polls = |most| if trouble.gives_up && random(2) == 0 { random(most) } else { usize::MAX };
    let lease = Lease::new(wanted(trouble), None);
    caller.begins();
    let entered = GivenUp::after(polls(12), lease.claim(caller, ip, None)).await;
    let is_content = matches!(entered, Some(Ok(())));
    if !trouble.is_any() {
        assert!(is_content, "{entered:?}");
    }
    if is_content {
        caller.needs(ip);
        for _ in 0..random(30) {
            yield_now().await;
        }
        let _ = caller.step();
        caller.needs_no_more(ip);
    }
    let alone = caller.is_alone();
    // A release that was given up is repeated.
    let released = match GivenUp::after(polls(8), lease.give_back(caller, None)).await {
        Some(released) => released,
        None => lease.give_back(caller, None).await,
    };
    let is_content = is_content && released.is_ok() && !caller.process.is_dead();
    if is_content && alone.is_some() && alone == caller.is_alone() {
        caller.account.known().check_nothing_left(Some(ip));
    }
    caller.ends();
}

fn wanted(trouble: Trouble) -> AuthorizedIp {
    let patience = if trouble.is_impatient { Duration::from_millis(40) } else { MINUTE };
    AuthorizedIp { patience, ..AuthorizedIp::new().label(LABEL).unwrap() }
}

/// Who runs: with which credentials, and for which addresses.
#[derive(Clone)]
struct Who {
    account: Arc<Account>,
    credentials: &'static str,
    ips: &'static [u8],
}

impl Who {
    fn on(&self, machine: &Arc<Machine>, steps: i64) -> Caller {
        let (account, process) = (self.account.clone(), machine.start(steps));
        Caller { account, process, credentials: self.credentials }
    }
}

/// Runs processes at once, each with two leases, one after the other. Then a lease that has no trouble finds and removes what they
/// have left.
fn run<const N: usize>(who: [Who; N]) -> Arc<Machine> {
    fastrand::seed(7); // so that a schedule can be repeated
    let machine = Arc::<Machine>::default();
    let last = who.clone();
    let tasks = who.map(|who| {
        let machine = machine.clone();
        let is_killed = who.account.known().trouble.kills && random(2) == 0;
        let steps = if is_killed { random(80).try_into().unwrap() } else { FOR_EVER };
        shuttle::future::spawn(async move {
            let caller = who.on(&machine, steps);
            for _ in 0..2 {
                hold(&caller, ip(who.ips[random(who.ips.len())])).await;
            }
        })
    });
    // If a task waits forever, shuttle reports that every task is blocked.
    shuttle::future::block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
        for who in last {
            who.account.settles(who.ips.len() > 1 || random(2) == 0).await;
            hold(&who.on(&machine, FOR_EVER), ip(who.ips[0])).await;
            who.account.known().check_nothing_left(None);
        }
    });
    machine
}

fn check(test: fn()) {
    let mut config = Config::new();
    config.stack_size = 256 << 10; // Leases need more than the default.
    Runner::new(RandomScheduler::new(200), config.clone()).run(test);
    Runner::new(PctScheduler::new(3, 200), config).run(test);
}

/// Three processes with the same credentials and the same address.
fn three(trouble: Trouble) {
    let account = Account::with(trouble);
    let machine = run([(); 3].map(|()| Who { account: account.clone(), credentials: "name", ips: &[1] }));
    assert_eq!(machine.names(), ["guard"]);
}

#[test]
fn the_last_of_three_removes_the_ip() {
    check(|| three(Trouble::default()));
}

#[test]
fn nobody_loses_a_claim_if_calls_fail() {
    check(|| three(Trouble { fails: true, is_full: true, ..Trouble::default() }));
}

#[test]
fn nobody_loses_a_claim_if_others_give_up() {
    check(|| three(Trouble { gives_up: true, fails: true, is_full: true, ..Trouble::default() }));
}

#[test]
fn nobody_loses_a_claim_if_others_are_killed() {
    check(|| three(Trouble { kills: true, ..Trouble::default() }));
}

#[test]
fn nobody_loses_a_claim_whatever_happens() {
    check(|| {
        three(Trouble {
            fails: true,
            is_full: true,
            kills: true,
            gives_up: true,
            is_impatient: random(2) == 0,
        });
    });
}

#[test]
fn an_ip_that_was_there_stays() {
    check(|| {
        let account =
            Account::with(Trouble { kills: true, gives_up: true, fails: true, ..Trouble::default() });
        account.add(ip(1), LABEL, true).unwrap();
        run([(); 3].map(|()| Who { account: account.clone(), credentials: "name", ips: &[1] }));
        assert!(account.is_there(ip(1)));
    });
}

#[test]
fn an_ip_that_someone_else_adds_meanwhile_stays() {
    check(|| {
        let account = Account::with(Trouble { fails: true, gives_up: true, ..Trouble::default() });
        let someone = account.clone();
        drop(shuttle::future::spawn(async move {
            for _ in 0..random(60) {
                yield_now().await;
            }
            let _ = someone.add(ip(1), "office", true);
        }));
        run([(); 3].map(|()| Who { account: account.clone(), credentials: "name", ips: &[1] }));
    });
}

#[test]
fn what_was_left_under_another_address_is_removed() {
    check(|| {
        let account =
            Account::with(Trouble { kills: true, gives_up: true, fails: true, ..Trouble::default() });
        run([(); 3].map(|()| Who { account: account.clone(), credentials: "name", ips: &[1, 2] }));
    });
}

#[test]
fn leases_with_other_credentials_share_an_ip() {
    check(|| {
        let account =
            Account::with(Trouble { kills: true, gives_up: true, fails: true, ..Trouble::default() });
        run(["name", TOKEN, "name"].map(|credentials| Who {
            account: account.clone(),
            credentials,
            ips: &[1],
        }));
    });
}

#[test]
fn leases_of_two_accounts_do_not_disturb_each_other() {
    check(|| {
        let accounts = [(); 2].map(|()| Account::with(Trouble::default()));
        run([("one", 0), ("other", 1), ("one", 0)].map(|(credentials, number)| Who {
            account: accounts[number].clone(),
            credentials,
            ips: &[1],
        }));
    });
}

/// A machine whose address changes.
struct Roaming {
    caller: Caller,
    address: Arc<AtomicU8>,
}

impl World for Roaming {
    type Lease = (IpAddr, Lease);

    async fn sleep(&self, wait: Duration) {
        sleep(wait).await;
    }

    async fn address(&self) -> Result<IpAddr> {
        self.caller.step()?;
        yield_now().await;
        Ok(ip(self.address.load(SeqCst)))
    }

    fn lease(&self, ip: IpAddr) -> Self::Lease {
        let trouble = self.caller.account.known().trouble;
        (ip, Lease::new(wanted(trouble), None))
    }

    async fn enter(&self, (ip, lease): &Self::Lease) -> Result<()> {
        lease.claim(&self.caller, *ip, None).await?;
        self.caller.needs(*ip);
        Ok(())
    }

    async fn release(&self, (ip, lease): &Self::Lease) -> Result<()> {
        self.caller.needs_no_more(*ip);
        lease.give_back(&self.caller, None).await
    }
}

/// Follows the address for a while.
async fn follow(caller: Caller, address: Arc<AtomicU8>) {
    let trouble = caller.account.known().trouble;
    let roaming = Roaming { caller: caller.clone(), address: address.clone() };
    caller.begins();
    let first = roaming.lease(ip(address.load(SeqCst)));
    if roaming.enter(&first).await.is_err() {
        let _ = roaming.release(&first).await;
        return caller.ends();
    }
    let (follow, following) = Follow::new(roaming, INTERVAL, first.0, first);
    let process = caller.process.clone();
    let running = shuttle::future::spawn(async move {
        process.runs_here();
        following.run().await;
    });
    for _ in 0..random(30) {
        yield_now().await;
    }
    let closed = follow.close().await;
    if !trouble.is_any() {
        assert!(closed.is_ok(), "{closed:?}");
    }
    running.await.unwrap();
    caller.ends();
}

/// Three followers on a machine whose address changes three times.
fn roam(trouble: Trouble) {
    fastrand::seed(7);
    let (machine, account) = (Arc::<Machine>::default(), Account::with(trouble));
    let address = Arc::new(AtomicU8::new(1));
    let who = |account: &Arc<Account>| Who { account: account.clone(), credentials: "name", ips: &[] };
    let tasks = [(); 3].map(|()| {
        let (machine, who, address) = (machine.clone(), who(&account), address.clone());
        let is_killed = trouble.kills && random(2) == 0;
        let steps = if is_killed { random(100).try_into().unwrap() } else { FOR_EVER };
        shuttle::future::spawn(async move { follow(who.on(&machine, steps), address).await })
    });
    shuttle::future::block_on(async {
        for next in [2, 3, 1] {
            for _ in 0..random(10) {
                yield_now().await;
            }
            address.store(next, SeqCst);
        }
        for task in tasks {
            task.await.unwrap();
        }
        account.settles(true).await;
        hold(&who(&account).on(&machine, FOR_EVER), ip(1)).await;
        account.known().check_nothing_left(None);
    });
}

#[test]
fn followers_share_an_address_that_changes() {
    check(|| roam(Trouble::default()));
}

#[test]
fn followers_leave_nothing_behind_whatever_happens() {
    check(|| roam(Trouble { fails: true, is_full: true, kills: true, ..Trouble::default() }));
}
