"""The opinion 审查意见书 before it goes out: its pages as they print, what goes in, two signatures, files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress, SubProgress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, button, combo, label, pill, px
from planner_app.report.findings import verdict_word
from plugins.review.model.opinion.wording import conclusion_words, part_words, role_words
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.map_bridge import MapBridge
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import SignOff
    from plugins.review.model.opinion.seal import Sealed
    from plugins.review.model.opinion.signing import OpinionState
    from plugins.review.model.opinion.types import Opinion

_PAGE_WIDTH, _MOST_PAGES = 640, 30
_STATE_TOKENS = {"draft": "cannot_judge", "reviewed": "needs_certificate", "signed": "pass", "outdated": "fail"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the dialog shows: the sealed or the new opinion, where its signatures stand, its pages."""

    opinion: Opinion | None
    sealed: Sealed
    state: OpinionState
    pages: tuple[QImage, ...]


def state_word(key: str) -> str:
    """Where an opinion stands."""
    return {
        "draft": tr("draft, not signed"),
        "reviewed": tr("signed by the reviewer"),
        "signed": tr("signed by both"),
        "outdated": tr("changed since it was signed"),
    }[key]


class OpinionDialog(ReviewDialog):
    """Preview, signatures and export. What was signed is shown as it was signed, while it still holds."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Opinion"), tr("Export…"), parent, stays=True)
        self._draft: Draft | None = None
        self._bridge = MapBridge(state.context, self)
        pages = QWidget()
        pages.setStyleSheet(f".QWidget {{ background: {state.context.colour('background')}; }}")
        self._pages = QVBoxLayout(pages)
        self._pages.setContentsMargins(16, 16, 16, 16)
        self._pages.setSpacing(14)
        self._waiting = label(tr("Preparing the opinion …"), "secondary")
        self._pages.addWidget(self._waiting, 0, Qt.AlignmentFlag.AlignCenter)
        self._pages.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(pages)
        scroll.setMinimumWidth(_PAGE_WIDTH + 64)
        self._side = QVBoxLayout()
        self._side.setSpacing(8)
        side = QWidget()
        side.setLayout(self._side)
        side.setFixedWidth(px(380))
        self._parts: list[QWidget] = []
        columns = QHBoxLayout()
        columns.setSpacing(18)
        columns.addWidget(scroll, 1)
        columns.addWidget(side)
        self.body.addLayout(columns, 1)
        self.fit(1160, 760)
        self.load()

    def load(self) -> None:
        """Build the opinion and its pages."""
        project, record = self.state.project, self.state.record
        if project is None or record is None:
            return
        context, bridge = self.state.context, self._bridge
        rules = [*context.rules("review."), *context.rules("asbuilt.")]

        def work(progress: Progress) -> Draft:
            from plugins.review.model.opinion.build import build_opinion
            from plugins.review.model.opinion.seal import seal
            from plugins.review.model.opinion.signing import load_sealed, opinion_state

            state = opinion_state(project, record)
            opinion = None
            if state.seal and not state.outdated:
                sealed = load_sealed(project, state.seal)
            else:
                opinion = build_opinion(
                    project, record.id, rules=rules, render_map=bridge, progress=SubProgress(progress, 0.0, 0.6)
                )
                sealed = seal(opinion)
            return Draft(opinion, sealed, state, page_images(sealed, SubProgress(progress, 0.6, 1.0)))

        self.run(tr("Preparing the opinion"), work, self._show)

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        while (item := self._pages.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for page in draft.pages:
            sheet = QLabel()
            page.setDevicePixelRatio(page.width() / _PAGE_WIDTH)
            sheet.setPixmap(QPixmap.fromImage(page))
            sheet.setStyleSheet(f"border: 1px solid {self.state.context.colour('line')};")
            self._pages.addWidget(sheet, 0, Qt.AlignmentFlag.AlignHCenter)
        self._pages.addStretch(1)
        self._show_side(draft)

    # what goes in

    def _show_side(self, draft: Draft) -> None:
        while (item := self._side.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        content = draft.sealed.content
        about, check = content["about"], content["check"]
        self._add(label(str(about["number"]), "heading"))
        line = QWidget()
        pills = QHBoxLayout(line)
        pills.setContentsMargins(0, 0, 0, 0)
        pills.addWidget(pill(str(check["verdict"]), verdict_word(str(check["verdict"]))))
        pills.addWidget(pill(_STATE_TOKENS[draft.state.key], state_word(draft.state.key)))
        pills.addStretch(1)
        self._add(line)
        if draft.state.outdated:
            changed = ", ".join(dict.fromkeys(part_words(one) for one in draft.state.changed[:6]))
            text = tr("Changed since the signature: {what}. A new opinion takes its place.", what=changed)
            self._add(label(text, "warning", wrap=True))
        form = Form()
        for caption, text in self._facts(draft):
            form.add(caption, label(text, wrap=True))
        self._add(form)
        self._side.addSpacing(8)
        self._add(label(tr("Signatures"), "heading"))
        for one in draft.state.signoffs:
            self._add(_signature(one))
        self._sign_form(draft)
        self._side.addStretch(1)

    def _add(self, widget: QWidget) -> None:
        self._side.addWidget(widget)

    def _facts(self, draft: Draft) -> list[tuple[str, str]]:
        content = draft.sealed.content
        findings, issues = content["findings"], content["issues"]
        failed = sum(one["verdict"] == "fail" for one in findings)
        opened = sum(one["status"] != "closed" for one in issues)
        return [
            (tr("Drawing"), str(content["drawing"]["file_name"])),
            (tr("Findings"), tr("{count}, {failed} failed", count=len(findings), failed=failed)),
            (tr("Issues"), tr("{count}, {opened} open", count=len(issues), opened=opened)),
            (tr("Marks"), str(len(content["markups"]))),
            (tr("Reports"), str(len(content["reports"]))),
            (tr("Pictures"), str(len(content["pictures"]))),
            (tr("Seal"), f"{draft.sealed.seal[:16]}…"),
        ]

    # signing

    def _sign_form(self, draft: Draft) -> None:
        """The signature that is due: the reviewer's under a new opinion, then the approver's under the same."""
        if draft.state.key == "signed":
            return
        role = "approver" if draft.state.key == "reviewed" else "reviewer"
        self._name = QLineEdit(self.state.context.user if role == "reviewer" else "")
        self._name.setPlaceholderText(tr("another person than the reviewer") if role == "approver" else "")
        self._verdict = combo()
        for key in ("approved", "returned", "rejected"):
            self._verdict.addItem(conclusion_words(key), key)
        passed = draft.sealed.content["check"]["verdict"] == "pass"
        self._verdict.setCurrentIndex(0 if passed else 1)
        self._remark = QLineEdit()
        self._remark.setPlaceholderText("" if passed else tr("needed to approve what did not pass"))
        form = Form()
        form.add(role_words(role), self._name)
        form.add(tr("Conclusion"), self._verdict)
        form.add(tr("Remark"), self._remark)
        form.add_buttons(button(tr("Sign"), lambda: self._sign(role)))
        self._add(form)

    def _sign(self, role: str) -> None:
        project, record, draft = self.state.project, self.state.record, self._draft
        if project is None or record is None or draft is None:
            return
        name, verdict, remark = self._name.text(), self._verdict.currentData(), self._remark.text()

        def work(progress: Progress) -> SignOff:
            from plugins.review.model.opinion.signing import sign

            return sign(project, record, role, name, verdict, remark, opinion=draft.opinion)

        self.run(tr("Signing"), work, lambda _: self.load())

    # files

    def apply(self) -> None:
        """Write the opinion as it is shown."""
        draft = self._draft
        if draft is None:
            return
        name = f"{draft.sealed.content['about']['number']}.pdf"
        sealed = tr("Sealed opinion")
        path = self.state.context.ask_save(
            tr("Opinion"), name, f"PDF (*.pdf);;Word (*.docx);;HTML (*.html);;{sealed} (*.json)"
        )
        if path is None:
            return

        def work(progress: Progress) -> str:
            from plugins.review.model.opinion.write import write_opinion

            return write_opinion(draft.sealed, path)

        def done(sha: str) -> None:
            self.notice.say(tr("Written to {file}.", file=path.name), f"SHA-256 {sha}", "success")

        self.run(tr("Writing {name}", name=path.name), work, done)


def page_images(sealed: Sealed, progress: Progress) -> tuple[QImage, ...]:
    """The opinion's pages as they print."""
    from plugins.review.model.drawing.rasters import render_page
    from plugins.review.model.opinion.write import write_opinion

    images = []
    with tempfile.TemporaryDirectory(prefix="planner-opinion-") as folder:
        path = Path(folder) / "opinion.pdf"
        write_opinion(sealed, path)
        count = page_count(path)
        for number in range(1, min(count, _MOST_PAGES) + 1):
            progress.update(number / (count + 1))
            pixels = render_page(path, number, _PAGE_WIDTH * 2)
            height, width = pixels.shape[:2]
            images.append(QImage(pixels.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888).copy())
    return tuple(images)


def page_count(path: Path) -> int:
    """Pages of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return len(document)
    finally:
        document.close()


def _signature(one: SignOff) -> QWidget:
    text = " · ".join((f"{role_words(one.role)} {one.name}", conclusion_words(one.verdict), words.day_time(one.time)))
    return label("\n".join(part for part in (text, one.remark) if part), "small", wrap=True)
