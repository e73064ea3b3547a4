//! How any call is sent: gate → attempt → retry → decode. Nothing here depends on the resource.

mod attempt;
mod connection;
mod doubt;
mod gate;
#[cfg(any(test, fuzzing))]
#[allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]
#[path = "../../fuzz/hostile.rs"]
pub mod hostile;
mod outcome;
mod outgoing;
mod pool;
mod proxy;
mod refusal;
mod retry;
mod sent;
mod tls;

use crate::{
    credentials::Credentials,
    dns,
    endpoint::{
        AnyResponse, Auth, Call, Endpoint, Finding, Found, Method, Mismatch, ReadBack, Replay, Request,
        Sendable,
    },
    error::{Error, Result},
    observer::{self, Observer},
    runtime::Timers,
    settings::{Options, Resolved},
};
use connection::Connector;
use doubt::{Doubt, Failure, Next};
use gate::{GOES_ON, Gate, Held, Leave, Permit};
use hyper::{
    Uri,
    header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderValue, USER_AGENT},
};
use outcome::{Cause, Outcome, Response};
use outgoing::{Message, Outgoing};
use pool::{Pool, Turn};
use reqwest::Url;
use secrecy::SecretString;
use sent::Sent;
use std::{
    convert::Infallible,
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tls::Trust;
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
    time::{Instant, timeout_at},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Replaces a time limit that the clock cannot represent. It is longer than a century.
const FOR_EVER: Duration = Duration::from_secs(1 << 32);

/// Sends calls to one service with one set of credentials.
pub(crate) struct Transport {
    setup: Setup,
    pool: Arc<Pool>,
    timers: Timers,
    secrets: Vec<SecretString>,
    gate: Arc<Gate>,
    /// The trial that was abandoned last.
    unfinished: Mutex<Option<JoinHandle<Outcome>>>,
}

/// What a transport is created from, so that a forked process can create its own.
#[derive(Clone)]
struct Setup {
    credentials: Arc<Credentials>,
    base_url: Url,
    connect_timeout: Duration,
    max_connections: usize,
    trust: Trust,
    /// The environment's proxy, if it may be used.
    proxy: Option<reqwest::Proxy>,
    share_state: bool,
    user_agent: String,
}

/// The result of a call, as one type for every call. [`Exchange::read`] returns the typed result.
pub struct Exchange {
    call: &'static Call,
    result: Result<AnyResponse>,
}

impl Exchange {
    /// Returns itself if the call succeeded, and the call's error otherwise.
    ///
    /// # Errors
    ///
    /// Any [`Error`] except those for invalid input.
    pub fn answered(self) -> Result<Self> {
        Ok(Self { call: self.call, result: Ok(self.result?) })
    }

    /// Returns the response to the endpoint that was sent.
    ///
    /// # Errors
    ///
    /// Any [`Error`] except those for invalid input.
    pub fn read<E: Endpoint>(self, _sent: &E) -> Result<E::Response> {
        let other =
            |_| Error::config(format!("this is the response to {}, not to {}", self.call.name, E::CALL.name));
        self.result?.downcast().map(|response| *response).map_err(other)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("call", &self.call.name).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(resolved: Resolved) -> Result<Self> {
        let Resolved {
            credentials,
            base_url,
            connect_timeout,
            max_connections,
            ca_file,
            ca_variables,
            trust_env,
            share_state,
            user_agent,
        } = resolved;
        // The environment's certificates and proxies apply only to https. Plain http is for loopback, where a proxy would only
        // get to see the credentials. A bad ca_file is always an error.
        let secure = base_url.scheme() == "https";
        let trust = Trust::new(ca_file.as_deref(), if secure { &ca_variables } else { &[] })?;
        let proxy = match trust_env && secure {
            true => proxy::of_environment(&base_url, |name| std::env::var_os(name))?,
            false => None,
        };
        Self::from_setup(Setup {
            credentials: Arc::new(credentials),
            base_url,
            connect_timeout,
            max_connections: max_connections
                .map_or_else(pool::default_size, |connections| connections as usize),
            trust,
            proxy,
            share_state,
            user_agent,
        })
    }

    /// The same transport with its own connections and gate.
    pub(crate) fn renewed(&self) -> Result<Self> {
        Self::from_setup(self.setup.clone())
    }

    fn from_setup(setup: Setup) -> Result<Self> {
        let failed = |error| Error::config(format!("could not create the client: {error}"));
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&setup.trust)?)
            .http1_only()
            .dns_resolver(dns::System)
            .connect_timeout(setup.connect_timeout);
        builder = match &setup.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder.no_proxy(),
        };
        let connector = Connector::new(builder, setup.base_url.clone()).map_err(failed)?;
        let user_agent = HeaderValue::from_str(&setup.user_agent)
            .map_err(|_| Error::config("user_agent contains a character that is not allowed in a header"))?;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host(&setup.base_url)?);
        // If the base URL cannot be sent, no call could be.
        target(&setup.base_url, "/", "")?;
        headers.insert(ACCEPT, JSON);
        headers.insert(AUTHORIZATION, setup.credentials.header()?);
        headers.insert(USER_AGENT, user_agent);
        Ok(Self {
            pool: Arc::new(Pool::new(connector, headers, setup.max_connections)),
            timers: Timers::new(),
            secrets: setup.credentials.secrets(),
            gate: Arc::new(Gate::of(setup.base_url.as_str(), &setup.credentials, setup.share_state)),
            unfinished: Mutex::new(None),
            setup,
        })
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.setup.credentials
    }

    pub(crate) fn base_url(&self) -> &str {
        self.setup.base_url.as_str().trim_end_matches('/')
    }

    /// An HTTP client for other sites. It trusts the same certificates, but has no credentials and uses no proxy. It prefers IPv4.
    pub(crate) fn anonymous(&self) -> Result<reqwest::ClientBuilder> {
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&self.setup.trust)?)
            .http1_only()
            .dns_resolver(dns::Ipv4First)
            .user_agent(&self.setup.user_agent)
            .no_proxy())
    }

    /// Sends a call, including its retries and any look-up.
    pub(crate) async fn exchange(
        self: Arc<Self>,
        endpoint: &dyn Sendable,
        options: Options,
        observer: Option<Observer>,
    ) -> Exchange {
        let request = endpoint.request();
        let (call, observer) = (request.call, observer.as_ref());
        let result = match self.deliver(&request, options, observer).await {
            Ok(response) => endpoint.decode(response.bytes()).map_err(|mismatch| {
                // The write may have been carried out, or a front end may have responded.
                Failure::in_doubt(self.unreadable(&request, &response, &mismatch))
            }),
            Err(failure) => Err(failure),
        };
        let result = match result {
            Ok(response) => Ok(response),
            Err(failure) => Box::pin(self.conclude(call, endpoint, failure, options, observer)).await,
        };
        Exchange { call, result }
    }

    /// The result of a call that failed. If it is in doubt whether a write took effect, this looks it up.
    async fn conclude(
        self: &Arc<Self>,
        call: &'static Call,
        endpoint: &dyn Sendable,
        failure: Failure,
        options: Options,
        observer: Option<&Observer>,
    ) -> Result<AnyResponse> {
        let (failure, retries) = match failure.next(call) {
            Next::Ends(error) => return Err(error),
            Next::LookUp { failure, retries } => (failure, retries),
        };
        let Some(ReadBack { request, verify }) = endpoint.read_back() else {
            return Err(failure.unknown(call));
        };
        let options = if retries { options } else { Options::new().max_retries(0).over(options) };
        let finding = match self.deliver(&request, options, observer).await {
            Ok(Response { body: Some(body), .. }) => verify(Found::Response(&body)).ok(),
            Err(Failure { error: Error::NotFound(_), .. }) => verify(Found::Nothing).ok(),
            _ => None,
        };
        match finding {
            Some(Finding::Confirmed(response)) => Ok(response),
            Some(Finding::Refuted) => Err(failure.error),
            Some(Finding::Unclear) | None => Err(failure.unknown(call)),
        }
    }

    /// The error for a successful response that cannot be read: it is too large or not what the call promises.
    fn unreadable(&self, request: &Request, response: &Response, mismatch: &Mismatch) -> Error {
        let call = request.call;
        let reason = match &response.body {
            None => "it is larger than 8 MiB".to_owned(),
            Some(body) if body.is_empty() => "it is empty".to_owned(),
            Some(_) => mismatch.reason(!call.secret_response),
        };
        let (reason, body) = refusal::unreadable(call, response.bytes(), &reason, &self.secrets(request));
        Error::Decode { call: call.name, status: response.status, reason, body }
    }

    /// Sends a request until it succeeds or may not be sent again.
    async fn deliver(
        self: &Arc<Self>,
        request: &Request,
        options: Options,
        observer: Option<&Observer>,
    ) -> Result<Response, Failure> {
        let call = request.call;
        if call.auth == Auth::BasicOnly && !self.setup.credentials.is_basic() {
            return Err(Failure::certain(Error::BasicAuthRequired { call: call.name }));
        }
        let (mut attempts, mut doubt) = (0, None::<Doubt>);
        loop {
            attempts += 1;
            let (outcome, start) = match self.attempt(request, options, attempts).await {
                Ok(ended) => ended,
                Err(error) => return Err(Failure { error, doubt }),
            };
            let retry_in = retry::wait(call.replay, &outcome, attempts, options.retries());
            observer::tell(observer, || outcome.told(call, attempts, start.elapsed(), retry_in));
            let ambiguous = retry::is_ambiguous(&outcome);
            let error = match outcome {
                Outcome::Answered(response) if response.is_success() => return Ok(response),
                Outcome::Answered(response) => {
                    refusal::refusal(call, &response, attempts, &self.secrets(request)).into_error()
                }
                Outcome::Unsent(Cause { timed_out: true, reason, .. })
                | Outcome::Unanswered(Cause { timed_out: true, reason, .. }) => {
                    Error::Timeout { call: call.name, reason, attempts }
                }
                Outcome::Unsent(Cause { reason, .. }) | Outcome::Unanswered(Cause { reason, .. }) => {
                    Error::Connection { call: call.name, reason, attempts }
                }
            };
            if ambiguous {
                doubt = Some(Doubt::of(&error).after(doubt));
            }
            match retry_in {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(Failure { error, doubt }),
            }
        }
    }

    /// Passes the gate and sends the request once. Returns the outcome and when the attempt started. An error means that
    /// nothing was sent: it comes from the gate, or the request cannot be built.
    async fn attempt(
        self: &Arc<Self>,
        request: &Request,
        options: Options,
        attempts: u32,
    ) -> Result<(Outcome, Instant)> {
        let call = request.call;
        let limit = options.attempt_timeout();
        loop {
            // The time limit applies to the attempt, not to the wait for a turn.
            let turn = self.pool.turn().await;
            let permit = match self.gate.pass() {
                Some(permit) => permit,
                None => match Box::pin(self.gate.enter(call.name, limit)).await {
                    Ok(permit) => permit,
                    Err(Held::Refused(error)) => return Err(error),
                    Err(Held::Unanswered(cause)) => return Ok((Outcome::Unsent(cause), Instant::now())),
                },
            };
            let start = Instant::now();
            let deadline = start.checked_add(limit).unwrap_or_else(|| start + FOR_EVER);
            let (mut message, sent) = self.message(request, permit.leave())?;
            let outcome = if permit.is_trial() {
                let sending =
                    Sending { transport: self.clone(), request: request.clone(), attempts, permit, turn };
                Box::pin(sending.try_credentials(message, &sent, deadline, limit)).await
            } else {
                let expired = pin!(async {
                    self.timers.until(deadline).await;
                    Cause::timed_out(limit)
                });
                let outcome = attempt::send(&self.pool, &mut message, fresh(call), &sent, expired).await;
                self.verify(permit, request, attempts, &outcome);
                outcome
            };
            // If the request was held back, a 401 arrived while it waited for its connection. Ask the gate again.
            if !sent.is_held_back() {
                return Ok((outcome, start));
            }
        }
    }

    /// Tells the gate what an outcome says about the credentials.
    fn verify(&self, permit: Permit, request: &Request, attempts: u32, outcome: &Outcome) {
        match outcome {
            Outcome::Answered(response) => match response.status {
                200..=299 | 400 | 402 | 404 => permit.accepted(),
                401 => {
                    let secrets = self.secrets(request);
                    permit.rejected(&refusal::refusal(request.call, response, attempts, &secrets));
                }
                // These may come from a front end that did not check the credentials.
                _ => permit.undecided(),
            },
            Outcome::Unsent(cause) => permit.unsent(cause),
            Outcome::Unanswered(cause) => permit.unanswered(cause),
        }
    }

    /// The trial that continues although its call was abandoned, if there is one.
    pub(crate) fn unfinished(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let trial = lock(&self.unfinished).take().filter(|trial| !trial.is_finished())?;
        Some(Box::pin(async move { drop(trial.await) }))
    }

    /// The HTTP request, and whether it has been sent.
    fn message(&self, request: &Request, leave: Leave) -> Result<(Option<Message>, Sent)> {
        let call = request.call;
        let target = target(&self.setup.base_url, call.path, &request.query)?;
        let method = match call.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
        };
        let (body, sent) = Outgoing::new(request.form.clone(), leave);
        Ok((Some(Message { method, target, body }), sent))
    }

    fn secrets<'a>(&'a self, request: &'a Request) -> Vec<&'a SecretString> {
        self.secrets.iter().chain(&request.secrets).collect()
    }
}

/// Whether a call needs a connection that no other request has used. A call that must not be sent twice does: the server may be
/// closing an idle connection, which would leave the outcome unknown.
fn fresh(call: &Call) -> bool {
    call.replay == Replay::Once
}

/// The target of a call (RFC 9112, section 3.2.1): the base URL's path, if any, followed by the call's path.
fn target(base_url: &Url, path: &str, query: &str) -> Result<Uri> {
    let prefix = base_url.path().trim_end_matches('/');
    let mut text = String::with_capacity(prefix.len() + path.len() + 1 + query.len());
    text.push_str(prefix);
    text.push_str(path);
    if !query.is_empty() {
        text.push('?');
        text.push_str(query);
    }
    Uri::try_from(text)
        .map_err(|_| Error::config("base_url has a path that cannot be sent, or the request is too long"))
}

/// The `Host` header, which names the port unless it is the scheme's own.
fn host(base_url: &Url) -> Result<HeaderValue> {
    let name = base_url.host_str().unwrap_or_default();
    let host = base_url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    HeaderValue::from_str(&host).map_err(|_| Error::config("base_url has a host that cannot be sent"))
}

/// A request that tries the credentials. Even if its own call is abandoned, it waits for the response, because that is the
/// verdict for all calls that wait for it. The wait is limited, because the response may never arrive.
struct Sending {
    transport: Arc<Transport>,
    request: Request,
    attempts: u32,
    permit: Permit,
    /// Held as long as the request has a connection.
    turn: Turn,
}

impl Sending {
    async fn try_credentials(
        mut self,
        mut message: Option<Message>,
        sent: &Sent,
        deadline: Instant,
        limit: Duration,
    ) -> Outcome {
        self.permit.sends(sent);
        let transport = self.transport.clone();
        let begun = Instant::now();
        let (waits, given_up) = oneshot::channel::<Infallible>();
        let of = sent.clone();
        let task = tokio::spawn(async move {
            let Self { transport, request, attempts, permit, turn } = self;
            let expired = async {
                let _ = timeout_at(deadline, given_up).await;
                tokio::time::sleep(GOES_ON).await;
                Cause::timed_out(Duration::from_secs(begun.elapsed().as_secs()))
            };
            let outcome =
                attempt::send(&transport.pool, &mut message, fresh(request.call), &of, expired).await;
            transport.verify(permit, &request, attempts, &outcome);
            drop(turn);
            outcome
        });
        let mut trial = Awaited { task: Some(task), sent, transport: &transport, _waits: waits };
        let failed = |cause| if sent.begun() { Outcome::Unanswered(cause) } else { Outcome::Unsent(cause) };
        match timeout_at(deadline, trial.ended()).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => failed(Cause::other("the runtime was shut down")),
            },
            Err(_) => failed(Cause::timed_out(limit)),
        }
    }
}

/// Waits for a trial. If dropped early, it lets the trial continue, or stops it if nothing has been sent.
struct Awaited<'a> {
    task: Option<JoinHandle<Outcome>>,
    sent: &'a Sent,
    transport: &'a Transport,
    /// Tells the trial that a caller is waiting.
    _waits: oneshot::Sender<Infallible>,
}

impl Awaited<'_> {
    async fn ended(&mut self) -> Result<Outcome, JoinError> {
        let ended = match &mut self.task {
            Some(task) => task.await,
            None => std::future::pending().await,
        };
        self.task = None;
        ended
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        if self.sent.begun() {
            *lock(&self.transport.unfinished) = Some(task);
        } else {
            task.abort();
        }
    }
}

/// Ignores poisoning: each change to the guarded value is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
