"""Label sheets: every QR code on the printed page is the one of its asset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import segno

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.tunnel.model.assets.labels import labels_of, layout, write_labels
from plugins.tunnel.model.assets.register import search
from tests.plugins.tunnel.assets.surveys import HEAD, joined_rows, write_csv

DPI = 300


def modules(page: np.ndarray, box: tuple[float, float, float], size: int) -> np.ndarray:
    """The modules of a code on a rendered page: dark where the middle of a module is."""
    left, top, width = box
    step = width / size
    at = [(left + (n + 0.5) * step, top + (n + 0.5) * step) for n in range(size)]
    columns = [round(x / 25.4 * DPI) for x, _ in at]
    rows = [round(y / 25.4 * DPI) for _, y in at]
    return page[np.ix_(rows, columns)] < 128


@pytest.mark.parametrize(("columns", "rows"), [(3, 8), (2, 2)])
def test_codes_are_on_the_page(run, file: Path, tmp_path: Path, columns: int, rows: int) -> None:
    run("tunnel", "import", file, write_csv(tmp_path / "s.csv", [*HEAD, *joined_rows()]))
    out = tmp_path / "labels.pdf"
    done = run("tunnel", "labels", file, "--out", out, "--table", "net_node", "--grid", f"{columns}x{rows}")
    sheets = -(-5 // (columns * rows))
    assert (done["labels"], done["sheets"]) == (5, sheets)
    with Project.open(file) as project:
        labels = labels_of(project, "net_node")
        stored = project.read("net_node", columns=["uuid", "code"])
        scanned = search(project, f"{labels[0].uri}\n")
        assert [(one.table, one.fid, one.code) for one in scanned] == [("net_node", int(stored.fids[0]), "JS1")]
        assert search(project, "planner:asset/' OR 1=1 --") == []
    assert [label.code for label in labels] == ["JS1", "JS2", "JS3", "WS1", "WS2"]
    assert {label.uri for label in labels} == {f"planner:asset/{uuid}" for uuid in stored.columns["uuid"]}
    document = pypdfium2.PdfDocument(out)
    assert len(document) == sheets
    pages = [np.array(page.render(scale=DPI / 72).to_pil().convert("L")) for page in document]
    for label, box in zip(labels, layout(5, columns, rows), strict=True):
        wanted = np.array(segno.make(label.uri, micro=False, error="m").matrix, bool)
        assert (modules(pages[box.page], box.qr, len(wanted)) == wanted).all(), label.code
        assert label.code in document[box.page].get_textpage().get_text_range()
    document.close()


def test_what_cannot_be_printed(run, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.pdf"
    assert run("tunnel", "labels", file, "--out", out, code=2)["error"]["code"] == "tunnel.asset_table"
    run("tunnel", "import", file, write_csv(tmp_path / "s.csv", [*HEAD, *joined_rows()]))
    for words, code in (
        (["--where", "code = 'x'"], "tunnel.labels_none"), (["--ids", "JS2,JS9"], "tunnel.asset_unknown"),
        (["--grid", "9x30"], "tunnel.labels_grid"), (["--grid", "many"], "tunnel.labels_grid"),
    ):  # fmt: skip
        assert run("tunnel", "labels", file, "--out", out, *words, code=2)["error"]["code"] == code
    assert not out.exists()
    with pytest.raises(PlannerError, match=r"tunnel\.labels_grid"):
        write_labels([], out, columns=0)
