//! The auth gate: wrong credentials cost the account one failed authentication, however many threads or tasks try them. Four
//! would ban it.
//!
//! All clients in the process with the same base URL share one count of failures, so each test has its own server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod support;

use proxymesh::{Client, Error, Options, Result, Settings, blocking};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use support::server::{Answer, Reply, Request, Server};
use tokio::task::JoinSet;

const MANY: usize = 256;
/// Calls within a second of a rejection get the same rejection. This is longer.
const A_ROUND_LATER: Duration = Duration::from_millis(1100);

fn settings(server: &Server, password: &str) -> Settings {
    Settings::new().username("me").password(password).base_url(server.base_url())
}

/// A service that accepts one password. It is slow, so that all requests that the gate lets through arrive before the first response.
fn service() -> Server {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let right = format!("Basic {}", STANDARD.encode("me:right"));
    Server::start(move |request: &Request| {
        thread::sleep(Duration::from_millis(100));
        if request.header("authorization") == Some(&right) {
            Answer::new(200, r#"{"ips": []}"#)
        } else {
            Answer::new(401, r#"{"error": "Invalid username/password."}"#)
        }
    })
}

/// How many results there are of each kind.
fn kinds(results: Vec<Result<Vec<IpAddr>>>) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for result in results {
        *kinds.entry(result.map_or_else(|error| error.kind(), |_| "answer")).or_default() += 1;
    }
    kinds
}

/// Makes a call with each client, each in its own thread, all at once.
fn from_threads(clients: Vec<blocking::Client>) -> Vec<Result<Vec<IpAddr>>> {
    let together = Barrier::new(clients.len());
    thread::scope(|scope| {
        let call = |client: blocking::Client| {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                client.ips().list()
            })
        };
        let threads: Vec<_> = clients.into_iter().map(call).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The same in tokio tasks.
async fn from_tasks(clients: Vec<Client>) -> Vec<Result<Vec<IpAddr>>> {
    let together = Arc::new(tokio::sync::Barrier::new(clients.len()));
    let mut tasks = JoinSet::new();
    for client in clients {
        let together = together.clone();
        tasks.spawn(async move {
            together.wait().await;
            client.ips().list().await
        });
    }
    tasks.join_all().await
}

/// Makes rounds of many calls with a wrong password. Checks what each round costs and which errors the calls return.
fn rounds(server: &Server, mut round: impl FnMut() -> Vec<Result<Vec<IpAddr>>>) {
    assert_eq!(kinds(round()), BTreeMap::from([("Authentication", MANY)]));
    assert_eq!(server.count(), 1, "the first round costs one failed authentication");

    thread::sleep(A_ROUND_LATER);
    assert_eq!(kinds(round()), BTreeMap::from([("Authentication", MANY)]));
    assert_eq!(server.count(), 2, "the second costs one more");

    for _ in 0..2 {
        thread::sleep(A_ROUND_LATER);
        let results = round();
        for result in &results {
            let error = result.as_ref().unwrap_err();
            let Error::AuthenticationBlocked { call: "ips.list", retry_after } = error else {
                panic!("{error:?}");
            };
            assert!(*retry_after <= Duration::from_secs(300), "{retry_after:?}");
            assert!(*retry_after > Duration::from_secs(200), "{retry_after:?}");
            assert_eq!(error.retry_after(), Some(*retry_after));
        }
        assert_eq!(results.len(), MANY);
        assert_eq!(server.count(), 2, "the third and the fourth cost none");
    }

    let right = support::blocking(settings(server, "right"));
    assert!(right.ips().list().unwrap().is_empty(), "right credentials in a new client work at once");
    assert_eq!(server.count(), 3);
}

#[test]
fn many_threads_with_one_client_cost_one_failed_authentication() {
    let server = service();
    let client = support::blocking(settings(&server, "wrong"));
    rounds(&server, || from_threads(vec![client.clone(); MANY]));
}

#[test]
fn many_threads_with_a_client_each_cost_one_failed_authentication() {
    let server = service();
    let clients: Vec<_> = (0..MANY).map(|_| support::blocking(settings(&server, "wrong"))).collect();
    rounds(&server, || from_threads(clients.clone()));
}

#[test]
fn many_tasks_cost_one_failed_authentication() {
    let server = service();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = support::asynchronous(settings(&server, "wrong"));
    rounds(&server, || runtime.block_on(from_tasks(vec![client.clone(); MANY])));
}

#[test]
fn tasks_on_one_thread_and_threads_elsewhere_share_the_gate() {
    let server = service();
    let clients = vec![support::blocking(settings(&server, "wrong")); 16];
    let others = vec![support::asynchronous(settings(&server, "wrong")); 16];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (threads, tasks) = thread::scope(|scope| {
        let threads = scope.spawn(|| from_threads(clients));
        let tasks = runtime.block_on(from_tasks(others));
        (threads.join().unwrap(), tasks)
    });
    assert_eq!(kinds(threads), BTreeMap::from([("Authentication", 16)]));
    assert_eq!(kinds(tasks), BTreeMap::from([("Authentication", 16)]));
    assert_eq!(server.count(), 1);
}

#[test]
fn after_one_call_has_proven_the_credentials_all_others_are_sent() {
    let server = service();
    let client = support::blocking(settings(&server, "right"));
    assert_eq!(kinds(from_threads(vec![client; 32])), BTreeMap::from([("answer", 32)]));
    assert_eq!(server.count(), 32);
}

#[test]
fn three_failures_of_different_credentials_stop_the_process_before_the_fourth() {
    let server = service();
    for wrong in ["wrong 1", "wrong 2", "wrong 3"] {
        let error = support::blocking(settings(&server, wrong)).ips().list().unwrap_err();
        assert!(matches!(error, Error::Authentication(_)), "{error:?}");
    }
    for password in ["wrong 4", "right"] {
        let error = support::blocking(settings(&server, password)).ips().list().unwrap_err();
        assert!(matches!(error, Error::AuthenticationBlocked { .. }), "{error:?}");
    }
    assert_eq!(server.count(), 3);
}

#[test]
fn many_threads_with_as_many_wrong_passwords_cost_three_failed_authentications() {
    let server = service();
    let clients: Vec<_> =
        (0..64).map(|i| support::blocking(settings(&server, &format!("wrong {i}")))).collect();
    let kinds = kinds(from_threads(clients));
    assert_eq!(kinds, BTreeMap::from([("Authentication", 3), ("AuthenticationBlocked", 61)]));
    assert_eq!(server.count(), 3);
}

#[test]
fn proven_credentials_still_work_when_others_have_used_up_the_failures() {
    let server = service();
    let right = support::blocking(settings(&server, "right"));
    right.ips().list().unwrap();
    for wrong in ["wrong 1", "wrong 2", "wrong 3"] {
        support::blocking(settings(&server, wrong)).ips().list().unwrap_err();
    }
    right.ips().list().unwrap();
}

#[test]
fn a_failed_authentication_is_never_retried() {
    let server = Server::always(Answer::new(401, "").header("retry-after", "0"));
    let client = support::blocking(settings(&server, "wrong").max_retries(5));
    let error = client.ips().list().unwrap_err();
    let Error::Authentication(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.status, refusal.attempts, refusal.call), (401, 1, "ips.list"));
    assert_eq!(server.count(), 1);

    // Another call in the same second gets the same rejection with its own name, and is not sent.
    let error = client.geo().open().unwrap_err();
    let Error::Authentication(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.attempts, refusal.call), (0, "geo.open"));
    assert_eq!(server.count(), 1);
}

#[test]
fn a_401_in_the_middle_of_retries_ends_them() {
    let mut answers = [Answer::new(503, ""), Answer::new(401, "")].into_iter();
    let server = Server::start(move |_| answers.next().unwrap_or_else(|| Answer::new(599, "")));
    let client = support::blocking(settings(&server, "wrong"));
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error:?}");
    assert_eq!(server.count(), 2);
}

/// A slow service that always gives the same response.
fn slow(answer: impl Fn() -> Answer + Send + 'static) -> Server {
    Server::start(move |_| {
        thread::sleep(Duration::from_millis(300));
        answer()
    })
}

#[tokio::test]
async fn a_trial_whose_call_is_cancelled_continues_and_its_response_is_the_verdict() {
    let server = slow(|| Answer::new(200, r#"{"ips": []}"#));
    let client = support::asynchronous(settings(&server, "right"));
    let trial = tokio::spawn(client.ips().list());
    let watch = server.clone();
    tokio::task::spawn_blocking(move || watch.wait_for_requests(1)).await.unwrap();
    trial.abort();
    let start = Instant::now();
    assert!(client.ips().list().await.unwrap().is_empty());
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_eq!(server.count(), 2);
}

#[test]
fn calls_that_are_abandoned_early_do_not_block_correct_credentials() {
    let server = slow(|| Answer::new(200, r#"{"ips": []}"#));
    let client = support::blocking(settings(&server, "right").max_retries(0));
    let hasty = client.with_options(Options::new().timeout(Duration::from_millis(100))).unwrap();
    for _ in 0..3 {
        let error = hasty.ips().list().unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }
    assert!(client.ips().list().unwrap().is_empty());
}

#[test]
fn an_abandoned_call_detects_a_wrong_password_and_costs_one_401() {
    let server = slow(|| Answer::new(401, ""));
    let client = support::blocking(settings(&server, "wrong").max_retries(0));
    let hasty = client.with_options(Options::new().timeout(Duration::from_millis(100))).unwrap();
    for _ in 0..2 {
        assert!(matches!(hasty.ips().list().unwrap_err(), Error::Timeout { .. }));
    }
    assert!(matches!(client.ips().list().unwrap_err(), Error::Authentication(_)));
    assert_eq!(server.count(), 1);
}

#[test]
fn an_abandoned_trial_ends_even_if_its_client_makes_no_further_call() {
    let server = slow(|| Answer::new(200, r#"{"ips": []}"#));
    let hasty = settings(&server, "right").max_retries(0).timeout(Duration::from_millis(100));
    let hasty = support::blocking(hasty);
    assert!(matches!(hasty.ips().list().unwrap_err(), Error::Timeout { .. }));
    let other = settings(&server, "right").max_retries(0).timeout(Duration::from_secs(6));
    assert!(support::blocking(other).ips().list().unwrap().is_empty());
    assert_eq!(server.count(), 2);
}

#[test]
fn a_trial_that_never_gets_a_response_delays_the_next_call_only_for_a_while() {
    let mut first = true;
    let server = Server::start(move |_| -> Reply {
        if std::mem::take(&mut first) { Reply::Hang } else { Answer::new(200, r#"{"ips": []}"#).into() }
    });
    let client = support::blocking(settings(&server, "right"));
    let hasty =
        client.with_options(Options::new().timeout(Duration::from_millis(100)).max_retries(0)).unwrap();
    let start = Instant::now();
    assert!(matches!(hasty.ips().list().unwrap_err(), Error::Timeout { .. }));
    assert!(client.ips().list().unwrap().is_empty());
    // Five seconds for the missing response, half a second before the next trial, and the call's own wait.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(server.count(), 2);
}

#[test]
fn dropped_connections_do_not_count_as_a_wrong_password_and_the_credentials_work_soon_after() {
    let mut drops = 3;
    let server = Server::start(move |_| -> Reply {
        if drops > 0 {
            drops -= 1;
            return Reply::Reset;
        }
        Answer::new(200, r#"{"ips": []}"#).into()
    });
    let client = support::blocking(settings(&server, "right"));
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { attempts: 3, .. }), "{error:?}");
    let start = Instant::now();
    assert!(client.ips().list().unwrap().is_empty());
    assert!(
        start.elapsed() < Duration::from_millis(3500),
        "{:?}: the delay after the third lost response is two seconds",
        start.elapsed()
    );
    let other = support::blocking(settings(&server, "right too"));
    assert!(other.ips().list().unwrap().is_empty());
}

#[test]
fn calls_that_wait_for_a_trial_without_a_response_end_with_its_error() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(200));
        Reply::Reset
    });
    let client = support::blocking(settings(&server, "right").max_retries(0));
    let results = from_threads(vec![client; 64]);
    assert_eq!(kinds(results), BTreeMap::from([("Connection", 64)]));
    assert!(server.count() <= 3, "{}", server.count());
}

/// A service that revokes the credentials at the second call. It is slow, so that many requests arrive before the first 401.
fn revoking() -> (Server, Arc<AtomicUsize>) {
    let refused = Arc::new(AtomicUsize::new(0));
    let (count, mut first) = (refused.clone(), true);
    let server = Server::start(move |_| {
        if std::mem::take(&mut first) {
            return Answer::new(200, r#"{"ips": []}"#);
        }
        thread::sleep(Duration::from_millis(50));
        count.fetch_add(1, SeqCst);
        Answer::new(401, "")
    });
    (server, refused)
}

#[test]
fn once_proven_credentials_are_refused_no_call_that_waits_for_a_connection_is_sent() {
    let (server, refused) = revoking();
    let client = support::asynchronous(settings(&server, "once right").max_connections(100));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(client.ips().list()).unwrap();
    let kinds = kinds(runtime.block_on(from_tasks(vec![client; 1000])));
    assert_eq!(kinds.values().sum::<usize>(), 1000);
    assert!(kinds.keys().all(|kind| kind.starts_with("Authentication")), "{kinds:?}");
    assert!(refused.load(SeqCst) <= 100, "{}", refused.load(SeqCst));
}

#[test]
fn once_proven_credentials_are_refused_no_thread_sends_a_call_that_was_waiting_for_a_connection() {
    let (server, refused) = revoking();
    let client = support::blocking(settings(&server, "once right").max_connections(100));
    client.ips().list().unwrap();
    let kinds = kinds(from_threads(vec![client; 400]));
    assert!(kinds.keys().all(|kind| kind.starts_with("Authentication")), "{kinds:?}");
    assert!(refused.load(SeqCst) <= 100, "{}", refused.load(SeqCst));
}

/// The program that the processes of the next tests run. It makes a call with the credentials from the environment.
#[test]
#[ignore = "run by other tests"]
fn another_process() {
    let client = blocking::Client::new(Settings::new().max_retries(0)).unwrap();
    println!("\nended: {}", client.ips().list().map_or_else(|error| error.kind(), |_| "answer"));
}

/// Starts this many processes of one user.
fn processes(
    server: &Server,
    password: &str,
    state: &std::path::Path,
    count: usize,
) -> Vec<std::process::Child> {
    started(commands(&std::env::current_exe().unwrap(), server, password, state, count))
}

fn commands(
    program: &std::path::Path,
    server: &Server,
    password: &str,
    state: &std::path::Path,
    count: usize,
) -> Vec<std::process::Command> {
    let command = || {
        let mut command = std::process::Command::new(program);
        command
            .args(["--exact", "another_process", "--ignored", "--nocapture", "--test-threads=1"])
            .env("PROXYMESH_USERNAME", "me")
            .env("PROXYMESH_PASSWORD", password)
            .env("PROXYMESH_BASE_URL", server.base_url())
            .env("XDG_STATE_HOME", state)
            .env("HOME", state)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null());
        command
    };
    (0..count).map(|_| command()).collect()
}

fn started(commands: Vec<std::process::Command>) -> Vec<std::process::Child> {
    commands.into_iter().map(|mut command| command.spawn().unwrap()).collect()
}

fn ended(children: Vec<std::process::Child>) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for child in children {
        let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let kind = printed.lines().find_map(|line| line.strip_prefix("ended: ")).unwrap_or("none").to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

/// Creates a folder for this test alone.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("proxymesh-gate-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[cfg(unix)]
#[test]
fn many_processes_with_a_wrong_password_cost_at_most_two_failed_authentications() {
    let server = service();
    let state = folder("wrong");
    let kinds = ended(processes(&server, "wrong", &state, 24));
    assert!(kinds.keys().all(|kind| kind.starts_with("Authentication")), "{kinds:?}");
    assert_eq!(kinds.values().sum::<usize>(), 24);
    assert!(server.count() <= 2, "{}", server.count());

    let kinds = ended(processes(&server, "right", &state, 8));
    assert_eq!(kinds, BTreeMap::from([("answer".to_owned(), 8)]), "others' failures do not count");
    std::fs::remove_dir_all(state).unwrap();
}

#[cfg(unix)]
#[test]
fn the_shared_record_contains_no_name_and_no_secret_and_only_its_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let server = service();
    let state = folder("record");
    ended(processes(&server, "canary-password", &state, 2));
    let mut files = 0;
    let mut folders = vec![state.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
                continue;
            }
            assert_eq!(about.permissions().mode() & 0o777, 0o600, "{entry:?}");
            let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
            for told in ["canary", "me", "127.0.0.1"] {
                assert!(!text.contains(&format!("\"{told}")), "{text}");
            }
            files += 1;
        }
    }
    assert_eq!(files, 2, "the key, and the record");
    std::fs::remove_dir_all(state).unwrap();
}

/// Lets processes with the right password make a call. All of them must get their answer, and soon.
#[cfg(target_os = "linux")]
fn all_work(server: &Server, state: &std::path::Path) {
    let start = Instant::now();
    let kinds = ended(processes(server, "right", state, 4));
    assert_eq!(kinds, BTreeMap::from([("answer".to_owned(), 4)]), "{state:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{state:?}: {:?}", start.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn a_record_that_is_corrupt_or_cannot_be_written_holds_up_nobody() {
    use std::{fs, path::Path};
    let server = service();
    let state = folder("damaged");
    let records = state.join("proxymesh/credentials");
    all_work(&server, &state);
    let garbage = |path: &Path| fs::write(path, "}\u{0}garbage").unwrap();
    let record = || fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();

    garbage(&record());
    all_work(&server, &state);

    let path = record();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    all_work(&server, &state);

    garbage(&state.join("proxymesh/key"));
    all_work(&server, &state);

    fs::remove_dir_all(&records).unwrap();
    garbage(&records);
    all_work(&server, &state);

    // Not even root can create a folder in these.
    for state in ["/dev/null", "/proc", "/dev/full"] {
        all_work(&server, Path::new(state));
    }
    fs::remove_dir_all(state).unwrap();
}

/// Only root can start a process of another user. Without it, the test is skipped.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_of_another_user_holds_up_nobody() {
    use std::os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    };
    if !rustix::process::geteuid().is_root() {
        println!("skipped: this needs root");
        return;
    }
    const NOBODY: u32 = 65534;
    let server = service();
    let state = folder("users");
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o777)).unwrap();
    // The other user may not be able to read the folder of the build.
    let program = state.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let nobodys = || {
        let mut commands = commands(&program, &server, "right", &state, 4);
        for command in &mut commands {
            command.uid(NOBODY).current_dir("/");
        }
        started(commands)
    };
    let work = BTreeMap::from([("answer".to_owned(), 4)]);
    let start = Instant::now();

    all_work(&server, &state);
    assert_eq!(ended(nobodys()), work, "the folder is root's");

    chown(state.join("proxymesh"), Some(NOBODY), None).unwrap();
    std::fs::remove_dir_all(state.join("proxymesh/credentials")).unwrap();
    std::fs::remove_file(state.join("proxymesh/key")).unwrap();
    let both = (nobodys(), processes(&server, "right", &state, 4));
    assert_eq!((ended(both.0), ended(both.1)), (work.clone(), work), "the folder is the other user's");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    std::fs::remove_dir_all(state).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_killed_during_its_trial_does_not_block_others() {
    let mut hang = true;
    let server = Server::start(move |_| -> Reply {
        if std::mem::take(&mut hang) { Reply::Hang } else { Answer::new(200, r#"{"ips": []}"#).into() }
    });
    let state = folder("killed");
    let mut killed = processes(&server, "right", &state, 1);
    server.wait_for_requests(1);
    killed[0].kill().unwrap();
    ended(killed);
    let start = Instant::now();
    assert_eq!(ended(processes(&server, "right", &state, 1)), BTreeMap::from([("answer".to_owned(), 1)]));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    std::fs::remove_dir_all(state).unwrap();
}

#[test]
fn a_trial_that_ends_without_a_verdict_decides_nothing() {
    for undecided in [500, 503, 403, 429, 302] {
        let mut answers = vec![Answer::new(401, ""), Answer::new(undecided, "")];
        let server = Server::start(move |_| answers.pop().unwrap_or_else(|| Answer::new(599, "")));
        let client = support::blocking(settings(&server, "wrong").max_retries(0));
        assert_eq!(client.ips().list().unwrap_err().status(), Some(undecided));

        // Calls are still sent one at a time. One of many is sent, and its 401 applies to all.
        let results = from_threads(vec![client; 16]);
        assert_eq!(kinds(results), BTreeMap::from([("Authentication", 16)]));
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn after_a_trial_without_a_response_the_next_call_is_sent() {
    let mut replies = vec![Reply::from(Answer::new(200, r#"{"ips": []}"#)), Reply::Reset];
    let server = Server::start(move |_| replies.pop().unwrap_or(Reply::Close));
    let client = support::blocking(settings(&server, "right"));
    assert!(client.ips().list().unwrap().is_empty());
    assert_eq!(server.count(), 2);
}

#[test]
fn credentials_revoked_later_are_blocked_like_wrong_ones() {
    let mut answers = vec![Answer::new(200, r#"{"ips": []}"#)];
    let server = Server::start(move |_| answers.pop().unwrap_or_else(|| Answer::new(401, "")));
    let client = support::blocking(settings(&server, "once right").max_connections(100));
    client.ips().list().unwrap();
    for _ in 0..2 {
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Authentication(_)), "{error:?}");
        thread::sleep(A_ROUND_LATER);
    }
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::AuthenticationBlocked { .. }), "{error:?}");
    assert_eq!(server.count(), 3);
}

#[test]
fn a_call_that_waits_for_the_trial_of_another_keeps_to_its_time_limit() {
    let server = Server::start(|_| Reply::Hang);
    let client =
        support::blocking(settings(&server, "right").timeout(Duration::from_secs(20)).max_retries(0));
    let hasty = client.with_options(proxymesh::Options::new().timeout(Duration::from_millis(300))).unwrap();
    thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let trial = support::asynchronous(settings(&server, "right").timeout(Duration::from_secs(20)));
        let watch = server.clone();
        scope.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = trial.ips().list() => panic!("it hangs"),
                    () = tokio::time::sleep(Duration::from_secs(2)) => {}
                }
            });
        });
        watch.wait_for_requests(1);
        let error = hasty.ips().list().unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert!(error.to_string().contains("waited 0.3 s for another call"), "{error}");
        assert_eq!(server.count(), 1);
    });
}
