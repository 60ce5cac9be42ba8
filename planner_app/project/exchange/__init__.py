"""Foreign files in and out. Each format is read into the same chunks; pyogrio never opens a project file."""

from planner_app.project.exchange.boundary_points import BoundaryParcel, read_boundary_points
from planner_app.project.exchange.exporter import ExportReport, export_layer
from planner_app.project.exchange.importer import ImportReport, Note, RowNote, import_layer, inspect
from planner_app.project.exchange.source import Chunk, Source, SourceInfo, SourceLayer

__all__ = [
    "BoundaryParcel", "Chunk", "ExportReport", "ImportReport", "Note", "RowNote", "Source", "SourceInfo",
    "SourceLayer", "export_layer", "import_layer", "inspect", "read_boundary_points",
]  # fmt: skip
