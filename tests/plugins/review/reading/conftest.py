"""Drawings of the sample town, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def sample_drawings(sample_folder: Path) -> tuple[Path, dict[str, Any]]:
    """Folder of the sample's drawings and their truth."""
    folder = sample_folder / "sample_drawings"
    return folder, json.loads((folder / "truth.json").read_text(encoding="utf-8"))
