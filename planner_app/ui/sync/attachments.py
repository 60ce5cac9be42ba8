"""Attachments that others added: their content comes from the server when somebody first wants it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.i18n import tr

if TYPE_CHECKING:
    from planner_app.domain.progress import Progress
    from planner_app.ui.session import Session


class Attachments:
    """Fetches what an error says is missing; each content once at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._fetching: set[str] = set()

    def miss(self, error: Exception) -> None:
        """If an error says that an attachment is not in the file, fetch it, and say when it is here."""
        service, project = self._session.sync, self._session.project
        if not isinstance(error, PlannerError) or error.code != "attachment.missing" or not service.conninfo:
            return
        backend, sha256 = service.backend, str(error.params.get("sha256", ""))
        if project is None or sha256 in self._fetching:
            return
        self._fetching.add(sha256)
        path = Path(project.path)

        def over() -> None:
            self._fetching.discard(sha256)

        def done(_result: object) -> None:
            over()
            self._session.say(tr("The attachment has come from the city server; open it again."), "success")

        def failed(problem: Exception) -> None:
            over()
            if not isinstance(problem, PlannerError) or problem.code != error.code:
                self._session.show_error(problem)

        def work(progress: Progress) -> None:
            try:
                service.wait(lambda transport: backend.fetch(path, sha256, transport, progress), progress)
            except Cancelled:
                over()
                raise

        self._session.jobs.run(tr("Fetch an attachment"), work, done, failed)
