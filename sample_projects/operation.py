"""What the operator of the sample tunnel has written down: plans, rounds, defects with histories, work orders.

The records stand still on one day, that of the last readings; the file says so, so that the same rounds are due and
overdue whenever it is opened. Columns are those of the tunnel role's operation tables.
"""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import FieldInfo, FieldType, Geometry, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from planner_app.project import Batch, Project
from sample_projects.tables import CRS, Table, to_world
from sample_projects.tunnel_sections import TUNNEL

#: The day the records stand still on (setting ``tunnel.operation_day``): that of the last readings.
DAY = date(2024, 10, 30)
_NAMESPACE = uuid.UUID("0b7c7a52-6d55-5f8e-8a44-9d0e3b1c2035")
_WALKERS = ("陈国栋", "林晓峰", "黄志明", "吴建平")
_GRADES = {"1": "#5B7FA6", "2": "#C9A400", "3": "#E07B00", "4": "#C0322B"}

#: name, tunnel, from and to (m; 0 0: all of it), compartments, days, what to look at, responsible, start, ended, days
#: of October (and of September, negative) on which it was walked.
_PLANS: tuple[tuple[str, str, float, float, tuple[str, ...], int, str, str, str, str, tuple[int, ...]], ...] = (
    ("综合舱周巡检", "GL01", 0, 0, ("综合",), 7, "渗漏水,支架,照明,排水", "陈国栋", "2024-09-30", "", (2, 9, 16, 23)),
    ("燃气舱三日巡检", "GL01", 0, 0, ("燃气",), 3, "甲烷浓度,阀门,防火门,通风", "林晓峰", "2024-10-01", "",
     (2, 5, 8, 11, 14, 17, 20, 23)),
    ("电力舱周巡检", "GL01", 0, 0, ("电力",), 7, "电缆温度,接头,防火封堵,支架", "黄志明", "2024-10-01", "",
     (3, 10, 17, 24, 29)),
    ("新城大道管廊周巡检", "GL02", 0, 0, (), 7, "渗漏水,照明,支架,标识", "吴建平", "2024-10-03", "", (4, 11, 18)),
    ("主体结构月度检查", "GL01", 0, 0, (), 30, "裂缝,变形缝,沉降,渗漏水", "陈国栋", "2024-09-01", "", (-12,)),
    ("电力舱红外测温", "GL02", 0, 0, ("电力",), 15, "电缆接头,桥架", "黄志明", "2024-10-01", "", ()),
    ("出入口及投料口检查", "GL01", 0, 2041, ("综合",), 15, "井盖,挡水门槛,爬梯,锁具", "吴建平", "2024-10-01", "",
     (8, 22)),
    ("质保期联合巡检", "GL02", 0, 0, (), 30, "施工缺陷复查", "吴建平", "2024-01-01", "2024-06-30", ()),
)  # fmt: skip

#: code, tunnel, m, compartment, position, text, (day of October, grade) of each examination, day it was closed or 0.
_DEFECTS: tuple[tuple[str, str, float, str, str, str, tuple[tuple[int, int], ...], int], ...] = (
    ("seepage", "GL01", 1284.5, "综合", "顶板", "变形缝处滴漏，约 20 滴/分", ((2, 2), (9, 2), (16, 3), (23, 3)), 0),
    ("leak", "GL01", 2417.0, "燃气", "阀门法兰", "法兰密封处微漏，便携仪示值 6 %LEL", ((20, 3), (23, 4)), 0),
    ("crack", "GL01", 655.2, "综合", "左侧壁", "竖向裂缝，宽 0.2 mm，长 1.4 m", ((-12, 1), (9, 2), (23, 2)), 0),
    ("corrosion", "GL01", 1820.0, "综合", "支架", "托臂锈蚀，镀锌层脱落", ((2, 1), (16, 1), (23, 2)), 0),
    ("sheath", "GL01", 3105.8, "电力", "第 2 层支架", "10 kV 电缆外护套划伤，长 12 cm", ((10, 2), (17, 2), (24, 3)), 0),
    ("sealing", "GL01", 972.0, "电力", "防火墙", "电缆穿墙孔封堵脱落", ((3, 2), (10, 2), (17, 2)), 0),
    ("lighting", "GL02", 402.0, "综合", "顶板", "连续 3 盏灯不亮", ((11, 1),), 15),
    ("ponding", "GL02", 1180.0, "综合", "集水坑旁", "积水深 4 cm，排水沟堵塞", ((4, 1), (11, 2), (18, 2)), 0),
    ("pump", "GL02", 1196.0, "综合", "集水坑", "1 号排水泵不启动", ((18, 3),), 0),
    ("joint", "GL01", 2040.7, "综合", "底板", "变形缝止水带外翻", ((-12, 1), (16, 2)), 22),
    ("sign", "GL02", 1705.0, "综合", "右侧壁", "管线标识牌缺失", ((4, 1), (18, 1)), 0),
    ("door", "GL01", 3498.0, "燃气", "防火门", "闭门器失效，门不能自闭", ((5, 2), (11, 3)), 14),
)  # fmt: skip

_MEASURES = ("作业前强制通风不少于 30 min", "设置围挡与警示标志", "携带便携式四合一气体检测仪", "监护人全程值守")


@dataclass(frozen=True, slots=True)
class Written:
    """How many layers and rows were written."""

    layers: int
    features: int


def write_operation(project: Project, tables: Sequence[Table], seed: int) -> Written:
    """Write the records of operation on the tunnels among the sample's tables."""
    from sample_projects.build import NameLayers

    names: dict[str, str] = {}
    tunnels = next(table for table in tables if table.id == "tunnel")
    codes, ends = tunnels.columns["code"], tunnels.columns["to_m"]
    made = _Writer(dict(zip(codes, to_world(tunnels.shapes), strict=True)), dict(zip(codes, ends, strict=True)), seed)
    made.fill()
    photos = [project.attach(picture, name=name, media_type="image/png") for name, picture in _pictures(seed)]
    made.hang(photos)
    for table in made.tables.values():
        new = NewLayer(
            table.id, table.geometry, table.fields, TUNNEL, f"tunnel.{table.id}", source="管廊运维台账",
            source_crs=CRS, label_field="number" if table.geometry == "point" else "", qml=_look(table),
        )  # fmt: skip
        ids = [str(one) for one in table.rows]
        columns = {field.name: [row.get(field.name) for row in table.rows.values()] for field in table.fields}
        wkb = [table.wkb.get(one) for one in table.rows] if table.geometry == "point" else []
        layer = project.add_layer(new, [Batch(wkb, columns, ids)], params={"layer": table.name})
        names[layer.id] = table.name
    project.execute(NameLayers(names))
    project.set_setting("tunnel.operation_day", DAY.isoformat())
    return Written(len(made.tables), sum(len(table.rows) for table in made.tables.values()))


class _Records:
    """The rows of one table by their identity; its columns are written ``name=Chinese name``, ``name:r=…``."""

    def __init__(self, id: str, name: str, geometry: Geometry, fields: str) -> None:
        kinds: dict[str, FieldType] = {"i": "integer", "r": "real"}
        parts = [part.partition("=") for part in fields.split()]
        named = [(*head.partition(":"), alias) for head, _, alias in parts]
        self.id, self.name, self.geometry = id, name, geometry
        self.fields = tuple(FieldInfo(field, kinds.get(kind, "text"), alias) for field, _, kind, alias in named)
        self.rows: dict[str, dict[str, Any]] = {}
        self.wkb: dict[str, bytes] = {}


def _tables() -> dict[str, _Records]:
    span = "tunnel=管廊编号 from_m:r=起点里程（m） to_m:r=终点里程（m） compartments=舱室类型"
    place = "tunnel=管廊编号 m:r=里程（m） compartment=舱室类型"
    made = (
        _Records(
            "inspection_plan", "巡检计划", "none",
            f"number=计划编号 name=计划名称 {span} every_days:i=周期（天） look_at=检查内容 responsible=负责人 "
            "start=开始日期 ended=结束日期",
        ),
        _Records(
            "inspection", "巡检记录", "none",
            f"number=巡检编号 plan_id=计划标识 {span} by=巡检人 started=开始时间 ended=结束时间 remark=备注",
        ),
        _Records(
            "observation", "巡检所见", "none",
            f"inspection_id=巡检标识 {place} position=部位 text=描述 code=缺陷类别 grade:i=等级 photo=照片 by=记录人 "
            "time=时间 defect_id=缺陷标识",
        ),
        _Records(
            "defect_examination", "缺陷复查", "none",
            "defect_id=缺陷标识 observation_id=所见标识 event=事件 grade:i=等级 text=描述 photo=照片 by=记录人 "
            "time=时间",
        ),
        _Records(
            "work_order", "工单", "point",
            f"number=工单编号 title=标题 kind=类型 subject=对象 source=来源 {place} status=状态 responsible=负责人 "
            "due=期限 steps=作业步骤 permit=作业许可 gas_tests=气体检测 result=处理结果 photo=照片 life=流转记录 "
            "created_by=创建人 created_at=创建时间",
        ),
        _Records(
            "defect", "缺陷", "point",
            "number=缺陷编号 tunnel=管廊编号 m:r=里程（m） to_m:r=终点里程（m） compartment=舱室类型 position=部位 "
            "code=缺陷类别 grade:i=等级 status=状态 text=描述 first_seen=首次发现 last_seen=最近复查 "
            "closed_at=销号时间 closed_by=销号人",
        ),
    )  # fmt: skip
    return {table.id: table for table in made}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _moment(day: int, hour: float) -> str:
    """A moment of a day of October 2024 (September: negative), hours in Beijing time, as UTC."""
    when = date(2024, 10, day) if day > 0 else date(2024, 9, -day)
    minutes = round(hour * 60) - 480
    return f"{when + timedelta(days=minutes // 1440)}T{minutes % 1440 // 60:02d}:{minutes % 60:02d}:00Z"


class _Writer:
    def __init__(self, tunnels: dict[str, Any], ends: dict[str, float], seed: int) -> None:
        self.tunnels, self.ends, self.seed, self.tables = tunnels, ends, seed, _tables()
        self.rng = np.random.default_rng([seed, 52])
        self.walked: dict[tuple[str, str, int], str] = {}

    def add(self, table: str, **values: Any) -> str:
        """A row; returns its identity."""
        rows = self.tables[table].rows
        identity = str(uuid.uuid5(_NAMESPACE, f"{self.seed}/{table}/{len(rows)}"))
        rows[identity] = values
        if self.tables[table].geometry == "point" and values["m"] is not None:
            share = values["m"] / self.ends[values["tunnel"]]
            place = shapely.line_interpolate_point(self.tunnels[values["tunnel"]], share, normalized=True)
            self.tables[table].wkb[identity] = bytes(shapely.to_wkb(shapely.force_2d(place)))
        return identity

    def number(self, table: str, prefix: str) -> str:
        return f"{prefix}{len(self.tables[table].rows) + 1:04d}"

    def fill(self) -> None:
        """All rows."""
        for name, tunnel, low, high, rooms, days, look_at, who, start, ended, walks in _PLANS:
            span = {"tunnel": tunnel, "from_m": float(low), "to_m": float(high) or self.ends[tunnel]}
            plan = self.add(
                "inspection_plan", number=self.number("inspection_plan", "XJ-"), name=name, **span,
                compartments=_json(rooms), every_days=days, look_at=_json(look_at.split(",")), responsible=who,
                start=start, ended=ended,
            )  # fmt: skip
            for day in walks:
                self.walk(plan, span, rooms, day, who)
            if name == "新城大道管廊周巡检":  # begun this week, half of it is left
                self.walk(plan, span | {"to_m": 1200.0}, rooms, 28, who, "下半段次日继续")
        defects = [self.defect(*one) for one in _DEFECTS]
        self.notes()
        self.orders(defects)

    def walk(self, plan: str, span: dict[str, Any], rooms: Sequence[str], day: int, who: str, remark: str = "") -> None:
        hour = 8.5 + float(self.rng.integers(0, 5)) / 2
        hours = (span["to_m"] - span["from_m"]) / 2200 + 0.5
        by = who if self.rng.random() < 0.7 else _WALKERS[int(self.rng.integers(len(_WALKERS)))]
        walk = self.add(
            "inspection", number=self.number("inspection", "XC-"), plan_id=plan, **span, compartments=_json(rooms),
            by=by, started=_moment(day, hour), ended=_moment(day, hour + hours), remark=remark,
        )  # fmt: skip
        for room in rooms or ("综合", "燃气", "电力"):
            self.walked.setdefault((span["tunnel"], room, day), walk)

    def defect(
        self, code: str, tunnel: str, m: float, room: str, position: str, text: str,
        seen: tuple[tuple[int, int], ...], closed: int,
    ) -> str:  # fmt: skip
        place = {"tunnel": tunnel, "m": m, "compartment": room, "position": position}
        first, last = seen[0], seen[-1]
        closing = {"closed_at": _moment(closed, 16.5), "closed_by": "周海生"} if closed else {}
        defect = self.add(
            "defect", number=self.number("defect", "QX-"), **place, to_m=None, code=code, grade=last[1],
            status="closed" if closed else "open", text=text, first_seen=_moment(first[0], 9.6),
            last_seen=_moment(last[0], 9.6), **closing,
        )  # fmt: skip
        for at, (day, grade) in enumerate(seen):
            walk = self.walked.get((tunnel, room, day), "")
            by = self.tables["inspection"].rows[walk]["by"] if walk else "陈国栋"
            said = text if at == 0 else ("较上次加重" if grade > seen[at - 1][1] else "无明显变化")
            told = {"grade": grade, "text": said, "photo": "", "by": by, "time": _moment(day, 9.6)}
            offset = round(float(self.rng.uniform(-0.8, 0.8)), 1) if at else 0.0
            sight = self.add(
                "observation", inspection_id=walk, **place | {"m": round(m + offset, 1)}, code=code,
                defect_id=defect, **told,
            )  # fmt: skip
            event = "seen" if at else "found"
            self.add("defect_examination", defect_id=defect, observation_id=sight, event=event, **told)
        if closed:
            self.add(
                "defect_examination", defect_id=defect, observation_id="", event="repaired", grade=last[1],
                text="已修复，复查合格", photo="", by="周海生", time=_moment(closed, 16.5),
            )  # fmt: skip
        return defect

    def notes(self) -> None:
        """Things seen that nobody has called a defect yet; the first lies where a known one is."""
        for tunnel, room, day, m, code, grade, text in (
            ("GL01", "综合", 23, 1286.0, "seepage", 3, "顶板滴漏，地面湿滑"),
            ("GL01", "电力", 29, 3320.0, "support", 2, "支架螺栓松动 2 处"),
            ("GL02", "综合", 28, 640.0, "litter", 1, "检修后遗留木方 3 根"),
            ("GL01", "燃气", 23, 512.0, "", 0, "甲烷探测器读数正常，风机运行正常"),
        ):
            walk = self.walked[(tunnel, room, day)]
            self.add(
                "observation", inspection_id=walk, tunnel=tunnel, m=m, compartment=room, position="", text=text,
                code=code, grade=grade, photo="", by=self.tables["inspection"].rows[walk]["by"],
                time=_moment(day, 10.4), defect_id="",
            )  # fmt: skip

    def orders(self, defects: Sequence[str]) -> None:
        """Five work orders, one in each status."""
        steps = {
            "leak": ("关闭上下游阀门并挂牌", "泄压置换，检测至 0 %LEL", "更换法兰垫片", "检漏合格后恢复供气"),
            "seepage": ("清理变形缝", "钻孔埋管注浆", "表面封闭，24 h 后复查"),
            "pump": ("断电挂牌", "起吊 1 号泵检修或更换", "试运行 30 min"),
            "sealing": ("清理孔洞", "防火泥、防火板封堵", "拍照验收"),
            "door": ("更换闭门器", "启闭试验 3 次"),
        }
        for title, number, status, due, day, who in (
            ("燃气舱阀门法兰微漏处置", 1, "permitted", 31, 29, "林晓峰"),
            ("变形缝渗漏注浆堵漏", 0, "open", 31, 24, "陈国栋"),
            ("1 号排水泵检修", 8, "in_progress", 28, 25, "吴建平"),
            ("电缆穿墙孔防火封堵", 5, "done", 30, 21, "黄志明"),
            ("燃气舱防火门闭门器更换", 11, "closed", 15, 12, "林晓峰"),
        ):
            self.order(title, defects[number], steps, status, due, day, who)

    def order(
        self, title: str, defect: str, steps: dict[str, tuple[str, ...]], status: str, due: int, day: int, who: str
    ) -> None:  # fmt: skip
        fault = self.tables["defect"].rows[defect]
        every = ("open", "permitted", "in_progress", "done", "closed")
        reached = every[: every.index(status) + 1]
        begun, ended = day + 1, "done" in reached
        life = [(one, day if one == "open" else begun + (one in ("done", "closed"))) for one in reached]
        hours = {"open": 15.0, "permitted": 8.2, "in_progress": 9.0, "done": 11.5, "closed": 16.5}
        people = {"open": "周海生", "permitted": "周海生", "in_progress": who, "done": who, "closed": "周海生"}
        permit = {
            "entry": True, "valid_from": _moment(begun, 8.5), "valid_to": _moment(begun + 1, 17.0),
            "issued_by": "周海生", "names": [who, "何俊"], "attendant": "郑永康",
            "measures": list(_MEASURES),
            "accepted": "", "accepted_by": "",
        }  # fmt: skip
        station = f"K{int(fault['m'] // 1000)}+{fault['m'] % 1000:03.0f}"
        test = {
            "time": _moment(begun, 8.8), "place": f"{fault['compartment']}舱 {station}",
            "o2": 20.7, "ch4": 0.0, "h2s": 0.0, "co": 1.0, "by": "郑永康", "instrument": "MX4-0317",
        }  # fmt: skip
        tested = "in_progress" in reached
        done_at = _moment(begun + 1, 11.0) if ended else ""
        self.add(
            "work_order", number=self.number("work_order", "GD-"), title=title, kind="repair",
            subject=fault["number"], source=f"defect:{defect}", tunnel=fault["tunnel"], m=fault["m"],
            compartment=fault["compartment"], status=status, responsible=who, due=f"2024-10-{due:02d}",
            steps=_json([{"text": text, "done_by": who if ended else "", "done_at": done_at}
                         for text in steps[fault["code"]]]),
            permit=_json(permit) if "permitted" in reached else None, gas_tests=_json([test] if tested else []),
            result="已按方案完成，现场复查合格" if ended else "", photo="",
            life=_json([{"status": one, "by": people[one], "time": _moment(at, hours[one]), "remark": ""}
                        for one, at in life]),
            created_by="周海生", created_at=_moment(day, 15.0),
        )  # fmt: skip

    def hang(self, photos: Sequence[str]) -> None:
        """Photos to the examinations of the first defects and to what was seen."""
        for at, defect in enumerate(list(self.tables["defect"].rows)[: len(photos)]):
            for table in ("defect_examination", "observation"):
                for row in self.tables[table].rows.values():
                    if row["defect_id"] == defect and row.get("event") != "repaired":
                        row["photo"] = photos[at]


def _look(table: _Records) -> str:
    if table.geometry != "point":
        return ""
    if table.id == "defect":
        classes = tuple(
            StyleClass(value=grade, label=grade, fill=colour, stroke="#FFFFFF", size=2.8, stroke_width=0.3)
            for grade, colour in _GRADES.items()
        )
        return to_qml(
            LayerStyle("categorised", "grade", classes, label_field="number", label_min_scale=5_000.0), "point"
        )
    mark = StyleClass(fill="#1F5FAE", stroke="#FFFFFF", size=4.2, stroke_width=0.3, marker="square")
    return to_qml(LayerStyle(classes=(mark,)), "point")


def _pictures(seed: int) -> list[tuple[str, bytes]]:
    """Small drawn pictures in the place of photos: a wet ceiling, a flange, a crack, rust."""
    rng = np.random.default_rng([seed, 53])
    y, x = np.mgrid[0:180, 0:240] / 180.0
    made = []
    for name in ("渗漏", "法兰", "裂缝", "锈蚀"):
        grain = np.kron(rng.normal(0, 5, (45, 60)), np.ones((4, 4)))
        image = np.stack([148 + grain - 30 * y, 150 + grain - 30 * y, 146 + grain - 30 * y], axis=2)
        if name == "渗漏":
            wet = np.exp(-(((x - 0.62) / 0.16) ** 2)) * (y > 0.1)
            image *= (1 - 0.45 * wet)[..., None]
        elif name == "法兰":
            ring = np.hypot(x - 0.66, y - 0.5)
            image[(ring < 0.36) & (ring > 0.2)] = (196, 160, 40)
            image[ring <= 0.2] = (60, 62, 66)
            for angle in np.arange(8) * np.pi / 4:
                image[np.hypot(x - 0.66 - 0.28 * np.cos(angle), y - 0.5 - 0.28 * np.sin(angle)) < 0.035] = (90, 90, 94)
        elif name == "裂缝":
            path = 0.6 + 0.05 * np.sin(9 * y) + 0.03 * np.sin(23 * y)
            image[np.abs(x - path) < 0.008] = (44, 42, 40)
        else:
            patch = np.kron(rng.random((23, 30)), np.ones((8, 8)))[:180, :240]
            image[(np.abs(y - 0.5) < 0.16) & (patch > 0.35)] = (138, 74, 38)
        made.append((f"{name}.png", _png(np.clip(image, 0, 255).astype(np.uint8))))
    return made


def _png(image: Any) -> bytes:
    """RGB (h, w, 3) uint8 as PNG."""
    height, width, _ = image.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + row.tobytes() for row in image)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
