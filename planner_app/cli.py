"""The command line: every capability as a verb, with ``--json`` everywhere.

Exit codes: 0 done · 1 the verb judges and a blocking finding fails · 2 bad input · 3 internal.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import logging
import os
import pkgutil
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from planner_app import __version__, cli_verbs
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.i18n import set_language, tr, word, word_error
from planner_app.plugin_api.model import Extent, Project, Verb, VerbContext
from planner_app.plugin_host import PluginHost

log = logging.getLogger(__name__)

DONE, FINDINGS, BAD_INPUT, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130


#: A password in an address that the shell took apart: wrong usage is quoted back.
_PASSWORD = re.compile(r"(?<=password=)\S+|(?<=://)[^@\s]*(?=@)")


class _Usage(Exception):  # noqa: N818 - carries argparse's sentence to the one place that words errors
    pass


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing and leaving, so that ``--json`` holds for wrong usage too."""

    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{_PASSWORD.sub('…', message)}\n{self.format_usage().strip()}")


class TerminalProgress:
    """One line on standard error when that is a terminal; Ctrl+C cancels."""

    def __init__(self) -> None:
        self._cancelled = False
        self._shown = ""
        self._terminal = sys.stderr.isatty()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._cancelled = True

    def update(self, fraction: float | None, stage: str = "") -> None:
        if not self._terminal:
            return
        share = "" if fraction is None else f"{fraction:4.0%}  "
        line = f"{share}{word(stage) if stage else ''}"
        if line != self._shown:
            self._shown = line
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def is_cancelled(self) -> bool:
        return self._cancelled

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def core_verbs() -> list[Verb]:
    """The verbs of ``planner_app.cli_verbs``."""
    verbs: list[Verb] = []
    for module in pkgutil.iter_modules(cli_verbs.__path__):
        verbs += importlib.import_module(f"{cli_verbs.__name__}.{module.name}").VERBS
    return verbs


def build_parser(verbs: Sequence[Verb]) -> argparse.ArgumentParser:
    """A parser with one sub-parser per verb; those of several words share their first words'."""
    parser = _Parser(prog="planner", description=tr("Plan, build and manage a city on one blueprint."))
    parser.add_argument("--version", action="version", version=f"planner {__version__}")
    groups: dict[str, Any] = {"": parser.add_subparsers(dest="verb", metavar="VERB", required=True)}
    for verb in verbs:
        *above, name = verb.name.split(" ")
        group = ""
        for word_of_group in above:
            outer, group = group, f"{group} {word_of_group}".strip()
            if group not in groups:
                first = groups[outer].add_parser(word_of_group, help="…")
                groups[group] = first.add_subparsers(dest=f"verb_of_{group}", metavar="VERB", required=True)
        sub = groups[group].add_parser(name, help=tr(verb.help), description=tr(verb.help))
        verb.configure(sub)
        sub.add_argument("--json", action="store_true", help=tr("print exactly one JSON object"))
        sub.set_defaults(run=verb.run)
    return parser


def run_verb(arguments: Sequence[str]) -> int:
    """Run one verb; prints its answer and returns the exit code."""
    set_language(os.environ.get("PLANNER_LANG", ""))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    as_json = "--json" in arguments
    host = PluginHost()
    host.load_models()
    for failure in host.failures:
        log.warning("%s", failure.sentence)
    progress = TerminalProgress()
    with contextlib.suppress(ValueError):  # signals belong to the main thread
        signal.signal(signal.SIGINT, lambda *_: progress.cancel())
    headless = [(api.plugin_id, run) for api in host.model_apis for run in api.headless]
    context = VerbContext(_open_project, progress, host.rules, _map_picture, headless)
    try:
        parsed = build_parser([*core_verbs(), *host.verbs()]).parse_args(arguments)
        with _only_the_answer_on_stdout():
            result = parsed.run(context, parsed)
    except _Usage as usage:
        return _fail(as_json, "cli.usage", str(usage), tr("Run planner --help to see the verbs."))
    except PlannerError as error:
        progress.close()
        sentence, hint = word_error(error)
        return _fail(as_json, error.code, sentence, hint)
    except Cancelled:
        progress.close()
        return INTERRUPTED
    except Exception as error:
        progress.close()
        log.exception("internal error")
        _fail(as_json, "internal", tr("Something went wrong inside the program: {detail}", detail=str(error)), "")
        return INTERNAL
    progress.close()
    answer = (
        json.dumps(result.data, ensure_ascii=False, default=_plain) if as_json else "\n".join(readable(result.data))
    )
    try:
        print(answer, flush=True)
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(result.exit_code)


def _map_picture(project: Project, extent: Extent, size: tuple[int, int]) -> bytes:
    """The map as PNG; nothing where there is no engine, since a report without it is better than none."""
    from planner_app.cli_verbs.render import draw

    with tempfile.TemporaryDirectory(prefix="planner-map-") as folder:
        picture = Path(folder) / "map.png"
        try:
            draw(project, picture, size, extent=extent, dpi=150.0)
        except PlannerError as error:
            log.warning("%s", " ".join(word_error(error)))
            return b""
        return picture.read_bytes()


def _open_project(path: Path) -> Project:
    return Project.open(path, origin="cli")


@contextlib.contextmanager
def _only_the_answer_on_stdout() -> Iterator[None]:
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _fail(as_json: bool, code: str, message: str, hint: str) -> int:
    if as_json:
        print(json.dumps({"error": {"code": code, "message": message, "hint": hint}}, ensure_ascii=False))
    else:
        print(message, file=sys.stderr)
        if hint:
            print(hint, file=sys.stderr)
    return BAD_INPUT


def _plain(value: Any) -> Any:
    """NumPy scalars and arrays, paths and dates as JSON values."""
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    return str(value)


def readable(data: dict[str, Any], indent: str = "") -> Iterator[str]:
    """The answer for people: scalars as ``key: value``, lists of objects as tables of at most 40 rows."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from readable(value, indent + "  ")
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield f"{indent}{key}: {len(value)}"
            columns = [name for name in value[0] if not any(_is_nested(row.get(name)) for row in value)]
            rows = [[_cell(row.get(name)) for name in columns] for row in value[:40]]
            widths = [max(_width(name), *(_width(row[at]) for row in rows)) for at, name in enumerate(columns)]
            for row in [columns, *rows]:
                cells = (text + " " * (widths[at] - _width(text)) for at, text in enumerate(row))
                yield f"{indent}  " + "  ".join(cells).rstrip()
            if len(value) > len(rows):
                yield f"{indent}  … {len(value) - len(rows)}"
        else:
            yield f"{indent}{key}: {0 if value == [] else _cell(value)}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value))


def _width(text: str) -> int:
    """Columns a text takes in a terminal: CJK characters take two."""
    return sum(2 if character > "\u2e7f" else 1 for character in text)
