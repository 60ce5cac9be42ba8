"""What a plugin's ``model`` module registers: verbs, rule kinds, settings, layer roles, reports. No Qt, no QGIS."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner_app.domain.crs import SETTING, CityTransform, Transformation, transformer
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.progress import NoProgress, Progress
from planner_app.domain.rule import Rule
from planner_app.project import Attachment, Batch, Command, FeatureTable, Project, Transaction

__all__ = [
    "Attachment", "Batch", "Cancelled", "Command", "Extent", "FeatureTable", "Finding", "LayerRole", "ModelApi",
    "NoProgress", "PlannerError", "Progress", "Project", "RenderMap", "Rule", "RuleKind", "Setting", "Transaction",
    "Verb", "VerbContext", "VerbResult", "Verdict", "into_project", "look_into", "read_boundary_points",
    "read_layer",
]  # fmt: skip


Extent = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in the project's CRS."""

RenderMap = Callable[[Project, Extent, tuple[int, int]], bytes]
"""(project, extent, size in pixels) → the map as PNG; empty where there is no engine."""

Headless = Callable[["VerbContext", Project, Path], dict[str, Any]]
"""A role's work without a screen: (rules, maps and progress, project, output folder) → what was made."""


def read_boundary_points(path: Path) -> list[Any]:
    """Parcels of a 界址点 TXT file (``planner_app.project.exchange.BoundaryParcel``); loads its reader when called."""
    from planner_app.project.exchange.boundary_points import read_boundary_points as read

    return list(read(path))


def read_layer(project: Project, source: Path, **options: Any) -> Any:
    """One layer of a foreign file in the project's CRS, not stored (``planner_app.project.exchange.ReadLayer``).

    Options ``sublayer``, ``crs``, ``encoding``, ``progress`` as in ``planner_app.project.exchange.read_layer``; loads
    its readers when called.
    """
    from planner_app.project.exchange import read_layer as read

    return read(project, source, **options)


def into_project(crs: str, project: Project) -> Transformation:
    """From a CRS to the project's, through the city's own parameters where the project keeps some for it.

    Raises:
        PlannerError: ``crs.unknown``, ``crs.ballpark``, ``crs.city_other``, ``crs.city_parameters``.
    """
    return transformer(crs, project.crs, CityTransform.kept_for(crs, project.setting(SETTING)))


def look_into(source: Path, **options: Any) -> Any:
    """What layers a foreign file has (``planner_app.project.exchange.SourceInfo``)."""
    from planner_app.project.exchange import inspect

    return inspect(source, **options)


@dataclass(frozen=True, slots=True)
class VerbResult:
    """A verb's answer: the JSON object and the exit code: 0 done, 1 it judged and a blocking finding fails."""

    data: dict[str, Any]
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class VerbContext:
    """What a verb is given besides its arguments."""

    open_project: Callable[[Path], Project]
    progress: Progress
    rules: Callable[[str], list[Rule]]
    """Rules of a kind prefix (``planning.``) from resources and plugins."""
    render_map: RenderMap
    headless: Sequence[tuple[str, Headless]] = ()
    """(plugin, its work without a screen)."""


@dataclass(frozen=True, slots=True)
class Verb:
    """``planner NAME …``. ``configure`` adds arguments to the parser; ``run`` does the work.

    ``name`` may have several words (``review check``).
    """

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[VerbContext, argparse.Namespace], VerbResult]


@dataclass(frozen=True, slots=True)
class RuleKind:
    """Code that judges rules of one kind. ``judge`` gets the rule and whatever that kind's caller hands it."""

    id: str
    title: str
    judge: Callable[..., list[Finding]]


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting with its default; ``title`` is an English message id."""

    key: str
    title: str
    default: str | int | float | bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerRole:
    """A role a plugin gives to layers it makes; roles of one title are one group of the layer panel.

    ``hidden``: tables that people never see as such (an issue's comments); they stay out of the layer panel, of the
    search and of choosers, while plugins, undo, history and QGIS Desktop see them like any other.
    """

    id: str
    title: str
    icon: str = "layers"
    qml: str = ""
    hidden: bool = False


@dataclass(slots=True)
class ModelApi:
    """Collects one plugin's registrations; the host takes them over only if ``register`` returned without an error."""

    plugin_id: str
    folder: Path
    verbs: list[Verb] = field(default_factory=list)
    rule_kinds: list[RuleKind] = field(default_factory=list)
    rule_files: list[Path] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    layer_roles: list[LayerRole] = field(default_factory=list)
    commands: list[type[Command]] = field(default_factory=list)
    headless: list[Headless] = field(default_factory=list)

    def add_verb(self, verb: Verb) -> None:
        """Add a verb to the command line."""
        self.verbs.append(verb)

    def add_rule_kind(self, kind: RuleKind) -> None:
        """Add code that judges rules of one kind."""
        self.rule_kinds.append(kind)

    def add_rules(self, file: Path) -> None:
        """Add a TOML file of dated rules."""
        self.rule_files.append(file)

    def add_setting(self, setting: Setting) -> None:
        """Declare a setting."""
        self.settings.append(setting)

    def add_layer_role(self, role: LayerRole) -> None:
        """Declare a role of layers this plugin makes."""
        self.layer_roles.append(role)

    def add_command(self, command: type[Command]) -> None:
        """Declare a command of the plugin's own, so that the log can name it."""
        self.commands.append(command)

    def add_headless(self, run: Headless) -> None:
        """Add the role's work for ``packaging/run --headless``."""
        self.headless.append(run)
