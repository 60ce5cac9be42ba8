"""Pictures and sheets of the map made by the engine: PNG for reports, PDF for paper."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.i18n import tr
from planner_app.ui.icons import FOLDER
from planner_app.ui.jobs import Job
from planner_app.ui.session import Session

Extent = tuple[float, float, float, float]


def drawn_layers(session: Session, layers: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """What the engine is to draw, top first: the visible layers, or those named."""
    return [
        {"id": layer.id, "opacity": layer.opacity}
        for layer in session.layers()
        if layer.geometry != "none" and (layer.visible if layers is None else layer.id in layers)
    ]


def render_png(
    session: Session,
    extent: Extent,
    size: tuple[int, int],
    done: Callable[[bytes], None],
    layers: Sequence[str] | None = None,
    dpi: float = 96.0,
) -> None:
    """Ask the engine for a PNG; ``done`` gets its bytes. If it cannot, that is shown and ``done`` gets none.

    Args:
        extent: xmin, ymin, xmax, ymax in the project's CRS.
        size: pixels.
    """
    if session.engine is None:
        session.show_error(PlannerError("engine.not_running"))
        done(b"")
        return
    handle, name = tempfile.mkstemp(suffix=".png", prefix="planner-map-")
    os.close(handle)
    out = Path(name)

    def answered(_answer: dict[str, Any]) -> None:
        data = out.read_bytes()
        out.unlink(missing_ok=True)
        done(data)

    def failed(error: PlannerError) -> None:
        out.unlink(missing_ok=True)
        session.show_error(error)
        done(b"")

    params = {
        "extent": list(extent),
        "width": size[0],
        "height": size[1],
        "dpi": dpi,
        "layers": drawn_layers(session, layers),
        "labels": True,
        "out": name,
    }
    session.engine.request("snapshot", params, answered, failed)


class _Sheet:
    """The outcome of a print, handed from the engine's answer to the waiting job."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.error: PlannerError | None = None

    def answered(self, _answer: dict[str, Any]) -> None:
        self.ready.set()

    def failed(self, error: PlannerError) -> None:
        self.error = error
        self.ready.set()

    def wait(self, job: Job) -> bool:
        """For the job's thread."""
        while not self.ready.wait(0.1):
            if job.is_cancelled():
                raise Cancelled
        if self.error is not None:
            raise self.error
        return True


def print_sheet(session: Session, extent: Extent, out: Path, title: str, note: str, paper: str) -> None:
    """Write the visible layers as a PDF sheet, in an engine of its own so that the map keeps answering."""
    from planner_app.engine_client import EngineClient

    if session.project is None:
        return
    sheet = _Sheet()
    engine = EngineClient(session)
    engine.open_project(Path(session.project.path))
    engine.start()
    params = {
        "out": str(out),
        "title": title,
        "note": note,
        "extent": list(extent),
        "layers": drawn_layers(session),
        "paper": paper,
        "dpi": 300.0,
        "legend_title": tr("Legend"),
        "north": str(FOLDER / "north-arrow.svg"),
    }
    engine.request("print", params, sheet.answered, sheet.failed)
    job = session.jobs.run(
        tr("Print {name}", name=out.name),
        sheet.wait,
        lambda _done: session.say(tr("The map was printed to “{path}”.", path=str(out)), "success"),
    )

    def ended() -> None:
        if not job.is_active():
            job.changed.disconnect(ended)
            engine.stop()
            engine.deleteLater()

    job.changed.connect(ended)
