"""Whether a sealed opinion is what was sealed, and whether computing it again gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, button, label
from plugins.review.model.opinion.wording import role_words
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.opinion.rerun import Rerun
    from plugins.review.model.opinion.seal import Verification

_MOST = 12


class VerifyDialog(ReviewDialog):
    """A file is chosen (or dropped); what is not as it was sealed is named."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Verify a sealed opinion"), "", parent)
        self._path: Path | None = None
        self._file = label(tr("No file chosen"), "secondary")
        choose = button(tr("File…"), self._choose)
        choose.setAutoDefault(False)
        line = QHBoxLayout()
        line.addWidget(choose)
        line.addWidget(self._file, 1)
        self.expected = QLineEdit()
        self.expected.setPlaceholderText(tr("the seal as printed on the opinion (optional)"))
        self.expected.editingFinished.connect(self.verify)
        form = Form()
        form.add(tr("Seal"), self.expected)
        self._result = QVBoxLayout()
        self._result.setSpacing(6)
        self.body.addLayout(line)
        self.body.addWidget(form)
        self.body.addLayout(self._result)
        self.body.addStretch(1)
        self._again = self.add_button(tr("Compute again"), self.rerun)
        self._again.setToolTip(tr("Reads, measures and checks the sealed drawing by the sealed rules once more."))
        self._again.setEnabled(False)
        self.setAcceptDrops(True)
        self.fit(540, 200)

    def _choose(self) -> None:
        path = self.state.context.ask_open(tr("Sealed opinion"), tr("Sealed opinion") + " (*.json)")
        if path is not None:
            self.take(path)

    def take(self, path: Path) -> None:
        """Verify this file."""
        self._path = path
        self._file.setText(path.name)
        self.verify()

    def verify(self) -> None:
        """Look at the chosen file."""
        path, expected = self._path, self.expected.text().strip()
        if path is None:
            return

        def work(progress: Progress) -> Verification:
            from plugins.review.model.opinion.seal import verify_sealed

            return verify_sealed(path, expected=expected)

        self._say([])
        self._again.setEnabled(False)
        self.run(tr("Verifying {name}", name=path.name), work, self._verified)

    def _verified(self, found: Verification) -> None:
        self._again.setEnabled(found.ok)
        if found.ok:
            self.notice.say(tr("Unchanged since it was sealed."), level="success")
        else:
            problems = [words.note(one) for one in found.problems[:_MOST]]
            self.notice.say(tr("This file is not what was sealed."), "\n".join(problems), "error")
        lines = [
            (tr("Opinion"), found.number),
            (tr("Made"), words.day_time(found.made)),
            (tr("Program"), found.program),
            (tr("Seal"), found.seal),
        ]
        for one in found.signatures:
            lines.append(
                (
                    role_words(str(one.get("role", ""))),
                    f"{one.get('name', '')} · {words.day_time(str(one.get('time', '')))}",
                )
            )
        self._say([(caption, text) for caption, text in lines if text])

    def _say(self, lines: list[tuple[str, str]]) -> None:
        while (item := self._result.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if lines:
            form = Form()
            for caption, text in lines:
                form.add(caption, label(text, wrap=True))
            self._result.addWidget(form)

    def rerun(self) -> None:
        """Compute the sealed opinion again."""
        path, project = self._path, self.state.project
        if path is None:
            return

        def work(progress: Progress) -> Rerun:
            from plugins.review.model.opinion.rerun import rerun_sealed

            return rerun_sealed(project, path, progress=progress)

        self.run(tr("Computing again"), work, self._reran)

    def _reran(self, found: Rerun) -> None:
        if found.same:
            text = tr("Computed again: all {count} values are the same.", count=f"{found.compared:,}")
            self.notice.say(text, level="success")
            return
        lines = [f"{path}: {then} → {now}" for path, then, now in found.differences[:_MOST]]
        lines += [f"{name}: {then} → {now}" for name, then, now in found.program]
        self.notice.say(
            tr("Computed again: {count} values differ.", count=len(found.differences)), "\n".join(lines), "warning"
        )
