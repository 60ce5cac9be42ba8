"""The verbs, from a plan to a closed order, and what they answer to wrong input."""

from __future__ import annotations

import pytest

from planner_app.project import Project

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def test_from_a_plan_to_figures(tunnel, run, tmp_path):
    made = run(
        "tunnel", "rounds", tunnel, "--add", "每周巡检", "--tunnel", "T1", "--every", 14, "--start", "2024-10-01",
        "--from", "K0+010", "--to", 190, "--compartments", "综合", "--look-at", "渗漏,支架",
    )["plan"]  # fmt: skip
    assert (made["number"], made["from_m"], made["to_m"], made["look_at"]) == ("XJ-0001", 10.0, 190.0, ["渗漏", "支架"])
    assert [(one["verdict"], one["blocking"]) for one in made["findings"]] == [("fail", False)]
    walked = run("tunnel", "inspect", tunnel, "--plan", "1", "--by", "王工", "--started", "2024-10-16T09:00:00+08:00")
    assert walked["recorded"] == "XC-0001"
    (tmp_path / "a.png").write_bytes(PNG)
    told = ["--m", "K0+050", "--compartment", "综合", "--code", "seepage", "--grade", 2, "--text", "渗水"]
    seen = run("tunnel", "inspect", tunnel, "--round", "1", "--defect", "--photo", tmp_path / "a.png", *told)
    assert seen["observation"]["defect"] == "QX-0001"
    again = run("tunnel", "inspect", tunnel, "--round", "1", "--m", 52, *told[2:])
    assert again["may_be"] == [{"defect": "QX-0001", "away_m": 2.0}]
    same = run("tunnel", "inspect", tunnel, "--round", "1", "--same", "1", "--m", 51, *told[2:])
    assert same["observation"]["defect"] == "QX-0001"
    history = run("tunnel", "defects", tunnel, "--show", "QX-0001")["history"]
    assert [(one["event"], one["grade"]) for one in history] == [("found", 2), ("seen", 2)]
    data = run("tunnel", "rounds", tunnel, "--on", "2024-10-31", "--xlsx", tmp_path / "list.xlsx")
    assert (data["plans"][0]["state"], data["plans"][0]["last"]) == ("due", "2024-10-16")
    assert run("tunnel", "rounds", tunnel, "--on", "2024-11-20")["plans"][0]["state"] == "overdue"
    assert data["statistics"]["open_defects_by_grade"] == {"4": 0, "3": 0, "2": 1, "1": 0}
    import openpyxl

    book = openpyxl.load_workbook(tmp_path / "list.xlsx", read_only=True)
    assert "QX-0001" in [row[0] for row in book[book.sheetnames[4]].iter_rows(values_only=True)]
    book.close()
    listing = (["rounds", tunnel, "--change", "1", "--every", 9], ["inspect", tunnel], ["defects", tunnel])
    for verb in (*listing, ["orders", tunnel]):
        error = run("tunnel", *verb, "--tunnel", "T9", code=2)["error"]
        assert error["code"] == "tunnel.tunnel_unknown"
        assert "T9" in error["message"]
    with Project.open(tunnel) as project, project.door.write() as connection:
        table = next(one.id for one in project.layers() if one.role == "tunnel.tunnel")
        connection.execute(f"INSERT INTO \"{table}\" (code) VALUES ('T9')")
    other = run("tunnel", "rounds", tunnel, "--change", "1", "--to", 180, "--tunnel", "T9")
    assert (other["plan"]["every_days"], other["plans"]) == (14, [])  # another's plans are listed
    assert run("tunnel", "defects", tunnel, "--tunnel", "T9")["defects"] == []
    assert run("tunnel", "rounds", tunnel, "--end", "1")["plan"]["ended"]


def test_an_order_from_a_defect_to_its_close_out(tunnel, run, tmp_path):
    defect = run("tunnel", "defects", tunnel, "--add", "--tunnel", "T1", "--m", 60, "--grade", 3, "--by", "王工")[
        "defect"
    ]
    assert (defect["number"], defect["grade"]) == ("QX-0001", 3)
    order = run("tunnel", "orders", tunnel, "--from-defect", "1", "--by", "王工", "--step", "注浆")["order"]
    assert (order["number"], order["status"], order["m"]) == ("GD-0001", "open", 60.0)
    one = ("tunnel", "orders", tunnel, "--order", "1", "--by", "李工")
    at = "2024-10-30T10:00:00+08:00"
    assert run(*one, "--status", "in_progress", code=2)["error"]["code"] == "tunnel.order_way"
    run(
        *one, "--permit", "2024-10-30T09:00:00+08:00", "2024-10-30T17:00:00+08:00", "--names", "王工，赵工",
        "--attendant", "孙工", "--measure", "通风", "--status", "permitted",
    )  # fmt: skip
    refused = run(*one, "--status", "in_progress", "--at", at, code=2)["error"]
    assert refused["code"] == "tunnel.entry_refused"
    assert "GB 50838-2015 7.5.8" in refused["hint"]
    bad = run(*one, "--gas", "o2=19.0 ch4=0 h2s=0 co=0 place=K0+060", "--at", at)["order"]["entry"]
    assert run(*one, "--status", "in_progress", "--at", at, code=2)["error"]["code"] == "tunnel.entry_refused"
    assert bad
    run(*one, "--gas", "o2=20.9 ch4=0 h2s=0 co=0 place=K0+060", "--at", "2024-10-30T10:05:00+08:00")
    order = run(*one, "--status", "in_progress", "--at", "2024-10-30T10:10:00+08:00")["order"]
    assert {finding["verdict"] for finding in order["entry"]} >= {"pass"}
    run(*one, "--status", "done", "--result", "已注浆", "--at", "2024-10-30T12:00:00+08:00")
    done = run(*one, "--status", "closed", "--print", tmp_path / "票.docx")["order"]
    assert [each["status"] for each in done["life"]][-1] == "closed"
    import docx

    text = "\n".join(
        cell.text for table in docx.Document(tmp_path / "票.docx").tables for row in table.rows for cell in row.cells
    )
    assert "王工、赵工" in text
    assert "GB/T 50493-2019 5.5.2" in text
    assert run("tunnel", "defects", tunnel)["defects"] == []
    assert run("tunnel", "orders", tunnel)["orders"] == []
    assert len(run("tunnel", "orders", tunnel, "--all")["orders"]) == 1


def test_the_order_is_printed_with_its_text(tunnel, run, tmp_path):
    run(
        "tunnel", "orders", tunnel, "--new", "检查风机", "--by", "王工", "--step", "断电", "--print", tmp_path / "a.pdf"
    )
    import pypdfium2

    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    assert "GD-0001" in text
    assert "检查风机" in text


def test_a_package_goes_out_is_written_and_comes_back(tunnel, run, tmp_path):
    run("tunnel", "rounds", tunnel, "--add", "巡检", "--tunnel", "T1", "--every", 7)
    package = tmp_path / "x.fieldpkg"
    assert run("tunnel", "field", tunnel, "--out", package, "--by", "李工")["inspection_plan"] == 1
    run("tunnel", "field", package, "--add-observation", "--by", "赵工", "--m", 20, "--text", "照明不亮")
    assert run("tunnel", "field", package)["new"]["observation"] == 1
    assert run("tunnel", "field", tunnel, "--take-in", package)["new"] == 2
    assert run("tunnel", "field", tunnel, "--take-in", package) == {
        "new": 0, "changed": 0, "conflicts_found": 0, "conflicts": [], "notes": [],
    }  # fmt: skip
    assert run("tunnel", "inspect", tunnel)["inspections"][0]["observations"][0]["text"] == "照明不亮"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("rounds", "--add", "x"), "plan_nowhere"),
        (("rounds", "--add", "x", "--tunnel", "T8"), "tunnel_unknown"),
        (("rounds", "--end", "9"), "record_unknown"),
        (("rounds", "--on", "morgen"), "date_wrong"),
        (("inspect", "--tunnel", "T1", "--by", "x"), "span_empty"),
        (("inspect", "--round", "1", "--m", "5", "--text", "x"), "record_unknown"),
        (("defects", "--add", "--tunnel", "T1", "--by", "x"), "observation_nowhere"),
        (("defects", "--add", "--tunnel", "T1", "--m", "5", "--grade", "5", "--by", "x"), "grade_wrong"),
        (("defects", "--add", "--tunnel", "T1", "--m", "500", "--by", "x"), "m_outside"),
        (("orders", "--gas", "o2=20"), "order_which"),
        (("orders", "--new", "x", "--by", "x", "--gas", "o2=viel"), "gas_unreadable"),
        (("orders", "--new", "x", "--by", "x", "--status", "fertig"), "order_status"),
        (("orders", "--new", "x"), "nobody"),
        (("field", "--out", "x.fieldpkg"), "field_nothing"),
        (("field", "--take-in", "missing.fieldpkg"), "field_unreadable"),
    ],
)
def test_wrong_input_is_worded(tunnel, run, arguments, code):
    error = run("tunnel", arguments[0], tunnel, *arguments[1:], code=2)["error"]
    assert error["code"] == f"tunnel.{code}"
    assert error["message"] != error["code"]
