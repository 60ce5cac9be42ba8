"""The role's work without a window: sections and profiles drawn and judged, alarms, a pipe isolated, clearances."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from planner_app.domain.errors import PlannerError
from planner_app.i18n import word_error
from planner_app.plugin_api.model import Project, Verb, VerbContext
from plugins.tunnel.model.tables import LINE, SERVICE, columns, find


def run_headless(context: VerbContext, project: Project, folder: Path) -> dict[str, Any]:
    """Do what an operator asks for first, with the command line's own verbs, and keep their answers in a folder.

    Returns:
        The files written and a few figures; what a project without tunnels or pipes has not is left out, what fails is
        named with the reason.
    """
    from plugins.tunnel.model.clearance.verbs import CLEARANCE
    from plugins.tunnel.model.monitoring.verbs import ALARMS
    from plugins.tunnel.model.network.verbs import ISOLATE
    from plugins.tunnel.model.space.verbs import PROFILE, SECTION

    summary: dict[str, Any] = {"files": [], "failed": []}
    # A verb opens its file for a ``with``; this one is open, and stays so.
    here = replace(context, open_project=lambda _path: cast(Project, nullcontext(project)))

    def ask(verb: Verb, name: str, *arguments: str) -> dict[str, Any]:
        parser = argparse.ArgumentParser(prog=verb.name, exit_on_error=False)
        verb.configure(parser)
        outs = [one for one in arguments if one.startswith(str(folder))]
        try:
            data = verb.run(here, parser.parse_args([str(project.path), *arguments])).data
        except PlannerError as error:
            summary["failed"].append({"what": name, "error": " ".join(word_error(error))})
            return {}
        answer = folder / f"tunnel_{name}.json"
        answer.write_text(json.dumps(data, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        summary["files"] += [*outs, str(answer)]
        return data

    def out(name: str, suffix: str) -> str:
        return str(folder / f"tunnel_{name}{suffix}")

    tunnels = _codes(project, "tunnel")
    sections = _codes(project, "tunnel_section")
    for tunnel in tunnels:
        first = next((one for one in sections if one.startswith(tunnel)), "")
        if first:
            found = ask(SECTION, f"section_{first}", "--section", first, "--out", out(f"section_{first}", ".png"))
            summary[first] = _verdicts(found)
        ask(PROFILE, f"profile_{tunnel}", "--tunnel", tunnel, "--out", out(f"profile_{tunnel}", ".png"))
    if _codes(project, "sensor"):
        summary["alarms"] = len(ask(ALARMS, "alarms").get("alarms", ()))
    pipe = _pipe_with_customers(project)
    if pipe:
        found = ask(ISOLATE, "isolation", "--at", f"line:{pipe}")
        summary["isolation"] = {"at": f"line:{pipe}", "close": found.get("close"), "customers": found.get("customers")}
    if find(project, LINE) is not None:
        pairs = ask(CLEARANCE, "clearance").get("pairs", [])
        summary["clearance"] = {"pairs": len(pairs), "fail": sum(one["verdict"] == "fail" for one in pairs)}
    return summary


def _codes(project: Project, table: str) -> list[str]:
    layer = next((one for one in project.layers() if one.role == f"tunnel.{table}" or one.id == table), None)
    return [] if layer is None else [str(one) for one in columns(project, layer, ["code"])[1]["code"] if one]


def _pipe_with_customers(project: Project) -> str:
    """The line that feeds the first customer, empty if there is none."""
    layer = find(project, SERVICE)
    lines = [] if layer is None else columns(project, layer, ["line"])[1]["line"]
    return next((str(one) for one in lines if one), "")


def _verdicts(found: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in found.get("findings", ()):
        counts[one["verdict"]] = counts.get(one["verdict"], 0) + 1
    return counts
