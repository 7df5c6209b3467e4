"""Start and stop private PostgreSQL and Valkey servers for the demo, the tests and the benchmarks."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from coconut.local_urls import broker_url, cache_url, database_url
from local_servers.postgres import Postgres
from local_servers.processes import SetupError
from local_servers.valkey import Valkey

# Not $TMPDIR: the path may be long, and the database server's user must be able to enter it.
_TMP = Path("/tmp")
_THROWAWAY_PREFIX = "coconut-throwaway-"
# A new folder is not locked yet for some microseconds.
_SECONDS_UNTIL_LOCKED = 60


@dataclass(frozen=True)
class Servers:
    """The running servers and their addresses in the format of the settings."""

    postgres: Postgres
    valkey: Valkey
    database_url: str
    broker_url: str
    cache_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The addresses as environment variables."""
        return {
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker_url,
            "CACHE_URL": self.cache_url,
        }


@contextmanager
def private_servers(
    data_dir: Path,
    *,
    sockets: Path,
    durable: bool,
    database: bool = True,
    broker: bool = True,
    template: Path | None = None,
) -> Iterator[Servers]:
    """Run PostgreSQL and Valkey with data in `data_dir` and sockets in `sockets` while the context lasts.

    `database` and `broker` choose the servers. `durable` keeps data safe; without it, the server is faster.
    `template` is a cluster to begin with. Files that a killed run left behind do not stop the next one.
    Raises `SetupError`.
    """
    with ExitStack() as stack:
        stack.enter_context(only_one(data_dir))
        _make_socket_dir(sockets)
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        postgres = Postgres(data_dir / "postgres", sockets, durable, template)
        valkey = Valkey(data_dir / "valkey", sockets)
        # Registered before the start, so that Ctrl-C during it stops the servers that already run.
        for is_needed, server in ((database, postgres), (broker, valkey)):
            if is_needed:
                stack.callback(server.stop)
                _start(server)
        yield Servers(postgres, valkey, database_url(sockets), broker_url(sockets), cache_url(sockets))


@contextmanager
def throwaway_servers(*, database: bool = True, broker: bool = True) -> Iterator[Servers]:
    """Run servers in a throwaway folder; any number may run at the same time."""
    with (
        throwaway_folder() as home,
        private_servers(
            home / "data", sockets=home / "sockets", durable=False, database=database, broker=broker
        ) as servers,
    ):
        yield servers


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """Make a folder with a short path and remove it afterwards; after a kill, a later call removes it."""
    _sweep_throwaways()
    home = Path(tempfile.mkdtemp(prefix=_THROWAWAY_PREFIX, dir=_TMP))
    home.chmod(0o755)
    with only_one(home):
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock, which the kernel frees when this process dies. Raises `SetupError` if it is taken."""
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        lock = (data_dir / "lock").open("w")
    except PermissionError:
        raise SetupError(f"{data_dir} belongs to another user.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"The servers of {data_dir} are running already: stop them first.") from None
        yield


def _start(server: Postgres | Valkey) -> None:
    try:
        server.start()
    except PermissionError as error:
        raise SetupError(f"{error.filename} belongs to another user.") from error


def _make_socket_dir(sockets: Path) -> None:
    """Make the folder. Raises `SetupError` if another user owns it or it is a link."""
    sockets.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = sockets.lstat()
    if sockets.is_symlink() or found.st_uid != os.getuid():
        raise SetupError(f"{sockets} belongs to another user: remove it.")
    sockets.chmod(0o755)


def _sweep_throwaways() -> None:
    """Remove the folders of killed runs, whose locks are free."""
    for home in _TMP.glob(f"{_THROWAWAY_PREFIX}*"):
        if not _may_be_left_behind(home):
            continue
        try:
            with only_one(home):
                shutil.rmtree(home, ignore_errors=True)
        except SetupError:
            continue


def _may_be_left_behind(home: Path) -> bool:
    """Return whether this user owns the folder and it is old enough that its maker must hold its lock.

    Other runs sweep at the same time, so the folder may vanish at any moment.
    """
    with suppress(FileNotFoundError, PermissionError):
        lock = (home / "lock").stat()
        return lock.st_uid == os.getuid() and time.time() - lock.st_mtime > _SECONDS_UNTIL_LOCKED
    return False
