"""``planner new | layers | log | undo | redo | verify`` answer as the command line is specified, and in words."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import planner_app.project
from planner_app import cli
from planner_app.i18n import RESOURCES
from planner_app.project import EditCells, Project, commands
from tests.helpers.project_files import FIELDS, foreign, parcels


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = cli.run_verb([*arguments, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def test_a_project_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from planner_app.domain.layer import NewLayer, PlanInfo, PlanKind

    file = str(tmp_path / "city.planner")
    code, answer = _run(capsys, "new", file, "--crs", "EPSG:4549", "--name", "新城")
    assert (code, answer["file"], answer["crs"]) == (0, file, "EPSG:4549")
    code, answer = _run(capsys, "new", file, "--crs", "EPSG:4549")
    assert (code, answer["error"]["code"]) == (2, "project.exists")
    plan = PlanInfo("p", PlanKind.DETAILED, "控规")
    with Project.open(file, origin="desktop") as project:
        new = NewLayer("地块", "polygon", FIELDS, plan=plan, class_field="code")
        layer = project.add_layer(new, [parcels(10)])
        project.execute(EditCells(layer.id, [1, 2], "code", ["A", "B"]))
    code, answer = _run(capsys, "layers", file)
    (found,) = answer["layers"]
    assert code == 0
    assert found.items() >= {
        "layer": layer.id, "name": "地块", "features": 10, "geometry": "polygon", "class_field": "code",
        "extent": [500_000.0, 3_500_000.0, 500_190.0, 3_500_010.0],
    }.items()  # fmt: skip
    assert found["plan"] == {"kind": "detailed", "name": "控规"}
    code, answer = _run(capsys, "log", file, "--limit", "1")
    (entry,) = answer["entries"]
    assert entry.keys() >= {"id", "time", "user", "origin", "command", "rows"}
    assert (entry["origin"], entry["command"], entry["rows"]) == ("desktop", "edit_cells", 2)
    assert _run(capsys, "undo", file) == (0, {"undone": {"id": entry["id"], "command": "edit_cells"}})
    code, answer = _run(capsys, "redo", file)
    assert (code, answer["undone"]) == (0, {"id": entry["id"], "command": "edit_cells"})
    with foreign(Path(file)) as other:
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'QGIS' WHERE fid = 9")
    code, answer = _run(capsys, "log", file)
    assert answer["entries"][0]["command"] == "foreign_edit"
    assert _run(capsys, "undo", file, "--entry", str(answer["entries"][0]["id"]))[0] == 0
    code, answer = _run(capsys, "verify", file)
    assert (code, answer["ok"]) == (0, True)
    assert all(check["ok"] and check["name"] and check["detail"] for check in answer["checks"])
    with foreign(Path(file)) as other:
        other.execute(f'DELETE FROM "idx_{layer.id}_geom" WHERE pkid = 3')
    code, answer = _run(capsys, "verify", file)
    assert (code, answer["ok"]) == (1, False)


def test_nothing_to_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "city.planner")
    _run(capsys, "new", file, "--crs", "EPSG:4549")
    assert _run(capsys, "undo", file) == (0, {"undone": None})


def test_everything_coded_is_worded() -> None:
    """Each error, command, stage and check of the project file has its sentence in both languages."""
    messages = tomllib.loads((RESOURCES / "i18n" / "messages" / "project.toml").read_text(encoding="utf-8"))
    sources = [file.read_text(encoding="utf-8") for file in Path(planner_app.project.__file__).parent.glob("*.py")]
    coded = {code for text in sources for code in re.findall(r'PlannerError\(\s*"([a-z_.]+)"', text)}
    coded |= {code for text in sources for code in re.findall(r'"(stage\.[a-z_]+)"', text)}
    names = [getattr(commands, name).name for name in dir(commands) if isinstance(getattr(commands, name), type)
             and issubclass(getattr(commands, name), commands.Command)]  # fmt: skip
    coded |= {f"command.{name}" for name in [*names, "add_layer", "undo", "redo", "foreign_edit"] if name}
    assert len(coded) > 30
    crs = tomllib.loads((RESOURCES / "i18n" / "messages" / "crs.toml").read_text(encoding="utf-8"))
    assert coded <= messages.keys() | crs.keys()
    for code, entry in messages.items():
        assert entry["en"], code
        assert entry["zh"], code
        assert sorted(re.findall(r"{(\w+)}", entry["en"])) == sorted(re.findall(r"{(\w+)}", entry["zh"])), code
        assert ("en_hint" in entry) == ("zh_hint" in entry), code


def test_verify_judges_a_file_that_does_not_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "city.planner"
    assert _run(capsys, "new", str(file), "--crs", "EPSG:4549")[0] == 0
    file.write_bytes(file.read_bytes()[:40_000])
    code, answer = _run(capsys, "verify", str(file))
    assert (code, answer["ok"]) == (1, False)
    assert [check["name"] for check in answer["checks"] if not check["ok"]] == ["integrity"]
    code, answer = _run(capsys, "layers", str(file))
    assert (code, answer["error"]["code"]) == (2, "project.damaged")
