//! Sends one request and classifies the outcome.

use super::{
    connection::{Connection, Head},
    outcome::{Cause, Outcome, Response},
    outgoing::Message,
    pool::Pool,
    sent::Sent,
};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use hyper::body::Incoming;
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

/// The largest successful response that is read.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// How much of a refusal is read. Its text is shortened further.
pub(super) const LARGEST_REFUSAL: usize = 64 * 1024;

/// Takes `message`, sends it and waits for the response until `expired` returns the reason to stop waiting. `fresh` asks for a connection
/// that no other request has used.
pub(super) async fn send(
    pool: &Arc<Pool>,
    message: &mut Option<Message>,
    fresh: bool,
    sent: &Sent,
    expired: impl Future<Output = Cause>,
) -> Outcome {
    let mut head = None;
    let body = {
        let mut exchange = pin!(exchange(pool, message, fresh, &mut head));
        let mut expired = pin!(expired);
        let either = poll_fn(|context| match exchange.as_mut().poll(context) {
            Poll::Ready(body) => Poll::Ready(body),
            Poll::Pending => expired.as_mut().poll(context).map(Err),
        });
        either.await
    };
    match (body, head) {
        (Ok(body), Some(Head { status, retry_after })) => {
            Outcome::Answered(Response { status: status.as_u16(), retry_after, body })
        }
        // A refusal's status counts even if reading its body failed.
        (Err(_), Some(Head { status, retry_after })) if !status.is_success() => {
            Outcome::Answered(Response { status: status.as_u16(), retry_after, body: Some(Bytes::new()) })
        }
        (Ok(_), None) => Outcome::Unanswered(Cause::other("the response has no head")),
        (Err(cause), _) if sent.begun() => Outcome::Unanswered(cause),
        (Err(cause), _) => Outcome::Unsent(cause),
    }
}

/// Sends a request and reads the response. The head is stored as soon as it arrives.
async fn exchange(
    pool: &Arc<Pool>,
    message: &mut Option<Message>,
    fresh: bool,
    head: &mut Option<Head>,
) -> Result<Option<Bytes>, Cause> {
    let (mut connection, answered, body) = pool.send(message, fresh).await?;
    let success = head.insert(answered).status.is_success();
    let body = read(&mut connection, body, success).await?;
    if !fresh {
        pool.keep(connection).await;
    }
    Ok(body)
}

/// Reads the body. A refusal is cut off. If a successful body is too large, the result is `None`.
async fn read(
    connection: &mut Connection,
    mut body: Incoming,
    success: bool,
) -> Result<Option<Bytes>, Cause> {
    let most = if success { LARGEST_ANSWER } else { LARGEST_REFUSAL };
    // Nothing has been read yet, so this is the length of the whole body.
    let length = body.size_hint().exact();
    if success && length.is_some_and(|length| length > LARGEST_ANSWER as u64) {
        return Ok(None);
    }
    let mut whole = Bytes::new();
    let mut joined = BytesMut::new();
    while whole.len().max(joined.len()) <= most && !body.is_end_stream() {
        let part = match connection.next(&mut body).await {
            Some(Ok(part)) => part,
            Some(Err(error)) => return Err(Cause::of(&error, false)),
            None => break,
        };
        // Most responses are one part, which is not copied here.
        if whole.is_empty() && joined.is_empty() {
            whole = part;
            continue;
        }
        if joined.is_empty() {
            joined.reserve(length.map_or(0, |length| length.min(most as u64) as usize));
            joined.extend_from_slice(&std::mem::take(&mut whole));
        }
        joined.extend_from_slice(&part);
    }
    if !joined.is_empty() {
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
