"""All actions of the window, as data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.ui.actions import ActionSpec

if TYPE_CHECKING:
    from planner_app.ui.main_window import MainWindow
    from planner_app.ui.tools.tool import ToolInfo


def window_actions(window: MainWindow) -> list[ActionSpec]:
    """The actions of the application itself; plugins add theirs."""
    session, canvas = window.session, window.canvas
    flows, layers, program = window.flows, window.layer_flows, window.program

    def opened() -> bool:
        return session.project is not None

    def current() -> bool:
        return session.layer(session.current_layer) is not None

    def chosen() -> bool:
        return session.selection.count() > 0

    project = [
        ActionSpec("project.new", tr("New project…"), flows.new, "file-plus-2", "Ctrl+N"),
        ActionSpec("project.open", tr("Open project…"), flows.open, "folder-open", "Ctrl+O"),
        ActionSpec("project.sample", tr("Open the sample new town"), flows.sample, "building-2"),
        ActionSpec("project.import", tr("Import a layer…"), layers.import_layer, "import", "Ctrl+I", opened),
        ActionSpec("project.export", tr("Export a layer…"), layers.export_layer, "upload", enabled=current),
        ActionSpec("project.print", tr("Print the map…"), program.print_map, "printer", "Ctrl+P", opened),
        ActionSpec("project.copy", tr("Save a copy…"), flows.save_copy, "save", "Ctrl+Shift+S", opened),
        ActionSpec("project.verify", tr("Check the project file"), flows.verify, "shield-check", enabled=opened),
        ActionSpec("project.properties", tr("Project properties…"), flows.properties, "info", enabled=opened),
        ActionSpec("project.close", tr("Close the project"), session.close_project, "x", "Ctrl+W", opened),
    ]
    edit = [
        ActionSpec("edit.undo", tr("Undo"), session.undo, "undo-2", "Ctrl+Z", lambda: bool(session.can_undo())),
        ActionSpec(
            "edit.redo", tr("Redo"), session.redo, "redo-2", "Ctrl+Y;Ctrl+Shift+Z", lambda: bool(session.can_redo())
        ),
        ActionSpec(
            "edit.delete", tr("Delete the selected features"), canvas.delete_selection, "trash-2", "Del", chosen
        ),
        ActionSpec("edit.form", tr("Feature form"), window.show_form, "square-pen", "F4", opened),
        ActionSpec(
            "edit.select_expression",
            tr("Select by expression…"),
            program.select_by_expression,
            "list-checks",
            "Ctrl+F",
            current,
        ),
        ActionSpec("edit.clear_selection", tr("Clear the selection"), session.selection.clear, "x", enabled=chosen),
    ]
    layer = [
        ActionSpec(
            "layer.zoom",
            tr("Zoom to the layer"),
            lambda: canvas.zoom_to_layer(session.current_layer),
            "focus",
            enabled=current,
        ),
        ActionSpec("layer.table", tr("Attribute table"), window.show_table, "table-2", "F6", current),
        ActionSpec("layer.style", tr("Style…"), layers.style, "palette", enabled=current),
        ActionSpec("layer.plan", tr("Plan and class field…"), layers.plan, "tag", enabled=current),
        ActionSpec("layer.rename", tr("Rename…"), window.layers.rename_current, "pencil", "F2", current),
        ActionSpec(
            "layer.export", tr("Export the layer…"), layers.export_layer, "upload", enabled=current, searchable=False
        ),
        ActionSpec("layer.properties", tr("Layer properties…"), layers.properties, "info", enabled=current),
        ActionSpec("layer.remove", tr("Remove the layer"), layers.remove, "trash-2", enabled=current),
    ]
    view = [
        ActionSpec("view.zoom_full", tr("Zoom to everything"), canvas.zoom_full, "maximize", "Ctrl+0", opened),
        ActionSpec(
            "view.zoom_selection", tr("Zoom to the selection"), canvas.zoom_to_selection, "focus", "Ctrl+E", chosen
        ),
        ActionSpec("view.zoom_in", tr("Zoom in"), canvas.zoom_in, "plus", "Ctrl++;Ctrl+=", opened),
        ActionSpec("view.zoom_out", tr("Zoom out"), canvas.zoom_out, "minus", "Ctrl+-", opened),
        ActionSpec("view.back", tr("Previous view"), canvas.view_back, "arrow-left", "Alt+Left", opened),
        ActionSpec("view.forward", tr("Next view"), canvas.view_forward, "arrow-right", "Alt+Right", opened),
        ActionSpec("view.panels", tr("Hide or show all panels"), window.toggle_panels, "panel-left", "F9", opened),
        ActionSpec("view.layers", tr("Layer panel"), window.toggle_layers, "layers", "Ctrl+L", opened),
        ActionSpec("view.dock", tr("Tables at the bottom"), window.toggle_dock, "panel-bottom", "Ctrl+J", opened),
        ActionSpec("view.task", tr("Task panel"), window.toggle_task, "panel-right", "Ctrl+T", opened),
        ActionSpec("view.history", tr("History"), lambda: window.show_dock("history"), "history", "Ctrl+H", opened),
        ActionSpec("view.jobs", tr("Jobs"), lambda: window.show_dock("jobs"), "list-checks", enabled=opened),
        ActionSpec("view.search", tr("Search"), window.open_palette, "search", "Ctrl+K", searchable=False),
    ]
    app = [
        ActionSpec("app.theme", tr("Switch between light and dark"), program.switch_theme, "sun", "Ctrl+Shift+T"),
        ActionSpec(
            "app.theme_system", tr("Theme follows the system"), lambda: program.choose_theme("system"), "monitor"
        ),
        ActionSpec("app.language", tr("切换到中文 / Switch to English"), window.switch_language, "languages"),
        ActionSpec("app.plugins", tr("Plugins…"), program.show_plugins, "puzzle"),
        ActionSpec(
            "app.engine",
            tr("Restart the map engine"),
            program.restart_engine,
            "rotate-ccw",
            enabled=lambda: session.engine is not None,
        ),
        ActionSpec("app.about", tr("About and shortcuts…"), program.show_about, "info", "F1"),
        ActionSpec("app.quit", tr("Quit"), window.close, "x", "Ctrl+Q"),
    ]
    tools = [tool_action(window, tool) for tool in canvas.tool_infos()]
    return [*project, *edit, *layer, *view, *app, *tools]


def tool_action(window: MainWindow, tool: ToolInfo) -> ActionSpec:
    """Choosing a map tool."""
    return ActionSpec(
        f"tool.{tool.id}",
        tr("Tool: {name}", name=tool.title),
        partial(window.canvas.set_tool, tool.id),
        tool.icon,
        tool.shortcut,
        lambda: window.session.project is not None,
    )
