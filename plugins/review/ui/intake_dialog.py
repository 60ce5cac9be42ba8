"""Taking in a drawing: what the file is, what was read from it and how, where it lies; then it is stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, button, combo, label, px, restyle
from plugins.review.model.reading.types import ReadingOptions
from plugins.review.ui import preview as previews
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.drawing_picture import Box, DrawingPicture
from plugins.review.ui.placing_box import PlacingBox
from plugins.review.ui.preview import Preview, Source, Wish
from plugins.review.ui.state import ReviewState
from plugins.review.ui.units_box import UnitsBox

if TYPE_CHECKING:
    from plugins.review.model.cases.records import DrawingRecord
    from plugins.review.model.cases.workflow import Imported
    from plugins.review.model.drawing.types import Note

_NEW = ""


class PreviewDialog(ReviewDialog):
    """The picture with the region on the left, how the drawing is read on the right. Nothing is written before OK.

    Args:
        options: how it is read at first.
    """

    def __init__(
        self, state: ReviewState, source: Source, options: ReadingOptions, title: str, accept_text: str,
        parent: QWidget | None,
    ) -> None:  # fmt: skip
        super().__init__(state, title, accept_text, parent)
        self._source, self._options = source, options
        self.preview: Preview | None = None
        self._region: Box | None = options.region
        self._stale = self._loading = False
        self.picture = DrawingPicture(state.context)
        self.picture.region_drawn.connect(self._region_drawn)
        self.picture.candidate_clicked.connect(self._candidate_clicked)
        self.convention = combo(self.load)
        self.convention.addItem(tr("best match"), "")
        self.units = UnitsBox(self.picture, self, options.metres_per_unit)
        self.units.changed.connect(self.load)
        self.form = Form()
        self._build()
        self._set_ready(False)
        self.fit(1080, 700)

    def _build(self) -> None:
        self._facts = label("", "secondary", wrap=True)
        self._region_words = label("", "small", wrap=True)
        self._choose = button(tr("Choose region"), self._choose_region)
        self._choose.setToolTip(tr("Draw a box around the site plan, where the sheet holds more than that."))
        self._whole = button(tr("Find it again"), lambda: self._use_region(None))
        fit = button(tr("Show all"), self.picture.fit)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for knob in (fit, self._choose, self._whole):
            knob.setAutoDefault(False)
            tools.addWidget(knob)
        tools.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.picture, 1)
        left.addWidget(self._region_words)
        left.addLayout(tools)
        self._layers_head, self._layers = label(tr("Layers found"), "heading"), label("", "small", wrap=True)
        self._notes_head, self._notes = label(tr("To note"), "heading"), QVBoxLayout()
        self._notes.setSpacing(6)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(12)
        for part in (self.form, self._layers_head, self._layers, self._notes_head):
            column.addWidget(part)
        column.addLayout(self._notes)
        column.addStretch(1)
        self._right = QScrollArea()
        self._right.setWidgetResizable(True)
        self._right.setFrameShape(QFrame.Shape.NoFrame)
        self._right.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._right.setWidget(inner)
        self._right.setFixedWidth(px(470))
        self._columns = QWidget()
        columns = QHBoxLayout(self._columns)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(16)
        columns.addLayout(left, 1)
        columns.addWidget(self._right)
        self.body.addWidget(self._facts)
        self.body.addWidget(self._columns, 1)

    def _set_ready(self, ready: bool) -> None:
        for widget in (self._right, self._choose, self._whole):
            widget.setEnabled(ready)
        for part in (self._layers_head, self._notes_head):
            part.setVisible(ready)
        if self.ok is not None:
            self.ok.setEnabled(ready)

    # reading

    def options(self) -> ReadingOptions:
        """How the drawing is to be read, as the form says."""
        convention = self.convention.currentData() or ""
        return replace(self._options, convention=convention, region=self._region, metres_per_unit=self.units.metres())

    def wish(self) -> Wish:
        """What is asked of reading and placing."""
        return Wish(self.options())

    def load(self) -> None:
        """Read the drawing as the form says; asked again while reading, once more at the end."""
        if self._loading:
            self._stale = True
            return
        project, source, wish, before = self.state.project, self._source, self.wish(), self.preview
        if project is None:
            return

        def work(progress: Progress) -> Preview:
            return previews.read_preview(project, source, wish, before, progress)

        self._loading = True
        self.run(tr("Reading {name}", name=source.name), work, self._loaded)

    def say(self, error: Exception) -> None:
        """The file is no drawing, or cannot be read or placed as asked: say it here."""
        self._loading = self._stale = False
        super().say(error)
        if self.preview is None:  # nothing to look at: what is wrong is all there is to say
            self._columns.hide()
            self._facts.hide()
            self._set_ready(False)
            self.body.addStretch(1)
            self.setMinimumSize(0, 0)
            QTimer.singleShot(0, lambda: self.fit(540, 120))

    def _loaded(self, found: Preview) -> None:
        first, self.preview = self.preview is None, found
        self._loading = False
        self._set_ready(True)
        if first:
            self.picture.show_scene(found.scene, found.page)
            for name, title in found.conventions:
                self.convention.addItem(title, name)
            self.convention.setCurrentIndex(max(self.convention.findData(self._options.convention), 0))
        self._show(found)
        if self._stale:
            self._stale = False
            self.load()

    def _show(self, found: Preview) -> None:
        plan = found.plan
        self._facts.setText(previews.facts(found))
        self.units.show_found(found)
        titles, best = dict(found.conventions), plan.convention
        if found.drawing.storeys:
            text = tr("a building model has storeys")
        elif best:
            text = tr("best match: {name}", name=titles.get(best, best))
        elif plan.roles:
            text = tr("pipes alone, which all conventions draw alike")
        else:
            text = tr("no convention knows its layers")
        self.convention.setItemText(0, text)
        self.picture.show_regions(plan.regions, plan.region)
        self._region_words.setText(previews.region_words(plan))
        self._layers_head.setText(tr("Storeys found") if found.drawing.storeys else tr("Layers found"))
        self._layers.setText(previews.layer_lines(found) or tr("No layer of this drawing is known to hold anything."))
        restyle(self._layers, "small" if plan.roles or found.drawing.storeys else "warning")
        self._show_notes([*found.drawing.notes, *plan.units.notes, *plan.notes])

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

    def _use_region(self, box: Box | None) -> None:
        self._region = box
        self.load()


class IntakeDialog(PreviewDialog):
    """A file before it is stored. ``kind``: what it is for, "" as read."""

    def __init__(self, state: ReviewState, path: Path, kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(
            state, Source(path), ReadingOptions(), tr("Import {name}", name=path.name), tr("Import"), parent
        )
        self._path = path
        self.case = combo(self._case_chosen)
        self.case.addItem(tr("new case (or the parcel's)"), _NEW)
        for case in state.cases():
            self.case.addItem(f"{case.title or case.parcel} · {case.number}", case.id)
        self.case.setCurrentIndex(max(self.case.findData(state.case.id if state.case else _NEW), 0))
        self.title = QLineEdit(path.stem)
        self.kind = combo()
        self.kind.addItem(tr("as read"), "")
        for key in ("site_plan", "as_built", "other"):
            self.kind.addItem(words.drawing_kind(key), key)
        self.kind.setCurrentIndex(max(self.kind.findData(kind), 0))
        self.replaces = combo()
        self.place = PlacingBox(state, self.picture, self)
        self.place.changed.connect(self.load)
        for caption, field in (
            (tr("Case file"), self.case), (tr("Title"), self.title), (tr("Kind"), self.kind),
            (tr("Revision of"), self.replaces), (tr("Layers by"), self.convention),
        ):  # fmt: skip
            self.form.add(caption, field)
        self.form.add(tr("Units"), self.units, tall=True)
        self.form.add(tr("Place"), self.place, tall=True)
        self._list_revisions()
        self.load()

    def wish(self) -> Wish:
        """What is asked of reading and placing."""
        crs, control, scale = self.place.chosen()
        return Wish(self.options(), crs, control, scale, self.case.currentData())

    def _show(self, found: Preview) -> None:
        super()._show(found)
        self.place.metres_per_unit = found.plan.units.metres_per_unit
        self.place.show_result(found.placement)

    def _case_chosen(self) -> None:
        self._list_revisions()
        self.load()  # the case's parcel says where it lies and how large it is

    def _list_revisions(self) -> None:
        from plugins.review.model.cases import store

        project, chosen = self.state.project, self.case.currentData()
        self.replaces.clear()
        self.replaces.addItem(tr("nothing: it is the first"), "")
        records = list(reversed(store.drawings(project, chosen))) if project is not None and chosen else []
        for record in records:
            self.replaces.addItem(f"{record.number} {record.title}", record.id)
        self.replaces.setEnabled(bool(records))
        alike = next((at for at, one in enumerate(records, start=1) if _alike(self._path.stem, one)), 0)
        self.replaces.setCurrentIndex(alike)

    def apply(self) -> None:
        """Store the drawing with its case."""
        project, path = self.state.project, self._path
        if project is None or self.preview is None:
            return
        crs, control, scale = self.place.chosen()
        options = self.options()
        case, kind, replaces = self.case.currentData(), self.kind.currentData(), self.replaces.currentData()
        title = self.title.text().strip()

        def work(progress: Progress) -> Imported:
            from plugins.review.model.cases.workflow import import_drawing

            return import_drawing(
                project, path, case=case, kind=kind, replaces=replaces, title=title, convention=options.convention,
                crs=crs, control=control, region=options.region, metres_per_unit=options.metres_per_unit,
                allow_scale=scale, progress=progress,
            )  # fmt: skip

        self.run(tr("Importing {name}", name=path.name), work, self._imported)

    def _imported(self, imported: Imported) -> None:
        self.accept()
        self.state.refresh()
        self.state.take_up(imported.record, "\n".join(words.note(note) for note in imported.notes))


class ReadingDialog(PreviewDialog):
    """Region, units and convention of a drawing that is stored; it is read again as one step that can be undone."""

    def __init__(self, state: ReviewState, record: DrawingRecord, parent: QWidget | None = None) -> None:
        title = tr("Reading of {name}", name=record.file_name)
        super().__init__(state, Source(Path(record.file_name), record), record.options, title, tr("Read again"), parent)
        self.form.add(tr("Layers by"), self.convention)
        self.form.add(tr("Units"), self.units, tall=True)
        self.load()

    def wish(self) -> Wish:
        """What is asked of reading."""
        return Wish(self.options(), case_id=self._source.record.case_id if self._source.record is not None else "")

    def apply(self) -> None:
        """Read it so."""
        options = self.options()
        self.accept()
        if options != self._options:
            self.state.reread(options)


def _alike(stem: str, record: DrawingRecord) -> bool:
    """Whether a file's name looks like a revision of a drawing: it begins alike, but for digits and signs."""
    ours, theirs = (
        "".join(mark for mark in text.casefold() if mark.isalpha()) for text in (stem, record.title or record.file_name)
    )
    length = min(len(ours), len(theirs), 6)
    return length > 1 and ours[:length] == theirs[:length]
