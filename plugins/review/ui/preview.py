"""A drawing as it would be read and placed, without keeping anything: what the intake and reading dialogs show."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from planner_app.domain.progress import Progress, SubProgress
from planner_app.i18n import language, tr
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.ui import words
from plugins.review.ui.drawing_picture import Box

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.records import Case, DrawingRecord
    from plugins.review.model.drawing.calibration import PrintedScale
    from plugins.review.model.drawing.placement import ControlPoint
    from plugins.review.model.drawing.types import Drawing
    from plugins.review.model.reading.types import ReadingOptions, SitePlan
    from plugins.review.ui.sheet.scene import Scene

_PAGE_WIDTH = 1600
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Source:
    """Where the drawing comes from: a file, or the project (``record``)."""

    path: Path
    record: DrawingRecord | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.record.file_name if self.record is not None else self.path.name


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of reading and placing."""

    options: ReadingOptions
    crs: str = ""
    control: tuple[ControlPoint, ...] = ()
    allow_scale: bool = False
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A drawing as it would be stored.

    Attributes:
        conventions: (name, title) of those that may be chosen; page: the first page's picture and where it lies.
    """

    drawing: Drawing
    plan: SitePlan
    placement: Placement
    scene: Scene
    size: int
    conventions: tuple[tuple[str, str], ...]
    scales: tuple[PrintedScale, ...] = ()
    page: tuple[QImage, Box] | None = None


def read_preview(project: Project, source: Source, wish: Wish, before: Preview | None, progress: Progress) -> Preview:
    """Parse (once), read and place; what ``before`` knows is not made again."""
    from plugins.review.model.cases import opened as opening
    from plugins.review.model.cases import store
    from plugins.review.model.cases.context import parcel_shape
    from plugins.review.model.drawing.calibration import printed_scales
    from plugins.review.model.drawing.placing import place
    from plugins.review.model.reading.convention import load_conventions
    from plugins.review.ui.sheet.scene import build_scene

    parsing = SubProgress(progress, 0.0, 0.7)
    record = source.record
    if before is not None:
        drawing = before.drawing
    elif record is not None:
        drawing = opening.parse_attachment(project, record, parsing)
    else:
        drawing = opening.parse_file(source.path, parsing)
    case: Case | None = store.case(project, wish.case_id) if wish.case_id else None
    reading = SubProgress(progress, 0.7, 0.9)
    plan = opening.read_plan(project, drawing, wish.options, opening.parcel_area(case), reading)
    if record is not None:
        placement = record.placement
    else:
        placement = place(
            drawing, plan.units.metres_per_unit, project, crs=wish.crs, control=wish.control,
            allow_scale=wish.allow_scale, parcel=parcel_shape(case.conditions if case is not None else None),
        )  # fmt: skip
    chinese = language() == "zh_CN"
    known = tuple(
        (name, (one.title_zh if chinese else one.title) or one.title or name)
        for name, one in load_conventions(project).items()
    )
    if before is not None:
        return Preview(drawing, plan, placement, before.scene, before.size, known, before.scales, before.page)
    paged = drawing.format in (DrawingFormat.PDF, DrawingFormat.IMAGE)
    size = project.attachment(record.sha256).size if record is not None else source.path.stat().st_size
    return Preview(
        drawing, plan, placement, build_scene(drawing), size, known,
        tuple(printed_scales(drawing)) if paged else (), _page_picture(project, source, drawing) if paged else None,
    )  # fmt: skip


def _page_picture(project: Project, source: Source, drawing: Drawing) -> tuple[QImage, Box] | None:
    """The first page of a PDF or an image, and where it lies in the drawing's coordinates."""
    from plugins.review.model.drawing.rasters import render_page

    if not drawing.pages:
        return None
    page = drawing.pages[0]
    width = min(_PAGE_WIDTH, max(int(page.width), 400))
    if source.record is None:
        pixels = render_page(source.path, page.number, width)
    else:
        with tempfile.TemporaryDirectory(prefix="planner-page-") as folder:
            path = project.write_attachment(source.record.sha256, Path(folder) / "sheet")
            pixels = render_page(path, page.number, width)
    rows, columns = pixels.shape[:2]
    image = QImage(pixels.tobytes(), columns, rows, columns * 3, QImage.Format.Format_RGB888).copy()
    return image, (0.0, 0.0, page.width, page.height)


# ---------------------------------------------------------------- in words


def facts(found: Preview) -> str:
    """``DXF · R2013 · 4,512 entities · 2.5 MB``."""
    drawing = found.drawing
    parts = [
        drawing.format.value.upper(),
        drawing.version,
        tr("{count} entities", count=f"{drawing.count or len(drawing.entities):,}"),
        tr("{count} pages", count=len(drawing.pages)) if len(drawing.pages) > 1 else "",
        words.file_size(found.size),
    ]
    return " · ".join(part for part in parts if part)


def layer_lines(found: Preview) -> str:
    """Role: layers, line by line, what no role claims last; of a building model its storeys."""
    plan, drawing = found.plan, found.drawing
    colon, comma = ("：", "、") if language() == "zh_CN" else (": ", ", ")
    lines = []
    for role, names in plan.roles.items():
        text = comma.join(names[:_MOST_NAMES])
        if len(names) > _MOST_NAMES:
            text = tr("{names} and {count} more", names=text, count=len(names) - _MOST_NAMES)
        if names:
            lines.append(f"{words.role(role)}{colon}{text}")
    for storey in drawing.storeys:
        parts = [f"{storey.elevation:+.2f} m"]
        if storey.envelope is not None:
            parts.append(f"{storey.envelope.area:,.2f} m²")
        if not storey.above:
            parts.append(tr("no storey above ground"))
        lines.append(f"{storey.name or storey.guid}{colon}{comma.join(parts)}")
    if plan.unread and not drawing.storeys:
        count = sum(plan.unread.values())
        lines.append(tr("Unread: {layers} layers with {count} entities", layers=len(plan.unread), count=f"{count:,}"))
    return "\n".join(lines)


def region_words(plan: SitePlan) -> str:
    """Which part of the drawing is read."""
    if plan.region is None:
        return tr("The whole drawing is read.")
    scale = plan.units.metres_per_unit
    width, height = (plan.region[2] - plan.region[0]) * scale, (plan.region[3] - plan.region[1]) * scale
    size = f"{width:,.0f} × {height:,.0f} m"
    if len(plan.regions) > 1:
        count = len(plan.regions)
        return tr("Site plan: {size}. {count} candidates; click another one to use it.", size=size, count=count)
    return tr("Site plan: {size}.", size=size)
