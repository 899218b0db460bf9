//! `cargo up` with Spin: which program and which build it chooses, how it starts it, and how both end.

use std::path::Path;

use nix::sys::signal::Signal;
use tests::{CliOutput, TestDatabase};

use crate::fake_spin::FakeSpin;
use crate::program::{Served, command, run};

const NEW: &str = "spin 4.1.0-pre0 (94a8fc8a 2026-08-21)\n";
const OLD: &str = "spin 3.6.3 (94a8fc8a 2026-03-01)\n";

#[tokio::test]
async fn spin_on_the_path_serves_with_everything_else_the_same() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    let (served, _listener) =
        tokio::join!(Served::wait_for(fake.up(&database, &[]).await), fake.listen());

    let program = fake.program().display().to_string();
    served.has_said(&format!("serving with Spin 4.1.0-pre0 ({program})"));
    served.has_said("applied V1__initial_schema");
    served.has_said("a line of a component");
    served.has_not_said("Available Routes");
    served.has_not_said("http://fake");
    assert!(served.curl().starts_with("curl -X POST http://127.0.0.1:"), "{}", served.curl());
    assert_eq!(fake.built(), "spin.toml");

    served.interrupt().await;
    fake.is_gone().await;
}

#[tokio::test]
async fn spin_gets_variables_in_the_environment_and_no_secret_as_an_argument() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    let mut up = fake.up(&database, &["--request-timeout", "20s"]).await;
    up.env("SPIN_VARIABLE_LOG_LEVEL", "warn").env("RUST_BACKTRACE", "1");
    let (served, _listener) = tokio::join!(Served::wait_for(up), fake.listen());
    served.interrupt().await;

    let environment = fake.environment();
    let url = database.url();
    for expected in [
        format!("SPIN_VARIABLE_DATABASE_URL={}", url.to_connection_string()),
        format!("SPIN_VARIABLE_DATABASE_HOST={}", url.host()),
        format!("SPIN_VARIABLE_DATABASE_PORT={}", url.port()),
        format!("SPIN_VARIABLE_JWT_SECRET={}", crate::program::SECRET),
        "SPIN_VARIABLE_LOG_LEVEL=warn".to_owned(),
    ] {
        assert!(environment.lines().any(|line| line == expected), "{expected}");
    }
    assert!(!environment.contains("RUST_BACKTRACE"));

    let arguments = fake.arguments().expect("it was started").join(" ");
    for secret in [crate::program::SECRET, "postgres", "--variable"] {
        assert!(!arguments.contains(secret), "{arguments}");
    }
    assert!(arguments.contains("--request-timeout=20000000000ns"), "{arguments}");
}

#[tokio::test]
async fn the_version_chooses_the_build_and_its_options() {
    let database = TestDatabase::create().await;
    for (version, manifest, options, absent) in [
        (
            NEW,
            "spin.toml",
            &[
                "--runtime-config-file",
                "--request-timeout=45000000000ns",
                "--http1-max-buf-size=65536",
            ][..],
            "--max-instance-reuse-count",
        ),
        (OLD, "spin-wasip2.toml", &["--max-instance-reuse-count=8"], "--request-timeout"),
        ("spin 3.4.0 (0 2025-08-01)", "spin-wasip2.toml", &[], "--runtime-config-file"),
        ("spin 4.0.2 (0 2026-05-01)", "spin-wasip2.toml", &[], "--runtime-config-file"),
    ] {
        let fake = FakeSpin::new(version);
        let given: &[&str] =
            if version == OLD { &["--max-instance-reuse-count", "8"] } else { &[] };
        let (served, _listener) =
            tokio::join!(Served::wait_for(fake.up(&database, given).await), fake.listen());
        if manifest == "spin-wasip2.toml" {
            served.has_said("the build for WASI 0.2");
        } else {
            served.has_not_said("WASI 0.2");
        }
        served.interrupt().await;

        let arguments = fake.arguments().expect("it was started");
        let from = fake.project().join(manifest).display().to_string();
        let state = fake.project().join(".taskie/spin").display().to_string();
        assert_eq!(arguments[..3], ["up", "--from", &from].map(String::from), "{version}");
        assert!(arguments.windows(2).any(|two| two == ["--state-dir", &state]), "{arguments:?}");
        assert_eq!(fake.built(), manifest, "{version}");
        for option in options {
            assert!(arguments.iter().any(|one| one == option), "{version}: {arguments:?}");
        }
        assert!(!arguments.iter().any(|one| one.starts_with(absent)), "{version}: {arguments:?}");
    }
}

#[tokio::test]
async fn the_limit_on_a_request_is_above_that_on_its_body() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    let mut up = fake.up(&database, &[]).await;
    up.env("SPIN_VARIABLE_REQUEST_TIMEOUT_MS", "60000");
    let (served, _listener) = tokio::join!(Served::wait_for(up), fake.listen());
    served.interrupt().await;
    let arguments = fake.arguments().expect("it was started");
    assert!(arguments.iter().any(|one| one == "--request-timeout=95000000000ns"), "{arguments:?}");
}

#[tokio::test]
async fn an_ephemeral_service_keeps_no_state_of_spin() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    let mut up = fake.up(&database, &["--ephemeral", "--quiet"]).await;
    up.env_remove("DATABASE_URL");
    let (served, _listener) = tokio::join!(Served::wait_for(up), fake.listen());
    let said = served.said();
    assert!(said.starts_with("Serving http://127.0.0.1:"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    served.interrupt().await;
    let arguments = fake.arguments().expect("it was started");
    assert!(arguments.iter().any(|one| one == "--state-dir="), "{arguments:?}");
}

#[tokio::test]
async fn a_spin_that_cannot_serve_is_a_warning_unless_it_was_named() {
    let database = TestDatabase::create().await;
    for (version, status, reason) in [
        ("spin 3.3.1 (0 2025-05-01)\n", 0, "is too old: 3.4 or newer is needed"),
        ("Spin Version 6.5.2 -- 6 December 2019\n", 0, "prints no version of Spin"),
        (NEW, 1, "failed (exit status: 1)"),
    ] {
        let fake = FakeSpin::with_status(version, status);
        let of = async |options: &[&str], named: bool| {
            let mut up = fake.up(&database, options).await;
            if named {
                up.env("SPIN", fake.program());
            }
            CliOutput::new(up.output().await.expect("run `local`"))
        };
        // `local` then looks for the component, which this project does not have.
        let warned = of(&["--quiet"], false).await.exits(3).says("api.wasm");
        let warnings: Vec<_> =
            warned.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), 1, "{}", warned.stderr);
        assert!(warnings[0].contains(reason), "{}", warnings[0]);
        assert!(warnings[0].contains("serving with `local`"), "{}", warnings[0]);

        let install = "install Spin 4.1 or newer";
        of(&[], true).await.exits(2).says(reason).says("unset `SPIN`").says(install);
        of(&["--runtime", "spin"], false).await.exits(2).says(reason).says(install);
        of(&["--runtime", "local"], true).await.exits(3).says("api.wasm").does_not_print(reason);
    }
}

#[tokio::test]
async fn without_spin_local_serves_unless_spin_was_asked_for() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    std::fs::remove_file(fake.program()).expect("remove it");
    let of = async |options: &[&str], spin: &Path| {
        let mut up = fake.up(&database, options).await;
        up.env("SPIN", spin);
        CliOutput::new(up.output().await.expect("run `local`"))
    };
    // An empty variable counts as not set.
    let none = Path::new("");
    of(&[], none).await.exits(3).says("serving with `local`, because Spin is not installed");
    of(&["--runtime", "spin"], none)
        .await
        .exits(2)
        .says("error: Spin is not installed")
        .says("hint: install Spin 4.1 or newer");
    for missing in [&fake.program(), Path::new("spin-4.1-of-mine")] {
        of(&[], missing).await.exits(2).says(&format!("error: cannot run `{}`", missing.display()));
    }
}

#[tokio::test]
async fn spin_that_ends_by_itself_is_an_error_with_its_output() {
    let database = TestDatabase::create().await;
    for served_before in [false, true] {
        let fake = FakeSpin::new(NEW);
        let up = fake.up(&database, &[]).await;
        let output = if served_before {
            let (served, _listener) = tokio::join!(Served::wait_for(up), fake.listen());
            fake.end();
            served.output().await
        } else {
            let mut up = up;
            fake.end();
            CliOutput::new(up.output().await.expect("run `local`"))
        };
        output
            .exits(7)
            .says("Error: the reason of Spin")
            .says(if served_before { "ended by itself" } else { "ended before it served" })
            .says("(exit status: 3)");
        fake.is_gone().await;
    }
}

#[tokio::test]
async fn an_older_spin_that_does_not_take_the_options_is_an_error_with_a_hint() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(OLD);
    fake.end();
    let mut up = fake.up(&database, &["--idle-instance-timeout", "2s"]).await;
    CliOutput::new(up.output().await.expect("run `local`"))
        .exits(7)
        .says("Error: the reason of Spin")
        .says("hint: leave out the options for component instances");
}

#[tokio::test]
async fn no_process_of_spin_is_left_however_the_program_ends() {
    let database = TestDatabase::create().await;
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let fake = FakeSpin::new(NEW);
        let (served, _listener) =
            tokio::join!(Served::wait_for(fake.up(&database, &[]).await), fake.listen());
        served.send(signal);
        served.output().await;
        fake.is_gone().await;
    }
}

#[tokio::test]
async fn an_interrupt_before_it_serves_stops_spin() {
    let database = TestDatabase::create().await;
    let fake = FakeSpin::new(NEW);
    let up = fake.up(&database, &[]).await.spawn().expect("start `local`");
    tests::until("`spin up` is started", async || fake.arguments()).await;
    let id = up.id().expect("it runs").cast_signed();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), Signal::SIGINT).expect("send SIGINT");
    let output = up.wait_with_output().await.expect("wait for it");
    CliOutput::new(output).exits(130);
    fake.is_gone().await;
}

#[tokio::test]
async fn watch_starts_spin_watch_with_the_same_options() {
    let database = TestDatabase::create().await;
    for (version, manifest) in [(NEW, "spin.toml"), (OLD, "spin-wasip2.toml")] {
        let fake = FakeSpin::new(version);
        let up = fake.up(&database, &["--watch"]).await;
        let (served, _listener) = tokio::join!(Served::wait_for(up), fake.listen());
        served.interrupt().await;
        fake.is_gone().await;
        let arguments = fake.arguments().expect("it was started");
        let from = fake.project().join(manifest).display().to_string();
        assert_eq!(arguments[..3], ["watch", "--from", &from].map(String::from), "{version}");
    }
    let fake = FakeSpin::with_status(NEW, 1);
    for (options, reason) in [
        (&["--watch"][..], "failed (exit status: 1)"),
        (&["--watch", "--runtime", "local"], "`--watch` needs Spin"),
    ] {
        let output = fake.up(&database, options).await.output().await.expect("run `local`");
        CliOutput::new(output).exits(2).says(reason);
    }
}

#[tokio::test]
async fn an_unknown_runtime_is_refused() {
    run(&["up", "--runtime", "docker"]).await.exits(2).says("'docker'");
    let help = command(&["up", "--help"]).await.output().await.expect("run `local`");
    assert!(CliOutput::new(help).exits(0).stdout.contains("--runtime <local|spin>"));
}
