"""Random histories of three desktops on the server in memory."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.helpers.desks import Desk
from tests.helpers.memory_server import MemoryServer
from tests.helpers.sync_machine import SyncMachine, twice
from tests.unit.sync.conftest import open_file

SOAK = bool(os.environ.get("PLANNER_SOAK"))


def machine(made: tuple[Path, MemoryServer]) -> type[SyncMachine]:
    """Three desktops on a server of their own: two members, three files."""

    class Machine(SyncMachine):
        def prepare(self, folder: Path) -> list[Desk]:
            server = made[1].copy()
            desks = []
            for number, member in enumerate(("paul", "pia", "pia")):
                (folder / str(number)).mkdir()
                desks.append(open_file(made, server, member, folder / str(number)))
                twice(desks[-1].transport)
            return desks

        def cut(self, desk: Desk, steps: int | None) -> None:
            desk.transport.fuse = steps

    return Machine


def test_whatever_happens_all_end_alike(made: tuple[Path, MemoryServer]) -> None:
    examples = int(os.environ.get("PLANNER_HISTORIES", "2000" if SOAK else "15"))
    run_state_machine_as_test(
        machine(made),
        settings=settings(
            max_examples=examples,
            stateful_step_count=25 if SOAK else 18,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
