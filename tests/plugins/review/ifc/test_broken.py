"""Broken IFC files: a clear error or a named doubt, never a silent half."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.ifc import read_ifc

from .build import Model, rectangle

ROOT = Path(__file__).resolve().parents[4]


def _text() -> bytes:
    model = Model()
    building = model.building()
    for floor in range(2):
        storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
        model.walls(storey, rectangle(0, 0, 20, 10), 3.0 * floor, 3.0)
        model.body(storey, "IfcSlab", rectangle(0, 0, 20, 10), 3.0 * floor - 0.2, 0.2)
    with tempfile.TemporaryDirectory() as folder:
        return model.write(Path(folder) / "two.ifc").read_bytes()


def _relative(data: bytes) -> bytes:
    """The first placement placed relative to itself."""
    found = re.search(rb"#(\d+)=IFCLOCALPLACEMENT\(\$", data)
    assert found
    return data.replace(found.group(0), b"#%s=IFCLOCALPLACEMENT(#%s" % (found.group(1), found.group(1)), 1)


@pytest.mark.parametrize(
    ("name", "spoil", "code"),
    [
        ("empty", lambda data: b"", "review.ifc_unreadable"),
        ("binary", lambda data: bytes(range(256)) * 200, "review.ifc_unreadable"),
        ("half", lambda data: data[: len(data) // 2], "review.ifc_truncated"),
        ("header", lambda data: data[:120], "review.ifc_truncated"),
        ("schema", lambda data: data.replace(b"'IFC4'", b"'IFC9X9'"), "review.ifc_schema"),
        ("syntax", lambda data: data.replace(b"0.,0.,0.", b"0.,1e999x,0."), "review.ifc_unreadable"),
        ("nothing", lambda data: re.sub(rb"(?s)DATA;.*?ENDSEC;", b"DATA;\nENDSEC;", data), "review.ifc_empty"),
        ("cyclic", _relative, "review.ifc_cyclic"),
    ],
)
def test_errors(name: str, spoil: object, code: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.ifc"
    path.write_bytes(spoil(_text()))  # type: ignore[operator]
    with pytest.raises(PlannerError) as caught:
        read_ifc(path)
    assert caught.value.code == code
    assert caught.value.params["file"] == path.name


def test_broken_references_are_counted(tmp_path: Path) -> None:
    data = _text()
    lost = re.search(rb"#(\d+)=IFCEXTRUDEDAREASOLID[^\n]*\n", data)
    assert lost
    path = tmp_path / "broken.ifc"
    path.write_bytes(data.replace(lost.group(0), b"", 1))
    drawing = read_ifc(path)
    notes = dict(drawing.notes)
    assert notes["review.ifc_broken_references"] == {"count": 1, "first": f"#{lost.group(1).decode()}"}
    assert notes["review.ifc_no_geometry"]["count"] == 1


def test_a_storey_whose_placement_is_lost_is_named(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    storeys = [model.storey(building, f"{floor + 1}F", 3.0 * floor) for floor in range(4)]
    for floor, storey in enumerate(storeys):
        model.walls(storey, rectangle(0, 0, 20, 10), 3.0 * floor, 3.0)
    storeys[2].ObjectPlacement = model.placed(0.0)
    notes = dict(read_ifc(model.write(tmp_path / "odd.ifc")).notes)
    assert notes["review.ifc_elevation"] == {"storey": "3F", "stated": 6.0, "placed": 0.0}


def test_every_code_is_worded() -> None:
    worded = tomllib.loads((ROOT / "plugins/review/i18n/messages/ifc.toml").read_text(encoding="utf-8"))
    sources = "".join(path.read_text() for path in (ROOT / "plugins/review/model/drawing").glob("ifc*.py"))
    codes = set(re.findall(r"\"(review\.ifc_[a-z_]*[a-z])\"", sources))
    codes |= {f"review.ifc_from_{source}" for source in ("slab", "spaces")}
    codes |= {f"review.ifc_storey_{reason}" for reason in ("close", "foundation", "open", "roof")}
    assert codes == set(worded)
