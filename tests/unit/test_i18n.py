"""Every coded message has both languages and only names values that exist in both; every text of the UI has Chinese."""

from __future__ import annotations

import ast
import string
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from planner_app import i18n
from planner_app.domain.errors import PlannerError

ROOT = Path(__file__).resolve().parents[2]
MESSAGE_FILES = sorted((ROOT / "resources/i18n/messages").glob("*.toml")) + sorted(
    (ROOT / "plugins").glob("*/i18n/messages/*.toml")
)
SOURCES = sorted((ROOT / "planner_app").rglob("*.py")) + sorted((ROOT / "plugins").rglob("*.py"))


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("file", MESSAGE_FILES, ids=lambda file: file.stem)
def test_messages_are_complete_in_both_languages(file: Path) -> None:
    for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
        assert entry.get("en"), f"{code} has no English"
        assert entry.get("zh"), f"{code} has no Chinese"
        assert bool(entry.get("en_hint")) == bool(entry.get("zh_hint")), f"{code}: the hint stands in one language only"
        assert _names(entry["en"]) == _names(entry["zh"]), f"{code}: the sentences name different values"


def test_every_error_raised_in_the_code_is_worded() -> None:
    known = set().union(*(tomllib.loads(file.read_text(encoding="utf-8")) for file in MESSAGE_FILES))
    missing = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "PlannerError"
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and node.args[0].value not in known
            ):
                missing.append(f"{source.relative_to(ROOT)}:{node.lineno} {node.args[0].value}")
    assert missing == []


def _owner(path: Path) -> str:
    """The plugin a file belongs to, "" for the application."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "plugins" else ""


def _catalogues() -> dict[str, dict[Path, str]]:
    """The Chinese of each text, by the catalogue it stands in."""
    from babel.messages.pofile import read_po

    found: dict[str, dict[Path, str]] = defaultdict(dict)
    for folder in (ROOT / "resources", ROOT / "plugins"):
        for file in folder.rglob("*.po"):
            with file.open("rb") as handle:
                for message in read_po(handle):
                    if message.id:
                        found[str(message.id)][file] = str(message.string)
    return found


def test_every_text_has_chinese_in_its_plugin_or_in_the_application() -> None:
    owners = {text: {_owner(file) for file in files} for text, files in _catalogues().items()}
    missing = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args
            ):
                continue
            first = node.args[0]
            if (
                isinstance(first, ast.Constant)
                and first.value
                and not owners.get(first.value, set()) & {"", _owner(source)}
            ):
                missing.append(f"{source.relative_to(ROOT)}:{node.lineno} {first.value!r}")
    assert missing == []


def test_no_text_is_left_over() -> None:
    literals = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    others = [
        file
        for ending in ("html", "toml")
        for file in (*ROOT.glob(f"resources/**/*.{ending}"), *ROOT.glob(f"plugins/**/*.{ending}"))
    ]
    written = "".join(file.read_text(encoding="utf-8") for file in others)
    assert sorted(text for text in _catalogues() if text not in literals and text not in written) == []


def test_a_text_has_one_chinese() -> None:
    """Of two the one that is loaded later is never shown; what means two things wants two English texts."""
    twice = {text: [file.name for file in files] for text, files in _catalogues().items() if len(files) > 1}
    assert twice == {}


def test_the_chinese_of_a_text_names_the_same_values() -> None:
    for english, files in _catalogues().items():
        for file, chinese in files.items():
            assert chinese, f"{file.name}: {english!r} is empty"
            assert _names(english) == _names(chinese), f"{file.name}: {english!r}"


def test_wording_an_error_never_fails() -> None:
    assert i18n.word_error(PlannerError("no.such_code")) == ("no.such_code", "")
    sentence, _ = i18n.word_error(PlannerError("plugin.api_version", plugin="x"))
    assert "“x”" in sentence


def test_the_language_can_be_switched() -> None:
    i18n.set_language("zh_CN")
    assert i18n.word("plugin.verb_taken", {"plugin": "甲", "verb": "乙"}).startswith("插件“甲”")
    i18n.set_language("en")
    assert i18n.word("plugin.verb_taken", {"plugin": "A", "verb": "b"}).startswith("The plugin “A”")
