"""Every column of the role's tables has one Chinese name, and the sample uses the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.domain.layer import FieldInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.work_table import EXTERNAL_WORK
from plugins.tunnel.model.emergency.equipment import EQUIPMENT
from plugins.tunnel.model.field_names import alias_of, field_of
from plugins.tunnel.model.monitoring import alarm_table, shift
from plugins.tunnel.model.monitoring.sensors import SENSOR
from plugins.tunnel.model.network.spaces import COMPARTMENT_LINK
from plugins.tunnel.model.operation.tables import TABLES
from plugins.tunnel.model.space import tables as space
from plugins.tunnel.model.tables import TableSpec

SPECS = [
    one
    for one in (*vars(tables).values(), *vars(space).values(), SENSOR, EQUIPMENT, COMPARTMENT_LINK, EXTERNAL_WORK)
    if isinstance(one, TableSpec)
]
COLUMNS: dict[str, tuple[FieldInfo, ...]] = {
    **{one.id: one.fields for one in SPECS},
    **{one.name: one.fields() for one in TABLES},
    alarm_table.TABLE: alarm_table.FIELDS,
    "tunnel_shift_entry": shift._fields(shift.ENTRY_ROLE, shift.Entry),
    "tunnel_handover": shift._fields(shift.HANDOVER_ROLE, shift.HandOver),
}


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_have_names_of_their_own(table: str) -> None:
    names = [one.alias for one in COLUMNS[table]]
    assert len(names) == len(set(names)), "two columns look alike"
    assert all(any("\u4e00" <= char <= "\u9fff" for char in name) or name in ("x（m）", "y（m）") for name in names)


def test_a_column_that_nobody_named_is_refused() -> None:
    with pytest.raises(KeyError, match=r"valve\.colour"):
        field_of("valve", "colour")


def test_the_sample_names_them_alike(sample_folder: Path) -> None:
    with Project.open(sample_folder / "sample.sqlite") as town:
        mine = [layer for layer in town.layers() if layer.id in COLUMNS]
        assert len(mine) == 19 + 1  # all but history, planned works, field packages, alarms and shifts
        for layer in mine:
            for info in layer.fields:
                assert info.alias == alias_of(layer.id, info.name), f"{layer.id}.{info.name}"
