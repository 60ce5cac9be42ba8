"""The parts every task panel is made of, so that a person who knows one role's panel knows all.

Inputs at the top, the main button, three key figures, a distribution bar, then cards. Looks (``look`` properties) come
from the window's style sheet; what is painted here asks the panel's context for the theme's colours.
"""

from __future__ import annotations

from planner_app.plugin_api.widgets.basics import (
    GUTTER,
    PILL_ROLE,
    SORT_ROLE,
    SWATCH_ROLE,
    WIDTH_ROLE,
    EnterFilter,
    Notice,
    button,
    combo,
    label,
    pill,
    px,
    restyle,
)
from planner_app.plugin_api.widgets.cards import Card, CardList, CardText
from planner_app.plugin_api.widgets.dialog import TaskDialog
from planner_app.plugin_api.widgets.figures import DistributionBar, KeyFigures, Share
from planner_app.plugin_api.widgets.flow import FlowLayout
from planner_app.plugin_api.widgets.page import Form, TabbedPages, TaskPage, tab_bar
from planner_app.plugin_api.widgets.report import write_report
from planner_app.plugin_api.widgets.rows import Column, RowTable

__all__ = [
    "GUTTER",
    "PILL_ROLE",
    "SORT_ROLE",
    "SWATCH_ROLE",
    "WIDTH_ROLE",
    "Card",
    "CardList",
    "CardText",
    "Column",
    "DistributionBar",
    "EnterFilter",
    "FlowLayout",
    "Form",
    "KeyFigures",
    "Notice",
    "RowTable",
    "Share",
    "TabbedPages",
    "TaskDialog",
    "TaskPage",
    "button",
    "combo",
    "label",
    "pill",
    "px",
    "restyle",
    "tab_bar",
    "write_report",
]
