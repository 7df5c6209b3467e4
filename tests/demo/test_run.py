"""The whole demo, started in a terminal and stopped with Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg2
import pytest

from coconut.local_urls import database_url, socket_dir
from demo.programs import BASE_DIR
from demo.reset import reset
from local_servers.processes import wait_until

NOT_OF_THE_CHECKOUT = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "staticfiles", "test-results")
RENAME = "UPDATE appointments_client SET name = 'Kept Person' WHERE id = (SELECT min(id) FROM appointments_client)"
KEPT = "SELECT count(*) FROM appointments_client WHERE name = 'Kept Person'"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of this checkout; its demo has its own data and sockets."""
    copy = tmp_path / "a copy"
    shutil.copytree(BASE_DIR, copy, ignore=NOT_OF_THE_CHECKOUT)
    (copy / "node_modules").symlink_to(BASE_DIR / "node_modules")
    yield copy
    reset(copy / ".local")


class Terminal:
    """`python -m demo.run` in the foreground of a terminal."""

    def __init__(self, checkout: Path) -> None:
        ports = {"PORT": str(free_port()), "SIMULATOR_PORT": str(free_port())}
        self.printed = checkout.parent / "printed"
        with self.printed.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo.run"],
                cwd=checkout,
                env={"PATH": os.environ["PATH"], **ports},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ready = f"http://localhost:{ports['PORT']}"
        assert wait_until(lambda: self._is_over() or ready in self.printed.read_text(), seconds=240)
        assert not self._is_over(), self.printed.read_text()

    def press_ctrl_c(self) -> int:
        """Send SIGINT to the whole process group, as a terminal does; return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)

    def close(self) -> None:
        """Kill the demo of a failed test; its children die with it."""
        self.process.kill()
        self.process.wait()

    def _is_over(self) -> bool:
        return self.process.poll() is not None


@pytest.fixture
def terminal(checkout: Path) -> Iterator[Terminal]:
    terminal = Terminal(checkout)
    yield terminal
    terminal.close()


def test_ctrl_c_leaves_no_process_and_the_next_start_finds_the_data(checkout: Path, terminal: Terminal) -> None:
    children = descendants(terminal.process.pid)
    run_sql(checkout, RENAME)

    exit_code = terminal.press_ctrl_c()

    assert exit_code == 0, terminal.printed.read_text()
    assert terminal.printed.read_text().splitlines()[-1] == "Stopped."
    # Two servers, four programs, and their children.
    assert len(children) > 6
    assert [line for pid, line in children.items() if command_line(pid) == line] == []
    assert not socket_dir(checkout).exists()

    again = Terminal(checkout)
    try:
        assert run_sql(checkout, KEPT) == [(1,)]
        assert again.press_ctrl_c() == 0
    finally:
        again.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(pid: int) -> dict[int, str]:
    """Return the command lines of all descendants of `pid`."""
    parents = {int(stat.parent.name): parent_in(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: command_line(child) for child in found - {pid}}


def parent_in(stat: Path) -> int:
    try:
        return int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def command_line(pid: int) -> str:
    """Return the command line, which is empty for an ended process and for a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def run_sql(checkout: Path, statement: str) -> list[tuple[int]]:
    address = environ.Env.db_url_config(database_url(socket_dir(checkout)))
    where = {"host": address["HOST"], "port": address["PORT"], "user": address["USER"]}
    connection = psycopg2.connect(**where, dbname=address["NAME"])
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows
