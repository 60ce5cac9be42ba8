"""Overlay of two plans: ours against QGIS, geopandas, shapely and PostGIS, in interleaved rounds.

    python -m tests.bench.bench_overlay [--count 20000] [--rounds 3] [--only ours,qgis] [--folder F] [--json OUT]
    python -m tests.bench.bench_overlay --count 200000 --rounds 1
    python -m tests.bench.bench_overlay --folder REAL --rounds 3      any a.gpkg, b.gpkg with a field "class"

Timed is the computation: layers in memory, caches and indexes of the database warm, both cores.

ours            every class pair's area and the shapes of all conflicts (classes of ``plans.CONFLICTS``)
ours full       every class pair's area and all shapes
qgis            native:intersection, areas summed per class pair (all shapes)
qgis filtered   the same on layers filtered to the classes in conflict first (conflicts only)
geopandas       geopandas.overlay, summed
shapely         STRtree and shapely.intersection of all pairs, one thread; the reference for areas
postgis         ST_Intersection over GiST, summed per class pair (no shapes kept); needs a PostgreSQL server

Targets (facts of the project, on two cores): ours ≥ 16 × qgis and ≥ 5.5 × qgis filtered, ours full ≥ 10 × qgis at
20,000; ours ≥ 14 × qgis under 1.4 GB at 200,000; total area 1e-9, each class pair within 1e-6 m² of GEOS at 20,000.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import harness, plans

NAMES = ("ours", "ours full", "qgis", "qgis filtered", "geopandas", "shapely", "postgis")
HERE = Path(__file__).resolve().parent


def ours(folder: Path, full: bool) -> None:
    """Our overlay; both gates only drop what is rounding, so that areas can be compared."""
    import numpy as np
    import shapely

    from planner_app.compute import Overlay, overlay
    from planner_app.compute.warm import warm

    a, b = plans.read(folder, "a"), plans.read(folder, "b")
    warm()
    kept: list[Overlay] = []

    def work() -> dict[str, Any]:
        kept.append(
            overlay(
                a.geoms,
                b.geoms,
                class_a=a.classes,
                class_b=b.classes,
                keep=np.ones((10, 10), bool) if full else plans.conflict_matrix(),
                min_area=1e-4,
                min_width=0,
            )
        )
        return {"pieces": len(kept[0].i)}

    result = harness.timed(work)
    patches = kept[0]
    harness.report(
        {
            **result,
            "total_m2": float(patches.matrix.sum()),
            "matrix": _named(patches.matrix),
            "shapes_minus_areas_m2": float(shapely.area(patches.geometry).sum() - patches.area.sum()),
            "valid": bool(shapely.is_valid(patches.geometry).all()),
        }
    )


def geopandas(folder: Path) -> None:
    """geopandas.overlay."""
    import geopandas as gpd
    import numpy as np

    frames = []
    for name in "ab":
        plan = plans.read(folder, name)
        frames.append(gpd.GeoDataFrame({"class": plan.classes}, geometry=list(plan.geoms), crs=plans.EPSG))

    def work() -> dict[str, Any]:
        pieces = gpd.overlay(*frames, how="intersection", keep_geom_type=True)
        matrix = np.zeros((10, 10))
        np.add.at(matrix, (pieces["class_1"], pieces["class_2"]), pieces.geometry.area)
        return {"pieces": len(pieces), "total_m2": float(matrix.sum()), "matrix": _named(matrix)}

    harness.measured(work)


def shapely_bulk(folder: Path) -> None:
    """shapely.intersection of all envelope pairs."""
    import numpy as np
    import shapely

    a, b = plans.read(folder, "a"), plans.read(folder, "b")

    def work() -> dict[str, Any]:
        i, j = shapely.STRtree(b.geoms).query(a.geoms)
        area = shapely.area(shapely.intersection(a.geoms[i], b.geoms[j]))
        matrix = np.zeros((10, 10))
        np.add.at(matrix, (a.classes[i], b.classes[j]), area)
        return {"pieces": int((area > 0).sum()), "total_m2": float(matrix.sum()), "matrix": _named(matrix)}

    harness.measured(work)


def postgis(folder: Path, dsn: str) -> None:
    """ST_Intersection in one private cluster; its CPU and memory are the server process's."""
    import psycopg
    import shapely

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        for name in "ab":
            plan = plans.read(folder, name)
            connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"CREATE TABLE {name} (class int, geom geometry)")
            with connection.cursor().copy(f"COPY {name} (class, geom) FROM STDIN") as copy:
                for number, wkb in zip(plan.classes.tolist(), shapely.to_wkb(plan.geoms, hex=True), strict=True):
                    copy.write_row((number, wkb))
            connection.execute(f"CREATE INDEX ON {name} USING gist (geom)")
            connection.execute(f"VACUUM ANALYZE {name}")
        server = Path(f"/proc/{connection.info.backend_pid}")

        def work() -> dict[str, Any]:
            rows = connection.execute(
                "SELECT a.class, b.class, count(*) FILTER (WHERE s.area > 0), sum(s.area)"
                " FROM a JOIN b ON ST_Intersects(a.geom, b.geom),"
                " LATERAL (SELECT ST_Area(ST_Intersection(a.geom, b.geom)) AS area) s GROUP BY 1, 2"
            ).fetchall()
            matrix = {f"{plans.CLASSES_A[one]}|{plans.CLASSES_B[two]}": area for one, two, _, area in rows if area > 0}
            return {"pieces": sum(row[2] for row in rows), "total_m2": sum(matrix.values()), "matrix": matrix}

        before = _server_cpu_s(server)
        values = harness.timed(work)
        status = (server / "status").read_text(encoding="ascii")
        peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        harness.report({**values, "cpu_s": _server_cpu_s(server) - before, "peak_mb": peak})


def _server_cpu_s(server: Path) -> float:
    times = (server / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _named(matrix: Any) -> dict[str, float]:
    return {
        f"{one}|{two}": float(matrix[i, j])
        for i, one in enumerate(plans.CLASSES_A)
        for j, two in enumerate(plans.CLASSES_B)
        if matrix[i, j] > 0
    }


def commands(folder: Path, wanted: list[str], dsn: str, qgis_python: str) -> list[harness.Method]:
    """How each method is started."""
    conflicts = [f"{','.join(one)}:{','.join(two)}" for one, two in plans.CONFLICTS]
    qgis = [qgis_python, str(HERE / "overlay_qgis.py"), str(folder)]
    special = {"qgis": qgis, "qgis filtered": [*qgis, "--conflicts", *conflicts]}
    own = [sys.executable, "-m", "tests.bench.bench_overlay", "--folder", str(folder), "--dsn", dsn, "--method"]
    return [harness.Method(name, special.get(name, [*own, name])) for name in wanted]


def agreement(results: dict[str, dict[str, Any]]) -> str:
    """How far every method's areas are from shapely's (or ours, if that was left out)."""
    reference = next((name for name in ("shapely", "ours full", "ours") if "total_m2" in results.get(name, {})), "")
    if not reference:
        return ""
    truth = results[reference]["matrix"]
    lines = [f"against {reference}: total area (relative), largest difference of a class pair (m²)"]
    for name, row in results.items():
        if "matrix" in row and name != reference:
            shared = truth if name != "qgis filtered" else row["matrix"]
            worst = max((abs(row["matrix"].get(pair, 0.0) - truth.get(pair, 0.0)) for pair in shared), default=0.0)
            total = sum(truth.get(pair, 0.0) for pair in shared)
            lines.append(f"{name:<26}{row['total_m2'] / total - 1:>12.1e}{worst:>12.1e}   pieces {row['pieces']}")
    return "\n".join(lines)


def main() -> None:
    """Run one method (``--method``, in a process of its own) or the whole bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(NAMES), help="methods, comma separated")
    parser.add_argument("--folder", type=Path, help="plans made before; default: made anew")
    parser.add_argument("--qgis-python", default=os.environ.get("PLANNER_QGIS_PYTHON", "/usr/bin/python3"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dsn", default="")
    parser.add_argument("--method", choices=NAMES)
    options = parser.parse_args()
    if options.method:
        one: dict[str, Callable[[], None]] = {
            "ours": lambda: ours(options.folder, full=False),
            "ours full": lambda: ours(options.folder, full=True),
            "geopandas": lambda: geopandas(options.folder),
            "shapely": lambda: shapely_bulk(options.folder),
            "postgis": lambda: postgis(options.folder, options.dsn),
        }
        one[options.method]()
        return

    wanted = options.only.split(",")
    with contextlib.ExitStack() as stack:
        folder = options.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            plans.write(folder, plans.make(options.count))
        dsn = options.dsn
        if "postgis" in wanted and not dsn:
            from tests.helpers.postgres import PrivateCluster

            settings = {"shared_buffers": "512MB", "work_mem": "64MB", "max_parallel_workers_per_gather": "0"}
            dsn = stack.enter_context(PrivateCluster(settings)).dsn
        results = harness.run(commands(folder, wanted, dsn, options.qgis_python), options.rounds)
    print(harness.table(results, next(name for name in results if "error" not in results[name])))
    if "ours full" in results and "qgis" in results:
        print(f"qgis / ours full: {results['qgis']['wall_s'] / results['ours full']['wall_s']:.1f} × wall")
    print(agreement(results))
    print("load", " ".join(f"{load:.1f}" for load in os.getloadavg()))
    harness.save(results, options.json)


if __name__ == "__main__":
    main()
