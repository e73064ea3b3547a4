//! The body of an answer on its way out: whole, or as a fault wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{self, Sleep};

use super::link::Busy;

/// How long the first half of a truncated body has to leave before the connection closes.
const HEAD_START: Duration = Duration::from_millis(20);
const BLANKS: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);

/// How a body is sent.
pub(super) enum Pace {
    AtOnce,
    /// Half of it, then the connection breaks.
    Truncated,
    /// Byte by byte.
    Dripping(Duration),
    /// Followed by blanks up to this length, of unknown length to the client.
    Padded(usize),
}

/// A body; the connection is busy until it is sent.
pub(super) struct Reply {
    rest: Bytes,
    pace: Pace,
    /// Bytes of which nothing is sent (truncated) or all are blanks (padded).
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
                let mut blanks = BLANKS;
                blanks.truncate(self.beyond);
                self.beyond -= blanks.len();
                Some(Ok(Frame::data(blanks)))
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

/// Nobody is told why: the connection just ends.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as a fault wants it")]
pub(crate) struct Cut;
