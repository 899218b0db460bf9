"""The API's predecessor, a FastAPI and SQLModel backend, with the routes that are measured.

Written as such a backend is: a model per table, pydantic models for bodies and responses, a session for each
request on a connection of SQLAlchemy's pool, PyJWT for the token, uvicorn with uvloop and httptools. Asynchronous
throughout: with psycopg and threads each request takes a fifth more CPU time or worse.
`cargo bench-api --predecessor` measures the API against it.

Reads one line of JSON (`database_url`, `jwt_secret`, `pool_size`) from standard input, prints its address, and
serves until its standard input ends.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Annotated

import jwt
import uvicorn
import uvloop
from fastapi import Depends, FastAPI, HTTPException, Query, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import case, make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import DateTime, Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

config = json.loads(sys.stdin.readline())
# Parameters such as `sslmode` are not asyncpg's.
database_url = make_url(config["database_url"]).set(drivername="postgresql+asyncpg", query={})
engine = create_async_engine(database_url, pool_size=config["pool_size"], max_overflow=0)
sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
app = FastAPI()


class Status(str, Enum):
    incomplete = "incomplete"
    complete = "complete"


class Priority(str, Enum):
    low = "low"
    medium = "medium"
    high = "high"


def now() -> datetime:
    return datetime.now(timezone.utc)


class Task(SQLModel, table=True):
    __tablename__ = "tasks"

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True, foreign_key="users.id")
    title: str = Field(max_length=255)
    description: str | None = Field(default=None, max_length=5000)
    status: str = "incomplete"
    priority: str = "medium"
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)


class TaskCreate(SQLModel):
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=5000)
    status: Status = Status.incomplete
    priority: Priority = Priority.medium


class TaskUpdate(SQLModel):
    title: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=5000)
    status: Status | None = None
    priority: Priority | None = None


class TaskResponse(SQLModel):
    id: int
    user_id: str
    title: str
    description: str | None
    status: str
    priority: str
    created_at: datetime
    updated_at: datetime


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def verify_caller(
    user_id: str, bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> str:
    """The token's user, who must be the user in the path."""
    try:
        claims = jwt.decode(
            bearer.credentials, config["jwt_secret"], algorithms=["HS256"], options={"require": ["exp", "sub"]}
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid or expired token") from error
    if claims["sub"] != user_id:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return user_id


Session = Annotated[AsyncSession, Depends(open_session)]
Caller = Annotated[str, Depends(verify_caller)]


async def find_task(session: AsyncSession, user_id: str, task_id: int) -> Task:
    query = select(Task).where(Task.id == task_id, Task.user_id == user_id)
    task = (await session.exec(query)).first()
    if task is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return task


async def save(session: AsyncSession, task: Task) -> Task:
    session.add(task)
    await session.commit()
    # What the database has set: the id, the times.
    await session.refresh(task)
    return task


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/{user_id}/tasks", response_model=TaskResponse, status_code=status.HTTP_201_CREATED)
async def create_task(session: Session, caller: Caller, body: TaskCreate) -> Task:
    return await save(session, Task(user_id=caller, **body.model_dump(mode="json")))


@app.get("/api/{user_id}/tasks", response_model=list[TaskResponse])
async def list_tasks(
    session: Session,
    caller: Caller,
    status: Status | None = None,
    sort: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Sequence[Task]:
    query = select(Task).where(Task.user_id == caller)
    if status is not None:
        query = query.where(Task.status == status.value)
    if sort == "priority":
        query = query.order_by(case({"high": 1, "medium": 2, "low": 3}, value=col(Task.priority)))
    query = query.order_by(col(Task.created_at).desc(), col(Task.id).desc()).limit(limit)
    return (await session.exec(query)).all()


@app.get("/api/{user_id}/tasks/{task_id}", response_model=TaskResponse)
async def get_task(session: Session, caller: Caller, task_id: int) -> Task:
    return await find_task(session, caller, task_id)


@app.put("/api/{user_id}/tasks/{task_id}", response_model=TaskResponse)
async def update_task(session: Session, caller: Caller, task_id: int, body: TaskUpdate) -> Task:
    task = await find_task(session, caller, task_id)
    task.sqlmodel_update(body.model_dump(mode="json", exclude_unset=True))
    task.updated_at = now()
    return await save(session, task)


async def set_status(session: AsyncSession, user_id: str, task_id: int, status: Status) -> Task:
    task = await find_task(session, user_id, task_id)
    task.status = status.value
    task.updated_at = now()
    return await save(session, task)


@app.patch("/api/{user_id}/tasks/{task_id}/complete", response_model=TaskResponse)
async def complete_task(session: Session, caller: Caller, task_id: int) -> Task:
    return await set_status(session, caller, task_id, Status.complete)


@app.patch("/api/{user_id}/tasks/{task_id}/incomplete", response_model=TaskResponse)
async def reopen_task(session: Session, caller: Caller, task_id: int) -> Task:
    return await set_status(session, caller, task_id, Status.incomplete)


async def serve() -> None:
    """Serves as `uvicorn` does with its standard extras and one worker, until standard input ends."""
    server = uvicorn.Server(uvicorn.Config(app))
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    print(f"{host}:{port}", flush=True)
    # Nobody reads more than the address: the log goes where the other servers' goes.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serving = asyncio.create_task(server.serve([listener]))
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
    await engine.dispose()


if __name__ == "__main__":
    uvloop.run(serve())
