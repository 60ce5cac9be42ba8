"""Random histories of several desktops on one server: whatever happens, nothing is lost and all end alike.

The invariants: P1 after quiescence all files hold the same, and what the server holds · P2 every accepted edit is on
the server or visible · P3 a push again is nothing · P4 a cut leaves the old or the new state · P5 a pull makes nothing
dirty · P6 spatial indexes are right · P7 identities are unique and valid · P8 revisions have no gaps · P9 one bad
record blocks no other · P11 what leaves sight goes · P12 clocks decide nothing. (P10 is the server's own verification.)
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.project import (
    AddField,
    DeleteFeatures,
    DropLayer,
    EditCells,
    EditGeometry,
    InsertFeatures,
    RenameLayer,
    SetLayer,
    SetStyle,
)
from planner_app.sync import cells
from planner_app.sync.client import outbox
from planner_app.sync.client.conflicts import ResolveConflicts, conflicts
from planner_app.sync.client.quarantine import FixQuarantined, quarantine
from planner_app.sync.transport import Transport
from planner_app.sync.types import PushHeader, PushResult, Scope
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.project_files import assert_whole, foreign, square
from tests.helpers.qgis_writer import EDITS, QgisWriter

DESKS = st.integers(0, 2)
ROWS = st.integers(0, 11)
#: What other programs do, in SQL; {t} the table, {r} a row that is there, {o} another, ? a new text.
FOREIGN = [
    "UPDATE {t} SET code = ? WHERE fid = {r}",
    "INSERT INTO {t} (code) VALUES (?)",
    "INSERT INTO {t} (uuid, code, geom) SELECT uuid, ?, geom FROM {t} WHERE fid = {r}",  # a paste, with its identity
    "INSERT OR REPLACE INTO {t} (fid, code) VALUES ({r}, ?)",
    "DELETE FROM {t} WHERE fid = {r}",
    "UPDATE {t} SET fid = fid + 1000, code = ? WHERE fid = {r}",
    "UPDATE {t} SET uuid = NULL, code = ? WHERE fid = {r}",
    "UPDATE {t} SET uuid = (SELECT uuid FROM {t} WHERE fid = {o}), code = ? WHERE fid = {r}",
    "UPDATE OR REPLACE {t} SET fid = {o}, code = ? WHERE fid = {r}",
    "UPDATE {t} SET uuid = lower(hex(randomblob(4))) || '-1111-4111-8111-111111111111', code = ? WHERE fid = {r}",
    "UPDATE {t} SET far = 'poison' WHERE fid = {r}",
    "UPDATE {t} SET code = CAST(x'ff00' AS TEXT) WHERE fid = {r}",
    "UPDATE {t} SET storeys = 1.5, photo = 'text' WHERE fid = {r}",
    "UPDATE {t} SET geom = NULL WHERE fid = {r}",
    "UPDATE {t} SET far = far * 2 + 1",
]


class SyncMachine(RuleBasedStateMachine):
    """Subclasses give three desks that are alike, ``cut``: a line that breaks after some steps, and a ``tally``."""

    tally: ClassVar[Counter[str]]
    desks: list[Desk]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.number = 0
        self.mine: list[set[str]] = [set(), set(), set()]
        self.wrote: Counter[str] = Counter()

    def prepare(self, folder: Path) -> list[Desk]:
        raise NotImplementedError

    def cut(self, desk: Desk, steps: int | None) -> None:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.desks = self.prepare(Path(self.folder.name))

    def teardown(self) -> None:
        try:
            if hasattr(self, "desks"):
                self.settle()
                self.tally["histories"] += 1
                if len(self.wrote) == 3:
                    self.tally["of three writers"] += 1
                self.tally.update(self.wrote)
        finally:
            for desk in getattr(self, "desks", []):
                desk.project.close()
                desk.syncer.transport.close()
            self.folder.cleanup()

    # ------------------------------------------------------------ edits

    def token(self, desk: int) -> str:
        """A text that was never written before, remembered as this desk's."""
        self.number += 1
        text = f"t{self.number}"
        self.mine[desk].add(text)
        return text

    def fids(self, desk: Desk, *wanted: int) -> list[int]:
        rows = [int(fid) for fid in desk.project.read(self.table(desk), columns=(), geometry=False).fids]
        return [rows[one % len(rows)] for one in wanted] if rows else []

    def table(self, desk: Desk) -> str:
        layers = desk.project.layers()
        return layers[0].id if layers else ""

    def do(self, desk: int, make: Callable[[str], Any]) -> None:
        project = self.desks[desk].project
        table = self.table(self.desks[desk])
        if table:
            try:
                project.execute(make(table))
                self.wrote["edits by the store"] += 1
            except PlannerError as error:
                expect(error, "layer.locked", "field.twice")

    @rule(desk=DESKS, row=ROWS, column=st.sampled_from(["code", "far", "storeys", "photo"]), kept=st.booleans())
    def edit(self, desk: int, row: int, column: str, kept: bool) -> None:
        fids = self.fids(self.desks[desk], row) if self.table(self.desks[desk]) else []
        if fids:
            values: dict[str, Any] = {
                "code": None if kept else self.token(desk), "far": row / 7, "storeys": row * desk,
                "photo": bytes([row]),
            }  # fmt: skip
            self.do(desk, lambda table: EditCells(table, fids, column, [values[column]]))

    @rule(desk=DESKS, row=ROWS, x=st.integers(0, 300))
    def move(self, desk: int, row: int, x: int) -> None:
        fids = self.fids(self.desks[desk], row) if self.table(self.desks[desk]) else []
        if fids:
            self.do(desk, lambda table: EditGeometry(table, {fids[0]: square(float(x), 0) if x else None}))

    @rule(desk=DESKS, x=st.integers(0, 300))
    def insert(self, desk: int, x: int) -> None:
        self.do(desk, lambda table: InsertFeatures(table, [square(float(x), 9)], {"code": [self.token(desk)]}))

    @rule(desk=DESKS, row=ROWS)
    def delete(self, desk: int, row: int) -> None:
        fids = self.fids(self.desks[desk], row) if self.table(self.desks[desk]) else []
        if fids:
            self.do(desk, lambda table: DeleteFeatures(table, fids))

    @rule(desk=DESKS, row=ROWS, other=ROWS, number=st.integers(0, len(FOREIGN) - 1))
    def sql(self, desk: int, row: int, other: int, number: int) -> None:
        table, fids = self.table(self.desks[desk]), []
        if table:
            fids = self.fids(self.desks[desk], row, other)
        if fids:
            statement = FOREIGN[number].format(t=f'"{table}"', r=fids[0], o=fids[1])
            with foreign(self.desks[desk].project.path) as connection:
                try:
                    connection.execute(statement, (self.token(desk),) if "?" in statement else ())
                except sqlite3.IntegrityError as error:  # the number it wants for a row is taken
                    if not str(error).endswith(".fid"):
                        raise
            self.wrote["edits by SQL"] += 1
            self.desks[desk].project.poll()

    @rule(desk=DESKS, redo=st.booleans())
    def undo(self, desk: int, redo: bool) -> None:
        project = self.desks[desk].project
        try:
            project.redo() if redo else project.undo()
        except PlannerError as error:
            expect(error, "project.undo_conflict", "project.undo_gone")

    @rule(desk=DESKS, what=st.integers(0, 5))
    def registry(self, desk: int, what: int) -> None:
        text = f"n{self.number}"
        self.number += 1
        commands: list[Callable[[str], Any]] = [
            lambda t: RenameLayer(t, text), lambda t: SetStyle(t, f"<qgis n='{text}'/>"),
            lambda t: AddField(t, FieldInfo(f"f{self.number % 3}", "real")), lambda t: SetLayer(t, {"note": text}),
            DropLayer, lambda t: SetLayer(t, {"class_field": "code"}),
        ]  # fmt: skip
        self.do(desk, commands[what])

    # ------------------------------------------------------------ syncing

    @rule(desk=DESKS, fuse=st.none() | st.integers(0, 40))
    def sync(self, desk: int, fuse: int | None) -> None:
        one = self.desks[desk]
        self.cut(one, fuse)
        self.tally["syncs"] += 1
        try:
            one.sync()
        except PlannerError as error:
            expect(error, "sync.offline")
            self.tally["cut short"] += 1
            self.cut(one, None)
            return
        self.cut(one, None)
        self.seen(desk)

    @rule(desk=DESKS, other=DESKS)
    def meet(self, desk: int, other: int) -> None:
        for one in (desk, other):
            self.sync(one, None)

    @rule(desk=DESKS)
    def pull(self, desk: int) -> None:
        one = self.desks[desk]
        before, tables = self.dirty(one), {layer.id for layer in one.project.layers()}
        one.syncer.pull()
        # P5. (What was edited in a layer before it was removed here counts again if others bring it back.)
        made = {(table, uuid) for table, uuid in self.dirty(one) - before if table in tables}
        assert not made, "a pull made something dirty"

    def dirty(self, desk: Desk) -> set[tuple[str, str]]:
        with desk.project.door.read() as connection:
            tables = dict(connection.execute("SELECT table_name, since FROM planner_replica_layer WHERE live"))
            return {
                (table, uuid)
                for table, rows in outbox.touched(connection, tables).items()
                for uuid in outbox.records(connection, table, rows)
            }

    @rule(desk=DESKS, mine=st.booleans())
    def choose(self, desk: int, mine: bool) -> None:
        project = self.desks[desk].project
        waiting = [one for one in conflicts(project) if one.kind != "cell" or one.fid is not None]
        if waiting:
            try:
                project.execute(ResolveConflicts((waiting[-1].id,), "mine" if mine else "theirs"))
            except PlannerError as error:
                expect(error, "field.value_wrong", "layer.unknown", "layer.locked", "field.unknown")

    @rule(desk=DESKS, which=st.integers(0, 4))
    def mend(self, desk: int, which: int) -> None:
        project = self.desks[desk].project
        for one in quarantine(project)[:1]:
            if one.fixes:
                try:
                    project.execute(FixQuarantined((one.id,), one.fixes[which % len(one.fixes)]))
                except PlannerError as error:
                    expect(error, "sync.record_gone")

    @rule(desk=DESKS, year=st.integers(1970, 2100))
    def turn_back_the_clock(self, desk: int, year: int) -> None:
        with foreign(self.desks[desk].project.path) as connection:
            connection.execute(
                "UPDATE planner_txn SET time = ? WHERE id = (SELECT max(id) FROM planner_txn)", (str(year),)
            )

    def seen(self, desk: int) -> None:
        """P2: what this desk wrote is in the server's log, waits here, or was overwritten before it was sent."""
        project = self.desks[desk].project
        with closing(sqlite3.connect(project.path)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            there = {
                str(row[0])
                for layer in project.layers()
                for row in connection.execute(f'SELECT code FROM "{layer.id}"')
            }
            waiting = {str(row[0]) for row in connection.execute("SELECT mine FROM planner_replica_conflict")}
            held = quarantine(project)
        self.now_here = there & self.mine[desk]
        logged = self.logged()
        for text in self.now_here - logged:
            assert held, f"{text} is in the file of desk {desk}, not on the server, and nothing is held back"
        self.mine[desk] = {text for text in self.mine[desk] if text in self.now_here or text in waiting}

    def logged(self) -> set[str]:
        """All texts that the server's log ever took."""
        transport = self.desks[0].syncer.transport
        rows = transport.history(self.project_key, limit=100_000)
        return {text for row in rows for text in row.after.values() if text is not None}

    @property
    def project_key(self) -> str:
        with self.desks[0].project.door.read() as connection:
            return str(connection.execute("SELECT value FROM planner_meta WHERE key = 'uuid'").fetchone()[0])

    @invariant()
    def revisions_have_no_gaps(self) -> None:
        if hasattr(self, "desks"):
            found = [one.revision for one in self.desks[0].syncer.transport.revisions(self.project_key, limit=10_000)]
            assert found == list(range(len(found), 0, -1))  # P8

    # ------------------------------------------------------------ in the end

    def settle(self) -> None:
        """Everybody syncs until nothing moves: P1, P6, P7."""
        for desk in self.desks:
            self.cut(desk, None)
        for _ in range(8):
            moved = 0
            for desk in self.desks:
                report = desk.sync()
                for one in report.quarantined:
                    if "discard" in one.fixes:
                        desk.project.execute(FixQuarantined((one.id,), "discard"))
                        moved += 1
                moved += report.pushed + report.pulled
            if not moved:
                break
        else:
            raise AssertionError("they never come to rest")
        assert_alike(*self.desks)
        for desk in self.desks:
            assert_whole(desk.project)
            assert not self.dirty(desk)
        self.same_as_the_server()

    def same_as_the_server(self) -> None:
        desk = self.desks[0]
        with desk.syncer.transport.pull(self.project_key, 0) as state:
            there = {one.uuid: one for one in state.layers}
            assert set(there) == {layer.uuid for layer in desk.project.layers()}
            for layer in desk.project.layers():
                types = {field.name: field.type for field in layer.fields}
                rows = {row.uuid: row for row in state.rows(layer.uuid, Scope())}
                table = desk.project.read(layer.id, columns=["uuid", *types])
                assert set(rows) == set(table.columns["uuid"])
                for at, uuid in enumerate(table.columns["uuid"]):
                    row = rows[uuid]
                    shape = table.geometry[at]
                    assert (None if shape is None else bytes(shape)) == row.geometry
                    here = {name: cells.encode(table.columns[name][at], kind) for name, kind in types.items()}
                    assert here == {name: row.cells.get(name) for name in types}


class WithQgis(SyncMachine):
    """QGIS's provider writes too, at least once."""

    qgis: ClassVar[QgisWriter]

    @initialize(desk=DESKS, row=ROWS, what=st.sampled_from(EDITS))
    def start(self, desk: int, row: int, what: str) -> None:  # type: ignore[override]
        super().start()
        self.save_in_qgis(desk, row, what)

    @rule(desk=DESKS, row=ROWS, what=st.sampled_from(EDITS))
    def save_in_qgis(self, desk: int, row: int, what: str) -> None:
        one = self.desks[desk]
        if self.table(one):
            text = self.token(desk) if what not in ("geometry", "delete", "split") else ""
            answer = self.qgis.edit(one.project.path, self.table(one), what, row, text)
            assert answer["saved"], answer
            one.project.poll()
            self.wrote["edits by QGIS"] += 1


def live(machine: type[SyncMachine], histories: int, steps: int) -> None:
    """Random histories of this machine."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def expect(error: PlannerError, *codes: str) -> None:
    """Anything else is a fault."""
    if error.code not in codes:
        raise error


def twice(transport: Transport) -> None:
    """P3: every commit is made twice; the second must answer the same and change nothing."""
    commit = transport.commit

    def again(push: PushHeader) -> PushResult:
        first = commit(push)
        if not first.behind:
            before = transport.head(push.project).revision
            assert commit(push) == first
            assert transport.head(push.project).revision == before
        return first

    transport.commit = again  # type: ignore[method-assign]
