//! What the options must be beyond what each is by itself, found out before anything is built or started.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, ValueEnum};

use super::{Options, Part, Reuse, Workload};
use crate::Component;
use crate::bench::native::POOL_SIZE;
use crate::bench::scale;
use crate::settings::{RuntimeKind, SETTINGS};

/// Options with the parts that have a use for them; each part has one for those that are not here.
const USES: [(&str, &[Part]); 16] = {
    use Part::{Cold, Indexes, Latency, Memory, Scale, Throughput};
    [
        ("reuse", &[Throughput, Latency, Cold, Memory, Scale]),
        ("workloads", &[Throughput, Scale, Indexes]),
        ("connections", &[Throughput, Scale]),
        ("rounds", &[Throughput, Scale, Indexes]),
        ("seconds", &[Throughput, Scale]),
        ("predecessor", &[Throughput]),
        ("requests", &[Latency]),
        ("samples", &[Cold]),
        ("instances", &[Memory]),
        ("log_level", &[Throughput, Latency, Cold, Memory, Scale]),
        ("environment", &[Throughput, Latency, Cold, Memory, Scale]),
        ("plots", &[Throughput]),
        ("tasks", &[Scale, Indexes]),
        ("users", &[Scale, Indexes]),
        ("partitioned", &[Scale]),
        ("settings", &[Scale]),
    ]
};

/// Connections that the throwaway PostgreSQL server grants to all, without those that it keeps for its owner and the
/// few of this program.
const POSTGRES_CONNECTIONS: u32 = 290;

/// Connections to one service: each is a file of this program and of the service, which may have 1,024.
const CONNECTIONS: u16 = 500;

/// With `scale`: each connection changes tasks of its own, of which the ten users at work have a few more.
const SCALE_CONNECTIONS: u16 = 200;

/// With `scale`: with fewer, no user has a list of which there is a page inside.
const TASKS_OF_A_USER: u32 = 60;

/// What the environment selects.
#[derive(Clone, Copy)]
pub(super) struct Selected {
    pub(super) component: Component,
    pub(super) is_spin: bool,
}

impl Selected {
    /// In this process.
    pub(super) fn read() -> Self {
        let is_spin = matches!(SETTINGS.runtime, RuntimeKind::Spin { .. });
        Self { component: Component::under_test(), is_spin }
    }
}

/// An error says what to do.
pub(super) fn check(
    options: &Options,
    command: &Command,
    given: &ArgMatches,
    selected: Selected,
) -> Result<(), String> {
    uses(options.part, command, given)?;
    instances(options, selected)?;
    workloads(options)?;
    connections(options)?;
    let size = options.scale.size_or(scale::LARGE);
    if options.part == Part::Scale && size.tasks / size.users < TASKS_OF_A_USER {
        return Err(format!(
            "{} users have too few of {} tasks: at least {TASKS_OF_A_USER} for each are needed",
            size.users, size.tasks
        ));
    }
    Ok(())
}

fn uses(part: Part, command: &Command, given: &ArgMatches) -> Result<(), String> {
    for (id, parts) in USES {
        if given.value_source(id) == Some(ValueSource::CommandLine) && !parts.contains(&part) {
            let long = command.get_arguments().find(|argument| argument.get_id() == id);
            let long = long.and_then(|argument| argument.get_long()).unwrap_or(id);
            let parts = parts.iter().map(name).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "`--{long}` has no effect on `{}`: leave it out (it is for: {parts})",
                name(&part)
            ));
        }
    }
    Ok(())
}

fn instances(options: &Options, selected: Selected) -> Result<(), String> {
    let is_reused = options.reuse == Some(Reuse::Reused);
    if selected.component == Component::Wasip2 && (options.predecessor || is_reused) {
        let option = if is_reused { "--reuse reused" } else { "--predecessor" };
        return Err(format!(
            "`{option}` needs reused instances, which WASI 0.2 does not have: leave it out, or unset TASKIE_COMPONENT"
        ));
    }
    if options.predecessor && options.reuse == Some(Reuse::SingleUse) {
        return Err("`--predecessor` takes part with reused instances only: leave it out, or \
                    `--reuse single-use`"
            .to_owned());
    }
    if options.environment && !selected.is_spin {
        return Err(
            "`--environment` is about Spin: leave it out, or use `cargo bench-api-spin`".to_owned()
        );
    }
    Ok(())
}

fn workloads(options: &Options) -> Result<(), String> {
    use Workload::{Complete, Create, Filtered, Get, List, Update};
    let all: &[Workload] = match options.part {
        Part::Scale => &[Get, List, Filtered, Create, Update, Complete],
        Part::Indexes => &[Create, Update, Complete],
        _ => return Ok(()),
    };
    match options.workloads.iter().find(|one| !all.contains(one)) {
        None => Ok(()),
        Some(other) => {
            let all = all.iter().map(name).collect::<Vec<_>>().join(", ");
            let (part, other) = (name(&options.part), name(other));
            Err(format!("`{part}` has no workload `{other}`: choose of {all}"))
        }
    }
}

fn connections(options: &Options) -> Result<(), String> {
    let most = options.most_connections();
    let at_once = if options.part == Part::Scale { SCALE_CONNECTIONS } else { CONNECTIONS };
    if most > at_once {
        let part = name(&options.part);
        return Err(format!("`{part}` takes at most `--connections {at_once}`, not {most}"));
    }
    let needed = |most: u16| {
        let of_each = options.reuses().into_iter().map(|reuse| to_postgres(options, reuse, most));
        of_each.max().unwrap_or_default()
    };
    if options.part == Part::Throughput && needed(most) > POSTGRES_CONNECTIONS {
        let fitting = (1..most).rev().find(|count| needed(*count) <= POSTGRES_CONNECTIONS);
        return Err(format!(
            "`--connections {most}` needs {} connections to PostgreSQL, which has {POSTGRES_CONNECTIONS} for all \
             sides: use {} at most, or more with `--reuse single-use`",
            needed(most),
            fitting.unwrap_or(1)
        ));
    }
    Ok(())
}

/// Connections to PostgreSQL of all sides together: they keep what they have opened for their turns.
fn to_postgres(options: &Options, reuse: Reuse, most: u16) -> u32 {
    let pooled = |count: u16| u32::from(count).min(POOL_SIZE);
    let components = 2 * pooled(most);
    if reuse == Reuse::SingleUse {
        return components;
    }
    let of_predecessor =
        options.connections_of_predecessor().map_or(0, |count| pooled(count.min(most)));
    components + pooled(most) + u32::from(most) + of_predecessor
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::{Options, Selected, USES};
    use crate::Component::{Wasip2, Wasip3};

    const SPIN: Selected = Selected { component: Wasip3, is_spin: true };
    const WASIP2: Selected = Selected { component: Wasip2, is_spin: true };
    const LOCAL: Selected = Selected { component: Wasip3, is_spin: false };

    fn parse(selected: Selected, given: &str) -> Result<Options, clap::Error> {
        Options::checked(given.split_whitespace(), selected)
    }

    #[track_caller]
    fn refused(selected: Selected, given: &str, message: &str) {
        let error = parse(selected, given).expect_err(given);
        assert_eq!(error.exit_code(), 2, "{given}");
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{given}: {error}");
        assert!(error.to_string().contains(message), "{given}: {error}");
    }

    #[test]
    fn each_option_is_known_to_have_a_use() {
        let command = Options::command();
        let ids: Vec<&str> = command.get_arguments().map(|one| one.get_id().as_str()).collect();
        let others = ["part", "json"];
        for id in &ids {
            let is_known = others.contains(id) || USES.iter().any(|(known, _)| known == id);
            assert!(is_known, "which parts have a use for {id}?");
        }
        assert!(USES.iter().all(|(id, _)| ids.contains(id)));
    }

    #[test]
    fn an_option_is_refused_where_it_has_no_effect() {
        for (given, option) in [
            ("bench cold --plots plots", "`--plots` has no effect on `cold`"),
            ("bench memory --workload get", "`--workload` has no effect on `memory`"),
            ("bench latency --connections 2", "`--connections` has no effect on `latency`"),
            ("bench scale --predecessor", "`--predecessor` has no effect on `scale`"),
            ("bench latency --rounds 3", "`--rounds` has no effect on `latency`"),
            ("bench indexes --seconds 2", "`--seconds` has no effect on `indexes`"),
            ("bench indexes --reuse reused", "`--reuse` has no effect on `indexes`"),
            ("bench --requests 3", "`--requests` has no effect on `throughput`"),
            ("bench --samples 3", "`--samples` has no effect on `throughput`"),
            ("bench cold --instances 3", "`--instances` has no effect on `cold`"),
            ("bench indexes --log-level off", "`--log-level` has no effect on `indexes`"),
            ("bench indexes --environment", "`--environment` has no effect on `indexes`"),
            ("bench --tasks 1000", "`--tasks` has no effect on `throughput`"),
            ("bench cold --users 10", "`--users` has no effect on `cold`"),
            ("bench indexes --partitioned", "`--partitioned` has no effect on `indexes`"),
            ("bench indexes --setting jit=off", "it is for: scale"),
        ] {
            refused(SPIN, given, option);
        }
        // What has its default was not given.
        for part in ["throughput", "latency", "cold", "scale", "indexes", "memory", "host"] {
            assert!(parse(LOCAL, &format!("bench {part}")).is_ok(), "{part}");
        }
        assert!(parse(SPIN, "bench --plots plots --workload mix --environment").is_ok());
    }

    #[test]
    fn only_what_has_reused_instances_is_measured_with_them() {
        refused(SPIN, "bench --predecessor --reuse single-use", "leave it out, or `--reuse");
        refused(WASIP2, "bench --predecessor", "`--predecessor` needs reused instances");
        refused(WASIP2, "bench --reuse reused", "unset TASKIE_COMPONENT");
        refused(LOCAL, "bench --environment", "cargo bench-api-spin");
        assert!(parse(WASIP2, "bench --reuse single-use").is_ok());
        assert!(parse(SPIN, "bench --predecessor --reuse reused").is_ok());
    }

    #[test]
    fn a_workload_that_a_part_does_not_have_is_refused() {
        let other = "`scale` has no workload `mix`: choose of get, list, filtered, create, update, complete";
        refused(SPIN, "bench scale --workload get --workload mix", other);
        refused(SPIN, "bench scale --workload nothing", "no workload `nothing`");
        let other = "`indexes` has no workload `get`: choose of create, update, complete";
        refused(SPIN, "bench indexes --workload get", other);
        assert!(parse(SPIN, "bench indexes --workload update").is_ok());
    }

    #[test]
    fn there_are_as_many_connections_as_the_servers_take() {
        // Three pools of 64, and the statements alone.
        assert!(parse(SPIN, "bench --connections 98 --reuse reused").is_ok());
        refused(SPIN, "bench --connections 99 --reuse reused", "needs 291 connections");
        refused(SPIN, "bench --connections 99 --reuse reused", "use 98 at most");
        refused(SPIN, "bench --connections 64 --predecessor --reuse reused", "use 58 at most");
        assert!(parse(SPIN, "bench --connections 64 --connections 16 --predecessor").is_ok());
        assert!(parse(SPIN, "bench --connections 500 --reuse single-use").is_ok());
        refused(SPIN, "bench --connections 501 --reuse single-use", "at most `--connections 500`");
        refused(SPIN, "bench scale --connections 201", "at most `--connections 200`");
    }

    #[test]
    fn the_commands_of_the_help_and_of_the_documents_are_good() {
        let help = Options::command().get_after_help().expect("examples").to_string();
        let folder = crate::build::workspace();
        let document = folder.join("docs/performance.md");
        let document = std::fs::read_to_string(document).expect("read a document");
        let mut found = 0;
        for line in help.lines().chain(document.lines()) {
            let line = line.trim_start();
            let selected = match line.strip_prefix("TASKIE_COMPONENT=wasip2 ") {
                Some(_) => WASIP2,
                None => SPIN,
            };
            let command = line.trim_start_matches("TASKIE_COMPONENT=wasip2 ");
            let Some(rest) = command.strip_prefix("cargo bench-api") else { continue };
            let given = rest.trim_start_matches("-spin").split(['#', '>']).next();
            let given = format!("bench {}", given.unwrap_or_default());
            assert!(parse(selected, &given).is_ok(), "{line}");
            found += 1;
        }
        assert!(found > 12, "{found} commands");
    }

    #[test]
    fn equal_numbers_of_connections_count_once() {
        let given = "bench --connections 8 --connections 2 --connections 8";
        assert_eq!(parse(SPIN, given).expect("good options").connections, [8, 2]);
    }

    #[test]
    fn users_have_enough_tasks_for_a_page_inside_a_list() {
        refused(SPIN, "bench scale --tasks 1000 --users 20", "at least 60 for each");
        refused(SPIN, "bench scale --users 20000", "at least 60 for each");
        assert!(parse(SPIN, "bench scale --tasks 1200 --users 20").is_ok());
        assert!(parse(SPIN, "bench indexes --tasks 1000 --users 20").is_ok());
    }
}
