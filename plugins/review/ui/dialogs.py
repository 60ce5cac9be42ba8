"""Every dialog of the review in one list: the panel's menu, its buttons and the command palette open them here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QWidget

from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Case


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the panel's menu. ``title``: English message id."""

    id: str
    title: str
    run: Callable[[], None]
    enabled: Callable[[], bool]


class Dialogs:
    """Makes dialogs; their code is loaded when first asked for.

    Args:
        panel: the widget they stand over.
    """

    def __init__(self, state: ReviewState, panel: QWidget) -> None:
        self._state, self._panel = state, panel

    def groups(self) -> list[list[Entry]]:
        """The panel's menu in groups."""
        state = self._state

        def case() -> bool:
            return state.case is not None

        def drawing() -> bool:
            return state.opened is not None

        return [
            [
                Entry("case", "Case particulars…", lambda: self.case(state.case), case),
                Entry("conditions", "Planning conditions…", self.conditions, case),
                Entry("reports", "Reports made elsewhere…", self.reports, case),
            ],
            [
                Entry("zoom", "Zoom to the drawing", state.zoom, drawing),
                Entry("layers", "Layer convention…", self.layers, drawing),
                Entry("reading", "Region and units…", self.reading, drawing),
                Entry("place", "Place the drawing…", self.place, drawing),
                Entry("remove", "Remove the drawing…", self.remove, lambda: state.record is not None),
            ],
            [
                Entry("compare", "Compare revisions…", self.compare, lambda: len(state.drawings()) > 1),
                Entry("asbuilt", "As-built check…", self.asbuilt, case),
            ],
            [
                Entry("opinion", "Opinion…", self.opinion, lambda: state.judged),
                Entry("verify", "Verify a sealed opinion…", self.verify, lambda: state.project is not None),
                Entry("bcf", "Exchange issues (BCF)…", self.bcf, case),
                Entry("copies", "Copies with redlines…", self.copies, self._has_copies),
            ],
        ]

    def _has_copies(self) -> bool:
        """Copies with redlines are made of drawings and sheets, not of models or pictures."""
        return self._state.opened is not None and self._state.opened.record.format in ("pdf", "dxf", "dwg")

    def _open(self, dialog: QDialog) -> None:
        dialog.show()

    def case(self, case: Case | None) -> None:
        """Open a case, or change its particulars."""
        from plugins.review.ui.case_dialog import CaseDialog

        if self._state.project is not None:
            self._open(CaseDialog(self._state, case, self._panel.window()))

    def raise_issue(self) -> None:
        """Raise an issue by hand."""
        from plugins.review.ui.raise_issue import RaiseDialog

        self._open(RaiseDialog(self._state, self._panel.window()))

    def picture(self, sha: str) -> None:
        """Show an attachment of an issue."""
        from plugins.review.ui.small_dialogs import PictureDialog

        self._open(PictureDialog(self._state, sha, self._panel.window()))

    def intake(self, path: Path, kind: str = "") -> None:
        """Preview a file and take it in."""
        from plugins.review.ui.intake_dialog import IntakeDialog

        if self._state.project is not None:
            self._open(IntakeDialog(self._state, path, kind, self._panel.window()))

    def conditions(self) -> None:
        """The case's planning conditions."""
        from plugins.review.ui.conditions_dialog import ConditionsDialog

        self._open(ConditionsDialog(self._state, self._panel.window()))

    def reports(self) -> None:
        """Reports made elsewhere."""
        from plugins.review.ui.reports_dialog import ReportsDialog

        self._open(ReportsDialog(self._state, self._panel.window()))

    def layers(self) -> None:
        """Which layer holds what."""
        from plugins.review.ui.layers_dialog import LayersDialog

        self._open(LayersDialog(self._state, self._panel.window()))

    def reading(self) -> None:
        """Region, units and convention of the drawing."""
        from plugins.review.ui.intake_dialog import ReadingDialog

        if self._state.record is not None:
            self._open(ReadingDialog(self._state, self._state.record, self._panel.window()))

    def place(self) -> None:
        """Where the drawing lies."""
        from plugins.review.ui.place_dialog import PlaceDialog

        self._open(PlaceDialog(self._state, self._panel.window()))

    def remove(self) -> None:
        """Take the drawing out of the case."""
        from plugins.review.ui.small_dialogs import RemoveDialog

        self._open(RemoveDialog(self._state, self._panel.window()))

    def compare(self) -> None:
        """Compare two revisions."""
        from plugins.review.ui.compare_dialog import CompareDialog

        if len(self._state.drawings()) > 1 and self._state.record is not None:
            self._open(CompareDialog(self._state, self._panel.window()))

    def asbuilt(self) -> None:
        """Compare a survey with the approved drawing."""
        from plugins.review.ui.compare_dialog import AsBuiltDialog

        if self._state.case is not None:
            self._open(AsBuiltDialog(self._state, self, self._panel.window()))

    def accept_built(self) -> None:
        """Take an as-built survey over into the base map."""
        from plugins.review.ui.compare_dialog import AcceptDialog

        if self._state.built is not None:
            self._open(AcceptDialog(self._state, self._panel.window()))

    def opinion(self) -> None:
        """Preview, sign and export the opinion."""
        from plugins.review.ui.opinion_dialog import OpinionDialog

        if self._state.judged:
            self._open(OpinionDialog(self._state, self._panel.window()))

    def verify(self) -> None:
        """Verify a sealed opinion."""
        from plugins.review.ui.verify_dialog import VerifyDialog

        self._open(VerifyDialog(self._state, self._panel.window()))

    def bcf(self) -> None:
        """Issues as BCF."""
        from plugins.review.ui.exchange_dialog import BcfDialog

        self._open(BcfDialog(self._state, self._panel.window()))

    def copies(self) -> None:
        """Copies of the drawing with the redlines in them."""
        from plugins.review.ui.exchange_dialog import CopiesDialog

        self._open(CopiesDialog(self._state, self._panel.window()))
