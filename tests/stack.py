"""A whole installation in its own processes: web, worker, beat and the simulated Microsoft.

Only Microsoft is simulated, and tests may kill every process. Leases and pauses are short (`tests.short_waits`).
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

PROGRAMS = ("simulator", "web", "worker", "worker2", "beat")


@dataclass(frozen=True)
class Snapshot:
    """Start state of tests: a copy of the database and of the simulator's state."""

    database: str
    microsoft: Any


class Stack:
    """The processes by name, with their database and broker.

    The names are "simulator", "web", "worker", "beat", and "worker2" if there are two workers.
    """

    def __init__(
        self,
        folder: Path,
        cluster_url: str,
        *,
        workers: int = 1,
        concurrency: int = 2,
        template: str = "template1",
        settings: str = "tests.stack_settings",
    ) -> None:
        """`folder` is for logs, emails and sockets.

        The database is a copy of `template`, made in the cluster of `cluster_url`. `concurrency` is the number of
        tasks that each worker runs at once. `settings` is the settings module of all programs but the simulator.
        """
        self.folder = folder
        self.workers = ("worker", "worker2")[:workers]
        self.addresses = Addresses(_free_port(), _free_port())
        self._maintenance_url = cluster_url
        self._template = template
        self._name = f"stack_{secrets.token_hex(4)}"
        self.database_url = _with_database(cluster_url, self._name)
        self.broker = Valkey(folder / "valkey", folder)
        self.environment = {
            **os.environ,
            **programs.simulated_environment(self.addresses),
            "DJANGO_SETTINGS_MODULE": settings,
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
        """The URL of Coconut, without a trailing slash."""
        return self.addresses.web

    @property
    def simulator_url(self) -> str:
        """The URL of the simulated Microsoft, without a trailing slash."""
        return self.addresses.simulator

    # --- Starting and stopping ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """Create and seed the database, keep a copy of it for `reset`, and start all processes."""
        self._mail_dir.mkdir(parents=True)
        self._copy_database(self._template, to=self._name)
        self.broker.start()
        self.start("simulator")
        self._run(programs.prepare_command())
        self._copy_database(self._name, to=self._seeded)
        self._kept.append(self._seeded)
        self.start("web", *self.workers, "beat")

    def keep(self) -> Snapshot:
        """Save the present state, for `reset`."""
        snapshot = Snapshot(f"{self._name}_{secrets.token_hex(4)}", self.control("keep")["state"])
        # PostgreSQL cannot copy a database that has connections.
        self._on_cluster(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._on_cluster(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'")
        self._copy_database(self._name, to=snapshot.database)
        self._on_cluster(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")
        self._kept.append(snapshot.database)
        return snapshot

    def reset(self, snapshot: Snapshot | None = None) -> None:
        """Restore the freshly seeded state or a snapshot, and start the processes that do not run."""
        self.broker.start() if self.broker.process is None else self.broker.flush()
        self.start("simulator")
        self.control("reset") if snapshot is None else self.control("bring-back", state=snapshot.microsoft)
        self._on_cluster(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._copy_database(self._seeded if snapshot is None else snapshot.database, to=self._name)
        # Sessions of a snapshot are as fresh as if people had just signed in, however long ago it was made.
        self.sql(
            "UPDATE staff_staffsession SET started_at = now(), last_active_at = now(), password_entered_at = now()"
        )
        shutil.rmtree(self._mail_dir)
        self._mail_dir.mkdir()
        self.start("web", *self.workers, "beat")

    def close(self) -> None:
        """Stop all processes and drop the databases."""
        for name in reversed(PROGRAMS):
            self.kill(name)
        self.broker.stop()
        for database in (self._name, *self._kept):
            self._on_cluster(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def start(self, *names: str, **environment: str) -> None:
        """Start the programs that do not run, with `environment` added to theirs, and wait until they answer."""
        stopped = [name for name in names if not self.is_running(name)]
        for name in stopped:
            # Tests find a program's database connections by this name.
            variables = {**self.environment, "PGAPPNAME": name, **environment}
            with self._log(name).open("ab") as log:
                self._processes[name] = start_child(
                    self._commands[name], output=log, environment=variables, cwd=BASE_DIR
                )
        for name in stopped:
            self._wait_for_answer(name)

    def stop(self, name: str) -> None:
        """Send SIGTERM to a program and wait until it has ended."""
        stop(self._processes.pop(name), signal.SIGTERM, timeout=30)

    def kill(self, name: str) -> None:
        """Kill a program and its children, as when the machine loses power."""
        process = self._processes.pop(name, None)
        if process is not None:
            kill_session(process)

    def is_running(self, name: str) -> bool:
        """Return whether the program was started and has not ended."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def pid(self, name: str) -> int:
        """Return the process id of a running program."""
        return self._processes[name].pid

    # --- Inspecting -----------------------------------------------------------------------------

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement on the stack's database; return its rows, if any."""
        with _connection(self.database_url) as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding(self, query: str) -> Iterator[None]:
        """Run `query` in a transaction that stays open and keeps its locks while the context lasts."""
        with _connection(self.database_url) as cursor:
            cursor.execute("BEGIN")
            cursor.execute(query)
            yield

    def python(self, code: str) -> str:
        """Run `code` in a Django shell with the stack's environment; return its output."""
        return self._run([sys.executable, "manage.py", "shell", "--no-imports", "-c", code])

    def control(self, name: str, **values: Any) -> Any:
        """POST to the simulator's `/_control/<name>`; return the response."""
        return self._request_simulator(f"/_control/{name}", json.dumps(values).encode())

    def simulator_state(self, only: str = "") -> Any:
        """Return the simulator's state (people, meetings, counters), or only one part of it."""
        return (
            self._request_simulator(f"/_control/state?only={only}")[only]
            if only
            else self._request_simulator("/_control/state")
        )

    def simulator_requests(self) -> Any:
        """Return the requests to the simulated Microsoft, oldest first."""
        return self._request_simulator("/_control/requests")["requests"]

    def emails(self) -> list[EmailMessage]:
        """Return every sent email, oldest first."""
        files = sorted(self._mail_dir.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        parts = [part for path in files for part in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n")]
        return [email.message_from_bytes(part, policy=email_policy) for part in parts if part.strip()]

    def wait_until(self, is_true: Callable[[], Any], seconds: float = 60) -> None:
        """Call `is_true` until it returns true; fail after `seconds`.

        The limit is long because a worker may need 20 seconds to start on a busy machine. The pause is long because
        most conditions open a database connection, which takes as much time as a task.
        """
        assert wait_until(lambda: bool(is_true()), seconds=seconds, pause=0.1), f"Not true after {seconds} seconds."

    def lines(self, name: str) -> list[str]:
        """Return every line that a program has printed."""
        return self._log(name).read_text().splitlines()

    def logs(self) -> dict[str, str]:
        """Return the last lines that each program printed."""
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
            # Tests wait for the work of beat and worker, so their start needs no probe.
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
        """Run `statement`; wait for an autovacuum, which only PostgreSQL's superuser may end."""

        def is_done() -> bool:
            try:
                with _connection(self._maintenance_url) as cursor:
                    cursor.execute(statement)
            except psycopg2.errors.InsufficientPrivilege:
                return False
            return True

        self.wait_until(is_done)

    def _copy_database(self, name: str, *, to: str) -> None:
        self._on_cluster(f"CREATE DATABASE {to} TEMPLATE {name}")

    def _request_simulator(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            self.simulator_url + path, data=body, headers={"Content-Type": "application/json"}
        )
        with _opener().open(request, timeout=30) as response:
            return json.loads(response.read() or b"null")


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    """Yield a cursor on a new connection that commits each statement."""
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
    # Do not use a proxy for this machine.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError), _opener().open(url, timeout=5) as response:
        return bool(response.status == 200)
    return False
