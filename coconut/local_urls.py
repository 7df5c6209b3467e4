"""Where a checkout's private PostgreSQL and Valkey listen when no addresses are given.

Pure path arithmetic: the settings and the commands that start the servers agree by calling the same
functions. The sockets lie in /tmp because a socket's path must stay under 108 bytes and because the database
server, which refuses to run as root, must be able to enter the folder wherever the checkout lies.
"""

from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

DATABASE_NAME = "coconut"
DATABASE_USER = "coconut"
# Only part of the socket's name; written out so that a PGPORT in the environment changes nothing.
POSTGRES_PORT = 5432


def socket_dir(base_dir: Path) -> Path:
    """The folder of the sockets of the checkout at `base_dir`: short, and the same in every process."""
    digest = sha256(str(base_dir.resolve()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"coconut-{digest}"  # noqa: S108 - ownership is checked before it is used


def postgres_socket_dir(sockets: Path) -> Path:
    """The database's own folder: on some machines it belongs to another user than Valkey's socket."""
    return sockets / "postgres"


def valkey_socket(sockets: Path) -> Path:
    """Valkey's socket."""
    return sockets / "valkey.sock"


def database_url(sockets: Path, name: str = DATABASE_NAME) -> str:
    """The database `name` behind the sockets, as django-environ reads it."""
    return f"postgresql://{DATABASE_USER}@:{POSTGRES_PORT}/{quote(str(postgres_socket_dir(sockets)))}/{name}"


def broker_url(sockets: Path, number: int = 0) -> str:
    """Valkey's database `number` behind the sockets, as Celery reads it."""
    return f"redis+socket://{quote(str(valkey_socket(sockets)))}?virtual_host={number}"


def cache_url(sockets: Path, number: int = 1) -> str:
    """Valkey's database `number` behind the sockets, as Django's cache reads it."""
    return f"unix://{quote(str(valkey_socket(sockets)))}?db={number}"


def default_database_url(base_dir: Path) -> str:
    """What DATABASE_URL means when it is not set."""
    return database_url(socket_dir(base_dir))


def default_broker_url(base_dir: Path) -> str:
    """What CELERY_BROKER_URL means when it is not set."""
    return broker_url(socket_dir(base_dir))


def default_cache_url(base_dir: Path) -> str:
    """What CACHE_URL means when it is not set."""
    return cache_url(socket_dir(base_dir))
