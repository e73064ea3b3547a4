//! Faults: what a network, a front-end or a bad day of the service does to a call.

mod build;
mod check;
mod disguise;
mod json;
mod queue;

use std::time::Duration;

pub(crate) use disguise::disguise;
pub(crate) use queue::FaultQueue;

/// Makes the next matching API calls, or requests to a proxy, go wrong.
///
/// With [`proxy`](Self::proxy) it is for what that proxy of the sandbox is asked for, and `status`, `drop`,
/// `reset` or `delay`. Otherwise a fault matches any API call unless [`method`](Self::method) or [`path`](Self::path) say
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
    proxy: Option<String>,
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

impl Fault {
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

    fn matches(&self, method: &str, path: &str) -> bool {
        self.proxy.is_none()
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.path.as_deref().is_none_or(|wanted| wanted == path)
    }

    fn matches_proxy(&self, name: &str) -> bool {
        self.proxy.as_deref() == Some(name)
    }
}
