//! How many cases the property tests of all packages run, and which.

use proptest::test_runner::{Config, RngSeed};

/// Cases of each property, unless `PROPTEST_CASES` is set.
const CASES: u32 = 300;

/// The same cases in every run, unless `PROPTEST_RNG_SEED` is set.
pub fn config() -> Config {
    let given = Config::default();
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_261_128),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let cases = std::env::var_os("PROPTEST_CASES").map_or(CASES, |_| given.cases);
    Config { cases, rng_seed, failure_persistence: None, ..given }
}
