"""The plugin's words, as the host adds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.i18n import RESOURCES, add_folder, compile_catalogues

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "review"


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    for folder in (RESOURCES / "i18n", PLUGIN / "i18n"):
        compile_catalogues(folder)
    add_folder(PLUGIN / "i18n")
