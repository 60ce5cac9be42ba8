"""SQLite's R-tree written as packed nodes: a third of the time of inserting box by box, and no emptier.

Sort-tile-recursive packing (Leutenegger, Lopez, Edgington 1997). Node format: https://www.sqlite.org/rtree.html,
section 5 (shadow tables): big-endian; depth (root only) and cell count in two bytes each, then per cell an 8-byte id
and xmin, xmax, ymin, ymax as 32-bit floats, rounded outwards as SQLite does.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from planner_app.project.sql import quote

if TYPE_CHECKING:
    import numpy as np

_MOST_CELLS = 51  # RTREE_MAXCELLS: a node never holds more, however large the page
#: How full nodes are made: full ones would have to be split at each of the next edits.
_FULL = 0.82
_CELL_BYTES = 24


def create(connection: sqlite3.Connection, table: str) -> None:
    """Create the empty R-tree of a table's ``geom``, named as SpatiaLite names it."""
    connection.execute(f"CREATE VIRTUAL TABLE {quote(f'idx_{table}_geom')} USING rtree(pkid, xmin, xmax, ymin, ymax)")


def fill(connection: sqlite3.Connection, table: str, fids: np.ndarray[Any, Any], boxes: np.ndarray[Any, Any]) -> None:
    """Write the whole content of a table's empty R-tree.

    Args:
        fids: int64 (n,), ascending or not, unique.
        boxes: float64 (n, 4): xmin, ymin, xmax, ymax, finite.
    """
    import numpy as np

    name = f"idx_{table}_geom"
    if not len(fids):
        return
    size = connection.execute(f"SELECT length(data) FROM {quote(name + '_node')} WHERE nodeno = 1").fetchone()[0]
    capacity = int(min(_MOST_CELLS, (size - 4) // _CELL_BYTES) * _FULL)
    ids = np.asarray(fids, dtype=np.int64)
    cells = _rounded_out(boxes[:, [0, 2, 1, 3]])
    levels: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[np.ndarray[Any, Any]]]] = []
    while True:
        groups = _tile(cells, capacity)
        levels.append((ids, cells, groups))
        if len(groups) == 1:
            break
        cells = np.array(
            [[c[:, 0].min(), c[:, 1].max(), c[:, 2].min(), c[:, 3].max()] for c in (cells[g] for g in groups)],
            dtype=np.float32,
        )
        ids = np.arange(len(groups), dtype=np.int64)
    # Node 1 is the root; the others are numbered level by level from the top.
    first = [0] * len(levels)
    number = 2
    for level in range(len(levels) - 2, -1, -1):
        first[level] = number
        number += len(levels[level][2])
    first[-1] = 1
    nodes: list[tuple[int, bytes]] = []
    parents: list[tuple[int, int]] = []
    rows: list[tuple[int, int]] = []
    for level, (members, member_cells, groups) in enumerate(levels):
        depth = len(levels) - 1 if level == len(levels) - 1 else 0
        for at, group in enumerate(groups):
            node = first[level] + at
            targets = members[group] if level == 0 else first[level - 1] + group
            nodes.append((node, _node(depth, targets, member_cells[group], size)))
            links = [(target, node) for target in targets.tolist()]
            (rows if level == 0 else parents).extend(links)
    connection.execute(f"DELETE FROM {quote(name + '_node')}")
    connection.executemany(f"INSERT INTO {quote(name + '_node')} (nodeno, data) VALUES (?, ?)", nodes)
    connection.executemany(f"INSERT INTO {quote(name + '_parent')} (nodeno, parentnode) VALUES (?, ?)", sorted(parents))
    connection.executemany(f"INSERT INTO {quote(name + '_rowid')} (rowid, nodeno) VALUES (?, ?)", sorted(rows))


def _rounded_out(boxes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 (n, 4) xmin, xmax, ymin, ymax: minima not above, maxima not below the doubles (rtreeValueDown, …Up)."""
    import numpy as np

    rounded = boxes.astype(np.float32)
    lower, upper = rounded[:, 0::2], rounded[:, 1::2]
    too_high, too_low = lower > boxes[:, 0::2], upper < boxes[:, 1::2]
    lower[too_high] = np.nextafter(lower[too_high], np.float32(-np.inf))
    upper[too_low] = np.nextafter(upper[too_low], np.float32(np.inf))
    return rounded


def _tile(cells: np.ndarray[Any, Any], capacity: int) -> list[np.ndarray[Any, Any]]:
    """Indices of ``cells`` in groups of at most ``capacity``: vertical slices by x, each cut by y."""
    import numpy as np

    count = len(cells)
    if count <= capacity:
        return [np.arange(count)]
    # Sums of float32 pairs in float64: halving changes no order.
    x = cells[:, 0].astype(np.float64) + cells[:, 1]
    y = cells[:, 2].astype(np.float64) + cells[:, 3]
    slices = int(np.ceil(np.sqrt(np.ceil(count / capacity))))
    groups: list[np.ndarray[Any, Any]] = []
    for strip in np.array_split(np.argsort(x, kind="stable"), slices):
        ordered = strip[np.argsort(y[strip], kind="stable")]
        groups += np.array_split(ordered, int(np.ceil(len(ordered) / capacity)))
    return groups


def _node(depth: int, targets: np.ndarray[Any, Any], cells: np.ndarray[Any, Any], size: int) -> bytes:
    import numpy as np

    packed = np.empty(len(targets), dtype=[("id", ">i8"), ("box", ">f4", 4)])
    packed["id"], packed["box"] = targets, cells
    data = depth.to_bytes(2, "big") + len(targets).to_bytes(2, "big") + packed.tobytes()
    return data.ljust(size, b"\0")
