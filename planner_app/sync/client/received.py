"""Definitions as they come from a server, in the form that a project file can hold: nothing they say stops a pull."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from planner_app.domain.layer import RESERVED_COLUMNS, FieldInfo, PlanKind
from planner_app.project import registry
from planner_app.sync.client.definitions import LAYER_CELLS, PLAN_CELLS
from planner_app.sync.types import LayerDef

_UNLOCKED: Final = ("", "0", "false")
_KINDS: Final = frozenset(kind.value for kind in PlanKind)
_RESERVED: Final = frozenset({*RESERVED_COLUMNS, "rowid", "oid", "_rowid_"})


def layer(there: LayerDef) -> LayerDef:
    """A layer with all cells, in our spelling."""
    cells = dict.fromkeys(LAYER_CELLS, "") | {name: text for name, text in there.cells.items() if name in LAYER_CELLS}
    cells["locked"] = "false" if cells["locked"].lower() in _UNLOCKED else "true"
    cells["extra"] = _extra(cells["extra"])
    cells["name"] = cells["name"].strip() or there.table
    return replace(there, cells=cells)


def _extra(text: str) -> str:
    try:
        values = json.loads(text or "{}")
    except ValueError:
        values = {}
    return registry.extra_text({str(k): str(v) for k, v in values.items()} if isinstance(values, dict) else {})


def plan(cells: Mapping[str, str | None]) -> dict[str, str]:
    """A plan's cells; a kind that this program does not know is an other one."""
    known = {name: text or "" for name, text in cells.items() if name in PLAN_CELLS}
    if "kind" in known and known["kind"] not in _KINDS:
        known["kind"] = PlanKind.OTHER.value
    return known


def places(fields: Sequence[FieldInfo], taken: Sequence[FieldInfo] = ()) -> list[int]:
    """Which fields (by number) SQLite can hold: names that it does not keep for itself, each once whatever its case."""
    seen = {field.name.casefold() for field in taken}
    found = []
    for number, field in enumerate(fields):
        folded = field.name.casefold()
        if field.name.strip() and "\x00" not in field.name and folded not in _RESERVED and folded not in seen:
            seen.add(folded)
            found.append(number)
    return found
