"""What people type, read: names, days, moments, chainages, gas tests."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.operation.entry import GASES
from plugins.tunnel.model.operation.records import GasTest

_KILOMETRES = re.compile(r"\s*(-?)K?\s*(\d+)\s*\+\s*(\d+(?:\.\d*)?)\s*", re.IGNORECASE)


def chainage(text: str) -> float:
    """``123.4``, ``K0+123.4`` or ``K1+023.4`` as metres.

    Raises:
        PlannerError: ``tunnel.chainage_unreadable``.
    """
    found = _KILOMETRES.fullmatch(text)
    if found:
        metres = int(found[2]) * 1000 + float(found[3])
        return -metres if found[1] else metres
    try:
        return float(text)
    except ValueError as error:
        raise PlannerError("tunnel.chainage_unreadable", text=text) from error


def gas_test(text: str, **given: Any) -> GasTest:
    """A gas test from ``o2=20.9 ch4=0 h2s=0 co=1 place=K0+100 time=2024-10-30T09:40``.

    Raises:
        PlannerError: ``tunnel.gas_unreadable``.
    """
    values: dict[str, Any] = {"time": ""} | given
    for part in text.replace("，", " ").replace(",", " ").split():
        name, _, value = part.partition("=")
        name = name.casefold()
        try:
            if name in GASES:
                values[name] = float(value)
            elif name in ("place", "time", "instrument", "by") and value:
                values[name] = value
            else:
                raise ValueError(part)
        except ValueError as error:
            raise PlannerError("tunnel.gas_unreadable", text=part) from error
    return GasTest(**values)


def somebody(name: str) -> str:
    """A person's name.

    Raises:
        PlannerError: ``tunnel.nobody``.
    """
    if not name.strip():
        raise PlannerError("tunnel.nobody")
    return name.strip()


def a_day(text: str) -> str:
    """An ISO date, or empty.

    Raises:
        PlannerError: ``tunnel.date_wrong``.
    """
    if not text.strip():
        return ""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").date().isoformat()
    except ValueError as error:
        raise PlannerError("tunnel.date_wrong", value=text) from error


def a_moment(text: str) -> datetime:
    """A moment with its zone; one without a zone is the desk's own time.

    Raises:
        PlannerError: ``tunnel.moment_wrong``.
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise PlannerError("tunnel.moment_wrong", value=text) from error
    return when if when.tzinfo else when.astimezone()
