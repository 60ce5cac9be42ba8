"""Colours, type and measures of the window: tokens in two themes, the style sheet made from them.

What widgets ask for by the dynamic property ``look`` (``widget.setProperty("look", …)``):

- QPushButton: ``primary`` (one per panel), ``quiet`` (no frame), ``danger``, ``link``, ``chosen``, ``tile``; without:
  outlined.
- QToolButton: ``rail``, ``text``, ``pill``, ``project``; without: quiet icon button.
- QLabel: ``page-title``, ``title``, ``heading``, ``secondary``, ``tertiary``, ``small``, ``key``, ``error``,
  ``warning``, ``success``; ``figure`` and ``pill``, also with a verdict (``pill-fail``).
- QFrame: ``card`` (``card-selected``), ``figures``, ``line``, ``vline``, ``notice-`` with its level; lists and tables:
  ``boxed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from planner_app.i18n import language
from planner_app.ui.icons import pixmap
from planner_app.ui.stylesheet import stylesheet

LIGHT = {
    "background": "#F4F5F7",
    "panel": "#FFFFFF",
    "line": "#DFE3E8",
    "ink": "#1D2430",
    "secondary": "#5B6675",
    "tertiary": "#66707E",
    "accent": "#1F5FAE",
    "on_accent": "#FFFFFF",
    "accent_ground": "#E8F0FA",
    "accent_hover": "#184E91",
    "hover": "#EEF1F4",
    "field_line": "#C4CBD4",
    "pass": "#1F7A3D",
    "fail": "#C0322B",
    "needs_certificate": "#A05F00",
    "cannot_judge": "#66707D",
    "pass_ground": "#EAF5EE",
    "fail_ground": "#FCEEED",
    "needs_certificate_ground": "#FFF5E5",
    "shadow": "#1D2430",
}
DARK = {
    "background": "#171B21",
    "panel": "#1F242C",
    "line": "#323A45",
    "ink": "#E4E8EE",
    "secondary": "#A4AFBD",
    "tertiary": "#8B96A5",
    "accent": "#6AA6F0",
    "on_accent": "#10151C",
    "accent_ground": "#263A54",
    "accent_hover": "#8ABAF5",
    "hover": "#29303A",
    "field_line": "#465160",
    "pass": "#5CC07E",
    "fail": "#F0746C",
    "needs_certificate": "#E0A34A",
    "cannot_judge": "#93A0AE",
    "pass_ground": "#1D3327",
    "fail_ground": "#3B2526",
    "needs_certificate_ground": "#372D1D",
    "shadow": "#000000",
}
#: Pairs of (text, ground) that stand on each other somewhere in the window; a test holds them to 4.5:1.
TEXT_PAIRS = (
    ("ink", "panel"), ("ink", "background"), ("ink", "accent_ground"), ("ink", "hover"),
    ("secondary", "panel"), ("secondary", "background"), ("secondary", "accent_ground"), ("secondary", "hover"),
    ("tertiary", "panel"), ("accent", "panel"), ("accent", "accent_ground"), ("accent", "background"),
    ("on_accent", "accent"), ("on_accent", "accent_hover"), ("pass", "panel"), ("fail", "panel"),
    ("needs_certificate", "panel"), ("cannot_judge", "panel"), ("pass", "pass_ground"), ("fail", "fail_ground"),
    ("ink", "fail_ground"), ("ink", "pass_ground"), ("ink", "needs_certificate_ground"), ("tertiary", "background"),
    ("secondary", "fail_ground"), ("secondary", "pass_ground"), ("secondary", "needs_certificate_ground"),
)  # fmt: skip

_BODY_PX = 13
_FAMILIES = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei UI", "Microsoft YaHei",
             "PingFang SC", "WenQuanYi Micro Hei")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measures:
    """Sizes in device-independent pixels; ``scale`` is 1 for a system font of 13 px or less."""

    scale: float

    def px(self, size: float) -> int:
        """A size drawn for 13 px body text, scaled to the system's font."""
        return max(1, round(size * self.scale))


class Theme(QObject):
    """The look in use. ``changed`` is emitted when the tokens change; the style sheet is then already applied."""

    changed = Signal()

    def __init__(self, mode: str = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode = mode
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        self._tinted = QTemporaryDir()  # the style sheet's own images, removed with the theme
        system = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)).pixelSize()
        self.measures = Measures(max(1.0, system / _BODY_PX))
        self.tokens = DARK if self.is_dark() else LIGHT
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._system_changed)

    def is_dark(self) -> bool:
        """True if the dark theme is chosen, or the system's while following it."""
        if self.mode == "system":
            hints = QGuiApplication.styleHints()
            return hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
        return self.mode == "dark"

    def set_mode(self, mode: str) -> None:
        """``system`` | ``light`` | ``dark``."""
        self.mode = mode
        self.apply()

    def _system_changed(self) -> None:
        if self.mode == "system":
            self.apply()

    def apply(self) -> None:
        """Give the application the palette, font and style sheet of the theme in use."""
        self.tokens = DARK if self.is_dark() else LIGHT
        self._icons.clear()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setFont(self.font())
            app.setPalette(self._palette())
            app.setStyleSheet(stylesheet(self.tokens, self.measures.px, Path(self._tinted.path()), _family()))
        self.changed.emit()

    def px(self, size: float) -> int:
        """A size drawn for 13 px body text, scaled to the system's font."""
        return self.measures.px(size)

    def font(self, size: float = _BODY_PX, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
        """The window's font; ``tabular`` gives figures of equal width for tables and readouts."""
        font = QFont(_family())
        font.setPixelSize(self.px(size))
        font.setWeight(weight)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        if language() == "en":
            font.setFeature(QFont.Tag("pwid"), 1)  # quotation marks of a CJK font are as wide as a character
        return font

    def colour(self, token: str) -> str:
        """``#RRGGBB`` of a token."""
        return self.tokens[token]

    def qcolour(self, token: str, alpha: float = 1.0) -> QColor:
        """The token as a QColor; alpha 0 to 1."""
        colour = QColor(self.tokens[token])
        colour.setAlphaF(alpha)
        return colour

    def icon(self, name: str, tint: str = "secondary", size: int = 18) -> QIcon:
        """A line icon in the colour of the token ``tint``; grey when disabled, accent when checked."""
        key = (name, tint, size)
        if key not in self._icons:
            icon = QIcon()
            edge = self.px(size)
            ratios = {screen.devicePixelRatio() for screen in QGuiApplication.screens()} or {1.0}
            states = (
                (QIcon.Mode.Normal, QIcon.State.Off, self.tokens[tint]),
                (QIcon.Mode.Normal, QIcon.State.On, self.tokens["accent"] if tint == "secondary" else None),
                (QIcon.Mode.Disabled, QIcon.State.Off, self.tokens["field_line"]),
            )
            for mode, state, colour in states:
                if colour is not None:
                    for ratio in ratios:
                        icon.addPixmap(pixmap(name, colour, edge, ratio), mode, state)
            self._icons[key] = icon
        return self._icons[key]

    def _palette(self) -> QPalette:
        palette = QPalette()
        role = QPalette.ColorRole
        for name, token in (
            (role.Window, "background"), (role.WindowText, "ink"), (role.Base, "panel"), (role.Text, "ink"),
            (role.AlternateBase, "background"), (role.Button, "panel"), (role.ButtonText, "ink"),
            (role.Highlight, "accent_ground"), (role.HighlightedText, "ink"), (role.ToolTipBase, "panel"),
            (role.ToolTipText, "ink"), (role.PlaceholderText, "tertiary"), (role.Link, "accent"),
            (role.LinkVisited, "accent"), (role.Mid, "line"), (role.Light, "panel"), (role.Dark, "line"),
            (role.Accent, "accent"),
        ):  # fmt: skip
            palette.setColor(name, QColor(self.tokens[token]))
        for name in (role.Text, role.WindowText, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(self.tokens["tertiary"]))
        return palette


@lru_cache(maxsize=1)
def _family() -> str:
    known = set(QFontDatabase.families())
    return next((name for name in _FAMILIES if name in known), QFontDatabase.systemFont(
        QFontDatabase.SystemFont.GeneralFont).family())  # fmt: skip


def contrast(first: str, second: str) -> float:
    """Contrast of two ``#RRGGBB`` colours, 1 to 21 (WCAG 2.1, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
