"""The dialog that selects by an expression over a layer's attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from planner_app.i18n import tr
from planner_app.ui.tools.select import Mode, select_by_expression

if TYPE_CHECKING:
    from planner_app.ui.session import Session

_CHECK_MS = 350
_MOST_VALUES = 200
_OPERATORS = ("=", "<>", ">", "<", ">=", "<=", "AND", "OR", "NOT", "LIKE", "IN ()", "IS NULL")


class SelectExpressionDialog(QDialog):
    """Layer, expression, what to do with the present selection; the number of hits is counted while typing."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._asked = 0
        self.setWindowTitle(tr("Select by expression"))
        self.resize(640, 480)
        self.layer_box = QComboBox(self)
        for layer in session.layers():
            self.layer_box.addItem(layer.name, layer.id)
        self.layer_box.setCurrentIndex(max(self.layer_box.findData(session.current_layer), 0))
        self.mode_box = QComboBox(self)
        for mode, title in (
            ("replace", tr("New selection")),
            ("add", tr("Add to the selection")),
            ("remove", tr("Remove from the selection")),
            ("within", tr("Search within the selection")),
        ):
            self.mode_box.addItem(title, mode)
        self.field_list, self.value_list = QListWidget(self), QListWidget(self)
        self.edit = QPlainTextEdit(self)
        self.edit.setPlaceholderText(tr("For example: area > 1000 AND code = 'R2'"))
        self.note = QLabel(self)
        self.note.setProperty("look", "secondary")
        self.note.setWordWrap(True)
        self.button = QPushButton(tr("Select"), self)
        self.button.setProperty("look", "primary")
        self.button.setDefault(True)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(self._check)
        self.layer_box.currentIndexChanged.connect(self._layer_changed)
        self.edit.textChanged.connect(self._changed)
        self.field_list.currentItemChanged.connect(self._field_changed)
        self.field_list.itemDoubleClicked.connect(lambda item: self.insert(quote_name(item.data(256))))
        self.value_list.itemDoubleClicked.connect(lambda item: self.insert(item.data(256)))
        self.button.clicked.connect(self.run)
        self._layer_changed()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Layer"), self.layer_box)
        form.addRow(tr("Result"), self.mode_box)
        lists = QHBoxLayout()
        for title, box in ((tr("Fields"), self.field_list), (tr("Values"), self.value_list)):
            column = QVBoxLayout()
            label = QLabel(title, self)
            label.setProperty("look", "secondary")
            column.addWidget(label)
            column.addWidget(box)
            lists.addLayout(column)
        operators = QHBoxLayout()
        operators.setSpacing(2)
        for operator in _OPERATORS:
            button = QToolButton(self)
            button.setText(operator)
            button.clicked.connect(lambda _=False, text=operator: self.insert(text))
            operators.addWidget(button)
        operators.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        close = QPushButton(tr("Close"), self)
        close.clicked.connect(self.reject)
        foot.addWidget(close)
        foot.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addLayout(lists, 2)
        layout.addLayout(operators)
        layout.addWidget(self.edit, 1)
        layout.addLayout(foot)

    @property
    def layer_id(self) -> str:
        """The chosen layer."""
        return str(self.layer_box.currentData() or "")

    def insert(self, text: str) -> None:
        """Put text where the cursor stands, with spaces around it."""
        before = self.edit.toPlainText()[: self.edit.textCursor().position()]
        self.edit.insertPlainText(("" if not before or before.endswith((" ", "(")) else " ") + text + " ")
        self.edit.setFocus()

    def _layer_changed(self) -> None:
        self.field_list.clear()
        self.value_list.clear()
        layer = self._session.layer(self.layer_id)
        for info in layer.fields if layer is not None else ():
            item = QListWidgetItem(f"{info.name}  {info.alias}" if info.alias else info.name, self.field_list)
            item.setData(256, info.name)
        self._changed()

    def _field_changed(self, item: QListWidgetItem | None) -> None:
        self.value_list.clear()
        project, layer_id = self._session.project, self.layer_id
        if item is None or project is None:
            return
        field = str(item.data(256))

        def work(_progress: object) -> list[object]:
            column = project.read(layer_id, columns=[field], geometry=False, limit=20_000).columns[field]
            known = {value for value in column if value is not None}
            return sorted(known, key=lambda v: (isinstance(v, str), v))[:_MOST_VALUES]

        def done(values: list[object]) -> None:
            if self.layer_id == layer_id and self.field_list.currentItem() is item:
                for value in values:
                    entry = QListWidgetItem(str(value), self.value_list)
                    entry.setData(256, quote_value(value))

        self._session.jobs.run("", work, done, listed=False)

    def _changed(self) -> None:
        self.button.setEnabled(bool(self.edit.toPlainText().strip()) and bool(self.layer_id))
        self.note.setText("")
        self._asked += 1
        self._timer.start()

    def _check(self) -> None:
        """Count what the expression finds, so that a mistake shows while typing."""
        where, layer_id, project = self.edit.toPlainText().strip(), self.layer_id, self._session.project
        if not where or not layer_id or project is None:
            return
        asked = self._asked

        def work(_progress: object) -> int:
            return len(project.read(layer_id, columns=[], where=where, geometry=False))

        def done(count: int) -> None:
            if asked == self._asked:
                self.note.setText(tr("{count} objects meet this.", count=f"{count:,}"))

        def failed(error: Exception) -> None:
            if asked == self._asked:
                self.note.setText(self._session.word(error)[0])

        self._session.jobs.run("", work, done, failed, listed=False)

    def run(self) -> None:
        """Select."""
        mode: Mode = self.mode_box.currentData()
        select_by_expression(
            self._session,
            self.layer_id,
            self.edit.toPlainText().strip(),
            mode,
            lambda count: self.note.setText(tr("{count} objects found.", count=f"{count:,}")),
            lambda error: self.note.setText(self._session.word(error)[0]),
        )


def quote_name(name: str) -> str:
    """A column's name in an SQL expression; quoted unless it is a plain word."""
    return name if name.isascii() and name.isidentifier() else '"' + name.replace('"', '""') + '"'


def quote_value(value: object) -> str:
    """A value in an SQL expression."""
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
