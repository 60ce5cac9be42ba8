"""Taking in a drawing: what the file is, what was read from it and how, where it lies; then it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress, SubProgress
from planner_app.i18n import language, tr
from planner_app.plugin_api.widgets import Form, button, combo, label, restyle
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.reading.types import ReadingOptions
from plugins.review.ui import words
from plugins.review.ui.dialog import TaskDialog
from plugins.review.ui.drawing_picture import Box, DrawingPicture
from plugins.review.ui.placing_box import PlacingBox
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.workflow import Imported
    from plugins.review.model.drawing.placement import ControlPoint
    from plugins.review.model.drawing.types import Drawing, Note
    from plugins.review.model.reading.types import SitePlan
    from plugins.review.ui.sheet.scene import Scene

_NEW = ""
_PAGE_WIDTH = 1600
_MOST_NAMES = 3
_UNITS = ((0.001, "mm"), (0.01, "cm"), (1.0, "m"), (0.0254, "in"), (0.3048, "ft"), (1000.0, "km"))


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as it would be stored."""

    drawing: Drawing
    plan: SitePlan
    placement: Placement
    scene: Scene
    conventions: tuple[tuple[str, str], ...]
    page: tuple[QImage, Box] | None = None


class IntakeDialog(TaskDialog):
    """The preview of a file. Nothing is written before Import is pressed."""

    def __init__(self, state: ReviewState, path: Path, kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Import {name}", name=path.name), tr("Import"), parent)
        self._path = path
        self.preview: Preview | None = None
        self._region: Box | None = None
        self._stale = False
        self._loading = False
        self.picture = DrawingPicture(state.context)
        self.picture.region_drawn.connect(self._region_drawn)
        self.picture.candidate_clicked.connect(self._candidate_clicked)
        self._build()
        self.kind.setCurrentIndex(max(self.kind.findData(kind), 0))
        self.resize(1080, 700)
        self._set_ready(False)
        self.load()

    # parts

    def _build(self) -> None:
        self._facts = label("", "secondary", wrap=True)
        self._region_words = label("", "small", wrap=True)
        self._choose = button(tr("Choose region"), self._choose_region)
        self._choose.setToolTip(tr("Draw a box around the site plan, where the sheet holds more than that."))
        self._whole = button(tr("Find it again"), self._find_region)
        fit = button(tr("Show all"), self.picture.fit)
        for knob in (self._choose, self._whole, fit):
            knob.setAutoDefault(False)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for knob in (fit, self._choose, self._whole):
            tools.addWidget(knob)
        tools.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.picture, 1)
        left.addWidget(self._region_words)
        left.addLayout(tools)
        self.case = combo(self._case_chosen)
        self.case.addItem(tr("new case (or the parcel's)"), _NEW)
        for case in self.state.cases():
            self.case.addItem(f"{case.title or case.parcel} · {case.number}", case.id)
        self.case.setCurrentIndex(max(self.case.findData(self.state.case.id if self.state.case else _NEW), 0))
        self.title = QLineEdit(self._path.stem)
        self.kind = combo()
        self.kind.addItem(tr("as read"), "")
        for key in ("site_plan", "as_built", "other"):
            self.kind.addItem(words.drawing_kind(key), key)
        self.replaces = combo()
        self.convention = combo(self.load)
        self.convention.addItem(tr("best match"), "")
        self.units = combo(self.load)
        self._fill_units(None)
        self.place = PlacingBox(self.state, self.picture, self)
        self.place.changed.connect(self.load)
        form = Form()
        for caption, field in (
            (tr("Case file"), self.case), (tr("Title"), self.title), (tr("Kind"), self.kind),
            (tr("Revision of"), self.replaces), (tr("Layers by"), self.convention), (tr("Units"), self.units),
        ):  # fmt: skip
            form.add(caption, field)
        form.add(tr("Place"), self.place, tall=True)
        self._layers = label("", "small", wrap=True)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(6)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(12)
        self._notes_head = label(tr("To note"), "heading")
        for part in (form, label(tr("Layers found"), "heading"), self._layers, self._notes_head):
            column.addWidget(part)
        column.addLayout(self._notes)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setFixedWidth(470)
        self._right = scroll
        self._columns = QWidget()
        columns = QHBoxLayout(self._columns)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(16)
        columns.addLayout(left, 1)
        columns.addWidget(scroll)
        self.body.addWidget(self._facts)
        self.body.addWidget(self._columns, 1)
        self._case_chosen()

    def _set_ready(self, ready: bool) -> None:
        for widget in (self._right, self._choose, self._whole):
            widget.setEnabled(ready)
        if self.ok is not None:
            self.ok.setEnabled(ready)

    def _case_chosen(self) -> None:
        from plugins.review.model.cases import store

        project = self.state.project
        chosen = self.case.currentData()
        self.replaces.clear()
        self.replaces.addItem(tr("nothing: it is the first"), "")
        for record in reversed(store.drawings(project, chosen)) if project is not None and chosen else ():
            self.replaces.addItem(f"{record.number} {record.title}", record.id)
        self.replaces.setEnabled(self.replaces.count() > 1)
        same = next(
            (at for at in range(1, self.replaces.count()) if _alike(self._path.stem, self.replaces.itemText(at))), 0
        )
        self.replaces.setCurrentIndex(same)

    def _fill_units(self, plan: SitePlan | None) -> None:
        chosen = self.units.currentData()
        self.units.clear()
        found = tr("found: {unit}", unit=unit_word(plan.units.metres_per_unit)) if plan is not None else tr("found")
        if plan is not None and chosen is None:
            found += f" ({units_source(plan.units.source)})"
        self.units.addItem(found if chosen is None else tr("find them"), None)
        for metres, name in _UNITS:
            self.units.addItem(tr("1 unit = 1 {unit}", unit=name), metres)
        self.units.setCurrentIndex(max(self.units.findData(chosen), 0) if chosen is not None else 0)

    # reading

    def load(self) -> None:
        """Read the file as the form says; asked again while reading, once more at the end."""
        if self._loading:
            self._stale = True
            return
        project = self.state.project
        if project is None:
            return
        path, first = self._path, self.preview is None
        options = ReadingOptions(
            convention=self.convention.currentData() or "",
            region=self._region,
            metres_per_unit=self.units.currentData(),
        )
        crs, control, scale = self.place.chosen()
        case_id = self.case.currentData()
        scene = self.preview.scene if self.preview is not None else None

        def work(progress: Progress) -> Preview:
            return read_preview(project, path, options, crs, control, scale, case_id, scene, progress)

        self._loading = True
        self.run(tr("Reading {name}", name=path.name), work, lambda found: self._loaded(found, first))

    def failed(self, error: Exception) -> None:
        """The file is no drawing, or cannot be placed as asked: say it here."""
        self._loading = self._stale = False
        super().failed(error)
        if self.preview is None:  # nothing to look at: what is wrong is all there is to say
            self._set_ready(False)
            self._columns.hide()
            self._facts.hide()
            self.resize(520, 160)

    def _loaded(self, found: Preview, first: bool) -> None:
        self._loading = False
        self.preview = found
        self._set_ready(True)
        if first:
            self.picture.show_scene(found.scene, found.page)
            for name, title in found.conventions:
                self.convention.addItem(title, name)
        self._show(found)
        if self._stale:
            self._stale = False
            self.load()

    def _show(self, found: Preview) -> None:
        drawing, plan = found.drawing, found.plan
        size = words.file_size(self._path.stat().st_size) if self._path.is_file() else ""
        facts = [
            drawing.format.value.upper(),
            drawing.version,
            tr("{count} entities", count=f"{drawing.count or len(drawing.entities):,}"),
            size,
        ]
        self._facts.setText(" · ".join(text for text in facts if text))
        self._fill_units(plan)
        best = found.plan.convention
        titles = dict(found.conventions)
        self.convention.setItemText(
            0, tr("best match: {name}", name=titles.get(best, best)) if best else tr("no convention knows its layers")
        )
        self.place.metres_per_unit = plan.units.metres_per_unit
        self.place.show_result(found.placement)
        self.picture.show_regions(plan.regions, plan.region)
        self._region_words.setText(_region_words(plan))
        self._layers.setText(layer_lines(plan) or tr("No layer of this drawing is known to hold anything."))
        restyle(self._layers, "small" if plan.roles else "warning")
        self._show_notes([*drawing.notes, *plan.units.notes, *plan.notes])

    def _show_notes(self, notes: list[Note]) -> None:
        while (item := self._notes.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        texts = list(dict.fromkeys(words.note(note) for note in notes))
        self._notes_head.setVisible(bool(texts))
        for text in texts:
            self._notes.addWidget(label(f"• {text}", "small", wrap=True))

    # the region

    def _choose_region(self) -> None:
        self.picture.set_mode("region")
        self._region_words.setText(tr("Draw a box around the site plan."))

    def _region_drawn(self, box: Box) -> None:
        self.picture.set_mode("look")
        self._use_region(box)

    def _candidate_clicked(self, number: int) -> None:
        if self.preview is not None:
            self._use_region(self.preview.plan.regions[number])

    def _find_region(self) -> None:
        self._use_region(None)

    def _use_region(self, box: Box | None) -> None:
        self._region = box
        self.load()

    # storing

    def apply(self) -> None:
        """Store the drawing with its case."""
        project, path = self.state.project, self._path
        if project is None or self.preview is None:
            return
        crs, control, scale = self.place.chosen()
        wanted = {
            "case": self.case.currentData(), "kind": self.kind.currentData(), "replaces": self.replaces.currentData(),
            "title": self.title.text().strip(), "convention": self.convention.currentData() or "", "crs": crs,
            "control": control, "region": self._region, "metres_per_unit": self.units.currentData(),
            "allow_scale": scale,
        }  # fmt: skip

        def work(progress: Progress) -> Imported:
            from plugins.review.model.cases.workflow import import_drawing

            return import_drawing(project, path, **wanted, progress=progress)

        self.run(tr("Importing {name}", name=path.name), work, self._imported)

    def _imported(self, imported: Imported) -> None:
        self.accept()
        self.state.refresh()
        self.state.take_up(imported.record)
        texts = [words.note(note) for note in imported.notes]
        if texts:
            self.state.context.notify("\n".join(texts), level="warning" if imported.again else "info")


def read_preview(
    project: Project,
    path: Path,
    options: ReadingOptions,
    crs: str,
    control: tuple[ControlPoint, ...],
    scale: bool,
    case_id: str,
    scene: Scene | None,
    progress: Progress,
) -> Preview:
    """Parse (once), read and place a file without keeping anything."""
    from plugins.review.model.cases import opened as opening
    from plugins.review.model.cases import store
    from plugins.review.model.cases.context import parcel_shape
    from plugins.review.model.drawing.placing import place
    from plugins.review.model.reading.convention import load_conventions
    from plugins.review.ui.drawing_picture import read_scene

    drawing = opening.parse_file(path, SubProgress(progress, 0.0, 0.7))
    case = store.case(project, case_id) if case_id else None
    plan = opening.read_plan(project, drawing, options, opening.parcel_area(case), SubProgress(progress, 0.7, 0.9))
    placement = place(
        drawing, plan.units.metres_per_unit, project, crs=crs, control=control, allow_scale=scale,
        parcel=parcel_shape(case.conditions if case is not None else None),
    )  # fmt: skip
    chinese = language() == "zh_CN"
    known = tuple(
        (name, (one.title_zh if chinese else one.title) or one.title or name)
        for name, one in load_conventions(project).items()
        if name != "base"
    )
    first = scene is None
    page = _page_picture(path, drawing) if first and drawing.pages else None
    return Preview(drawing, plan, placement, scene or read_scene(drawing), known, page)


def _page_picture(path: Path, drawing: Drawing) -> tuple[QImage, Box]:
    """The first page of a PDF or an image, and where it lies in the drawing's coordinates."""
    from plugins.review.model.drawing.rasters import render_page

    page = drawing.pages[0]
    pixels = render_page(path, page.number, min(_PAGE_WIDTH, max(int(page.width), 400)))
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888).copy()
    return image, (0.0, 0.0, page.width, page.height)


def layer_lines(plan: SitePlan) -> str:
    """Role: layers, line by line; what no role claims last."""
    colon, comma = ("：", "、") if language() == "zh_CN" else (": ", ", ")
    lines = []
    for role, names in plan.roles.items():
        text = comma.join(names[:_MOST_NAMES])
        if len(names) > _MOST_NAMES:
            text = tr("{names} and {count} more", names=text, count=len(names) - _MOST_NAMES)
        if names:
            lines.append(f"{words.role(role)}{colon}{text}")
    if plan.unread:
        count = sum(plan.unread.values())
        lines.append(tr("Unread: {layers} layers with {count} entities", layers=len(plan.unread), count=f"{count:,}"))
    return "\n".join(lines)


def _region_words(plan: SitePlan) -> str:
    if plan.region is None:
        return tr("The whole drawing is read.")
    scale = plan.units.metres_per_unit
    width, height = (plan.region[2] - plan.region[0]) * scale, (plan.region[3] - plan.region[1]) * scale
    size = f"{width:,.0f} × {height:,.0f} m"
    if len(plan.regions) > 1:
        return tr(
            "Site plan: {size}. {count} candidates; click another one to use it.", size=size, count=len(plan.regions)
        )
    return tr("Site plan: {size}.", size=size)


def unit_word(metres: float) -> str:
    """``1 unit = 1 mm``."""
    name = next((name for value, name in _UNITS if abs(value - metres) < value * 1e-6), "")
    return tr("1 unit = 1 {unit}", unit=name) if name else tr("1 unit = {metres} m", metres=f"{metres:g}")


def units_source(source: str) -> str:
    """How the units were found."""
    return {
        "known_length": tr("by a known length"),
        "parcel": tr("by the parcel's area"),
        "coordinates": tr("by its coordinates"),
        "header": tr("by the file's header"),
        "dimension_text": tr("by dimension texts"),
        "declared": tr("by the declared area"),
        "parking": tr("by the parking places"),
        "text_size": tr("by the height of texts"),
        "scale_text": tr("by the scale written on it"),
        "person": tr("set by hand"),
        "assumed": tr("assumed"),
    }.get(source, source)


def _alike(one: str, other: str) -> bool:
    """Whether a drawing's name looks like a revision of another's: the same but for digits and a letter or two."""
    plain = ["".join(mark for mark in text.casefold() if mark.isalpha()) for text in (one, other.split(" ", 1)[-1])]
    return bool(plain[0]) and (plain[0][:6] == plain[1][:6])
