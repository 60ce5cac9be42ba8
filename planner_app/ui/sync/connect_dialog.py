"""Connecting to a city server: address or service file, user, password, how the line is guarded; then what to do."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTabBar,
    QWidget,
)

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.controls import ThemedIcon, button, column, label, row
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session
from planner_app.ui.sync.address import TLS_MODES, ServerAddress
from planner_app.ui.sync.line import Line
from planner_app.ui.sync.rights import role_word
from planner_app.ui.sync.words import tls_look, tls_name

if TYPE_CHECKING:
    from planner_app.sync.types import ServerInfo


def service_names() -> list[str]:
    """Services of the person's service file; empty without one."""
    path = Path(os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf")
    reader = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        reader.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return []
    return reader.sections()


class AddressForm(QWidget):
    """Where the server is, as whom, how guarded."""

    changed = Signal()

    def __init__(self, session: Session, address: ServerAddress | None) -> None:
        super().__init__()
        self._session = session
        known = address or ServerAddress()
        self._other = known.other
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.addTab(tr("Address"))
        self.tabs.addTab(tr("Service file"))
        self.host, self.port = QLineEdit(known.host), QLineEdit(str(known.port))
        self.host.setPlaceholderText(tr("such as gis.city.gov.cn"))
        self.port.setFixedWidth(session.theme.px(72))
        self.database, self.user = QLineEdit(known.database), QLineEdit(known.user)
        self.tls = QComboBox()
        for mode in TLS_MODES:
            self.tls.addItem(tls_name(mode), mode)
        self.tls.setCurrentIndex(max(self.tls.findData(known.tls), 0))
        self.certificate = QLineEdit(known.root_certificate)
        self.certificate.setPlaceholderText(tr("the system's, unless named here"))
        self._certificate_row = QWidget()
        self._certificate_row.setLayout(row(self.certificate, button(tr("Browse…"), self._browse), spacing=6))
        self.lock, self.guarded = ThemedIcon(session.theme, "lock", 14, "pass"), label("", "small", wrap=True)
        by_address = self._form()
        by_address.addRow(fact(tr("Server")), _beside(self.host, label(tr("Port"), "secondary"), self.port))
        by_address.addRow(fact(tr("Database")), self.database)
        by_address.addRow(fact(tr("User")), self.user)
        by_address.addRow(fact(tr("Encryption")), self.tls)
        self._certificate_label = fact(tr("Authority file"))
        by_address.addRow(self._certificate_label, self._certificate_row)
        self.service = QComboBox()
        self.service.setEditable(True)
        self.service.addItems(service_names())
        self.service.setCurrentText(known.service)
        by_service = self._form()
        by_service.addRow(fact(tr("Service")), self.service)
        hint = tr("Entries of pg_service.conf; the password then comes from pgpass, or is asked for.")
        by_service.addRow("", label(hint, "small", wrap=True))
        self._pages = (QWidget(), QWidget())
        for page, form in zip(self._pages, (by_address, by_service), strict=True):
            page.setLayout(form)
        self.tabs.currentChanged.connect(lambda _: self._show())
        self.tls.currentIndexChanged.connect(lambda _: self._show())
        self.host.textChanged.connect(lambda _: self._show())
        guarded = row(spacing=6)
        guarded.addWidget(self.lock, 0, Qt.AlignmentFlag.AlignTop)
        guarded.addWidget(self.guarded, 1)
        self.setLayout(column(self.tabs, *self._pages, guarded, spacing=10))
        self.tabs.setCurrentIndex(1 if known.service else 0)
        self._show()

    def _form(self) -> QFormLayout:
        made = QFormLayout()
        made.setContentsMargins(0, 0, 0, 0)
        made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        made.setHorizontalSpacing(16)
        made.setVerticalSpacing(8)
        return made

    def _show(self) -> None:
        by_service = self.tabs.currentIndex() == 1
        for page, shown in zip(self._pages, (not by_service, by_service), strict=True):
            page.setVisible(shown)
        self.tls.setEnabled(not self.host.text().startswith("/"))  # a socket of this computer
        verified = self.tls.currentData().startswith("verify") and not self.host.text().startswith("/")
        self._certificate_row.setVisible(verified)
        self._certificate_label.setVisible(verified)
        icon, token, sentence = tls_look(ServerAddress(service="…") if by_service else self.address())
        self.lock.set_icon(icon, token)
        self.guarded.setText(sentence)
        self.changed.emit()

    def _browse(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, tr("Certificate of the authority"), self._session.settings.last_folder,
            tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
        )  # fmt: skip
        if name:
            self.certificate.setText(name)

    def address(self) -> ServerAddress:
        """What was filled in."""
        if self.tabs.currentIndex() == 1:
            return ServerAddress(service=self.service.currentText().strip())
        host, port = self.host.text().strip(), self.port.text().strip()
        return ServerAddress(
            host, int(port) if port.isdecimal() else 0, self.database.text().strip(), self.user.text().strip(),
            tls=self.tls.currentData(), root_certificate=self.certificate.text().strip(), other=self._other,
        )  # fmt: skip

    def problem(self) -> tuple[str, str, QWidget | None]:
        """(what is missing, what to do, where), empty if nothing is."""
        address = self.address()
        if self.tabs.currentIndex() == 1:
            return ("", "", None) if address.service else (tr("Name a service."), "", self.service)
        if not address.host:
            return tr("Where is the server?"), tr("Ask your administrator for its name."), self.host
        if not 0 < address.port < 65536:
            told = tr("“{port}” is no port.", port=self.port.text())
            return told, tr("PostgreSQL usually listens on 5432."), self.port
        if not address.database:
            return tr("Which database?"), tr("Ask your administrator for its name."), self.database
        if not address.user:
            return tr("As whom?"), tr("Ask your administrator for your user name."), self.user
        return "", "", None


def _beside(first: QWidget, *others: QWidget) -> QWidget:
    made = QWidget()
    line = row(spacing=8)
    line.addWidget(first, 1)
    for other in others:
        line.addWidget(other)
    made.setLayout(line)
    return made


class ConnectDialog(FormDialog):
    """Two steps: the address, then (once the server answered) what to do there.

    Signals:
        registered(conninfo, password): the open project shall be synced with that server.
        opened(conninfo, password, ProjectDef): that project shall be fetched into a file.
    """

    registered = Signal(str, object)
    opened = Signal(str, object, object)

    def __init__(self, session: Session, parent: QWidget, *, to_open: bool) -> None:
        super().__init__(session, tr("City server"), tr("Connect"), parent, 560)
        self._to_open = to_open
        self._line = Line("connecting", self)
        self.info: ServerInfo | None = None
        known = session.sync.conninfo or str(session.settings.sync.get("address", ""))
        try:
            address = ServerAddress.of(known) if known else None
        except ValueError:
            address = None
        self.form_ = AddressForm(session, address)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText(tr("leave empty to use the one that is kept"))
        self.remember = QCheckBox(tr("Keep the password in this computer's keyring"))
        self.remember.setChecked(True)
        secret = QFormLayout()
        secret.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        secret.setHorizontalSpacing(16)
        secret.addRow(fact(tr("Password")), self.password)
        secret.addRow(fact(""), self.remember)
        first = QWidget()
        first.setLayout(column(self.form_, spacing=8))
        first.layout().addLayout(secret)  # type: ignore[union-attr]
        self.answer = label("", "heading", wrap=True)
        self.guarded = label("", "small", wrap=True)
        self.about = label("", "secondary", wrap=True)
        self.projects = QListWidget()
        self.projects.setProperty("look", "boxed")
        self.projects.setMinimumHeight(session.theme.px(150))
        self.projects.itemDoubleClicked.connect(lambda _: self.submit())
        second = QWidget()
        said = row(spacing=10)
        said.addWidget(ThemedIcon(session.theme, "circle-check", 18, "pass"), 0, Qt.AlignmentFlag.AlignTop)
        said.addLayout(column(self.answer, self.guarded, spacing=2), 1)
        second.setLayout(column(said, self.about, self.projects, None, spacing=12))
        self._pages = (first, second)
        for page in self._pages:
            self.body.addWidget(page)
        second.hide()
        self.body.addStretch(1)
        self.form_.changed.connect(lambda: self.fit(shrink=True))
        (self.form_.problem()[2] or self.password).setFocus()
        self.finished.connect(lambda _: self._line.close(0.0))

    def submit(self) -> None:
        """Connect; then hand over what was chosen."""
        if self.info is None:
            self._connect()
        elif self._to_open:
            if self.projects.currentRow() < 0:
                self.complain(tr("Choose a project."))
                return
            chosen = self.projects.currentItem().data(Qt.ItemDataRole.UserRole)
            self._hand_over()
            self.opened.emit(self._conninfo, self._password, chosen)
            self.accept()
        else:
            self._hand_over()
            self.registered.emit(self._conninfo, self._password)
            self.accept()

    def _hand_over(self) -> None:
        self.session.settings.sync["address"] = self._conninfo
        self.session.settings.save()

    def _connect(self) -> None:
        text, hint, where = self.form_.problem()
        if where is not None:
            self.complain(text, hint)
            where.setFocus()
            return
        assert self.accept_button is not None
        self.notice.hide()
        self._conninfo = self.form_.address().conninfo()
        self._password = self.password.text() or None
        backend, remember = self.session.sync.backend, self.remember.isChecked()
        conninfo, password = self._conninfo, self._password
        self._line.connect_by(lambda: backend.connect(conninfo, password))
        self.accept_button.setEnabled(False)
        self.accept_button.setText(tr("Connecting…"))

        def done(info: ServerInfo) -> None:
            self._answered(info)
            if password is not None and remember:
                try:
                    backend.keep_password(conninfo, password)
                except PlannerError as error:  # it works all the same, until the program ends
                    self.notice.show_text(self.session.word(error)[0], "warning", self.session.word(error)[1])
                    self.fit()

        self._line.ask(lambda transport: transport.hello(), done, self._refused)

    def _refused(self, error: Exception) -> None:
        assert self.accept_button is not None
        self.accept_button.setEnabled(True)
        self.accept_button.setText(tr("Connect"))
        self.complain(*self.session.word(error))
        if isinstance(error, PlannerError) and error.code in ("sync.password_needed", "sync.login_failed"):
            self.password.setFocus()

    def _answered(self, info: ServerInfo) -> None:
        assert self.accept_button is not None
        self.info = info
        project = self.session.project
        self.accept_button.setEnabled(True)
        self.answer.setText(tr("Connected as {user} ({role}).", user=info.user, role=role_word(info.role)))
        self.guarded.setText(tls_look(self.form_.address())[2])
        self.projects.setVisible(self._to_open)
        if self._to_open:
            self.about.setText(
                tr("Projects you may see:") if info.projects else tr("There is no project on this server you may see.")
            )
            for one in info.projects:
                item = QListWidgetItem(f"{one.name}    {one.crs}")
                item.setData(Qt.ItemDataRole.UserRole, one)
                self.projects.addItem(item)
            self.projects.setCurrentRow(0)
            self.accept_button.setText(tr("Next"))
            self.accept_button.setEnabled(bool(info.projects))
        elif project is not None:
            text, may = self._about_project(project.name, info)
            self.about.setText(text)
            self.accept_button.setText(tr("Sync"))
            self.accept_button.setEnabled(may)
        self._pages[0].hide()
        self._pages[1].show()
        self.fit(shrink=True)
        self.accept_button.setFocus()

    def _about_project(self, name: str, info: ServerInfo) -> tuple[str, bool]:
        """(what a sync would do, whether the user may have it done)."""
        project = self.session.project
        own = self.session.sync.backend.project_uuid(project) if project is not None else ""
        if any(one.uuid == own for one in info.projects):
            return tr(
                "“{name}” is on this server. Syncing takes over what others did and sends what you did.", name=name
            ), True
        if info.role == "viewer":
            return tr(
                "“{name}” is not on this server yet, and whoever may only look cannot bring it there. Ask an "
                "administrator for another role.", name=name,
            ), False  # fmt: skip
        return tr(
            "“{name}” is not on this server yet. Syncing makes it known there under this name and sends all its "
            "layers; then others can open it.", name=name,
        ), True  # fmt: skip
