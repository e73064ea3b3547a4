//! Faults: what a network, a front-end server or an outage can do to a call.

mod build;
mod check;
mod disguise;
mod json;
mod queue;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use disguise::disguise;
pub(crate) use queue::FaultQueue;

/// Makes the next matching API calls, or requests to a proxy, fail.
///
/// A fault matches any API call, unless [`method`](Self::method) or [`path`](Self::path) restricts it. With
/// [`proxy`](Self::proxy), it matches requests to that proxy of the sandbox instead, and its kind must be `status`,
/// `drop`, `reset` or `delay`. It applies once, unless [`times`](Self::times) says otherwise. If several faults match a
/// call, the one injected first applies, and the call does not count for the others.
///
/// Faults are matched before authentication. A failed authentication counts towards the ban only if the fault carries
/// the call out (see the table). A response without a body (204) becomes a 200 if the fault needs a body to change. A
/// fault can wait for at most one hour, and `huge` can send at most 1 GiB.
///
/// | kind | carried out | what the client sees |
/// |---|---|---|
/// | `status` | no | this status, with the body and headers given |
/// | `redirect` | no | 302 to `location` |
/// | `drop` | no | the connection closes without a response |
/// | `reset` | no | the connection is reset (TCP RST) |
/// | `delay` | after the wait | a late response; the call is not carried out if the client disconnects first |
/// | `delay_after_apply` | before the wait | a late response |
/// | `drop_after_apply` | yes | the connection closes without a response |
/// | `truncate` | yes | the connection closes halfway through the body, or without a response if the body is empty |
/// | `garbage` | yes | the right status, with random bytes as the body, which are neither UTF-8 nor JSON |
/// | `wrong_type` | yes | JSON of a different type from the documented one |
/// | `html` | yes | 200 with a `text/html` page |
/// | `empty` | yes | 200 with an empty body |
/// | `huge` | yes | the right JSON, followed by spaces, streamed |
/// | `drip` | yes | the body, one byte at a time |
/// | `close_idle` | yes | the response; a moment later, the connection closes without notice |
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Fault {
    #[serde(flatten, deserialize_with = "json::kind")]
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    #[serde(default = "json::once")]
    times: u32,
    #[serde(default)]
    after: u32,
    // Only for `status`. The builder can set these two on any fault, so `check` refuses them on the other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(default, with = "json::headers", skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<(String, String)>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Kind {
    Status {
        status: u16,
    },
    Redirect {
        #[serde(default = "json::nowhere")]
        location: String,
    },
    Drop,
    Reset,
    Delay {
        #[serde(with = "json::seconds")]
        seconds: Duration,
    },
    DelayAfterApply {
        #[serde(with = "json::seconds")]
        seconds: Duration,
    },
    DropAfterApply,
    Truncate,
    Garbage,
    WrongType {
        #[serde(default)]
        inside: bool,
    },
    Html,
    Empty,
    Huge {
        #[serde(default = "json::huge")]
        bytes: usize,
    },
    Drip {
        #[serde(default = "json::drip", with = "json::seconds")]
        seconds: Duration,
    },
    CloseIdle {
        #[serde(default = "json::close_idle", with = "json::seconds")]
        seconds: Duration,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "serde_json::Value", into = "serde_json::Value")]
pub(crate) enum Body {
    Text(String),
    Json(String),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Redirect { .. } => "redirect",
            Self::Drop => "drop",
            Self::Reset => "reset",
            Self::Delay { .. } => "delay",
            Self::DelayAfterApply { .. } => "delay_after_apply",
            Self::DropAfterApply => "drop_after_apply",
            Self::Truncate => "truncate",
            Self::Garbage => "garbage",
            Self::WrongType { .. } => "wrong_type",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::Huge { .. } => "huge",
            Self::Drip { .. } => "drip",
            Self::CloseIdle { .. } => "close_idle",
        }
    }
}

impl Fault {
    /// The name of the kind, as in the table above.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.name()
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
