"""The tab 规则: what every rule says, worst first, with its clause; one click makes an issue of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Card, CardList, CardText, label
from planner_app.report.findings import finding_message, verdict_word
from plugins.review.model.cases.raising import can_be_marked
from plugins.review.ui import words
from plugins.review.ui.issues import flush_link
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from plugins.review.model.cases.records import Issue

#: Cards of one verdict; a city's rules on a large estate find hundreds, and the table has them all.
_MOST_CARDS = 80


class RuleList(QWidget):
    """Findings grouped by verdict.

    Args:
        raise_issue: makes an issue (and a redline where there is evidence) of a finding.
        open_issue: shows the issue a finding was made into.
    """

    def __init__(
        self, state: ReviewState, raise_issue: Callable[[Finding], None], open_issue: Callable[[Issue], None]
    ) -> None:
        super().__init__()
        self._state, self._raise, self._open = state, raise_issue, open_issue
        self._issues: dict[tuple[str, str], Issue] = {}
        self._shown: tuple[Finding, ...] = ()
        self._lists: list[CardList] = []
        self._empty = label(
            tr("Not checked yet. Check the drawing and every rule in force is listed here with its clause."),
            "secondary",
            wrap=True,
        )
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self._empty)
        self._groups = QWidget()
        self._inner = QVBoxLayout(self._groups)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self._inner.setSpacing(8)
        self._column.addWidget(self._groups)

    def show_findings(self, issues: Sequence[Issue]) -> None:
        """Show the current check; findings that are issues already say so."""
        findings = self._state.findings
        raised = {(one.rule, one.finding): one for one in issues if one.rule}
        if findings is self._shown and raised == self._issues:
            return  # every comment comes by here
        self._shown, self._issues = findings, raised
        self._empty.setVisible(not self._state.judged)
        while (item := self._inner.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._lists = []
        titles = {rule.id: words.rule_title(rule, rule.id) for rule in self._state.rules()}
        for verdict in words.VERDICTS:
            group = [(at, one) for at, one in enumerate(findings) if one.verdict.value == verdict]
            if not group:
                continue
            self._inner.addWidget(label(f"{verdict_word(verdict)} {len(group)}", "heading"))
            cards = CardList()
            cards.chosen.connect(self._chosen)
            cards.set_cards([self._card(at, one, titles) for at, one in group[:_MOST_CARDS]])
            self._lists.append(cards)
            self._inner.addWidget(cards)
            if len(group) > _MOST_CARDS:
                self._inner.addWidget(
                    label(tr("{count} more stand in the table below.", count=len(group) - _MOST_CARDS), "small")
                )

    def _card(self, at: int, finding: Finding, titles: dict[str, str]) -> Card:
        title = titles.get(finding.rule, finding.rule)
        head = f"{title} · {finding.feature}" if finding.feature else title
        source = " · ".join(
            text
            for text in (
                words.clause(finding.standard, finding.clause, finding.edition),
                words.confidence(finding.confidence),
            )
            if text
        )
        card = Card(CardText(str(at), head, "", finding_message(finding), words.pill(finding)))
        if source:
            card.add(label(source, "tertiary", wrap=True))
        if finding.verdict.value == "fail" and not finding.blocking:
            card.add(
                label(tr("Warns, does not block: the clause is not confirmed by the city."), "tertiary", wrap=True)
            )
        if finding.verdict.value != "pass" or finding.borderline:
            card.add(self._button(finding))
        return card

    def _button(self, finding: Finding) -> QWidget:
        issue = self._issues.get((finding.rule, finding.feature))
        if issue is None:
            marked = can_be_marked(self._state.opened, finding)
            text = tr("Mark and raise issue") if marked else tr("Raise issue")
            knob = flush_link(text, partial(self._raise, finding))
        else:
            knob = flush_link(tr("Issue #{number}", number=issue.number), partial(self._open, issue))
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(knob)
        line.addStretch(1)
        return holder

    def _chosen(self, key: str) -> None:
        from plugins.review.ui.marks import of_finding

        for cards in self._lists:
            cards.select(key)
        self._state.show(of_finding(self._state.opened, self._state.findings[int(key)]))
