"""The person's settings: declared with their defaults, kept as TOML in the configuration folder."""

from __future__ import annotations

import json
import logging
import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
_RECENT = 12


def config_folder() -> Path:
    """Where settings are kept: ``PLANNER_CONFIG_DIR`` or the system's place for them."""
    override = os.environ.get("PLANNER_CONFIG_DIR")
    if override:
        return Path(override)
    from platformdirs import user_config_path

    return user_config_path("planner-desktop", appauthor=False)


@dataclass
class Settings:
    """Everything remembered between runs.

    Attributes:
        language: ``system`` | ``zh_CN`` | ``en``.
        theme: ``system`` | ``light`` | ``dark``.
        recent: project files, newest first; recent_info: "name\\tCRS" of each.
        columns, rows: sizes of the splitters in px, left to right and top to bottom; views: map and what is beside it.
        panel: id of the task panel that stood open.
        plugins: values of plugin settings, ``plugin.key`` → value.
        sync: ``automatic``, and the address last connected to (``address``, without its password).
        city_crs: CRS offered first for a new project.
    """

    language: str = "system"
    theme: str = "system"
    recent: list[str] = field(default_factory=list)
    recent_info: list[str] = field(default_factory=list)
    geometry: str = ""
    maximised: bool = False
    columns: list[int] = field(default_factory=lambda: [290, 900, 390])
    rows: list[int] = field(default_factory=lambda: [700, 230])
    views: list[int] = field(default_factory=lambda: [560, 560])
    layer_panel: bool = True
    dock: bool = True
    task_panel: bool = True
    panel: str = ""
    last_folder: str = ""
    city_crs: str = "EPSG:4549"
    plugins: dict[str, Any] = field(default_factory=dict)
    sync: dict[str, Any] = field(default_factory=dict)
    path: Path = field(default=Path(), repr=False, compare=False)

    @classmethod
    def load(cls, folder: Path | None = None) -> Settings:
        """Read the settings; a broken file is set aside and the defaults used."""
        path = (folder or config_folder()) / "settings.toml"
        settings = cls(path=path)
        try:
            stored = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return settings
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            _log.info("settings file %s could not be read; defaults are used", path, exc_info=True)
            return settings
        for declared in fields(cls):
            value = stored.get(declared.name)
            if declared.name != "path" and type(value) is type(getattr(settings, declared.name)):
                setattr(settings, declared.name, value)
        return settings

    def save(self) -> None:
        """Write the settings; a folder that cannot be written is logged, not raised."""
        lines, tables = [], []
        for declared in fields(self):
            value = getattr(self, declared.name)
            if declared.name == "path":
                continue
            if isinstance(value, dict):
                tables += ["", f"[{declared.name}]"]
                tables += [f"{json.dumps(key)} = {json.dumps(item, ensure_ascii=False)}" for key, item in value.items()]
            else:
                lines.append(f"{declared.name} = {json.dumps(value, ensure_ascii=False)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            fresh.write_text("\n".join(lines + tables) + "\n", encoding="utf-8")
            fresh.replace(self.path)
        except OSError:
            _log.info("settings could not be saved to %s", self.path, exc_info=True)

    def remember_project(self, path: Path, name: str, crs: str) -> None:
        """Put a project on top of the recent list."""
        entries = [(p, i) for p, i in zip(self.recent, self.recent_info, strict=False) if p != str(path)]
        entries = [(str(path), f"{name}\t{crs}"), *entries][:_RECENT]
        self.recent, self.recent_info = [p for p, _ in entries], [i for _, i in entries]
        self.last_folder = str(path.parent)
        self.save()

    def forget_project(self, path: str) -> None:
        """Take a project off the recent list."""
        entries = [(p, i) for p, i in zip(self.recent, self.recent_info, strict=False) if p != path]
        self.recent, self.recent_info = [p for p, _ in entries], [i for _, i in entries]
        self.save()
