"""What the map says when it has nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from planner_app.i18n import tr

if TYPE_CHECKING:
    from planner_app.ui.canvas.content import MapContent
    from planner_app.ui.session import Session
    from planner_app.ui.theme import Theme

_INK = QColor("#1D2430")
_SECONDARY = QColor("#5B6675")


def empty_text(session: Session, content: MapContent, map_is_final: bool) -> tuple[str, str] | None:
    """(what is the matter, what to do), or None if the map has something to show."""
    if session.project is None:
        return tr("No project is open"), tr("Open one, or look at the sample new town.")
    if not content.layers:
        return tr("This project has no layers yet"), tr("Import a plan to begin.")
    if not content.visible:
        return tr("All layers are switched off"), tr("Switch one on in the layer panel.")
    if map_is_final:
        return None
    state = session.engine.state if session.engine is not None else "missing"
    if state == "missing":
        return tr("The map engine is not installed"), tr(
            "Install QGIS 3.40 or later; everything else works without it."
        )
    if state == "failed":
        return tr("The map engine does not start"), tr("See the message above; the data are safe.")
    return None


def engine_note(session: Session) -> str:
    """A short note while the engine starts or comes back, else ""."""
    state = session.engine.state if session.engine is not None else ""
    if session.project is None:
        return ""
    if state == "starting":
        return tr("The map engine is starting…")
    if state == "restarting":
        return tr("The map engine stopped and is being restarted…")
    return ""


def paint_empty(painter: QPainter, theme: Theme, area: QRectF, text: tuple[str, str]) -> None:
    """Two calm lines in the middle."""
    title, advice = text
    large, small = theme.font(18, QFont.Weight.DemiBold), theme.font(13)
    height = QFontMetricsF(large).height()
    middle = area.center().y()
    painter.save()
    painter.setPen(_INK)
    painter.setFont(large)
    painter.drawText(
        QRectF(area.left(), middle - height - 4, area.width(), height), Qt.AlignmentFlag.AlignCenter, title
    )
    painter.setPen(_SECONDARY)
    painter.setFont(small)
    painter.drawText(QRectF(area.left(), middle + 4, area.width(), height), Qt.AlignmentFlag.AlignCenter, advice)
    painter.restore()
