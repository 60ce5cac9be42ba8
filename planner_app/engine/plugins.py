"""Algorithms and sheets of plugins' ``engine`` modules; they belong into an engine of their own, or the map waits."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from planner_app.engine.errors import EngineError
from planner_app.plugin_api.engine import EngineApi, Layout
from planner_app.protocol import framing


class Plugins:
    """Loads plugins' engine modules on first use; a broken one is named and left out."""

    def __init__(self) -> None:
        self._apis: dict[str, EngineApi] = {}

    def run(self, params: framing.Message, layers: Any) -> framing.Message:
        """Run ``name`` of the plugin in ``folder`` with ``arguments``.

        Raises:
            EngineError: ``engine.plugin_failed``, ``engine.no_algorithm``.
        """
        api = self._load(Path(params["folder"]))
        algorithm = api.algorithms.get(params["name"])
        if algorithm is None:
            raise EngineError("engine.no_algorithm", name=params["name"], plugin=Path(params["folder"]).name)
        return algorithm(layers, params.get("arguments", {}))

    def layout(self, folder: Path, name: str) -> Layout:
        """The sheet ``name`` of the plugin in ``folder``.

        Raises:
            EngineError: ``engine.plugin_failed``, ``engine.no_layout``.
        """
        fill = self._load(folder).layouts.get(name)
        if fill is None:
            raise EngineError("engine.no_layout", name=name, plugin=folder.name)
        return fill

    def _load(self, folder: Path) -> EngineApi:
        key = str(folder)
        if key not in self._apis:
            file = folder / "engine.py" if (folder / "engine.py").exists() else folder / "engine" / "__init__.py"
            api = EngineApi(folder.name)
            try:
                spec = importlib.util.spec_from_file_location(f"planner_engine_{folder.name}", file)
                if spec is None or spec.loader is None:
                    raise ImportError(str(file))
                module = importlib.util.module_from_spec(spec)
                sys.modules[spec.name] = module
                spec.loader.exec_module(module)
                module.register(api)
            except Exception as error:  # a plugin may fail in any way
                traceback.print_exc()
                raise EngineError("engine.plugin_failed", plugin=folder.name, detail=str(error)) from error
            self._apis[key] = api
        return self._apis[key]
