"""A network of nodes and lines as arrays. Built from ids, never by snapping. No Qt, no project file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner_app.domain.errors import PlannerError

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]


def _none(kind: type = np.int32) -> Any:
    return np.empty(0, kind)


@dataclass(frozen=True)
class Network:
    """n nodes, m lines, and isolation valves at k places. A place is one end of one line: a device that sits on a node
    and shuts several lines there has several places and one valve number.

    Attributes:
        node_ids (n), line_ids (m), valve_ids (v): names, unique within their kind.
        start, end: int32 (m,): numbers of the nodes a line leads from and to (the direction of ``down``).
        length: float64 (m,) in m.
        source: bool (n,): water, gas or current enters here (reservoirs, tanks, stations).
        passable: bool (m,): false for lines that are shut for good or not in use; nothing flows through them.
        place_valve, place_line, place_node: int32 (k,): valve number, line number, node number of each place.
        valve_open, valve_operable: bool (v,).
        service_node, service_line: int32 (s,): where a service point hangs: a node, or a line, the other is −1.
        service_customers: int64 (s,) served there; service_critical: bool (s,) hospitals and the like.
    """

    node_ids: Sequence[str]
    line_ids: Sequence[str]
    start: Ints
    end: Ints
    length: NDArray[np.float64]
    source: Bools
    passable: Bools
    valve_ids: Sequence[str] = ()
    place_valve: Ints = field(default_factory=_none)
    place_line: Ints = field(default_factory=_none)
    place_node: Ints = field(default_factory=_none)
    valve_open: Bools = field(default_factory=lambda: _none(np.bool_))
    valve_operable: Bools = field(default_factory=lambda: _none(np.bool_))
    service_ids: Sequence[str] = ()
    service_node: Ints = field(default_factory=_none)
    service_line: Ints = field(default_factory=_none)
    service_customers: NDArray[np.int64] = field(default_factory=lambda: _none(np.int64))
    service_critical: Bools = field(default_factory=lambda: _none(np.bool_))

    @cached_property
    def node_number(self) -> Mapping[str, int]:
        """Number of each node id."""
        return {name: number for number, name in enumerate(self.node_ids)}

    @cached_property
    def line_number(self) -> Mapping[str, int]:
        """Number of each line id."""
        return {name: number for number, name in enumerate(self.line_ids)}

    @cached_property
    def valve_number(self) -> Mapping[str, int]:
        """Number of each valve id."""
        return {name: number for number, name in enumerate(self.valve_ids)}

    def find(self, reference: str) -> tuple[str, int]:
        """(``node`` | ``line`` | ``valve``, number) of ``node:ID``, ``line:ID``, ``valve:ID``, or of a bare id that is
        only one of them.

        Raises:
            PlannerError: ``tunnel.id_unknown``, ``tunnel.id_ambiguous``.
        """
        numbers = {"node": self.node_number, "line": self.line_number, "valve": self.valve_number}
        kind, mark, name = reference.partition(":")
        if mark and kind in numbers and name in numbers[kind]:
            return kind, numbers[kind][name]
        found = [(one, known[reference]) for one, known in numbers.items() if reference in known]
        if len(found) == 1:
            return found[0]
        if found:
            raise PlannerError(
                "tunnel.id_ambiguous", id=reference, known=", ".join(f"{k}:{reference}" for k, _ in found)
            )
        alike = [
            f"{one}:{other}" for one in numbers for other in numbers[one] if other.endswith("/" + (name or reference))
        ]
        if alike:  # several networks have it
            raise PlannerError("tunnel.id_ambiguous", id=reference, known=", ".join(alike[:8]))
        raise PlannerError("tunnel.id_unknown", id=reference, nodes=len(self.node_ids), lines=len(self.line_ids))

    @cached_property
    def cut_ends(self) -> tuple[Bools, Bools]:
        """Bool (m,) each: a valve sits at the line's start, at its end."""
        count = len(self.start)
        cut = np.zeros(2 * count, bool)
        for begin in range(0, len(self.place_line), _PIECE):
            line, node = (one[begin : begin + _PIECE] for one in (self.place_line, self.place_node))
            cut[line + (self.start[line] != node) * count] = True
        return cut[:count], cut[count:]


def gather(values: NDArray[Any], numbers: NDArray[Any], into: NDArray[Any] | None = None) -> NDArray[Any]:
    """``values[numbers]`` for a million numbers ≥ 0, piece by piece: NumPy widens them all to 64 bits first, and memory
    touched for the first time costs more than the work."""
    found = np.empty(len(numbers), values.dtype) if into is None else into
    for begin in range(0, len(numbers), _PIECE):
        piece = slice(begin, begin + _PIECE)
        np.take(values, numbers[piece], out=found[piece], mode="clip")
    return found


_PIECE = 1 << 15


def components(count: int, a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> Ints:
    """Labels int32 (count,) of the parts that pairs (a, b) join."""
    every = np.broadcast_to(np.float64(1), a.shape)  # the type that the search takes without a copy
    graph = coo_matrix((every, (a, b)), shape=(count, count))
    graph.has_canonical_format = True  # pairs that come twice need not be summed, nor rows sorted
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)
