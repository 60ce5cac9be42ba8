"""The tool's hint fits the map, however narrow."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QFont, QFontMetricsF

from planner_app.ui.tools.sketch import wrapped


@pytest.mark.parametrize(
    "text",
    ["Drag the line: the older revision on its left, the newer on its right.", "拖动卷帘线：左侧为旧版，右侧为新版。"],
)
def test_a_hint_is_wrapped_to_the_width_with_nothing_lost(qapp: Any, text: str) -> None:
    font = QFont()
    lines = wrapped(font, text, 150.0)
    assert len(lines) > 1
    assert max(QFontMetricsF(font).horizontalAdvance(line) for line in lines) <= 150.0
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped(font, text, 5000.0) == [text]


def test_lines_of_a_hint_stay_lines(qapp: Any) -> None:
    assert wrapped(QFont(), "12.5 m\n40.2 m", 300.0) == ["12.5 m", "40.2 m"]
