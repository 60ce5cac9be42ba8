"""The project file: one SpatiaLite file, its layers, its change log. No Qt, no QGIS."""

from planner_app.project.attachments import Attachment
from planner_app.project.changelog import LogEntry
from planner_app.project.commands import (
    AddField,
    Command,
    DeleteFeatures,
    DropLayer,
    EditCells,
    EditGeometry,
    InsertFeatures,
    MoveLayer,
    RenameLayer,
    SetLayer,
    SetPlan,
    SetStyle,
)
from planner_app.project.features import Batch, FeatureTable
from planner_app.project.store import Project
from planner_app.project.transaction import Transaction
from planner_app.project.verify import CheckResult

__all__ = [
    "AddField", "Attachment", "Batch", "CheckResult", "Command", "DeleteFeatures", "DropLayer", "EditCells",
    "EditGeometry", "FeatureTable", "InsertFeatures", "LogEntry", "MoveLayer", "Project", "RenameLayer", "SetLayer",
    "SetPlan", "SetStyle", "Transaction",
]  # fmt: skip
