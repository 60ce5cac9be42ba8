"""What QGIS writes into a project file is synced like any edit: pasted, split and merged features too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.qgis_writer import EDITS, QgisWriter
from tests.helpers.sync_machine import DESKS, ROWS
from tests.unit.sync.test_machine import machine

pytestmark = pytest.mark.qgis


@pytest.fixture
def qgis(qgis_python: str) -> Iterator[QgisWriter]:
    writer = QgisWriter(qgis_python)
    yield writer
    writer.close()


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
def test_whatever_three_writers_do_all_end_alike(qgis: QgisWriter, made: tuple[Path, MemoryServer]) -> None:
    class Machine(machine(made)):  # type: ignore[misc]
        @rule(desk=DESKS, row=ROWS, what=st.sampled_from(EDITS))
        def save_in_qgis(self, desk: int, row: int, what: str) -> None:
            one = self.desks[desk]
            if self.table(one):
                text = self.token(desk) if what not in ("geometry", "delete", "split") else ""
                answer = qgis.edit(one.project.path, self.table(one), what, row, text)
                assert answer["saved"], answer
                one.project.poll()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=300, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )  # fmt: skip
