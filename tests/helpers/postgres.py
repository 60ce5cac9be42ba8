"""A private PostgreSQL cluster with PostGIS: own folder, gone when the test or bench is over.

By unix socket without a password; with ``tls`` also on loopback, with TLS and SCRAM only.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
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
        port, authority: with TLS: the port on ``localhost`` and the certificate of who signed the server's, which names
            ``localhost`` only.
    """

    def __init__(self, settings: dict[str, str] | None = None, *, tls: bool = False) -> None:
        programs = server_folder()
        if programs is None:
            raise FileNotFoundError("no PostgreSQL server is installed")
        self._programs = programs
        self._settings = settings or {}
        self.dsn = ""
        self.pid = 0
        self.port = 0
        self._tls = tls

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
            "dynamic_shared_memory_type": "mmap",  # in its folder: what is stopped at once leaves the other kind behind
            **self._settings,
        }
        if self._tls:
            options |= self._open_loopback(data)
        lines = [f"{name} = '{value}'\n" for name, value in options.items()]
        with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(lines)
        self.dsn = f"host={self._folder}{f' port={self.port}' if self.port else ''} user=postgres dbname=postgres"
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-w", "-t", str(_TIMEOUT_S), "start")
        self.pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGQUIT)  # at once: nobody needs what a checkpoint would write
        deadline = time.monotonic() + _TIMEOUT_S
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _open_loopback(self, data: Path) -> dict[str, str]:
        """Certificates, who may come in how, a free port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.authority = make_authority(self._folder / "authority", "planner tests")
        key, certificate = make_certificate(self._folder / "authority", data / "server", "localhost")
        key.chmod(0o600)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for file in (key, certificate):
                os.chown(file, owner.pw_uid, owner.pw_gid)
        (data / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n"
        )
        return {
            "listen_addresses": "localhost", "port": str(self.port), "ssl": "on", "ssl_key_file": str(key),
            "ssl_cert_file": str(certificate), "password_encryption": "scram-sha-256",
        }  # fmt: skip

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


def make_authority(stem: Path, name: str) -> Path:
    """A certificate authority of our own: ``stem.key`` and ``stem.crt``, which is returned."""
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-keyout", f"{stem}.key", "-out", f"{stem}.crt")  # fmt: skip
    return stem.with_suffix(".crt")


def make_certificate(authority: Path, stem: Path, host: str) -> tuple[Path, Path]:
    """A key and a certificate for a host, signed by an authority."""
    key, request, certificate = (stem.with_suffix(suffix) for suffix in (".key", ".csr", ".crt"))
    names = stem.with_suffix(".ext")
    names.write_text(f"subjectAltName=DNS:{host}\n", encoding="utf-8")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={host}",
             "-keyout", str(key), "-out", str(request))  # fmt: skip
    _openssl("x509", "-req", "-in", str(request), "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", "2", "-extfile", str(names), "-out", str(certificate))  # fmt: skip
    return key, certificate


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=_TIMEOUT_S)
