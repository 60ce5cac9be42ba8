from __future__ import annotations

import ast
from pathlib import Path

from babel.messages.pofile import read_po

from planner_app.i18n import RESOURCES

UI = Path(__file__).resolve().parents[3] / "planner_app" / "ui"


def message_ids() -> set[str]:
    """English texts of the canvas and its tools."""
    found = set()
    for file in (*(UI / "canvas").glob("*.py"), *(UI / "tools").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                assert isinstance(node.args[0], ast.Constant), f"{file.name}:{node.lineno}: text is not a constant"
                found.add(node.args[0].value)
    return found


def test_every_text_has_its_chinese_with_the_same_values() -> None:
    with (RESOURCES / "i18n" / "zh_CN" / "LC_MESSAGES" / "canvas.po").open("rb") as file:
        chinese = {str(m.id): str(m.string) for m in read_po(file, locale="zh_CN") if m.id}
    assert set(chinese) == message_ids()
    for english, translated in chinese.items():
        assert translated, english
        names = [part.split("}")[0] for part in english.split("{")[1:]]
        assert sorted(names) == sorted(part.split("}")[0] for part in translated.split("{")[1:]), english
