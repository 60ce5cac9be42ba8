"""Drawings of the sample town, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def sample_drawings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Folder of the sample's drawings and their truth."""
    from sample_projects.build import SEED
    from sample_projects.drawings import write_drawings
    from sample_projects.town import make_sample

    sample = make_sample(SEED)
    folder = tmp_path_factory.mktemp("drawings")
    return folder, write_drawings(sample.town, sample.table("zoning_parcels"), folder)
