"""Every sentence about the city server: once, in both languages, with nothing left to fill in."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.i18n import RESOURCES, set_language, word
from planner_app.sync.client.session import StateKind, SyncState

ROOT = RESOURCES.parent
FILES = sorted((RESOURCES / "i18n" / "messages").glob("sync*.toml"))
MESSAGES = {code: entry for file in FILES for code, entry in tomllib.loads(file.read_text("utf-8")).items()}
SOURCES = [
    path for folder in ("sync", "cli_verbs", "ui/sync") for path in (ROOT / "planner_app" / folder).rglob("*.py")
]


def raised() -> Iterator[tuple[str, set[str], str]]:
    """(code, names of the values given with it, where) of every error that is made with a literal code."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name not in ("PlannerError", "_Wrong", "_warning") or any(one.arg is None for one in node.keywords):
                continue
            given = {one.arg for one in node.keywords if one.arg}
            first = node.args[0]
            for one in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                code = one.value if isinstance(one, ast.Constant) else None
                if isinstance(code, str) and code.startswith("sync."):
                    yield code, given, f"{path.name}:{node.lineno}"


RAISED = list(raised())


def needed(code: str) -> set[str]:
    return {name for text in MESSAGES[code].values() for name in re.findall(r"{(\w+)}", text)}


def test_there_are_enough_to_look_at() -> None:
    assert len({code for code, _, _ in RAISED}) > 50


@pytest.mark.parametrize(("code", "given", "where"), RAISED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_raised_has_a_sentence_and_its_values(code: str, given: set[str], where: str) -> None:
    assert code in MESSAGES, where
    # A record held back is told with its layer's name.
    assert needed(code) <= given | {"layer"} | ({"reason"} if code.startswith("sync.refused") else set()), where


@pytest.mark.parametrize("code", MESSAGES)
def test_sentences_are_whole(code: str) -> None:
    entry = MESSAGES[code]
    assert set(entry) in ({"en", "zh"}, {"en", "zh", "en_hint", "zh_hint"})
    for of in ("", "_hint"):
        both = [set(re.findall(r"{(\w+)}", entry.get(language + of, ""))) for language in ("en", "zh")]
        assert both[0] == both[1]
    assert not re.search(r"[\u4e00-\u9fff]", entry["en"] + entry.get("en_hint", ""))
    assert re.search(r"[\u4e00-\u9fff]", entry["zh"])


def test_every_code_stands_once() -> None:
    files = (RESOURCES / "i18n" / "messages").glob("*.toml")
    codes = Counter(code for file in files for code in re.findall(r'^\["([^"]+)"\]', file.read_text("utf-8"), re.M))
    assert [code for code, count in codes.items() if count > 1] == []


def test_what_the_server_answers_has_a_sentence() -> None:
    """Codes that only its SQL names."""
    folder = Path(str(ROOT / "planner_app" / "sync" / "server" / "sql"))
    text = "".join(path.read_text("utf-8") for path in folder.rglob("*.sql"))
    codes = set(re.findall(r"'(sync\.[a-z_]+)'", text))
    assert len(codes) > 15
    assert codes - MESSAGES.keys() == set()
    for line in text.splitlines():
        if found := re.search(r"'error', '(sync\.[a-z_]+)'", line):
            assert needed(found[1]) <= {"server", "name", *re.findall(r"'([a-z]+)', ", line)}, line


def test_every_state_has_a_sentence() -> None:
    fields = set(SyncState.__dataclass_fields__)
    for kind in StateKind.__args__:  # type: ignore[attr-defined]
        assert needed(f"sync.state_{kind}") <= fields


@pytest.mark.parametrize(
    ("code", "params", "chinese", "english"),
    [
        ("sync.refused_geometry", {"reason": "not_finite"}, "坐标", "coordinate"),
        ("sync.refused_definition", {"reason": "exists"}, "已有", "has a layer"),
        ("sync.refused_definition", {"reason": "definition:42P07"}, "42P07", "42P07"),
        ("sync.wrong_value", {"field": "层数", "type": "integer", "value": "x"}, "整数", "whole number"),
        ("sync.refused_value", {"reason": "fields"}, "fields", "fields"),  # a field's own name
    ],
)
def test_reasons_are_worded(code: str, params: dict[str, str], chinese: str, english: str) -> None:
    for language, wanted in (("zh_CN", chinese), ("en", english)):
        set_language(language)
        assert wanted in word(code, params)


def test_every_reason_that_the_server_gives_is_worded() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "planner_app/sync/server/sql/code").glob("*.sql"))
    fault = text[text.index("FUNCTION planner_inner.geometry_fault") :].split("$$")[1]
    reasons = {f"sync.refused_geometry.{one}" for one in re.findall(r"THEN '(\w+)'", fault) if one != "Z"}
    for name in ("layer_fault", "fields_fault"):
        body = text[text.index(f"FUNCTION planner_inner.{name}") :].split("$$")[1]
        reasons |= {f"sync.refused_definition.{one}" for one in re.findall(r"THEN '(\w+)'", body)}
    assert len(reasons) > 7
    assert reasons - MESSAGES.keys() <= {"sync.refused_geometry.", "sync.refused_geometry.M"}
