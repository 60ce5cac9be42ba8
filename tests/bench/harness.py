"""How benches are run: methods in processes of their own, in interleaved rounds, compared by medians.

Only ratios within one run bind: machines differ, and other work on a machine comes and goes. So each round runs every
method once, in turn, and each method starts in a fresh process that loads its data and caches before the clock runs.

A method is a command that prints one line ``@@{json}`` with at least ``wall_s``, ``cpu_s`` and ``peak_mb``:
:func:`measured` does it, or :func:`timed` and :func:`report`. All other numbers are shown as the median too, everything
else from the last round.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARK = "@@"


@dataclass(frozen=True)
class Method:
    """One way to do the work."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)


def timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """In a method's process: run the work; returns what it took beside what it gave back (values JSON can hold)."""
    base = _memory_mb("VmRSS")
    cpu, wall = _cpu_seconds(), time.perf_counter()
    values = work()
    took = {"wall_s": time.perf_counter() - wall, "cpu_s": _cpu_seconds() - cpu}
    return {**took, "base_mb": base, "peak_mb": _memory_mb("VmHWM"), **values}


def measured(work: Callable[[], dict[str, Any]]) -> None:
    """In a method's process: run the work and report it."""
    report(timed(work))


def report(values: dict[str, Any]) -> None:
    """Print the line that the harness reads."""
    print(MARK + json.dumps(values), flush=True)


def run(methods: Sequence[Method], rounds: int, timeout_s: float = 1_800) -> dict[str, dict[str, Any]]:
    """Run all methods in interleaved rounds; returns the medians by method. A method that fails keeps its ``error``."""
    results: dict[str, list[dict[str, Any]]] = {method.name: [] for method in methods}
    for number in range(rounds):
        for method in methods:
            print(f"round {number + 1}/{rounds}: {method.name}", file=sys.stderr, flush=True)
            results[method.name].append(_run_once(method, timeout_s))
    return {name: _median(rows) for name, rows in results.items()}


def table(results: dict[str, dict[str, Any]], ours: str) -> str:
    """A table of wall, CPU and peak memory; ``×`` tells how many times faster than the method ``ours`` is."""
    lines = [f"{'method':<26}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}{'× wall':>8}{'× cpu':>8}"]
    for name, row in results.items():
        if "error" in row:
            lines.append(f"{name:<26}  {row['error']}")
            continue
        wall, cpu = (row[key] / results[ours][key] for key in ("wall_s", "cpu_s"))
        numbers = f"{row['wall_s']:>9.3f}{row['cpu_s']:>9.3f}{row['peak_mb']:>9.0f}"
        lines.append(f"{name:<26}{numbers}{wall:>8.1f}{cpu:>8.1f}")
    return "\n".join(lines)


def save(results: dict[str, Any], path: Path | None) -> None:
    """Write the results as JSON, if a path is given."""
    if path is not None:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")


def _run_once(method: Method, timeout_s: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            list(method.command),
            env={**os.environ, **method.environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no result after {timeout_s:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1][:200]}
    values: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    return values


def _median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    good = [row for row in rows if "error" not in row]
    if not good:
        return rows[-1]
    result = dict(good[-1])
    for key, value in result.items():
        if isinstance(value, float):
            result[key] = statistics.median(row[key] for row in good)
    return {**result, "rounds": len(good)}


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _memory_mb(what: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    return float("nan")
