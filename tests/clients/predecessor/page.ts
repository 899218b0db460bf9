/**
 * A page for the client: signs in with a token, lists, creates, ticks, edits and deletes tasks.
 * `?api=` is the service's base URL.
 *
 * The list is optimistic: a change is shown at once, and taken back if the service refuses it.
 */
import { Client, Failure, session, type Priority, type Task } from "./client.js";

const client = new Client(new URLSearchParams(location.search).get("api") ?? "");
let tasks: Task[] = [];
/** How many changes are not answered yet. */
let unanswered = 0;

function find<E extends HTMLElement>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/** Shows the list as it is now, and who sees it. */
function show(): void {
  find("#sign-in").hidden = session.token !== null;
  find("#tasks").hidden = session.token === null;
  find("#list").ariaBusy = String(unanswered > 0);
  const template = find<HTMLTemplateElement>("#task").content;
  find("#list").replaceChildren(
    ...tasks.map((task) => {
      const item = (template.cloneNode(true) as DocumentFragment).querySelector("li")!;
      for (const name of ["id", "status", "priority", "createdAt", "updatedAt"] as const) {
        item.dataset[name] = String(task[name]);
      }
      const done = item.querySelector<HTMLInputElement>(".done")!;
      done.checked = task.status === "complete";
      done.onchange = () => toggle(task);
      item.querySelector(".title")!.textContent = task.title;
      item.querySelector(".priority")!.textContent = task.priority;
      item.querySelector<HTMLButtonElement>(".edit")!.onclick = () => edit(task);
      item.querySelector<HTMLButtonElement>(".delete")!.onclick = () => remove(task);
      return item;
    }),
  );
}

/** Shows the list that will be, asks for it, and shows the old one again if that fails. */
async function change(next: Task[], request: () => Promise<Task | void>): Promise<void> {
  const before = tasks;
  tasks = next;
  find("#message").textContent = "";
  unanswered += 1;
  show();
  try {
    const answer = await request();
    if (answer) {
      tasks = tasks.map((task) => (task.id === answer.id || task.id === 0 ? answer : task));
    }
  } catch (error) {
    tasks = before;
    report(error);
  }
  unanswered -= 1;
  show();
}

function report(error: unknown): void {
  if (error instanceof Failure && error.status === 401) tasks = [];
  find("#message").textContent = error instanceof Error ? error.message : String(error);
}

function changed(task: Task, changes: Partial<Task>): Task[] {
  return tasks.map((other) => (other.id === task.id ? { ...other, ...changes } : other));
}

function toggle(task: Task): Promise<void> {
  const status = task.status === "complete" ? "incomplete" : "complete";
  return change(changed(task, { status }), () => client.setStatus(task.id, status));
}

function edit(task: Task): Promise<void> {
  const { title, priority } = fields();
  return change(changed(task, { title, priority: priority as Priority }), () =>
    client.update(task.id, { title, priority }),
  );
}

function remove(task: Task): Promise<void> {
  return change(
    tasks.filter((other) => other.id !== task.id),
    () => client.remove(task.id),
  );
}

function create(): Promise<void> {
  const { title, priority } = fields();
  const now = new Date().toISOString();
  // Without an id until the service has given one.
  const draft: Task = {
    id: 0,
    userId: session.userId,
    title,
    description: null,
    status: "incomplete",
    priority: priority as Priority,
    createdAt: now,
    updatedAt: now,
  };
  return change([draft, ...tasks], () => client.create({ title, priority }));
}

function fields(): { title: string; priority: string } {
  return {
    title: find<HTMLInputElement>("#title").value,
    priority: find<HTMLSelectElement>("#priority").value,
  };
}

async function load(): Promise<void> {
  const sort = find<HTMLInputElement>("#by-priority").checked;
  try {
    if (session.token) tasks = await client.list(sort ? { sort: "priority" } : {});
  } catch (error) {
    report(error);
  }
  show();
  document.body.dataset["loaded"] = String(sort);
}

function onSubmit(form: string, action: () => Promise<void>): void {
  find(form).addEventListener("submit", (event) => {
    event.preventDefault();
    void action();
  });
}

onSubmit("#sign-in", () => {
  session.start(find<HTMLInputElement>("#token").value);
  return load();
});
onSubmit("#new-task", create);
find("#by-priority").addEventListener("change", () => void load());
await load();
