"""A field package in the place of a project: the pages and dialogs of work orders write into the file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.operation.field_orders import field_do, field_photo, package_orders
from plugins.tunnel.model.operation.field_package import Package, write_package
from plugins.tunnel.model.operation.figures import Book
from plugins.tunnel.ui.rounds.desk import OperationDesk, Shown


class PackageDesk(OperationDesk):
    """What :class:`OperationDesk` is for a project; every step is written to the file at once."""

    prints = False

    def __init__(self, desk: OperationDesk, package: Package, owner: QObject) -> None:
        QObject.__init__(self, owner)
        self.context, self.state, self.package, self._desk = desk.context, desk.state, package, desk
        self.chosen = ("", "")
        self.reload()

    def reload(self) -> None:
        """Show the package's orders as they are now."""
        try:
            day = date.fromisoformat(str(self.package.manifest.get("day", "")))
        except ValueError:
            day = date.today()
        self.shown = Shown(Book(day, [], [], [], [], [], package_orders(self.package), []), [])
        self.changed.emit()

    def name(self, used: str = "") -> str:
        return self._desk.name(used)

    def now(self) -> str:
        return self._desk.now()

    def do(self, make: Callable[[], Any], say: Callable[[Exception], None]) -> bool:
        try:
            field_do(self.package, make())
            if self.package.path is not None:
                write_package(self.package, self.package.path)
        except PlannerError as error:
            say(error)
            return False
        self.reload()
        return True

    def attach(self, path: Path | None) -> str:
        return field_photo(self.package, path) if path is not None else ""

    def photo(self, sha256: str) -> bytes:
        return self.package.photo(sha256)
