//! Responses whose clients have not taken them yet. An instance keeps them in its memory, and its host counts
//! a request as done with the head of its response: an instance could collect one for each request that it may
//! serve. So one that has many of them takes no requests until it has fewer: others get them.

use std::sync::atomic::{AtomicUsize, Ordering};

use spin_sdk::wasip3::wit_bindgen::{backpressure_dec, backpressure_inc};

/// As many as the requests that an instance serves at the same time, on Spin: a page has 1 MiB, and some hosts
/// give an instance 128 MiB.
const MAX: usize = 16;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// One of them, until dropped.
pub(super) struct Unsent(());

impl Unsent {
    pub(super) fn new() -> Self {
        if COUNT.fetch_add(1, Ordering::Relaxed) + 1 == MAX {
            backpressure_inc();
        }
        Self(())
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if COUNT.fetch_sub(1, Ordering::Relaxed) == MAX {
            backpressure_dec();
        }
    }
}
