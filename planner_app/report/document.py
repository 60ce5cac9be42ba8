"""Printed documents: a Jinja2 template with the house style sheet, as one HTML file or as PDF through WeasyPrint.

Chinese is set in Noto Sans CJK SC where it is installed and in the system's CJK sans elsewhere; WeasyPrint embeds the
glyphs used, and the text stays extractable. Nothing is fetched from a network.
"""

from __future__ import annotations

import base64
import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import RESOURCES, language, tr

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = RESOURCES / "templates"


def number(value: float | None, digits: int = 0) -> str:
    """``12,345.6``; an en dash for a missing value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    text = f"{value:,.{digits}f}"
    return "0" if digits == 0 and text == "-0" else text


def hectares(square_metres: float | None, digits: int = 2) -> str:
    """m² shown as hectares."""
    return number(None if square_metres is None else square_metres / 10_000.0, digits)


def percent(share: float | None, digits: int = 1) -> str:
    """A fraction shown as a percentage."""
    return "–" if share is None or math.isnan(share) else f"{share * 100:.{digits}f}%"


def environment(folders: Sequence[Path] = ()) -> Environment:
    """Templates of the given folders first, then the shared ones; values are escaped.

    Filters: ``num(digits)``, ``ha(digits)``, ``pct(digits)``, ``png`` (bytes → data URI). Functions: ``tr``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"num": number, "ha": hectares, "pct": percent, "png": _png_uri}
    made.globals |= {"tr": tr, "language": language}
    return made


def _png_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def render_html(template: str, values: dict[str, Any], folders: Sequence[Path] = ()) -> str:
    """Fill in a template; the result is one self-contained HTML file (styles and pictures inside)."""
    return environment(folders).get_template(template).render(**values)


def write_html(html: str, path: Path) -> None:
    """Write an HTML document.

    Raises:
        PlannerError: ``report.not_written``.
    """
    _write(path, html.encode("utf-8"))


def write_pdf(html: str, path: Path) -> None:
    """Print an HTML document to PDF.

    Raises:
        PlannerError: ``report.not_written``.
    """
    for name in ("weasyprint", "fontTools.subset", "fontTools.ttLib.ttFont"):
        logging.getLogger(name).setLevel(logging.ERROR)  # both report every dropped font table as a warning
    with warnings.catch_warnings():
        # Without libharfbuzz-subset WeasyPrint says at import that fontTools subsets fonts, four times as slowly.
        warnings.simplefilter("ignore", DeprecationWarning)
        import weasyprint

    data = weasyprint.HTML(string=html, base_url=str(TEMPLATES)).write_pdf(uncompressed_pdf=False)
    _write(path, data)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error
