//! How any call is sent: gate → attempt → retry → decode. Knows no resource.

mod attempt;
mod gate;
mod outcome;
mod outgoing;
mod redact;
mod refusal;
mod retry;
mod tls;

use crate::{
    endpoint::{Auth, Call, Endpoint, Finding, Found, Method, Replay, Request},
    error::{Error, Refusal, Result},
    settings::{Options, Resolved},
};
use bytes::Bytes;
use gate::Gate;
use outcome::{Answer, Cause, Outcome};
use outgoing::{Outgoing, Sent};
use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use secrecy::SecretString;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::time::Instant;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Idle connections are dropped after this, before any ordinary server or load balancer drops them.
const IDLE: Duration = Duration::from_secs(15);

/// For a time limit beyond what the clock can tell.
const FOR_EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The way to one service with one set of credentials.
pub(crate) struct Transport {
    pooled: reqwest::Client,
    /// For calls that are sent once: a connection of their own, because a kept-alive one that the server is just
    /// closing would leave their outcome unknown.
    unpooled: reqwest::Client,
    base_url: Url,
    basic: bool,
    authorization: HeaderValue,
    secrets: Vec<SecretString>,
    gate: Gate,
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
}

impl Transport {
    pub(crate) fn new(resolved: Resolved) -> Result<Self> {
        let Resolved { credentials, base_url, connect_timeout, ca_file, env_ca_file, trust_env, user_agent } =
            resolved;
        // Certificates are read where they are needed, and a bad ca_file is told in any case.
        let secure = base_url.scheme() == "https";
        let tls = tls::config(ca_file.as_deref(), env_ca_file.as_deref().filter(|_| secure))?;
        let build = |idle_connections: usize| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle_connections)
                .user_agent(&user_agent);
            // Plain http is for loopback, where a proxy would only see the credentials.
            if !trust_env || !secure {
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| Error::config(format!("the client cannot be made: {error}")))
        };
        Ok(Self {
            pooled: build(usize::MAX)?,
            unpooled: build(0)?,
            basic: credentials.is_basic(),
            authorization: credentials.header()?,
            secrets: credentials.secrets(),
            gate: Gate::of(base_url.as_str(), &credentials),
            base_url,
        })
    }

    pub(crate) fn base_url(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    /// Sends a call and reads its answer.
    pub(crate) async fn call<E: Endpoint>(&self, endpoint: E, options: Options) -> Result<E::Answer> {
        let request = Request::of(&endpoint);
        let failure = match self.deliver(&request, options).await {
            Ok(answer) => return self.decode::<E>(&request, &answer),
            Err(failure) => failure,
        };
        match E::CALL.replay {
            Replay::Verifiable if failure.in_doubt => self.settle(&endpoint, failure, options).await,
            Replay::Once => Err(match failure.unanswered {
                Some(cause) => outcome_unknown(E::CALL, cause.reason),
                None => failure.error,
            }),
            _ => Err(failure.error),
        }
    }

    fn decode<E: Endpoint>(&self, request: &Request, answer: &Answer) -> Result<E::Answer> {
        let call = E::CALL;
        let secrets = self.secrets(request);
        let Some(body) = &answer.body else {
            return Err(refusal::unreadable(call, answer.status, b"", "it is larger than 8 MiB", &secrets));
        };
        E::decode(body).map_err(|mismatch| {
            let reason =
                if body.is_empty() { "it is empty".to_owned() } else { mismatch.reason(!call.secret_answer) };
            refusal::unreadable(call, answer.status, body, &reason, &secrets)
        })
    }

    /// Looks up whether a write that ended in doubt took effect.
    async fn settle<E: Endpoint>(
        &self,
        endpoint: &E,
        failure: Failure,
        options: Options,
    ) -> Result<E::Answer> {
        let refused = match &failure.error {
            Error::Authentication(_) | Error::AuthenticationBlocked { .. } => true,
            Error::Timeout { .. } | Error::Connection { .. } | Error::Server(_) | Error::RateLimited(_) => {
                false
            }
            // Only "already so" can be the echo of an earlier attempt; any other answer stands.
            error if error.status().is_some_and(|status| E::CALL.already_so.contains(&status)) => false,
            _ => return Err(failure.error),
        };
        if !refused && let Some(read_back) = endpoint.read_back() {
            // A service that gives no answer gets one more chance to, not three.
            let silent = matches!(failure.error, Error::Timeout { .. } | Error::Connection { .. });
            let options = if silent { Options::new().max_retries(0).over(options) } else { options };
            let found = match self.deliver(&read_back.request, options).await {
                Ok(Answer { body: Some(body), .. }) => (read_back.judge)(Found::Answer(&body)).ok(),
                Err(Failure { error: Error::NotFound(_), .. }) => (read_back.judge)(Found::Nothing).ok(),
                _ => None,
            };
            match found {
                Some(Finding::So(answer)) => return Ok(answer),
                Some(Finding::NotSo) => return Err(failure.error),
                Some(Finding::Unclear) | None => {}
            }
        }
        Err(match (failure.unanswered, failure.error) {
            (None, error @ Error::Server(_)) => error,
            (Some(cause), _) => outcome_unknown(E::CALL, cause.reason),
            (None, error) => {
                let reason = error.refusal().map_or_else(|| error.to_string(), Refusal::summary);
                outcome_unknown(E::CALL, reason)
            }
        })
    }

    /// Sends a request as often as it may be sent, until it succeeds. Without the call's type, so that it is
    /// compiled once, not once a call.
    fn deliver<'a>(
        &'a self,
        request: &'a Request,
        options: Options,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + 'a>> {
        Box::pin(self.repeat(request, options))
    }

    async fn repeat(&self, request: &Request, options: Options) -> Result<Answer, Failure> {
        let call = request.call;
        if call.auth == Auth::BasicOnly && !self.basic {
            return Err(Failure::certain(Error::BasicAuthRequired { call: call.name }));
        }
        let (mut attempts, mut in_doubt, mut unanswered) = (0, false, None);
        loop {
            attempts += 1;
            let outcome = match self.attempt(request, options, attempts).await {
                Ok(outcome) => outcome,
                Err(error) => return Err(Failure { error, in_doubt, unanswered }),
            };
            let wait = match &outcome {
                Outcome::Answered(answer) if (200..300).contains(&answer.status) => None,
                _ => retry::wait(call.replay, &outcome, attempts, options.retries()),
            };
            in_doubt |= retry::is_ambiguous(&outcome);
            if let Outcome::Unanswered(cause) = &outcome {
                unanswered = Some(cause.clone());
            }
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
                continue;
            }
            let error = match outcome {
                Outcome::Answered(answer) if (200..300).contains(&answer.status) => return Ok(answer),
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

    /// Passes the gate and sends the request once. An error is the gate's: nothing was sent.
    async fn attempt(&self, request: &Request, options: Options, attempts: u32) -> Result<Outcome> {
        let call = request.call;
        let limit = options.attempt_timeout();
        let mut permit = tokio::time::timeout(limit, self.gate.enter(call.name)).await.map_err(|_| {
            let seconds = limit.as_secs_f64();
            let reason =
                format!("waited {seconds} s for another call to find out whether the credentials are right");
            Error::Timeout { call: call.name, reason, attempts }
        })??;
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
        log(request, attempts, start.elapsed(), &outcome);
        Ok(outcome)
    }

    /// The HTTP request, and the watch over whether it was sent.
    fn message(&self, request: &Request) -> (reqwest::Request, Sent) {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{}", self.base_url.path().trim_end_matches('/'), request.call.path));
        let method = match request.call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        if request.call.method == Method::Get && !request.params.is_empty() {
            url.set_query(Some(request.params()));
        }
        let mut message = reqwest::Request::new(method, url);
        let headers = message.headers_mut();
        headers.insert(ACCEPT, JSON);
        headers.insert(AUTHORIZATION, self.authorization.clone());
        let form = match request.call.method {
            Method::Get => Bytes::new(),
            Method::Post => {
                headers.insert(CONTENT_TYPE, FORM);
                if request.params.is_empty() {
                    // hyper leaves the length out, and front ends answer 411 to that (RFC 9110, section 8.6).
                    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
                request.params.clone()
            }
        };
        let (body, sent) = Outgoing::new(form);
        *message.body_mut() = Some(reqwest::Body::wrap(body));
        (message, sent)
    }

    fn secrets<'a>(&'a self, request: &'a Request) -> Vec<&'a SecretString> {
        self.secrets.iter().chain(&request.secrets).collect()
    }
}

fn outcome_unknown(call: &Call, reason: String) -> Error {
    Error::OutcomeUnknown { call: call.name, reason, advice: call.find_out }
}

/// One event an attempt; never a query, a form or credentials.
fn log(request: &Request, attempt: u32, elapsed: Duration, outcome: &Outcome) {
    let call = request.call;
    let (status, failure) = match outcome {
        Outcome::Answered(answer) => (Some(answer.status), None),
        Outcome::Unsent(cause) | Outcome::Unanswered(cause) => (None, Some(cause.reason.as_str())),
    };
    tracing::debug!(
        target: "proxymesh",
        call = call.name,
        method = %call.method,
        path = call.path,
        status,
        failure,
        elapsed_ms = elapsed.as_secs_f64() * 1000.0,
        attempt,
        "attempt"
    );
}
