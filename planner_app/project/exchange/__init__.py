"""Foreign files in and out. Each format is read into the same chunks; pyogrio never opens a project file."""

from planner_app.project.exchange.boundary_points import BoundaryParcel, read_boundary_points
from planner_app.project.exchange.exporter import ExportReport, export_layer
from planner_app.project.exchange.importer import ImportReport, ReadLayer, import_layer, inspect, read_layer
from planner_app.project.exchange.notes import Note, RowNote
from planner_app.project.exchange.source import SourceInfo, SourceLayer

__all__ = [
    "BoundaryParcel", "ExportReport", "ImportReport", "Note", "ReadLayer", "RowNote", "SourceInfo", "SourceLayer",
    "export_layer", "import_layer", "inspect", "read_boundary_points", "read_layer",
]  # fmt: skip
