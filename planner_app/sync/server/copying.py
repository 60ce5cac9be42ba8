"""Binary COPY read column by column: a third of the time of reading it row by row.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": each row is the number of its fields in
two bytes, then each field's length in four (-1 for NULL) and its bytes, all big-endian.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

#: Longer texts than this on average are cut out one by one.
_LONG: Final = 200
_FIXED: Final = {"int4": (">i4", 4), "int8": (">i8", 8), "float8": (">f8", 8)}
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_DASHES: Final = (8, 13, 18, 23)


def columns(blocks: Iterable[Any], kinds: Sequence[str], size: int) -> Iterator[tuple[int, list[list[Any]]]]:
    """Columns of a COPY, so many rows at a time, and how many bytes they were.

    Args:
        blocks: what the server sends, a row in each.
        kinds: of each column: ``uuid``, ``text``, ``bytea``, ``int4``, ``int8`` or ``float8``.
    """
    source = _rows(blocks)
    while rows := list(islice(source, size)):
        yield sum(map(len, rows)), _decoded(rows, kinds)


def _rows(blocks: Iterable[Any]) -> Iterator[bytes]:
    for block in blocks:
        row = bytes(block)
        if row[:11] == _SIGNATURE:  # before the first row, in the same block or in one of its own
            row = row[19 + int.from_bytes(row[15:19]) :]
        if row and row != b"\xff\xff":
            yield row


def _decoded(rows: Sequence[bytes], kinds: Sequence[str]) -> list[list[Any]]:
    import numpy as np

    whole = b"".join((*rows, bytes(8)))  # room to look at eight bytes of a field that is shorter
    data = np.frombuffer(whole, np.uint8)
    at = np.cumsum([0, *map(len, rows)])[:-1] + 2
    found: list[list[Any]] = []
    for kind in kinds:
        length = _numbers(data, at, ">i4", 4).astype(np.int64)
        at = at + 4
        missing = np.flatnonzero(length < 0)
        length[missing] = 0
        if kind in _FIXED:
            values = _numbers(data, at, *_FIXED[kind]).tolist()
        elif kind == "uuid":
            values = _uuids(data, at)
        elif kind == "text" and int(length.sum()) < _LONG * len(rows):
            values = _texts(data, at, length)
        else:
            pieces = [whole[a:b] for a, b in zip(at.tolist(), (at + length).tolist(), strict=True)]
            values = [piece.decode() for piece in pieces] if kind == "text" else pieces
        for row in missing.tolist():
            values[row] = None
        found.append(values)
        at = at + length
    return found


def _numbers(data: np.ndarray[Any, Any], at: np.ndarray[Any, Any], kind: str, width: int) -> np.ndarray[Any, Any]:
    import numpy as np

    return data[at[:, None] + np.arange(width)].view(kind).ravel()


def _uuids(data: np.ndarray[Any, Any], at: np.ndarray[Any, Any]) -> list[Any]:
    import numpy as np

    digits = np.frombuffer(data[np.minimum(at, len(data) - 16)[:, None] + np.arange(16)].tobytes().hex().encode(), "u1")
    text = np.full((len(at), 37), ord("-"), np.uint8)
    text[:, [n for n in range(36) if n not in _DASHES]] = digits.reshape(-1, 32)
    text[:, 36] = 0
    values: list[Any] = text.tobytes().decode().split("\0")[:-1]
    return values


def _texts(data: np.ndarray[Any, Any], at: np.ndarray[Any, Any], length: np.ndarray[Any, Any]) -> list[Any]:
    """All texts of a column at once: laid end to end with a zero after each, which none of PostgreSQL's has."""
    import numpy as np

    ends = np.cumsum(length + 1)
    source = np.repeat(at - (ends - length - 1), length + 1) + np.arange(ends[-1])
    joined = data[np.minimum(source, len(data) - 1)]
    joined[ends - 1] = 0
    values: list[Any] = joined.tobytes().decode().split("\0")[:-1]
    return values
