"""Files inside the project file: once each, whole or not there, checked, carried by copies, kept by old projects."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.project import Project, attachments, migrations
from planner_app.project.attachments import PIECE
from tests.helpers.project_files import assert_whole, foreign

_BIG = os.urandom(3 * PIECE + 17)
_ROOT = Path(__file__).resolve().parents[3]


def _pieces(project: Project) -> int:
    with foreign(project.path) as other:
        return int(other.execute("SELECT count(*) FROM planner_attachment_piece").fetchone()[0])


@pytest.mark.parametrize("content", [b"", b"a", _BIG[:PIECE], _BIG])
def test_what_goes_in_comes_out(project: Project, tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "总平面图.dxf"
    source.write_bytes(content)
    sha256 = project.attach(source, name="总平面图.dxf", media_type="image/vnd.dxf")
    assert sha256 == hashlib.sha256(content).hexdigest()
    kept = project.attachment(sha256)
    assert (kept.name, kept.media_type, kept.size) == ("总平面图.dxf", "image/vnd.dxf", len(content))
    assert project.read_attachment(sha256) == content
    assert project.write_attachment(sha256, tmp_path / "out.dxf").read_bytes() == content
    assert not list(tmp_path.glob(".out.dxf*"))
    assert_whole(project)


def test_same_content_is_kept_once(project: Project, tmp_path: Path) -> None:
    first = project.attach(_BIG, name="photo.jpg")
    (tmp_path / "again.jpg").write_bytes(_BIG)
    assert project.attach(tmp_path / "again.jpg", name="again.jpg") == first
    assert [(one.name, one.media_type) for one in project.attachments()] == [("photo.jpg", "image/jpeg")]
    assert _pieces(project) == 4


def test_two_programs_attach_the_same_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both saw that it was not there; the slower one finds it when it is done and leaves nothing behind."""
    with Project.open(project.path) as second:
        project.attach(_BIG, name="a.bin")
        monkeypatch.setattr(attachments, "_find", lambda _door, _sha256: None)
        assert second.attach(_BIG, name="b.bin") == hashlib.sha256(_BIG).hexdigest()
    assert [one.name for one in project.attachments()] == ["a.bin"]
    assert _pieces(project) == 4
    assert_whole(project)


def test_attaching_is_no_entry_and_undo_takes_nothing_away(project: Project) -> None:
    sha256 = project.attach(b"sealed", name="opinion.json")
    assert project.log() == []
    assert project.can_undo() is None
    assert project.read_attachment(sha256) == b"sealed"


def test_unknown_unreadable_and_unwritable_are_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(PlannerError, match=r"attachment\.missing"):
        project.attachment("0" * 64)
    with pytest.raises(PlannerError, match=r"attachment\.missing"):
        project.read_attachment("0" * 64)
    with pytest.raises(PlannerError, match=r"attachment\.unreadable"):
        project.attach(tmp_path / "gone.dxf", name="gone.dxf")
    sha256 = project.attach(b"x", name="x")
    with pytest.raises(PlannerError, match=r"attachment\.not_written"):
        project.write_attachment(sha256, tmp_path / "no folder" / "x")


def test_a_foreign_name_stays_in_the_folder(project: Project, tmp_path: Path) -> None:
    sha256 = project.attach(b"x", name='..\\..//e<v>il?"name".dxf')
    written = project.write_attachment(sha256, tmp_path)
    assert written.parent == tmp_path
    assert written.read_bytes() == b"x"
    assert written.suffix == ".dxf"


def test_cancelling_leaves_nothing(project: Project) -> None:
    class Stops:
        looks = 0

        def update(self, fraction: float | None, stage: str = "") -> None:
            self.looks += fraction is not None

        def is_cancelled(self) -> bool:
            return self.looks > 1

    with pytest.raises(Cancelled):
        project.attach(_BIG, name="big.bin", progress=Stops())
    assert project.attachments() == []
    assert _pieces(project) == 0


def test_verify_finds_changed_content(project: Project) -> None:
    sha256 = project.attach(_BIG, name="plan.pdf")
    assert_whole(project)
    with foreign(project.path) as other:
        other.execute("UPDATE planner_attachment_piece SET data = zeroblob(10) WHERE number = 2")
    failed = {result.name: result.detail for result in project.verify() if not result.ok}
    assert list(failed) == ["attachments"]
    assert "plan.pdf" in failed["attachments"]
    with pytest.raises(PlannerError, match=r"attachment\.damaged"):
        project.read_attachment(sha256)


def test_a_damaged_attachment_writes_no_file(project: Project, tmp_path: Path) -> None:
    sha256 = project.attach(_BIG, name="plan.pdf")
    with foreign(project.path) as other:
        other.execute("DELETE FROM planner_attachment_piece WHERE number = 1")
    with pytest.raises(PlannerError, match=r"attachment\.damaged"):
        project.write_attachment(sha256, tmp_path / "plan.pdf")
    assert not list(tmp_path.glob("*plan.pdf*"))


def test_copies_carry_attachments_but_not_unfinished_ones(project: Project, tmp_path: Path) -> None:
    sha256 = project.attach(_BIG, name="plan.pdf")
    with foreign(project.path) as other:
        other.execute("INSERT INTO planner_attachment (name, host, process) VALUES ('half', 'elsewhere', '1:1')")
        other.execute("INSERT INTO planner_attachment_piece (attachment, number, data) VALUES (2, 0, x'00')")
    project.save_copy(tmp_path / "copy.planner")
    with Project.open(tmp_path / "copy.planner") as copy:
        assert copy.read_attachment(sha256) == _BIG
        assert _pieces(copy) == 4
        assert_whole(copy)


def test_killed_while_attaching(project: Project, tmp_path: Path) -> None:
    """The next to open the file sweeps the half attachment; what was attached before is whole."""
    kept = project.attach(b"before", name="before.txt")
    script = textwrap.dedent(
        """
        import sys, time
        from planner_app.project import Project, attachments
        attachments._PAUSE = 0.2
        with Project.open(sys.argv[1]) as project:
            print("started", flush=True)
            project.attach(bytes(20_000_000), name="half.bin")
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(project.path)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    deadline = time.monotonic() + 30
    while _pieces(project) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _pieces(project) >= 4
    with Project.open(project.path) as meanwhile:  # its writer lives: nobody takes it away
        assert _pieces(meanwhile) >= 4
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    assert [result.name for result in project.verify() if not result.ok] == ["orphans"]
    with Project.open(project.path) as after:
        assert [one.name for one in after.attachments()] == ["before.txt"]
        assert after.read_attachment(kept) == b"before"
        assert _pieces(after) == 1
        assert_whole(after)


def test_a_project_of_version_1_gets_a_place_for_attachments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as old:
        old.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        old.setattr(migrations, "LATEST", 1)
        old.setattr(attachments, "sweep", lambda _door: None)
        Project.create(tmp_path / "old.planner", "EPSG:4549").close()
    with Project.open(tmp_path / "old.planner") as project:
        sha256 = project.attach(b"new", name="new.txt")
        assert project.read_attachment(sha256) == b"new"
        assert_whole(project)
    assert len(list(tmp_path.glob("old.planner.v1-*.bak"))) == 1


def test_an_older_file_that_may_not_be_written_has_no_attachments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.planner"
    with monkeypatch.context() as old:
        old.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        old.setattr(migrations, "LATEST", 1)
        old.setattr(attachments, "sweep", lambda _door: None)
        Project.create(path, "EPSG:4549").close()
    monkeypatch.setattr("planner_app.project.connection.os.access", lambda _path, _mode: False)
    with Project.open(path) as project:
        assert project.attachments() == []
        with pytest.raises(PlannerError, match=r"attachment\.missing"):
            project.read_attachment("0" * 64)
        with pytest.raises(PlannerError, match=r"project\.read_only"):
            project.attach(b"x", name="x")
