"""Pages of whole layers: what goes over the line is, bit for bit, what the file holds; what is wrong is put aside."""

from __future__ import annotations

import math
import random
import struct
import uuid
from array import array
from datetime import date
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, FieldType
from planner_app.project.geometry import prepare, to_wkb
from planner_app.sync.client.judging import Shapes, geometry_faults
from planner_app.sync.server.packing import Packer, pieces
from planner_app.sync.types import LayerDef, Page
from planner_app.sync.uuids import uuid_bytes

KINDS: tuple[FieldType, ...] = ("text", "real", "integer", "boolean", "date", "datetime", "blob", "text")
SRID = 4547


def layer(geometry: str = "none", *, multi: bool = False, has_z: bool = False) -> LayerDef:
    fields = tuple(FieldInfo(f"{kind}{at}", kind) for at, kind in enumerate(KINDS))
    return LayerDef(str(uuid.uuid4()), "t", geometry, has_z, multi, fields, {"name": "t"})  # type: ignore[arg-type]


def key(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def value(kind: str, chance: random.Random) -> Any:
    if chance.random() < 0.2:
        return None
    made: dict[str, Any] = {
        "text": chance.choice(["", "地块", "a" * chance.randrange(300), f"{chance.random()}"]),
        "real": chance.choice([-0.0, math.inf, 1e-310, struct.unpack("<d", chance.randbytes(7) + b"\x3f")[0], 7]),
        "integer": chance.choice([0, -(2**63), 2**63 - 1, chance.randrange(10**9)]),
        "boolean": chance.randrange(2), "date": chance.choice(["0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"]),
        "datetime": "2024-05-01 08:00", "blob": chance.randbytes(chance.randrange(20)),
    }  # fmt: skip
    return made[kind]


def unpacked(raw: bytes, columns: int) -> list[list[bytes | None]]:
    """Rows of a binary COPY."""
    rows, at = [], 0
    while at < len(raw):
        assert struct.unpack_from("!h", raw, at)[0] == columns
        at += 2
        row: list[bytes | None] = []
        for _ in range(columns):
            size = struct.unpack_from("!i", raw, at)[0]
            row.append(None if size < 0 else raw[at + 4 : at + 4 + size])
            at += 4 + max(size, 0)
        rows.append(row)
    return rows


def wanted(cell: Any, kind: str) -> bytes | None:
    if cell is None:
        return None
    if kind in ("text", "datetime"):
        return str(cell).encode()
    if kind == "date":
        return struct.pack("!i", (date.fromisoformat(cell) - date(2000, 1, 1)).days)
    return cell if kind == "blob" else struct.pack({"real": "!d", "integer": "!q", "boolean": "!?"}[kind], cell)


@pytest.mark.parametrize("seed", range(8))
def test_rows_are_packed_as_postgresql_reads_them(seed: int) -> None:
    chance = random.Random(seed)
    rows = [(key(chance), None, [value(kind, chance) for kind in KINDS]) for _ in range(chance.choice([1, 2, 40]))]
    packer = Packer(layer(), SRID)
    count, raw = packer.packed(Page.of(rows))
    assert (count, packer.faults) == (len(rows), [])
    assert unpacked(raw, 1 + len(KINDS)) == [
        [uuid.UUID(one).bytes, *(wanted(cell, kind) for cell, kind in zip(cells, KINDS, strict=True))]
        for one, _, cells in rows
    ]


def test_packed_numbers_are_the_same() -> None:
    chance = random.Random(6)
    keys = [key(chance) for _ in range(20)]
    reals, whole = [chance.uniform(-1, 1) for _ in keys], [chance.randrange(-(2**63), 2**63) for _ in keys]
    rest: list[list[Any]] = [[None] * len(keys) for _ in KINDS[3:]]
    plain = Page(keys, [None] * 20, [["x"] * 20, reals, whole, *rest])
    packed = Page(keys, [None] * 20, [["x"] * 20, array("d", reals), array("q", whole), *rest])
    assert Packer(layer(), SRID).packed(packed, 3) == Packer(layer(), SRID).packed(plain, 3)
    assert list(packed.rows()) == list(plain.rows())
    mixed = Page(keys, [None] * 20, [["x"] * 20, array("q", whole), reals, *rest])
    assert Packer(layer(), SRID).packed(mixed)[0] == 0


@pytest.mark.parametrize(
    ("at", "bad"),
    [(0, "\x00"), (0, "\ud800"), (0, 1), (1, math.nan), (1, "1.5"), (1, 2**53 + 1), (1, b"1"), (2, 2**63), (2, 1.0),
     (2, "1"), (3, 2), (4, "2024-02-30"), (4, "20240229"), (6, "x")],
)  # fmt: skip
def test_a_bad_value_is_put_aside_alone(at: int, bad: Any) -> None:
    chance = random.Random(1)
    rows = [(key(chance), None, [value(kind, chance) for kind in KINDS]) for _ in range(9)]
    rows[4][2][at] = bad
    packer = Packer(layer(), SRID)
    count, raw = packer.packed(Page.of(rows))
    assert (count, packer.faults) == (8, [(rows[4][0], "sync.refused_value", "value")])
    good = [row for row in rows if row is not rows[4]]
    assert raw == Packer(layer(), SRID).packed(Page.of(good))[1]


def test_what_is_there_is_not_sent_again() -> None:
    chance = random.Random(2)
    rows = [(key(chance), None, [value(kind, chance) for kind in KINDS]) for _ in range(30)]
    rows[3] = ("no uuid", None, rows[3][2])
    pages = [Page.of(rows[start : start + 10]) for start in (0, 10, 20)]
    packer = Packer(layer(), SRID)
    whole = unpacked(b"".join(b"".join(piece) for piece in pieces(packer, pages, 0, 1)), 1 + len(KINDS))
    assert len(whole) == 29
    assert packer.faults == [("no uuid", "sync.refused_uuid", "uuid")]
    for there in (0, 5, 9, 15, 28, 29):
        rest = b"".join(b"".join(piece) for piece in pieces(Packer(layer(), SRID), pages, there, 1))
        assert unpacked(rest, 1 + len(KINDS)) == whole[there:]


@pytest.mark.parametrize("bad", ["", "x" * 36, "0" * 36, "g" * 8 + "-0000-0000-0000-000000000000", "é" * 36])
def test_only_uuids_are(bad: str) -> None:
    chance = random.Random(3)
    good = [key(chance), key(chance)]
    assert uuid_bytes(good).tobytes() == b"".join(uuid.UUID(one).bytes for one in good)
    for odd in ([good[0], bad], [good[0].upper(), good[1]], [good[0] + good[1][:1], good[1][1:]]):
        with pytest.raises(ValueError, match="no UUID"):
            uuid_bytes(odd)


def shapes_of(kind: str, has_z: bool, chance: random.Random) -> list[Any]:
    """Single and multi, with holes, and none."""

    def at() -> tuple[float, ...]:
        return tuple(chance.uniform(0, 1e6) for _ in range(3 if has_z else 2))

    def ring() -> list[tuple[float, ...]]:
        start = at()
        return [start, *(at() for _ in range(chance.randrange(2, 9))), start]

    if kind == "point":
        return [shapely.Point(at()) for _ in range(9)] + [None]
    if kind == "line":
        return [shapely.MultiLineString([ring()[:-1] for _ in range(parts)]) for parts in (1, 1, 2, 1)] + [None]
    single = [shapely.MultiPolygon([shapely.Polygon(ring())]) for _ in range(9)]
    holed = shapely.MultiPolygon([shapely.Polygon(ring(), [ring()])])
    return [*single, holed, None, shapely.MultiPolygon([shapely.Polygon(ring()), shapely.Polygon(ring())])]


def blobs_of(kind: str, has_z: bool, chance: random.Random) -> list[bytes | None]:
    texts = [
        None if one is None else shapely.to_wkb(one, byte_order=1, flavor="iso")
        for one in shapes_of(kind, has_z, chance)
    ]
    return prepare(texts, kind, SRID, has_z=has_z).blobs  # type: ignore[arg-type]


@pytest.mark.parametrize("has_z", [False, True])
@pytest.mark.parametrize("kind", ["point", "line", "polygon"])
def test_geometries_are_judged_by_the_page_as_one_by_one(kind: str, has_z: bool) -> None:
    chance = random.Random(4)
    of = layer(kind, multi=kind != "point", has_z=has_z)
    for round_ in range(60):
        blobs: list[Any] = blobs_of(kind, has_z, chance)
        if round_ % 4:
            at = chance.randrange(len(blobs))
            if blobs[at] is not None and round_ % 4 == 1:  # a byte of it, or its end
                place = chance.randrange(39, len(blobs[at]) - 1)
                blobs[at] = blobs[at][:place] + chance.randbytes(1) + blobs[at][place + 1 :]
            elif blobs[at] is not None and round_ % 4 == 2:
                blobs[at] = blobs[at][:-9] + struct.pack("<d", chance.choice([math.nan, math.inf])) + b"\xfe"
            else:
                blobs[at] = chance.choice([b"", b"\x00\x01", "text", 5, (blobs[0] or b"")[:-12]])
        uuids = [key(chance) for _ in blobs]
        expected = {
            one: fault
            for one, blob in zip(uuids, blobs, strict=True)
            if blob is not None
            for fault in geometry_faults({one: blob}).values()
        }
        made, faults = Shapes(of).wkb(uuids, blobs)
        assert faults.keys() == expected.keys()
        assert {one: code for one, (code, _) in faults.items()} == {one: code for one, (code, _) in expected.items()}
        for one, blob, wkb in zip(uuids, blobs, made, strict=True):
            assert one in faults or wkb == to_wkb(blob)


def test_geometries_get_their_srid() -> None:
    chance = random.Random(5)
    blobs = [blob for blob in blobs_of("polygon", False, chance) if blob is not None]
    for there in (blobs, [None, *blobs], [None]):
        rows = [(key(chance), to_wkb(blob), [None] * len(KINDS)) for blob in there]
        packer = Packer(layer("polygon", multi=True), SRID)
        _, raw = packer.packed(Page.of(rows))
        assert [row[1] for row in unpacked(raw, 2 + len(KINDS))] == [
            None if wkb is None else shapely.to_wkb(shapely.set_srid(shapely.from_wkb(wkb), SRID), include_srid=True)
            for _, wkb, _ in rows
        ]
    lone = shapely.to_wkb(shapely.Point(1, 2), byte_order=1)
    packer = Packer(layer("polygon", multi=True), SRID)
    assert packer.packed(Page.of([(key(chance), lone, [None] * len(KINDS))])) == (0, b"")
    assert [fault[1:] for fault in packer.faults] == [("sync.refused_geometry", "type")]


def test_an_empty_page_is_nothing() -> None:
    assert Packer(layer(), SRID).packed(Page.of([], len(KINDS))) == (0, b"")
    assert list(pieces(Packer(layer(), SRID), [Page.of([], len(KINDS))], 0, 1)) == []
