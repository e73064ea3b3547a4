//! What tests under the model checker need: time that stands still until a task sleeps, and calls that are given up.

use std::{
    cell::Cell,
    future::Future,
    ops::Add,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::from_secs(1_000_000)) };
}

/// A point in simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(NOW.get())
    }

    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().saturating_duration_since(self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// Lets other tasks run, and then advances the time.
pub(crate) async fn sleep_until(until: Instant) {
    shuttle::future::yield_now().await;
    NOW.set(NOW.get().max(until.0));
}

/// A call that is dropped after some polls. It then returns `None`.
pub(crate) struct GivenUp<F> {
    call: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> GivenUp<F> {
    pub(crate) fn after(polls: usize, call: F) -> Self {
        Self { call: Some(Box::pin(call)), polls }
    }
}

impl<F: Future> Future for GivenUp<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.call = None;
        }
        self.polls = self.polls.saturating_sub(1);
        match &mut self.call {
            None => Poll::Ready(None),
            Some(call) => call.as_mut().poll(context).map(Some),
        }
    }
}
