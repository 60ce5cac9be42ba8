"""Standing alarms in the section and the profile."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QColor, QImage

from plugins.tunnel.model.space.load import load_section
from plugins.tunnel.ui.space.alarms import in_section, rooms
from plugins.tunnel.ui.state import Mark

from .conftest import SpaceWindow


def _mark(tunnel: str, compartment: str, m: float | None, level: str = "alarm", **more: Any) -> Mark:
    return Mark(1, f"S-{m}", tunnel, compartment, m, level, f"{level} at {m}", **more)


def _pixels(widget: Any, colour: QColor) -> int:
    image: QImage = widget.grab().toImage()
    return sum(image.pixelColor(x, y) == colour for x in range(image.width()) for y in range(image.height()))


def test_a_section_has_the_alarms_along_its_stretch(window: SpaceWindow) -> None:
    section = load_section(window.project, "T1-1", 40.0)
    kind, code = section.compartments[0].kind, section.compartments[0].code
    near, far = _mark("T1", kind, section.m, "warning"), _mark("T1", code, section.from_m, "warning")
    grave, nowhere = _mark("T1", "elsewhere", None), _mark("T1", kind, section.to_m + 1)
    marks = [far, near, nowhere, grave, _mark("T9", kind, 40.0)]
    assert in_section(marks, section) == [grave, near, far]
    assert rooms(marks, section) == {"": [grave], code: [near, far]}


def test_both_show_what_stands_and_what_has_gone(window: SpaceWindow) -> None:
    page = window.section("T1", 40.0)
    state, looks = page.state, page.canvas._looks
    kind = page.shown.section.compartments[0].kind
    red = looks.token("fail")
    window.until(lambda: page.canvas.scene is not None)
    before = _pixels(page.canvas, red)
    state.set_marks([_mark("T1", kind, 40.0)])
    assert _pixels(page.canvas, red) > before + 40
    state.set_marks([])
    assert _pixels(page.canvas, red) == before
