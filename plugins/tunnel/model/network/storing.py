"""How a network gets into a project: in short pieces, one step to undo, whole or said to be cut off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.tables import LINE, NODE, SERVICE, VALVE, TableSpec

Rows = tuple[TableSpec, Sequence[bytes | None], Mapping[str, Sequence[Any]]]
"""A kind of record, the shapes and the columns of its rows."""
#: Rows of one transaction, well below a second of locking.
_BATCH = 4_000
#: How long the lock stays free between them (s): other writers look for it every 0.1 s at worst.
_PAUSE = 0.05
#: Pieces of an import are one entry of the log, however long they take (s).
_LONG = 3_600.0
#: Setting: networks whose import goes on, or never ended, and the newest entry of the log before it.
_STARTED = "tunnel.imports_started"


@dataclass(frozen=True)
class _Piece(Command):
    """A piece of an import; those of one network are one entry of the log."""

    name: ClassVar[str] = "tunnel_import"
    join_seconds: ClassVar[float] = _LONG
    network: str

    def params(self) -> dict[str, Any]:
        return {"network": self.network}

    def joins(self) -> str:
        return self.network


@dataclass(frozen=True)
class _AddRows(_Piece):
    spec: TableSpec
    wkb: Sequence[bytes | None]
    columns: Mapping[str, Sequence[Any]]

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, self.spec, list(self.columns))
        tx.insert(layer.id, Batch(self.wkb, self.columns))


@dataclass(frozen=True)
class _DropRows(_Piece):
    layer_id: str
    fids: Sequence[int]

    def apply(self, tx: Transaction) -> None:
        tx.delete(self.layer_id, self.fids)


def networks(project: Project) -> dict[str, int]:
    """Names of the networks in a project and how many lines each has."""
    layer = tables.find(project, LINE)
    if layer is None:
        return {}
    _, found = tables.columns(project, layer, ["network"])
    names, counts = np.unique([str(name or "") for name in found["network"]], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def cut_imports(project: Project) -> list[str]:
    """Names of networks of which only a part is there: their import goes on elsewhere, or was killed."""
    started: dict[str, int] = json.loads(project.setting(_STARTED, "{}"))
    pieces = [one for one in project.log(limit=None) if one.command == _Piece.name] if started else []
    return [
        name
        for name, before in started.items()
        if any(one.id > before and not one.undone and one.params.get("network") == name for one in pieces)
    ]


def check_name(project: Project, network: str, *, replace: bool) -> None:
    """Refuse a name that is taken; what an import that was cut off left gives way.

    Raises:
        PlannerError: ``tunnel.network_exists``.
    """
    if not replace and network in networks(project) and network not in cut_imports(project):
        raise PlannerError("tunnel.network_exists", network=network)


def store_network(project: Project, network: str, kinds: Sequence[Rows], progress: Progress) -> None:
    """Store the rows of a network in their layers, made where they are missing; one of the same name gives way.

    Raises:
        PlannerError: what the project refuses. Cancelled. Nothing is changed then.
    """
    total, done = sum(len(wkb) for _, wkb, _ in kinds) or 1, 0
    with _whole(project, network) as entries:
        for layer_id, gone in _old(project, network):
            for start in range(0, len(gone), _BATCH):
                check(progress)
                entries.append(project.execute(_DropRows(network, layer_id, gone[start : start + _BATCH])).id)
        for spec, wkb, columns in kinds:
            for start in range(0, len(wkb), _BATCH):
                check(progress)
                part = slice(start, start + _BATCH)
                piece = {name: values[part] for name, values in columns.items()}
                entries.append(project.execute(_AddRows(network, spec, wkb[part], piece)).id)
                done += len(wkb[part])
                progress.update(done / total, "stage.tunnel_import")
                time.sleep(_PAUSE if done < total else 0.0)


def _old(project: Project, network: str) -> list[tuple[str, list[int]]]:
    """(layer, fids) of what a network of that name has."""
    found = []
    for spec in (VALVE, LINE, NODE, SERVICE):
        layer = tables.find(project, spec)
        if layer is not None and layer.field("network") is not None:
            fids, rows = tables.columns(project, layer, ["network"])
            found.append(
                (layer.id, [int(fid) for fid, one in zip(fids, rows["network"], strict=True) if one == network])
            )
    return found


@contextmanager
def _whole(project: Project, network: str) -> Iterator[list[int]]:
    """All pieces of an import, or none: entries of the log that the body adds are undone if it fails."""

    def keep(before: int | None) -> None:
        others = json.loads(project.setting(_STARTED, "{}"))
        others.pop(network, None)
        project.set_setting(_STARTED, json.dumps(others if before is None else others | {network: before}))

    entries: list[int] = []
    keep(max((one.id for one in project.log(limit=1)), default=0))
    try:
        yield entries
    except BaseException:
        for entry in sorted(set(entries), reverse=True):
            project.undo_entry(entry)
        keep(None)
        raise
    keep(None)
