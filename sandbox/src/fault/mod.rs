//! Faults: what a network, a front-end or a bad day of the service does to a call.

mod disguise;
mod json;
mod queue;

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

use crate::Error;
use crate::service::routes;

pub(crate) use disguise::disguise;
pub(crate) use queue::FaultQueue;

/// Makes the next matching API calls go wrong.
///
/// A fault matches any API call unless [`method`](Self::method) or [`path`](Self::path) say
/// otherwise, and once unless [`times`](Self::times) says otherwise. Among several the one injected
/// first is taken; a call taken by one fault is not seen by those after it.
///
/// Faults are matched before authentication. The ban's count is touched only by those that carry
/// the call out ("yes" below). An answer without a body (204) becomes a 200 where the fault needs a
/// body to spoil.
///
/// | kind | carried out | what the client sees |
/// |---|---|---|
/// | `status` | no | this status, with the body and headers given |
/// | `redirect` | no | 302 to `location` |
/// | `drop` | no | the connection closes without an answer |
/// | `reset` | no | the connection is reset (TCP RST) |
/// | `delay` | after the wait | the answer, late; not carried out if the client leaves meanwhile |
/// | `delay_after_apply` | before the wait | the answer, late |
/// | `drop_after_apply` | yes | the connection closes without an answer |
/// | `truncate` | yes | the connection closes half-way through the body; at once if it is empty |
/// | `garbage` | yes | the status stands, the body is random bytes: not UTF-8, not JSON |
/// | `wrong_type` | yes | JSON of another type than promised |
/// | `html` | yes | 200 with a `text/html` page |
/// | `empty` | yes | 200 with an empty body |
/// | `huge` | yes | the right JSON, followed by blanks, streamed |
/// | `drip` | yes | the body byte by byte |
/// | `close_idle` | yes | the answer; a moment later the connection closes unannounced |
///
/// ```
/// # fn main() -> Result<(), proxymesh_sandbox::Error> {
/// use proxymesh_sandbox::{Fault, Sandbox};
///
/// let sandbox = Sandbox::start()?;
/// sandbox.inject(Fault::status(503).header("retry-after", "1").path("/api/proxy/add/").times(2))?;
/// sandbox.inject(Fault::from_json(r#"{"kind": "drip", "seconds": 0.01}"#)?)?;
/// assert_eq!(sandbox.faults().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) kind: Kind,
    method: Option<String>,
    path: Option<String>,
    times: u32,
    after: u32,
    body: Option<Body>,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Status(u16),
    Redirect(String),
    Drop,
    Reset,
    Delay(Duration),
    DelayAfterApply(Duration),
    DropAfterApply,
    Truncate,
    Garbage,
    WrongType { inside: bool },
    Html,
    Empty,
    Huge(usize),
    Drip(Duration),
    CloseIdle(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Text(String),
    Json(String),
}

const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
const MOST_BYTES: usize = 1 << 30;

impl Fault {
    /// Answers this status, from 200 to 599, instead of carrying the call out.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::of(Kind::Status(status))
    }

    /// Answers 302 to `location` instead of carrying the call out.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::of(Kind::Redirect(location.into()))
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
        Self::of(Kind::Delay(wait))
    }

    /// Carries the call out, then waits, in real time, before it answers.
    #[must_use]
    pub fn delay_after_apply(wait: Duration) -> Self {
        Self::of(Kind::DelayAfterApply(wait))
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
        Self::of(Kind::Huge(bytes))
    }

    /// Carries the call out, then sends the body byte by byte with this pause in between.
    #[must_use]
    pub fn drip(pause: Duration) -> Self {
        Self::of(Kind::Drip(pause))
    }

    /// Answers as usual and keeps the connection open, then closes it this long after.
    #[must_use]
    pub fn close_idle(after: Duration) -> Self {
        Self::of(Kind::CloseIdle(after))
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
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The name of the kind, as in the table above.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Status(_) => "status",
            Kind::Redirect(_) => "redirect",
            Kind::Drop => "drop",
            Kind::Reset => "reset",
            Kind::Delay(_) => "delay",
            Kind::DelayAfterApply(_) => "delay_after_apply",
            Kind::DropAfterApply => "drop_after_apply",
            Kind::Truncate => "truncate",
            Kind::Garbage => "garbage",
            Kind::WrongType { .. } => "wrong_type",
            Kind::Html => "html",
            Kind::Empty => "empty",
            Kind::Huge(_) => "huge",
            Kind::Drip(_) => "drip",
            Kind::CloseIdle(_) => "close_idle",
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            method: None,
            path: None,
            times: 1,
            after: 0,
            body: None,
            headers: Vec::new(),
        }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.path.as_deref().is_none_or(|wanted| wanted == path)
    }

    /// Refuses what could never match, or could not be sent.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if let Some(method) = &self.method
            && !["GET", "POST"].contains(&method.as_str())
        {
            return refuse(format!("method '{method}' is neither GET nor POST"));
        }
        if let Some(path) = &self.path
            && !routes::exists(path)
        {
            return refuse(format!(
                "path '{path}' is none of the API's; it looks like /api/ip/add/"
            ));
        }
        let is_status = matches!(self.kind, Kind::Status(_));
        if !is_status && (self.body.is_some() || !self.headers.is_empty()) {
            return refuse(format!(
                "a {} fault has neither body nor headers",
                self.kind()
            ));
        }
        for (name, value) in &self.headers {
            check_header(name, value)?;
        }
        match &self.kind {
            Kind::Status(status) if !(200..=599).contains(status) => {
                refuse(format!("status {status} is not from 200 to 599"))
            }
            Kind::Redirect(location) => check_header("location", location),
            Kind::Delay(pause)
            | Kind::DelayAfterApply(pause)
            | Kind::Drip(pause)
            | Kind::CloseIdle(pause)
                if *pause > LONGEST_PAUSE =>
            {
                refuse(format!(
                    "seconds must be at most {}",
                    LONGEST_PAUSE.as_secs()
                ))
            }
            Kind::Huge(bytes) if *bytes > MOST_BYTES => {
                refuse(format!("bytes must be at most {MOST_BYTES}"))
            }
            _ => Ok(()),
        }
    }
}

fn check_header(name: &str, value: &str) -> Result<(), Error> {
    let lower = name.to_ascii_lowercase();
    if ["content-length", "transfer-encoding"].contains(&lower.as_str()) {
        return Err(Error::Invalid(format!("the header '{name}' cannot be set")));
    }
    let valid =
        HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
    if valid {
        Ok(())
    } else {
        Err(Error::Invalid(format!(
            "'{name}: {value}' is not a valid header"
        )))
    }
}
