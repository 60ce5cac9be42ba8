"""What can be done with assets: states, forms, labels, deleting, adopting, and what other pages offer for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Notice
from plugins.tunnel.model.assets.overview import AssetRow, Details
from plugins.tunnel.ui.assets import words
from plugins.tunnel.ui.assets.place_tool import PlaceTool
from plugins.tunnel.ui.state import TunnelState

_PREFIX = {"net_line": "line", "net_node": "node"}


class Actions:
    """Does what the card's buttons ask; errors are said on the page."""

    def __init__(self, context: PanelContext, state: TunnelState, page: QWidget, notice: Notice) -> None:
        self._context, self._state, self._page, self._notice = context, state, page, notice

    def act(self, action: str, details: Details) -> None:
        """``zoom``, ``form``, ``history``, ``status:…``, ``section``, ``profile``, ``trace`` … of an asset."""
        row = details.row
        reference = f"{_PREFIX.get(row.table, row.table)}:{row.code}"
        offered: dict[str, Callable[[], object]] = {
            "zoom": lambda: self.zoom(row),
            "form": lambda: self._edit(details),
            "history": lambda: self._history(details),
            "section": lambda: self._state.run("section", details.section or details.tunnel, row.m),
            "profile": lambda: self._state.run("profile", details.tunnel or row.code),
            "trace": lambda: self._state.run("trace", reference),
            "isolate": lambda: self._state.run("isolate", reference),
            "chart": lambda: self._state.run("chart", int(details.values.get("sensor_id") or 0)),
            "label": lambda: self.labels(row.table, [row.fid]),
            "delete": lambda: self._delete(row),
        }
        if action.startswith("status:"):
            self._set_status(row, action.partition(":")[2])
        else:
            offered[action]()

    def zoom(self, row: AssetRow) -> None:
        """Show an asset on the map."""
        self._context.selection.set(row.layer_id, [row.fid])
        self._context.map.zoom_to_features(row.layer_id, [row.fid])

    def _edit(self, details: Details) -> None:
        from plugins.tunnel.model.assets.edit import EditAsset
        from plugins.tunnel.ui.assets.form_dialog import AssetForm

        row, project = details.row, self._context.project
        if project is not None:
            AssetForm(
                self._context, tr("Asset {code}", code=row.code), project.layer(row.layer_id).fields, details.values,
                lambda values: EditAsset(row.layer_id, row.fid, values), self._page.window(),
            ).show()  # fmt: skip

    def _history(self, details: Details) -> None:
        from plugins.tunnel.ui.assets.form_dialog import HistoryDialog

        HistoryDialog(self._context, details, self._page.window()).show()

    def add(self, table: str) -> None:
        """A new asset of a table: its place is clicked on the map, then its form opens."""
        self._context.map.use_tool(lambda: PlaceTool(words.table(table), lambda x, y: self._placed(table, x, y)))

    def _placed(self, table: str, x: float, y: float) -> None:
        project = self._context.project
        self._context.map.use_tool(None)
        if project is None:
            return

        def work() -> dict[str, Any]:
            from plugins.tunnel.model.assets.adding import known_of

            return known_of(project, table, x, y)

        def done(known: dict[str, Any]) -> None:
            import shapely

            from plugins.tunnel.model.assets.adding import ADDABLE, AddAsset
            from plugins.tunnel.model.tables import find
            from plugins.tunnel.ui.assets.form_dialog import AssetForm

            spec, wkb = ADDABLE[table], bytes(shapely.to_wkb(shapely.Point(x, y)))
            layer = find(project, spec)
            AssetForm(
                self._context, tr("New: {table}", table=words.table(table)), (layer or spec).fields, {},
                lambda values: AddAsset(table, values, wkb), self._page.window(), shown=known,
                saved=lambda values: self._state.run("find_asset", f"{table}:{values['code']}"),
            ).show()  # fmt: skip

        self._context.in_background("assets.place", work, done, self._failed)

    def _set_status(self, row: AssetRow, status: str) -> None:
        from plugins.tunnel.model.assets.status import SetStatus

        note = ""
        if row.status == "abandoned":
            note, given = QInputDialog.getText(
                self._page, tr("Back into use"), tr("Why is {code} taken back into use?", code=row.code)
            )
            if not given or not note.strip():
                return
        self._context.execute(SetStatus(row.layer_id, [row.fid], status, self._context.user, note=note))

    def _delete(self, row: AssetRow) -> None:
        from plugins.tunnel.model.assets.edit import DeleteAssets

        asked = QMessageBox.question(
            self._page, tr("Delete"), tr("Delete {code} with what hangs on it? It can be undone.", code=row.code)
        )
        if asked == QMessageBox.StandardButton.Yes and self._context.execute(DeleteAssets(row.layer_id, [row.fid])):
            self._state.select(None)

    def import_file(self) -> None:
        """Ask for a file and open the import."""
        from plugins.tunnel.ui.assets.import_dialog import PATTERNS, open_import

        patterns = f"{tr('Pipes and networks')} ({PATTERNS})"
        path = self._context.ask_open(tr("Import pipes and networks"), patterns)
        if path is not None:
            open_import(self._context, path, self._page.window())

    def adopt(self, case: str) -> None:
        """Make assets of a case's pipes."""
        project, user = self._context.project, self._context.user
        if project is None:
            return

        def work(_progress: object) -> tuple[int, int]:
            from plugins.tunnel.model.assets.adopt import adopt

            steps = adopt(project, case, user)
            return sum(one.waiting for one in steps), sum(one.levels.get("none", 0) for one in steps)

        def done(counts: tuple[int, int]) -> None:
            count, flat = counts
            told = tr("Of {count} surveyed pipes neither the drawing nor a table says the levels.", count=flat)
            self._notice.say(
                tr("{count} pipes of case {case} are in the register.", count=count, case=case), told if flat else "",
                level="warning" if flat else "success",
            )  # fmt: skip

        self._context.run_job(tr("Adopting pipes of {case}", case=case), work, done, self._failed)

    def join(self, case: str) -> None:
        """Join a case's pipes to the city's network."""
        project = self._context.project
        if project is None:
            return

        def work() -> Any:
            from plugins.tunnel.model.assets.joining import propose

            return propose(project, case)

        def done(found: Any) -> None:
            from plugins.tunnel.ui.assets.join_dialog import JoinDialog

            JoinDialog(self._context, found, self._page.window()).show()

        self._context.in_background("assets.join", work, done, self._failed)

    def labels(self, table: str, fids: Sequence[int]) -> None:
        """A PDF of label sheets."""
        project = self._context.project
        path = self._context.ask_save(tr("Label sheet"), f"{words.table(table)}.pdf", "PDF (*.pdf)")
        if project is None or path is None:
            return
        target = path if path.suffix else path.with_suffix(".pdf")

        def work(_progress: object) -> int:
            from plugins.tunnel.model.assets.labels import labels_of, write_labels

            return write_labels(labels_of(project, table, fids), target)

        def done(sheets: int) -> None:
            text = tr("{count} sheets of labels: {file}", count=sheets, file=target.name)
            self._context.notify(text, level="success")

        self._context.run_job(tr("Writing labels"), work, done, self._failed)

    def _failed(self, error: Exception) -> None:
        self._notice.say(*self._context.word(error), level="error")
