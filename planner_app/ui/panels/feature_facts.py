"""What plugins know of the feature in the form: facts under a heading, each a way to what it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.plugin_api.ui import FeatureFact, FeatureFacts
from planner_app.ui.controls import button, label, line, row

if TYPE_CHECKING:
    from planner_app.ui.session import Session

Show = Callable[[str, Sequence[int]], None]


class FactsView(QWidget):
    """One block per plugin that has something to say about the layer; computed off the UI thread."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._generation = 0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(8)

    def show_feature(self, layer: LayerInfo | None, fid: int) -> None:
        """Ask everyone who knows such features; an earlier answer that comes late is thrown away."""
        self._generation += 1
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        project = self._session.project
        if layer is None or project is None or not fid:
            return
        generation = self._generation
        for facts, show in self._session.feature_facts:
            if facts.applies(layer):
                block = QWidget()
                self._column.addWidget(block)
                self._session.jobs.run(
                    tr(facts.title),
                    partial(_ask, facts, project, layer.id, fid),
                    partial(self._fill, generation, block, facts, show),
                    partial(self._failed, generation, block, facts),
                    listed=False,
                )

    def _fill(
        self, generation: int, block: QWidget, facts: FeatureFacts, show: Show, found: Sequence[FeatureFact]
    ) -> None:
        if generation != self._generation or not found:
            return
        form = _titled(block, facts.title)
        for one in found:
            value: QWidget = label(one.value, wrap=True, selectable=True)
            if one.fids:
                value = button(one.value, partial(show, one.layer_id, one.fids), "link")
                value.setToolTip(tr("Show on the map"))
                form.addRow(label(one.caption, "secondary"), row(value, None))
            else:
                form.addRow(label(one.caption, "secondary"), value)

    def _failed(self, generation: int, block: QWidget, facts: FeatureFacts, error: Exception) -> None:
        """A plugin's failure is said in its block; the form stays usable."""
        if generation == self._generation:
            _titled(block, facts.title).addRow(label(self._session.word(error)[0], "small", wrap=True))


def _ask(facts: FeatureFacts, project: object, layer_id: str, fid: int, _progress: object) -> Sequence[FeatureFact]:
    return facts.facts(project, layer_id, fid)  # type: ignore[arg-type]


def _titled(block: QWidget, title: str) -> QFormLayout:
    column = QVBoxLayout(block)
    column.setContentsMargins(0, 4, 0, 0)
    column.setSpacing(7)
    column.addWidget(line())
    column.addWidget(label(tr(title), "heading"))
    form = QFormLayout()
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(5)
    column.addLayout(form)
    return form
