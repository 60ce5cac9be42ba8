"""``planner review seal …`` and ``planner review sign …``; ``planner review opinion`` stands with the case's verbs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.review.model.drawing.types import Note

#: Characters of a value that is shown as different.
_MOST_SHOWN = 120


def _configure_seal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify", "rerun", "print"))
    parser.add_argument("sealed", type=Path, metavar="FILE", help="a sealed opinion (.json)")
    parser.add_argument("--seal", default="", metavar="HASH", help="verify: the seal as printed on the opinion")
    parser.add_argument("--project", type=Path, help="rerun: project that has the drawing, if it is not embedded")
    parser.add_argument(
        "--drawing", type=Path, action="append", default=[], help="rerun: a drawing's file, if it is not embedded"
    )
    parser.add_argument("--out", type=Path, help="print: the .pdf, .docx or .html to write")


def _run_seal(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    return {"verify": _verify, "rerun": _rerun, "print": _print}[arguments.action](context, arguments)


def _verify(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.opinion.seal import verify_sealed

    found = verify_sealed(arguments.sealed, expected=arguments.seal)
    data = {
        "ok": found.ok,
        "seal": found.seal,
        "number": found.number,
        "made": found.made,
        "program": found.program,
        "signatures": [
            {key: one.get(key) for key in ("role", "name", "verdict", "time", "remark")} for one in found.signatures
        ],
        "problems": [_told(note) for note in found.problems],
    }
    return VerbResult(data, 0 if found.ok else 1)


def _rerun(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.opinion.rerun import rerun_sealed

    def run(project: Any) -> Any:
        return rerun_sealed(project, arguments.sealed, drawings=arguments.drawing, progress=context.progress)

    if arguments.project is None:
        found = run(None)
    else:
        with context.open_project(arguments.project) as project:
            found = run(project)
    data = {
        "same": found.same,
        "seal": found.seal,
        "number": found.number,
        "compared": found.compared,
        "differences": [
            {"path": path, "sealed": _short(then), "now": _short(now)} for path, then, now in found.differences
        ],
        "program": [{"name": name, "sealed": then, "now": now} for name, then, now in found.program],
    }
    return VerbResult(data, 0 if found.same else 1)


def _print(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.opinion.seal import read_sealed
    from plugins.review.model.opinion.write import write_opinion

    if arguments.out is None:
        raise PlannerError("review.seal_no_out")
    sealed = read_sealed(arguments.sealed)
    sha256 = write_opinion(sealed, arguments.out)
    return VerbResult({"out": str(arguments.out), "sha256": sha256, "seal": sealed.seal})


def _short(value: Any) -> Any:
    """Shapes and lists are cut: what differs is named by its path."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= _MOST_SHOWN:
        return value
    return text[:_MOST_SHOWN] + "…"


def _told(note: Note) -> dict[str, Any]:
    from plugins.review.model.opinion.wording import note_text

    code, params = note
    return {"code": code, "message": note_text(note), **params}


def _configure_sign(parser: argparse.ArgumentParser) -> None:
    from plugins.review.model.opinion.types import CONCLUSIONS, ROLES

    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("drawing", metavar="DRAWING")
    parser.add_argument("--role", required=True, choices=ROLES)
    parser.add_argument("--name", required=True, help="who signs; the approver is another person than the reviewer")
    parser.add_argument("--verdict", required=True, choices=CONCLUSIONS)
    parser.add_argument("--remark", default="", help="needed to agree where the check did not pass")


def _run_sign(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.cases import store
    from plugins.review.model.opinion.build import build_opinion
    from plugins.review.model.opinion.signing import opinion_state, sign
    from plugins.review.model.opinion.types import REVIEWER

    with context.open_project(arguments.file) as project:
        record = store.drawing(project, arguments.drawing)
        opinion = None
        if arguments.role == REVIEWER:
            state = opinion_state(project, record)
            if state.seal and not state.outdated:  # before the work, not after it
                raise PlannerError("review.sign_twice", drawing=record.number, name=state.signoffs[0].name)
            rules = [*context.rules("review."), *context.rules("asbuilt.")]
            opinion = build_opinion(
                project, record.id, rules=rules, render_map=context.render_map, progress=context.progress
            )
        made = sign(
            project, record, arguments.role, arguments.name, arguments.verdict, arguments.remark, opinion=opinion
        )
        state = opinion_state(project, record)
    data = {"drawing": record.number, "role": made.role, "name": made.name, "verdict": made.verdict,
            "seal": made.seal, "state": state.key}  # fmt: skip
    return VerbResult(data)


SEAL = Verb("review seal", "verify, rerun or print a sealed opinion", _configure_seal, _run_seal)
SIGN = Verb("review sign", "sign the opinion on a drawing, as reviewer or approver", _configure_sign, _run_sign)
VERBS = (SEAL, SIGN)
