/**
 * Speaks to the service as the client of the predecessor's frontend does, in what a service can notice:
 * one base URL, `Content-Type: application/json` on every request, credentials, ticking by `/status`, and
 * the message of an error from `detail`, but only where its type is `application/json`.
 */

export type Priority = "low" | "medium" | "high";
export type Status = "incomplete" | "complete";

/** A task as the page has it: the service's members, in camel case. */
export interface Task {
  id: number;
  userId: string;
  title: string;
  description: string | null;
  status: Status;
  priority: Priority;
  createdAt: string;
  updatedAt: string;
}

export interface NewTask {
  title: string;
  description?: string;
  priority?: string;
}

/** An answer that is no success, with a message for a person. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TOKEN = "auth_token";

/** The signed-in person's token, which outlives the page. */
export const session = {
  get token(): string | null {
    return localStorage.getItem(TOKEN);
  },
  start(token: string): void {
    localStorage.setItem(TOKEN, token);
  },
  end(): void {
    localStorage.removeItem(TOKEN);
  },
  /** The account's id: the token's subject. */
  get userId(): string {
    const claims = this.token?.split(".")[1] ?? "";
    const json = atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(json).sub;
  },
};

export class Client {
  constructor(private readonly baseUrl: string) {}

  list(filter: { status?: Status; sort?: "priority" } = {}): Promise<Task[]> {
    const query = new URLSearchParams(filter).toString();
    return this.send<Task[]>("GET", query && `?${query}`);
  }

  create(task: NewTask): Promise<Task> {
    return this.send<Task>("POST", "", task);
  }

  update(id: number, changes: Partial<NewTask>): Promise<Task> {
    return this.send<Task>("PUT", `/${id}`, changes);
  }

  setStatus(id: number, status: Status): Promise<Task> {
    return this.send<Task>("PATCH", `/${id}/status`, { status });
  }

  remove(id: number): Promise<void> {
    return this.send<void>("DELETE", `/${id}`);
  }

  private async send<Answer>(method: string, rest: string, body?: object): Promise<Answer> {
    const url = `${this.baseUrl}/api/${encodeURIComponent(session.userId)}/tasks${rest}`;
    const response = await fetch(url, {
      method,
      credentials: "include",
      headers: {
        "Content-Type": "application/json",
        ...(session.token && { Authorization: `Bearer ${session.token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.status === 401) {
      session.end();
    }
    if (!response.ok) {
      throw new Failure(response.status, await message(response));
    }
    return (response.status === 204 ? undefined : camelCased(await response.json())) as Answer;
  }
}

/** What went wrong, in words; of a type that it does not know, the body as it came. */
async function message(response: Response): Promise<string> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("application/json")) {
    const { detail } = await response.json();
    return detail ?? `HTTP ${response.status}`;
  }
  return response.text();
}

/** `created_at` becomes `createdAt`, in objects and in lists of them. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(camelCased);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  const members = Object.entries(value).map(([name, member]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    camelCased(member),
  ]);
  return Object.fromEntries(members);
}
