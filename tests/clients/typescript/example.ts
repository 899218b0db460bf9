/**
 * A walk through the API with a client that is generated from its OpenAPI document.
 *
 *     npm ci
 *     npm run generate
 *     TASKIE_USER=demo TASKIE_TOKEN=… npm start
 *
 * `TASKIE_URL` is http://127.0.0.1:3000 if it is not set. The tasks that it creates are deleted at the end.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type NewTask = components["schemas"]["NewTask"];
type Task = components["schemas"]["Task"];
type TaskUpdate = components["schemas"]["TaskUpdate"];

const { TASKIE_URL = "http://127.0.0.1:3000", TASKIE_USER = "demo", TASKIE_TOKEN } = process.env;
const PAGE_SIZE = 100;

const client = createClient<paths>({
  baseUrl: TASKIE_URL,
  headers: { Authorization: `Bearer ${TASKIE_TOKEN}` },
});

/** Creates a task; the same key does not create it twice. */
async function create(body: NewTask, key: string): Promise<{ task: Task; etag: string }> {
  const { data, error, response } = await client.POST("/api/{user_id}/tasks", {
    params: { path: { user_id: TASKIE_USER }, header: { "Idempotency-Key": key } },
    body,
  });
  if (error) throw new Error(`${error.title}: ${error.detail}`);
  return { task: data, etag: header(response, "etag") };
}

/** Changes the state of a task that `etag` stands for, and no other one. */
async function update(task: Task, etag: string, body: TaskUpdate) {
  return client.PATCH("/api/{user_id}/tasks/{id}", {
    params: { path: { user_id: TASKIE_USER, id: task.id }, header: { "If-Match": etag } },
    body,
  });
}

/** All open tasks, newest first: each page names the next one in its `Link` header. */
async function* openTasks(): AsyncGenerator<Task[]> {
  let cursor: string | null = null;
  do {
    const { data, error, response } = await client.GET("/api/{user_id}/tasks", {
      params: {
        path: { user_id: TASKIE_USER },
        query: { status: "incomplete", limit: PAGE_SIZE, ...(cursor && { cursor }) },
      },
    });
    if (error) throw new Error(`${error.title}: ${error.detail}`);
    yield data;
    cursor = nextCursor(response);
  } while (cursor);
}

function nextCursor(response: Response): string | null {
  const next = /<([^>]*)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  return next ? new URL(next, response.url).searchParams.get("cursor") : null;
}

function header(response: Response, name: string): string {
  const value = response.headers.get(name);
  assert(value, `the response has no ${name}`);
  return value;
}

async function main(): Promise<void> {
  // 250 tasks, and the pages that they are on.
  const run = randomUUID();
  const created = [];
  for (let i = 0; i < 250; i++) {
    created.push(await create({ title: `Task ${i}`, description: i % 2 ? "odd" : null }, `${run}-${i}`));
  }
  const listed: number[] = [];
  for await (const page of openTasks()) {
    console.log(`a page of ${page.length} tasks`);
    assert(page.length <= PAGE_SIZE);
    listed.push(...page.map((task) => task.id));
  }
  const ids = created.map(({ task }) => task.id);
  assert.deepEqual(listed.filter((id) => ids.includes(id)), [...ids].reverse());

  // The first writer wins; the second one has read a state that is no more.
  const { task, etag } = created[0]!;
  const changed = await update(task, etag, { title: "Buy oat milk", description: null });
  assert(changed.data);
  assert.equal(changed.data.title, "Buy oat milk");
  assert.equal(changed.data.description, null);
  assert.notEqual(header(changed.response, "etag"), etag);
  const stale = await update(task, etag, { status: "complete" });
  assert.equal(stale.response.status, 412);
  assert.equal(stale.error?.type, "/problems/precondition-failed");
  console.log(`412: ${stale.error.detail}`);

  // What matters most comes first.
  const urgent = created[100]!;
  const raised = await update(urgent.task, urgent.etag, { priority: "high" });
  assert.equal(raised.data?.priority, "high");
  const { data: sorted } = await client.GET("/api/{user_id}/tasks", {
    params: { path: { user_id: TASKIE_USER }, query: { sort: "priority", limit: 1 } },
  });
  assert.deepEqual(sorted, [raised.data]);

  // A validation failure names every field.
  const invalid = await client.PUT("/api/{user_id}/tasks/{id}", {
    params: { path: { user_id: TASKIE_USER, id: task.id } },
    body: { title: "", description: "x".repeat(5001) },
  });
  assert.equal(invalid.response.status, 400);
  assert.deepEqual(
    invalid.error?.errors?.map(({ field }) => field),
    ["title", "description"],
  );
  for (const { field, message } of invalid.error.errors) console.log(`400: ${field}: ${message}`);

  // Complete it, read it only if it has changed, delete all.
  const path = { user_id: TASKIE_USER, id: task.id };
  const completed = await client.PATCH("/api/{user_id}/tasks/{id}/complete", { params: { path } });
  assert.equal(completed.data?.status, "complete");
  const reopened = await client.PATCH("/api/{user_id}/tasks/{id}/status", {
    params: { path },
    body: { status: "incomplete" },
  });
  assert(reopened.data);
  const unchanged = await client.GET("/api/{user_id}/tasks/{id}", {
    params: { path, header: { "If-None-Match": header(reopened.response, "etag") } },
  });
  assert.equal(unchanged.response.status, 304);
  for (const id of ids) {
    const { response } = await client.DELETE("/api/{user_id}/tasks/{id}", {
      params: { path: { user_id: TASKIE_USER, id } },
    });
    assert.equal(response.status, 204);
  }
  const gone = await client.GET("/api/{user_id}/tasks/{id}", { params: { path } });
  assert.equal(gone.response.status, 404);
  console.log(`${ids.length} tasks created, listed and deleted`);
}

await main();
