//! Pauses between attempts.

use std::time::Duration;

/// Pause before retry `number`, from 1: each is twice as long as the one before, up to `longest`. With
/// jitter, so that several processes do not retry at the same time.
pub(crate) fn pause(number: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1 << number.saturating_sub(1).min(10));
    doubled.min(longest).mul_f64(rand::random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn pauses_become_longer_up_to_a_limit() {
        for (number, seconds) in [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (7, 30.0), (4000, 30.0)] {
            let expected = Duration::from_secs_f64(seconds);
            let pause = pause(number, Duration::from_millis(500), Duration::from_secs(30));
            assert!(pause >= expected.mul_f64(0.79), "{number}: {pause:?}");
            assert!(pause <= expected.mul_f64(1.21), "{number}: {pause:?}");
        }
    }
}
