"""The command line's manners: one JSON object, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from planner_app import cli
from planner_app.__main__ import main
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.plugin_api.model import Verb, VerbResult


def _with_verb(monkeypatch: pytest.MonkeyPatch, run) -> None:
    monkeypatch.setattr(cli, "core_verbs", lambda: [Verb("try", "a verb of this test", lambda parser: None, run)])


def test_a_verbs_answer_is_one_json_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(context, arguments):
        print("a library prints this")
        return VerbResult({"名称": "滨海", "value": 0.1 + 0.2}, exit_code=1)

    _with_verb(monkeypatch, run)
    assert cli.run_verb(["try", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"名称": "滨海", "value": 0.1 + 0.2}
    assert "a library prints this" in err


def test_bad_input_is_a_sentence_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(context, arguments):
        raise PlannerError("plugin.verb_taken", plugin="P", verb="v")

    _with_verb(monkeypatch, run)
    assert cli.run_verb(["try", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "plugin.verb_taken"
    assert "“P”" in error["message"]
    assert error["hint"]


def test_an_internal_error_is_told_without_a_traceback_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def run(context, arguments):
        raise ZeroDivisionError("oops")

    _with_verb(monkeypatch, run)
    with caplog.at_level(logging.CRITICAL):
        assert cli.run_verb(["try", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"


def test_an_early_interrupt_is_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl+C while the program is still loading, before a verb could be asked to stop."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "core_verbs", interrupted)
    monkeypatch.setattr(sys, "argv", ["planner", "layers", "a.planner", "--json"])
    assert main() == 130
    assert capsys.readouterr() == ("", "")


def test_cancelling_is_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(context, arguments):
        raise Cancelled

    _with_verb(monkeypatch, run)
    assert cli.run_verb(["try", "--json"]) == cli.INTERRUPTED
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["--json"], ["no-such-verb", "--json"], ["layers", "--json"]])
def test_wrong_usage_is_bad_input(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_verb(arguments) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "cli.usage"


def test_a_missing_project_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_verb(["layers", str(tmp_path / "nowhere.sqlite"), "--json"]) == 2
    assert "nowhere.sqlite" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_readable_output_of_lists() -> None:
    rows = [{"id": 1, "fixes": ["clear", "discard"], "params": {"a": 1}}, {"id": 2, "fixes": [], "params": {}}]
    lines = list(cli.readable({"rows": rows, "none": [], "applied": ["a", "b"]}))
    assert lines == ["rows: 2", "  id  fixes", "  1   clear, discard", "  2", "none: 0", "applied: a, b"]


def test_readable_output_lines_up_chinese() -> None:
    lines = list(cli.readable({"rows": [{"名称": "总体规划", "m2": 1.5}, {"名称": "b", "m2": 20.0}]}))
    assert lines[1].index("m2") < lines[2].index("1.5") + 4
    assert lines[0] == "rows: 2"


def test_wrong_usage_does_not_quote_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    for dsn in (["host=a", "password=geheim", "user=b"], ["host=a", "x", "postgresql://b:geheim@a/c"]):
        assert cli.run_verb(["server", "status", *dsn, "--json"]) == 2
        said = capsys.readouterr()
        assert "geheim" not in said.out + said.err
        assert "unrecognized" in said.out
