"""Whole layers packed for PostgreSQL's binary COPY, a page at a time and column by column.

What is equally long in all rows (heads, lengths, numbers) is one block that NumPy makes; only texts and geometries are
handled one by one.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from planner_app.domain.layer import FieldType
from planner_app.sync.server.wire import UnsendableError, clean_text, packed_text
from planner_app.sync.types import LayerDef, Page
from planner_app.sync.uuids import uuid_bytes

if TYPE_CHECKING:
    import numpy as np

    _Block = np.ndarray[Any, np.dtype[np.uint8]]

HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TAIL: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_ALLOWED: Final[dict[FieldType, frozenset[type]]] = {
    "integer": frozenset({int}), "real": frozenset({float, int}),
    "boolean": frozenset({int, bool}), "date": frozenset({str}),
    "blob": frozenset({bytes, bytearray, memoryview}),
}  # fmt: skip
_ARRAYS: Final = {"real": "d", "integer": "q"}
_WKB_TYPES: Final = {"point": 1, "line": 2, "polygon": 3}
_EPOCH: Final = date(2000, 1, 1).toordinal()


class Packer:
    """Turns pages of a layer into rows for COPY into its typed table.

    Attributes:
        faults: (uuid, code, reason) of the rows that were held back.
    """

    def __init__(self, layer: LayerDef, srid: int) -> None:
        self._kinds = [field.type for field in layer.fields]
        self._spatial = layer.geometry != "none"
        self.faults: list[tuple[str, str, str]] = []
        self._heads: dict[bytes, bytes] = {}
        kind = _WKB_TYPES.get(layer.geometry, 0) + 3 * layer.multi
        self._types = {kind + 1000, kind | 0x80000000} if layer.has_z else {kind}
        self._srid = srid

    def packed(self, page: Page, skip: int = 0) -> tuple[int, bytes]:
        """(how many rows, the rows) of those that can go, the first ``skip`` of them left out."""
        try:
            made = self._rows(page)
        except (ValueError, TypeError, OverflowError, struct.error):
            page = self._without_bad(page)
            made = self._rows(page)
        count = len(page.uuids)
        if skip:
            made = b"" if skip >= count else self._rows(page.rest(skip))
        return count, made

    def _without_bad(self, page: Page) -> Page:
        good = []
        for row in page.rows():
            try:
                self._rows(Page.of([row]))
                good.append(row)
            except (ValueError, TypeError, OverflowError, struct.error) as error:
                reason = error.reason if isinstance(error, UnsendableError) else "value"
                code = "sync.refused_geometry" if reason == "type" else f"sync.refused_{reason}"
                self.faults.append((clean_text(str(row[0]))[:100], code, reason))
        return Page.of(good, len(self._kinds))

    def _rows(self, page: Page) -> bytes:
        if not page.uuids:
            return b""
        if len(page.columns) != len(self._kinds):
            raise UnsendableError
        rows = _Rows(len(page.uuids))
        rows.same(struct.pack("!hi", 1 + self._spatial + len(self._kinds), 16))
        try:
            rows.block(uuid_bytes(page.uuids))
        except ValueError as error:
            raise UnsendableError("uuid") from error
        if self._spatial:
            self._geometries(rows, page.shapes)
        for column, kind in zip(page.columns, self._kinds, strict=True):
            _column(rows, column, kind)
        return rows.joined()

    def _geometries(self, rows: _Rows, shapes: Sequence[bytes | None]) -> None:
        """WKB with the SRID in its head, as a typed column wants it."""
        heads = {None if wkb is None else wkb[:5] for wkb in shapes}
        made = {head: self._head(head) for head in heads if head is not None}
        if len(heads) == 1 and made:
            (head,) = made.values()
            rows.lengths([len(wkb) - 5 + len(head) for wkb in shapes])  # type: ignore[arg-type]
            rows.same(head)
            rows.pieces([wkb[5:] for wkb in shapes])  # type: ignore[index]
            return
        parts = [None if wkb is None else made[wkb[:5]] + wkb[5:] for wkb in shapes]
        rows.values(parts)

    def _head(self, head: bytes) -> bytes:
        known = self._heads.get(head)
        if known is not None:
            return known
        if len(head) < 5 or head[0] > 1:
            raise UnsendableError("type")
        order = "<" if head[0] else ">"
        kind = struct.unpack(f"{order}I", head[1:])[0]
        if kind not in self._types:
            raise UnsendableError("type")
        made = head if not self._srid else head[:1] + struct.pack(f"{order}Ii", kind | 0x20000000, self._srid)
        self._heads[head] = made
        return made


class _Rows:
    """Rows in the making: what comes next in each of them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._blocks: list[_Block] = []
        self._pieces: list[Sequence[bytes]] = []

    def block(self, block: _Block) -> None:
        """The same number of bytes in each row."""
        self._blocks.append(block)

    def same(self, raw: bytes) -> None:
        """The same bytes in each row."""
        import numpy as np

        self.block(np.broadcast_to(np.frombuffer(raw, np.uint8), (self._count, len(raw))))

    def lengths(self, lengths: Sequence[int]) -> None:
        """How long what follows is, as COPY says it."""
        import numpy as np

        self.block(np.array(lengths, dtype=">i4").view(np.uint8).reshape(-1, 4))

    def pieces(self, pieces: Sequence[bytes]) -> None:
        """Other bytes in each row."""
        self._flush()
        self._pieces.append(pieces)

    def values(self, values: Sequence[bytes | None]) -> None:
        """Values with their lengths."""
        self.lengths([-1 if value is None else len(value) for value in values])
        self.pieces([value or b"" for value in values])

    def _flush(self) -> None:
        import numpy as np

        if self._blocks:
            block = np.ascontiguousarray(np.concatenate(self._blocks, axis=1))
            self._pieces.append(block.view(f"V{block.shape[1]}").ravel().tolist())
            self._blocks = []

    def joined(self) -> bytes:
        """All rows."""
        self._flush()
        return b"".join(chain.from_iterable(zip(*self._pieces, strict=True)))


def _column(rows: _Rows, column: Sequence[Any], kind: FieldType) -> None:
    """Add a field's values.

    Raises:
        ValueError: one does not belong in it.
    """
    if isinstance(column, array):
        if column.typecode != _ARRAYS.get(kind):
            raise UnsendableError
        rows.block(_BLOCKS[kind](column, set()))
        return
    if kind in ("text", "datetime"):
        _texts(rows, column)
        return
    types = set(map(type, column))
    empty = type(None) in types
    types.discard(type(None))
    if not types <= _ALLOWED[kind]:
        raise UnsendableError
    if not types:
        rows.same(_NULL)
    elif kind == "blob":
        rows.values([None if value is None else bytes(value) for value in column])
    else:
        there = [value for value in column if value is not None] if empty else column
        block = _BLOCKS[kind](there, types)
        if not empty:
            rows.block(block)
            return
        values = iter(block.view(f"V{block.shape[1]}").ravel().tolist())
        rows.pieces([_NULL if value is None else next(values) for value in column])


def _texts(rows: _Rows, column: Sequence[str | None]) -> None:
    distinct = set(column)
    if not set(map(type, distinct)) <= {str, type(None)}:
        raise UnsendableError
    if 2 * len(distinct) > len(column):
        rows.values([None if text is None else packed_text(text) for text in column])
        return
    made: dict[str | None, bytes] = {None: _NULL}
    for text in distinct:
        if text is not None:
            raw = packed_text(text)
            made[text] = len(raw).to_bytes(4, "big") + raw
    rows.pieces([made[text] for text in column])


def _sized(numbers: Any, width: int) -> _Block:
    """Numbers with their length before them."""
    import numpy as np

    made = np.empty((len(numbers), 4 + width), np.uint8)
    made[:, :4] = (0, 0, 0, width)
    made[:, 4:] = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, width)
    return made


def _reals(column: Sequence[Any], types: set[type]) -> _Block:
    import numpy as np

    if int in types and any(int(float(value)) != value for value in column if isinstance(value, int)):
        raise UnsendableError
    numbers = np.frombuffer(column if isinstance(column, array) else array("d", column))
    if np.isnan(numbers).any():
        raise UnsendableError
    return _sized(numbers.astype(">f8"), 8)


def _integers(column: Sequence[int], types: set[type]) -> _Block:
    import numpy as np

    return _sized(np.frombuffer(column if isinstance(column, array) else array("q", column), np.int64).astype(">i8"), 8)


def _booleans(column: Sequence[int], types: set[type]) -> _Block:
    import numpy as np

    if not set(column) <= {0, 1}:
        raise UnsendableError
    return _sized(np.array(column, np.uint8), 1)


def _dates(column: Sequence[str], types: set[type]) -> _Block:
    import numpy as np

    days = {}
    for text in set(column):
        found = date.fromisoformat(text)
        if found.isoformat() != text:
            raise UnsendableError
        days[text] = found.toordinal() - _EPOCH
    return _sized(np.array([days[text] for text in column], ">i4"), 4)


_BLOCKS: Final[dict[str, Callable[[Sequence[Any], set[type]], _Block]]] = {
    "real": _reals, "integer": _integers, "boolean": _booleans, "date": _dates,
}  # fmt: skip


def pieces(packer: Packer, pages: Iterable[Page], there: int, limit: int) -> Iterator[list[bytes]]:
    """Pages packed and put together to about ``limit`` bytes, behind the first ``there`` rows."""
    pending: list[bytes] = []
    size = 0
    for page in pages:
        count, raw = packer.packed(page, there)
        there = max(0, there - count)
        if raw:
            pending.append(raw)
            size += len(raw)
        if size >= limit:
            yield pending
            pending, size = [], 0
    if pending:
        yield pending
