"""Survey tables as surveyors hand them over: joined or in two, with heads of two rows, in GB18030 or as a workbook."""

from __future__ import annotations

import csv
from pathlib import Path

EAST, NORTH = 508_000.0, 2_944_000.0
HEAD = [
    ["某市地下管线成果表", *[""] * 15],
    ["图上点号", "物探点号", "连接点号", "特征", "附属物", "坐标(m)", "", "高程(m)", "", "埋深(m)",
     "管径或断面尺寸(mm)", "材质",
     "压力", "电缆条数", "权属单位", "建设年代"],
    ["", "", "", "", "", "X", "Y", "地面", "管顶(底)", "", "", "", "", "", "", ""],
]  # fmt: skip


def joined_rows() -> list[list[object]]:
    """Water JS1–JS2–JS3 with a valve at JS2, sewage WS1–WS2; every line told from both of its ends."""

    def row(code: str, to: str, feature: str, extra: str, dx: float, dy: float, ground: float, z: float, depth: float,
            dn: object, material: str, year: object = 2018) -> list[object]:  # fmt: skip
        return [
            "",
            code,
            to,
            feature,
            extra,
            NORTH + dy,
            EAST + dx,
            ground,
            z,
            depth,
            dn,
            material,
            "0.4",
            "",
            "水司",
            year,
        ]

    return [
        row("JS1", "JS2", "起讫点", "水源井", 0, 0, 4.0, 2.8, 1.2, 400, "球墨铸铁"),
        row("JS2", "JS1", "直线点", "阀门井", 100, 0, 4.2, 2.9, 1.3, 400, "球墨铸铁"),
        ["", "", "JS3", "", "", "", "", "", 2.9, 1.3, "DN300", "PE", "0.4", "", "水司", "2019年5月"],
        row("JS3", "JS2", "终止点", "", 100, 60.0, 4.4, 3.0, 1.4, "DN300", "PE", "2019年5月"),
        row("WS1", "WS2", "", "检修井", 10, 20, 4.0, 1.5, 2.5, "800×600", "混凝土", 2005),
        row("WS2", "WS1", "", "检修井", 60, 20, 4.0, 1.4, 2.6, "800×600", "混凝土", 2005),
    ]


def write_csv(path: Path, rows: list[list[object]], encoding: str = "gb18030") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def write_workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == "" else cell for cell in row])
    book.save(path)
    return path
