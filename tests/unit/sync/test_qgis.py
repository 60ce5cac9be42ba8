"""What QGIS writes into a project file is synced like any edit: pasted, split and merged features too."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.qgis_writer import EDITS, QgisWriter
from tests.helpers.sync_machine import WithQgis, live
from tests.unit.sync.test_machine import machine

pytestmark = pytest.mark.qgis


def test_every_kind_of_edit(qgis: QgisWriter, paul: Desk, pia: Desk) -> None:
    for row, what in enumerate(EDITS):
        saved = qgis.edit(paul.project.path, paul.layer.id, what, row, f"qgis {what}")
        assert saved["saved"], saved
    pia.edit(0, photo=b"pia")
    pia.sync()
    report = paul.sync()
    assert (report.conflicts, report.quarantined) == ((), ())
    pia.sync()
    assert_alike(paul, pia)
    codes = pia.project.read(pia.layer.id).columns["code"]
    assert {"qgis attribute", "qgis add", "qgis paste", "qgis merge"} <= set(codes)
    assert len(codes) == 10 + 1 + 1 - 1 + 1 - 1
    assert pia.cell(0, "photo") == b"pia"


@pytest.mark.soak
def test_whatever_three_writers_do_all_end_alike(
    qgis: QgisWriter, made: tuple[Path, MemoryServer], tally: Counter[str]
) -> None:
    histories = int(os.environ.get("PLANNER_HISTORIES", "1500"))
    live(machine(made, WithQgis, qgis=qgis, tally=tally), histories, 30)
