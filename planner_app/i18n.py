"""Wording, for the edges only (ui, cli, report, plugin ui). Standard library only.

Texts: ``tr("Open project…")``: English is the message id, ``resources/i18n/zh_CN/LC_MESSAGES/*.po`` the Chinese, one
catalogue per area (its file name is the gettext domain). Set-up compiles them (``python -m planner_app.i18n``).
Coded messages (errors, warnings, findings, commands, stages): ``resources/i18n/messages/*.toml``, both languages and
the hint side by side under the code that pure code emits. A text stands in one catalogue, a plugin's own where no other
part says it. ``resources/i18n/terms.csv`` lists the terms of the field for whoever translates.
"""

from __future__ import annotations

import gettext
import locale
import os
import string
import tomllib
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
LANGUAGES = ("zh_CN", "en")


class _Named(string.Formatter):
    """``str.format`` that shows a missing value as its name rather than failing while wording an error."""

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key, f"{{{key}}}") if isinstance(key, str) else f"{{{key}}}"

    def format_field(self, value: Any, format_spec: str) -> Any:
        try:
            return super().format_field(value, format_spec)
        except (TypeError, ValueError):
            return str(value)


_format = _Named()


class _State:
    """The chosen language and its catalogues: the one piece of process-wide state, as with any gettext."""

    def __init__(self) -> None:
        self.language = "en"
        self.folders: list[Path] = [RESOURCES / "i18n"]
        self.texts: gettext.NullTranslations = gettext.NullTranslations()
        self.messages: dict[str, dict[str, str]] = {}
        self.messages_read = False


_state = _State()


def system_language() -> str:
    """The system's language: ``zh_CN`` for any Chinese locale, else ``en``."""
    names = [os.environ.get(key, "") for key in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")]
    name = next((value for value in names if value), "") or (locale.getlocale()[0] or "")
    return "zh_CN" if name.startswith(("zh", "Chinese")) else "en"


def set_language(language: str) -> None:
    """Choose ``zh_CN`` or ``en``; anything else means the system's language."""
    _state.language = language if language in LANGUAGES else system_language()
    _load()


def language() -> str:
    """The language in use."""
    return _state.language


def add_folder(folder: Path) -> None:
    """Add a plugin's ``i18n`` folder (``zh_CN/LC_MESSAGES/*.mo`` and ``messages/*.toml``)."""
    if folder not in _state.folders:
        _state.folders.append(folder)
        _state.messages_read = False
        _load()


def _load() -> None:
    _state.texts = gettext.NullTranslations()
    for folder in reversed(_state.folders):
        for catalogue in sorted((folder / _state.language / "LC_MESSAGES").glob("*.mo")):
            with catalogue.open("rb") as file:
                texts = gettext.GNUTranslations(file)
            texts.add_fallback(_state.texts)
            _state.texts = texts


def tr(text: str, **params: object) -> str:
    """The text in the chosen language, with ``{name}`` filled in."""
    worded = _state.texts.gettext(text) if text else ""
    return _format.vformat(worded, (), params) if params else worded


def word(code: str, params: dict[str, Any] | None = None, key: str = "text") -> str:
    """The sentence behind a code (``key="hint"``: what to do, may be empty). An unknown code is shown as it is.

    A parameter ``x_zh`` stands in for ``x`` in Chinese. A ``reason`` or ``type`` that is a code itself is worded if the
    messages have an entry of the sentence's code, a dot and its own.
    """
    if not _state.messages_read:
        _state.messages = {}
        for folder in _state.folders:
            for file in sorted((folder / "messages").glob("*.toml")):
                _state.messages.update(tomllib.loads(file.read_text(encoding="utf-8")))
        _state.messages_read = True
    entry = _state.messages.get(code)
    if entry is None:
        return code if key == "text" else ""
    short = "zh" if _state.language == "zh_CN" else "en"
    sentence = entry.get(short if key == "text" else f"{short}_{key}", "")
    given = params or {}
    if short == "zh":
        given = given | {
            name.removesuffix("_zh"): value for name, value in given.items() if name.endswith("_zh") and value
        }
    for name in ("reason", "type"):
        if inner := _state.messages.get(f"{code}.{given.get(name, '')}"):
            given = given | {name: inner[short]}
    return _format.vformat(sentence, (), given)


def word_error(error: PlannerError) -> tuple[str, str]:
    """(what happened and to what, what to do about it)."""
    return word(error.code, error.params), word(error.code, error.params, "hint")


def compile_catalogues(root: Path) -> list[Path]:
    """Compile every ``*.po`` below ``root`` that is newer than its ``*.mo`` (needs Babel). Returns what was written."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    written = []
    for source in sorted(root.glob("**/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name)
        with target.open("wb") as out:
            write_mo(out, catalogue)
        written.append(target)
    return written


if __name__ == "__main__":
    for folder in (RESOURCES, RESOURCES.parent / "plugins"):
        for compiled in compile_catalogues(folder):
            print(f"compiled {compiled.relative_to(RESOURCES.parent)}")
