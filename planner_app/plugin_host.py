"""Finds, validates, loads and isolates plugins. A failing one is named and left out while the rest load."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule, parse_rules
from planner_app.i18n import RESOURCES, add_folder, word_error
from planner_app.plugin_api import API_VERSION
from planner_app.plugin_api.model import ModelApi, RuleKind, Setting, Verb

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import UiApi

log = logging.getLogger(__name__)

SHIPPED = RESOURCES.parent / "plugins"
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``plugin.toml``, checked."""

    id: str
    name: str
    name_zh: str
    version: str
    roles: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin left out. ``error`` words itself in the language shown."""

    plugin: str
    error: PlannerError

    @property
    def sentence(self) -> str:
        """What happened to which plugin, and what to do."""
        return " ".join(part for part in word_error(self.error) if part)


def user_folder() -> Path:
    """Where third parties drop a plugin's folder (``PLANNER_PLUGIN_DIR`` overrides)."""
    if chosen := os.environ.get("PLANNER_PLUGIN_DIR"):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("planner", appauthor=False) / "plugins"


class PluginHost:
    """Loads the plugins' ``model`` and ``ui`` modules (``engine`` modules are loaded by the engine itself)."""

    def __init__(self, folders: Iterable[Path] | None = None) -> None:
        self.folders = [SHIPPED, user_folder()] if folders is None else list(folders)
        self.manifests: list[Manifest] = []
        self.model_apis: list[ModelApi] = []
        self.ui_apis: list[UiApi] = []
        self.failures: list[Failure] = []
        self._left_out: set[str] = set()
        self._rules: list[Rule] | None = None
        self._discover()

    def _discover(self) -> None:
        for root in self.folders:
            for file in sorted(root.glob("*/plugin.toml")):
                try:
                    manifest = read_manifest(file)
                    if any(manifest.id == other.id for other in self.manifests):
                        raise PlannerError("plugin.id_taken", plugin=manifest.id, folder=str(file.parent))
                except PlannerError as error:
                    self._leave_out(file.parent.name, error)
                    continue
                self.manifests.append(manifest)
                add_folder(manifest.folder / "i18n")

    def _leave_out(self, plugin: str, error: PlannerError) -> None:
        self.failures.append(Failure(plugin, error))
        self._left_out.add(plugin)

    def load_models(self) -> None:
        """Load every plugin's ``model`` module once."""
        if not self.model_apis:
            self._load("model", ModelApi, self.model_apis, self._check_model)

    def load_uis(self) -> None:
        """Load every plugin's ``ui`` module once (needs PySide6); models first."""
        from planner_app.plugin_api.ui import UiApi

        self.load_models()
        if not self.ui_apis:
            self._load("ui", UiApi, self.ui_apis, self._check_ui)

    def _load(
        self, part: str, make: Callable[[str, Path], Any], accepted: list[Any], check: Callable[[Any], None]
    ) -> None:
        for manifest in self.manifests:
            if manifest.id in self._left_out or not _has_part(manifest.folder, part):
                continue
            api = make(manifest.id, manifest.folder)
            try:
                _import_part(manifest, part).register(api)
                check(api)
            except PlannerError as error:
                self._leave_out(manifest.id, error)
            except Exception as error:  # a plugin may fail in any way; the rest must load
                log.warning("plugin %s: %s failed", manifest.id, part, exc_info=True)
                detail = f"{type(error).__name__}: {error}"
                self._leave_out(manifest.id, PlannerError("plugin.failed", plugin=manifest.name, detail=detail))
            else:
                accepted.append(api)

    def _check_model(self, api: ModelApi) -> None:
        taken = {verb.name for other in self.model_apis for verb in other.verbs}
        for verb in api.verbs:
            if verb.name in taken:
                raise PlannerError("plugin.verb_taken", plugin=api.plugin_id, verb=verb.name)
        kinds = {kind.id for other in self.model_apis for kind in other.rule_kinds}
        for kind in api.rule_kinds:
            if kind.id in kinds:
                raise PlannerError("plugin.rule_kind_taken", plugin=api.plugin_id, kind=kind.id)
        for file in api.rule_files:
            _read_rules(file)

    def _check_ui(self, api: UiApi) -> None:
        taken = {panel.id for other in self.ui_apis for panel in other.panels}
        for panel in api.panels:
            if panel.id in taken:
                raise PlannerError("plugin.panel_taken", plugin=api.plugin_id, panel=panel.id)

    def verbs(self) -> list[Verb]:
        """Verbs of all plugins."""
        return [verb for api in self.model_apis for verb in api.verbs]

    def rule_kinds(self) -> dict[str, RuleKind]:
        """Rule kinds by id."""
        return {kind.id: kind for api in self.model_apis for kind in api.rule_kinds}

    def settings(self) -> list[Setting]:
        """Settings that plugins declare."""
        return [setting for api in self.model_apis for setting in api.settings]

    def rules(self, prefix: str = "") -> list[Rule]:
        """Rules whose kind starts with ``prefix``, from ``resources/rules`` and the plugins."""
        if self._rules is None:
            files = sorted((RESOURCES / "rules").glob("*.toml"))
            files += [file for api in self.model_apis for file in api.rule_files]
            self._rules = [rule for file in files for rule in _read_rules(file)]
        return [rule for rule in self._rules if rule.kind.startswith(prefix)]


def read_manifest(file: Path) -> Manifest:
    """Read and check a ``plugin.toml``.

    Raises:
        PlannerError: ``plugin.manifest_broken``, ``plugin.manifest_field``, ``plugin.api_version``.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PlannerError("plugin.manifest_broken", file=str(file), detail=str(error)) from error
    for key, kind in (("id", str), ("name", str), ("version", str), ("api", int)):
        if not isinstance(table.get(key), kind):
            raise PlannerError("plugin.manifest_field", file=str(file), field=key)
    if not _ID.fullmatch(table["id"]):
        raise PlannerError("plugin.manifest_field", file=str(file), field="id")
    if table["api"] != API_VERSION:
        raise PlannerError("plugin.api_version", plugin=table["name"], wants=table["api"], has=API_VERSION)
    roles = tuple(str(role) for role in table.get("roles", []))
    return Manifest(
        table["id"], table["name"], table.get("name_zh", table["name"]), table["version"], roles, file.parent
    )


def _read_rules(file: Path) -> list[Rule]:
    try:
        return parse_rules(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise PlannerError("rule.file_broken", file=str(file), detail=str(error)) from error


def _has_part(folder: Path, part: str) -> bool:
    return (folder / f"{part}.py").exists() or (folder / part / "__init__.py").exists()


def _import_part(manifest: Manifest, part: str) -> ModuleType:
    """Import ``<plugin>.<part>``: shipped plugins by their package, others under a package name of their own."""
    if manifest.folder.parent == SHIPPED:
        return importlib.import_module(f"plugins.{manifest.folder.name}.{part}")
    package = f"planner_plugin_{manifest.id}"
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(manifest.folder)]
        sys.modules[package] = module
    return importlib.import_module(f"{package}.{part}")
