//! A request. Its body records whether the request has started to be written, and checks for permission just before.

use super::{gate::Leave, sent::Sent};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::{
    Method, Request, Uri,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A request without its headers.
pub(super) struct Message {
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) body: Outgoing,
}

impl Message {
    /// The request with the headers that every request has, `common`, and those of a form. They go into `room`, which is empty.
    pub(super) fn with_headers(self, common: &HeaderMap, room: HeaderMap) -> Request<Outgoing> {
        let Self { method, target, body } = self;
        let (post, empty) = (method == Method::POST, body.bytes.is_empty());
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target;
        let headers = request.headers_mut();
        *headers = room;
        for (name, value) in common {
            headers.insert(name, value.clone());
        }
        if post {
            headers.insert(CONTENT_TYPE, FORM);
            if empty {
                // hyper omits the length, and front ends may then return 411 (RFC 9110, section 8.6).
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
        }
        request
    }

    pub(super) fn without_headers(request: Request<Outgoing>) -> Self {
        let (head, body) = request.into_parts();
        Self { method: head.method, target: head.uri, body }
    }
}

/// The body of a request: a form, or empty.
pub(super) struct Outgoing {
    bytes: Bytes,
    sent: Sent,
    leave: Leave,
}

impl Outgoing {
    pub(super) fn new(bytes: Bytes, leave: Leave) -> (Self, Sent) {
        let sent = Sent::new();
        (Self { bytes, sent: sent.clone(), leave }, sent)
    }
}

/// The request was abandoned or held back before it was written. Its connection is closed without writing anything.
#[derive(Debug, thiserror::Error)]
#[error("the request was abandoned before it was sent")]
pub(super) struct Abandoned;

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        if self.sent.is_abandoned() {
            return Poll::Ready(Some(Err(Abandoned)));
        }
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        // If it may not be written, it must not look empty, so that it is polled and fails.
        self.sent.begin(self.leave.holds()) && self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let length = if self.sent.is_abandoned() { 1 } else { 0 };
        SizeHint::with_exact(length.max(self.bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(body: &mut Outgoing) -> Option<Result<Frame<Bytes>, Abandoned>> {
        match Pin::new(body).poll_frame(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(frame) => frame,
            Poll::Pending => panic!("it is always ready"),
        }
    }

    /// Runs `test` with an empty and a non-empty body. `Leave` works only inside the model checker.
    fn each(leave: bool, test: fn(&[u8], Outgoing, Sent)) {
        shuttle::check_random(
            move || {
                for form in [&b""[..], b"a=b"] {
                    let (body, sent) = Outgoing::new(Bytes::from_static(form), Leave::new(leave));
                    test(form, body, sent);
                }
            },
            1,
        );
    }

    #[test]
    fn a_request_whose_body_was_asked_for_counts_as_sent() {
        each(true, |form, mut body, sent| {
            assert_eq!(body.is_end_stream(), form.is_empty());
            assert!(sent.begun() && !sent.is_held_back());
            assert_eq!(poll(&mut body).is_some_and(|frame| frame.is_ok()), !form.is_empty());
            assert!(body.is_end_stream() && poll(&mut body).is_none());
        });
    }

    #[test]
    fn a_request_abandoned_before_it_was_written_cannot_be_written_later() {
        each(true, |_, mut body, sent| {
            assert!(!sent.begun());
            assert!(!body.is_end_stream() && body.size_hint().exact() > Some(0));
            assert!(poll(&mut body).is_some_and(|frame| frame.is_err()));
            assert!(!sent.begun() && !sent.is_held_back());
        });
    }

    #[test]
    fn a_request_without_permission_at_its_first_byte_is_not_written() {
        each(false, |_, mut body, sent| {
            assert!(!body.is_end_stream() && body.size_hint().exact() > Some(0));
            assert!(poll(&mut body).is_some_and(|frame| frame.is_err()));
            assert!(!sent.begun() && sent.is_held_back());
        });
    }
}
