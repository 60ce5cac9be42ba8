"""A project with one tunnel of 200 m and its two compartments (the one of the space tests), and the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.domain.rule import Rule, parse_rules
from planner_app.i18n import add_folder
from planner_app.plugin_api.model import Project
from tests.plugins.tunnel.space.conftest import _made, run, tunnel

__all__ = ["_made", "run", "tunnel"]

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "tunnel"


@pytest.fixture(autouse=True)
def _wording() -> None:
    add_folder(PLUGIN / "i18n")


@pytest.fixture
def project(tunnel: Path) -> Iterator[Project]:
    with Project.open(tunnel) as opened:
        yield opened


@pytest.fixture(scope="session")
def rules() -> list[Rule]:
    file = PLUGIN / "rules" / "operation.toml"
    return parse_rules(file.read_text("utf-8"), file.name)
