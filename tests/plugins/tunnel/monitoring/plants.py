"""Projects with a handful of sensors whose readings are known."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from planner_app.domain.layer import NewLayer
from planner_app.domain.rule import Rule, parse_rules
from planner_app.project import Batch, Project
from plugins.tunnel.model.monitoring.sensors import SENSOR

RULES = Path(__file__).resolve().parents[4] / "plugins" / "tunnel" / "rules" / "alarms.toml"
START, MINUTE, HOUR = 1_727_712_000_000, 60_000, 3_600_000
EAST, NORTH = 507_000.0, 2_944_000.0


def alarm_rules() -> list[Rule]:
    """The rules that are shipped."""
    return parse_rules(RULES.read_text("utf-8"), RULES.name)


def add_sensors(project: Project, *rows: tuple[int, str, str, float, str]) -> None:
    """Sensors of (number, code, kind, chainage, calibration due)."""
    units = {"ch4": "%LEL", "temp": "℃", "o2": "%"}
    columns = {
        "sensor_id": [row[0] for row in rows], "code": [row[1] for row in rows], "kind": [row[2] for row in rows],
        "unit": [units.get(row[2], "") for row in rows], "m": [row[3] for row in rows],
        "due": [row[4] or None for row in rows], "tunnel": ["GL01"] * len(rows), "compartment": ["综合"] * len(rows),
    }  # fmt: skip
    points = [struct.pack("<BIdd", 1, 1, EAST + row[3], NORTH) for row in rows]
    new = NewLayer(SENSOR.name, SENSOR.geometry, SENSOR.fields, role=SENSOR.role, label_field="code")
    project.add_layer(new, [Batch(points, columns)])


def feed(project: Project, number: int, values: Sequence[float], start: int = START, step: int = 15 * MINUTE) -> None:
    """Readings from ``start``, one every ``step``."""
    project.readings.add(number, [start + at * step for at in range(len(values))], list(values))
