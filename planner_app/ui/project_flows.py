"""What a person does with whole projects: new, open, sample, copy, check, properties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from planner_app.domain.progress import SubProgress
from planner_app.i18n import tr
from planner_app.ui.session import Session, user_name

if TYPE_CHECKING:
    from planner_app.domain.progress import Progress
    from planner_app.project import CheckResult, Project

SAMPLE_NAME = "sample-new-town.sqlite"


class ProjectFlows(QObject):
    """Dialogs and jobs around the project file."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self.session, self.window = session, window

    def confirm(self, text: str, hint: str, yes: str) -> bool:
        """Ask before something that cannot be taken back."""
        box = QMessageBox(self.window)
        box.setWindowTitle(tr("Planner"))
        box.setText(text)
        box.setInformativeText(hint)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is accept

    def folder(self) -> str:
        """Where file dialogs start: the last folder, else the documents."""
        last = self.session.settings.last_folder
        if last and Path(last).is_dir():
            return last
        return QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)

    def open(self) -> None:
        """Ask for a project file and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self.window, tr("Open project"), self.folder(), tr("Projects (*.sqlite *.db);;All files (*)")
        )
        if name:
            self.open_path(Path(name))

    def open_path(self, path: Path) -> None:
        """Open a project file in a job."""
        project = self.session.project
        if project is not None and Path(project.path).resolve() == path.resolve():
            return
        self.session.open_project(path)

    def new(self) -> None:
        """Ask for name, place and CRS, make the file and open it."""
        from planner_app.ui.dialogs.new_project import NewProjectDialog

        dialog = NewProjectDialog(self.session, self.folder(), self.window)
        dialog.chosen.connect(self.create)
        dialog.open()

    def create(self, path: Path, crs: str, name: str) -> None:
        """Make a project file and open it."""

        def work(_progress: Progress) -> Project:
            from planner_app.project import Project

            Project.create(path, crs, name).close()
            return Project.open(path, user=user_name(), origin="desktop")

        self.session.settings.city_crs = crs
        self.session.jobs.run(tr("New project {name}", name=name), work, self.session.adopt)

    def sample(self) -> None:
        """Open the sample new town; made first if it is not there yet."""
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)) / "Planner"
        path = folder / SAMPLE_NAME
        if path.exists():
            self.open_path(path)
            return

        def work(progress: Progress) -> Project:
            from planner_app.project import Project
            from sample_projects.build import build

            folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".making")
            fresh.unlink(missing_ok=True)
            try:
                build(fresh, progress=SubProgress(progress, 0.0, 0.98))
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)
            return Project.open(path, user=user_name(), origin="desktop")

        self.session.jobs.run(tr("Make the sample new town"), work, self.session.adopt)

    def save_copy(self) -> None:
        """Ask for a place and write a whole copy there; work can go on meanwhile."""
        project = self.session.project
        if project is None:
            return
        stem = Path(project.path).stem
        name, _ = QFileDialog.getSaveFileName(
            self.window, tr("Save a copy"), str(Path(self.folder()) / f"{stem}-copy.sqlite"), tr("Projects (*.sqlite)")
        )
        if not name:
            return
        target = Path(name)
        if target.suffix.lower() not in (".sqlite", ".db"):
            target = target.with_name(target.name + ".sqlite")

        def done(_result: object) -> None:
            self.session.say(tr("A copy was saved as “{path}”.", path=str(target)), "success")

        self.session.jobs.run(tr("Save a copy"), lambda p: project.save_copy(target, p), done)

    def verify(self) -> None:
        """Check the project file from end to end and show what was found."""
        project = self.session.project
        if project is None:
            return

        def done(results: list[CheckResult]) -> None:
            from planner_app.ui.dialogs.properties import VerifyDialog

            VerifyDialog(self.session, results, self.window).open()

        self.session.jobs.run(tr("Check the project file"), project.verify, done)

    def properties(self) -> None:
        """File, CRS, size, what is in it."""
        from planner_app.ui.dialogs.properties import ProjectDialog

        ProjectDialog(self.session, self.window).open()
