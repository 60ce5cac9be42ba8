"""Rules as the host hands them to verbs, and a verb's context around them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from planner_app.domain.progress import NoProgress
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import VerbContext
from planner_app.plugin_host import PluginHost
from planner_app.project import Project


@cache
def _host() -> PluginHost:
    host = PluginHost()
    host.load_models()
    return host


def rules_of(prefix: str) -> list[Rule]:
    """Rules of a kind prefix, from the application and all plugins."""
    return _host().rules(prefix)


def verb_context() -> VerbContext:
    """What a verb is given; its maps are empty, as on a machine without QGIS."""

    def opened(path: Path) -> Project:
        return Project.open(path)

    return VerbContext(opened, NoProgress(), rules_of, lambda *_: b"")
