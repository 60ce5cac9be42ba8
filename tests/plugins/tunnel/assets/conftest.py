"""A project to import into, and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.i18n import add_folder

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "tunnel"


@pytest.fixture(autouse=True)
def _wording() -> None:
    add_folder(PLUGIN / "i18n")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Call a verb of ``planner`` on files of the test's folder; ``p`` is an empty project in EPSG:4549."""

    def call(*arguments: object, code: int = 0) -> dict:
        words = [str(one) for one in arguments]
        assert run_verb([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    call("new", tmp_path / "p.sqlite", "--crs", "EPSG:4549")
    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "p.sqlite"
