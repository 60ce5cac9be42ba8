"""Between broker and file: the journal, a file that cannot be written, alarms as rows, who took note of them."""

from __future__ import annotations

import json
import math
import time
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule
from planner_app.project import Command, Project, Transaction
from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm, WriteAlarms, kept_alarms
from plugins.tunnel.model.monitoring.collector import Collector
from plugins.tunnel.model.monitoring.engine import Alarm
from plugins.tunnel.model.monitoring.journal import Journal
from plugins.tunnel.model.monitoring.payloads import Sample, load_formats, read_payload
from plugins.tunnel.model.monitoring.sensors import RegisterSensors, load_sensors
from plugins.tunnel.model.monitoring.subscriber import Broker, Subscriber

MINUTE = 60_000
LIMIT = Rule("r", "tunnel.limit", "t", "t", params={"sensor_kind": "ch4", "high": 20.0}, standard="S", clause="1.2")
SILENT = Rule("m", "tunnel.missing", "t", "t", params={"sensor_kind": "ch4", "after_s": 600})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.sqlite"
    Project.create(path, "EPSG:4549").close()
    return path


def now() -> int:
    return round(time.time() * 1000)


def gas(ts: int, value: float, sensor: str = "G1") -> Sample:
    return Sample(sensor, ts, value, 0, "ch4")


def test_the_journal_keeps_what_it_said_it_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    assert journal.append([Sample("一号", 1, 2.5, 1, "ch4", "%LEL", False), Sample("b", 2, math.nan)])
    with pytest.raises(PlannerError, match="watch_running"):
        Journal(tmp_path / "j")
    journal.close()
    (segment,) = (tmp_path / "j").glob("*.jsonl")
    with segment.open("ab") as end:
        end.write(b'["c", 3, 1.')  # the power went
    journal = Journal(tmp_path / "j")
    assert journal.append([Sample("d", 4, 4.0)])
    found = journal.oldest()
    assert found is not None
    assert found[1][0] == Sample("一号", 1, 2.5, 1, "ch4", "%LEL", False)
    assert (found[1][1].sensor, math.isnan(found[1][1].value), len(found[1]), journal.torn) == ("b", True, 2, 1)
    journal.drop(found[0])
    found = journal.oldest()
    assert found is not None
    assert [one.sensor for one in found[1]] == ["d"]
    assert journal.append([Sample("e", 5, 5.0)])  # while the oldest is being stored
    journal.drop(found[0])
    assert [one.sensor for one in (journal.oldest() or ("", []))[1]] == ["e"]
    journal.close()


def test_a_full_journal_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", limit=150)
    assert journal.append([Sample("a", 1, 1.0)] * 3)
    before = journal.waiting()
    assert not journal.append([Sample("a", 1, 1.0)] * 3)
    assert journal.waiting() == before
    found = journal.oldest()
    assert found is not None
    assert len(found[1]) == 3
    journal.drop(found[0])
    assert journal.append([Sample("a", 1, 1.0)] * 3)
    journal.close()


def test_readings_come_into_their_sensors_unit(tmp_path: Path, file: Path) -> None:
    journal, raised = Journal(tmp_path / "j"), []
    with Project.open(file) as project:
        project.execute(RegisterSensors([("G1", "ch4", "%LEL")]))
        told: list[PlannerError] = []
        collector = Collector(project, [LIMIT], "", journal, raised.append, on_unit=told.append)
        at = now() - 10 * MINUTE
        units = ["%vol", "%LEL", "", "mA"]  # what is not known is taken as it is
        journal.append([Sample("G1", at + n * MINUTE, 1.5, 0, "ch4", unit) for n, unit in enumerate(units)])
        # What is no concentration at all is kept, but neither judged nor shown as one.
        journal.append([Sample("G1", at + n * MINUTE, 350.0, 0, "ch4", "K") for n in (5, 6)])
        assert collector.store()
        (sensor,) = load_sensors(project)
        while collector.store():
            pass
        series = project.readings.read(sensor.number)
        assert series.value.tolist() == [30.0, 1.5, 1.5, 1.5, 350.0, 350.0]
        assert series.quality.tolist() == [0, 0, 0, 0, 2, 2]
        assert [(one.value, one.cleared is None) for one in raised] == [(30.0, True), (30.0, False)]
        assert [(one.code, one.params["unit"]) for one in told] == [
            ("tunnel.payload_unit", "mA"),
            ("tunnel.payload_unit", "K"),
        ]
    journal.close()


def test_a_file_that_cannot_be_written_is_waited_for(tmp_path: Path, file: Path) -> None:
    journal = Journal(tmp_path / "j")
    with Project.open(file) as project:
        collector = Collector(project, [LIMIT], "", journal, lambda _: None)
        journal.append([gas(now() - MINUTE, 1.0), gas(now(), 25.0)])
        project._door.read_only = True
        for _ in range(2):
            with pytest.raises(PlannerError, match="read_only"):
                collector.store()
        project._door.read_only = False
        assert collector.store()
        assert not collector.store()
        assert (collector.tally.stored, collector.tally.sensors, collector.tally.raised) == (2, 1, 1)
        project._door.read_only = True
        with pytest.raises(PlannerError, match="read_only"):
            collector.keep_alarms()
        project._door.read_only = False
        collector.keep_alarms()
        assert [row.alarm.value for row in kept_alarms(project)] == [25.0]
    journal.close()


def test_what_comes_again_or_late_is_stored_once_and_not_judged(tmp_path: Path, file: Path) -> None:
    journal, begun = Journal(tmp_path / "j"), now() - 60 * MINUTE
    told: list[Alarm] = []
    with Project.open(file) as project:
        collector = Collector(project, [LIMIT], "", journal, told.append)
        for samples in (
            [gas(begun, 1.0), gas(begun + 2 * MINUTE, 1.0)],
            [gas(begun, 1.0), gas(begun + MINUTE, 99.0), gas(begun + 2 * MINUTE, 1.0)],
            [gas(now() + 3_600_000, 99.0)],
        ):
            journal.append(samples)
            assert collector.store()
        assert told == []
        assert (collector.tally.stored, collector.tally.known, collector.tally.late) == (4, 2, 2)
        assert project.readings.count() == 4
    journal.close()


def test_silence_is_an_alarm_and_a_restart_remembers_it(tmp_path: Path, file: Path) -> None:
    journal, begun = Journal(tmp_path / "j"), now() - 60 * MINUTE
    told: list[Alarm] = []

    def collector(project: Project, rules: list[Rule]) -> Collector:
        return Collector(project, rules, "", journal, told.append)

    with Project.open(file) as project:
        first = collector(project, [SILENT])
        journal.append([gas(begun + n * MINUTE, 1.0) for n in range(10)])
        assert first.store()
        first.silence(begun + 12 * MINUTE)
        assert told == []
        first.silence(now())
        first.keep_alarms()
        assert [(one.rule, one.raised - begun) for one in told] == [("m", 19 * MINUTE)]
    with Project.open(file) as project:
        again = collector(project, [SILENT])
        again.silence(now())
        again.keep_alarms()
        assert len(told) == 1
        assert again.standing == 1
        back = now()
        journal.append([gas(back, 1.0)])
        assert again.store()
        again.keep_alarms()
        (row,) = kept_alarms(project)
        assert (row.alarm.raised, row.alarm.cleared) == (begun + 19 * MINUTE, back)
    journal.close()


def test_an_alarm_from_long_ago_goes_on_and_one_without_its_rule_ends(tmp_path: Path, file: Path) -> None:
    journal, day = Journal(tmp_path / "j"), 24 * 60 * MINUTE
    old = now() - 9 * day
    with Project.open(file) as project:
        project.execute(RegisterSensors([("G1", "ch4", "")]))
        project.readings.add(1, [old, now() - 2 * MINUTE], [25.0, 26.0])
        alarm = Alarm(1, "G1", "r", "alarm", old, None, 25.0, 25.0)
        project.execute(WriteAlarms([alarm, Alarm(1, "G1", "gone", "alarm", old, None, 1.0, 1.0)]))
        one = Collector(project, [LIMIT], "", journal, lambda _: None)
        one.keep_alarms(all_of_them=True)
        assert [(row.alarm.rule, row.alarm.cleared is None, row.alarm.worst) for row in kept_alarms(project)] == [
            ("r", True, 26.0), ("gone", False, 1.0),
        ]  # fmt: skip
        end = now() - MINUTE
        journal.append([gas(end, 3.0)])
        assert one.store()
        one.keep_alarms()
        assert [row.alarm.cleared for row in kept_alarms(project) if row.alarm.rule == "r"] == [end]
    journal.close()


def test_calibrations_due_are_rows_until_they_are_done(tmp_path: Path, file: Path) -> None:
    journal = Journal(tmp_path / "j")
    rules = [Rule("c", "tunnel.calibration", "t", "t", params={"sensor_kind": "", "level": "fault"})]

    class Due(Command):
        def __init__(self, day: date) -> None:
            self.day = day

        def apply(self, tx: Transaction) -> None:
            tx.update("sensor", [1], {"due": [self.day]})

    with Project.open(file) as project:
        project.execute(RegisterSensors([("G1", "ch4", "")]))
        project.execute(Due(date(2024, 6, 1)))
        for _ in range(2):
            Collector(project, rules, "", journal, lambda _: None).keep_calibration()
            assert [row.alarm.cleared for row in kept_alarms(project)] == [None]
        project.execute(Due(date(2099, 1, 1)))
        Collector(project, rules, "", journal, lambda _: None).keep_calibration()
        assert [row.alarm.cleared is None for row in kept_alarms(project)] == [False]
    journal.close()


def test_taking_note_of_an_alarm(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = 1_727_712_000_000

    def alarms() -> list[dict]:
        assert run_verb(["tunnel", "alarms", str(file), "--json"]) == 0
        return json.loads(capsys.readouterr().out)["alarms"]

    with Project.open(file) as project:
        project.execute(RegisterSensors([("G1", "ch4", "")]))
        project.readings.add(1, [begun + n * MINUTE for n in range(30)], [5.0] * 10 + [22.0] * 20)
    (alarm,) = alarms()
    assert alarm["acknowledged_by"] is None
    judged = Alarm(1, "G1", alarm["rule"], "alarm", begun + 10 * MINUTE, None, 22.0, 22.0, "%LEL", "S", "7.5.8")
    with Project.open(file) as project:
        with pytest.raises(PlannerError, match="alarm_nobody"):
            project.execute(AcknowledgeAlarm(judged, " ", "2024-10-01T01:00:00Z"))
        project.execute(AcknowledgeAlarm(judged, "李工", "2024-10-01T01:00:00Z", "已通风"))
        with pytest.raises(PlannerError, match="alarm_acknowledged"):
            project.execute(AcknowledgeAlarm(judged, "王工", "2024-10-01T02:00:00Z"))
        project.execute(WriteAlarms([judged]))  # the machine goes on
        assert len(kept_alarms(project)) == 1
    (noted,) = alarms()
    assert (noted["acknowledged_by"], noted["remark"], noted["clause"]) == ("李工", "已通风", "7.5.8")
    assert run_verb(["tunnel", "alarms", str(file), "--at", "2024-10-01T00:00:00+08:00", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alarms"] == []


def test_the_verb_that_takes_note(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = 1_727_712_000_000

    def call(*options: str) -> tuple[int, dict]:
        code = run_verb(
            [
                "tunnel",
                "acknowledge",
                str(file),
                "--sensor",
                "G1",
                "--by",
                "李工",
                "--rule",
                "alarm.ch4",
                *options,
                "--json",
            ]
        )
        return code, json.loads(capsys.readouterr().out)

    with Project.open(file) as project:
        project.execute(RegisterSensors([("G1", "ch4", "")]))
        values = [5.0] * 10 + [22.0] * 20 + [5.0] * 20 + [22.0] * 5
        project.readings.add(1, [begun + n * MINUTE for n in range(len(values))], values)
    code, done = call("--remark", "已通风")
    assert code == 0
    assert [one["raised"] for one in done["acknowledged"]] == ["2024-09-30T16:50:00+00:00"]  # the one that stands
    code, done = call("--at", "2024-09-30T16:15:00+00:00")
    assert [one["raised"] for one in done["acknowledged"]] == ["2024-09-30T16:10:00+00:00"]
    code, done = call()
    assert (code, done["error"]["code"]) == (2, "tunnel.alarm_none")
    with Project.open(file) as project:
        assert [(row.ack_by, row.ack_remark) for row in kept_alarms(project)] == [("李工", "已通风"), ("李工", "")]
        project.undo()
        assert len(kept_alarms(project)) == 1


def test_a_plain_number_sent_again_is_one_reading(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    broker = Broker("127.0.0.1", 1, ("#",), "c")
    one = Subscriber(broker, journal, load_formats(), ZoneInfo("Asia/Shanghai"), lambda _: None)
    for mid, dup in ((1, False), (1, True), (2, False), (3, True)):
        one._on_message(None, None, SimpleNamespace(mid=mid, dup=dup, qos=1, topic="tunnel/A", payload=b"3.5"))
    assert [len(message.samples) for message in one._held] == [1, 0, 1, 1]  # all acknowledged, three kept
    assert one.counts.again == 1
    journal.close()


def test_sensors_keep_their_number(file: Path) -> None:
    with Project.open(file) as project:
        project.readings.add(7, [0], [1.0])
        project.execute(RegisterSensors([("A", "", ""), ("12", "o2", "")], project.readings.sensors()))
        project.execute(RegisterSensors([("A", "", ""), ("B", "ch4", "")]))
        assert {one.code: (one.number, one.unit) for one in load_sensors(project)} == {
            "A": (8, ""), "12": (12, "%"), "B": (13, "%LEL"),
        }  # fmt: skip


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b"[[[[[[[[[[1]]]]]]]]]]", b"null", b"true", b"on", b"[" * 100_000]
)
def test_nonsense_is_named_not_kept(payload: bytes) -> None:
    samples, wrong = read_payload("tunnel/A", payload, load_formats(), ZoneInfo("Asia/Shanghai"), 1)
    assert samples == [] or all(math.isnan(one.value) for one in samples)
    assert len(samples) + len(wrong) >= 1


@pytest.mark.parametrize(
    "body",
    [
        '{"sensor":"A","value":1,"ts":1727712000,"kind":"\\ud800","unit":{}}',
        '{"sensor":"\\ud800","value":1}',
        '{"sensor":"A","value":1,"ts":' + "9" * 400 + "}",
        '{"sensor":"A","value":1,"ts":"0001-01-01T00:00:00"}',
        '{"sensor":"A","value":1e999}',
        '{"sensor":"A","value":{"a":[1]}}',
        '{"sensor":["A"],"value":-0.0,"ts":1727712000,"quality":null}',
        '{"sensor":"A","value":' + "9" * 5000 + "}",
    ],
)
def test_hostile_messages_end_as_a_reading_or_a_named_failure(tmp_path: Path, body: str) -> None:
    journal = Journal(tmp_path / "j")
    samples, wrong = read_payload("t/A", body.encode(), load_formats(), ZoneInfo("Asia/Shanghai"), 1_727_712_000_000)
    assert len(samples) + len(wrong) == 1
    assert journal.append(samples)
    found = journal.oldest()
    assert samples == (found[1] if found else [])
    journal.close()


def test_formats_that_cannot_be_used(tmp_path: Path) -> None:
    for text in ("[[format]]\nid = 'x'", "x = ", "[[format]]\nid='x'\nkind='text'\npattern='(a'", "[[format]]\nid='x'\nkind='y'"):  # noqa: E501  # fmt: skip
        path = tmp_path / "f.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PlannerError, match="formats_wrong"):
            load_formats(path)
