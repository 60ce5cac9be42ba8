"""Writing a report from a panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from planner_app.domain.errors import Cancelled
from planner_app.i18n import tr
from planner_app.plugin_api.widgets.basics import Notice

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import PanelContext


def write_report(context: PanelContext, notice: Notice, path: Path, write: Callable[[], None]) -> None:
    """Run ``write`` as a job; where the report lies, or why there is none, is said in the panel's notice."""

    def failed(error: Exception) -> None:
        if not isinstance(error, Cancelled):
            notice.say(*context.word(error), level="error")

    told = tr("The report was written to {file}.", file=path.name)
    context.run_job(
        tr("Writing the report"), lambda _: write(), lambda _: notice.say(told, str(path.parent), "success"), failed
    )
