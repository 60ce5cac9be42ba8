"""The sensors of a project: its sensor layer as the alarm engine and the collector need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.monitoring.engine import Sensor
from plugins.tunnel.model.monitoring.units import USUAL
from plugins.tunnel.model.space.tables import TUNNEL
from plugins.tunnel.model.tables import table_spec

UNITS = USUAL
#: What people call the kinds, the more particular first.
_WORDS = (
    ("一氧化碳", "co"), ("二氧化碳", "co2"), ("硫化氢", "h2s"), ("甲烷", "ch4"), ("天然气", "ch4"), ("氧", "o2"),
    ("电缆温度", "cable_temp"), ("湿度", "rh"), ("温度", "temp"), ("液位", "level"), ("水位", "level"),
    ("烟", "smoke"), ("沉降", "settlement"), ("流量", "flow"), ("功率", "power"),
)  # fmt: skip
SENSOR = table_spec(
    "sensor",
    "传感器",
    "point",
    "sensor_id:integer code kind unit tunnel compartment m:real range_min:real range_max:real calibrated_on:date "
    "due:date fed_by",
)


@dataclass(frozen=True)
class AddSensor(Command):
    """Register a sensor by its code."""

    name: ClassVar[str] = "tunnel_add_sensor"
    number: int
    code: str
    kind: str = ""
    unit: str = ""

    def params(self) -> dict[str, Any]:
        return {"code": self.code}

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, SENSOR)
        values = {"sensor_id": self.number, "code": self.code, "kind": self.kind, "unit": self.unit}
        tx.insert(layer.id, Batch([None], {key: [value] for key, value in values.items()}))


@dataclass(frozen=True)
class RegisterSensors(Command):
    """Register sensors that sent for the first time; those that somebody else registered meanwhile stay as they are.

    Attributes:
        new: (code, kind, unit); taken: numbers under which there are readings.
    """

    name: ClassVar[str] = "tunnel_register_sensors"
    new: Sequence[tuple[str, str, str]]
    taken: Sequence[int] = ()

    def params(self) -> dict[str, Any]:
        return {"count": len(self.new), "sensors": ", ".join(code for code, _, _ in self.new[:5])}

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, SENSOR, ("sensor_id", "code", "kind", "unit"))
        found = tx.read(layer.id, columns=["sensor_id", "code"], geometry=False)
        rows = {
            str(code): (int(fid), number)
            for fid, code, number in zip(found.fids, found.columns["code"], found.columns["sensor_id"], strict=True)
        }
        used = {int(number) for _, number in rows.values() if number is not None} | set(self.taken)
        added: list[tuple[int, str, str, str]] = []
        for code, kind, unit in self.new:
            fid, number = rows.get(code, (0, None))
            if number is not None:
                continue
            wanted = int(code) if code.isdecimal() and len(code) < 10 else 0
            number = wanted if wanted > 0 and wanted not in used else max(used, default=0) + 1
            used.add(number)
            if fid:
                tx.update(layer.id, [fid], {"sensor_id": [number]})
            else:
                added.append((number, code, kind, unit or UNITS.get(kind, "")))
        if added:
            columns = dict(zip(("sensor_id", "code", "kind", "unit"), map(list, zip(*added, strict=True)), strict=True))
            tx.insert(layer.id, Batch([None] * len(added), columns))


def load_sensors(project: Project, *, silent: bool = False) -> list[Sensor]:
    """All sensors of a project with the edition their tunnel was built to; empty without a sensor layer.

    Args:
        silent: those of a layer made by hand, too, that have no number since they never sent; it is below 0 then.
    """
    layer = tables.find(project, SENSOR)
    if layer is None:
        return []
    fids, rows = tables.columns(project, layer, [info.name for info in SENSOR.fields])
    built = _editions(project)
    numbers = [-int(fid) if own is None else int(own) for fid, own in zip(fids, rows["sensor_id"], strict=True)]
    kinds = [kind_of(str(kind or "")) for kind in rows["kind"]]
    return [
        Sensor(
            number,
            str(rows["code"][at] or number),
            kinds[at],
            str(rows["unit"][at] or UNITS.get(kinds[at], "")),
            str(rows["tunnel"][at] or ""),
            str(rows["compartment"][at] or ""),
            rows["m"][at],
            _day(rows["due"][at]),
            built.get(str(rows["tunnel"][at] or ""), ""),
        )
        for at, number in enumerate(numbers)
        if number >= 0 or (silent and rows["code"][at])
    ]


def kind_of(text: str) -> str:
    """A kind of sensor as the rules name it: ``CH4``, 甲烷 → ``ch4``; what is not known stays as it is."""
    folded = text.strip().casefold()
    if folded in UNITS:
        return folded
    return next((kind for word, kind in _WORDS if word in folded), text)


def _editions(project: Project) -> Mapping[str, str]:
    layer = tables.find(project, TUNNEL)
    if layer is None:
        return {}
    _, rows = tables.columns(project, layer, ["code", "built_edition"])
    return {str(code): str(edition or "") for code, edition in zip(rows["code"], rows["built_edition"], strict=True)}


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None


def find_sensor(project: Project, reference: str) -> Sensor:
    """A sensor by code or number.

    Raises:
        PlannerError: ``tunnel.sensor_unknown``, ``tunnel.sensor_twice``.
    """
    sensors = load_sensors(project, silent=True)
    found = [one for one in sensors if one.code == reference] or [
        one for one in sensors if one.number >= 0 and str(one.number) == reference
    ]
    if len(found) > 1:
        raise PlannerError("tunnel.sensor_twice", sensor=reference, count=len(found))
    if not found:
        raise PlannerError("tunnel.sensor_unknown", sensor=reference, count=len(sensors))
    return found[0]


def need_sensor(project: Project, reference: str, kind: str = "", unit: str = "") -> tuple[Sensor, bool]:
    """A sensor by code or number, registered if it is new; (sensor, true if it was registered now).

    Raises:
        PlannerError: ``tunnel.sensor_unnamed``, ``tunnel.sensor_twice``.
    """
    reference = reference.strip()
    if not reference:
        raise PlannerError("tunnel.sensor_unnamed")
    kind = kind_of(kind)
    try:
        found = find_sensor(project, reference)
        if found.number < 0:  # a row that somebody made by hand: it gets its number now
            project.execute(RegisterSensors([(found.code, kind, unit)], project.readings.sensors()))
            return find_sensor(project, reference), False
        return found, False
    except PlannerError as error:
        if error.code != "tunnel.sensor_unknown":
            raise
    taken = [one.number for one in load_sensors(project)] + project.readings.sensors()
    wanted = int(reference) if reference.isdigit() and int(reference) not in taken else max(taken, default=0) + 1
    project.execute(AddSensor(wanted, reference, kind, unit or UNITS.get(kind, "")))
    return find_sensor(project, reference), True
