//! `migrator completions` and `migrator man`

use crate::support::program::run_with;

#[tokio::test]
async fn every_shell_gets_a_script_that_knows_the_commands() {
    for (shell, command) in [
        ("bash", "complete -F _migrator"),
        ("elvish", "set edit:completion:arg-completer[migrator]"),
        ("fish", "complete -c migrator"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName 'migrator'"),
        ("zsh", "#compdef migrator"),
    ] {
        let output = run_with(&[], &["completions", shell]).await.exits(0);
        assert!(output.stdout.contains(command), "{shell}: {}", output.stdout);
        assert!(output.stdout.contains("baseline"), "{shell}: {}", output.stdout);
        assert_eq!(output.stderr, "", "{shell}");
    }
}

#[tokio::test]
async fn an_unknown_shell_is_a_usage_error() {
    run_with(&[], &["completions", "tcsh"]).await.exits(2).says("invalid value 'tcsh'");
}

#[tokio::test]
async fn the_manual_page_has_commands_options_and_exit_codes() {
    let variables = [("DATABASE_URL", "postgresql://ann:hunter2@db.example.com/shop")];
    let output = run_with(&variables, &["man"]).await.exits(0).does_not_print("hunter2");
    for text in [".TH migrator 1", "migrator\\-up(1)", "DATABASE_URL", "Exit codes:"] {
        assert!(output.stdout.contains(text), "no {text} in: {}", output.stdout);
    }
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    for command in [
        "up",
        "down",
        "status",
        "repair",
        "sql",
        "baseline",
        "current",
        "new",
        "lint",
        "check",
        "grant",
        "health",
        "drift",
        "dump",
        "completions",
        "man",
    ] {
        let page = run_with(&[], &["man", command]).await.exits(0).stdout;
        assert!(page.contains(&format!(".TH migrator-{command} 1")), "{page}");
        assert!(page.contains("Examples:"), "{page}");
    }
}

#[tokio::test]
async fn an_unknown_command_has_no_manual_page() {
    run_with(&[], &["man", "sideways"]).await.exits(2).says("the commands are up, down, status");
}

#[tokio::test]
async fn a_machine_gets_one_document() {
    let document = run_with(&[], &["completions", "bash", "--json"]).await.exits(0).json();
    assert_eq!((&document["command"], &document["shell"]), (&"completions".into(), &"bash".into()));
    let plain = run_with(&[], &["man", "up"]).await.exits(0).stdout;
    let document = run_with(&[], &["man", "up", "--json"]).await.exits(0).json();
    assert_eq!((&document["command"], &document["page"]), (&"man".into(), &plain.into()));
}
