//! How any call is sent: gate → attempt → retry → decode. Knows no resource.

mod attempt;
pub(crate) mod dns;
mod gate;
#[cfg(any(test, fuzzing))]
#[allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]
pub mod hostile;
mod outcome;
mod outgoing;
mod proxy;
mod redact;
mod refusal;
mod retry;
mod tls;

use crate::{
    credentials::Credentials,
    endpoint::{
        Auth, CALLS, Call, Endpoint, Finding, Found, Method, Mismatch, ReadBack, Replay, Request, Sendable,
    },
    error::{Error, Refusal, Result},
    observer::{self, Observer},
    settings::{Options, Resolved},
};
use bytes::Bytes;
use gate::Gate;
use outcome::{Answer, Cause, Outcome};
use outgoing::{Outgoing, Sent};
use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT},
};
use secrecy::SecretString;
use std::{fmt, sync::Arc, time::Duration};
use tls::Trust;
use tokio::{sync::Semaphore, time::Instant};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Idle connections are dropped after this, before any ordinary server or load balancer drops them.
const IDLE: Duration = Duration::from_secs(15);

/// How many connections a client may have at a time: a program has descriptors for a thousand or so in all. Further calls wait
/// for their turn.
const CONNECTIONS: usize = 100;

/// For a time limit beyond what the clock can tell.
const FOR_EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The way to one service with one set of credentials.
pub(crate) struct Transport {
    setup: Setup,
    pooled: reqwest::Client,
    /// For calls that are sent once: a connection of their own, because a kept-alive one that the server is just
    /// closing would leave their outcome unknown.
    unpooled: reqwest::Client,
    /// Where each call goes, by its path. So few are found fastest by looking.
    urls: Vec<(&'static str, Url)>,
    /// What every request carries.
    headers: HeaderMap,
    secrets: Vec<SecretString>,
    gate: Gate,
    connections: Semaphore,
}

/// What a transport is made from, so that a forked process can make one of its own.
#[derive(Clone)]
struct Setup {
    credentials: Arc<Credentials>,
    base_url: Url,
    connect_timeout: Duration,
    trust: Trust,
    /// That of the environment, where it may be used.
    proxy: Option<reqwest::Proxy>,
    user_agent: String,
}

/// A call that failed for good.
struct Failure {
    error: Error,
    /// The request may have been carried out all the same.
    in_doubt: bool,
    /// The last cause for which a request that went out got no answer.
    unanswered: Option<Cause>,
}

impl Failure {
    fn certain(error: Error) -> Self {
        Self { error, in_doubt: false, unanswered: None }
    }

    /// What to tell of a call that nothing can be found out about: of a write that got no answer, that its outcome is unknown.
    /// A refusal that came after that stands, unless the write is one that is never sent again, or says no more than that the
    /// service is busy.
    fn settled(self, call: &Call) -> Error {
        match (call.replay, self.unanswered, self.error) {
            (Replay::Once, Some(cause), _)
            | (
                Replay::Idempotent,
                Some(cause),
                Error::Timeout { .. } | Error::Connection { .. } | Error::Server(_) | Error::RateLimited(_),
            ) => outcome_unknown(call, cause.reason),
            (_, _, error) => error,
        }
    }
}

/// An exchange with the service that has ended, with an answer or without. [`Exchange::read`] gives the call's result.
pub struct Exchange {
    transport: Arc<Transport>,
    request: Request,
    end: End,
}

enum End {
    Answered(Answer),
    Failed(Error),
    /// A write that ended in doubt was looked up, and this was found.
    LookedUp {
        failure: Failure,
        found: Found<Bytes>,
    },
}

impl Exchange {
    /// Itself, if there is something to read.
    ///
    /// # Errors
    ///
    /// Why there is not: any [`Error`] but those of input.
    pub fn answered(self) -> Result<Self> {
        match self.end {
            End::Failed(error) => Err(error),
            end => Ok(Self { end, ..self }),
        }
    }

    /// Reads it as the answer of the endpoint that was sent.
    ///
    /// # Errors
    ///
    /// Any [`Error`] but those of input.
    pub fn read<E: Endpoint>(self, endpoint: &E) -> Result<E::Answer> {
        let Self { transport, request, end } = self;
        match end {
            End::Answered(answer) => E::decode(answer.bytes()).map_err(|mismatch| {
                let error = transport.unreadable(&request, &answer, &mismatch);
                // A write may have been carried out, or a front end may have spoken.
                match request.call.replay {
                    Replay::Read => error,
                    _ => unknown(request.call, Failure::certain(error)),
                }
            }),
            End::Failed(error) => Err(error),
            End::LookedUp { failure, found } => {
                let finding = endpoint.read_back().and_then(|ReadBack { judge, .. }| match &found {
                    Found::Answer(body) => judge(Found::Answer(body)).ok(),
                    Found::Nothing => judge(Found::Nothing).ok(),
                });
                match finding {
                    Some(Finding::So(answer)) => Ok(answer),
                    Some(Finding::NotSo) => Err(failure.error),
                    Some(Finding::Unclear) | None => Err(unknown(request.call, failure)),
                }
            }
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("call", &self.request.call.name).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(resolved: Resolved) -> Result<Self> {
        let Resolved { credentials, base_url, connect_timeout, ca_file, ca_variables, trust_env, user_agent } =
            resolved;
        // What the environment says of certificates and proxies concerns https alone: plain http is for loopback, where a
        // proxy would only see the credentials. A bad ca_file is told in any case.
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
            trust,
            proxy,
            user_agent,
        })
    }

    /// The same, with connections and a gate of its own.
    pub(crate) fn renewed(&self) -> Result<Self> {
        Self::from_setup(self.setup.clone())
    }

    fn from_setup(setup: Setup) -> Result<Self> {
        let tls = tls::config(&setup.trust)?;
        let build = |idle_connections: usize| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .dns_resolver(dns::System)
                .connect_timeout(setup.connect_timeout)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle_connections);
            builder = match &setup.proxy {
                Some(proxy) => builder.proxy(proxy.clone()),
                None => builder.no_proxy(),
            };
            builder.build().map_err(|error| Error::config(format!("the client cannot be made: {error}")))
        };
        let user_agent = HeaderValue::from_str(&setup.user_agent)
            .map_err(|_| Error::config("the user agent holds a character that no header can carry"))?;
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, JSON);
        headers.insert(AUTHORIZATION, setup.credentials.header()?);
        headers.insert(USER_AGENT, user_agent);
        Ok(Self {
            pooled: build(usize::MAX)?,
            unpooled: build(0)?,
            urls: CALLS.into_iter().map(|call| (call.path, url_of(&setup.base_url, call))).collect(),
            headers,
            secrets: setup.credentials.secrets(),
            gate: Gate::of(setup.base_url.as_str(), &setup.credentials),
            connections: Semaphore::new(CONNECTIONS),
            setup,
        })
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.setup.credentials
    }

    pub(crate) fn base_url(&self) -> &str {
        self.setup.base_url.as_str().trim_end_matches('/')
    }

    /// Sends a call to its end.
    pub(crate) async fn exchange(
        self: Arc<Self>,
        endpoint: &dyn Sendable,
        options: Options,
        observer: Option<Observer>,
    ) -> Exchange {
        let request = endpoint.request();
        let call = request.call;
        let observer = observer.as_ref();
        let end = match self.deliver(&request, options, observer).await {
            Ok(answer) if call.replay != Replay::Verifiable => End::Answered(answer),
            Ok(answer) => match endpoint.check(answer.bytes()) {
                Ok(()) => End::Answered(answer),
                Err(mismatch) => {
                    let error = self.unreadable(&request, &answer, &mismatch);
                    let failure = Failure { error, in_doubt: true, unanswered: None };
                    self.settle(call, endpoint.probe(), failure, options, observer).await
                }
            },
            Err(failure) if call.replay == Replay::Verifiable && failure.in_doubt => {
                self.settle(call, endpoint.probe(), failure, options, observer).await
            }
            Err(failure) => End::Failed(failure.settled(call)),
        };
        Exchange { transport: self, request, end }
    }

    /// The error for a success that cannot be read: too large, or not what was promised.
    fn unreadable(&self, request: &Request, answer: &Answer, mismatch: &Mismatch) -> Error {
        let call = request.call;
        let reason = match &answer.body {
            None => "it is larger than 8 MiB".to_owned(),
            Some(body) if body.is_empty() => "it is empty".to_owned(),
            Some(_) => mismatch.reason(!call.secret_answer),
        };
        let (reason, body) = refusal::unreadable(call, answer.bytes(), &reason, &self.secrets(request));
        Error::Decode { call: call.name, status: answer.status, reason, body }
    }

    /// Looks up whether a write that ended in doubt took effect, where that can be.
    async fn settle(
        &self,
        call: &'static Call,
        probe: Option<Request>,
        failure: Failure,
        options: Options,
        observer: Option<&Observer>,
    ) -> End {
        let refused = match &failure.error {
            Error::Authentication(_) | Error::AuthenticationBlocked { .. } => true,
            Error::Timeout { .. }
            | Error::Connection { .. }
            | Error::Decode { .. }
            | Error::Server(_)
            | Error::RateLimited(_) => false,
            // Only "already so" can be the echo of an earlier attempt; any other answer stands.
            error if error.status().is_some_and(|status| call.already_so.contains(&status)) => false,
            _ => return End::Failed(failure.error),
        };
        let Some(probe) = probe.filter(|_| !refused) else {
            return End::Failed(unknown(call, failure));
        };
        // A service that gives no answer gets one more chance to, not three.
        let silent = matches!(failure.error, Error::Timeout { .. } | Error::Connection { .. });
        let options = if silent { Options::new().max_retries(0).over(options) } else { options };
        match self.deliver(&probe, options, observer).await {
            Ok(Answer { body: Some(body), .. }) => End::LookedUp { failure, found: Found::Answer(body) },
            Err(Failure { error: Error::NotFound(_), .. }) => {
                End::LookedUp { failure, found: Found::Nothing }
            }
            _ => End::Failed(unknown(call, failure)),
        }
    }

    /// Sends a request as often as it may be sent, until it succeeds.
    async fn deliver(
        &self,
        request: &Request,
        options: Options,
        observer: Option<&Observer>,
    ) -> Result<Answer, Failure> {
        let call = request.call;
        if call.auth == Auth::BasicOnly && !self.setup.credentials.is_basic() {
            return Err(Failure::certain(Error::BasicAuthRequired { call: call.name }));
        }
        let (mut attempts, mut in_doubt, mut unanswered) = (0, false, None);
        loop {
            attempts += 1;
            let (outcome, start) = match self.attempt(request, options, attempts).await {
                Ok(ended) => ended,
                Err(error) => return Err(Failure { error, in_doubt, unanswered }),
            };
            let retry_in = match &outcome {
                Outcome::Answered(answer) if answer.is_success() => None,
                _ => retry::wait(call.replay, &outcome, attempts, options.retries()),
            };
            observer::tell(observer, || outcome.told(call, attempts, start.elapsed(), retry_in));
            in_doubt |= retry::is_ambiguous(&outcome);
            if let Outcome::Unanswered(cause) = &outcome {
                unanswered = Some(cause.clone());
            }
            if let Some(wait) = retry_in {
                tokio::time::sleep(wait).await;
                continue;
            }
            let error = match outcome {
                Outcome::Answered(answer) if answer.is_success() => return Ok(answer),
                Outcome::Answered(answer) => {
                    refusal::refusal(call, &answer, attempts, &self.secrets(request)).into_error()
                }
                Outcome::Unsent(cause) | Outcome::Unanswered(cause) => {
                    let Cause { timed_out, reason, .. } = cause;
                    if timed_out {
                        Error::Timeout { call: call.name, reason, attempts }
                    } else {
                        Error::Connection { call: call.name, reason, attempts }
                    }
                }
            };
            return Err(Failure { error, in_doubt, unanswered });
        }
    }

    /// Passes the gate and sends the request once: what came of it, and when it began. An error is the gate's: nothing was
    /// sent.
    async fn attempt(
        &self,
        request: &Request,
        options: Options,
        attempts: u32,
    ) -> Result<(Outcome, Instant)> {
        let call = request.call;
        let limit = options.attempt_timeout();
        let mut permit = match self.gate.pass() {
            Some(permit) => permit,
            None => tokio::time::timeout(limit, self.gate.enter(call.name)).await.map_err(|_| {
                let seconds = limit.as_secs_f64();
                let reason = format!(
                    "waited {seconds} s for another call to find out whether the credentials are right"
                );
                Error::Timeout { call: call.name, reason, attempts }
            })??,
        };
        // Fails if it is closed, which it never is. The time limit is that of the attempt: it does not run while waiting for one's turn.
        let _connection = self.connections.acquire().await.ok();
        let start = Instant::now();
        let deadline = start.checked_add(limit).unwrap_or_else(|| start + FOR_EVER);
        let (message, sent) = self.message(request);
        permit.sends(&sent);
        let client = if call.replay == Replay::Once { &self.unpooled } else { &self.pooled };
        let outcome = attempt::send(client, message, &sent, deadline, limit).await;
        match &outcome {
            Outcome::Answered(answer) => match answer.status {
                200..=299 | 400 | 402 | 404 => permit.accepted(),
                401 => permit.rejected(&refusal::refusal(call, answer, attempts, &self.secrets(request))),
                // These may be a front end's word, given before the credentials were looked at.
                _ => permit.undecided(),
            },
            Outcome::Unsent(_) => permit.undecided(),
            Outcome::Unanswered(_) => drop(permit),
        }
        Ok((outcome, start))
    }

    /// The HTTP request, and the watch over whether it was sent.
    fn message(&self, request: &Request) -> (reqwest::Request, Sent) {
        let call = request.call;
        let known = self.urls.iter().find(|(path, _)| *path == call.path);
        let mut url = known.map_or_else(|| url_of(&self.setup.base_url, call), |(_, url)| url.clone());
        let (method, form) = match call.method {
            Method::Get => {
                if !request.params.is_empty() {
                    url.set_query(Some(request.params()));
                }
                (reqwest::Method::GET, Bytes::new())
            }
            Method::Post => (reqwest::Method::POST, request.params.clone()),
        };
        let mut message = reqwest::Request::new(method, url);
        let headers = message.headers_mut();
        headers.clone_from(&self.headers);
        if call.method == Method::Post {
            headers.insert(CONTENT_TYPE, FORM);
            if form.is_empty() {
                // hyper leaves the length out, and front ends answer 411 to that (RFC 9110, section 8.6).
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
        }
        let (body, sent) = Outgoing::new(form);
        *message.body_mut() = Some(reqwest::Body::wrap(body));
        (message, sent)
    }

    fn secrets<'a>(&'a self, request: &'a Request) -> Vec<&'a SecretString> {
        self.secrets.iter().chain(&request.secrets).collect()
    }
}

/// Where a call goes; the path of the base URL, if any, is a prefix of every call's.
fn url_of(base_url: &Url, call: &Call) -> Url {
    let mut url = base_url.clone();
    url.set_path(&format!("{}{}", base_url.path().trim_end_matches('/'), call.path));
    url
}

/// The error for a write of which nothing could be found out.
fn unknown(call: &'static Call, failure: Failure) -> Error {
    match (failure.unanswered, failure.error) {
        (None, error @ Error::Server(_)) => error,
        (Some(cause), _) => outcome_unknown(call, cause.reason),
        (None, Error::Decode { status, reason, .. }) => {
            outcome_unknown(call, format!("the answer ({status}) cannot be read: {reason}"))
        }
        (None, error) => {
            let reason = error.refusal().map_or_else(|| error.to_string(), Refusal::summary);
            outcome_unknown(call, reason)
        }
    }
}

fn outcome_unknown(call: &Call, reason: String) -> Error {
    Error::OutcomeUnknown { call: call.name, reason, advice: call.find_out }
}
