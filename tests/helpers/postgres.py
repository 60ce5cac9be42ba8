"""A private PostgreSQL cluster with PostGIS: own folder, unix socket only, gone when the test or bench is over."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

_TIMEOUT_S = 60


def server_folder() -> Path | None:
    """Folder of the newest PostgreSQL server's programs (``initdb``, ``postgres``), or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = found[-1] if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class PrivateCluster:
    """Starts on entering, stops by its process id on leaving.

    The server refuses to run as root; there it runs as the user ``postgres`` through ``runuser``.

    Attributes:
        dsn: connection string of the superuser on database ``postgres``.
        pid: the server's process id.
    """

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        programs = server_folder()
        if programs is None:
            raise FileNotFoundError("no PostgreSQL server is installed")
        self._programs = programs
        self._settings = settings or {}
        self.dsn = ""
        self.pid = 0

    def __enter__(self) -> PrivateCluster:
        self._folder = Path(tempfile.mkdtemp(prefix="planner-pg-"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            **self._settings,
        }
        lines = [f"{name} = '{value}'\n" for name, value in options.items()]
        with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(lines)
        self.dsn = f"host={self._folder} user=postgres dbname=postgres"
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-w", "-t", str(_TIMEOUT_S), "start")
        self.pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGINT)  # "fast": closes connections
        deadline = time.monotonic() + _TIMEOUT_S
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """What the server has written to its log so far."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _run(self, program: str, *arguments: str) -> None:
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_owner, str(self._programs / program), *arguments]
        # pg_ctl's server keeps inherited pipes open: a captured output would never end.
        log = self._folder / f"{program}.out"
        with log.open("wb") as output:
            done = subprocess.run(
                command, cwd=self._folder, stdout=output, stderr=output, timeout=2 * _TIMEOUT_S, check=False
            )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
