"""The two servers that Coconut needs, PostgreSQL and Valkey, brought up privately and taken down again."""

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
from local_servers.processes import Trouble
from local_servers.valkey import Valkey

# Not $TMPDIR: it may be long, and another user's server must be able to enter it.
_TMP = Path("/tmp")
_THROWAWAY_PREFIX = "coconut-throwaway-"
# Between a folder's making and its locking lie microseconds.
_SETTLING_SECONDS = 60


@dataclass(frozen=True)
class Servers:
    """What runs, and the addresses as the settings want them."""

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
    data_dir: Path, *, sockets: Path, durable: bool, database: bool = True, broker: bool = True
) -> Iterator[Servers]:
    """Run PostgreSQL and Valkey with data in `data_dir` and sockets in `sockets` while the context lasts.

    `database` and `broker` say which of the two; `durable` is for data worth keeping, else speed comes before
    safety. A run that was killed leaves nothing that stops the next one. Raises `Trouble`.
    """
    with ExitStack() as stack:
        stack.enter_context(only_one(data_dir))
        _make_socket_dir(sockets)
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        postgres = Postgres(data_dir / "postgres", sockets, durable)
        valkey = Valkey(data_dir / "valkey", sockets)
        # Registered before the start, so that Ctrl-C in the middle of it stops what runs already.
        for wanted, server in ((database, postgres), (broker, valkey)):
            if wanted:
                stack.callback(server.stop)
                _start(server)
        yield Servers(postgres, valkey, database_url(sockets), broker_url(sockets), cache_url(sockets))


@contextmanager
def throwaway_servers(*, database: bool = True, broker: bool = True) -> Iterator[Servers]:
    """Servers in a throwaway folder; any number may run side by side."""
    with (
        throwaway_folder() as home,
        private_servers(
            home / "data", sockets=home / "sockets", durable=False, database=database, broker=broker
        ) as servers,
    ):
        yield servers


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A folder with a short path, removed afterwards, or by the next who asks for one if we are killed."""
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
    """Hold the folder's lock, which the kernel frees when we die. Raises `Trouble` when somebody has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        lock = (data_dir / "lock").open("w")
    except PermissionError:
        raise Trouble(f"{data_dir} belongs to another user.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"The servers of {data_dir} are running already: stop them first.") from None
        yield


def _start(server: Postgres | Valkey) -> None:
    try:
        server.start()
    except PermissionError as error:
        raise Trouble(f"{error.filename} belongs to another user.") from error


def _make_socket_dir(sockets: Path) -> None:
    """Make the folder, refusing one that somebody else put in its place."""
    sockets.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = sockets.lstat()
    if sockets.is_symlink() or found.st_uid != os.getuid():
        raise Trouble(f"{sockets} belongs to another user: remove it.")
    sockets.chmod(0o755)


def _sweep_throwaways() -> None:
    """Remove what killed runs left behind: a folder whose lock is free has no owner any more."""
    for home in _TMP.glob(f"{_THROWAWAY_PREFIX}*"):
        if not _may_be_left_behind(home):
            continue
        try:
            with only_one(home):
                shutil.rmtree(home, ignore_errors=True)
        except Trouble:
            continue


def _may_be_left_behind(home: Path) -> bool:
    """Whether it is ours, and old enough: who has just made one may not hold its lock yet.

    Others sweep and end at the same time, so that it may be gone at any moment.
    """
    with suppress(FileNotFoundError, PermissionError):
        lock = (home / "lock").stat()
        return lock.st_uid == os.getuid() and time.time() - lock.st_mtime > _SETTLING_SECONDS
    return False
