"""A walk through the API with a client that is generated from its OpenAPI document.

    pip install -r requirements.txt
    openapi-python-client generate --url http://127.0.0.1:3000/openapi.json \
        --meta none --output-path taskie --overwrite
    TASKIE_USER=demo TASKIE_TOKEN=… python example.py

`TASKIE_URL` is http://127.0.0.1:3000 if it is not set. The tasks that it creates are deleted at the end.
"""

import os
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from taskie import AuthenticatedClient
from taskie.api.tasks import (
    complete_task,
    create_task,
    delete_task,
    get_task,
    list_tasks,
    put_task,
    reopen_task,
    update_task,
)
from taskie.models import ListTasksSort, NewTask, Priority, Problem, Status, Task, TaskUpdate
from taskie.types import UNSET, Response, Unset

URL = os.environ.get("TASKIE_URL", "http://127.0.0.1:3000")
USER = os.environ.get("TASKIE_USER", "demo")
PAGE_SIZE = 100


def main(client: AuthenticatedClient) -> None:
    # 250 tasks, and the pages that they are on.
    run = uuid.uuid4()
    created = [
        create(client, NewTask(title=f"Task {i}", description="odd" if i % 2 else None), f"{run}-{i}")
        for i in range(250)
    ]
    listed: list[int] = []
    for page in open_tasks(client):
        print(f"a page of {len(page)} tasks")
        assert len(page) <= PAGE_SIZE
        listed += [task.id for task in page]
    ids = [task.id for task, _ in created]
    assert [id for id in listed if id in ids] == ids[::-1]

    # The first writer wins; the second one has read a state that is no more.
    task, etag = created[0]
    changes = TaskUpdate(title="Buy oat milk", description=None)
    changed = update_task.sync_detailed(USER, task.id, client=client, body=changes, if_match=etag)
    assert isinstance(changed.parsed, Task)
    assert (changed.parsed.title, changed.parsed.description) == ("Buy oat milk", None)
    assert changed.headers["ETag"] != etag
    done = TaskUpdate(status=Status.COMPLETE)
    stale = problem(412, update_task.sync_detailed(USER, task.id, client=client, body=done, if_match=etag))
    assert stale.type_ == "/problems/precondition-failed"
    print(f"412: {stale.detail}")

    # What matters most comes first.
    task_100, etag_100 = created[100]
    raised = update_task.sync(USER, task_100.id, client=client, body=TaskUpdate(priority="high"), if_match=etag_100)
    assert isinstance(raised, Task) and raised.priority is Priority.HIGH
    assert list_tasks.sync(USER, client=client, sort=ListTasksSort.PRIORITY, limit=1) == [raised]

    # A validation failure names every field.
    changes = TaskUpdate(title="", description="x" * 5001)
    invalid = problem(400, put_task.sync_detailed(USER, task.id, client=client, body=changes))
    errors = invalid.errors or []
    assert [error.field for error in errors] == ["title", "description"]
    for error in errors:
        print(f"400: {error.field}: {error.message}")

    # Complete it, read it only if it has changed, delete all.
    completed = complete_task.sync_detailed(USER, task.id, client=client)
    assert isinstance(completed.parsed, Task) and completed.parsed.status is Status.COMPLETE
    reopened = reopen_task.sync_detailed(USER, task.id, client=client)
    assert isinstance(reopened.parsed, Task) and reopened.parsed.status is Status.INCOMPLETE
    etag = reopened.headers["ETag"]
    unchanged = get_task.sync_detailed(USER, task.id, client=client, if_none_match=etag)
    assert unchanged.status_code == 304
    for id in ids:
        assert delete_task.sync_detailed(USER, id, client=client).status_code == 204
    problem(404, get_task.sync_detailed(USER, task.id, client=client))
    print(f"{len(ids)} tasks created, listed and deleted")


def create(client: AuthenticatedClient, new: NewTask, key: str) -> tuple[Task, str]:
    """Creates a task; the same key does not create it twice."""
    response = create_task.sync_detailed(USER, client=client, body=new, idempotency_key=key)
    assert isinstance(response.parsed, Task), response
    return response.parsed, response.headers["ETag"]


def open_tasks(client: AuthenticatedClient) -> Iterator[list[Task]]:
    """All open tasks, newest first: each page names the next one in its `Link` header."""
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        response = list_tasks.sync_detailed(
            USER, client=client, status=Status.INCOMPLETE, limit=PAGE_SIZE, cursor=cursor
        )
        assert isinstance(response.parsed, list), response
        yield response.parsed
        link = re.search(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        cursor = parse_qs(urlsplit(link[1]).query)["cursor"][0] if link else None


def problem(status: int, response: Response[Any]) -> Problem:
    """The failure that the response is."""
    assert response.status_code == status, response
    assert isinstance(response.parsed, Problem)
    return response.parsed


if __name__ == "__main__":
    with AuthenticatedClient(base_url=URL, token=os.environ["TASKIE_TOKEN"]) as client:
        main(client)
