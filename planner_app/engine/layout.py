"""A printed map sheet: title, map, legend, scale bar, north arrow, note; as PDF on A4 or A3."""

from __future__ import annotations

import math

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
    QgsLayoutUtils,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QColor, QFont

from planner_app.engine.errors import EngineError
from planner_app.engine.layers import LayerSet
from planner_app.plugin_api.engine import Layout
from planner_app.protocol import framing

#: Paper in mm, landscape.
PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
_MARGIN, _LEGEND_MM = 10.0, 62.0
#: Type size in points and columns of the legend, tried in turn until it fits the sheet.
_LEGEND_TYPE = ((8.0, 1), (7.0, 1), (7.0, 2), (6.0, 2), (5.0, 2), (5.0, 3), (4.0, 3), (4.0, 4))
#: Scales are 1 : these times a power of ten.
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei")
_INK = "#1D2430"


def print_sheet(layers: LayerSet, params: framing.Message, fill: Layout) -> framing.Message:
    """Write a sheet.

    Args:
        layers: the open project.
        params: ``out`` (PDF), ``extent``, ``layers`` [{id, opacity}], ``paper`` (A4, A3), ``dpi``, and what ``fill``
            wants to know.
        fill: puts the items on the sheet.

    Raises:
        EngineError: ``engine.paper_unknown``, ``engine.print_failed``, ``engine.no_layer``.
    """
    paper = params.get("paper", "A3")
    if paper not in PAPERS:
        raise EngineError("engine.paper_unknown", paper=paper, known=", ".join(PAPERS))
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
    dpi = float(params.get("dpi", 300.0))
    sheet.renderContext().setDpi(dpi)
    fill(sheet, drawn, params)
    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = dpi
    settings.textRenderFormat = Qgis.TextRenderFormat.AlwaysOutlines
    code = QgsLayoutExporter(sheet).exportToPdf(params["out"], settings)
    if code != QgsLayoutExporter.ExportResult.Success:
        raise EngineError("engine.print_failed", file=params["out"])
    return {"out": params["out"], "scale": sheet.referenceMap().scale() if sheet.referenceMap() else 0.0}


def map_sheet(sheet: QgsPrintLayout, drawn: list[QgsVectorLayer], params: framing.Message) -> None:
    """The usual sheet: ``title``, map, legend (``legend_title``), scale bar, ``note`` and, with ``north`` (path of an
    SVG), a north arrow."""
    width, height = PAPERS[params.get("paper", "A3")]
    top, bottom = _MARGIN + 14, height - _MARGIN - 8
    _label(sheet, params.get("title", ""), _MARGIN, _MARGIN, width - 2 * _MARGIN, 12, 20, bold=True)
    picture = QgsLayoutItemMap(sheet)
    picture.setLayers(drawn)
    picture.setCrs(sheet.project().crs())
    picture.setFrameEnabled(True)
    picture.setFrameStrokeColor(QColor(_INK))
    sheet.addLayoutItem(picture)
    _place_map(picture, width - 2 * _MARGIN - _LEGEND_MM, top, bottom, params["extent"])
    legend_top = top + (22 if params.get("north") else 0)
    legend, wide = _legend(sheet, picture, params.get("legend_title", ""), height - _MARGIN - legend_top)
    # The legend takes the room it needs, the map the rest.
    left = width - _MARGIN - wide
    _place_map(picture, left - _MARGIN - 5, top, bottom, params["extent"])
    legend.attemptMove(QgsLayoutPoint(left, legend_top))
    if params.get("north"):
        north = QgsLayoutItemPicture(sheet)
        north.setPicturePath(params["north"])
        north.attemptSetSceneRect(QRectF(left, top, 16, 18))
        sheet.addLayoutItem(north)
    bar = QgsLayoutItemScaleBar(sheet)
    bar.setStyle("Single Box")
    bar.setLinkedMap(picture)
    bar.applyDefaultSize(QgsUnitTypes.DistanceUnit.DistanceMeters)
    bar.setTextFormat(_format(8))
    bar.attemptMove(QgsLayoutPoint(_MARGIN, height - _MARGIN - 7))
    sheet.addLayoutItem(bar)
    scale = f"1 : {picture.scale():,.0f}"
    _label(sheet, f"{scale}    {params.get('note', '')}", _MARGIN + 90, height - _MARGIN - 5, left - _MARGIN - 95, 6, 8)


def _place_map(picture: QgsLayoutItemMap, width: float, top: float, bottom: float, extent: list[float]) -> None:
    """Give the map its place, with the whole extent at a round scale."""
    picture.attemptSetSceneRect(QRectF(_MARGIN, top, width, bottom - top))
    picture.zoomToExtent(QgsRectangle(*extent))
    power = 10.0 ** math.floor(math.log10(picture.scale()))
    picture.setScale(next(step * power for step in _ROUND if step * power >= picture.scale() * 0.999))


def _legend(
    sheet: QgsPrintLayout, picture: QgsLayoutItemMap, title: str, height: float
) -> tuple[QgsLayoutItemLegend, float]:
    """What the map shows, in the largest type that fits ``height``; classes out of view are left out.

    Returns:
        The legend and its width in mm.
    """
    legend = QgsLayoutItemLegend(sheet)
    legend.setTitle(title)
    legend.setLinkedMap(picture)
    legend.setAutoUpdateModel(True)
    legend.setLegendFilterByMapEnabled(True)
    legend.setSplitLayer(True)
    legend.setResizeToContents(True)
    legend.setBoxSpace(0.0)
    sheet.addLayoutItem(legend)
    model = legend.model()
    legend.updateFilterByMap(False)
    model.waitForHitTestBlocking()
    context = QgsLayoutUtils.createRenderContextForLayout(sheet, None)
    wide = _LEGEND_MM
    for points, columns in _LEGEND_TYPE:
        for role, share, above in (
            (QgsLegendStyle.Style.Title, 1.5, 0.0),
            (QgsLegendStyle.Style.Group, 1.2, 2.0),
            (QgsLegendStyle.Style.Subgroup, 1.1, 1.8),
            (QgsLegendStyle.Style.SymbolLabel, 1.0, 0.0),
        ):
            style = legend.style(role)
            style.setTextFormat(_format(points * share, bold=role == QgsLegendStyle.Style.Title))
            style.setMargin(QgsLegendStyle.Side.Top, above)
            legend.setStyle(role, style)
        legend.rstyle(QgsLegendStyle.Style.Symbol).setMargin(QgsLegendStyle.Side.Top, points * 0.15)
        legend.setSymbolWidth(points * 0.75)
        legend.setSymbolHeight(points * 0.42)
        legend.setColumnCount(columns)
        size = QgsLegendRenderer(model, legend.legendSettings()).minimumSize(context)
        wide = max(size.width(), 20.0)
        if size.height() <= height:
            break
    return legend, wide


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
