"""Every text of the review's window parts stands in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from babel.messages.pofile import read_po

from planner_app.i18n import RESOURCES
from plugins.review.ui import ACTIONS

PLUGIN = Path(__file__).resolve().parents[3] / "plugins" / "review"
PANEL = PLUGIN / "i18n" / "zh_CN" / "LC_MESSAGES" / "panel.po"


def read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file) if one.id and one.string}


def texts() -> set[str]:
    """Message ids of the panel and its dialogs: literals of ``tr`` and titles of menu entries, actions and panel."""
    found = {title for _, title, _ in ACTIONS} | {"Review", "Drawing review"}
    for file in (PLUGIN / "ui").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                place = {"tr": 0, "Entry": 1}.get(node.func.id)
                literal = node.args[place] if place is not None else None
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    found.add(literal.value)
    return found


def test_every_text_is_translated_and_none_is_left_over() -> None:
    folders = (RESOURCES / "i18n", PLUGIN / "i18n", PLUGIN.parent / "planning" / "i18n")
    known: dict[str, str] = {}
    for folder in folders:
        for path in (folder / "zh_CN" / "LC_MESSAGES").glob("*.po"):
            known.update(read(path))
    wanted = texts()
    assert len(wanted) > 300
    assert sorted(wanted - known.keys()) == []
    assert sorted(read(PANEL).keys() - wanted) == []


def test_translations_keep_their_placeholders_and_are_chinese() -> None:
    for text, chinese in read(PANEL).items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", chinese)), text
        assert re.search(r"[一-鿿]", chinese) or not re.search(r"[a-z]{3}", chinese), text
