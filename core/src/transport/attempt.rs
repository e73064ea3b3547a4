//! Sends one request and classifies the outcome.

use super::{
    outcome::{Cause, Outcome, Response},
    retry,
    sent::Sent,
    tls,
};
use crate::runtime::lack;
use bytes::{Bytes, BytesMut};
use reqwest::header::RETRY_AFTER;
use std::{
    error::Error as StdError,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::Poll,
    time::SystemTime,
};

/// The largest successful response that is read.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// How much of a refusal is read. Its text is shortened further.
pub(super) const LARGEST_REFUSAL: usize = 64 * 1024;

/// Sends `request` and waits for the response until `expired` returns the reason to stop waiting.
pub(super) async fn send(
    client: &reqwest::Client,
    request: reqwest::Request,
    sent: &Sent,
    expired: impl Future<Output = Cause>,
) -> Outcome {
    let mut expired = pin!(expired);
    let failed = |cause| if sent.begun() { Outcome::Unanswered(cause) } else { Outcome::Unsent(cause) };
    let mut response = match unless(expired.as_mut(), client.execute(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return failed(cause(&error)),
        Err(cause) => return failed(cause),
    };
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| retry::retry_after(value.to_str().ok()?, SystemTime::now()));
    match unless(expired, read(&mut response)).await.and_then(|read| read) {
        Ok(body) => Outcome::Answered(Response { status, retry_after, body }),
        // A refusal's status counts even if reading its body failed.
        Err(_) if !response.status().is_success() => {
            Outcome::Answered(Response { status, retry_after, body: Some(Bytes::new()) })
        }
        Err(cause) => Outcome::Unanswered(cause),
    }
}

/// The output of `future`, unless `expired` ends before it.
async fn unless<T>(
    mut expired: Pin<&mut impl Future<Output = Cause>>,
    future: impl Future<Output = T>,
) -> Result<T, Cause> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(given) => Poll::Ready(Ok(given)),
        Poll::Pending => expired.as_mut().poll(context).map(Err),
    })
    .await
}

/// Reads the body. A refusal is cut off. If a successful body is too large, the result is `None`.
async fn read(response: &mut reqwest::Response) -> Result<Option<Bytes>, Cause> {
    let success = response.status().is_success();
    let most = if success { LARGEST_ANSWER } else { LARGEST_REFUSAL };
    // Nothing has been read yet, so this is the length of the whole body.
    let length = response.content_length();
    if success && length.is_some_and(|length| length > LARGEST_ANSWER as u64) {
        return Ok(None);
    }
    // Most responses are one chunk, which is not copied here.
    let Some(mut whole) = response.chunk().await.map_err(|error| cause(&error))? else {
        return Ok(Some(Bytes::new()));
    };
    if length.is_none_or(|length| (whole.len() as u64) < length)
        && whole.len() < most
        && let Some(next) = response.chunk().await.map_err(|error| cause(&error))?
    {
        let mut joined = BytesMut::from(whole);
        joined.extend_from_slice(&next);
        while joined.len() <= most {
            match response.chunk().await.map_err(|error| cause(&error))? {
                Some(next) => joined.extend_from_slice(&next),
                None => break,
            }
        }
        whole = joined.freeze();
    }
    if whole.len() <= most {
        Ok(Some(whole))
    } else if success {
        Ok(None)
    } else {
        Ok(Some(whole.slice(..most)))
    }
}

/// What went wrong, as described by the layers below reqwest. It contains no URL, and so no query.
fn cause(error: &reqwest::Error) -> Cause {
    if error.is_connect() && error.is_timeout() {
        let reason = "could not connect within connect_timeout".into();
        return Cause { timed_out: true, lasting: false, reason };
    }
    let mut words: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(failure) = tls_failure(inner) {
            let lasting = tls::is_lasting(failure, error.is_connect());
            return Cause { timed_out: false, lasting, reason: tls::in_words(failure) };
        }
        let lacking = inner.downcast_ref::<io::Error>().and_then(lack);
        let word = lacking.map_or_else(|| inner.to_string(), str::to_owned);
        // Layers that only pass on an error repeat its text or say "client error (Connect)".
        let passes_on = word.starts_with("client error (");
        if !passes_on && !words.iter().any(|said| said.contains(&word)) {
            words.push(word);
        }
        source = inner.source();
    }
    // A retry does not help if the proxy requires a password or rejects this one.
    let lasting = words.iter().any(|word| word.ends_with("proxy authorization required"));
    let reason = if words.is_empty() { "unknown cause".to_owned() } else { words.join(": ") };
    Cause { timed_out: error.is_timeout(), lasting, reason }
}

/// The TLS error inside any number of I/O errors. Their `source` skips it.
fn tls_failure<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        if let Some(failure) = error.downcast_ref::<rustls::Error>() {
            return Some(failure);
        }
        error = error.downcast_ref::<io::Error>()?.get_ref()?;
    }
}
