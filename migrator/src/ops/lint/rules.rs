//! Which of squawk's rules count here, and why the others do not.
//!
//! The question is what can hurt a database in use: its locks, its data, and the program that runs
//! on it. Style is not asked about.

use squawk_linter::{Linter, Rule};

use crate::migrations::directive::BEYOND_DATABASE;

/// Rules that squawk has on by default and that have no meaning here, or are a matter of taste.
const EXCLUDED: &[(Rule, &str)] = &[
    (Rule::RequireTimeoutSettings, "the migrator limits how long a script waits for a lock"),
    (Rule::RequireLockTimeout, "the migrator limits how long a script waits for a lock"),
    (Rule::RequireStatementTimeout, "a migration takes its time; what it blocks has other rules"),
    (
        Rule::PreferRobustStmts,
        "a migration is applied entirely or not at all, and `if not exists` hides what is there",
    ),
    (Rule::TransactionNesting, "the migrator refuses scripts that control their transaction"),
    (
        Rule::BanUncommittedTransaction,
        "the migrator refuses scripts that control their transaction",
    ),
    (
        Rule::UnusedIgnore,
        "squawk's comments have no effect here: they need no reason. Ours are checked by ourselves",
    ),
    (Rule::PreferIdentity, "a matter of taste: a serial column is harmless"),
    (Rule::PreferTextField, "a matter of taste: to raise the limit of a varchar rewrites nothing"),
    (Rule::PreferBigintOverSmallint, "a matter of taste: smallint is a deliberate choice"),
    (Rule::RequireEnumValueOrdering, "a matter of taste: a new label usually belongs at the end"),
    // Only where a script has more than one statement, which is not what matters here; `script.rs`
    // finds every statement that needs to run by itself, under the same name.
    (Rule::BanConcurrentIndexCreationInTransaction, ""),
];

/// Rules for undo scripts: dropping is their purpose, blocking is not.
const UNDO: &[Rule] = &[
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentPartitionDetach,
    Rule::RequireConcurrentReindex,
    Rule::ConstraintMissingNotValid,
    Rule::AddingForeignKeyConstraint,
    Rule::AddingFieldWithDefault,
    Rule::AddingNotNullableField,
    Rule::AddingRequiredField,
    Rule::AddingSerialPrimaryKeyField,
    Rule::DisallowedUniqueConstraint,
    Rule::ChangingColumnType,
    Rule::BanAlterDomainWithAddConstraint,
    Rule::PreferRepack,
];

/// Says what another rule says more precisely about the same place.
pub(crate) const GENERAL: Rule = Rule::ConstraintMissingNotValid;

/// The rules that say it more precisely.
pub(crate) const PRECISE: &[Rule] = &[
    Rule::AddingForeignKeyConstraint,
    Rule::AddingSerialPrimaryKeyField,
    Rule::DisallowedUniqueConstraint,
];

/// Whose alternative is a statement that cannot run in a transaction.
pub(crate) const CONCURRENTLY: &[Rule] = &[
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentPartitionDetach,
    Rule::RequireConcurrentReindex,
    Rule::DisallowedUniqueConstraint,
    Rule::AddingSerialPrimaryKeyField,
];

/// The rule for syntax errors.
pub(crate) const SYNTAX: &str = "syntax";

/// A linter for scripts that apply.
pub(crate) fn for_applying() -> Linter {
    let excluded: Vec<Rule> = EXCLUDED.iter().map(|(rule, _)| *rule).collect();
    Linter::with_rules(&[], &excluded)
}

/// A linter for scripts that undo.
pub(crate) fn for_undoing() -> Linter {
    Linter::from(UNDO.iter().copied())
}

/// Checks the name of a rule that is to be accepted. The error is what is wrong with it.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name == SYNTAX || name == BEYOND_DATABASE {
        return Ok(());
    }
    let Ok(rule) = Rule::try_from(name) else {
        return Err(format!("there is no rule `{name}`"));
    };
    match EXCLUDED.iter().find(|(excluded, _)| *excluded == rule) {
        Some((_, reason)) if !reason.is_empty() => {
            Err(format!("the rule `{name}` is off here: {reason}"))
        }
        None if rule.is_opt_in() => Err(format!("the rule `{name}` is off here")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use squawk_linter::Rule;

    use super::{CONCURRENTLY, EXCLUDED, GENERAL, PRECISE, UNDO, check_name, for_applying};

    #[test]
    fn what_undoing_asks_applying_asks_too() {
        let applying = for_applying().rules;
        for rule in UNDO.iter().chain(PRECISE).chain(CONCURRENTLY).chain([&GENERAL]) {
            assert!(applying.contains(rule), "{rule}");
        }
        assert!(EXCLUDED.iter().all(|(rule, _)| !applying.contains(rule)));
    }

    #[test]
    fn names_of_rules_are_checked() {
        for (name, problem) in [
            ("syntax", None),
            ("ban-drop-table", None),
            ("ban-concurrent-index-creation-in-transaction", None),
            ("ban-drop-tables", Some("there is no rule `ban-drop-tables`")),
            (
                "prefer-identity",
                Some("the rule `prefer-identity` is off here: a matter of taste: "),
            ),
            ("ban-drop-trigger", Some("the rule `ban-drop-trigger` is off here")),
        ] {
            match (check_name(name), problem) {
                (Ok(()), None) => {}
                (Err(said), Some(problem)) if said.starts_with(problem) => {}
                (said, _) => panic!("{name}: {said:?}"),
            }
        }
        assert_eq!(Rule::BanDropTable.to_string(), "ban-drop-table");
    }
}
