"""The private PostgreSQL and Valkey servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import environ
import psycopg2
import pytest
import redis

from coconut.local_urls import database_url
from local_servers.postgres import Postgres
from local_servers.processes import SetupError, is_running, read_pid, wait_until
from local_servers.servers import Servers, private_servers, throwaway_folder, throwaway_servers

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that the database server's user can enter, unlike pytest's `tmp_path`."""
    path = Path(tempfile.mkdtemp(prefix="coconut-services-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def run_sql(servers: Servers, statement: str) -> list[tuple[Any, ...]]:
    return run_sql_at(servers.database_url, statement)


def run_sql_at(url: str, statement: str) -> list[tuple[Any, ...]]:
    address = environ.Env.db_url_config(url)
    connection = psycopg2.connect(
        host=address["HOST"], port=address["PORT"], user=address["USER"], dbname=address["NAME"]
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def test_the_owner_of_the_database_can_create_the_extensions(folder: Path) -> None:
    with private_servers(folder, sockets=folder / "s", durable=False, broker=False) as servers:
        run_sql(servers, "CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm")

        rows = run_sql(servers, "SELECT usesuper FROM pg_user WHERE usename = current_user")

    assert rows == [(False,)]


def test_data_survives_a_stop(folder: Path) -> None:
    with private_servers(folder, sockets=folder / "s", durable=True) as servers:
        run_sql(servers, "CREATE TABLE kept AS SELECT 'yes' AS answer")

    with private_servers(folder, sockets=folder / "s", durable=True) as servers:
        assert run_sql(servers, "SELECT answer FROM kept") == [("yes",)]


def test_the_database_ignores_case_beyond_ascii(folder: Path) -> None:
    with private_servers(folder, sockets=folder / "s", durable=False, broker=False) as servers:
        assert run_sql(servers, "SELECT lower('ÉÅ')") == [("éå",)]


def test_nothing_listens_on_the_network(folder: Path) -> None:
    with private_servers(folder, sockets=folder / "s", durable=False) as servers:
        client = redis.Redis.from_url(servers.cache_url)

        assert run_sql(servers, "SHOW listen_addresses") == [("",)]
        assert client.info("server")["tcp_port"] == 0


def test_a_second_run_in_the_same_folder_is_refused_with_a_sentence(folder: Path) -> None:
    with (
        private_servers(folder, sockets=folder / "s", durable=False, database=False),
        pytest.raises(SetupError) as refusal,
        private_servers(folder, sockets=folder / "s", durable=False),
    ):
        pass

    assert str(refusal.value) == f"The servers of {folder} are running already: stop them first."


def test_two_throwaway_pairs_run_at_the_same_time() -> None:
    with throwaway_servers() as one, throwaway_servers() as other:
        run_sql(one, "CREATE TABLE only_here ()")

        rows = run_sql(other, "SELECT to_regclass('only_here')")

    assert rows == [(None,)]


def test_runs_that_start_and_end_at_the_same_time_keep_their_folders() -> None:
    def begin_and_end(_number: int) -> bool:
        with throwaway_folder() as home:
            return (home / "lock").exists()

    with ThreadPoolExecutor(8) as people:
        kept = list(people.map(begin_and_end, range(300)))

    assert kept == [True] * 300


def test_the_next_run_removes_the_folder_of_a_killed_run() -> None:
    left = Path(tempfile.mkdtemp(prefix="coconut-throwaway-", dir="/tmp"))
    (left / "lock").touch()
    an_hour_ago = time.time() - 3600
    os.utime(left / "lock", (an_hour_ago, an_hour_ago))

    with throwaway_folder():
        pass

    assert not left.exists()


def test_after_a_killed_run_its_servers_stop_and_the_next_run_starts(folder: Path) -> None:
    run = start_in_own_process(folder)
    postmaster = read_pid(folder / "postgres" / "data" / "postmaster.pid")
    assert postmaster is not None
    run.kill()
    run.wait()

    with private_servers(folder, sockets=folder / "s", durable=True) as servers:
        assert run_sql(servers, "SELECT 1") == [(1,)]
        assert not is_running(postmaster, folder)


def test_after_a_run_is_killed_with_its_servers_the_next_run_starts(folder: Path) -> None:
    run = start_in_own_process(folder)
    pids = [
        read_pid(folder / "postgres" / "data" / "postmaster.pid"),
        read_pid(folder / "valkey" / "valkey.pid"),
    ]
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    run.kill()
    run.wait()

    with private_servers(folder, sockets=folder / "s", durable=True) as servers:
        assert run_sql(servers, "SELECT 1") == [(1,)]


def test_a_pid_file_with_the_reused_pid_of_another_process_is_ignored(folder: Path) -> None:
    with private_servers(folder, sockets=folder / "s", durable=True, broker=False):
        pass
    pid_file = folder / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{folder}/postgres/data\n")

    with private_servers(folder, sockets=folder / "s", durable=True, broker=False) as servers:
        assert run_sql(servers, "SELECT 1") == [(1,)]


def test_a_socket_folder_that_is_a_link_is_refused(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "s").symlink_to(folder / "elsewhere")

    with (
        pytest.raises(SetupError) as refusal,
        private_servers(folder, sockets=folder / "s", durable=False),
    ):
        pass

    assert str(refusal.value) == f"{folder / 's'} belongs to another user: remove it."


def start_in_own_process(folder: Path) -> subprocess.Popen[bytes]:
    program = (
        "import sys, time; from pathlib import Path; from local_servers.servers import private_servers\n"
        "folder = Path(sys.argv[1])\n"
        "with private_servers(folder, sockets=folder / 's', durable=True):\n"
        "    (folder / 'up').touch(); time.sleep(600)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=_ROOT)
    assert wait_until((folder / "up").exists, seconds=60)
    return run


def test_a_server_begins_with_the_database_of_its_template(folder: Path) -> None:
    sockets = folder / "sockets"
    original = Postgres(folder / "original", sockets, durable=False)
    original.start()
    run_sql_at(database_url(sockets), "CREATE TABLE copied AS SELECT 'yes' AS answer")
    original.save_cluster(folder / "template")

    with private_servers(
        folder, sockets=folder / "s", durable=False, broker=False, template=folder / "template"
    ) as servers:
        assert run_sql(servers, "SELECT answer FROM copied") == [("yes",)]
