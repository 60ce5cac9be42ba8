"""Fixtures every test folder shares: real data, QGIS's Python, an isolated configuration, a language."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from planner_app import i18n
from tests.helpers.qgis_writer import QgisWriter

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

#: Temporary files go here if so many bytes are free: on a disk every commit of a project file waits for it.
MEMORY, PLENTY = Path("/dev/shm"), 6 << 30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > PLENTY:
    os.environ["TMPDIR"] = str(MEMORY / f"planner{os.getuid()}")
    Path(os.environ["TMPDIR"]).mkdir(exist_ok=True)
    tempfile.tempdir = None

# In CI the same examples every time: what passed once passes again; new ones are searched for on people's machines.
settings.register_profile("ci", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def _absent(reason: str) -> None:
    """Skip on a user's machine; fail in CI, where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data (``PLANNER_DATA``, default ``../shared/data``)."""
    folder = Path(os.environ.get("PLANNER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _absent(f"no real data in {folder}; set PLANNER_DATA")
    return folder


@pytest.fixture(scope="session")
def qgis_python() -> str:
    """An interpreter that imports PyQGIS."""
    python = os.environ.get("PLANNER_QGIS_PYTHON") or shutil.which("python3", path="/usr/bin") or "python3"
    probe = subprocess.run([python, "-c", "import qgis.core"], capture_output=True, timeout=60, check=False)
    if probe.returncode != 0:
        _absent(f"{python} has no PyQGIS; packaging/test installs it")
    return python


@pytest.fixture(scope="session")
def qgis(qgis_python: str) -> Iterator[QgisWriter]:
    """QGIS as a writer of project files."""
    with closing(QgisWriter(qgis_python)) as writer:
        yield writer


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``sample.sqlite``, its drawings and ``answer.json``, what the verb that made them said; once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample"
    answer, making = folder / "answer.json", folder.with_name("sample.making")
    try:
        making.touch(exist_ok=False)
    except FileExistsError:  # another worker is at it
        deadline = time.monotonic() + 300
        while not answer.exists():
            assert time.monotonic() < deadline, f"nobody finished the sample in {folder}"
            time.sleep(0.2)
        return folder
    from planner_app.cli_verbs.sample import VERBS
    from planner_app.domain.progress import NoProgress
    from planner_app.plugin_api.model import VerbContext
    from planner_app.project import Project

    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        parser = argparse.ArgumentParser()
        VERBS[0].configure(parser)
        context = VerbContext(Project.open, NoProgress(), lambda prefix: [], lambda *_: b"")
        made = VERBS[0].run(context, parser.parse_args([str(folder / "sample.sqlite")])).data
        answer.with_suffix(".part").write_text(json.dumps(made), encoding="utf-8")
        answer.with_suffix(".part").replace(answer)
    except BaseException:
        making.unlink()  # the next one tries itself
        raise
    return folder


@pytest.fixture(scope="session", autouse=True)
def _window_application(qapp: object) -> object:
    """The application of windows before anything else makes one without (a verb that draws a map does)."""
    return qapp


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads or writes the user's settings, plugins or language."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("PLANNER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("PLANNER_PLUGIN_DIR", str(folder / "plugins"))
    monkeypatch.setenv("PLANNER_LANG", "en")
    i18n.set_language("en")
    yield
    i18n.set_language("en")


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """What a test went through (histories, kills, revisions …); the summary at the end says it."""
    counted: Counter[str] = Counter()
    yield counted
    for what, count in counted.items():
        record_property(what, count)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests with a tally went through."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "when")]
    seconds = {report.nodeid: report.duration for report in reports if report.when == "call"}
    told = [report for report in reports if report.when == "teardown" and report.user_properties]
    if told:
        terminalreporter.section("what was gone through")
    for report in sorted(told, key=lambda one: one.nodeid):
        counts = ", ".join(f"{count} {what}" for what, count in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid} ({seconds.get(report.nodeid, 0):.0f} s): {counts}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long runs only with ``packaging/test --soak``."""
    if os.environ.get("PLANNER_SOAK"):
        return
    skip = pytest.mark.skip(reason="long run: packaging/test --soak")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)
