"""What can be done with rounds, defects and work orders; opens the dialogs. Works before the page is ever opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.i18n import tr, word
from plugins.tunnel.ui.rounds.desk import OperationDesk

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.field_merge import TakeIn
    from plugins.tunnel.model.operation.records import Defect


class Actions:
    """The desk must have read its records (``OperationDesk.ensure``). ``parent``: dialogs belong to its window."""

    def __init__(self, desk: OperationDesk, parent: QWidget) -> None:
        self.desk, self._parent = desk, parent

    @property
    def window(self) -> QWidget:
        """Whom dialogs belong to; one without an owner would be gone as soon as it is made."""
        return self._parent.window()

    # rounds

    def plan(self, plan_id: str = "") -> None:
        """A new plan, or a known one."""
        from plugins.tunnel.ui.rounds.round_dialogs import PlanDialog

        book = self.desk.shown.book if self.desk.shown is not None else None
        known = next((one for one in book.plans if one.id == plan_id), None) if book is not None else None
        PlanDialog(self.desk, self.window, known).show()

    def record(self, plan_id: str = "") -> None:
        """A round that was walked."""
        from plugins.tunnel.ui.rounds.round_dialogs import RoundDialog

        RoundDialog(self.desk, self.window, plan_id, self.observe).show()

    def observe(self, round_id: str = "") -> None:
        """What was seen on a round."""
        from plugins.tunnel.ui.rounds.round_dialogs import ObserveDialog

        ObserveDialog(self.desk, self.window, round_id).show()

    # defects

    def new_defect(self) -> None:
        """A defect found outside of a round."""
        from plugins.tunnel.ui.rounds.round_dialogs import ObserveDialog

        ObserveDialog(self.desk, self.window, defect=True).show()

    def history(self, defect_id: str) -> None:
        """The history of a defect."""
        from plugins.tunnel.ui.rounds.history import HistoryDialog

        dialog = HistoryDialog(self.desk, self.window, defect_id)

        def on_it(run: Callable[[Defect], None]) -> None:
            book = self.desk.shown.book if self.desk.shown is not None else None
            for one in book.defects if book is not None else ():
                if one.id == defect_id:
                    run(one)

        dialog.add_actions(
            (tr("Examine…"), lambda: on_it(self.examine)), (tr("Work order…"), lambda: on_it(self.order_for))
        )  # fmt: skip
        dialog.show()

    def examine(self, defect: Defect) -> None:
        """A defect seen again."""
        from plugins.tunnel.ui.rounds.defect_dialogs import ExamineDialog

        ExamineDialog(self.desk, self.window, defect).show()

    def close_defect(self, defect: Defect) -> None:
        """A defect repaired."""
        from plugins.tunnel.ui.rounds.defect_dialogs import CloseDefectDialog

        CloseDefectDialog(self.desk, self.window, defect).show()

    # work orders

    def new_order(self, title: str = "", **given: Any) -> None:
        """A new work order, filled in: kind, subject, steps, tunnel, m, compartment, source."""
        from plugins.tunnel.ui.rounds.order_dialogs import NewOrderDialog

        known = ("kind", "subject", "steps", "tunnel", "m", "compartment", "source")
        told = {key: value for key, value in given.items() if key in known and value is not None}
        NewOrderDialog(self.desk, self.window, title=title, **told).show()

    def order_for(self, defect: Defect) -> None:
        """A work order to repair a defect."""
        from plugins.tunnel.model.operation.words import defect_word

        self.new_order(
            f"{defect.number} {defect_word(defect.code)}", kind="repair", subject=defect.number,
            source=f"defect:{defect.id}", tunnel=defect.tunnel, m=defect.m, compartment=defect.compartment,
        )  # fmt: skip

    def order(self, order_id: str) -> None:
        """The page of a work order."""
        from plugins.tunnel.ui.rounds.order_page import OrderPage

        OrderPage(self.desk, self.window, order_id).show()

    # the field

    def hand_out(self, plan_id: str = "") -> None:
        """Write a field package."""
        from plugins.tunnel.ui.rounds.field_dialogs import HandOutDialog

        HandOutDialog(self.desk, self.window, plan_id).show()

    def open_package(self) -> None:
        """Write into a field package, as in the field."""
        path = self._ask(tr("Write into a field package"))
        if path is None:
            return

        def work(progress: Progress) -> Any:
            from plugins.tunnel.model.operation.field_package import read_package

            return read_package(path)

        def done(package: Any) -> None:
            from plugins.tunnel.ui.rounds.field_dialogs import PackageDialog

            PackageDialog(self.desk, self.window, package).show()

        self.desk.context.run_job(tr("Reading {file}", file=path.name), work, done, self.desk.failed.emit)

    def take_in(self, path: Path | None = None) -> None:
        """Merge a field package; conflicts are listed for a person."""
        path = path or self._ask(tr("Take in a field package"))
        project = self.desk.context.project
        if path is None or project is None:
            return
        rules = self.desk.rules()

        def work(progress: Progress) -> TakeIn:
            from plugins.tunnel.model.operation import rows
            from plugins.tunnel.model.operation.field_merge import take_in
            from plugins.tunnel.model.operation.field_package import read_package

            rows.prepare(project)
            return take_in(project, read_package(path), progress, rules)

        def done(found: TakeIn) -> None:
            if not found.empty:
                try:
                    project.execute(found, self.desk)
                except PlannerError as error:
                    self.desk.failed.emit(error)
                    return
            said = tr("{file}: {new} new, {changed} changed, {conflicts} conflicts", file=path.name,
                      new=len(found.inserts), changed=len(found.updates), conflicts=len(found.conflicts))  # fmt: skip
            level = "warning" if found.conflicts or found.notes else "success"
            told = "\n".join(word(code, params) for code, params in found.notes)
            self.desk.context.notify(
                tr("{file}: nothing new", file=path.name) if found.empty else said, level=level, hint=told
            )
            if found.conflicts:
                self.conflicts()

        self.desk.context.run_job(tr("Taking in {file}", file=path.name), work, done, self.desk.failed.emit)

    def conflicts(self) -> None:
        """Decide conflicts with the field."""
        from plugins.tunnel.ui.rounds.field_dialogs import ConflictsDialog

        ConflictsDialog(self.desk, self.window).show()

    def _ask(self, title: str) -> Path | None:
        if self.desk.context.project is None:
            return None
        return self.desk.context.ask_open(title, f"{tr('Field package')} (*.fieldpkg)")
