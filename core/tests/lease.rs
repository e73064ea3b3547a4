//! Leases and followers of both clients against the sandbox, in several processes.
//!
//! The environment of a process says where its state folder is, so each test runs in a process of its own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use proxymesh::{
    AuthorizedIp, Client, Error, FollowedIp, Settings,
    binding::{self, Event, Lease},
    blocking,
    testing::asked,
};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{
    env,
    fs::{self, File},
    future::poll_fn,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

const IP: &str = "203.0.113.7";
const OTHER: &str = "203.0.113.8";
const PATIENCE: Duration = Duration::from_secs(30);
const SCRATCH: &str = "PROXYMESH_TEST_SCRATCH";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn wanted() -> AuthorizedIp {
    AuthorizedIp::new().ip(IP).unwrap()
}

/// A program that is this test program, with a scratch folder as the user's home.
fn program(test: &str, scratch: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]);
    for name in ["XDG_STATE_HOME", "HOME", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP", SCRATCH] {
        command.env(name, scratch);
    }
    // It must not be used: it has another address.
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
    }
    command
}

/// Runs the test in a process of its own.
fn apart(test: &str, run: impl FnOnce(&Path)) {
    if let Some(scratch) = env::var_os(SCRATCH) {
        return run(Path::new(&scratch));
    }
    let scratch = env::temp_dir().join(format!("proxymesh-lease-{}-{test}", std::process::id()));
    fs::create_dir_all(&scratch).unwrap();
    let ended = program(test, &scratch).output().unwrap();
    let _ = fs::remove_dir_all(&scratch);
    assert!(
        ended.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn settings(base_url: &str) -> Settings {
    Settings::new().username("parent").password("parent-password").base_url(base_url).max_retries(0)
}

/// A sandbox, and a blocking client of its parent account.
fn parent() -> (Sandbox, blocking::Client) {
    let sandbox = Sandbox::start().unwrap();
    let client = blocking::Client::new(settings(sandbox.base_url())).unwrap();
    (sandbox, client)
}

fn asynchronous(sandbox: &Sandbox) -> Client {
    Client::new(settings(sandbox.base_url())).unwrap()
}

/// The authorised IPs with their labels.
fn there(client: &blocking::Client) -> Vec<(String, String)> {
    let labels = client.ips().labels().unwrap();
    labels.into_iter().map(|known| (known.ip.to_string(), known.label)).collect()
}

fn is_there(client: &blocking::Client, address: &str) -> bool {
    client.ips().list().unwrap().contains(&ip(address))
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A process inside a lease. It ends when its input does.
struct Holder {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Holder {
    fn start(scratch: &Path, base_url: &str) -> Self {
        let mut command = program("holder", scratch);
        command.env("PROXYMESH_BASE_URL", base_url).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    fn inside(mut self) -> Self {
        self.wait_for("inside");
        self
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the holder has ended");
        }
    }

    fn leave(mut self) {
        drop(self.process.stdin.take());
        self.wait_for("left");
        assert!(self.process.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "a program that other tests run"]
fn holder() {
    let Ok(base_url) = env::var("PROXYMESH_BASE_URL") else { return };
    let client = blocking::Client::new(settings(&base_url)).unwrap();
    let lease = client.ips().authorized(wanted()).unwrap();
    println!("\ninside");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    assert!(is_there(&client, IP));
    lease.release().unwrap();
    println!("\nleft");
}

#[test]
fn an_ip_that_was_added_is_removed() {
    apart("an_ip_that_was_added_is_removed", |_| {
        let (sandbox, client) = parent();
        let lease = client.ips().authorized(wanted().label("crawl").unwrap()).unwrap();
        assert_eq!((lease.ip(), there(&client)), (ip(IP), vec![(IP.into(), "crawl".into())]));
        drop(lease);
        assert!(there(&client).is_empty());
        let lease = client.ips().authorized(AuthorizedIp::new()).unwrap();
        assert!(
            matches!(&there(&client)[..], [(ip, label)] if ip == "127.0.0.1" && label.starts_with("proxymesh on "))
        );
        lease.release().unwrap();
        assert!(there(&client).is_empty());
        run(async {
            let client = asynchronous(&sandbox);
            let lease = client.ips().authorized(AuthorizedIp::new()).await.unwrap();
            assert_eq!(client.ips().list().await.unwrap(), [lease.ip()]);
            lease.release().await.unwrap();
            assert!(client.ips().list().await.unwrap().is_empty());
        });
    });
}

#[test]
fn an_ip_that_was_there_stays() {
    apart("an_ip_that_was_there_stays", |_| {
        let (_sandbox, client) = parent();
        client.ips().add(IP).unwrap();
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(is_there(&client, IP));
    });
}

#[test]
fn it_works_for_a_sub_account() {
    apart("it_works_for_a_sub_account", |_| {
        let (_sandbox, client) = parent();
        client.sub_accounts().create("crawler-1").unwrap();
        let ips = client.ips().of("crawler-1").unwrap();
        let lease = ips.authorized(wanted()).unwrap();
        assert_eq!((ips.list().unwrap(), client.ips().list().unwrap()), (vec![ip(IP)], vec![]));
        lease.release().unwrap();
        assert!(ips.list().unwrap().is_empty());
    });
}

#[test]
fn a_panic_removes_it_too() {
    apart("a_panic_removes_it_too", |_| {
        let (_sandbox, client) = parent();
        let panicking = client.clone();
        let panicked = thread::spawn(move || {
            let _lease = panicking.ips().authorized(wanted()).unwrap();
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(there(&client).is_empty());
    });
}

#[test]
fn a_cancelled_task_gives_it_back() {
    apart("a_cancelled_task_gives_it_back", |_| {
        let (sandbox, blocking) = parent();
        run(async {
            let client = asynchronous(&sandbox);
            client.ips().list().await.unwrap();
            // It is cancelled while it waits for each of its calls, and inside.
            for path in ["/api/ip_labels/", "/api/ip/add/", ""] {
                if !path.is_empty() {
                    sandbox.inject(Fault::delay_after_apply(Duration::from_secs(1)).path(path)).unwrap();
                }
                let before = sandbox.requests().len();
                let client = client.clone();
                let task = tokio::spawn(async move {
                    let _lease = client.ips().authorized(wanted()).await.unwrap();
                    std::future::pending::<()>().await;
                });
                let last = if path.is_empty() { "/api/ip/add/" } else { path };
                while !sandbox.requests().iter().skip(before).any(|request| request.path == last) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                task.abort();
                let _ = task.await;
                let client = asynchronous(&sandbox);
                let began = Instant::now();
                while !client.ips().list().await.unwrap().is_empty() {
                    assert!(began.elapsed() < PATIENCE, "{path}");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            // Dropped without being released
            drop(client.ips().authorized(wanted()).await.unwrap());
            let began = Instant::now();
            while !client.ips().list().await.unwrap().is_empty() {
                assert!(began.elapsed() < PATIENCE);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(there(&blocking).is_empty());
    });
}

/// Counts the warnings of a client.
fn warned(client: Client) -> (Client, Arc<AtomicU8>) {
    let warnings = Arc::new(AtomicU8::new(0));
    let counter = warnings.clone();
    let observer = binding::observer(move |event| {
        if matches!(event, Event::Warning(_)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    (client.with_observer(observer), warnings)
}

#[test]
fn a_failed_release_is_an_error_or_a_warning_but_not_both() {
    apart("a_failed_release_is_an_error_or_a_warning_but_not_both", |_| {
        let (sandbox, _) = parent();
        run(async {
            let (client, warnings) = warned(asynchronous(&sandbox));
            let fail = || sandbox.inject(Fault::status(503).path("/api/ip/delete/")).unwrap();
            let lease = client.ips().authorized(wanted()).await.unwrap();
            fail();
            assert!(matches!(lease.release().await, Err(Error::Server(_))));
            assert_eq!(warnings.load(Ordering::Relaxed), 0);
            // The caller is cancelled while the call is in progress, or after it has failed.
            for is_over in [false, true] {
                let lease = client.ips().authorized(wanted()).await.unwrap();
                fail();
                let before = sandbox.requests().len();
                let mut release = Box::pin(lease.release());
                assert!(poll_fn(|context| Poll::Ready(release.as_mut().poll(context).is_pending())).await);
                if is_over {
                    while !sandbox.requests().iter().skip(before).any(|request| request.status == Some(503)) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                assert_eq!(warnings.load(Ordering::Relaxed), 0);
                drop(release);
                let began = Instant::now();
                while warnings.swap(0, Ordering::Relaxed) == 0 {
                    assert!(began.elapsed() < PATIENCE, "nobody was warned");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
    });
}

#[test]
fn without_a_runtime_the_next_lease_takes_it_over() {
    apart("without_a_runtime_the_next_lease_takes_it_over", |_| {
        let (sandbox, client) = parent();
        let lease = run(async { asynchronous(&sandbox).ips().authorized(wanted()).await.unwrap() });
        drop(lease);
        assert!(is_there(&client, IP));
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
    });
}

#[test]
fn a_killed_process_is_succeeded() {
    apart("a_killed_process_is_succeeded", |scratch| {
        let (sandbox, client) = parent();
        Holder::start(scratch, sandbox.base_url()).inside().kill();
        assert!(is_there(&client, IP));
        let lease = client.ips().authorized(wanted()).unwrap();
        assert!(is_there(&client, IP));
        drop(lease);
        assert!(there(&client).is_empty());
        // This machine has a different address now.
        Holder::start(scratch, sandbox.base_url()).inside().kill();
        let lease = client.ips().authorized(AuthorizedIp::new().ip(OTHER).unwrap()).unwrap();
        assert!(is_there(&client, OTHER) && !is_there(&client, IP));
        drop(lease);
        assert!(there(&client).is_empty());
    });
}

#[test]
fn a_process_that_was_killed_while_it_entered_is_succeeded() {
    apart("a_process_that_was_killed_while_it_entered_is_succeeded", |scratch| {
        let (sandbox, client) = parent();
        sandbox.inject(Fault::delay_after_apply(PATIENCE).path("/api/ip/add/")).unwrap();
        let holder = Holder::start(scratch, sandbox.base_url());
        eventually("it is added", || is_there(&client, IP));
        holder.kill();
        // A lease that cannot even look leaves everything to the next one.
        sandbox.inject(Fault::status(503).path("/api/ip_labels/")).unwrap();
        let before = sandbox.requests().len();
        assert!(matches!(client.ips().authorized(wanted()), Err(Error::Server(_))));
        assert_eq!(sandbox.requests().len() - before, 1);
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
    });
}

#[test]
fn a_lease_that_could_not_look_removes_what_another_one_has_left_to_it() {
    apart("a_lease_that_could_not_look_removes_what_another_one_has_left_to_it", |_| {
        let (sandbox, client) = parent();
        let lease = Lease::new(wanted(), None);
        sandbox.inject(Fault::status(503).path("/api/ip_labels/")).unwrap();
        let asynchronous = asynchronous(&sandbox);
        run(async {
            assert!(matches!(lease.enter(&asynchronous, None).await, Err(Error::Server(_))));
        });
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(is_there(&client, IP));
        run(async { lease.release(&asynchronous, None).await }).unwrap();
        assert!(there(&client).is_empty());
    });
}

/// The label that a lease uses by default.
fn default_label(client: &blocking::Client) -> String {
    let _lease = client.ips().authorized(wanted()).unwrap();
    there(client).into_iter().map(|(_, label)| label).collect()
}

#[test]
fn a_call_that_takes_effect_after_it_was_given_up_is_noticed() {
    apart("a_call_that_takes_effect_after_it_was_given_up_is_noticed", |_| {
        let (sandbox, client) = parent();
        let label = default_label(&client);
        let late = || client.ips().add(proxymesh::NewIp::new(IP).unwrap().label(&label).unwrap()).unwrap();
        let give_up = || {
            sandbox.inject(Fault::drop().path("/api/ip/add/")).unwrap();
            assert!(client.ips().authorized(wanted()).is_err());
            assert!(there(&client).is_empty());
        };
        // Before the next lease
        give_up();
        late();
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
        // While the next lease enters
        give_up();
        sandbox.inject(Fault::delay(Duration::from_millis(500)).path("/api/ip/add/")).unwrap();
        let before = sandbox.requests().len();
        let entering = client.clone();
        let entering = thread::spawn(move || drop(entering.ips().authorized(wanted()).unwrap()));
        eventually("it adds the IP", || {
            sandbox.requests().iter().skip(before).any(|request| request.path == "/api/ip/add/")
        });
        late();
        entering.join().unwrap();
        assert!(there(&client).is_empty());
        let refused = sandbox.requests().iter().any(|request| request.status == Some(400));
        assert!(refused, "the lease was too late");
        // After another lease was refused
        give_up();
        sandbox.inject(Fault::status(400).path("/api/ip/add/")).unwrap();
        assert!(matches!(client.ips().authorized(wanted()), Err(Error::BadRequest(_))));
        late();
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
    });
}

#[test]
fn a_release_that_failed_can_be_repeated_and_holds_up_nobody() {
    apart("a_release_that_failed_can_be_repeated_and_holds_up_nobody", |_| {
        let (sandbox, blocking) = parent();
        run(async {
            let client = asynchronous(&sandbox);
            let lease = Lease::new(wanted(), None);
            lease.enter(&client, None).await.unwrap();
            sandbox.inject(Fault::status(503).path("/api/ip/delete/")).unwrap();
            assert!(matches!(lease.release(&client, None).await, Err(Error::Server(_))));
            let other = client.ips().authorized(wanted().patience(Duration::from_secs(1))).await.unwrap();
            lease.release(&client, None).await.unwrap();
            assert_eq!(client.ips().list().await.unwrap(), [other.ip()]);
            other.release().await.unwrap();
        });
        assert!(there(&blocking).is_empty());
    });
}

#[test]
fn an_ip_that_another_lease_needs_is_not_swept_away() {
    apart("an_ip_that_another_lease_needs_is_not_swept_away", |scratch| {
        let (sandbox, client) = parent();
        let holder = Holder::start(scratch, sandbox.base_url()).inside();
        drop(client.ips().authorized(AuthorizedIp::new().ip(OTHER).unwrap()).unwrap());
        assert!(is_there(&client, IP));
        holder.leave();
        assert!(there(&client).is_empty());
    });
}

#[test]
fn an_ip_with_another_label_belongs_to_someone_else() {
    apart("an_ip_with_another_label_belongs_to_someone_else", |scratch| {
        let (sandbox, client) = parent();
        for taking_over in [IP, OTHER] {
            Holder::start(scratch, sandbox.base_url()).inside().kill();
            client.ips().delete(IP).unwrap();
            client.ips().add(proxymesh::NewIp::new(IP).unwrap().label("office").unwrap()).unwrap();
            drop(client.ips().authorized(AuthorizedIp::new().ip(taking_over).unwrap()).unwrap());
            assert_eq!(there(&client), [(IP.into(), "office".into())]);
            client.ips().delete(IP).unwrap();
        }
        // It was changed while the lease was running.
        let lease = client.ips().authorized(wanted()).unwrap();
        client.ips().delete(IP).unwrap();
        client.ips().add(proxymesh::NewIp::new(IP).unwrap().label("office").unwrap()).unwrap();
        lease.release().unwrap();
        assert_eq!(there(&client), [(IP.into(), "office".into())]);
    });
}

#[test]
fn the_last_of_several_processes_removes_it() {
    apart("the_last_of_several_processes_removes_it", |scratch| {
        let (sandbox, client) = parent();
        let starting: Vec<_> = (0..6).map(|_| Holder::start(scratch, sandbox.base_url())).collect();
        let mut inside: Vec<_> = starting.into_iter().map(Holder::inside).collect();
        let last = inside.pop().unwrap();
        inside.pop().unwrap().kill();
        for holder in inside {
            holder.leave();
        }
        assert!(is_there(&client, IP));
        last.leave();
        assert!(there(&client).is_empty());
        let adds = sandbox.requests().iter().filter(|request| request.path == "/api/ip/add/").count();
        assert_eq!(adds, 1);
    });
}

#[test]
fn many_threads_share_it() {
    apart("many_threads_share_it", |_| {
        let (sandbox, client) = parent();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let _lease = client.ips().authorized(wanted()).unwrap();
                        assert!(is_there(&client, IP));
                    }
                });
            }
        });
        assert!(there(&client).is_empty());
        assert!(sandbox.requests().iter().all(|request| matches!(request.status, Some(200 | 204))));
    });
}

/// Tasks and threads that enter, leave and give up at random. While a lease exists, its IP is authorised, and nothing is left.
#[test]
fn no_claim_is_lost_whoever_gives_up_when() {
    apart("no_claim_is_lost_whoever_gives_up_when", |scratch| {
        let (sandbox, client) = parent();
        thread::scope(|scope| {
            for seed in 0..3 {
                let (sandbox, client) = (&sandbox, &client);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed);
                    for _ in 0..40 {
                        if random.bool() {
                            let lease = client.ips().authorized(wanted()).unwrap();
                            assert!(is_there(client, IP));
                            lease.release().unwrap();
                        }
                        run(give_up_somewhere(sandbox, &mut random));
                    }
                });
            }
        });
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
        let left: Vec<_> =
            fs::read_dir(files(scratch)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["guard"]);
    });
}

async fn give_up_somewhere(sandbox: &Sandbox, random: &mut fastrand::Rng) {
    let client = asynchronous(sandbox);
    for _ in 0..random.u32(1..4) {
        let patience = Duration::from_micros(random.u64(0..30_000));
        let Ok(entered) = tokio::time::timeout(patience, client.ips().authorized(wanted())).await else {
            continue;
        };
        let lease = entered.unwrap();
        assert!(client.ips().list().await.unwrap().contains(&ip(IP)));
        if random.bool() {
            let patience = Duration::from_micros(random.u64(0..10_000));
            let _ = tokio::time::timeout(patience, lease.release()).await;
        }
    }
    if random.bool() {
        // Otherwise, the runtime ends while tasks give back what they have.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn leases_with_other_credentials_share_it() {
    apart("leases_with_other_credentials_share_it", |_| {
        let (sandbox, client) = parent();
        let token = client.tokens().create(proxymesh::TokenRequest::new()).unwrap().secret;
        let token = blocking::Client::new(Settings::new().token(token).base_url(sandbox.base_url())).unwrap();
        let new = proxymesh::NewSubAccount::new("crawler-1").unwrap().password("its-password").unwrap();
        client.sub_accounts().create(new).unwrap();
        let own = Settings::new().username("crawler-1").password("its-password").base_url(sandbox.base_url());
        let own = blocking::Client::new(own).unwrap();
        let parents = client.ips().of("crawler-1").unwrap();
        for label in ["proxymesh", "crawl"] {
            let labelled = || wanted().label(label).unwrap();
            let pairs = [
                (token.ips(), client.ips()),
                (client.ips(), token.ips()),
                (parents.clone(), own.ips()),
                (own.ips(), parents.clone()),
            ];
            for (first, second) in pairs {
                let one = first.authorized(labelled()).unwrap();
                let two = second.authorized(wanted()).unwrap();
                drop(one);
                assert_eq!(second.list().unwrap(), [ip(IP)], "the other lease still needs it");
                drop(two);
                assert!(second.list().unwrap().is_empty());
            }
        }
    });
}

#[test]
fn leases_of_other_accounts_do_not_matter() {
    apart("leases_of_other_accounts_do_not_matter", |_| {
        let (_sandbox, client) = parent();
        let [one, other] = ["crawler-1", "crawler-2"].map(|username| {
            client.sub_accounts().create(username).unwrap();
            client.ips().of(username).unwrap()
        });
        let (its, others) = (one.authorized(wanted()).unwrap(), other.authorized(wanted()).unwrap());
        drop(its);
        assert_eq!((one.list().unwrap(), other.list().unwrap()), (vec![], vec![ip(IP)]));
        drop(others);
        assert!(other.list().unwrap().is_empty());
    });
}

#[test]
fn a_failure_leaves_it_to_the_next_lease() {
    apart("a_failure_leaves_it_to_the_next_lease", |_| {
        let (sandbox, client) = parent();
        for (path, status) in [("/api/ip/add/", 400), ("/api/ip/add/", 503), ("/api/ip_labels/", 503)] {
            sandbox.inject(Fault::status(status).path(path)).unwrap();
            let error = client.ips().authorized(wanted()).unwrap_err();
            assert_eq!(error.status(), Some(status), "{error}");
            assert!(there(&client).is_empty());
        }
        let lease = client.ips().authorized(wanted()).unwrap();
        sandbox.inject(Fault::status(503).path("/api/ip/delete/")).unwrap();
        assert!(matches!(lease.release(), Err(Error::Server(_))));
        assert!(is_there(&client, IP));
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
    });
}

/// The folder where leases keep their files.
fn files(scratch: &Path) -> PathBuf {
    let state = if cfg!(target_vendor = "apple") {
        scratch.join("Library/Application Support")
    } else {
        scratch.into()
    };
    state.join("proxymesh").join("ips")
}

fn guard(scratch: &Path) -> File {
    let guard = File::options().write(true).open(files(scratch).join("guard")).unwrap();
    guard.lock().unwrap();
    guard
}

#[test]
fn a_stopped_process_does_not_hold_up_others_for_ever() {
    apart("a_stopped_process_does_not_hold_up_others_for_ever", |scratch| {
        let (sandbox, client) = parent();
        let patience = Duration::from_millis(300);
        let lease = client.ips().authorized(wanted().patience(patience)).unwrap();
        let held = guard(scratch);
        let error = client.ips().authorized(wanted().patience(patience)).unwrap_err();
        assert!(
            matches!(&error, Error::Timeout { .. }) && error.to_string().contains("0.3 s; end"),
            "{error}"
        );
        assert!(matches!(lease.release(), Err(Error::Timeout { .. })));
        run(async {
            let client = asynchronous(&sandbox);
            let waiting = client.ips().authorized(wanted().patience(patience));
            // The event loop goes on.
            let mut ticks = 0;
            let ticking = async {
                loop {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    ticks += 1;
                }
            };
            tokio::select! {
                entered = waiting => assert!(matches!(entered, Err(Error::Timeout { .. }))),
                () = ticking => {}
            }
            assert!(ticks >= 5, "{ticks}");
        });
        drop(held);
        drop(client.ips().authorized(wanted()).unwrap());
        assert!(there(&client).is_empty());
    });
}

#[test]
fn the_files_contain_no_address_name_or_secret() {
    apart("the_files_contain_no_address_name_or_secret", |scratch| {
        let (_sandbox, client) = parent();
        let lease = client.ips().authorized(wanted().label("crawl").unwrap()).unwrap();
        let mut kinds = 0;
        for entry in fs::read_dir(files(scratch)).unwrap() {
            let entry = entry.unwrap();
            let text = format!(
                "{}\n{}",
                entry.file_name().to_string_lossy(),
                fs::read_to_string(entry.path()).unwrap_or_default()
            );
            for secret in [IP, "parent", "crawl", "127.0.0.1"] {
                assert!(!text.contains(secret), "{text}");
            }
            kinds += 1;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{text}");
            }
        }
        assert_eq!(kinds, 3, "the guard, the lock and the record");
        drop(lease);
        let left: Vec<_> =
            fs::read_dir(files(scratch)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["guard"]);
    });
}

#[test]
#[ignore = "a program that another test runs"]
fn nowhere_to_write() {
    let Ok(base_url) = env::var("PROXYMESH_BASE_URL") else { return };
    let client = blocking::Client::new(settings(&base_url)).unwrap();
    let error = client.ips().authorized(wanted()).unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, Error::Config { .. }) && text.starts_with("ips.authorized needs a folder"),
        "{text}"
    );
    assert!(text.ends_with(", or use ips.add and ips.delete"), "{text}");
    assert!(there(&client).is_empty());
}

#[test]
fn without_a_folder_the_error_says_what_is_needed() {
    apart("without_a_folder_the_error_says_what_is_needed", |scratch| {
        let (sandbox, _) = parent();
        let file = scratch.join("file");
        fs::write(&file, "").unwrap();
        let mut command = program("nowhere_to_write", &file);
        let ended = command.env("PROXYMESH_BASE_URL", sandbox.base_url()).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    });
}

#[test]
fn a_page_tells_the_address_and_gets_no_credentials() {
    apart("a_page_tells_the_address_and_gets_no_credentials", |_| {
        let (sandbox, _) = parent();
        let page = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", page.local_addr().unwrap());
        let bodies = ["198.51.100.77\n", "2001:db8::7", "<html>", "", "198.51.100.77 ".repeat(1000).leak()];
        let server = thread::spawn(move || {
            bodies.map(|body| {
                let (mut connection, _) = page.accept().unwrap();
                let mut request = String::new();
                while !request.ends_with("\r\n\r\n") {
                    let mut byte = [0];
                    connection.read_exact(&mut byte).unwrap();
                    request.push(byte[0].into());
                }
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = connection.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice());
                request.to_ascii_lowercase()
            })
        });
        run(async {
            let client = asynchronous(&sandbox);
            assert_eq!(asked(&client, &url).await, Ok(ip("198.51.100.77")));
            assert_eq!(asked(&client, &url).await, Ok(ip("2001:db8::7")));
            for _ in 0..3 {
                assert!(asked(&client, &url).await.unwrap_err().contains("not an IP address"));
            }
            for request in server.join().unwrap() {
                assert!(!request.contains("authorization") && !request.contains("parent"), "{request}");
            }
            assert!(asked(&client, &url).await.unwrap_err().contains("refused"), "nothing listens any more");
            let own = format!("{}/_sandbox/ip", sandbox.base_url());
            assert_eq!(asked(&client, &own).await, Ok(ip("127.0.0.1")));
        });
    });
}

/// An address that changes.
fn changing() -> (Arc<AtomicU8>, FollowedIp) {
    let last = Arc::new(AtomicU8::new(1));
    let source = last.clone();
    let followed = FollowedIp::new().label("home").unwrap().source(Duration::from_millis(20), move || {
        match source.load(Ordering::SeqCst) {
            0 => Err(Error::Connection { call: "ips.follow", reason: "offline".into(), attempts: 1 }),
            last => Ok(ip(&format!("203.0.113.{last}"))),
        }
    });
    (last, followed)
}

#[test]
fn a_follower_follows_three_changes() {
    apart("a_follower_follows_three_changes", |_| {
        let (sandbox, client) = parent();
        let (address, followed) = changing();
        let follower = client.ips().follow(followed.clone()).unwrap();
        for last in [1, 2, 3, 4] {
            address.store(last, Ordering::SeqCst);
            let now = format!("203.0.113.{last}");
            eventually("the address has changed", || {
                follower.ip() == ip(&now) && there(&client) == [(now.clone(), "home".into())]
            });
        }
        address.store(0, Ordering::SeqCst);
        eventually("it is offline", || follower.error().is_some());
        assert!(follower.is_running() && is_there(&client, "203.0.113.4"));
        follower.close().unwrap();
        assert!(there(&client).is_empty());
        run(async {
            let client = asynchronous(&sandbox);
            address.store(5, Ordering::SeqCst);
            let follower = client.ips().follow(followed.clone()).await.unwrap();
            address.store(6, Ordering::SeqCst);
            while client.ips().list().await.unwrap() != [ip("203.0.113.6")] {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(follower.ip(), ip("203.0.113.6"));
            follower.close().await.unwrap();
            assert!(client.ips().list().await.unwrap().is_empty());
            drop(client.ips().follow(followed.clone()).await.unwrap());
            while !client.ips().list().await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            address.store(0, Ordering::SeqCst);
            let error = client.ips().follow(followed).await.unwrap_err();
            assert!(matches!(error, Error::Connection { .. }), "the first address must be known: {error}");
        });
    });
}

#[test]
fn an_address_that_was_there_stays_when_it_changes() {
    apart("an_address_that_was_there_stays_when_it_changes", |_| {
        let (_sandbox, client) = parent();
        client.ips().add("203.0.113.1").unwrap();
        let (address, followed) = changing();
        let follower = client.ips().follow(followed).unwrap();
        address.store(2, Ordering::SeqCst);
        eventually("the address has changed", || follower.ip() == ip("203.0.113.2"));
        drop(follower);
        assert_eq!(there(&client), [("203.0.113.1".into(), String::new())]);
    });
}

#[test]
fn a_rejected_password_ends_a_follower() {
    apart("a_rejected_password_ends_a_follower", |_| {
        let (sandbox, client) = parent();
        let (address, followed) = changing();
        let follower = client.ips().follow(followed).unwrap();
        sandbox.inject(Fault::status(401).path("/api/ip_labels/").times(10)).unwrap();
        address.store(2, Ordering::SeqCst);
        eventually("it has ended", || !follower.is_running());
        let refused =
            |error: &Error| matches!(error, Error::Authentication(_) | Error::AuthenticationBlocked { .. });
        assert!(follower.error().as_ref().is_some_and(refused));
        assert_eq!(follower.ip(), ip("203.0.113.1"));
        assert!(refused(&follower.close().unwrap_err()));
        let failures = sandbox.requests().iter().filter(|request| request.status == Some(401)).count();
        assert!(failures <= 2, "{failures}");
    });
}
