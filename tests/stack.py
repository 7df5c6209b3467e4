"""A whole installation in processes of its own: web, worker, beat and the simulated Microsoft.

Everything is real but Microsoft, and everything can be killed. Waiting times are short, so that what takes a
minute in production takes a second here.
"""

from __future__ import annotations

import email
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default as email_policy
from pathlib import Path
from typing import Any

import environ
import psycopg2

from coconut.local_urls import broker_url, cache_url
from demo import programs
from demo.programs import BASE_DIR, Addresses
from local_servers.processes import kill_session, start_child, stop, tail, wait_until
from local_servers.valkey import Valkey

SHORT_WAITS = {
    "MEETING_LEASE_SECONDS": "6",
    "MEETING_TASK_TIME_LIMIT": "5",
    "MEETING_SWEEP_SECONDS": "1",
    "MEETING_RECHECK_SECONDS": "1",
    "MEETING_NUDGE_PAUSE_SECONDS": "1",
    "MEETING_BACKOFF_SECONDS": "1",
    "MEETING_BACKOFF_MAX_SECONDS": "3",
    "CIRCUIT_PAUSE_MAX_SECONDS": "2",
    "REMATCH_LEASE_SECONDS": "6",
    "REMATCH_SWEEP_SECONDS": "1",
    "COVERAGE_SWEEP_SECONDS": "1",
    "COVERAGE_PAUSE_SECONDS": "1",
    "MICROSOFT_READ_TIMEOUT_SECONDS": "3",
}
PROGRAMS = ("simulator", "web", "worker", "worker2", "beat")


@dataclass(frozen=True)
class Moment:
    """A state that tests begin from: a copy of the database, and what the simulator knew."""

    database: str
    microsoft: Any


class Stack:
    """The processes, by name, with their database and broker.

    The names are "simulator", "web", "worker", "beat", and "worker2" where there are two workers.
    """

    def __init__(self, folder: Path, cluster_url: str, *, workers: int = 1, concurrency: int = 2) -> None:
        """`folder` is for logs, mail and sockets; the database is made in the cluster of `cluster_url`.

        `concurrency` is how many tasks each of the workers does at once.
        """
        self.folder = folder
        self.workers = ("worker", "worker2")[:workers]
        self.addresses = Addresses(_free_port(), _free_port())
        self._maintenance_url = cluster_url
        self._name = f"stack_{secrets.token_hex(4)}"
        self.database_url = _with_database(cluster_url, self._name)
        self.broker = Valkey(folder / "valkey", folder)
        self.environment = {
            **os.environ,
            **programs.simulated_environment(self.addresses),
            **SHORT_WAITS,
            "DJANGO_SETTINGS_MODULE": "tests.stack_settings",
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": broker_url(folder),
            "CACHE_URL": cache_url(folder),
            "EMAIL_URL": f"filemail:///{self._mail_dir}",
            "PYTHONWARNINGS": "ignore:You're running the worker",
        }
        self._commands = {
            "simulator": programs.simulator_command(self.addresses),
            "web": programs.web_command(self.addresses),
            **{name: programs.worker_command(concurrency) for name in self.workers},
            "beat": programs.beat_command(folder),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._kept: list[str] = []

    @property
    def url(self) -> str:
        """The address of Coconut, without a slash at its end."""
        return self.addresses.web

    @property
    def simulator_url(self) -> str:
        """The address of the simulated Microsoft, without a slash at its end."""
        return self.addresses.simulator

    # --- Life ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make and seed the database, keep a copy of it for `reset`, and start everything."""
        self._mail_dir.mkdir(parents=True)
        self._on_cluster(f"CREATE DATABASE {self._name}")
        self.broker.start()
        self.start("simulator")
        self._run(programs.prepare_command())
        self._copy_database(self._name, to=self._seeded)
        self._kept.append(self._seeded)
        self.start("web", *self.workers, "beat")

    def keep(self) -> Moment:
        """Remember everything as it is now, for `reset`."""
        moment = Moment(f"{self._name}_{secrets.token_hex(4)}", self.control("keep")["state"])
        # A database that somebody is connected to cannot be copied.
        self._on_cluster(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._on_cluster(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'"
        )
        self._copy_database(self._name, to=moment.database)
        self._on_cluster(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")
        self._kept.append(moment.database)
        return moment

    def reset(self, to: Moment | None = None) -> None:
        """Back to the freshly seeded state, or to a kept one, with every process running."""
        self.broker.start() if self.broker.process is None else self.broker.flush()
        self.start("simulator")
        self.control("reset") if to is None else self.control("bring-back", state=to.microsoft)
        self._on_cluster(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._copy_database(self._seeded if to is None else to.database, to=self._name)
        shutil.rmtree(self._mail_dir)
        self._mail_dir.mkdir()
        self.start("web", *self.workers, "beat")

    def close(self) -> None:
        """Stop everything and drop the databases."""
        for name in reversed(PROGRAMS):
            self.kill(name)
        self.broker.stop()
        for database in (self._name, *self._kept):
            self._on_cluster(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def start(self, *names: str, **environment: str) -> None:
        """Start the programs that are not running, and wait until they answer; `environment` is added to theirs."""
        stopped = [name for name in names if not self.is_running(name)]
        for name in stopped:
            # The database knows its clients by their names.
            variables = {**self.environment, "PGAPPNAME": name, **environment}
            with self._log(name).open("ab") as log:
                self._processes[name] = start_child(
                    self._commands[name], output=log, environment=variables, cwd=BASE_DIR
                )
        for name in stopped:
            self._wait_for_answer(name)

    def stop(self, name: str) -> None:
        """Ask a program to end, and wait until it has."""
        stop(self._processes.pop(name), signal.SIGTERM, timeout=30)

    def kill(self, name: str) -> None:
        """End a program and its children at once, as when the machine loses power."""
        process = self._processes.pop(name, None)
        if process is not None:
            kill_session(process)

    def is_running(self, name: str) -> bool:
        """Has the program been started and not ended since?"""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def pid(self, name: str) -> int:
        """The process id of a program that is running."""
        return self._processes[name].pid

    # --- Looking inside -----------------------------------------------------------------------------

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement on the stack's database; its rows, if it gives any."""
        with _connection(self.database_url) as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding(self, query: str) -> Iterator[None]:
        """Run `query` in a transaction that stays open meanwhile: what it locks, nobody else can write."""
        with _connection(self.database_url) as cursor:
            cursor.execute("BEGIN")
            cursor.execute(query)
            yield

    def python(self, code: str) -> str:
        """Run `code` in Django's shell beside the stack; what it prints."""
        return self._run([sys.executable, "manage.py", "shell", "--no-imports", "-c", code])

    def control(self, name: str, **values: Any) -> Any:
        """POST to the simulator's `/_control/<name>`; its answer."""
        return self._ask_simulator(f"/_control/{name}", json.dumps(values).encode())

    def simulator_state(self, only: str = "") -> Any:
        """What the simulator knows: people, meetings, counters; `only` names the part that is wanted."""
        return (
            self._ask_simulator(f"/_control/state?only={only}")[only]
            if only
            else self._ask_simulator("/_control/state")
        )

    def simulator_requests(self) -> Any:
        """What Microsoft was asked, oldest first."""
        return self._ask_simulator("/_control/requests")["requests"]

    def mails(self) -> list[EmailMessage]:
        """Every mail that was sent, the oldest first."""
        files = sorted(self._mail_dir.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        parts = [part for path in files for part in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n")]
        return [email.message_from_bytes(part, policy=email_policy) for part in parts if part.strip()]

    def wait_until(self, is_true: Callable[[], Any], seconds: float = 15) -> None:
        """Look again until `is_true`; fails when that takes longer than `seconds`."""
        assert wait_until(lambda: bool(is_true()), seconds=seconds), f"Not true after {seconds} seconds."

    def logs(self) -> dict[str, str]:
        """The last lines that each program printed."""
        return {name: tail(self._log(name), 60) for name in self._commands}

    # --- Details ------------------------------------------------------------------------------------

    @property
    def _mail_dir(self) -> Path:
        return self.folder / "mail"

    @property
    def _seeded(self) -> str:
        return f"{self._name}_seeded"

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait_for_answer(self, name: str) -> None:
        probes: dict[str, Callable[[], bool]] = {
            "simulator": lambda: _answers(f"{self.simulator_url}/_control/state"),
            "web": lambda: _answers(f"{self.url}/readyz"),
            # Beat and worker need no answer: whoever waits for their work waits for them too.
        }
        probe = probes.get(name)
        if probe is None:
            return
        process = self._processes[name]
        answered = wait_until(lambda: process.poll() is not None or probe(), seconds=60)
        if not answered or process.poll() is not None:
            raise AssertionError(f"{name} did not start:\n{tail(self._log(name), 60)}")

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, env=self.environment, cwd=BASE_DIR, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _on_cluster(self, statement: str) -> None:
        """Nobody but PostgreSQL itself may end its autovacuum where that is in a database: it is waited for."""

        def is_done() -> bool:
            try:
                with _connection(self._maintenance_url) as cursor:
                    cursor.execute(statement)
            except psycopg2.errors.InsufficientPrivilege:
                return False
            return True

        self.wait_until(is_done, seconds=30)

    def _copy_database(self, name: str, *, to: str) -> None:
        self._on_cluster(f"CREATE DATABASE {to} TEMPLATE {name}")

    def _ask_simulator(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            self.simulator_url + path, data=body, headers={"Content-Type": "application/json"}
        )
        with _opener().open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    """A cursor on a connection of its own that commits each statement."""
    address = environ.Env.db_url_config(url)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    connection = psycopg2.connect(**{name: address[key] for key, name in names.items() if address.get(key)})
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


def _with_database(url: str, name: str) -> str:
    address, separator, options = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{separator}{options}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _opener() -> urllib.request.OpenerDirector:
    # A proxy in the environment must not be asked for this machine.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError), _opener().open(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False
