"""The line icons (Lucide, ISC licence), tinted when drawn."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap

from planner_app.i18n import RESOURCES

FOLDER = RESOURCES / "icons"
_FALLBACK = "puzzle"


def icon_names() -> list[str]:
    """Names of the icons shipped with the application."""
    return sorted(file.stem for file in FOLDER.glob("*.svg"))


def svg(name: str, colour: str, stroke: float = 1.5) -> str:
    """The drawing as SVG text in one colour. An unknown name gives ``puzzle``: a slip is visible and harmless."""
    return _drawing(name).replace("currentColor", colour).replace('stroke-width="2"', f'stroke-width="{stroke:.2f}"')


@lru_cache(maxsize=256)
def _drawing(name: str) -> str:
    file = FOLDER / f"{name}.svg"
    return (file if file.exists() else FOLDER / f"{_FALLBACK}.svg").read_text(encoding="utf-8")


def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Draw an icon ``size`` device-independent px square; its line is 1.5 px wide whatever the size."""
    from PySide6.QtSvg import QSvgRenderer

    text = svg(name, colour, 1.5 * 24 / min(size, 24))  # drawn on 24 units
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def write_tinted(folder: Path, name: str, colour: str, stroke: float = 2.5) -> str:
    """Write a tinted copy for a style sheet's ``url()`` and return its path with forward slashes."""
    file = folder / f"{name}-{colour.lstrip('#')}.svg"
    file.write_text(svg(name, colour, stroke), encoding="utf-8")
    return file.as_posix()
