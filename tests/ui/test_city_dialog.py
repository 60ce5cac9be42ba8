"""City parameters as they are published in China: X north, Y east."""

from __future__ import annotations

import math
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from planner_app.ui.dialogs.city_dialog import CityDialog, stored_transform

SOURCE = "EPSG:2385"  # Xian 1980, 120E
NORTH, EAST, SECONDS, PPM = 12.5, -48.25, 4.5, -3.2


def moved(x: float, y: float) -> tuple[float, float]:
    """The published formula: X north, Y east."""
    k, angle = 1 + PPM / 1e6, math.radians(SECONDS / 3600)
    return (
        NORTH + k * (x * math.cos(angle) - y * math.sin(angle)),
        EAST + k * (x * math.sin(angle) + y * math.cos(angle)),
    )


def test_four_parameters_and_their_control_points_agree(opened: Any) -> None:
    dialog = CityDialog(opened.session, SOURCE, opened.window)
    dialog.open()
    olds = [(2860000.0, 512000.0), (2866000.0, 513000.0), (2861000.0, 519000.0)]
    lines = ["\t".join(f"{v:.9f}" for v in (*old, *moved(*old))) for old in olds]
    QGuiApplication.clipboard().setText("\n".join(lines))
    dialog.paste()
    fitted = dialog.transform()
    assert fitted.rms == pytest.approx(0, abs=1e-6)
    dialog.kind.setCurrentIndex(dialog.kind.findData("four"))
    for field, value in zip(dialog.four.values(), (NORTH, EAST, SECONDS, PPM), strict=True):
        field.setText(str(value))
    typed = dialog.transform()
    assert typed.parameters[2:] == pytest.approx(fitted.parameters[2:], abs=1e-11)
    assert typed.parameters[:2] == pytest.approx(fitted.parameters[:2], abs=1e-3)
    dialog.submit()
    kept = stored_transform(opened.session, SOURCE)
    assert kept == typed
    again = CityDialog(opened.session, SOURCE, opened.window)
    assert [float(f.text()) for f in again.four.values()] == pytest.approx([NORTH, EAST, SECONDS, PPM], rel=1e-6)
    again.deleteLater()


def test_missing_numbers_are_named(opened: Any) -> None:
    dialog = CityDialog(opened.session, SOURCE, opened.window)
    dialog.open()
    dialog.kind.setCurrentIndex(dialog.kind.findData("seven"))
    dialog.submit()
    assert dialog.notice.isVisible()
    assert stored_transform(opened.session, SOURCE) is None
    dialog.reject()


def test_control_points_that_disagree_are_questioned_once(opened: Any) -> None:
    dialog = CityDialog(opened.session, SOURCE, opened.window)
    dialog.open()
    QGuiApplication.clipboard().setText("0 0 0 0\n100 0 100 0\n0 100 0 103\n")
    dialog.paste()
    dialog.submit()
    assert "disagree" in dialog.notice.text()
    assert stored_transform(opened.session, SOURCE) is None
    dialog.submit()
    assert stored_transform(opened.session, SOURCE) is not None
