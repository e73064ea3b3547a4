//! One request out, and what came of it.

use super::{
    outcome::{Answer, Cause, Outcome},
    retry,
};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use reqwest::header::RETRY_AFTER;
use std::{
    error::Error as StdError,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, timeout_at};

/// The most that is read of a successful answer.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// The most that is read of a refusal; its text is cut further.
pub(super) const LARGEST_REFUSAL: usize = 64 * 1024;

/// Sends `request`, which has to be answered by the deadline, `limit` after its start.
pub(super) async fn send(
    client: &reqwest::Client,
    request: reqwest::Request,
    sent: &Sent,
    deadline: Instant,
    limit: Duration,
) -> Outcome {
    let failed = |cause: Cause, connecting: bool| {
        if connecting || !sent.begun() { Outcome::Unsent(cause) } else { Outcome::Unanswered(cause) }
    };
    let mut response = match timeout_at(deadline, client.execute(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return failed(cause(&error), error.is_connect()),
        Err(_) => return failed(Cause::timed_out(limit), false),
    };
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| retry::retry_after(value.to_str().ok()?, SystemTime::now()));
    let read =
        timeout_at(deadline, read(&mut response)).await.unwrap_or_else(|_| Err(Cause::timed_out(limit)));
    match read {
        Ok(body) => Outcome::Answered(Answer { status, retry_after, body }),
        // What a refusal says in its status stands, even if its body broke off.
        Err(_) if !response.status().is_success() => {
            Outcome::Answered(Answer { status, retry_after, body: Some(Bytes::new()) })
        }
        Err(cause) => Outcome::Unanswered(cause),
    }
}

/// Reads the body; none if it is a success larger than may be read. A refusal is cut.
async fn read(response: &mut reqwest::Response) -> Result<Option<Bytes>, Cause> {
    let success = response.status().is_success();
    let most = if success { LARGEST_ANSWER } else { LARGEST_REFUSAL };
    if success && response.content_length().is_some_and(|length| length > LARGEST_ANSWER as u64) {
        return Ok(None);
    }
    // The usual answer is one chunk, which is then not copied.
    let Some(mut whole) = response.chunk().await.map_err(|error| cause(&error))? else {
        return Ok(Some(Bytes::new()));
    };
    if whole.len() < most
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

/// What went wrong, in the words of whoever noticed first; no URL, and so no query.
fn cause(error: &reqwest::Error) -> Cause {
    if error.is_connect() && error.is_timeout() {
        let reason = "no connection within connect_timeout".into();
        return Cause { timed_out: true, lasting: false, reason };
    }
    let mut words: Vec<String> = Vec::new();
    let mut lasting = false;
    let mut source = error.source();
    while let Some(error) = source {
        lasting |= is_about_certificates(error);
        let word = error.to_string();
        // Layers that only pass on say the same again, or "client error (Connect)".
        let passes_on = word.starts_with("client error (");
        if !passes_on && !words.iter().any(|said| said.contains(&word)) {
            words.push(word);
        }
        source = error.source();
    }
    let reason = if words.is_empty() { "the connection failed".to_owned() } else { words.join(": ") };
    Cause { timed_out: error.is_timeout(), lasting, reason }
}

/// A certificate that is refused now will be refused in a second.
fn is_about_certificates(error: &(dyn StdError + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether a request has begun to be written. A body is asked for its bytes only once there is a connection, so one
/// that never was asked belongs to a request that never was sent, whatever broke.
#[derive(Clone, Default)]
pub(super) struct Sent(Option<Arc<AtomicU8>>);

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const ABANDONED: u8 = 2;

impl Sent {
    /// For a request without a body to watch: it counts as sent unless connecting failed.
    pub(super) fn unwatched() -> Self {
        Self(None)
    }

    /// A form, and the watch over it.
    pub(super) fn watch(form: Bytes) -> (Self, Form) {
        let state = Arc::new(AtomicU8::new(WAITING));
        (Self(Some(state.clone())), Form { bytes: Some(form), state })
    }

    /// Whether the request has begun to be written. If it has not, it will not from now on: another thread may be
    /// about to.
    fn begun(&self) -> bool {
        let Some(state) = &self.0 else { return true };
        match state.compare_exchange(WAITING, ABANDONED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => false,
            Err(state) => state == STARTED,
        }
    }
}

/// A request body that notes when it is asked for, and refuses once the request is given up.
pub(super) struct Form {
    bytes: Option<Bytes>,
    state: Arc<AtomicU8>,
}

/// The request was given up before it was written; it closes its connection unwritten.
#[derive(Debug, thiserror::Error)]
#[error("the request was given up before it was sent")]
pub(super) struct Abandoned;

impl Body for Form {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        match self.state.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire) {
            Err(ABANDONED) => Poll::Ready(Some(Err(Abandoned))),
            _ => Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(form: &mut Form) -> Option<Result<Frame<Bytes>, Abandoned>> {
        match Pin::new(form).poll_frame(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(frame) => frame,
            Poll::Pending => panic!("a form is always ready"),
        }
    }

    #[test]
    fn a_form_that_was_asked_for_counts_as_sent() {
        let (sent, mut form) = Sent::watch(Bytes::from_static(b"a=b"));
        assert!(ask(&mut form).is_some_and(|frame| frame.is_ok()));
        assert!(sent.begun());
        assert!(ask(&mut form).is_none());
    }

    #[test]
    fn a_request_given_up_before_it_was_written_cannot_be_written_any_more() {
        let (sent, mut form) = Sent::watch(Bytes::from_static(b"a=b"));
        assert!(!sent.begun());
        assert!(ask(&mut form).is_some_and(|frame| frame.is_err()));
        assert!(!sent.begun());
    }
}
