"""Placing a drawing that is stored already: by another coordinate system, or by points picked on sheet and map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import label, px
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.drawing_picture import DrawingPicture
from plugins.review.ui.placing_box import PlacingBox
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.workflow import OpenDrawing
    from plugins.review.model.drawing.placement import Placement
    from plugins.review.ui.sheet.scene import Scene


class PlaceDialog(ReviewDialog):
    """Shows at once where the drawing would come to lie; it is moved when Place is pressed."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Place the drawing"), tr("Place"), parent)
        opened = state.opened
        assert opened is not None
        self._opened: OpenDrawing = opened
        self._found: Placement | None = None
        self._stale = self._loading = False
        self.picture = DrawingPicture(state.context)
        self.place = PlacingBox(state, self.picture, self)
        self.place.metres_per_unit = opened.plan.units.metres_per_unit
        self.place.set_from(opened.placement)
        self.place.changed.connect(self.load)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(
            label(
                tr(
                    "Points known in both place any drawing: pick a corner of the site in the drawing, then the same "
                    "corner of the parcel on the map."
                ),
                "secondary",
                wrap=True,
            )
        )
        right.addWidget(self.place)
        right.addStretch(1)
        holder = QWidget()
        holder.setLayout(right)
        holder.setFixedWidth(px(500))
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self.picture, 1)
        columns.addWidget(holder)
        self.body.addLayout(columns, 1)
        self.fit(980, 560)

        def scene(progress: Progress) -> Scene:
            from plugins.review.ui.sheet.scene import build_scene

            return build_scene(opened.drawing)

        self.run(tr("Drawing the picture"), scene, self._show_scene)

    def _show_scene(self, scene: Scene) -> None:
        self.picture.show_scene(scene)
        self.picture.show_regions(self._opened.plan.regions, self._opened.plan.region)
        if self._opened.plan.region is not None:
            self.picture.fit(self._opened.plan.region)

    def load(self) -> None:
        """Find the place asked for, without moving the drawing."""
        if self._loading:
            self._stale = True
            return
        project, opened, case = self.state.project, self._opened, self.state.case
        if project is None:
            return
        crs, control, scale = self.place.chosen()

        def work(progress: Progress) -> Placement:
            from plugins.review.model.cases.context import parcel_shape
            from plugins.review.model.drawing.placing import place

            parcel = parcel_shape(case.conditions if case is not None else None)
            return place(
                opened.drawing, opened.plan.units.metres_per_unit, project, crs=crs, control=control,
                allow_scale=scale, parcel=parcel,
            )  # fmt: skip

        self._loading = True
        self.run(tr("Placing"), work, self._placed)

    def _placed(self, found: Placement) -> None:
        self._loading = False
        self._found = found
        self.place.show_result(found)
        if self._stale:
            self._stale = False
            self.load()

    def say(self, error: Exception) -> None:
        """Say it here; the place before stays."""
        self._loading = self._stale = False
        super().say(error)

    def apply(self) -> None:
        """Move the drawing there."""
        project, found, record = self.state.project, self._found, self._opened.record
        if project is None or found is None or found == self._opened.placement:
            self.accept()
            return

        def work(progress: Progress) -> OpenDrawing:
            from plugins.review.model.cases.workflow import place_drawing

            return place_drawing(project, record.id, placement=found, progress=progress)

        self.run(tr("Placing {name}", name=record.file_name), work, self._moved)

    def _moved(self, opened: OpenDrawing) -> None:
        self.accept()
        if opened.to_project is not None and (site := opened.site()) is not None:
            self.state.context.map.zoom_to_extent(opened.to_project(site).bounds, 0.3)
