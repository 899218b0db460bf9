//! `deploy/neon/preview`, with a stand-in for neonctl that has a real database.

use tests::TestDatabase;

use crate::programs::{Programs, migrator};

/// `npx --yes neonctl@… COMMAND`: a list of branches in a file.
const NPX: &str = r#"
[ "$NEON_API_KEY" = key-of-the-project ] || exit 9
touch "$here/branches"
case "$*" in
  *"branches list"*) printf '['; sed 's/.*/{"name": "&"},/' "$here/branches" | tr -d '\n'; echo '{"name": "main"}]' ;;
  *"branches create"*) echo "$5" | sed 's/.*/&/' >/dev/null; while [ "$1" != --name ]; do shift; done; echo "$2" >>"$here/branches" ;;
  *"branches delete"*) while [ "$1" != delete ]; do shift; done; grep -vxF "$2" "$here/branches" >"$here/rest"; mv "$here/rest" "$here/branches" ;;
  *connection-string*) cat "$here/url" ;;
  *) exit 9 ;;
esac"#;

struct Neon {
    programs: Programs,
    migrator: String,
    url: String,
}

impl Neon {
    async fn with(database: &TestDatabase) -> Self {
        let url = database.url().to_connection_string();
        let programs = Programs::new(&[("npx", NPX)]);
        std::fs::write(programs.path("url"), &url).expect("write a file");
        std::os::unix::fs::symlink(
            tests::workspace().join("migrations"),
            programs.work().join("migrations"),
        )
        .expect("link the migrations");
        Self { programs, migrator: migrator().await, url }
    }

    async fn run(&self, arguments: &[&str], more: &[(&str, &str)]) -> tests::CliOutput {
        let mut variables = vec![
            ("NEON_API_KEY", "key-of-the-project"),
            ("NEON_PROJECT_ID", "project"),
            ("MIGRATOR", &self.migrator),
        ];
        variables.extend(more);
        self.programs.run("deploy/neon/preview", arguments, &variables).await
    }
}

#[tokio::test]
async fn a_branch_is_migrated_compared_and_deleted() {
    let database = TestDatabase::create().await;
    let neon = Neon::with(&database).await;
    let output = neon.run(&["create", "preview/pr-7"], &[]).await.exits(0);
    output.does_not_print(&neon.url);
    assert_eq!(neon.programs.read("branches"), "preview/pr-7\n");
    assert!(!neon.programs.read("calls").contains("key-of-the-project"));
    database.client().await.query("select priority from tasks", &[]).await.expect("the tasks");
    // A push makes it again, from production's data.
    neon.run(&["create", "preview/pr-7"], &[]).await.exits(0);
    assert_eq!(neon.programs.read("branches"), "preview/pr-7\n");

    neon.run(&["delete", "preview/pr-7"], &[]).await.exits(0);
    assert_eq!(neon.programs.read("branches"), "");
    neon.run(&["delete", "preview/pr-7"], &[]).await.exits(0);
}

#[tokio::test]
async fn on_github_the_connection_string_is_masked() {
    let database = TestDatabase::create().await;
    let neon = Neon::with(&database).await;
    let output =
        neon.run(&["create", "preview/pr-7"], &[("GITHUB_ACTIONS", "true")]).await.exits(0);
    let lines = output.stdout.lines().filter(|line| line.contains(&neon.url)).collect::<Vec<_>>();
    assert_eq!(lines, [format!("::add-mask::{}", neon.url)]);
}

#[tokio::test]
async fn a_database_that_differs_from_its_migrations_is_a_failure() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client.batch_execute("create table by_hand (id int)").await.expect("change the schema");
    let neon = Neon::with(&database).await;
    let output = neon.run(&["create", "preview/pr-7"], &[]).await.exits(1);
    assert!(output.stdout.contains("by_hand"), "{output:#?}");
}

#[tokio::test]
async fn other_branches_are_never_touched() {
    let database = TestDatabase::create().await;
    let neon = Neon::with(&database).await;
    for arguments in [
        &["delete", "main"][..],
        &["delete", "preview/../main"],
        &["delete", "preview/a b"],
        &["delete", ""],
        &["list", "preview/a"],
        &[],
    ] {
        neon.run(arguments, &[]).await.exits(2).says("usage: ");
    }
    assert_eq!(neon.programs.calls(), [""; 0]);
}
