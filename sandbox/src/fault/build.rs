//! How a fault is made in Rust.

use std::time::Duration;

use super::{Body, Fault, Kind};

impl Fault {
    /// Answers this status, from 200 to 599, instead of carrying the call out.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::of(Kind::Status { status })
    }

    /// Answers 302 to `location` instead of carrying the call out.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::of(Kind::Redirect { location: location.into() })
    }

    /// Closes the connection without an answer; the call is not carried out.
    #[must_use]
    pub fn drop() -> Self {
        Self::of(Kind::Drop)
    }

    /// Resets the connection (TCP RST); the call is not carried out.
    #[must_use]
    pub fn reset() -> Self {
        Self::of(Kind::Reset)
    }

    /// Waits, in real time, then carries the call out; not if the client has left by then.
    #[must_use]
    pub fn delay(wait: Duration) -> Self {
        Self::of(Kind::Delay { seconds: wait })
    }

    /// Carries the call out, then waits, in real time, before it answers.
    #[must_use]
    pub fn delay_after_apply(wait: Duration) -> Self {
        Self::of(Kind::DelayAfterApply { seconds: wait })
    }

    /// Carries the call out, then closes the connection without an answer.
    #[must_use]
    pub fn drop_after_apply() -> Self {
        Self::of(Kind::DropAfterApply)
    }

    /// Carries the call out, then closes the connection half-way through the body.
    #[must_use]
    pub fn truncate() -> Self {
        Self::of(Kind::Truncate)
    }

    /// Carries the call out; the body is random bytes.
    #[must_use]
    pub fn garbage() -> Self {
        Self::of(Kind::Garbage)
    }

    /// Carries the call out; the body is JSON of the wrong type at the top.
    #[must_use]
    pub fn wrong_type() -> Self {
        Self::of(Kind::WrongType { inside: false })
    }

    /// Carries the call out; in the body numbers and booleans are strings, and strings numbers.
    #[must_use]
    pub fn wrong_type_inside() -> Self {
        Self::of(Kind::WrongType { inside: true })
    }

    /// Carries the call out, then answers 200 with an HTML page.
    #[must_use]
    pub fn html() -> Self {
        Self::of(Kind::Html)
    }

    /// Carries the call out, then answers 200 with an empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Kind::Empty)
    }

    /// Carries the call out, then streams a body of this many bytes: the right JSON and blanks.
    #[must_use]
    pub fn huge(bytes: usize) -> Self {
        Self::of(Kind::Huge { bytes })
    }

    /// Carries the call out, then sends the body byte by byte with this pause in between.
    #[must_use]
    pub fn drip(pause: Duration) -> Self {
        Self::of(Kind::Drip { seconds: pause })
    }

    /// Answers as usual and keeps the connection open, then closes it this long after.
    #[must_use]
    pub fn close_idle(after: Duration) -> Self {
        Self::of(Kind::CloseIdle { seconds: after })
    }

    /// Only calls with this method: `GET` or `POST`.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only calls with this path, such as `/api/ip/add/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only requests to the proxy of this name, such as `us-ca`, of a sandbox that
    /// [serves the proxies](crate::Builder::proxies).
    #[must_use]
    pub fn proxy(mut self, name: impl Into<String>) -> Self {
        self.proxy = Some(name.into());
        self
    }

    /// How many calls it is applied to; 0 for all.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// How many matching calls pass unharmed before.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// The body of a `status` fault, as plain text. Without one it is `{"error": …}`.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.body = Some(Body::Text(text.into()));
        self
    }

    /// The body of a `status` fault, as `application/json`. The text is sent as it is.
    #[must_use]
    pub fn json_body(mut self, json: impl Into<String>) -> Self {
        self.body = Some(Body::Json(json.into()));
        self
    }

    /// A header of a `status` fault.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.get_or_insert_default().push((name.into(), value.into()));
        self
    }

    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, method: None, path: None, proxy: None, times: 1, after: 0, body: None, headers: None }
    }
}
