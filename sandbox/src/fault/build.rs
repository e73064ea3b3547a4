//! Builds a fault in Rust.

use std::time::Duration;

use super::{Body, Fault, Kind};

impl Fault {
    /// Responds with this status, from 200 to 599. The call is not carried out.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::of(Kind::Status { status })
    }

    /// Responds with a 302 to `location`. The call is not carried out.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::of(Kind::Redirect { location: location.into() })
    }

    /// Closes the connection without a response. The call is not carried out.
    #[must_use]
    pub fn drop() -> Self {
        Self::of(Kind::Drop)
    }

    /// Resets the connection (TCP RST). The call is not carried out.
    #[must_use]
    pub fn reset() -> Self {
        Self::of(Kind::Reset)
    }

    /// Waits in real time, then carries the call out, unless the client has disconnected by then.
    #[must_use]
    pub fn delay(wait: Duration) -> Self {
        Self::of(Kind::Delay { seconds: wait })
    }

    /// Carries the call out, then waits in real time before it responds.
    #[must_use]
    pub fn delay_after_apply(wait: Duration) -> Self {
        Self::of(Kind::DelayAfterApply { seconds: wait })
    }

    /// Carries the call out, then closes the connection without a response.
    #[must_use]
    pub fn drop_after_apply() -> Self {
        Self::of(Kind::DropAfterApply)
    }

    /// Carries the call out, then closes the connection halfway through the body.
    #[must_use]
    pub fn truncate() -> Self {
        Self::of(Kind::Truncate)
    }

    /// Carries the call out, then responds with random bytes as the body.
    #[must_use]
    pub fn garbage() -> Self {
        Self::of(Kind::Garbage)
    }

    /// Carries the call out, then responds with JSON whose top-level type is wrong.
    #[must_use]
    pub fn wrong_type() -> Self {
        Self::of(Kind::WrongType { inside: false })
    }

    /// Carries the call out, then responds with JSON in which numbers and booleans are strings, and strings are
    /// numbers.
    #[must_use]
    pub fn wrong_type_inside() -> Self {
        Self::of(Kind::WrongType { inside: true })
    }

    /// Carries the call out, then responds with 200 and an HTML page.
    #[must_use]
    pub fn html() -> Self {
        Self::of(Kind::Html)
    }

    /// Carries the call out, then responds with 200 and an empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Kind::Empty)
    }

    /// Carries the call out, then streams a body of this many bytes: the right JSON, followed by spaces.
    #[must_use]
    pub fn huge(bytes: usize) -> Self {
        Self::of(Kind::Huge { bytes })
    }

    /// Carries the call out, then sends the body byte by byte, with this pause between bytes.
    #[must_use]
    pub fn drip(pause: Duration) -> Self {
        Self::of(Kind::Drip { seconds: pause })
    }

    /// Responds as usual, then closes the connection once it has been idle for this long.
    #[must_use]
    pub fn close_idle(after: Duration) -> Self {
        Self::of(Kind::CloseIdle { seconds: after })
    }

    /// Restricts the fault to calls with this method: `GET` or `POST`.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Restricts the fault to calls with this path, such as `/api/ip/add/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Applies the fault to requests to the proxy with this name, such as `us-ca`, instead of API calls. The sandbox
    /// must [run the proxies](crate::Builder::proxies).
    #[must_use]
    pub fn proxy(mut self, name: impl Into<String>) -> Self {
        self.proxy = Some(name.into());
        self
    }

    /// Sets how many calls the fault applies to; 0 means all. The default is 1.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Sets how many matching calls pass before the fault applies. The default is 0.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Sets the body of a `status` fault, as plain text. The default is `{"error": …}`.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.body = Some(Body::Text(text.into()));
        self
    }

    /// Sets the body of a `status` fault, as `application/json`. The text is sent as it is.
    #[must_use]
    pub fn json_body(mut self, json: impl Into<String>) -> Self {
        self.body = Some(Body::Json(json.into()));
        self
    }

    /// Adds a header to a `status` fault.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.get_or_insert_default().push((name.into(), value.into()));
        self
    }

    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, method: None, path: None, proxy: None, times: 1, after: 0, body: None, headers: None }
    }
}
