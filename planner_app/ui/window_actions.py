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
    session, flows, layers, canvas = window.session, window.flows, window.layer_flows, window.canvas

    def opened() -> bool:
        return session.project is not None

    def current() -> bool:
        return session.layer(session.current_layer) is not None

    def chosen() -> bool:
        return session.selection.count() > 0

    def spec(action_id: str, title: str, handler: object, **more: object) -> ActionSpec:
        return ActionSpec(action_id, title, handler, **more)  # type: ignore[arg-type]

    project = [
        spec("project.new", tr("New project…"), flows.new, icon="file-plus-2", shortcut="Ctrl+N"),
        spec("project.open", tr("Open project…"), flows.open, icon="folder-open", shortcut="Ctrl+O"),
        spec("project.sample", tr("Open the sample new town"), flows.sample, icon="building-2"),
        spec(
            "project.import",
            tr("Import a layer…"),
            layers.import_layer,
            icon="import",
            shortcut="Ctrl+I",
            enabled=opened,
        ),
        spec("project.export", tr("Export a layer…"), layers.export_layer, icon="upload", enabled=current),
        spec(
            "project.print", tr("Print the map…"), window.print_map, icon="printer", shortcut="Ctrl+P", enabled=opened
        ),
        spec("project.copy", tr("Save a copy…"), flows.save_copy, icon="save", shortcut="Ctrl+Shift+S", enabled=opened),
        spec("project.verify", tr("Check the project file"), flows.verify, icon="shield-check", enabled=opened),
        spec("project.properties", tr("Project properties…"), flows.properties, icon="info", enabled=opened),
        spec(
            "project.close", tr("Close the project"), session.close_project, icon="x", shortcut="Ctrl+W", enabled=opened
        ),
    ]
    edit = [
        spec(
            "edit.undo",
            tr("Undo"),
            session.undo,
            icon="undo-2",
            shortcut="Ctrl+Z",
            enabled=lambda: bool(session.can_undo()),
        ),
        spec(
            "edit.redo",
            tr("Redo"),
            session.redo,
            icon="redo-2",
            shortcut="Ctrl+Y;Ctrl+Shift+Z",
            enabled=lambda: bool(session.can_redo()),
        ),
        spec(
            "edit.delete",
            tr("Delete the selected features"),
            canvas.delete_selection,
            icon="trash-2",
            shortcut="Del",
            enabled=chosen,
        ),
        spec("edit.form", tr("Feature form"), window.show_form, icon="square-pen", shortcut="F4", enabled=opened),
        spec(
            "edit.select_expression",
            tr("Select by expression…"),
            window.select_by_expression,
            icon="list-checks",
            shortcut="Ctrl+F",
            enabled=current,
        ),
        spec("edit.clear_selection", tr("Clear the selection"), session.selection.clear, icon="x", enabled=chosen),
    ]
    layer = [
        spec(
            "layer.zoom",
            tr("Zoom to the layer"),
            lambda: canvas.zoom_to_layer(session.current_layer),
            icon="focus",
            enabled=current,
        ),
        spec("layer.table", tr("Attribute table"), window.show_table, icon="table-2", shortcut="F6", enabled=current),
        spec("layer.style", tr("Style…"), layers.style, icon="palette", enabled=current),
        spec("layer.plan", tr("Plan and class field…"), layers.plan, icon="tag", enabled=current),
        spec(
            "layer.rename", tr("Rename…"), window.layers.rename_current, icon="pencil", shortcut="F2", enabled=current
        ),
        spec(
            "layer.export",
            tr("Export the layer…"),
            layers.export_layer,
            icon="upload",
            enabled=current,
            searchable=False,
        ),
        spec("layer.properties", tr("Layer properties…"), layers.properties, icon="info", enabled=current),
        spec("layer.remove", tr("Remove the layer"), layers.remove, icon="trash-2", enabled=current),
    ]
    view = [
        spec(
            "view.zoom_full",
            tr("Zoom to everything"),
            canvas.zoom_full,
            icon="maximize",
            shortcut="Ctrl+0",
            enabled=opened,
        ),
        spec(
            "view.zoom_selection",
            tr("Zoom to the selection"),
            canvas.zoom_to_selection,
            icon="focus",
            shortcut="Ctrl+E",
            enabled=chosen,
        ),
        spec("view.zoom_in", tr("Zoom in"), canvas.zoom_in, icon="plus", shortcut="Ctrl++;Ctrl+=", enabled=opened),
        spec("view.zoom_out", tr("Zoom out"), canvas.zoom_out, icon="minus", shortcut="Ctrl+-", enabled=opened),
        spec(
            "view.back", tr("Previous view"), canvas.view_back, icon="arrow-left", shortcut="Alt+Left", enabled=opened
        ),
        spec(
            "view.forward",
            tr("Next view"),
            canvas.view_forward,
            icon="arrow-right",
            shortcut="Alt+Right",
            enabled=opened,
        ),
        spec(
            "view.panels",
            tr("Hide or show all panels"),
            window.toggle_panels,
            icon="panel-left",
            shortcut="F9",
            enabled=opened,
        ),
        spec("view.layers", tr("Layer panel"), window.toggle_layers, icon="layers", shortcut="Ctrl+L", enabled=opened),
        spec(
            "view.dock",
            tr("Tables at the bottom"),
            window.toggle_dock,
            icon="panel-bottom",
            shortcut="Ctrl+J",
            enabled=opened,
        ),
        spec("view.task", tr("Task panel"), window.toggle_task, icon="panel-right", shortcut="Ctrl+T", enabled=opened),
        spec(
            "view.history",
            tr("History"),
            lambda: window.show_dock("history"),
            icon="history",
            shortcut="Ctrl+H",
            enabled=opened,
        ),
        spec("view.jobs", tr("Jobs"), lambda: window.show_dock("jobs"), icon="list-checks", enabled=opened),
        spec("view.search", tr("Search"), window.open_palette, icon="search", shortcut="Ctrl+K", searchable=False),
    ]
    app = [
        spec(
            "app.theme", tr("Switch between light and dark"), window.switch_theme, icon="sun", shortcut="Ctrl+Shift+T"
        ),
        spec("app.theme_system", tr("Theme follows the system"), lambda: window.choose_theme("system"), icon="monitor"),
        spec("app.language", tr("切换到中文 / Switch to English"), window.switch_language, icon="languages"),
        spec("app.plugins", tr("Plugins…"), window.show_plugins, icon="puzzle"),
        spec(
            "app.engine",
            tr("Restart the map engine"),
            window.restart_engine,
            icon="rotate-ccw",
            enabled=lambda: session.engine is not None,
        ),
        spec("app.about", tr("About and shortcuts…"), window.show_about, icon="info", shortcut="F1"),
        spec("app.quit", tr("Quit"), window.close, icon="x", shortcut="Ctrl+Q"),
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
