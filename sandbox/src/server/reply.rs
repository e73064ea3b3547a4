//! Sends the body of an answer: as it is, or as a fault changes it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{self, Sleep};

use super::link::Busy;

/// The time to send the first half of a truncated body before the connection closes.
const HEAD_START: Duration = Duration::from_millis(20);
const SPACES: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);

/// How a body is sent.
pub(super) enum Pace {
    AtOnce,
    /// The first half, then the connection breaks.
    Truncated,
    /// Byte by byte.
    Dripping(Duration),
    /// Followed by spaces up to this length. The client is not told the length.
    Padded(usize),
}

/// A body. The connection is busy until it has been sent.
pub(super) struct Reply {
    rest: Bytes,
    pace: Pace,
    /// How many bytes follow `rest`. If the body is truncated, they are not sent. If it is padded, they are spaces.
    beyond: usize,
    pause: Option<Pin<Box<Sleep>>>,
    _busy: Busy,
}

impl Reply {
    pub(super) fn new(mut content: Bytes, pace: Pace, busy: Busy) -> Self {
        let beyond = match &pace {
            Pace::Truncated => content.split_off(content.len() / 2).len(),
            Pace::Padded(length) => length.saturating_sub(content.len()),
            Pace::AtOnce | Pace::Dripping(_) => 0,
        };
        Self { rest: content, pace, beyond, pause: None, _busy: busy }
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }

    fn next_piece(&mut self) -> Bytes {
        match self.pace {
            Pace::Dripping(pause) => {
                self.pause = Some(Box::pin(time::sleep(pause)));
                self.rest.split_to(self.rest.len().min(1))
            }
            Pace::Truncated => {
                self.pause = Some(Box::pin(time::sleep(HEAD_START)));
                std::mem::take(&mut self.rest)
            }
            Pace::AtOnce | Pace::Padded(_) => std::mem::take(&mut self.rest),
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        ready!(self.wait(context));
        if !self.rest.is_empty() {
            let piece = self.next_piece();
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(match self.pace {
            Pace::Truncated => Some(Err(io::ErrorKind::ConnectionAborted.into())),
            Pace::Padded(_) if self.beyond > 0 => {
                let mut spaces = SPACES;
                spaces.truncate(self.beyond);
                self.beyond -= spaces.len();
                Some(Ok(Frame::data(spaces)))
            }
            _ => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.beyond == 0
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.rest.len() + self.beyond;
        match self.pace {
            Pace::Padded(_) => SizeHint::default(),
            _ => SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX)),
        }
    }
}

/// Ends the connection without an answer. The client is not told why.
#[derive(Debug, thiserror::Error)]
#[error("a fault ended the connection")]
pub(crate) struct Cut;
