"""A font with Chinese characters on this computer, for pictures and for texts inside PDF files."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

#: TrueType outlines first: they can be cut down and put into a PDF by every reader's rules. (file name, face in it)
_FACES = (
    ("wqy-microhei.ttc", 0), ("wqy-zenhei.ttc", 0), ("msyh.ttc", 0), ("simhei.ttf", 0), ("simsun.ttc", 0),
    ("Deng.ttf", 0), ("DroidSansFallbackFull.ttf", 0), ("uming.ttc", 0), ("STHeiti Light.ttc", 0),
)  # fmt: skip


@lru_cache(maxsize=1)
def chinese_font() -> tuple[Path, int] | None:
    """(file, face in it) of a TrueType font with Chinese characters; None where the computer has none."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*.tt[fc]")) if folder.is_dir() else ():
            found.setdefault(path.name.lower(), path)
    return next(((found[name.lower()], face) for name, face in _FACES if name.lower() in found), None)


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
        return [windows / "Fonts", home / "AppData/Local/Microsoft/Windows/Fonts"]
    data = os.environ.get("XDG_DATA_HOME", str(home / ".local/share"))
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path(data) / "fonts", home / ".fonts",
            Path("/Library/Fonts"), Path("/System/Library/Fonts")]  # fmt: skip
