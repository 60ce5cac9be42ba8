"""Layers of a role that nobody is meant to see in the layer panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.ui.survey_plugin import write_plugin


def hidden_and_shown(desktop: Any, tmp_path: Path) -> tuple[str, str]:
    """Ids of a hidden table and of a layer of a role of the same plugin, added by a plugin that declares both."""
    from planner_app.domain.layer import FieldInfo, NewLayer
    from planner_app.plugin_host import PluginHost
    from planner_app.project import Batch

    model = """
        from planner_app.plugin_api.model import LayerRole

        def register(api):
            api.add_layer_role(LayerRole("notes.note", "Notes", hidden=True))
            api.add_layer_role(LayerRole("notes.place", "Places"))
    """
    root = tmp_path / "notes_plugins"
    write_plugin(root, "notes", model=model, ui="def register(api): pass")
    host = PluginHost([root])
    host.load_uis()
    project = desktop.session.project
    made = [
        project.add_layer(NewLayer(name, "none", (FieldInfo("text", "text"),), role=role), [Batch([], {"text": ["a"]})])
        for name, role in (("note_table", "notes.note"), ("place_table", "notes.place"))
    ]
    desktop.window.add_plugins(host)
    return made[0].id, made[1].id


def test_hidden_layers_stay_out_of_sight_and_within_reach(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    from planner_app.ui.tools.select_expression import SelectExpressionDialog

    window, session = opened.window, opened.session
    hidden, shown = hidden_and_shown(opened, tmp_path)
    panel = [layer.id for group in window.layers.model.groups for layer in group.layers]
    assert shown in panel
    assert hidden not in panel
    assert window.table.layers.findData(shown) >= 0
    assert window.table.layers.findData(hidden) < 0
    window.open_palette()
    found = []
    for name in ("note_table", "place_table"):
        window.palette_.field.setText(name)
        window.palette_.refresh()
        found += [hit.title for hit in window.palette_.hits if hit.kind == "layer"]
    window.palette_.dismiss()
    assert found == ["place_table"]
    dialog = SelectExpressionDialog(session, window)
    qtbot.addWidget(dialog)
    assert dialog.layer_box.findData(shown) >= 0
    assert dialog.layer_box.findData(hidden) < 0
    assert session.project.read(hidden).columns["text"] == ["a"]


def test_arranging_layers_leaves_hidden_ones_whole(opened: Any, tmp_path: Path) -> None:
    hidden, _ = hidden_and_shown(opened, tmp_path)
    session = opened.session
    ids = [layer.id for layer in session.layers()]
    from planner_app.ui.commands import ArrangeLayers

    session.execute(ArrangeLayers(tuple(reversed(ids))))
    assert [layer.id for layer in session.layers()] == ids[::-1]
    assert hidden in [layer.id for layer in session.project.layers()]
