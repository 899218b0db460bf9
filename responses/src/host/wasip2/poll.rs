//! Waiting for the host's pollables.

use std::future::poll_fn;
use std::task::{Context, Poll};

use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::io::poll::Pollable;

/// A pollable that a task waits for. It must be dropped before what it belongs to.
#[derive(Default)]
pub(super) struct Waiting(Option<CancelOnDropToken>);

impl Waiting {
    /// The value of `attempt`, or else waits for the pollable.
    pub(super) fn poll<T>(
        &mut self,
        context: &Context<'_>,
        mut attempt: impl FnMut() -> Option<T>,
        subscribe: impl FnOnce() -> Pollable,
    ) -> Poll<T> {
        self.0 = None;
        if let Some(value) = attempt() {
            return Poll::Ready(value);
        }
        let pollable = subscribe();
        // Asking makes the host look: a body that came with its head is there only then.
        if pollable.ready()
            && let Some(value) = attempt()
        {
            return Poll::Ready(value);
        }
        self.0 = Some(push_waker_and_get_token(pollable, context.waker().clone()).into());
        Poll::Pending
    }
}

/// Waits until `attempt` has a value. The pollable says when to try again.
pub async fn until<T>(
    mut attempt: impl FnMut() -> Option<T>,
    subscribe: impl Fn() -> Pollable,
) -> T {
    let mut waiting = Waiting::default();
    poll_fn(|context| waiting.poll(context, &mut attempt, &subscribe)).await
}
