"""QGIS as a writer beside ours: one process that edits whatever file it is told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

EDITS = ("attribute", "geometry", "add", "paste", "delete", "split", "merge")


class QgisWriter:
    """Edits layers through QGIS's SpatiaLite provider."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("qgis_loop.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        )

    def edit(self, file: Path, table: str, what: str, row: int, text: str) -> dict[str, Any]:
        """One edit session: open, edit, save, close."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wanted = {"file": str(file), "table": table, "what": what, "row": row, "text": text}
        print(json.dumps(wanted), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("@@"):
                answer: dict[str, Any] = json.loads(line[2:])
                return answer
        raise RuntimeError("QGIS is gone")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
