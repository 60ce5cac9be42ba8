"""Section and profile of one window: what they share of the project, and who is asked to show what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.ui import DockPage, PanelContext
from plugins.tunnel.model.space.section import Section
from plugins.tunnel.ui.space.map_link import MapLink
from plugins.tunnel.ui.space.profile_page import ProfilePage
from plugins.tunnel.ui.space.reading import Catalogue, read_catalogue
from plugins.tunnel.ui.space.section_page import SectionPage
from plugins.tunnel.ui.state import TunnelState

#: Titles of the dock pages while they show nothing.
TITLES = {"section": "Cross section", "profile": "Profile"}


class SpaceDesk(QObject):
    """Keeps the list of tunnels, makes the two dock pages when they are first asked for, carries cursors between them.

    Signals:
        catalogue_changed(): tunnels or sections changed; ``catalogue`` is None while it is read.
    """

    catalogue_changed = Signal()

    def __init__(self, context: PanelContext, state: TunnelState) -> None:
        super().__init__(state)
        self.context, self.state = context, state
        self.catalogue: Catalogue | None = None
        self.section_page: SectionPage | None = None
        self.profile_page: ProfilePage | None = None
        self._docks: dict[str, DockPage] = {}
        self.link = MapLink(context, self)
        state.project_changed.connect(self._project_changed)
        state.records_changed.connect(self._records_changed)
        self._read()

    # what is asked for

    def section(self, code: str = "", m: float | None = None) -> None:
        """Show the section of a tunnel or section at a chainage; what is selected, else the first, without a code."""
        page = self._section_page()
        self._docks["section"].show(0.5)
        page.open(code or self._chosen(), m)

    def profile(self, tunnel: str = "") -> None:
        """Show the profile of a tunnel."""
        page = self._profile_page()
        self._docks["profile"].show(0.5)
        page.open(tunnel or self._chosen())

    def path_profile(self, a: str = "", b: str = "") -> None:
        """Show the profile between two nodes; without them the person picks them on the map."""
        page = self._profile_page()
        self._docks["profile"].show(0.5)
        if a and b:
            page.open_path(a, b)
        else:
            page.pick()

    def visible(self, name: str) -> bool:
        """True while the page is in front of an open dock."""
        return name in self._docks and self._docks[name].visible()

    def rename(self, name: str, title: str) -> None:
        """Title of a page's tab."""
        self._docks[name].set_title(title)

    def save(self, title: str, name: str, suffixes: tuple[str, ...], write: Callable[[Path], None]) -> None:
        """Ask for a file and write it as a job."""
        patterns = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in suffixes)
        path = self.context.ask_save(title, name, patterns)
        if path is None:
            return
        target = path if path.suffix else path.with_suffix(suffixes[0])
        self.context.run_job(
            title, lambda _progress: write(target), lambda _: self.context.notify(
                tr("Written: {file}", file=target.name), level="success")
        )  # fmt: skip

    def _chosen(self) -> str:
        asset = self.state.asset
        return asset.code if asset is not None and asset.table in ("tunnel", "tunnel_section") else ""

    def _section_page(self) -> SectionPage:
        if self.section_page is None:
            self.section_page = SectionPage(self)
            self._docks["section"] = self.context.add_dock_page("section", tr(TITLES["section"]), self.section_page)
        return self.section_page

    def _profile_page(self) -> ProfilePage:
        if self.profile_page is None:
            self.profile_page = ProfilePage(self)
            self._docks["profile"] = self.context.add_dock_page("profile", tr(TITLES["profile"]), self.profile_page)
        return self.profile_page

    # the project

    def _project_changed(self) -> None:
        self.catalogue = None
        for name, page in (("section", self.section_page), ("profile", self.profile_page)):
            if page is not None:
                page.forget()
                self.rename(name, tr(TITLES[name]))
        self._read()

    def _records_changed(self, touched: frozenset[str]) -> None:
        if self.catalogue is None or touched & self.catalogue.own_layers:
            self._read()
        elif touched & self.catalogue.all_layers:
            self.catalogue_changed.emit()

    def _read(self) -> None:
        project = self.context.project
        if project is None:
            self._take(None, Catalogue())
            return
        self.context.in_background(
            "space.catalogue", partial(read_catalogue, project), partial(self._take, project),
            partial(self._failed, project),
        )  # fmt: skip

    def _take(self, project: object, catalogue: Catalogue) -> None:
        if project is self.context.project:
            self.catalogue = catalogue
            self.catalogue_changed.emit()

    def _failed(self, project: object, error: Exception) -> None:
        if not isinstance(error, PlannerError):
            raise error
        sentence, hint = self.context.word(error)
        self.context.notify(sentence, level="error", hint=hint)
        self._take(project, Catalogue(own_layers=frozenset({""})))

    # cursors

    def section_shown(self, section: Section) -> None:
        """The section page stands at another place."""
        self.state.point(section.tunnel, section.m)
        self.link.update()
