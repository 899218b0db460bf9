//! A page that behaves as the predecessor's frontend, in a browser and from another origin:
//! `cargo test --test predecessor`, with Chromium, its driver and npm.

use serde_json::{Value, json};
use tests::{App, Browser, Frontend, TestDatabase, Token, User};

/// What the list shows: of each task its title, and what it is.
const SHOWN: &str = "return [...document.querySelectorAll('#list li')].map(item => \
    [item.querySelector('.title').textContent, item.dataset.priority, item.dataset.status])";

/// The service, a page that may use it, and a user.
struct Scene {
    alice: User,
    frontend: Frontend,
}

impl Scene {
    async fn start() -> Self {
        let frontend = Frontend::start().await;
        let app = App::start_with(|options| {
            options.set("cors_origins", &frontend.origin());
        })
        .await;
        Self { alice: app.user("alice").await, frontend }
    }

    /// The page, after somebody has signed in with this token.
    async fn signed_in(&self, token: &str) -> Browser {
        let browser = Browser::open(&self.frontend.url(&self.alice.app().url())).await;
        browser.find("body[data-loaded=false]").await;
        browser.fill("#token", token).await;
        browser.click("#sign-in button").await;
        browser
    }

    /// The page, signed in as the user, with this many tasks.
    async fn opened(&self, tasks: usize) -> Browser {
        let browser = self.signed_in(&self.alice.token).await;
        browser.find("#tasks:not([hidden])").await;
        tests::until("the tasks are shown", async || {
            (shown(&browser).await.as_array()?.len() == tasks).then_some(())
        })
        .await;
        browser
    }

    /// The tasks as the service has them, in the form of [`SHOWN`].
    async fn stored(&self) -> Value {
        let tasks = self.alice.tasks().await;
        tasks.iter().map(|task| json!([task["title"], task["priority"], task["status"]])).collect()
    }
}

async fn shown(browser: &Browser) -> Value {
    browser.run(SHOWN).await
}

/// Waits for the answer to the last change, and checks the list on the page and in the service.
async fn assert_list(scene: &Scene, browser: &Browser, expected: Value) {
    browser.find("#list[aria-busy=false]").await;
    assert_eq!(shown(browser).await, expected);
    assert_eq!(scene.stored().await, expected);
}

async fn message(browser: &Browser) -> String {
    browser.find("#message").await.text().await.expect("the message")
}

/// Waits for the answer to the last change, and checks the message on the page.
async fn assert_message(browser: &Browser, expected: &str) {
    browser.find("#list[aria-busy=false]").await;
    assert_eq!(message(browser).await, expected);
}

async fn add(browser: &Browser, title: &str, priority: &str) {
    choose(browser, title, priority).await;
    browser.click("#new-task button").await;
}

async fn choose(browser: &Browser, title: &str, priority: &str) {
    browser.fill("#title", title).await;
    browser.run(&format!("document.querySelector('#priority').value = '{priority}'")).await;
}

#[tokio::test]
async fn a_person_creates_ticks_unticks_edits_sorts_and_deletes() {
    let scene = Scene::start().await;
    let browser = scene.opened(0).await;

    add(&browser, "Buy milk", "high").await;
    assert_list(&scene, &browser, json!([["Buy milk", "high", "incomplete"]])).await;
    add(&browser, "Call Ann", "low").await;
    let both = json!([["Call Ann", "low", "incomplete"], ["Buy milk", "high", "incomplete"]]);
    assert_list(&scene, &browser, both.clone()).await;

    browser.click("li:first-child .done").await;
    let ticked = json!([["Call Ann", "low", "complete"], ["Buy milk", "high", "incomplete"]]);
    assert_list(&scene, &browser, ticked).await;
    browser.click("li:first-child .done").await;
    assert_list(&scene, &browser, both).await;

    choose(&browser, "Call Ben", "medium").await;
    browser.click("li:first-child .edit").await;
    let edited = json!([["Call Ben", "medium", "incomplete"], ["Buy milk", "high", "incomplete"]]);
    assert_list(&scene, &browser, edited).await;

    browser.click("#by-priority").await;
    browser.find("body[data-loaded=true]").await;
    let sorted = json!([["Buy milk", "high", "incomplete"], ["Call Ben", "medium", "incomplete"]]);
    assert_eq!(shown(&browser).await, sorted);

    browser.click("li:first-child .delete").await;
    assert_list(&scene, &browser, json!([["Call Ben", "medium", "incomplete"]])).await;
    assert_eq!(message(&browser).await, "");
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}

/// The page knows no pages of a list.
#[tokio::test]
async fn all_tasks_are_shown_with_their_times() {
    let scene = Scene::start().await;
    for number in 0..150 {
        scene.alice.task(&format!("task {number}")).await;
    }
    let browser = scene.opened(150).await;
    let times = "return [...document.querySelectorAll('#list li')].map(item => \
        [item.dataset.createdAt, item.dataset.updatedAt])";
    let expected: Value = scene
        .alice
        .tasks()
        .await
        .iter()
        .map(|task| json!([task["created_at"], task["updated_at"]]))
        .collect();
    assert_eq!(browser.run(times).await, expected);
    browser.close().await;
}

/// An account of the predecessor's database, and its tasks as its rows were written, newest first.
const ADA: &str = "7d0c7f0e-0d2c-4a57-9a53-6a1f3c5b9a01";
const TASKS_OF_ADA: &str = "\
select json_agg(json_build_array(
         'Task ' || i, (array['low', 'medium', 'high'])[1 + i % 3],
         case when i % 5 = 0 then 'complete' else 'incomplete' end,
         to_char(timestamp '2026-01-17 09:00:00.123456' + i * interval '7 minutes', form),
         to_char(timestamp '2026-01-17 09:00:00.123456' + i * interval '9 minutes', form))
       order by i desc)::text
  from generate_series(1, 240) as i, (values ('YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) as forms (form)
 where i % 3 <> 0";

#[tokio::test]
async fn every_task_of_an_adopted_database_is_shown_and_can_be_ticked() {
    let frontend = Frontend::start().await;
    let app = App::start_on(TestDatabase::adopted().await, |options| {
        options.set("cors_origins", &frontend.origin());
    })
    .await;
    let token = Token::new(ADA).claim("email", "ada@example.com").signed(app.jwt_secret());
    let alice = app.unregistered_user_with_id(ADA).with_token(token);
    let scene = Scene { alice, frontend };
    let browser = scene.opened(160).await;
    let query = app.client().await.query_one(TASKS_OF_ADA, &[]).await;
    let expected: String = query.expect("the rows as they were").get(0);
    let expected: Value = serde_json::from_str(&expected).expect("a list");
    let list = "return [...document.querySelectorAll('#list li')].map(item => \
        [item.querySelector('.title').textContent, item.dataset.priority, item.dataset.status, \
         item.dataset.createdAt, item.dataset.updatedAt])";
    assert_eq!(browser.run(list).await, expected);

    let mut shown = shown(&browser).await;
    browser.click("li:first-child .done").await;
    shown[0][2] = json!("complete");
    assert_list(&scene, &browser, shown).await;
    add(&browser, "New", "high").await;
    tests::until("the new task is stored", async || {
        (scene.alice.tasks().await.len() == 161).then_some(())
    })
    .await;
    browser.close().await;
}

#[tokio::test]
async fn a_validation_error_is_a_message_in_words() {
    let scene = Scene::start().await;
    scene.alice.task("Buy milk").await;
    let browser = scene.opened(1).await;
    add(&browser, "   ", "high").await;
    assert_message(&browser, "Title is required").await;
    let long = "x".repeat(256);
    choose(&browser, &long, "high").await;
    browser.click("li:first-child .edit").await;
    assert_message(&browser, "Title must be 255 characters or less").await;
    // What was shown at once is taken back.
    assert_list(&scene, &browser, json!([["Buy milk", "medium", "incomplete"]])).await;
    browser.close().await;
}

#[tokio::test]
async fn a_change_is_shown_at_once_and_taken_back_where_it_fails() {
    let scene = Scene::start().await;
    let task = scene.alice.task("Buy milk").await;
    let browser = scene.opened(1).await;
    let status = "document.querySelector('#list li').dataset.status";
    let click = "document.querySelector('#list .done').click()";
    // In one script, before any answer.
    assert_eq!(browser.run(&format!("{click}; return {status}")).await, "complete");
    assert_list(&scene, &browser, json!([["Buy milk", "medium", "complete"]])).await;

    scene.alice.delete(&format!("/tasks/{}", task["id"])).await.empty(204);
    assert_eq!(browser.run(&format!("{click}; return {status}")).await, "incomplete");
    assert_message(&browser, "Task not found").await;
    assert_eq!(shown(&browser).await, json!([["Buy milk", "medium", "complete"]]));
    browser.close().await;
}

#[tokio::test]
async fn a_token_that_has_expired_is_cleared() {
    let scene = Scene::start().await;
    let expired = Token::new(&scene.alice.id).claim_in("exp", -3_600);
    let expired = expired.signed(scene.alice.app().jwt_secret());
    let browser = scene.signed_in(&expired).await;
    browser.find("#message:not(:empty)").await;
    assert_message(&browser, "The token has expired").await;
    browser.find("#sign-in:not([hidden])").await;
    let kept = browser.run("return localStorage.length").await;
    assert_eq!(kept, 0);
    browser.close().await;
}
