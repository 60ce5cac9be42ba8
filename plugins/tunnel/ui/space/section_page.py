"""The cross-section editor in the bottom dock: where, what lies there, what the rules say, moving lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import Notice, combo, label
from plugins.tunnel.model import tables
from plugins.tunnel.model.space.axis import parse_station, station
from plugins.tunnel.model.space.export import SECTION_SUFFIXES, write_section
from plugins.tunnel.model.space.judge import judge_section
from plugins.tunnel.model.space.moving import move_line
from plugins.tunnel.model.space.section import Section
from plugins.tunnel.model.tables import LINE
from plugins.tunnel.ui.space.empty import Empty
from plugins.tunnel.ui.space.finding_list import FindingList, counted
from plugins.tunnel.ui.space.looks import Knob, scaled
from plugins.tunnel.ui.space.reading import JudgedSection, Piece, read_section
from plugins.tunnel.ui.space.section_canvas import SectionCanvas, Target
from plugins.tunnel.ui.state import Asset

if TYPE_CHECKING:
    from plugins.tunnel.ui.space.desk import SpaceDesk


class SectionPage(QWidget):
    """Chooser, canvas and findings."""

    def __init__(self, desk: SpaceDesk) -> None:
        super().__init__()
        self.desk, self.context, self.state = desk, desk.context, desk.state
        self.shown: JudgedSection | None = None
        self._wanted: tuple[str, float | None] | None = None
        self._rules: list[Rule] | None = None
        self.canvas = SectionCanvas(self.context, self._judge)
        self.findings = FindingList(self.context)
        self.summary = label("", "heading")
        self.about = label("", "small", wrap=True)
        self.notice = Notice()
        self.empty = Empty(self.context, self.state)
        self._stack = QStackedWidget()
        self._lay_out()
        self.canvas.selected.connect(self._select)
        self.canvas.previewed.connect(self._preview)
        self.canvas.dropped.connect(self._drop)
        self.findings.chosen.connect(self._finding_chosen)
        desk.catalogue_changed.connect(self._catalogue_changed)
        self.state.asset_changed.connect(self._asset_changed)
        self.state.pointed.connect(self._pointed)
        self.context.selection.changed.connect(self._map_selected)
        for key, by in ((Qt.Key.Key_PageUp, -1), (Qt.Key.Key_PageDown, 1)):
            shortcut = QShortcut(QKeySequence(key), self.canvas, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(partial(self.step, by))
        self._catalogue_changed()

    def _lay_out(self) -> None:
        self.tunnels = combo(lambda: self.open(str(self.tunnels.currentData() or "")))
        self.sections = combo(lambda: self.open(str(self.sections.currentData() or "")))
        self.chainage = QLineEdit()
        self.chainage.setMinimumWidth(scaled(72))
        self.chainage.setMaximumWidth(scaled(104))
        self.chainage.setPlaceholderText("K0+000.00")
        self.chainage.setAccessibleName(tr("Chainage"))
        self.chainage.setToolTip(tr("Chainage: 1234.5 or K1+234.5"))
        self.chainage.returnPressed.connect(self._chainage_entered)
        for box, name in ((self.tunnels, tr("Tunnel")), (self.sections, tr("Section"))):
            box.setMaximumWidth(scaled(300))
            box.setMinimumContentsLength(2)
            box.setAccessibleName(name)
            box.setToolTip(name)
        self.follow = QCheckBox(tr("Follow map"))
        self.follow.setChecked(True)
        self.follow.setToolTip(tr("The section goes along with the pointer near a tunnel on the map"))
        self.before = Knob(self.context, "arrow-left", tr("Previous section (Page up)"), lambda: self.step(-1))
        self.after = Knob(self.context, "arrow-right", tr("Next section (Page down)"), lambda: self.step(1))
        head = QHBoxLayout()
        head.setContentsMargins(scaled(10), scaled(5), scaled(8), scaled(5))
        head.setSpacing(4)
        for part, share in (
            (self.tunnels, 3), (self.before, 0), (self.sections, 4), (self.after, 0), (self.chainage, 0),
            (self.follow, 0),
        ):  # fmt: skip
            head.addWidget(part, share)
        head.addStretch(2)
        for icon, title, run in (
            ("minus", tr("Zoom out"), lambda: self.canvas.zoom(0.8)),
            ("plus", tr("Zoom in"), lambda: self.canvas.zoom(1.25)),
            ("maximize", tr("Show the whole section"), self.canvas.fit),
            ("download", tr("Export…"), self.export),
        ):
            head.addWidget(Knob(self.context, icon, title, run))
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, scaled(4), 0, 0)
        column.setSpacing(4)
        for text in (self.summary, self.about):
            text.setContentsMargins(scaled(12), 0, scaled(12), 0)
            column.addWidget(text)
        column.addWidget(self.notice)
        column.addWidget(self.findings, 1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.canvas)
        self._split.addWidget(side)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([scaled(700), scaled(300)])
        self._split.setChildrenCollapsible(False)
        work = QWidget()
        rows = QVBoxLayout(work)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(head)
        rows.addWidget(self._split, 1)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(work)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    # where

    def open(self, code: str, m: float | None = None) -> None:
        """Go to a tunnel or section, at a chainage; without a code stay, or go to the first tunnel."""
        catalogue = self.desk.catalogue
        if catalogue is None:
            self._wanted = (code, m)
            return
        if not code:
            if self.shown is not None:
                self.desk.section_shown(self.shown.section)
                return
            code = next((one for one, _ in catalogue.tunnels if catalogue.sections.get(one)), "")
            code = code or next((one for one, _ in catalogue.tunnels), "")
        if not code:
            self._say_empty()
            return
        self._load(code, m)

    def step(self, by: int) -> None:
        """To the section before or behind."""
        pieces = self._pieces()
        at = next((n for n, one in enumerate(pieces) if self.shown and one.code == self.shown.section.code), None)
        if at is not None and 0 <= at + by < len(pieces):
            self._load(pieces[at + by].code, None)

    def forget(self) -> None:
        """Another project: nothing of the old one stays."""
        self.shown = self._wanted = None
        self.canvas.show_section(None)
        self.findings.set(())
        self._say_empty()

    def _pieces(self) -> Sequence[Piece]:
        catalogue = self.desk.catalogue
        return () if catalogue is None or self.shown is None else catalogue.sections.get(self.shown.section.tunnel, ())

    def _load(self, code: str, m: float | None) -> None:
        project = self.context.project
        if project is None:
            return
        work = partial(read_section, project, code, m, self.rules())
        self.context.in_background(
            "space.section", work, partial(self._take, project), partial(self._failed, project, code)
        )

    def rules(self) -> list[Rule]:
        """The rules of sections; files are read once."""
        if self._rules is None:
            self._rules = self.context.rules("tunnel.section")
        return self._rules

    def _take(self, project: object, judged: JudgedSection) -> None:
        if project is not self.context.project:
            return
        moved = self.shown is None or self.shown.section.tunnel != judged.section.tunnel
        moved = moved or self.shown is None or self.shown.section.m != judged.section.m
        self.shown = judged
        section = judged.section
        self._stack.setCurrentIndex(1)
        self.notice.clear()
        self.canvas.show_section(section, judged.findings)
        self._show_findings(judged.findings)
        self._fill_choosers()
        self._show_notes(section)
        self.desk.rename("section", tr("Section {code}", code=section.code))
        self._mark_selected()
        if moved:
            self.desk.section_shown(section)

    def _failed(self, project: object, code: str, error: Exception) -> None:
        if not isinstance(error, PlannerError):
            raise error
        if project is not self.context.project:
            return
        sentence, hint = self.context.word(error)
        if self.shown is not None and error.code in ("tunnel.section_range", "tunnel.chainage_unreadable"):
            self.notice.say(sentence, hint, "warning")
            self._fill_choosers()
            return
        if error.code in ("tunnel.no_table", "tunnel.section_unknown", "tunnel.section_unmeasured"):
            sentence = tr("{code} has no section with chainages.", code=code)
            hint = tr("Import its sections and compartments, or draw them, on the assets page.")
        self.shown = None
        self.canvas.show_section(None)
        self.empty.say(sentence, hint, offer=True)
        self._stack.setCurrentIndex(0)
        self.desk.link.update()

    def _say_empty(self) -> None:
        self.empty.say_nothing(
            tr("Import tunnels with their sections and compartments, or draw them, on the assets page.")
        )
        self._stack.setCurrentIndex(0)

    def _catalogue_changed(self) -> None:
        catalogue = self.desk.catalogue
        if catalogue is None:
            return
        self._rules = None
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.open(*wanted)
        elif self.shown is not None and catalogue.tunnel_of(self.shown.section.code):
            section = self.shown.section
            self._load(section.code, section.m)
        elif catalogue.tunnels and self.desk.visible("section"):
            self.shown = None
            self.open("")
        elif not catalogue.tunnels:
            self.shown = None
            self.canvas.show_section(None)
            self._say_empty()

    def _fill_choosers(self) -> None:
        catalogue = self.desk.catalogue
        if catalogue is None or self.shown is None:
            return
        section = self.shown.section
        with QSignalBlocker(self.tunnels), QSignalBlocker(self.sections):
            self.tunnels.clear()
            for code, name in catalogue.tunnels:
                self.tunnels.addItem(f"{code} {name}".strip(), code)
            self.tunnels.setCurrentIndex(self.tunnels.findData(section.tunnel))
            self.sections.clear()
            for piece in self._pieces():
                self.sections.addItem(
                    f"{piece.code}  {station(piece.from_m)[:-3]}–{station(piece.to_m)[:-3]}", piece.code
                )
            self.sections.setCurrentIndex(self.sections.findData(section.code))
        if not self.chainage.hasFocus() or not self.chainage.isModified():
            self.chainage.setText(station(section.m))
        at = self.sections.currentIndex()
        self.before.setEnabled(at > 0)
        self.after.setEnabled(0 <= at < self.sections.count() - 1)

    def _chainage_entered(self) -> None:
        self.chainage.setModified(False)
        if self.shown is None:
            return
        try:
            m = parse_station(self.chainage.text())
        except PlannerError as error:
            self.notice.say(*self.context.word(error), "warning")
            return
        self.follow.setChecked(False)
        self._load(self.shown.section.tunnel or self.shown.section.code, m)

    # what is judged

    def _judge(self, section: Section) -> list[Finding]:
        return judge_section(section, self.rules(), today=date.today())

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        self.findings.set(findings)
        self.summary.setText(counted(findings) or tr("No rule applies"))

    def _show_notes(self, section: Section) -> None:
        parts = [
            tr("profile {profile}", profile=section.profile) if section.profile else "",
            tr("built to {edition}", edition=section.built or tr("unknown")),
        ]
        notes = [word(code, params) for code, params in section.notes]
        if notes:
            more = tr("and {count} more", count=len(notes) - 1) if len(notes) > 1 else ""
            self.notice.say(notes[0], more, "warning")
            self.notice.setToolTip("\n".join(notes))
        self.about.setText(" · ".join(part for part in parts if part))

    def _finding_chosen(self, finding: Finding | None) -> None:
        fids = frozenset((finding.params or {}).get("fids", ())) if finding is not None else frozenset()
        if finding is None:
            self._mark_selected()
        else:
            self.canvas.choose(fids)

    def _preview(self, section: Section | None, findings: Sequence[Finding] | None) -> None:
        if section is not None and findings is not None:
            self._show_findings(findings)
        elif self.shown is not None:
            self._show_findings(self.shown.findings)

    def _drop(self, fid: int, target: Target) -> None:
        project = self.context.project
        if project is None or self.shown is None:
            return
        section = self.shown.section
        try:
            command = move_line(project, section, fid, support=target.support, place=(target.x, target.y))
        except PlannerError as error:
            self.notice.say(*self.context.word(error), "error")
            done = None
        else:
            done = self.context.execute(command)
        scene = self.canvas.scene
        if done is None or scene is None:  # said already; the line lies where it lay
            self.canvas.show_section(section, self.shown.findings)
            self._show_findings(self.shown.findings)
        else:
            self.shown = JudgedSection(scene.section, tuple(scene.findings), self.shown.lines)

    # selection and cursor, both ways

    def _select(self, fid: int) -> None:
        project = self.context.project
        if project is None or self.shown is None:
            return
        line = next((one.line for one in self.shown.section.placements if one.fid == fid), "")
        layer, at = tables.find(project, LINE), self.shown.lines.get(line)
        self.canvas.choose(frozenset({fid} if fid else ()))
        if layer is None or at is None:
            self.state.select(None)
            if self._selected_on_map():
                self.context.selection.clear()
            return
        self.state.select(Asset("net_line", at, line))
        self.context.selection.set(layer.id, [at])

    def _mark_selected(self) -> None:
        """The line everything speaks of stands out, if it lies here."""
        if self.shown is None:
            return
        asset = self.state.asset
        codes = {asset.code} if asset is not None and asset.table == "net_line" else self._selected_on_map()
        self.canvas.choose(frozenset(one.fid for one in self.shown.section.placements if one.line in codes))

    def _selected_on_map(self) -> set[str]:
        project = self.context.project
        layer = tables.find(project, LINE) if project is not None else None
        if layer is None or self.shown is None:
            return set()
        fids = set(self.context.selection.fids(layer.id))
        return {code for code, fid in self.shown.lines.items() if fid in fids}

    def _map_selected(self) -> None:
        codes = self._selected_on_map()
        if self.shown is not None and len(codes) == 1:
            (code,) = codes
            self.state.select(Asset("net_line", self.shown.lines[code], code))
        if self.shown is not None:
            self.canvas.choose(frozenset(one.fid for one in self.shown.section.placements if one.line in codes))

    def _asset_changed(self) -> None:
        asset = self.state.asset
        if asset is not None and asset.table in ("tunnel", "tunnel_section") and self.desk.visible("section"):
            self.open(asset.code)
        else:
            self._mark_selected()

    def _pointed(self, tunnel: str, m: float) -> None:
        if not tunnel or not self.follow.isChecked() or not self.desk.visible("section") or self.shown is None:
            return
        section = self.shown.section
        if (section.tunnel, section.m) != (tunnel, m) and self.canvas.target is None:
            self._load(tunnel, m)

    def export(self) -> None:
        """Write the section as a drawing or table."""
        if self.shown is not None:
            judged = self.shown
            name = f"{judged.section.code}_{station(judged.section.m)}.pdf"
            write = partial(write_section, judged.section, judged.findings)
            self.desk.save(tr("Export the section"), name, (".pdf", *SECTION_SUFFIXES), write)
