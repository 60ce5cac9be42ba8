"""How layers are arranged: each person's own business, but a clone should look at first as the project did.

What stood where is noted once, among the layers' extra values, when a project comes to a server that has nothing of it.
"""

from __future__ import annotations

from typing import Final

from planner_app.project import Project, registry, replica

KEY: Final = "first_look"


def note(project: Project) -> None:
    """Note place, visibility and opacity of all layers."""
    with project.transaction(relaxed=True) as connection, project.logged(connection, "note_looks", {}) as entry:
        for row in registry.read_layers(connection):
            info = row.info
            text = f"{info.position} {int(info.visible)} {info.opacity!r}"
            connection.execute(
                "UPDATE planner_layer SET extra = ? WHERE id = ?",
                (registry.extra_text(row.extra | {KEY: text}), info.id),
            )
    project.tell(entry.changes)


def arrange(project: Project) -> None:
    """Arrange the layers of a fresh clone as it was noted; those without a note stand below."""
    with (
        project.transaction(relaxed=True) as connection,
        project.logged(connection, "note_looks", {}, origin=replica.SYNC) as entry,
    ):
        placed = []
        for row in registry.read_layers(connection):
            try:
                place, visible, opacity = row.extra.get(KEY, "").split()
                placed.append((int(place), int(visible != "0"), min(max(float(opacity), 0.0), 1.0), row.info.id))
            except ValueError:  # none, or not ours
                placed.append((1 << 30, int(row.info.visible), row.info.opacity, row.info.id))
        for position, (_, visible_, opacity_, layer_id) in enumerate(sorted(placed, key=lambda one: one[0])):
            connection.execute(
                "UPDATE planner_layer SET position = ?, visible = ?, opacity = ? WHERE id = ?",
                (position, visible_, opacity_, layer_id),
            )
    project.tell(entry.changes)
