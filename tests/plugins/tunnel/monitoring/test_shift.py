"""The shift log and its hand-over: through the verb as a person would, on paper, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from plugins.tunnel.model.monitoring import shift
from plugins.tunnel.model.monitoring.standing import Monitor
from tests.plugins.tunnel.monitoring.plants import alarm_rules


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    code = run_verb(["tunnel", "shift", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_shift_from_the_first_line_to_the_printed_hand_over(
    gas: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(gas.path)
    orders = (FieldInfo("number", "text"), FieldInfo("title", "text"), FieldInfo("status", "text"))
    columns = {"number": ["GD-0001", "GD-0002"], "title": ["更换传感器", "清理集水坑"], "status": ["open", "closed"]}
    gas.add_layer(NewLayer("工单", "none", orders, role="tunnel.work_order"), [Batch([], columns)])
    gas.close()
    assert run(capsys, path)[1] == {"entries": [], "handovers": []}
    code, data = run(capsys, path, "--add", "燃气舱浓度上升，已通知燃气公司", "--by", "王工", "--sensor", "CH4-1")
    assert code == 0
    (entry,) = data["entries"]
    assert (entry["author"], entry["sensor"], entry["rule"]) == ("王工", "CH4-1", "alarm.ch4_cutoff")
    assert entry["raised"].startswith("2024-10-01T")
    docx, pdf = tmp_path / "jb.docx", tmp_path / "jb.pdf"
    code, data = run(
        capsys, path, "--by", "王工", "--hand-over", "李工", "--remark", "注意 2 号风机", "--out", str(docx)
    )
    assert code == 0
    (record,) = data["handovers"]
    assert (record["number"], record["since"], record["giver"], record["taker"]) == ("JB-0001", "", "王工", "李工")
    assert [one["sensor"] for one in record["alarms"]] == ["CH4-1"] * 3
    assert record["alarms"][0]["clause"] == "GB 50838-2015 7.5.8"
    assert [one["number"] for one in record["orders"]] == ["GD-0001"]
    assert record["figures"]["silent"] == 1
    run(capsys, path, "--add", "一切正常", "--by", "李工")
    code, data = run(capsys, path, "--by", "李工", "--hand-over", "赵工", "--out", str(pdf))
    assert [one["number"] for one in data["handovers"]] == ["JB-0001", "JB-0002"]
    assert data["handovers"][1]["since"] == data["handovers"][0]["at"]
    assert docx.stat().st_size > 5000
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    assert "JB-0002" in text
    assert "一切正常" in text
    assert "已通知燃气公司" not in text  # that was the shift before


def test_what_the_log_refuses(gas: Project, capsys: pytest.CaptureFixture[str]) -> None:
    overview = Monitor(gas, alarm_rules()).look()
    for command, code in (
        (shift.AddEntry(shift.entry_of(" ", "text")), "tunnel.shift_nobody"),
        (shift.AddEntry(shift.entry_of("王工", " ")), "tunnel.shift_empty"),
        (shift.HandOverShift(shift.handover_of(gas, overview, "王工", "")), "tunnel.shift_nobody"),
        (shift.HandOverShift(shift.handover_of(gas, overview, "王工", "王工 ")), "tunnel.shift_same"),
    ):
        with pytest.raises(PlannerError) as failed:
            gas.execute(command)
        assert failed.value.code == code
    assert shift.read_entries(gas) == []
    gas.execute(shift.AddEntry(shift.entry_of("王工", "巡视")))
    gas.undo()
    assert shift.read_entries(gas) == []
    path = str(gas.path)
    assert (
        run(capsys, path, "--add", "x", "--by", "王工", "--sensor", "CH4-2")[1]["error"]["code"]
        == "tunnel.shift_no_alarm"
    )
    assert run(capsys, path, "--out", "x.pdf")[1]["error"]["code"] == "tunnel.handover_unknown"
