"""Through PgBouncer in transaction mode all works: no state outlives its transaction."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import text

from api.cli import main
from geo import db, schema, trail_proof
from geo.accounts import keys
from geo.cluster import Cluster
from geo.config import settings
from geo.scope import OPERATOR, Scope, bind
from tests import intake_world, people
from tests.conftest import unpooled
from tests.standby import folder_of
from web.app import create_app

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
DOC = (Path(__file__).parent.parent / "docs" / "production.md").read_text(encoding="utf-8")
SERVERS = 3
"""Connections to the database: fewer than clients, so that they are really shared."""


@contextmanager
def served(cluster: Cluster, folder: Path) -> Iterator[None]:
    """PgBouncer runs with the settings in a folder, as the user who runs the cluster."""
    owner = cluster.owner
    switch = {}
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        switch = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    server = subprocess.Popen([PROGRAM, str(folder / "pgbouncer.ini")], cwd="/", **switch)
    deadline = time.monotonic() + 20
    while not (folder / ".s.PGSQL.6432").exists():
        assert server.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        yield
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def bouncer(
    cluster: Cluster, make_database: Callable[..., str], template_url: str
) -> Iterator[tuple[str, str]]:
    """The same database: its own address, and the one through PgBouncer."""
    assert Path(PROGRAM).exists(), "pgbouncer is missing: ./setup.sh dev installs it"
    direct = make_database(template_url)
    name = direct.split("?")[0].split("/")[-1]
    folder = Path(tempfile.mkdtemp(prefix="ancu-bouncer-"))
    (folder / "users.txt").write_text('"ancu" ""\n"ancu_runtime" ""\n')
    (folder / "pgbouncer.ini").write_text(
        # auth_type any signs everybody in as the user whom the database names.
        f"[databases]\n{name} = host={cluster.socket} user=ancu\n"
        "[pgbouncer]\n"
        "listen_addr =\n"
        f"unix_socket_dir = {folder}\n"
        f"auth_type = any\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = {SERVERS}\nmax_client_conn = 100\n"
        f"logfile = {folder}/log\npidfile = {folder}/pid\n"
    )
    through = f"postgresql://ancu@/{name}?host={folder}&port=6432"
    with served(cluster, folder):
        yield direct, through
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run(
    bouncer: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """Runs `ancu` with the database behind PgBouncer."""
    monkeypatch.setenv("DATABASE_URL", bouncer[1])
    settings.cache_clear()
    db.engine.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, list(arguments))
    monkeypatch.undo()
    settings.cache_clear()
    db.engine(bouncer[1]).dispose()
    db.engine.cache_clear()


def test_migrations_and_imports_go_through_it(
    run: Callable[..., Result], bouncer: tuple[str, str], tmp_path: Path
) -> None:
    with db.transaction(bouncer[1], scope=OPERATOR) as conn:
        schema.migrate(conn)
        assert schema.revision(conn) == schema.head()
        intake_world.build(conn)
    file = tmp_path / "households.csv"
    rows = [intake_world.household(f"H{number}") for number in range(1, 40)]
    head = list(rows[0])
    lines = [head, *([str(row[name] or "") for name in head] for row in rows)]
    file.write_text("\n".join(",".join(f'"{cell}"' for cell in line) for line in lines))
    done = run("import", "households", str(file))
    assert done.exit_code == 0, done.output
    # The file again, by way of a cursor on the server.
    out = tmp_path / "out.csv"
    done = run("export", "households", str(out), "--area", "01")
    assert done.exit_code == 0, done.output
    assert len(out.read_text().splitlines()) == 40
    assert run("audit", "pass", "--quiet").exit_code == 0
    assert run("db", "status").exit_code == 0


def test_pages_and_surveys_go_through_it_from_many_at_once(bouncer: tuple[str, str]) -> None:
    direct, through = bouncer
    keys.keys()
    app = create_app(lambda scope: db.served(scope, through))
    owner = unpooled(direct)
    with owner.begin() as conn:
        bind(conn, OPERATOR)
        clients = [people.client(app, conn, "officer@01") for _ in range(8)]

    def work(client: FlaskClient) -> list[int]:
        statuses = []
        for _ in range(4):
            row = intake_world.survey(1) | {"survey_id": str(uuid.uuid4())}
            sent = client.post("/api/v1/surveys", json={"rows": [row]})
            seen = client.get("/api/v1/households?area=01&limit=5")
            statuses += [sent.status_code, seen.status_code]
        return statuses

    with ThreadPoolExecutor(8) as pool:
        answers = [status for statuses in pool.map(work, clients) for status in statuses]
    assert answers.count(201) == answers.count(200) == 32
    with owner.begin() as conn:
        bind(conn, OPERATOR)
        assert conn.scalar(text("SELECT count(*) FROM survey")) == 32
        assert trail_proof.verify(conn).problems == []
    owner.dispose()


def test_role_and_scope_end_with_the_transaction(bouncer: tuple[str, str]) -> None:
    _, through = bouncer
    mine = Scope(provinces=frozenset({"99"}), action="records.read", account_id=1)
    with db.served(mine, through) as conn:
        assert conn.scalar(text("SELECT current_setting('ancu.provinces')")) == "99"
    plain = psycopg2.connect(through)
    asked = "SELECT current_user, coalesce(current_setting('ancu.provinces', true), '')"
    for _ in range(2 * SERVERS):
        with plain, plain.cursor() as cursor:
            cursor.execute(asked)
            assert cursor.fetchone() == ("ancu", "")
    plain.close()
    with db.transaction(through, scope=OPERATOR) as conn:
        left = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert conn.scalar(text(left)) == 0


def test_the_list_of_secrets_that_the_documentation_makes_signs_in_on_both_sides() -> None:
    (query,) = re.findall(r'psql -AtX -c "(SELECT.*?)" > userlist', DOC, re.DOTALL)
    folder = Path(tempfile.mkdtemp(prefix="ancu-secrets-"))
    folder.chmod(0o755)
    home = folder / "home"
    home.mkdir(mode=0o755)
    cluster = Cluster(home, (("fsync", "off"),))
    cluster.start()
    engine = unpooled(cluster.url())
    inside = folder_of(cluster, folder / "bouncer")
    try:
        with engine.begin() as conn:
            conn.execute(text("ALTER ROLE ancu PASSWORD 'một'"))
            conn.execute(text("CREATE ROLE ancu_runtime LOGIN PASSWORD 'hai'"))
            lines = conn.execute(text(query.replace('\\"', '"'))).scalars().all()
        (inside / "userlist.txt").write_text("\n".join(lines) + "\n")
        # From now on nobody comes in without a password.
        (cluster.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        with engine.begin() as conn:
            conn.execute(text("SELECT pg_reload_conf()"))
        (inside / "pgbouncer.ini").write_text(
            f"[databases]\nancu = host={cluster.socket} dbname=ancu\n[pgbouncer]\nlisten_addr =\n"
            f"unix_socket_dir = {inside}\nauth_type = scram-sha-256\n"
            f"auth_file = {inside}/userlist.txt\npool_mode = transaction\n"
            f"logfile = {inside}/log\npidfile = {inside}/pid\n"
        )
        with served(cluster, inside):
            for role, password in (("ancu", "một"), ("ancu_runtime", "hai")):
                asked = {"host": str(inside), "port": 6432, "dbname": "ancu", "user": role}
                with closing(psycopg2.connect(password=password, **asked)) as conn:
                    cursor = conn.cursor()
                    cursor.execute("SELECT current_user")
                    assert cursor.fetchone() == (role,)
                with pytest.raises(psycopg2.OperationalError):
                    psycopg2.connect(password="ba", **asked)
    finally:
        engine.dispose()
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
