"""An approved project and surveys of it, made by hand; the files of the town's project and of the real data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.rule import Rule, parse_rules
from plugins.review.model.asbuilt.compare import compare_opened
from plugins.review.model.asbuilt.types import AsBuilt
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import DrawingRecord
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing, DrawingFormat
from plugins.review.model.indicators.rule_sets import load_rule_sets
from plugins.review.model.reading.types import SitePlan

RULES = Path(__file__).resolve().parents[4] / "plugins" / "review" / "rules" / "asbuilt.toml"
ON = date(2026, 6, 1)
EAST, NORTH = 560_000.0, 3_400_000.0


def shipped() -> list[Rule]:
    return parse_rules(RULES.read_text(encoding="utf-8"), RULES.name)


def opened(plan: SitePlan, east: float | None = EAST, north: float = NORTH) -> OpenDrawing:
    """A plan placed with its origin there; ``east=None``: not placed."""
    name = f"{id(plan):x}"
    drawing = Drawing(f"{name}.dxf", name, DrawingFormat.DXF, "", (), ())
    record = DrawingRecord(name, "D-1", "case", "", drawing.name, name, "dxf")
    if east is None:
        return OpenDrawing(record, drawing, plan, Placement())
    step = np.array([east, north])

    def forth(shape: Any) -> Any:
        return shapely.transform(shape, lambda points: points + step)

    def back(shape: Any) -> Any:
        return shapely.transform(shape, lambda points: points - step)

    return OpenDrawing(record, drawing, plan, Placement("by_hand"), forth, back)


Compare = Callable[..., AsBuilt]


@pytest.fixture
def compare() -> Compare:
    """``compare(approved, built, rules=…, conditions=…)`` of plans or opened drawings."""

    def run(
        approved: SitePlan | OpenDrawing,
        built: SitePlan | OpenDrawing,
        rules: Iterable[Rule] | None = None,
        conditions: Conditions | None = None,
    ) -> AsBuilt:
        sides = [one if isinstance(one, OpenDrawing) else opened(one) for one in (approved, built)]
        return compare_opened(
            sides[0], sides[1], conditions=conditions, rules=list(shipped() if rules is None else rules), on=ON,
            city="", rule_sets=load_rule_sets(),
        )  # fmt: skip

    return run
