"""A process that writes one project file until it is killed or its time is over, and says what was committed.

    python store_worker.py FILE JOURNAL edits|imports|undos|mixed SEED SECONDS [PAUSE]

Each line of the journal is flushed after the commit it tells of: what stands there must be in the file.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, DeleteFeatures, EditCells, EditGeometry, InsertFeatures, Project


def shape(chance: random.Random) -> bytes:
    """A small square somewhere in the town."""
    x, y = 500_000 + chance.random() * 5000, 3_500_000 + chance.random() * 5000
    return bytes(shapely.to_wkb(shapely.box(x, y, x + 20, y + 20)))


def edit(project: Project, table: str, chance: random.Random, stamp: str) -> dict[str, object]:
    """Mark a feature of this worker's own, or make, move or delete one."""
    kind = chance.randrange(10)
    if kind < 5:
        fid = chance.randrange(1, 150)
        return {"id": project.execute(EditCells(table, [fid], "note", [stamp])).id, "fid": fid, "note": stamp}
    if kind < 7:
        done = project.execute(EditGeometry(table, {chance.randrange(1, 150): shape(chance)}))
    elif kind < 9:
        done = project.execute(InsertFeatures(table, [shape(chance)], {"note": [stamp]}))
    else:
        made = project.execute(InsertFeatures(table, [shape(chance)], {"note": [stamp]}))
        (fid,) = made.touches[0].fids or (0,)
        done = project.execute(DeleteFeatures(table, [fid]))
    return {"id": done.id}


def add(project: Project, chance: random.Random, stamp: str, rows: int = 3000) -> dict[str, object]:
    """Import a layer."""
    shapes = [shape(chance)] * rows
    new = NewLayer(f"import {stamp}", "polygon", (FieldInfo("note", "text"),))
    halves = [Batch(shapes[: rows // 2], {"note": [stamp] * (rows // 2)}), Batch(shapes[rows // 2 :], {})]
    made: list[int] = []  # the newest entry of the log may be another process's by now
    stop = project.subscribe(lambda changes, _initiator: made.append(changes.id))
    layer = project.add_layer(new, halves)
    stop()
    return {"id": made[0], "layer": layer.id, "rows": rows}


def step_back(project: Project, chance: random.Random) -> dict[str, object]:
    """Undo or redo; a later edit of the other worker may stand in the way."""
    try:
        done = project.undo() if chance.random() < 0.6 else project.redo()
    except PlannerError as error:
        if error.code not in ("project.undo_conflict", "project.undo_gone", "project.already_undone"):
            raise
        return {"refused": error.code}
    return {"id": done.id if done else 0}


def main() -> None:
    file, journal, mode, seed, seconds, pause = [*sys.argv[1:], "0"][:6]
    chance = random.Random(int(seed))
    end = time.monotonic() + float(seconds)
    with Path(journal).open("a", encoding="utf-8") as out, Project.open(file, origin="desktop") as project:
        table = project.layer("base").id
        out.write(json.dumps({"started": os.getpid()}) + "\n")
        out.flush()
        number = 0
        while time.monotonic() < end:
            number += 1
            stamp = f"{seed}-{number}"
            kind = mode if mode != "mixed" else chance.choice(["edits"] * 6 + ["undos"] * 3 + ["imports"])
            started = time.perf_counter()
            if kind == "imports":
                done = add(project, chance, stamp)
            elif kind == "undos":
                done = edit(project, table, chance, stamp) if number % 3 == 1 else step_back(project, chance)
            else:
                done = edit(project, table, chance, stamp)
            out.write(json.dumps({**done, "took": time.perf_counter() - started}) + "\n")
            out.flush()
            time.sleep(float(pause))


main()
