"""Starts, restarts and talks to the engine. PySide6's core and pictures only; for the window and the command line."""

from planner_app.engine_client.client import EngineClient
from planner_app.engine_client.view import LayerDraw, Picture, RenderFailure, RenderRequest, RenderView

__all__ = ["EngineClient", "LayerDraw", "Picture", "RenderFailure", "RenderRequest", "RenderView"]
