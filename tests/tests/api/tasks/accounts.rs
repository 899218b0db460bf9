//! The row in `users`: inserted with the first task of a user whose token has an email address, which it
//! follows from then on.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tests::{App, Response, TestDatabase, Token, User};
use tokio_postgres::Client;

use crate::path_of;

async fn emails(app: &App, id: &str) -> Vec<String> {
    let rows = app.client().await.query("select email from users where id = $1", &[&id]).await;
    rows.expect("query").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_first_task_creates_the_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    let task = unregistered.task("first").await;
    assert_eq!(task["user_id"], unregistered.id);
    assert_eq!(emails(&app, &unregistered.id).await, [unregistered.email()]);
    let second = unregistered.task("second").await;
    assert_eq!(unregistered.tasks().await, [second, task]);
}

/// An instance that is kept remembers the token and that the account had its address.
#[tokio::test]
async fn an_address_is_followed_however_often_it_changes() {
    let app = App::start_with(|options| {
        options.reuse = crate::large_instances();
    })
    .await;
    let alice = app.unregistered_user("alice");
    let database = app.client().await;
    let addresses = ["one@example.com", "other@example.com"];
    let users = addresses.map(|address| with_address(&alice, address));
    for (round, which) in [0, 0, 1, 0, 0, 1, 1].into_iter().enumerate() {
        for with_key in [false, true] {
            let mut create = users[which].create(json!({ "title": "x" }));
            if with_key {
                create = create.header("idempotency-key", &format!("round-{round}"));
            }
            create.await.good(201);
            assert_eq!(emails(&app, &alice.id).await, [addresses[which]]);
            let change = "update users set email = 'changed@example.com' where id = $1";
            database.execute(change, &[&alice.id]).await.expect("change the address");
        }
    }
    assert_eq!(alice.tasks().await.len(), 14);
}

#[tokio::test]
async fn many_first_tasks_at_once_create_one_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    let responses = join_all((0..20).map(|i| {
        let title = format!("task {i}");
        unregistered.create(json!({ "title": title })).into_future()
    }));
    for response in responses.await {
        response.good(201);
    }
    assert_eq!(unregistered.tasks().await.len(), 20);
    assert_eq!(emails(&app, &unregistered.id).await, [unregistered.email()]);
}

/// Lets insertions into `users` race: each waits before it reads an index until all can continue.
struct Gate(Client);

impl Gate {
    async fn create(app: &App) -> Self {
        let client = app.client().await;
        let create = "
            create function wait_at_the_gate() returns trigger language plpgsql as $$
            begin perform pg_advisory_xact_lock_shared(7); return new; end $$;
            create trigger wait_at_the_gate before insert on users
              for each row execute function wait_at_the_gate()";
        client.batch_execute(create).await.expect("create the gate");
        Self(client)
    }

    /// Creates a task for each of the users, whose statements all get to the gate.
    async fn create_tasks(&self, users: &[User]) -> Vec<Response> {
        self.0.execute("select pg_advisory_lock(7)", &[]).await.expect("close the gate");
        let requests =
            join_all(users.iter().map(|user| user.create(json!({ "title": "x" })).into_future()));
        let open = async {
            tests::until("all wait at the gate", async || {
                let query = "select count(*) from pg_locks
                              where locktype = 'advisory' and not granted
                                and database = (select oid from pg_database where datname = current_database())";
                let row = self.0.query_one(query, &[]).await.expect("count");
                (usize::try_from(row.get::<_, i64>(0)) == Ok(users.len())).then_some(())
            })
            .await;
            self.0.execute("select pg_advisory_unlock(7)", &[]).await.expect("open the gate");
        };
        join(requests, open).await.0
    }
}

/// Which of the two unique indexes rejects a late one is chance, so many users try.
#[tokio::test]
async fn first_tasks_that_race_for_the_account_all_succeed() {
    let app = App::start_with(|_| {}).await;
    let gate = Gate::create(&app).await;
    for round in 0..20 {
        let unregistered = app.unregistered_user(&format!("newcomer{round}"));
        for response in gate.create_tasks(&vec![unregistered; 8]).await {
            response.good(201);
        }
    }
}

#[tokio::test]
async fn of_new_users_that_race_for_an_address_one_gets_it() {
    let app = App::start_with(|_| {}).await;
    let gate = Gate::create(&app).await;
    for round in 0..5 {
        let address = format!("round{round}@example.com");
        let newcomers: Vec<User> =
            (0..6).map(|_| with_address(&app.unregistered_user("newcomer"), &address)).collect();
        let responses = gate.create_tasks(&newcomers).await;
        let mut statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "{responses:?}");
    }
}

#[tokio::test]
async fn of_accounts_that_race_for_an_address_one_gets_it_and_all_get_their_task() {
    let app = App::start_with(|_| {}).await;
    let gate = Gate::create(&app).await;
    let mut users = Vec::new();
    for _ in 0..6 {
        users.push(app.user("alice").await);
    }
    for round in 0..5 {
        let address = format!("round{round}@example.com");
        let users: Vec<User> = users.iter().map(|user| with_address(user, &address)).collect();
        for response in gate.create_tasks(&users).await {
            response.good(201);
        }
        let count = "select count(*) from users where email = $1";
        let row = gate.0.query_one(count, &[&address]).await.expect("count");
        assert_eq!(row.get::<_, i64>(0), 1, "{address}");
    }
}

/// The migrations need only an `id` in a provider's `users`.
#[tokio::test]
async fn users_without_email_addresses_are_reported_by_the_variables_name() {
    let app = App::start_with(|_| {}).await;
    let client = app.client().await;
    client.batch_execute("alter table users drop column email").await.expect("drop the column");
    let unregistered = app.unregistered_user("newcomer");
    let response = unregistered.create(json!({ "title": "x" })).await;
    response.problem(500).kind("misconfigured").mentions("`provision_users` must be `false`");
}

/// As after `migrator grant` without `--provision-users`.
#[tokio::test]
async fn a_role_that_may_not_insert_users_is_reported_by_the_variables_name() {
    let app = App::start_with(|_| {}).await;
    let (database, role) = (app.database(), app.database().api_role());
    let revoke = format!("revoke insert on users from {}", role.quoted());
    database.client().await.batch_execute(&revoke).await.expect("revoke");
    let response = app.unregistered_user("newcomer").create(json!({ "title": "x" })).await;
    response.problem(500).kind("misconfigured").mentions("`provision_users` must be `false`");
}

#[tokio::test]
async fn without_an_email_address_there_is_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    for (label, email) in [
        ("absent", None),
        ("empty", Some(json!(""))),
        ("a number", Some(json!(7))),
        ("null", Some(Value::Null)),
    ] {
        let token = Token::new(&unregistered.id);
        let token = match email {
            Some(email) => token.claim("email", email),
            None => token,
        };
        let token = token.signed(app.jwt_secret());
        let response = unregistered.with_token(token).create(json!({ "title": "x" })).await;
        assert_eq!(response.status, 403, "{label}: {response}");
        response.problem(403);
    }
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

/// Anybody can tell some issuers any address. Its owner comes later, and is not shut out.
#[tokio::test]
async fn an_address_that_is_not_verified_makes_no_account() {
    let app = App::start().await;
    let owner = app.unregistered_user("owner");
    for (label, verified) in [
        ("false", json!(false)),
        ("false as a text", json!("false")),
        ("null", Value::Null),
        ("a number", json!(1)),
        ("another text", json!("yes")),
    ] {
        let other = app.unregistered_user("other");
        let token = Token::new(&other.id).claim("email", owner.email());
        let token = token.claim("email_verified", verified).signed(app.jwt_secret());
        let other = other.with_token(token);
        let response = other.create(json!({ "title": "x" })).await;
        assert_eq!(response.status, 403, "{label}: {response}");
        response.problem(403).kind("not-registered").says("The account is not registered");
        let keyed = other.post("/tasks").header("Idempotency-Key", "key-1");
        keyed.json(json!({ "title": "x" })).await.problem(403).kind("not-registered");
        assert_eq!(emails(&app, &other.id).await, [] as [&str; 0], "{label}");
    }
    owner.task("x").await;
    assert_eq!(emails(&app, &owner.id).await, [owner.email()]);
}

#[tokio::test]
async fn a_verified_address_makes_an_account() {
    let app = App::start().await;
    for verified in [json!(true), json!("true")] {
        let newcomer = app.unregistered_user("newcomer");
        let token = Token::new(&newcomer.id).claim("email", newcomer.email());
        let token = token.claim("email_verified", verified).signed(app.jwt_secret());
        newcomer.with_token(token).task("x").await;
        assert_eq!(emails(&app, &newcomer.id).await, [newcomer.email()]);
    }
}

#[tokio::test]
async fn somebody_with_an_account_needs_no_verified_address() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).claim("email", alice.email()).claim("email_verified", false);
    alice.with_token(token.signed(app.jwt_secret())).task("x").await;
}

#[tokio::test]
async fn a_user_with_an_account_needs_no_email_address() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).signed(app.jwt_secret());
    alice.with_token(token).create(json!({ "title": "x" })).await.good(201);
}

/// The same user with a token that has another address.
fn with_address(user: &User, address: &str) -> User {
    let token = Token::new(&user.id).claim("email", address).signed(user.app().jwt_secret());
    user.with_token(token)
}

/// An address that nobody has.
fn new_address() -> String {
    format!("new-{:016x}@example.com", rand::random::<u64>())
}

#[tokio::test]
async fn an_account_follows_the_address_in_the_token() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let address = new_address();
    let moved = with_address(&alice, &address);
    moved.task("x").await;
    assert_eq!(emails(&app, &alice.id).await, [address]);

    let address = new_address();
    let keyed = with_address(&alice, &address).post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "y" })).await.good(201);
    assert_eq!(emails(&app, &alice.id).await, [address]);
    assert_eq!(alice.tasks().await.len(), 2);
}

#[tokio::test]
async fn only_a_new_task_changes_the_address() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let path = crate::path_of(&alice.task("x").await);
    let moved = with_address(&alice, &new_address());
    moved.get(&path).await.good(200);
    moved.patch(&path).json(json!({ "title": "y" })).await.good(200);
    moved.create(json!({ "title": "" })).await.problem(400);
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
}

#[tokio::test]
async fn an_address_that_the_issuer_did_not_verify_is_not_followed() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).claim("email", new_address()).claim("email_verified", false);
    alice.with_token(token.signed(app.jwt_secret())).task("x").await;
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
}

#[tokio::test]
async fn an_address_of_another_account_stays_there() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let alice_as_bob = with_address(&alice, &bob.email());
    alice_as_bob.task("x").await;
    let keyed = alice_as_bob.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "y" })).await.good(201);
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
    assert_eq!(emails(&app, &bob.id).await, [bob.email()]);
}

#[tokio::test]
async fn an_address_that_its_account_gave_up_is_free() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let newcomer = with_address(&app.unregistered_user("newcomer"), &alice.email());
    newcomer.create(json!({ "title": "x" })).await.problem(409).kind("email-taken");
    with_address(&alice, &new_address()).task("x").await;
    newcomer.task("x").await;
    assert_eq!(emails(&app, &newcomer.id).await, [alice.email()]);
}

#[tokio::test]
async fn users_who_swap_addresses_get_their_tasks() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let (alice_as_bob, bob_as_alice) =
        (with_address(&alice, &bob.email()), with_address(&bob, &alice.email()));
    let requests = (0..10).flat_map(|_| [&alice_as_bob, &bob_as_alice]);
    let requests = requests.map(|user| user.create(json!({ "title": "x" })).into_future());
    for response in join_all(requests).await {
        response.good(201);
    }
}

/// An `UPDATE` or a lock would leave its transaction's id, or another version of the row.
#[tokio::test]
async fn the_same_address_is_not_written_again() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let (bob, client) = (app.user("bob").await, app.client().await);
    let version = async || {
        let query = "select ctid::text, xmin::text from users where id = $1";
        let row = client.query_one(query, &[&alice.id]).await.expect("query");
        (row.get::<_, String>(0), row.get::<_, String>(1))
    };
    let before = version().await;
    for user in [&alice, &with_address(&alice, &bob.email())] {
        user.task("x").await;
        let keyed = || user.post("/tasks").header("Idempotency-Key", "key-1");
        keyed().json(json!({ "title": "y" })).await.good(201);
        keyed().json(json!({ "title": "y" })).await.good(201);
    }
    assert_eq!(version().await, before);
}

#[tokio::test]
async fn without_a_token_an_account_keeps_its_address() {
    let app = App::start_with(|options| {
        options.directly().set("auth", "insecure-none").unset("jwt_secret");
    })
    .await;
    let (alice, address) = (app.user("alice").await, new_address());
    let update = "update users set email = $2 where id = $1";
    app.client().await.execute(update, &[&alice.id, &address]).await.expect("update");
    alice.task("x").await;
    assert_eq!(emails(&app, &alice.id).await, [address]);
    let newcomer = app.unregistered_user("newcomer");
    newcomer.task("x").await;
    assert_eq!(emails(&app, &newcomer.id).await, [newcomer.email()]);
}

/// As an older version of `migrator grant` left it.
#[tokio::test]
async fn a_role_that_may_not_update_addresses_still_makes_tasks_and_accounts() {
    let app = App::start_with(|_| {}).await;
    let revoke =
        format!("revoke update (email) on users from {}", app.database().api_role().quoted());
    app.client().await.batch_execute(&revoke).await.expect("revoke");
    app.get("/health/db").await.good(200);

    let alice = app.user("alice").await;
    let moved = with_address(&alice, &new_address());
    let newcomer = app.unregistered_user("newcomer");
    for user in [&alice, &moved, &newcomer] {
        user.task("x").await;
        let key = format!("key-{}", rand::random::<u32>());
        let keyed = || user.post("/tasks").header("Idempotency-Key", &key);
        let first = keyed().json(json!({ "title": "y" })).await.good(201);
        assert_eq!(keyed().json(json!({ "title": "y" })).await.good(201), first);
    }
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
    assert_eq!(emails(&app, &newcomer.id).await, [newcomer.email()]);
    let taken = with_address(&app.unregistered_user("newcomer"), &alice.email());
    taken.create(json!({ "title": "x" })).await.problem(409).kind("email-taken");
    assert!(app.log().contains("`migrator grant` gives it what it needs"), "{}", app.log());

    let first_tasks = app.unregistered_user("newcomer");
    let requests = (0..8).map(|_| first_tasks.create(json!({ "title": "x" })).into_future());
    for response in join_all(requests).await {
        response.good(201);
    }
}

/// What a provider's table may refuse, and what of it stands in the log.
#[tokio::test]
async fn an_account_that_the_table_does_not_take_is_not_registered() {
    for (label, table, said) in [
        ("a required column", "alter table users add column name text not null", r#"\"name\""#),
        (
            "a check",
            "alter table users add constraint company_only check (email like '%@company.example')",
            "company_only",
        ),
        (
            "another unique column",
            "alter table users add column handle text not null default '' constraint handle_key unique;
             insert into users (id, email) values ('first', 'first@example.com')",
            "handle_key",
        ),
        ("a short column", "alter table users alter column email type varchar(5)", "22001"),
        (
            "a domain",
            "create domain address as varchar constraint is_address check (value like '%@company.example');
             alter table users alter column email type address",
            "is_address",
        ),
        (
            "a trigger that skips the row",
            "create function skip() returns trigger language plpgsql as 'begin return null; end';
             create trigger skip before insert on users for each row execute function skip()",
            "the table users took no row",
        ),
        (
            "a trigger that refuses",
            "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'only by invitation'; end $$;
             create trigger refuse before insert on users for each row execute function refuse()",
            "only by invitation",
        ),
    ] {
        let app = App::start_with(|_| {}).await;
        let client = app.client().await;
        client.batch_execute(table).await.unwrap_or_else(|err| panic!("{label}: {err}"));
        let newcomer = app.unregistered_user("newcomer");
        let keyed = newcomer.post("/tasks").header("Idempotency-Key", "key-1");
        for response in
            [newcomer.create(json!({ "title": "x" })).await, keyed.json(json!({ "title": "x" })).await]
        {
            assert_eq!(response.status, 403, "{label}: {response}");
            response.problem(403).kind("not-registered").mentions("The account is not registered");
        }
        assert_eq!(emails(&app, &newcomer.id).await, [] as [&str; 0], "{label}");
        let query = "select case when is_called then last_value else 0 end from tasks_id_seq";
        let drawn: i64 = client.query_one(query, &[]).await.expect("query").get(0);
        assert_eq!(drawn, 0, "{label}: ids drawn in vain");
        tests::until("the reason is in the log", async || app.log().contains(said).then_some(()))
            .await;
    }
}

/// Of somebody who has an account, only the address is refused.
#[tokio::test]
async fn an_address_that_the_table_does_not_take_keeps_nobody_from_making_tasks() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let check = "alter table users add constraint company_only check (email like '%@company.example') not valid";
    app.client().await.batch_execute(check).await.expect("add a constraint");
    let moved = with_address(&alice, &new_address());
    moved.task("x").await;
    let keyed = moved.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "y" })).await.good(201);
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
    assert!(app.log().contains("An account keeps its address"), "{}", app.log());
    assert!(app.log().contains("company_only"), "{}", app.log());

    with_address(&alice, "alice@company.example").task("z").await;
    assert_eq!(emails(&app, &alice.id).await, ["alice@company.example"]);
}

/// A role that may insert users, and a table without their addresses: nobody is new there.
#[tokio::test]
async fn an_account_makes_tasks_whatever_else_the_table_lacks() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    app.client().await.batch_execute("alter table users drop column email").await.expect("alter");
    alice.task("x").await;
}

#[tokio::test]
async fn an_email_address_of_another_account_is_refused() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let unregistered = app.unregistered_user("newcomer");
    let token = Token::new(&unregistered.id).claim("email", alice.email()).signed(app.jwt_secret());
    let response = unregistered.with_token(token).create(json!({ "title": "x" })).await;
    response.problem(409);
    assert!(!response.text().contains(&alice.email()), "{response}");
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_bad_first_task_creates_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    unregistered.create(json!({ "title": "" })).await.problem(400);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn reading_creates_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    assert_eq!(unregistered.tasks().await, [] as [Value; 0]);
    unregistered.get("/tasks/1").await.problem(404);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn provisioning_can_be_switched_off() {
    let app = App::start_with(|options| {
        options.set("provision_users", "false");
    })
    .await;
    let revoke = format!("revoke insert on users from {}", app.database().api_role().quoted());
    app.client().await.batch_execute(&revoke).await.expect("revoke");
    let unregistered = app.unregistered_user("newcomer");
    unregistered.create(json!({ "title": "x" })).await.problem(403);
    let keyed = unregistered.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "x" })).await.problem(403);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
    let alice = app.user("alice").await;
    with_address(&alice, &new_address()).task("x").await;
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
}

#[tokio::test]
async fn without_the_privilege_to_create_accounts_existing_users_have_tasks() {
    let database = TestDatabase::migrated().await;
    let revoke = format!("revoke insert on users from {}", database.api_role().quoted());
    database.client().await.batch_execute(&revoke).await.expect("revoke");
    let app = App::start_on(database, |options| {
        options.set("provision_users", "false");
    })
    .await;
    let alice = app.user("alice").await;
    alice.task("x").await;
    for _ in 0..2 {
        let keyed = alice.post("/tasks").header("Idempotency-Key", "key-1");
        keyed.json(json!({ "title": "y" })).await.good(201);
    }
    assert_eq!(alice.tasks().await.len(), 2);
}

#[tokio::test]
async fn a_providers_table_without_email_takes_tasks_with_and_without_a_key() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client.batch_execute("alter table users drop column email").await.expect("alter");
    client.execute("insert into users (id) values ('alice')", &[]).await.expect("insert");
    let app = App::start_on(database, |options| {
        options.set("provision_users", "false");
    })
    .await;
    let alice = app.unregistered_user_with_id("alice");
    alice.task("x").await;
    let keyed = alice.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "y" })).await.good(201);
}

/// The function that inserts tasks has parameters and a variable of these names.
#[tokio::test]
async fn a_providers_table_may_have_columns_of_any_name() {
    let app = App::start_with(|options| {
        options.reuse = crate::large_instances();
    })
    .await;
    let add = "
        alter table users
          add column owner text default 'o', add column title text default 't',
          add column description text default 'd', add column status text default 's',
          add column priority text default 'p', add column address text default 'a',
          add column new_id int default 1";
    app.client().await.batch_execute(add).await.expect("alter");
    let alice = app.user("alice").await;
    let nameless = alice.with_token(Token::new(&alice.id).signed(app.jwt_secret()));
    for user in [&alice, &alice, &nameless] {
        let body =
            json!({ "title": "x", "description": "y", "status": "complete", "priority": "high" });
        let task = user.create(body.clone()).await.good(201);
        for (member, value) in body.as_object().expect("an object") {
            assert_eq!(task[member], *value, "{member}");
        }
        assert_eq!(alice.get(&path_of(&task)).await.good(200), task);
    }
}
