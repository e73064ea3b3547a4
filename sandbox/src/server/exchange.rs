//! One request and its answer: reads and records the request, applies a fault if there is one, and carries out the
//! call.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use tokio::time;

use super::browser::{self, Names};
use super::link::{Busy, Link};
use super::reply::{Cut, Pace, Reply};
use crate::answer::Answer;
use crate::control;
use crate::fault::{Fault, Kind, disguise};
use crate::log::RecordedRequest;
use crate::service::authenticate::recorded;
use crate::service::form::decode_for_log;
use crate::service::{self, Call, LARGEST_BODY};
use crate::shared::Shared;

/// If a body is larger than this, the rest of it is not read.
const PATIENCE: usize = 4 * 1024 * 1024;

/// Answers a request, or cuts the connection.
pub(super) async fn exchange(
    shared: Arc<Shared>,
    link: Arc<Link>,
    from: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Reply>, Cut> {
    let busy = link.busy();
    let (head, body) = request.into_parts();
    let call = call(from, &head, read(body).await?);
    let control = control::is_control(&call.path);
    let names = match (shared.world().account.exposed, control) {
        (true, _) => Names::Any,
        (false, true) => Names::Loopback,
        (false, false) => Names::Api,
    };
    if let Some(refused) = browser::refused(&head, names) {
        return Ok(response(refused, Pace::AtOnce, busy));
    }
    if control {
        let answer = control::answer(&shared, &call);
        return Ok(response(answer, Pace::AtOnce, busy));
    }

    let (entry, fault) = {
        let mut world = shared.world();
        let fault = world.faults.take(&call.method, &call.path);
        let entry = world.log.push(record(&call, fault.as_ref()));
        (entry, fault)
    };
    let (answer, pace) = match fault {
        None => (service::answer(&mut shared.world(), &call), Pace::AtOnce),
        Some(fault) => spoilt(&shared, &link, &call, &fault).await?,
    };
    shared.world().log.update(entry, |entry| entry.status = Some(answer.status));
    Ok(response(answer, pace, busy))
}

/// Handles a call to which a fault applies.
async fn spoilt(shared: &Shared, link: &Link, call: &Call, fault: &Fault) -> Result<(Answer, Pace), Cut> {
    if let Some(answer) = fault.instead() {
        return Ok((answer, Pace::AtOnce));
    }
    match &fault.kind {
        Kind::Drop => return Err(Cut),
        Kind::Reset => {
            link.reset();
            return Err(Cut);
        }
        // If the client disconnects during the wait, hyper drops this future, and the call is not carried out.
        Kind::Delay { seconds } => time::sleep(*seconds).await,
        _ => {}
    }
    let answer = service::answer(&mut shared.world(), call);
    let answer = disguise(&fault.kind, answer);
    let pace = match &fault.kind {
        Kind::DropAfterApply => return Err(Cut),
        Kind::Truncate if answer.body.is_empty() => return Err(Cut),
        Kind::Truncate => Pace::Truncated,
        Kind::Huge { bytes } => Pace::Padded(*bytes),
        Kind::Drip { seconds } => Pace::Dripping(*seconds),
        Kind::DelayAfterApply { seconds } => {
            time::sleep(*seconds).await;
            Pace::AtOnce
        }
        Kind::CloseIdle { seconds } => {
            link.close_idle(*seconds);
            Pace::AtOnce
        }
        _ => Pace::AtOnce,
    };
    Ok((answer, pace))
}

/// The body, or `None` if it is too large. A client that disconnects gets no answer.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, Cut> {
    let mut content = Vec::new();
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|c| Pin::new(&mut body).poll_frame(c)).await {
        let Ok(data) = frame.map_err(|_| Cut)?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= LARGEST_BODY {
            content.extend_from_slice(&data);
        } else if length > PATIENCE {
            break;
        }
    }
    Ok((length <= LARGEST_BODY).then(|| content.into()))
}

fn call(from: IpAddr, head: &Parts, body: Option<Bytes>) -> Call {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Call {
        from,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: head.headers.get(CONTENT_TYPE).map(text),
        authorization: head.headers.get_all(AUTHORIZATION).iter().map(text).collect(),
        body,
    }
}

fn record(call: &Call, fault: Option<&Fault>) -> RecordedRequest {
    let is_form = call.content_type.as_deref().is_some_and(service::is_form);
    let form = call.body.as_deref().filter(|_| is_form).unwrap_or_default();
    RecordedRequest {
        number: 0,
        method: call.method.clone(),
        path: call.path.clone(),
        query: decode_for_log(call.query.as_bytes()),
        form: decode_for_log(form),
        content_type: call.content_type.clone(),
        auth: recorded(&call.authorization),
        status: None,
        fault: fault.map(Fault::kind),
    }
}

fn response(answer: Answer, pace: Pace, busy: Busy) -> Response<Reply> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if bodiless { Bytes::new() } else { answer.body };
    let mut response = Response::new(Reply::new(body, pace, busy));
    *response.status_mut() = status;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
