"""A sync in a process of its own that dies (kill −9) at a chosen statement of the file or call to the server."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planner_app.project import Project
from planner_app.sync.client.session import Syncer
from planner_app.sync.transport import Transport

_CALLS = ("rights", "head", "stage", "stage_layer", "commit", "result", "pull", "blobs", "readings", "put_readings")


def sync_and_die(path: Path, connect: Callable[[], Transport], at: int) -> int | None:
    """Sync in a fork; returns None if it was killed at step ``at``, else how many steps the whole took."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            steps = _sync(path, connect, at)
            os.write(write, str(steps).encode())
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0, "the sync failed"
    return int(said)


def _sync(path: Path, connect: Callable[[], Transport], at: int) -> int:
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    transport = connect()
    for name in _CALLS:
        setattr(transport, name, _counted(getattr(transport, name), step))
    with Project.open(path) as project:
        project.door.writer.set_trace_callback(step)
        Syncer(project, transport).sync()
    transport.close()
    return steps


def _counted(call: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*values: Any, **options: Any) -> Any:
        step()
        answer = call(*values, **options)
        step()
        return answer

    return wrapped
