"""Sensors of a layer that somebody made by hand: no numbers, kinds in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from planner_app.cli import run_verb
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from plugins.tunnel.model.monitoring.sensors import find_sensor, kind_of, load_sensors


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CH4", "ch4"),
        (" 甲烷 ", "ch4"),
        ("氧气含量", "o2"),
        ("一氧化碳", "co"),
        ("二氧化碳", "co2"),
        ("odd", "odd"),
        ("", ""),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_readings_go_to_the_row_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.sqlite"

    def run(*arguments: object) -> dict:
        assert run_verb([*(str(one) for one in arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    run("new", file, "--crs", "EPSG:4549")
    fields = tuple(FieldInfo(name, "text") for name in ("code", "kind", "tunnel"))
    columns = {"code": ["G1", "G2", None], "kind": ["甲烷", "CH4", "o2"], "tunnel": ["T", "T", "T"]}
    with Project.open(file) as project:
        project.add_layer(
            NewLayer("sensor", "point", fields), [Batch([bytes(shapely.to_wkb(shapely.Point(1, 2)))] * 3, columns)]
        )
        assert (load_sensors(project), find_sensor(project, "G1").number) == ([], -1)
    (tmp_path / "r.csv").write_text("time,value\n2026-03-01T00:00:00Z,30\n2026-03-01T00:01:00Z,31\n", "utf-8")
    done = run("tunnel", "readings", file, tmp_path / "r.csv", "--sensor", "G2")
    assert (done["rows"], done["warnings"]) == (2, [])
    with Project.open(file) as project:
        assert [(one.code, one.kind, one.unit, one.tunnel) for one in load_sensors(project)] == [
            ("G2", "ch4", "%LEL", "T")
        ]
        assert project.count("sensor") == 3
    assert {one["rule"] for one in run("tunnel", "alarms", file)["alarms"]} == {"alarm.ch4", "alarm.ch4_cutoff"}
    assert run("tunnel", "alarms", file, "--sensor", "G1")["alarms"] == []
