"""Languages, contrast, icons, and text that fits, over the whole window."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

from planner_app.i18n import RESOURCES, compile_catalogues, set_language
from planner_app.ui.controls import ElidedLabel
from planner_app.ui.icons import icon_names
from planner_app.ui.theme import DARK, LIGHT, TEXT_PAIRS, contrast

#: Shipped for the panels of plugins, which name icons but bring none.
FOR_PLUGINS = frozenset(
    {"box", "calendar", "chart-column", "check", "circle-check", "copy", "crosshair", "diff", "download", "eye"}
    | {"file-check", "file-down", "git-compare", "link", "list-filter", "map", "map-pin", "play", "printer"}
    | {"refresh-cw", "rotate-ccw", "scan", "settings", "sliders-horizontal", "spline", "waypoints", "clock", "shapes"}
)
UI = Path(__file__).resolve().parents[2] / "planner_app" / "ui"
CATALOGUES = RESOURCES / "i18n" / "zh_CN" / "LC_MESSAGES"


def calls(name: str) -> dict[str, str]:
    """First literal argument of every call of a function in the window's code → file it stands in."""
    found: dict[str, str] = {}
    for file in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                first = node.args[0]
                if called == name and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found[first.value] = file.name
    return found


def catalogue() -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in ("ui.po", "canvas.po", "sync.po"):
        with (CATALOGUES / name).open("rb") as file:
            texts.update({str(m.id): str(m.string) for m in read_po(file) if m.id and m.string})
    return texts


def test_every_text_is_translated() -> None:
    texts = catalogue()
    missing = {text: where for text, where in calls("tr").items() if text not in texts}
    assert missing == {}
    assert len(texts) > 200


def test_translations_keep_their_placeholders() -> None:
    wrong = {
        text: worded
        for text, worded in catalogue().items()
        if set(re.findall(r"\{(\w+)\}", text)) != set(re.findall(r"\{(\w+)\}", worded))
    }
    assert wrong == {}


def test_no_translation_is_left_over() -> None:
    used = calls("tr")
    for name in ("ui.po", "sync.po"):
        with (CATALOGUES / name).open("rb") as file:
            assert [str(m.id) for m in read_po(file) if m.id and m.id not in used] == []


@pytest.mark.parametrize(("name", "tokens"), [("light", LIGHT), ("dark", DARK)])
def test_text_contrast_is_at_least_4_5(name: str, tokens: dict[str, str]) -> None:
    weak = {
        (a, b): round(contrast(tokens[a], tokens[b]), 2) for a, b in TEXT_PAIRS if contrast(tokens[a], tokens[b]) < 4.5
    }
    assert weak == {}


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_both_themes_name_the_same_tokens() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_every_icon_named_in_code_is_shipped_and_every_shipped_one_is_used() -> None:
    shipped = set(icon_names())
    text = "\n".join(file.read_text(encoding="utf-8") for file in UI.rglob("*.py"))
    literals = set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"', text))
    plugins = "\n".join(f.read_text(encoding="utf-8") for f in (UI.parents[1] / "plugins").rglob("*.py"))
    literals |= set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"', plugins))
    assert {name for name in calls("ThemedIcon") if name not in shipped} == set()
    named = set(re.findall(r'icon="([a-z0-9-]+)"', text)) | {"puzzle", "check", "minus", "chevron-down"}
    assert named - shipped == set()
    assert shipped - literals - FOR_PLUGINS == {"north-arrow"}  # of printed sheets, named as a file
    assert (RESOURCES / "icons" / "LICENSE").read_text(encoding="utf-8").startswith("ISC License")


def visible(root: QWidget, kind: type) -> list[Any]:
    return [w for w in root.findChildren(kind) if w.isVisibleTo(root) and w.isVisible()]


def clipped(root: QWidget) -> list[str]:
    """Texts that do not fit into their widget. Elided labels say so by themselves, with a tooltip."""
    found = []
    for widget in visible(root, QPushButton) + visible(root, QToolButton):
        if isinstance(widget, QAbstractButton) and widget.text() and widget.width() < needed(widget).width() - 1:
            found.append(f"{widget.text()!r}: {widget.width()} < {needed(widget).width()}")
    for label in visible(root, QLabel):
        if isinstance(label, ElidedLabel) or not label.text():
            continue
        if label.wordWrap():
            if label.height() < label.heightForWidth(label.width()) - 1:
                found.append(f"{label.text()!r}: height {label.height()} < {label.heightForWidth(label.width())}")
        elif label.width() < label.fontMetrics().horizontalAdvance(label.text()):
            found.append(f"{label.text()!r}: {label.width()}")
    for field in visible(root, QLineEdit):
        if field.placeholderText() and not field.text() and field.width() > 300:
            room = field.width() - 20
            if field.fontMetrics().horizontalAdvance(field.placeholderText()) > room:
                found.append(f"{field.placeholderText()!r}: {room}")
    return found


def needed(widget: QAbstractButton) -> QSize:
    if isinstance(widget, QToolButton) and widget.property("look") == "rail":
        return QSize(widget.fontMetrics().horizontalAdvance(widget.text()), 0)
    return widget.minimumSizeHint() if isinstance(widget, QPushButton) else widget.sizeHint()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("place", ["start", "table", "history", "jobs", "form"])
def test_nothing_is_clipped_at_the_smallest_size(
    desktop: Any, town: Path, qtbot: Any, language: str, place: str
) -> None:
    compile_catalogues(RESOURCES)
    desktop.choose_language(language)
    try:
        window = desktop.window
        window.resize(1280, 720)
        qtbot.waitExposed(window)
        if place != "start":
            with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
                desktop.session.open_project(town)
            desktop.session.selection.set(desktop.session.layers()[-1].id, [1, 2])
            desktop.session.say(
                "A message that is long enough to need two lines in a map area of this width, for sure."
            )
            if place == "form":
                window.commands.trigger("edit.form")
            else:
                window.show_dock(place)
        qtbot.wait(120)
        assert window.width() == 1280
        for _ in range(20):  # rows still arriving change a label's width one turn of the event loop later
            if not clipped(window):
                break
            qtbot.wait(100)
        assert clipped(window) == []
    finally:
        set_language("en")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_dialogs_fit_their_text(opened: Any, qtbot: Any, language: str) -> None:
    compile_catalogues(RESOURCES)
    opened.choose_language(language)
    try:
        from planner_app.ui.dialogs.about import AboutDialog, PluginsDialog
        from planner_app.ui.dialogs.export_dialog import ExportDialog
        from planner_app.ui.dialogs.new_project import NewProjectDialog
        from planner_app.ui.dialogs.plan_editor import PlanEditor
        from planner_app.ui.dialogs.properties import LayerDialog, ProjectDialog, VerifyDialog

        window, session = opened.window, opened.session
        layer = session.layers()[-1]
        for dialog in (
            NewProjectDialog(session, "/", window),
            ExportDialog(session, layer, window),
            PlanEditor(session, layer, window),
            LayerDialog(session, layer, window),
            ProjectDialog(session, window),
            VerifyDialog(session, session.project.verify(), window),
            AboutDialog(session, window.commands, window),
            PluginsDialog(session, None, window),
        ):
            dialog.open()
            qtbot.waitExposed(dialog)
            qtbot.wait(10)
            assert clipped(dialog) == [], type(dialog).__name__
            dialog.close()
    finally:
        set_language("en")
