"""Connecting: TLS with the certificate checked, passwords from where they belong, failures in this product's words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import psycopg
import pytest

from planner_app.domain.errors import PlannerError
from planner_app.i18n import set_language, word_error
from planner_app.sync import secrets
from planner_app.sync.connecting import connect
from planner_app.sync.server import administration
from planner_app.sync.server.backup import backup
from planner_app.sync.server.session import _connect_error, is_unchecked, label, parameters
from tests.helpers.postgres import make_authority
from tests.server.conftest import City

pytestmark = pytest.mark.server
PASSWORD = "p@ss wörd '\\ 密码"
DBA_PASSWORD = "sup3r-secret"


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ring]:
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    yield made
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def member(city: City) -> str:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        administration.add_user(connection, "tina", "planner", password=PASSWORD)
    return "tina"


@pytest.fixture
def remote(city: City, member: str) -> str:
    """The DSN of a member over TCP, with the authority that signed the server's certificate."""
    cluster = city.cluster
    return f"host=localhost port={cluster.port} dbname=city user={member} sslrootcert={cluster.authority}"


def code(dsn: str, password: str | None = PASSWORD) -> str:
    with pytest.raises(PlannerError) as caught:
        connect(dsn, password)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None or PASSWORD not in str(caught.value.__cause__)
    return caught.value.code


def test_the_servers_certificate_is_checked(city: City, remote: str, tmp_path: Path) -> None:
    transport = connect(remote, PASSWORD)
    info = transport._connection.info  # type: ignore[attr-defined]
    assert transport.hello().user == "tina"
    assert info.get_parameters()["sslmode"] == "verify-full"
    assert transport._connection.pgconn.ssl_in_use  # type: ignore[attr-defined]
    transport.close()
    assert not is_unchecked(remote)
    other = make_authority(tmp_path / "other", "somebody else")
    assert code(remote.replace(str(city.cluster.authority), str(other))) == "sync.certificate"
    assert code(remote.split(" sslrootcert")[0]) == "sync.certificate"
    assert code(remote.replace("host=localhost", "host=127.0.0.1")) == "sync.certificate"  # it names localhost only
    assert code(f"{remote} sslmode=disable") == "sync.not_admitted"  # the server takes nobody without TLS
    relaxed = remote.replace("host=localhost", "host=127.0.0.1") + " sslmode=require sslrootcert=''"
    connect(relaxed, PASSWORD).close()
    assert is_unchecked(relaxed)


def test_wrong_passwords_and_users(city: City, remote: str) -> None:
    assert code(remote, "wrong") == "sync.login_failed"
    # No more than PostgreSQL tells: by password it is the same whether somebody is unknown or mistyped.
    assert code(remote.replace("user=tina", "user=nobody")) == "sync.login_failed"
    assert code(city.dsn("nobody"), None) == "sync.login_unknown"
    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute("CREATE ROLE outsider LOGIN")
        connection.execute("CREATE ROLE closed NOLOGIN")
        connection.execute("CREATE ROLE onlooker LOGIN")
        connection.execute("GRANT CONNECT ON DATABASE city TO onlooker")
    assert code(city.dsn("outsider"), None) == "sync.no_connect"
    assert code(city.dsn("closed"), None) == "sync.login_closed"
    onlooker = connect(city.dsn("onlooker"))
    with pytest.raises(PlannerError, match=r"sync\.not_a_member"):
        onlooker.hello()
    onlooker.close()
    with pytest.raises(PlannerError, match=r"sync\.no_database") as caught:
        connect(remote.replace("dbname=city", "dbname=nowhere"), PASSWORD)
    assert caught.value.params["database"] == "nowhere"
    assert code("service=nobodys") == "sync.service_unknown"
    assert code(remote, None) == "sync.password_needed"


def test_the_keyring(remote: str, ring: Ring) -> None:
    secrets.keep(remote, PASSWORD)
    assert secrets.kept(remote) == PASSWORD
    assert [name for _, name in ring.kept] == [label(parameters(remote))]
    connect(remote).close()
    secrets.forget(remote)
    secrets.forget(remote)
    assert code(remote, None) == "sync.password_needed"


def test_no_keyring(remote: str) -> None:
    from keyring.backends.fail import Keyring

    keyring.set_keyring(Keyring())
    assert secrets.kept(remote) is None
    with pytest.raises(PlannerError) as caught:
        secrets.keep(remote, PASSWORD)
    assert caught.value.code == "sync.no_keyring"
    assert code(remote, None) == "sync.password_needed"


def test_pgpass_and_service_files(city: City, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = tmp_path / "pgpass"
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    passwords.write_text(f"localhost:{city.cluster.port}:city:tina:{escaped}\n", encoding="utf-8")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    connect(remote).close()
    services = tmp_path / "services.conf"
    lines = [f"{part}\n" for part in remote.split()]
    services.write_text("[city]\n" + "".join(lines), encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    transport = connect("service=city")
    assert transport._connection.info.get_parameters()["sslmode"] == "verify-full"  # type: ignore[attr-defined]
    transport.close()
    assert label(parameters("service=city")) == f"tina@localhost:{city.cluster.port}/city"
    # What the service says about TLS holds.
    services.write_text("[city]\n" + "".join(lines[:-1]) + "sslmode=require\n", encoding="utf-8")
    transport = connect("service=city")
    assert transport._connection.info.get_parameters()["sslmode"] == "require"  # type: ignore[attr-defined]
    transport.close()
    assert is_unchecked("service=city")


def test_uris(city: City, remote: str) -> None:
    from urllib.parse import quote

    uri = f"postgresql://tina:{quote(PASSWORD)}@localhost:{city.cluster.port}/city?sslrootcert={city.cluster.authority}"
    connect(uri).close()
    assert PASSWORD not in label(parameters(uri))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [('致命错误: 用户 "tina" Password 认证失败', "sync.login_failed"),
     ('致命错误: 角色 "tina" 不存在', "sync.login_unknown"),
     ('致命错误: 不允许角色"tina"登录', "sync.login_closed"), ("DETAIL: 用户没有CONNECT权限。", "sync.no_connect"),
     ('没有用于主机 "10.0.0.9", 用户 "tina" 的 pg_hba.conf 记录', "sync.not_admitted"),
     ("FATAL:  sorry, too many clients already", "sync.server_full"),
     ('FATAL:  too many connections for role "tina"', "sync.server_full"),
     ("FATAL:  of another kind", "sync.server_error"),
     ('invalid port number: "99999"', "sync.bad_dsn"),
     ('invalid sslmode value: "s3cret"', "sync.bad_dsn"),
     ('connection to server on socket "/x/.s.PGSQL.5432" failed: Permission denied', "sync.offline"),
     ('FATAL:  password authentication failed for user "tina"\nno pg_hba.conf entry', "sync.login_failed")],
)  # fmt: skip
def test_why_nobody_is_let_in(said: str, wanted: str) -> None:
    error = psycopg.OperationalError(f"connection failed: {said}")
    made = _connect_error(error, {"host": "gis", "user": "tina", "dbname": "city", "password": PASSWORD})
    assert made.code == wanted
    assert made.params.get("user", "tina") == "tina"
    for language in ("zh_CN", "en"):
        set_language(language)
        assert "{" not in " ".join(word_error(made))
        assert PASSWORD not in " ".join(word_error(made))
        assert "s3cret" not in " ".join(word_error(made))
    set_language("en")


@pytest.mark.parametrize(
    "dsn",
    [
        "host=/x connect_timeout=s3cret",
        "host=/x port=99999",
        "host=/x sslmode=s3cret",
        "host=a,b port=1,2,3",
        "host=localhost password=s3cret bogus",
        "postgresql://u:s3cret%zz@h/d",
        "host",
        "s3cret=1",
        "x://y",
    ],
)
def test_addresses_that_are_none(dsn: str) -> None:
    with pytest.raises(PlannerError) as caught:
        connect(dsn)
    assert caught.value.code == "sync.bad_dsn"
    assert "s3cret" not in str(caught.value)


def test_nobody_answers(remote: str, city: City) -> None:
    assert code(remote.replace(f"port={city.cluster.port}", "port=1")) == "sync.offline"
    assert code("host=/nowhere dbname=city user=tina") == "sync.offline"
    assert code(remote.replace("host=localhost", "host=no-such-host.invalid")) == "sync.offline"


def test_a_line_that_breaks(remote: str, city: City) -> None:
    transport = connect(remote, PASSWORD)
    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tina'")
    for _ in range(2):
        with pytest.raises(PlannerError) as caught:
            transport.hello()
        assert caught.value.code == "sync.offline"
    transport.close()


def test_no_city_server(city: City, remote: str) -> None:
    assert PASSWORD not in city.log()
    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        connection.execute("GRANT CONNECT ON DATABASE bare TO tina")
    transport = connect(remote.replace("dbname=city", "dbname=bare"), PASSWORD)
    with pytest.raises(PlannerError) as caught:
        transport.hello()
    assert caught.value.code == "sync.no_server"
    transport.close()


def test_other_programs_get_no_secret_by_their_arguments(
    city: City, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = subprocess.run

    def noting(command: list[str], **options: object) -> object:
        seen.extend(command)
        return run(command, **options)  # type: ignore[call-overload]

    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE postgres PASSWORD '{DBA_PASSWORD}'".encode())
    monkeypatch.setattr(subprocess, "run", noting)
    dsn = remote.replace("user=tina", "user=postgres")
    for number, secrets_ in enumerate((f"password={DBA_PASSWORD}", f"password={DBA_PASSWORD} sslpassword=k3y-secret")):
        backup(f"{dsn} {secrets_}", tmp_path / f"{number}.dump")
        assert (tmp_path / f"{number}.dump").stat().st_size > 10_000
    assert "pg_dump" in seen[0]
    assert not any(DBA_PASSWORD in one or "k3y-secret" in one for one in seen)
