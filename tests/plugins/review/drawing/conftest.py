"""Drawings written on the spot, and a project to place them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.i18n import RESOURCES, add_folder, compile_catalogues
from planner_app.project import Project
from plugins.review.model.drawing.intake import read_here, sniff
from plugins.review.model.drawing.types import Drawing, Entity

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "review"


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    compile_catalogues(RESOURCES / "i18n")
    add_folder(PLUGIN / "i18n")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


Dxf = Callable[..., Drawing]


@pytest.fixture
def dxf(tmp_path: Path) -> Dxf:
    """``dxf(draw)``: what ``draw(document, modelspace)`` draws, written, read back (in this process)."""

    def make(draw: Callable[[Any, Any], None], version: str = "R2013", units: int = 6, **more: Any) -> Drawing:
        from ezdxf.filemanagement import new

        document = new(version, setup=["dimstyles"])
        document.header["$INSUNITS"] = units
        draw(document, document.modelspace())
        path = tmp_path / "drawing.dxf"
        document.saveas(path, encoding=more.pop("encoding", None))
        return read_here(path, sniff(path), **more)

    return make


def by_kind(drawing: Drawing, kind: str) -> list[Entity]:
    """Entities of a kind."""
    return [entity for entity in drawing.entities if entity.kind == kind]


def notes(drawing: Any) -> dict[str, dict[str, Any]]:
    """Notes by code."""
    return dict(drawing.notes)


def area(points: Any) -> float:
    return float(shapely.Polygon(points).area)


def read(path: Path) -> Drawing:
    return read_here(path, sniff(path))
