"""A printed map sheet: title, map, legend, scale bar, north arrow, note; as PDF on A4 or A3."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsTextFormat,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QColor, QFont

from planner_app.engine.errors import EngineError
from planner_app.engine.layers import LayerSet
from planner_app.protocol import framing

#: Paper in mm, landscape.
PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
_MARGIN, _LEGEND_MM = 10.0, 62.0
_FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei")
_INK = "#1D2430"


def print_sheet(layers: LayerSet, params: framing.Message) -> framing.Message:
    """Write a sheet.

    Args:
        layers: the open project.
        params: ``out`` (PDF), ``title``, ``note``, ``extent``, ``layers`` [{id, opacity}], ``paper`` (A4, A3), ``dpi``,
            ``legend_title``, ``north`` (path of an SVG, may be empty).

    Raises:
        EngineError: ``engine.paper_unknown``, ``engine.print_failed``, ``engine.no_layer``.
    """
    paper = params.get("paper", "A3")
    if paper not in PAPERS:
        raise EngineError("engine.paper_unknown", paper=paper, known=", ".join(PAPERS))
    width, height = PAPERS[paper]
    drawn = []
    for wanted in params["layers"]:
        entry = layers.get(wanted["id"])
        layer = (entry.labels or entry.layer).clone()
        layer.setRenderer(entry.layer.renderer().clone())
        layer.setOpacity(entry.opacity * wanted.get("opacity", 1.0))
        layer.setName(entry.name)
        drawn.append(layer)
    project = QgsProject()
    project.setCrs(layers.crs)
    project.addMapLayers(drawn, True)
    sheet = QgsPrintLayout(project)
    sheet.initializeDefaults()
    sheet.pageCollection().page(0).setPageSize(paper, QgsLayoutItemPage.Orientation.Landscape)
    sheet.renderContext().setDpi(float(params.get("dpi", 300.0)))

    top = _MARGIN + 14
    map_width, map_height = width - 2 * _MARGIN - _LEGEND_MM - 4, height - top - _MARGIN - 8
    _label(sheet, params.get("title", ""), _MARGIN, _MARGIN, width - 2 * _MARGIN, 12, 20, bold=True)
    picture = QgsLayoutItemMap(sheet)
    picture.attemptSetSceneRect(QRectF(_MARGIN, top, map_width, map_height))
    picture.setLayers(drawn)
    picture.setCrs(layers.crs)
    picture.zoomToExtent(QgsRectangle(*params["extent"]))
    picture.setFrameEnabled(True)
    picture.setFrameStrokeColor(QColor(_INK))
    sheet.addLayoutItem(picture)

    legend = QgsLayoutItemLegend(sheet)
    legend.setTitle(params.get("legend_title", ""))
    legend.setLinkedMap(picture)
    legend.setAutoUpdateModel(True)
    legend.setLegendFilterByMapEnabled(True)
    for role, size in (
        (QgsLegendStyle.Style.Title, 12),
        (QgsLegendStyle.Style.Group, 10),
        (QgsLegendStyle.Style.Subgroup, 9),
        (QgsLegendStyle.Style.SymbolLabel, 8),
    ):
        style = legend.style(role)
        style.setTextFormat(_format(size, bold=role == QgsLegendStyle.Style.Title))
        legend.setStyle(role, style)
    legend.attemptMove(QgsLayoutPoint(width - _MARGIN - _LEGEND_MM, top + 24))
    legend.setResizeToContents(True)
    sheet.addLayoutItem(legend)

    if params.get("north"):
        north = QgsLayoutItemPicture(sheet)
        north.setPicturePath(params["north"])
        north.attemptSetSceneRect(QRectF(width - _MARGIN - _LEGEND_MM, top, 16, 18))
        sheet.addLayoutItem(north)
    bar = QgsLayoutItemScaleBar(sheet)
    bar.setStyle("Single Box")
    bar.setLinkedMap(picture)
    bar.applyDefaultSize(QgsUnitTypes.DistanceUnit.DistanceMeters)
    bar.setTextFormat(_format(8))
    bar.attemptMove(QgsLayoutPoint(_MARGIN, height - _MARGIN - 7))
    sheet.addLayoutItem(bar)
    scale = f"1 : {picture.scale():,.0f}"
    _label(sheet, f"{scale}    {params.get('note', '')}", _MARGIN + 90, height - _MARGIN - 5, width - 120, 6, 8)

    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = float(params.get("dpi", 300.0))
    settings.textRenderFormat = Qgis.TextRenderFormat.AlwaysOutlines
    code = QgsLayoutExporter(sheet).exportToPdf(params["out"], settings)
    if code != QgsLayoutExporter.ExportResult.Success:
        raise EngineError("engine.print_failed", file=params["out"])
    return {"out": params["out"], "scale": picture.scale()}


def _format(size: float, bold: bool = False) -> QgsTextFormat:
    font = QFont(_FAMILIES[0])
    font.setFamilies(list(_FAMILIES))
    font.setBold(bold)
    made = QgsTextFormat()
    made.setFont(font)
    made.setSize(size)
    made.setSizeUnit(Qgis.RenderUnit.Points)
    made.setColor(QColor(_INK))
    return made


def _label(
    sheet: QgsPrintLayout, text: str, x: float, y: float, width: float, height: float, size: float, bold: bool = False
) -> None:
    item = QgsLayoutItemLabel(sheet)
    item.setText(text)
    item.setTextFormat(_format(size, bold))
    item.attemptMove(QgsLayoutPoint(x, y))
    item.attemptResize(QgsLayoutSize(width, height))
    sheet.addLayoutItem(item)
