"""Builds the sample new town as a project file, with its drawings beside it."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import NewLayer
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.project import Batch, Command, Project, Transaction
from sample_projects.names import TOWN
from sample_projects.tables import CRS, Table

SEED = 20350
BATCH = 4000
_NAMESPACE = uuid.UUID("6f1b3b52-0f0e-5e1c-9a37-2f4d6c0a2035")


@dataclass(frozen=True)
class NameLayers(Command):
    """Give the layers their Chinese names; their tables keep ASCII ids."""

    name: ClassVar[str] = "sample_names"
    names: dict[str, str]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.names)}

    def apply(self, tx: Transaction) -> None:
        for layer_id, name in self.names.items():
            tx.set_layer(layer_id, name=name)


def build(path: Path, seed: int = SEED, progress: Progress | None = None) -> dict[str, Any]:
    """Write the sample new town 滨海新城 to a new project file.

    The file appears whole or not at all. Site plans of three projects and ``truth.json`` (what was planted on purpose)
    go into ``<file name>_drawings`` beside it; without ezdxf they are left out, and ``drawings`` is empty.

    Args:
        path: where the project file goes.
        seed: another seed makes another town.

    Returns:
        ``file``, ``layers``, ``features``, ``readings``, ``seconds``, ``drawings`` (paths).

    Raises:
        PlannerError: ``project.exists`` if the file is there already; what the store raises if it cannot be written.
        Cancelled: nothing is left behind.
    """
    from sample_projects.operation import write_operation
    from sample_projects.town import make_sample

    progress = progress or NoProgress()
    started = time.perf_counter()
    path = Path(path)
    if path.exists():
        raise PlannerError("project.exists", file=str(path))
    sample = make_sample(seed, SubProgress(progress, 0.0, 0.5))
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with Project.create(part, CRS, TOWN) as project:
            features = _write_layers(project, sample.tables, seed, SubProgress(progress, 0.5, 0.92))
            kept = write_operation(project, sample.tables, seed)
            measured = sample.readings
            shown = SubProgress(progress, 0.92, 0.94)
            project.readings.add(measured.sensor, measured.ts, measured.value, measured.quality, shown)
            project.readings.sum_up()
        check(progress)
        progress.update(0.95, "stage.sample_drawings")
        drawings = _write_drawings(sample, path.with_name(f"{path.stem}_drawings"))
        if path.exists():
            raise PlannerError("project.exists", file=str(path))
        os.replace(part, path)
    finally:
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", "-journal"))):
            with contextlib.suppress(FileNotFoundError):
                leftover.unlink()
    progress.update(1.0)
    return {
        "file": str(path), "layers": len(sample.tables) + kept.layers, "features": features + kept.features,
        "seconds": time.perf_counter() - started,
        "readings": len(sample.readings.ts), "drawings": [str(file) for file in drawings],
    }  # fmt: skip


def _write_layers(project: Project, tables: list[Table], seed: int, progress: Progress) -> int:
    """Write the tables, lowest first so that the first one ends on top. Returns the number of features."""
    total = sum(len(table) for table in tables)
    names, done = {}, 0
    for table in reversed(tables):
        progress.update(done / total, "stage.writing")
        new = NewLayer(
            name=table.id, geometry=table.geometry, fields=table.fields, plan=table.plan, role=table.role,
            class_field=table.class_field,
            class_standard=str(table.class_standard), label_field=table.label_field, source=table.source,
            source_crs=CRS,
            qml=_qml(table), visible=table.visible, opacity=table.opacity,
        )  # fmt: skip
        layer = project.add_layer(
            new,
            _batches(table, seed),
            SubProgress(progress, done / total, (done + len(table)) / total),
            params={"layer": table.name},
        )
        names[layer.id] = table.name
        done += len(table)
    project.execute(NameLayers(names))
    return total


def _batches(table: Table, seed: int) -> Iterator[Batch]:
    """A table's rows in batches, geometry as WKB in EPSG:4549; identities follow from the seed."""
    import shapely

    wkb = shapely.to_wkb(table.world()).tolist() if table.shapes else []
    stem = str(uuid.uuid5(_NAMESPACE, f"{seed}/{table.id}"))[:-8]
    for start in range(0, len(table), BATCH):
        stop = min(start + BATCH, len(table))
        yield Batch(
            wkb[start:stop],
            {name: values[start:stop] for name, values in table.columns.items()},
            [f"{stem}{k:08x}" for k in range(start, stop)],
        )


def _qml(table: Table) -> str:
    """The layer's style."""
    if table.geometry == "none":
        return ""
    from sample_projects.looks import look

    return look(table)


def _write_drawings(sample: Any, folder: Path) -> list[Path]:
    """Site plans and the truth about everything planted; empty without ezdxf."""
    try:
        import ezdxf  # noqa: F401 - an optional extra
    except ImportError:
        return []
    from sample_projects.drawings import write_drawings

    truth = write_drawings(sample.town, sample.table("zoning_parcels"), folder) | sample.truth
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return sorted(folder.iterdir())
