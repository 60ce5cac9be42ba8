"""BCF files that nobody should have sent: a clear error, bounded time and memory, nothing written."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import Case
from plugins.review.model.exchange import archive
from plugins.review.model.exchange.bcf import import_bcf

VERSION = '<?xml version="1.0"?><Version VersionId="2.1"/>'
GUID = "7ddc3ef0-0ab7-43f1-918a-45e38b42369c"
TOPIC = (
    f'<Markup><Topic Guid="{GUID}"><Title>%s</Title><CreationDate>2020-01-01T00:00:00Z</CreationDate>'
    "<CreationAuthor>a</CreationAuthor>%s</Topic></Markup>"
)
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
    '<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]>'
    f'<Markup><Topic Guid="{GUID}"><Title>&f;&f;&f;</Title></Topic></Markup>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    f'<Markup><Topic Guid="{GUID}"><Title>&x;</Title></Topic></Markup>'
)


def _zip(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _with(name: str, content: str | bytes) -> bytes:
    return _zip({"bcf.version": VERSION, f"{GUID}/markup.bcf": TOPIC % ("t", ""), name: content})


def _encrypted() -> bytes:
    data = bytearray(_with(f"{GUID}/a.png", b"x"))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the bit that says so, in both places
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            data[start + flags] |= 1
    return bytes(data)


HOSTILE = {
    "not a zip": (b"hello", "review.bcf_unreadable"),
    "empty": (b"", "review.bcf_unreadable"),
    "half": (_with("x", "y")[:200], "review.bcf_unreadable"),
    "no version": (_zip({f"{GUID}/markup.bcf": TOPIC % ("t", "")}), "review.bcf_version"),
    "version 2.0": (_zip({"bcf.version": VERSION.replace("2.1", "2.0")}), "review.bcf_version"),
    "version 4": (_zip({"bcf.version": VERSION.replace("2.1", "4.0")}), "review.bcf_version"),
    "version words": (_zip({"bcf.version": VERSION.replace("2.1", "x" * 10_000)}), "review.bcf_version"),
    "no topics": (_zip({"bcf.version": VERSION}), "review.bcf_empty"),
    "all broken": (_zip({"bcf.version": VERSION, f"{GUID}/markup.bcf": "<Markup><Topic>"}), "review.bcf_empty"),
    "version broken": (_zip({"bcf.version": "<Version"}), "review.bcf_xml_broken"),
    "laughs": (_with(f"{GUID}/markup.bcf", LAUGHS), "review.bcf_xml_unsafe"),
    "laughs in utf-16": (_with(f"{GUID}/markup.bcf", LAUGHS.replace("?><!", ' encoding="utf-16"?><!').encode("utf-16")),
                         "review.bcf_xml_unsafe"),
    "outside entity": (_with(f"{GUID}/markup.bcf", OUTSIDE), "review.bcf_xml_unsafe"),
    "parent path": (_with("../evil.txt", "x"), "review.bcf_unsafe_name"),
    "deep parent path": (_with(f"{GUID}/../../evil.txt", "x"), "review.bcf_unsafe_name"),
    "absolute path": (_with("/etc/evil", "x"), "review.bcf_unsafe_name"),
    "drive": (_with("C:\\evil.txt", "x"), "review.bcf_unsafe_name"),
    "backslashes": (_with("..\\evil.txt", "x"), "review.bcf_unsafe_name"),
    "encrypted": (_encrypted(), "review.bcf_encrypted"),
    "bomb": (_with(f"{GUID}/a.png", b"0" * (80 << 20)), "review.bcf_bomb"),
    "bomb of XML": (_with(f"{GUID}/markup.bcf", "<a>" + " " * (60 << 20) + "</a>"), "review.bcf_bomb"),
    "deep XML": (_with(f"{GUID}/markup.bcf", "<a>" * 200_000 + "</a>" * 200_000), "review.bcf_empty"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("name", HOSTILE)
def test_refused(project: Project, case: Case, tmp_path: Path, name: str) -> None:
    data, code = HOSTILE[name]
    path = tmp_path / "evil.bcf"
    path.write_bytes(data)
    before = store.issues(project)
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(PlannerError) as caught:
        import_bcf(project, path, case.id)
    took, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == code
    assert str(caught.value.params["file"]).startswith("evil.bcf")
    assert took < 20
    assert peak < 200 << 20
    assert store.issues(project) == before
    assert {one.name for one in tmp_path.iterdir()} >= {"evil.bcf"}
    assert not (tmp_path.parent / "evil.txt").exists()


def test_many_files_and_a_lying_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 50)
    with pytest.raises(PlannerError) as caught:
        archive.Archive.open(_zip({f"{n}": "x" for n in range(60)}), "many.bcf")
    assert caught.value.code == "review.bcf_bomb"
    small = _zip({"a": b"0" * 1000})
    monkeypatch.setattr(archive, "MOST_BYTES", 500)
    with pytest.raises(PlannerError) as caught:
        archive.Archive.open(small, "large.bcf")
    assert caught.value.code == "review.bcf_bomb"


def test_a_file_larger_than_its_list_says(tmp_path: Path) -> None:
    data = bytearray(_zip({"bcf.version": VERSION, f"{GUID}/markup.bcf": b"0" * (40 << 20)}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    opened = archive.Archive.open(bytes(data), "lying.bcf")
    with pytest.raises(PlannerError) as caught:
        opened.read(f"{GUID}/markup.bcf", 1 << 20)
    assert caught.value.code in ("review.bcf_bomb", "review.bcf_unreadable")


def test_one_broken_topic_does_not_hide_the_others(project: Project, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "mixed.bcf"
    other = GUID.replace("7", "8")
    path.write_bytes(
        _zip(
            {
                "bcf.version": VERSION,
                f"{GUID}/markup.bcf": TOPIC % ("good", "<Description>&lt;script&gt; &amp; 中文</Description>"),
                f"{other}/markup.bcf": "<Markup><Topic",
                f"{GUID}/nested/markup.bcf": "<Markup/>",
            }
        )
    )
    done = import_bcf(project, path, case.id)
    assert (done["topics"], done["added"]) == (1, 1)
    assert [code for code, _ in done["notes"]] == ["review.bcf_topic_broken"]
    issue = next(one for one in store.issues(project) if one.title == "good")
    assert "<script> & 中文" in [one.text for one in store.comments(project, issue.id)]


def test_references_that_lead_out_are_only_text(project: Project, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "out.bcf"
    link = "<DocumentReference><ReferencedDocument>../../../../etc/passwd</ReferencedDocument></DocumentReference>"
    snippet = "<BimSnippet SnippetType='x'><Reference>/etc/passwd</Reference><ReferenceSchema/></BimSnippet>"
    path.write_bytes(_zip({"bcf.version": VERSION, f"{GUID}/markup.bcf": TOPIC % ("t", snippet + link)}))
    before = len(project.attachments())
    import_bcf(project, path, case.id)
    kept = project.attachments()[before:]
    assert [one.name for one in kept] == [f"{GUID}.bcf"]
    assert b"root:" not in project.read_attachment(kept[0].sha256)


def test_guids_of_no_form_are_given_one(project: Project, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "odd.bcf"
    odd = TOPIC.replace(GUID, "topic 1; DROP TABLE review_issue") % ("odd", "")
    path.write_bytes(_zip({"bcf.version": VERSION, "topic 1/markup.bcf": odd}))
    assert import_bcf(project, path, case.id)["added"] == 1
    assert import_bcf(project, path, case.id)["added"] == 0
    assert len([one for one in store.issues(project) if one.title == "odd"]) == 1
