"""Units of readings and limits: one unit into another, limits in the sensor's, and files that state theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.domain.rule import Rule
from plugins.tunnel.model.monitoring.csv_readings import read_csv
from plugins.tunnel.model.monitoring.units import conversion, in_unit, unit_in, unit_of, unknown_unit_in


@pytest.mark.parametrize(
    ("kind", "unit", "other", "value", "becomes"),
    [
        ("temp", "℉", "℃", 104.0, 40.0), ("temp", "K", "°C", 273.15, 0.0), ("temp", "摄氏度", "℃", 7.0, 7.0),
        ("ch4", "%VOL", "%LEL", 1.0, 20.0), ("ch4", "%LEL", "ppm", 20.0, 10_000.0),
        ("co", "ppm", "mg/m³", 1.0, 1.1644), ("o2", "%vol", "%", 20.9, 20.9), ("level", "cm", "m", 50.0, 0.5),
        ("flow", "m³/h", "l/s", 3.6, 1.0),
    ],
)  # fmt: skip
def test_one_unit_into_another(kind: str, unit: str, other: str, value: float, becomes: float) -> None:
    way, back = conversion(kind, unit, other), conversion(kind, other, unit)
    assert way is not None
    assert back is not None
    assert value * way[0] + way[1] == pytest.approx(becomes, rel=1e-4, abs=1e-9)
    assert becomes * back[0] + back[1] == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "unit", "other"), [("ch4", "%", "%LEL"), ("temp", "m", "℃"), ("o2", "mA", "%"), ("temp", "%LEL", "%")]
)
def test_no_way(kind: str, unit: str, other: str) -> None:
    assert conversion(kind, unit, other) is None


def test_units_as_they_are_written() -> None:
    assert (unit_of(" MG/m³ "), unit_of("℃"), unit_of("banana"), unit_of("")) == ("mg/m3", "c", "", "")
    assert (unit_in("甲烷（%VOL）"), unit_in("T [℉]"), unit_in("值(备注)"), unit_in("值")) == ("%VOL", "℉", "", "")
    assert [unit_in(one) for one in ("CH4_ppm", "湿度 %", "CO mg/m³", "sensor_c", "ppm", "level_m")] == [
        "ppm", "%", "mg/m³", "", "", "",
    ]  # fmt: skip
    assert [unknown_unit_in(one) for one in ("CO（kg/m2）", "CO(mg/L)", "值(备注)", "CO[% rel]")] == [
        "kg/m2",
        "",
        "",
        "% rel",
    ]
    assert conversion("co", "mg/L", "mg/m³") == pytest.approx((1000.0, 0.0))
    # 1 % of methane is 16.04 g/mol ÷ 24.055 l/mol × 10 l/m³ = 6.668 g/m³ and 20 %LEL
    assert conversion("ch4", "mg/m³", "%LEL") == pytest.approx((20 / 6668.05, 0.0), rel=1e-5)


def test_limits_in_the_sensors_unit() -> None:
    rule = Rule(
        "a", "tunnel.limit", "t", "t", {"high": 40.0, "low": -5.0, "hysteresis": 1.0, "level": "alarm"}, unit="℃"
    )
    fitted = in_unit(rule, "temp", "℉")
    assert fitted is not None
    assert [round(fitted.params[one], 6) for one in ("high", "low", "hysteresis")] == [104.0, 23.0, 1.8]
    assert in_unit(rule, "temp", "m") is None
    assert in_unit(rule, "temp", "") is rule
    assert in_unit(Rule("a", "tunnel.flatline", "t", "t", {"hours": 2}), "temp", "mA") is not None


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object, code: int = 0) -> dict:
        assert run_verb([*(str(one) for one in arguments), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    call("new", tmp_path / "p.sqlite", "--crs", "EPSG:4549")
    return call


def test_files_of_other_units(run, tmp_path: Path) -> None:
    file, rows = tmp_path / "p.sqlite", "1,2026-03-01 00:00,0.9\n2,2026-03-01 24:00,1.0\n"
    (tmp_path / "a.csv").write_text("序号,采集时间,甲烷(%VOL)\n" + rows, "utf-8")
    (tmp_path / "b.csv").write_text("序号,采集时间,甲烷(ppm)\n3,20260303000000,12000\n", "utf-8")
    done = run("tunnel", "readings", file, tmp_path / "a.csv", "--sensor", "G1", "--kind", "ch4")
    assert (done["rows"], done["unit"], done["to"]) == (2, "%VOL", "2026-03-01T16:00:00+00:00")
    alarms = [one for one in run("tunnel", "alarms", file)["alarms"] if one["rule"].startswith("alarm.ch4")]
    assert [(one["rule"], one["value"], one["unit"]) for one in alarms] == [("alarm.ch4", 1.0, "%VOL")]  # 20 %LEL
    done = run("tunnel", "readings", file, tmp_path / "b.csv", "--sensor", "G1")
    assert "tunnel.unit_converted" in [one["code"] for one in done["warnings"]]
    (worst,) = (one["worst"] for one in run("tunnel", "alarms", file)["alarms"] if one["rule"] == "alarm.ch4")
    assert worst == pytest.approx(1.2)
    wrong = run("tunnel", "readings", file, tmp_path / "b.csv", "--sensor", "G1", "--unit", "mA", code=2)
    assert wrong["error"]["code"] == "tunnel.unit_other"
    run("tunnel", "readings", file, tmp_path / "b.csv", "--sensor", "X", "--kind", "ch4", "--unit", "mA")
    assert {one["code"] for one in run("tunnel", "alarms", file)["warnings"]} == {"tunnel.unit_unjudged"}
    assert run("tunnel", "readings", file, tmp_path / "a.csv", "--sensor", " ", code=2)["error"]["code"] == (
        "tunnel.sensor_unnamed"
    )


def test_files_with_no_head_doubles_and_skipped_hours(run, tmp_path: Path) -> None:
    file = tmp_path / "p.sqlite"
    (tmp_path / "n.csv").write_text("2026-03-01T00:00Z,1\n2026-03-01T00:00Z,1\n2026-03-01T00:00Z,2\n", "utf-8")
    done = run("tunnel", "readings", file, tmp_path / "n.csv", "--sensor", "S")
    assert (done["rows"], done["known"]) == (1, 2)
    assert [one["code"] for one in done["warnings"]] == [
        "tunnel.sensor_new",
        "tunnel.csv_headless",
        "tunnel.time_twice",
    ]
    (tmp_path / "d.csv").write_text("time,value\n2025-03-30 02:30,6\n", "utf-8")
    read = read_csv(tmp_path / "d.csv", local="Europe/Berlin")
    assert [code for code, _ in read.notes] == ["tunnel.time_skipped"]
    (tmp_path / "junk.csv").write_text("a,b\nx,y\n", "utf-8")
    assert run("tunnel", "readings", file, tmp_path / "junk.csv", "--sensor", "J")["rows"] == 0
    assert run("layers", file)["layers"][0]["features"] == 1  # nothing to keep: no sensor
