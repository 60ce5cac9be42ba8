"""What a plugin's ``engine`` module registers. It runs inside QGIS's Python: standard library, ``qgis``, this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Algorithm = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""(layers of the open project, arguments) → a JSON object. ``layers.get(id).layer`` is a ``QgsVectorLayer``."""

Layout = Callable[[Any, list[Any], dict[str, Any]], None]
"""(``QgsPrintLayout`` with an empty page, the map layers with the top one first, the request's values) → None.

Fills the sheet; the values are those of the engine's ``print``: ``title``, ``extent``, ``paper`` and what the plugin
sent beside them.
"""


@dataclass
class EngineApi:
    """Collects one plugin's registrations in the engine."""

    plugin_id: str
    algorithms: dict[str, Algorithm] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)

    def add_algorithm(self, name: str, run: Algorithm) -> None:
        """Add work for QGIS, called from the shell by name."""
        self.algorithms[name] = run

    def add_layout(self, name: str, fill: Layout) -> None:
        """Add a kind of printed sheet, printed from the shell by name."""
        self.layouts[name] = fill
