//! Refuses invalid faults when they are injected, rather than when they would apply.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

use super::{Fault, Kind};
use crate::Error;
use crate::openapi;
use crate::state::proxies::CATALOGUE;

const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
const MOST_BYTES: usize = 1 << 30;

impl Fault {
    /// Refuses a fault that could never match, or that could not be carried out.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if let Some(method) = &self.method
            && !["GET", "POST"].contains(&method.as_str())
        {
            return refuse(format!("method '{method}' is neither GET nor POST"));
        }
        if let Some(path) = &self.path
            && !openapi::exists(path)
        {
            return refuse(format!("the API has no path '{path}'; a path looks like /api/ip/add/"));
        }
        if let Some(name) = &self.proxy {
            if !CATALOGUE.contains(&name.as_str()) {
                return refuse(format!("there is no proxy '{name}'; a name looks like us-ca"));
            }
            if self.method.is_some() || self.path.is_some() {
                return refuse("a fault for a proxy has neither method nor path".to_owned());
            }
            if !matches!(self.kind, Kind::Status { .. } | Kind::Drop | Kind::Reset | Kind::Delay { .. }) {
                return refuse(format!(
                    "a proxy cannot have a fault of kind `{}`, only `status`, `drop`, `reset` or `delay`",
                    self.kind()
                ));
            }
        }
        let is_status = matches!(self.kind, Kind::Status { .. });
        if !is_status && (self.body.is_some() || self.headers.is_some()) {
            return refuse(format!("a fault of kind `{}` has neither body nor headers", self.kind()));
        }
        for (name, value) in self.headers.iter().flatten() {
            check_header(name, value)?;
        }
        match &self.kind {
            Kind::Status { status } if !(200..=599).contains(status) => {
                refuse(format!("status {status} is not from 200 to 599"))
            }
            Kind::Redirect { location } => check_header("location", location),
            Kind::Delay { seconds }
            | Kind::DelayAfterApply { seconds }
            | Kind::Drip { seconds }
            | Kind::CloseIdle { seconds }
                if *seconds > LONGEST_PAUSE =>
            {
                refuse(format!("seconds must be at most {}", LONGEST_PAUSE.as_secs()))
            }
            Kind::Huge { bytes } if *bytes > MOST_BYTES => {
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
    let valid = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
    if valid { Ok(()) } else { Err(Error::Invalid(format!("'{name}: {value}' is not a valid header"))) }
}
