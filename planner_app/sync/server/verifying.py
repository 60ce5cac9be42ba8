"""Is the server whole and untouched? Chain, registry, every record against the log, attachments, guards, functions."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from planner_app.domain.progress import Progress, check
from planner_app.project import CheckResult
from planner_app.sync.server.migrations import code, filled, numbered
from planner_app.sync.server.session import worded

if TYPE_CHECKING:
    import psycopg

#: Findings shown of each check.
_SHOWN = 20
_FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (planner(?:_inner)?\.\w+)\(.*?(?:AS|as) \$\$(.*?)\$\$;", re.DOTALL)


def verify(connection: psycopg.Connection[Any], server: str, progress: Progress) -> list[CheckResult]:
    """Run all checks on one state of the server.

    Args:
        connection: of an administrator (a member of role admin, or the database's own).

    Raises:
        PlannerError: ``sync.denied``, ``sync.no_server``, ``sync.offline``. Cancelled.
    """
    results: list[CheckResult] = []
    with worded(server):
        # Refusals are noted in a table: not read-only.
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            results.append(_schema(connection))
            results.append(_functions(connection))
            results.append(_found("guards", connection, None, "guards"))
            projects = connection.execute("SELECT uuid, name FROM planner.project ORDER BY name").fetchall()
            for number, (uuid, name) in enumerate(projects):
                progress.update(number / max(len(projects), 1), "stage.verifying")
                for what in ("chain", "registry", "layers"):
                    check(progress)
                    results.append(_found(f"{what}: {name}", connection, uuid, what))
                results.append(_attachments(connection, uuid, name, progress))
        finally:
            connection.execute("ROLLBACK")
    progress.update(1.0)
    return results


def _result(name: str, faults: list[str]) -> CheckResult:
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return CheckResult(name, not faults, "; ".join(faults[:_SHOWN]) + more or "ok")


def _found(name: str, connection: psycopg.Connection[Any], project: Any, what: str) -> CheckResult:
    rows = connection.execute("SELECT * FROM planner.verify(%s, %s, %s)", (project, what, 10 * _SHOWN))
    return _result(name, [f"{subject} {fault}" for subject, fault in rows])


def _schema(connection: psycopg.Connection[Any]) -> CheckResult:
    have = [row[0] for row in connection.execute("SELECT version FROM planner.migration ORDER BY version")]
    wanted = [version for version, _, _ in numbered()]
    return _result("schema", [] if have == wanted else [f"migrations {have} instead of {wanted}"])


def _functions(connection: psycopg.Connection[Any]) -> CheckResult:
    """What is installed is what this program installs, letter for letter: a changed function could hide anything."""
    found = connection.execute(
        "SELECT n.nspname || '.' || p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname IN ('planner', 'planner_inner')"
    ).fetchall()
    postgis = connection.execute(
        "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'postgis'"
    ).fetchone()
    wanted = _ours(postgis[0] if postgis else "public")
    have = dict(found)
    faults = [f"{name} is missing" for name in sorted(wanted.keys() - have.keys())]
    faults += [f"{name} is not ours" for name in sorted(have.keys() - wanted.keys())]
    faults += [f"{name} was changed" for name in sorted(wanted.keys() & have.keys()) if wanted[name] != have[name]]
    if faults:
        faults.insert(0, "not this program's version: if it is newer than the server's, run planner server init first")
    return _result("functions", faults)


@lru_cache(maxsize=2)
def _ours(postgis: str) -> dict[str, str]:
    """Body of each function that this program installs."""
    return dict(_FUNCTION.findall(filled(code(), postgis)))


def _attachments(connection: psycopg.Connection[Any], uuid: Any, name: str, progress: Progress) -> CheckResult:
    """Every attachment has the hash it is called by, piece by piece."""
    faults = []
    blobs = connection.execute(
        "SELECT b.project, b.sha256, b.member, b.size, b.chunks FROM planner.blob b "
        "JOIN planner.project p ON p.id = b.project WHERE p.uuid = %s ORDER BY b.sha256",
        (uuid,),
    ).fetchall()
    for project, sha256, member, size, chunks in blobs:
        digest, length = hashlib.sha256(), 0
        for number in range(chunks):
            check(progress)
            row = connection.execute(
                "SELECT data FROM planner.blob_chunk WHERE project = %s AND sha256 = %s AND owner = %s AND number = %s",
                (project, sha256, member, number),
                binary=True,
            ).fetchone()
            piece = b"" if row is None else row[0]
            digest.update(piece)
            length += len(piece)
        if digest.hexdigest() != sha256 or length != size:
            faults.append(f"{sha256} is damaged")
    return _result(f"attachments: {name}", faults)
