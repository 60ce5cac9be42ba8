"""Readings from CSV: real series with a change of summer time, many time formats, and every row that cannot be used."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.tunnel.model.monitoring.csv_readings import read_csv, zone
from tests.plugins.tunnel.monitoring.plants import add_sensors


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "readings.csv"
    path.write_bytes(text.encode(encoding))
    return path


def utc(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_heads_separators_encodings_and_formats(tmp_path: Path) -> None:
    for text, encoding in (
        ("采集时间,监测值\n2024/10/1 8:00,20.5\n2024-10-01 08:15:00,20.6\n", "gb18030"),
        ("Value;Time\n20,5;01.10.2024 08:00\n20,6;01.10.2024 08:15\n", "utf-8"),
        ("timestamp\tvalue\n1727740800\t20.5\n1727741700000\t20.6\n", "utf-8-sig"),
        ("t,v\n2024-10-01T00:00:00Z,20.5\n2024-10-01T09:15:00+09:00,20.6\n", "utf-8"),
    ):
        read = read_csv(write(tmp_path, text, encoding))
        assert [utc(ts) for ts in read.ts] == ["2024-10-01 00:00:00", "2024-10-01 00:15:00"], text
        assert read.value == [20.5, 20.6]
        assert read.rejected == []


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    rows = "time,value,quality\n2024-10-01 08:00,1,0\nyesterday,2,0\n2024-10-01 08:10,abc,0\n"
    rows += "1970-01-01 00:00,3,0\n2024-10-01 08:20\n"
    read = read_csv(write(tmp_path, rows + "2024-10-01 08:30,NaN,2\n2024-10-01 08:05,4,1\n"))
    assert [(row, note[0]) for row, note in read.rejected] == [
        (3, "tunnel.time_wrong"),
        (4, "tunnel.value_wrong"),
        (5, "tunnel.clock_lost"),
        (6, "tunnel.row_short"),
    ]
    assert read.quality == [0, 2, 1]
    assert math.isnan(read.value[1])
    assert {note[0] for note in read.notes} == {"tunnel.values_missing", "tunnel.clock_back"}


def test_the_hour_that_comes_twice(tmp_path: Path) -> None:
    """Berlin, 2022-10-30: 02:00 to 03:00 happens twice; in the file's order the second one is an hour later."""
    times = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "time,value\n" + "".join(f"2022-10-30 {time},{n}\n" for n, time in enumerate(times))
    read = read_csv(write(tmp_path, text), local="Europe/Berlin")
    steps = [(b - a) // 60_000 for a, b in zip(read.ts, read.ts[1:], strict=False)]
    assert steps == [30, 30, 30, 30, 30]


def test_wrong_columns_and_zones(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n2024-10-01 08:00,1\n")
    assert len(read_csv(path).ts) == 1  # the first two columns
    with pytest.raises(PlannerError, match="csv_columns"):
        read_csv(path, value="pressure")
    with pytest.raises(PlannerError, match="zone_unknown"):
        read_csv(path, local="Mars/Olympus")
    with pytest.raises(PlannerError, match="csv_columns"):
        read_csv(write(tmp_path, ""))


@pytest.mark.data
def test_a_real_series_across_summer_time(data_dir: Path) -> None:
    read = read_csv(data_dir / "series" / "river_water_flow_hourly.csv")
    assert len(read.ts) == 1268
    assert read.rejected == []
    steps = {b - a for a, b in zip(read.ts, read.ts[1:], strict=False)}
    assert min(steps) == 3_600_000  # the clock change makes neither a gap nor a second reading
    assert utc(read.ts[0]) == "2022-03-20 10:00:00"


def test_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*arguments: object, code: int = 0) -> dict:
        assert run_verb([*[str(one) for one in arguments], "--json"]) == code
        return json.loads(capsys.readouterr().out)

    project = tmp_path / "p.sqlite"
    call("new", project, "--crs", "EPSG:4549")
    rows = "".join(f"2024-10-01 {8 + n // 60:02d}:{n % 60:02d},{5 if n < 20 or n > 40 else 26}\n" for n in range(60))
    path = write(tmp_path, "time,value\n" + rows + "later,7\n")
    done = call("tunnel", "readings", project, path, "--sensor", "GAS-1", "--kind", "ch4")
    assert (done["rows"], done["from"], done["to"]) == (60, "2024-10-01T00:00:00+00:00", "2024-10-01T00:59:00+00:00")
    assert [row["row"] for row in done["rejected"]] == [62]
    assert call("tunnel", "readings", project, path, "--sensor", "GAS-1")["rows"] == 0
    alarms = [one for one in call("tunnel", "alarms", project)["alarms"] if one["level"] == "alarm"]
    assert {alarm["rule"] for alarm in alarms} == {"alarm.ch4", "alarm.ch4_cutoff"}
    assert {(alarm["clause"], alarm["unit"], alarm["value"]) for alarm in alarms} == {("7.5.8", "%LEL", 26)}
    assert call("tunnel", "alarms", project, "--at", "2024-10-01T07:00:00+08:00")["alarms"] == []
    assert len(call("tunnel", "alarms", project, "--at", "2024-10-01T08:30:00+08:00")["alarms"]) == 2
    assert call("tunnel", "alarms", project, "--at", "noon", code=2)["error"]["code"] == "tunnel.moment_wrong"
    assert call("tunnel", "alarms", project, "--sensor", "X", code=2)["error"]["code"] == "tunnel.sensor_unknown"


def test_times_without_a_zone_are_of_one_zone_and_neighbours_are_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What ``--at`` says is read as the file's times are; one sensor alone is judged as it is among all."""

    def call(*arguments: object, code: int = 0) -> dict:
        assert run_verb([*[str(one) for one in arguments], "--json"]) == code
        return json.loads(capsys.readouterr().out)

    file = tmp_path / "p.sqlite"
    with Project.create(file, "EPSG:4549") as project:
        add_sensors(project, *((n, f"T{n}", "temp", 100.0 * n, "") for n in (1, 2, 3)))
    for number, value in ((1, 20.0), (2, 20.5), (3, 30.0)):
        rows = "".join(f"2024-10-01 {n // 6:02d}:{n % 6}0,{value + n % 2 / 10}\n" for n in range(24))
        call("tunnel", "readings", file, write(tmp_path, "time,value\n" + rows), "--sensor", f"T{number}")
    odd = call("tunnel", "alarms", file, "--sensor", "T3")["alarms"]
    assert [(one["sensor"], one["rule"]) for one in odd] == [("T3", "alarm.neighbours")]
    assert odd == [one for one in call("tunnel", "alarms", file)["alarms"] if one["sensor"] == "T3"]
    raised = datetime.fromisoformat(odd[0]["raised"]).astimezone(zone("Asia/Shanghai")).replace(tzinfo=None)
    before = raised - timedelta(seconds=1)
    assert call("tunnel", "alarms", file, "--at", raised.isoformat())["alarms"] == odd
    assert call("tunnel", "alarms", file, "--at", before.isoformat())["alarms"] == []
    assert call("tunnel", "alarms", file, "--at", before.isoformat(), "--zone", "+07:00")["alarms"] == odd
    bad = call("tunnel", "alarms", file, "--zone", "Mars", code=2)
    assert bad["error"]["code"] == "tunnel.zone_unknown"


def test_a_unit_that_is_not_known_is_told(tmp_path: Path) -> None:
    read = read_csv(write(tmp_path, "时间,浓度(mg/cm2)\n2024-10-01 08:00,1\n"))
    assert read.unit == ""
    assert read.notes == [("tunnel.unit_unread", {"unit": "mg/cm2", "column": "浓度(mg/cm2)"})]


def test_a_clock_that_is_ahead_is_told(tmp_path: Path) -> None:
    read = read_csv(write(tmp_path, "time,value\n2024-10-01 08:00,1\n2099-10-01 08:00,2\n2024-10-01 08:01,3\n"))
    assert (read.value, read.quality) == ([1.0, 2.0, 3.0], [0, 1, 0])
    assert [code for code, _ in read.notes] == ["tunnel.clock_back", "tunnel.clock_ahead"]
