"""The text of a PDF as other programs find it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pypdfium2


def pdf_text(path: Path) -> str:
    """All text without spaces and breaks: by pdftotext where poppler is installed, else by PDFium."""
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True, timeout=120)
        return "".join(done.stdout.decode().split())
    with pypdfium2.PdfDocument(path) as document:
        return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
