"""Random histories of three desktops on the server in memory."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from tests.helpers.desks import Desk
from tests.helpers.memory_server import MemoryServer
from tests.helpers.sync_machine import SyncMachine, live, twice
from tests.unit.sync.conftest import open_file

SOAK = bool(os.environ.get("PLANNER_SOAK"))


def machine(made: tuple[Path, MemoryServer], base: type[SyncMachine] = SyncMachine, **given: Any) -> type[SyncMachine]:
    """Three desktops on a server of their own: two members, three files."""

    class Machine(base):  # type: ignore[misc, valid-type]
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

    return type("Machine", (Machine,), given)


def test_whatever_happens_all_end_alike(made: tuple[Path, MemoryServer], tally: Counter[str]) -> None:
    histories = int(os.environ.get("PLANNER_HISTORIES", "1000" if SOAK else "15"))
    live(machine(made, tally=tally), histories, 25 if SOAK else 18)
