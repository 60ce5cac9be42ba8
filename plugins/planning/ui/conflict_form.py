"""The inputs of the conflict check: two plans, what counts as a conflict, what is too small, and which result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.widgets import Form, combo
from plugins.planning.ui.gates_dialog import GatesDialog

if TYPE_CHECKING:
    from plugins.planning.model.conflict_result import ConflictOptions
    from plugins.planning.model.plan_side import LayerField

#: Smallest area in m² and mean width in m that counts.
_GATES = ((0.0, 0.0), (1.0, 0.1), (10.0, 0.5), (100.0, 1.0))
_USUAL_GATES = _GATES[1]
EVERY_DIFFERENCE, EVERY_PAIR = "", "*"


class ConflictForm(Form):
    """The form; the page adds its buttons."""

    inputs_changed = Signal()
    result_chosen = Signal(str)
    """the result's layer id"""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = combo(self.inputs_changed.emit), combo(self.inputs_changed.emit)
        self.gates, self.scope = combo(self._gates_chosen), combo()
        self.results = combo(lambda: self.result_chosen.emit(self.results.currentData()))
        self._custom_gates: tuple[float, float] | None = None
        self.add(tr("Plan A"), self.a)
        self.add(tr("Plan B"), self.b)
        self.add(tr("Compare"), self.scope)
        self.add(tr("Ignore"), self.gates)
        self._caption_results = self.add(tr("Result"), self.results)

    # what was chosen

    def same_plan(self) -> bool:
        """Both sides are the same layer and field."""
        return bool(self.a.currentData()) and self.a.currentData() == self.b.currentData()

    def sides(self) -> tuple[LayerField, LayerField]:
        """The two plans."""
        from plugins.planning.model.plan_side import LayerField

        (a, _, a_field), (b, _, b_field) = (str(box.currentData()).partition("\n") for box in (self.a, self.b))
        return LayerField(a, a_field), LayerField(b, b_field)

    def name(self) -> str:
        """What a result of these two plans is called."""
        return " × ".join(box.currentText().split(" · ")[0] for box in (self.a, self.b))

    def options(self, basis: str) -> ConflictOptions:
        """How to compare, on an area basis."""
        from plugins.planning.model.conflict_result import ConflictOptions

        scope = self.scope.currentData()
        area, width = self.gates.currentData() or _USUAL_GATES
        return ConflictOptions(
            every_pair=scope == EVERY_PAIR,
            matrix="" if scope in (EVERY_DIFFERENCE, EVERY_PAIR) else scope,
            min_area=area,
            min_width=width,
            basis="ellipsoidal" if basis == "ellipsoidal" else "planar",
        )

    # what there is to choose

    def fill(self, project: Project | None) -> bool:
        """Offer the project's plans and matrices, keeping what was chosen; False with fewer than two plans."""
        chosen = self.a.currentData(), self.b.currentData()
        entries = _classified(project.layers()) if project is not None else []
        for place, box in enumerate((self.a, self.b)):
            box.clear()
            for title, data in entries:
                box.addItem(title, data)
            found = box.findData(chosen[place]) if chosen[place] else -1
            box.setCurrentIndex(found if found >= 0 else min(place, len(entries) - 1))
        if project is not None and not any(chosen):
            self._suggest(project)
        self.fill_scope(project)
        self._fill_gates(self.gates.currentData() or _USUAL_GATES)
        ready = len(entries) > 1
        for widget in (self.a, self.b, self.gates, self.scope):
            widget.setEnabled(ready)
        return ready

    def _suggest(self, project: Project) -> None:
        """First time: the master plan against the land-use plan, as planners do."""
        kinds = {plan.id: plan.kind for plan in project.plans()}
        for box, wanted in ((self.a, "master"), (self.b, "land_use")):
            for layer in project.layers():
                if kinds.get(layer.plan_id) == wanted and layer.class_field and layer.geometry == "polygon":
                    box.setCurrentIndex(max(box.findData(f"{layer.id}\n{layer.class_field}"), 0))
                    break

    def fill_scope(self, project: Project | None, chosen: str | None = None) -> None:
        """Offer the conflict matrices; ``chosen``: the one to show, else the one that was."""
        from plugins.planning.model.matrix import load_matrix, matrix_names

        wanted = self.scope.currentData() if chosen is None else chosen
        self.scope.clear()
        for name in matrix_names(project):
            matrix = load_matrix(project, name)
            title = (matrix.title_zh if language() == "zh_CN" else matrix.title) or name
            self.scope.addItem(tr("Conflicts: {matrix}", matrix=title), name)
        self.scope.addItem(tr("Every difference of class"), EVERY_DIFFERENCE)
        self.scope.addItem(tr("Everything that overlaps"), EVERY_PAIR)
        self.scope.setCurrentIndex(max(self.scope.findData(wanted), 0) if wanted is not None else 0)

    def show_results(self, results: Sequence[LayerInfo], current: LayerInfo | None) -> None:
        """Offer the kept results where there are several."""
        self.results.clear()
        for layer in results:
            self.results.addItem(layer.name, layer.id)
        if current is not None:
            self.results.setCurrentIndex(self.results.findData(current.id))
        self.results.setVisible(len(results) > 1)
        self._caption_results.setVisible(len(results) > 1)

    def _fill_gates(self, chosen: tuple[float, float]) -> None:
        self.gates.clear()
        choices = list(_GATES)
        if self._custom_gates is not None and self._custom_gates not in choices:
            choices.append(self._custom_gates)
        for area, width in choices:
            title = tr("< {area} m² or narrower than {width} m", area=f"{area:g}", width=f"{width:g}")
            self.gates.addItem(title if area or width else tr("nothing"), (area, width))
        self.gates.addItem(tr("Other…"), None)
        self.gates.setCurrentIndex(choices.index(chosen) if chosen in choices else choices.index(_USUAL_GATES))

    def _gates_chosen(self) -> None:
        if self.gates.currentData() is None:
            dialog = GatesDialog(self._custom_gates or _USUAL_GATES, self.window())
            if dialog.exec():
                self._custom_gates = dialog.gates()
            self._fill_gates(self._custom_gates or _USUAL_GATES)


def _classified(layers: Sequence[LayerInfo]) -> list[tuple[str, str]]:
    """Title and data (layer, field) of what can be a plan: named class fields first, then fields that may be one."""
    polygons = [layer for layer in layers if layer.geometry == "polygon" and not layer.role]
    found = [(layer, layer.class_field) for layer in polygons if layer.class_field]
    for layer in polygons:
        if not layer.class_field:
            found += [(layer, field.name) for field in layer.fields if field.type in ("text", "integer")][:8]
    return [(f"{layer.name} · {field}", f"{layer.id}\n{field}") for layer, field in found]
