//! The end of support of each major version of PostgreSQL.

use chrono::NaiveDate;

use crate::ops::health::report::HealthWarning;

/// The oldest major version that the migrations are tested with.
const OLDEST_TESTED: i32 = 14;

/// So long before a version ends, it is time to plan for another.
const NOTICE_DAYS: i64 = 90;

/// The last day of each version, as PostgreSQL's versioning policy has it.
const ENDS: [(i32, i32, u32, u32); 5] = [
    (14, 2026, 11, 12),
    (15, 2027, 11, 11),
    (16, 2028, 11, 9),
    (17, 2029, 11, 8),
    (18, 2030, 11, 14),
];

/// Warning about a server of this version (`server_version_num`), if there is one.
pub(super) fn check(version: i32, today: NaiveDate) -> Option<HealthWarning> {
    let major = version / 10_000;
    let advice = "move to a newer major version; on Neon, into a new project by dump and restore";
    let warn = |what| Some(HealthWarning::new("old_server", what, advice));
    if major < OLDEST_TESTED {
        return warn(format!(
            "the server is older than PostgreSQL {OLDEST_TESTED}, the oldest version that is tested"
        ));
    }
    let (_, year, month, day) = ENDS.into_iter().find(|end| end.0 == major)?;
    let end = NaiveDate::from_ymd_opt(year, month, day)?;
    match (end - today).num_days() {
        ..0 => warn(format!("PostgreSQL {major} gets no corrections since {end}")),
        0..=NOTICE_DAYS => warn(format!("PostgreSQL {major} gets no corrections after {end}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{ENDS, check};

    #[test]
    fn a_version_that_ends_is_told_in_time() {
        for (label, version, today, expected) in [
            ("never tested", 130_020, (2024, 1, 1), Some("older than PostgreSQL 14")),
            ("over", 140_020, (2026, 11, 13), Some("no corrections since 2026-11-12")),
            ("the last day", 140_020, (2026, 11, 12), Some("no corrections after 2026-11-12")),
            ("soon", 150_004, (2027, 8, 13), Some("no corrections after 2027-11-11")),
            ("not soon", 150_004, (2027, 8, 12), None),
            ("new", 180_001, (2026, 11, 22), None),
            ("not known yet", 190_000, (2040, 1, 1), None),
        ] {
            let today = NaiveDate::from_ymd_opt(today.0, today.1, today.2).expect("a date");
            let what = check(version, today).map(|warning| warning.what);
            match (&what, expected) {
                (Some(what), Some(expected)) => assert!(what.contains(expected), "{label}: {what}"),
                (what, expected) => assert_eq!(what.as_deref(), expected, "{label}"),
            }
        }
    }

    #[test]
    fn every_end_is_a_date() {
        for (major, year, month, day) in ENDS {
            assert!(NaiveDate::from_ymd_opt(year, month, day).is_some(), "{major}");
        }
    }
}
