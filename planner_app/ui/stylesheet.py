"""The style sheet, made from the tokens. Sizes go through ``px`` so that a larger system font scales everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template

from planner_app.ui.icons import write_tinted

_SHEET = Template("""
* { outline: none; }
QWidget { color: $ink; font-family: "$family"; font-size: $s13;
    selection-background-color: $accent; selection-color: $on_accent; }
QMainWindow, QDialog { background: $panel; }
QToolTip { background: $panel; color: $ink; border: 1px solid $line; padding: $s4 $s6; }

#topbar { background: $panel; border-bottom: 1px solid $line; }
#rail { background: $panel; border-right: 1px solid $line; }
#statusbar { background: $panel; border-top: 1px solid $line; }
#statusbar QLabel, #statusbar QToolButton, #statusbar QComboBox { font-size: $s12; color: $secondary; }
#layerpanel { background: $panel; }
#taskpanel { background: $panel; }
#dock { background: $panel; }
#startpage { background: $background; }
#maparea { background: #FBFBF9; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }
QSplitter::handle:horizontal { width: 1px; } QSplitter::handle:vertical { height: 1px; }

QLabel { background: transparent; }
QLabel[look="title"] { font-size: $s13; font-weight: 600; }
QLabel[look="page-title"] { font-size: $s24; font-weight: 600; }
QLabel[look="heading"] { font-weight: 600; }
QLabel[look="secondary"] { color: $secondary; }
QLabel[look="small"] { color: $secondary; font-size: $s12; }
QLabel[look="tertiary"] { color: $tertiary; font-size: $s12; }
QLabel[look="figure"], QLabel[look="figure-pass"], QLabel[look="figure-fail"],
QLabel[look="figure-needs_certificate"], QLabel[look="figure-cannot_judge"] { font-size: $s18; font-weight: 600; }
QLabel[look="figure-pass"] { color: $pass; } QLabel[look="figure-fail"] { color: $fail; }
QLabel[look="figure-needs_certificate"] { color: $needs_certificate; }
QLabel[look="figure-cannot_judge"] { color: $cannot_judge; }
QLabel[look="error"] { color: $fail; } QLabel[look="warning"] { color: $needs_certificate; }
QLabel[look="success"] { color: $pass; }
QLabel[look="key"] { color: $tertiary; font-size: $s11; border: 1px solid $line; border-radius: $s4; padding: 0 $s4; }
QLabel[look="pill"] { color: $secondary; font-size: $s12; border: 1px solid $line; border-radius: $s11;
    padding: $s2 $s10; }
QLabel[look="pill-pass"] { color: $pass; border: 1px solid $pass; border-radius: $s10; padding: 1px $s8;
    font-size: $s12; }
QLabel[look="pill-fail"] { color: $fail; border: 1px solid $fail; border-radius: $s10; padding: 1px $s8;
    font-size: $s12; }
QLabel[look="pill-needs_certificate"] { color: $needs_certificate; border: 1px solid $needs_certificate;
    border-radius: $s10; padding: 1px $s8; font-size: $s12; }
QLabel[look="pill-cannot_judge"] { color: $cannot_judge; border: 1px solid $cannot_judge; border-radius: $s10;
    padding: 1px $s8; font-size: $s12; }

QFrame[look="line"] { background: $line; border: none; max-height: 1px; min-height: 1px; }
QFrame[look="vline"] { background: $line; border: none; max-width: 1px; min-width: 1px; }
QFrame[look="card"], QFrame[look="figures"] { background: $panel; border: 1px solid $line; border-radius: $s7; }
QFrame[look="card-selected"] { background: $panel; border: 2px solid $accent; border-radius: $s7; }
QFrame[look="card"]:hover { border-color: $field_line; }
QFrame[look="notice-info"], QFrame[look="notice-success"], QFrame[look="notice-warning"],
QFrame[look="notice-error"] { border-radius: $s6; border: 1px solid $line; background: $panel; }
QFrame[look="notice-success"] { border-color: $pass; background: $pass_ground; }
QFrame[look="notice-warning"] { border-color: $needs_certificate; background: $needs_certificate_ground; }
QFrame[look="notice-error"] { border-color: $fail; background: $fail_ground; }

QPushButton { background: $panel; border: 1px solid $field_line; border-radius: $s5; padding: $s5 $s12;
    min-height: $s18; }
QPushButton:hover { background: $hover; } QPushButton:pressed { background: $line; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $tertiary; border-color: $line; }
QPushButton[look="primary"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[look="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[look="primary"]:disabled { background: $line; color: $secondary; border-color: $line; }
QPushButton[look="primary"]:focus { border-color: $ink; }
QPushButton[look="chosen"] { background: $accent_ground; border-color: $accent; color: $accent; }
QPushButton[look="danger"] { color: $fail; border-color: $fail; }
QPushButton[look="quiet"] { border-color: transparent; background: transparent; }
QPushButton[look="quiet"]:hover { background: $hover; }
QPushButton[look="link"] { border: none; background: transparent; color: $accent; padding: $s2 $s4; }
QPushButton[look="link"]:hover { text-decoration: underline; } QPushButton[look="link"]:disabled { color: $tertiary; }
QPushButton[look="tile"] { text-align: left; padding: $s12 $s14; border: 1px solid $line; border-radius: $s7; }
QPushButton[look="tile"]:hover { border-color: $accent; background: $panel; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: $s5; padding: $s4; }
QToolButton:hover { background: $hover; }
QToolButton:focus { border-color: $accent; }
QToolButton:checked, QToolButton:pressed { background: $accent_ground; color: $accent; }
QToolButton:disabled { color: $tertiary; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[look="rail"] { font-size: $s11; color: $secondary; padding: $s5 0 $s4 0; border: none; border-radius: $s6; }
QToolButton[look="rail"]:checked { color: $accent; background: $accent_ground; }
QToolButton[look="rail"][quiet="true"]:checked { background: transparent; }
QToolButton[look="rail"][quiet="true"]:checked:hover { background: $hover; }
QToolButton[look="project"] { font-size: $s14; font-weight: 600; padding: $s4 $s6; }
QToolButton[look="text"] { padding: $s3 $s8; color: $secondary; }
QToolButton[look="pill"] { font-size: $s12; color: $secondary; border: 1px solid $line; border-radius: $s13;
    padding: $s2 $s9 $s2 $s7; }
QToolButton[look="pill"]:hover { background: $hover; } QToolButton[look="pill"]:focus { border-color: $accent; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QDateTimeEdit, QComboBox {
    background: $panel; border: 1px solid $field_line; border-radius: $s5; padding: $s3 $s8; min-height: $s20; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateTimeEdit:focus,
QComboBox:focus, QComboBox:on { border-color: $accent; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {
    color: $tertiary; background: $background; border-color: $line; }
QLineEdit[look="search"] { background: $background; border-color: $line; padding: $s4 $s8; }
QLineEdit[look="search"]:focus { background: $panel; border-color: $accent; }
QLineEdit[look="inline"] { border: 1px solid transparent; padding: 0 $s4; min-height: $s18; background: transparent;
    font-size: $s12; color: $secondary; border-radius: $s4; }
QLineEdit[look="inline"]:hover { border-color: $line; } QLineEdit[look="inline"]:focus { border-color: $accent; }
QComboBox::drop-down, QDateTimeEdit::drop-down { border: none; width: $s22; subcontrol-origin: padding;
    subcontrol-position: center right; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow { image: url("$chevron_down"); width: $s14; height: $s14; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $line; padding: $s4; outline: none;
    selection-background-color: $accent_ground; selection-color: $ink; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
    border: none; background: transparent; width: $s18; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url("$chevron_up"); width: $s11; height: $s11; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url("$chevron_down"); width: $s11; height: $s11; }

QCheckBox, QRadioButton { spacing: $s6; background: transparent; }
QCheckBox::indicator, QTreeView::indicator, QListView::indicator, QTableView::indicator {
    width: $s14; height: $s14; border: 1px solid $tertiary; border-radius: $s4; background: $panel; }
QCheckBox::indicator:hover, QTreeView::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked,
QTableView::indicator:checked { background: $accent; border-color: $accent; image: url("$check"); }
QTreeView::indicator:indeterminate, QCheckBox::indicator:indeterminate { background: $accent; border-color: $accent;
    image: url("$minus"); }
QRadioButton::indicator { width: $s13; height: $s13; border: 1px solid $tertiary; border-radius: $s7;
    background: $panel; }
QRadioButton::indicator:checked { border: $s4 solid $accent; width: $s7; height: $s7; }

QAbstractScrollArea { background: $panel; border: none; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QTreeView, QListView, QTableView { background: $panel; border: none; alternate-background-color: $background;
    selection-background-color: $accent_ground; selection-color: $ink; gridline-color: $line; }
QTreeView[look="boxed"], QListView[look="boxed"], QTableView[look="boxed"], QPlainTextEdit[look="boxed"] {
    border: 1px solid $line; border-radius: $s5; }
QListView[look="boxed"]::item { min-height: $s24; padding: 0 $s6; }
QTreeView::branch { background: transparent; }
QTreeView::branch:has-children:closed { image: url("$chevron_right"); }
QTreeView::branch:has-children:open { image: url("$chevron_open"); }
QTreeView::item { min-height: $s26; border: none; }
QTreeView::item:hover, QListView::item:hover { background: $hover; }
QTreeView::item:selected, QListView::item:selected { background: $accent_ground; color: $ink; }
QTableView::item { padding: 0 $s8; border: none; border-bottom: 1px solid $line; }
QTableView::item:selected { background: $accent_ground; color: $ink; }
QTableView::item:focus { border: 1px solid $accent; }
QHeaderView { background: $panel; border: none; border-bottom: 1px solid $line; }
QHeaderView::section { background: $panel; color: $secondary; font-size: $s12; border: none;
    padding: $s4 $s10; }
QHeaderView::section:hover { color: $ink; background: $hover; }
QHeaderView::up-arrow { image: url("$chevron_up"); width: $s11; height: $s11; }
QHeaderView::down-arrow { image: url("$chevron_down"); width: $s11; height: $s11; }
QTableCornerButton::section { background: $panel; border: none; }

QAbstractScrollArea::corner { background: $panel; border: none; }
QScrollBar:vertical { background: transparent; width: $s10; margin: 0; }
QScrollBar:horizontal { background: transparent; height: $s10; margin: 0; }
QScrollBar::handle { background: $field_line; border-radius: $s4; margin: $s2; }
QScrollBar::handle:vertical { min-height: $s30; } QScrollBar::handle:horizontal { min-width: $s30; }
QScrollBar::handle:hover { background: $tertiary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QTabBar { background: transparent; border: none; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $secondary; border: none; border-bottom: 2px solid transparent;
    padding: $s8 $s12 $s7 $s12; }
QTabBar::tab:hover { color: $ink; }
QTabBar::tab:selected { color: $accent; border-bottom-color: $accent; }
QTabWidget::pane { border: none; }

QMenu { background: $panel; border: 1px solid $line; padding: $s5; }
QMenu::item { padding: $s5 $s26 $s5 $s10; border-radius: $s4; }
QMenu::item:selected { background: $accent_ground; color: $ink; }
QMenu::item:disabled { color: $tertiary; }
QMenu::separator { height: 1px; background: $line; margin: $s4 $s6; }
QMenu::icon { padding-left: $s8; }

QProgressBar { background: $line; border: none; border-radius: $s2; max-height: $s4; min-height: $s4;
    text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: $s2; }
QSlider::groove:horizontal { height: $s4; background: $line; border-radius: $s2; }
QSlider::sub-page:horizontal { background: $accent; border-radius: $s2; }
QSlider::handle:horizontal { background: $panel; border: 2px solid $accent; width: $s10; height: $s10;
    margin: -$s5 0; border-radius: $s7; }
QGroupBox { border: none; margin-top: $s18; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 0; }
QStatusBar::item { border: none; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
""")


def stylesheet(tokens: Mapping[str, str], px: Callable[[float], int], folder: Path, family: str) -> str:
    """The application's style sheet.

    Args:
        tokens: colour names → ``#RRGGBB``.
        px: scales a size drawn for 13 px body text.
        folder: where tinted copies of the arrows and the tick are written.
        family: name of the font.
    """
    sizes = {f"s{size}": f"{px(size)}px" for size in range(1, 31)}
    images = {
        "chevron_down": write_tinted(folder, "chevron-down", tokens["secondary"], 2),
        "chevron_up": write_tinted(folder, "chevron-up", tokens["secondary"], 2),
        "chevron_right": write_tinted(folder, "chevron-right", tokens["tertiary"], 2),
        "chevron_open": write_tinted(folder, "chevron-down", tokens["tertiary"], 2),
        "check": write_tinted(folder, "check", tokens["on_accent"], 3),
        "minus": write_tinted(folder, "minus", tokens["on_accent"], 3),
    }
    return _SHEET.substitute(tokens, family=family, **sizes, **images)
