"""The style editor on a real project: classes, colours, undo, styles of QGIS kept."""

from __future__ import annotations

from typing import Any

import pytest

from planner_app.domain.style import LayerStyle, from_qml
from planner_app.ui.dialogs.style_editor import StyleEditor


def editor_for(desktop: Any, name: str) -> StyleEditor:
    layer = next(layer for layer in desktop.session.layers() if layer.name == name)
    editor = StyleEditor(desktop.session, layer, desktop.window)
    editor.open()
    return editor


def stored(desktop: Any, editor: StyleEditor) -> LayerStyle:
    style = from_qml(desktop.session.project.style(editor.layer.id))
    assert style is not None
    return style


def choose(box: Any, key: str) -> None:
    index = box.findData(key)
    assert index >= 0
    box.setCurrentIndex(index)


def test_classes_are_made_from_the_values_and_saved_in_one_step(opened: Any, qtbot: Any) -> None:
    editor = editor_for(opened, "规划用地")
    choose(editor.kind, "categorised")
    qtbot.waitUntil(lambda: len(editor.classes) == 4, timeout=5000)
    assert [one.value for one in editor.classes] == ["B1", "G1", "R2", None]
    assert editor.field.currentData() == "code"
    editor.paint([0], 0, "#123456")
    editor.table.item(0, 3).setText("商业")
    editor.opacity.setValue(60)
    choose(editor.label_field, "name")
    entries = len(opened.session.project.log(100))
    editor.submit()
    style = stored(opened, editor)
    assert (style.kind, style.field, style.label_field) == ("categorised", "code", "name")
    assert (style.classes[0].fill, style.classes[0].label) == ("#123456", "商业")
    assert opened.session.layer(editor.layer.id).opacity == pytest.approx(0.6)
    assert len(opened.session.project.log(100)) == entries + 1
    assert ("#123456") in [fill for fill, _ in opened.window.layers.colours(opened.session.layer(editor.layer.id))]
    opened.session.undo()
    assert opened.session.project.style(editor.layer.id) == ""
    assert opened.session.layer(editor.layer.id).opacity == 1.0


def test_graduated_classes_cover_the_numbers(opened: Any, qtbot: Any) -> None:
    editor = editor_for(opened, "规划用地")
    choose(editor.kind, "graduated")
    qtbot.waitUntil(lambda: len(editor.classes) == 5 and editor.classes[0].lower is not None, timeout=5000)
    numeric = [editor.field.itemData(i) for i in range(editor.field.count())]
    assert numeric == ["far", "floors"]
    choose(editor.field, "floors")
    qtbot.waitUntil(lambda: editor.classes[-1].upper == 39, timeout=5000)
    editor.steps.setValue(3)
    qtbot.waitUntil(lambda: len(editor.classes) == 3, timeout=5000)
    assert editor.classes[0].lower == 0
    assert editor.apply()
    assert len(stored(opened, editor).classes) == 3


def test_a_style_of_qgis_is_kept_until_it_is_replaced(opened: Any) -> None:
    from planner_app.project import SetStyle

    layer = next(layer for layer in opened.session.layers() if layer.name == "建筑")
    foreign = "<!DOCTYPE qgis><qgis version='3.40'><renderer-v2 type='singleSymbol'/></qgis>"
    opened.session.execute(SetStyle(layer.id, foreign))
    editor = editor_for(opened, "建筑")
    assert editor.notice.isVisible()
    editor.reject()
    assert opened.session.project.style(layer.id) == foreign
    editor = editor_for(opened, "建筑")
    assert editor.apply()
    assert stored(opened, editor).kind == "single"
