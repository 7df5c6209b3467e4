"""The URLs of a checkout's private PostgreSQL and Valkey, used when no others are set.

The settings and the commands that start the servers call the same functions, so they agree. The sockets lie
in /tmp: a socket's path must stay under 108 bytes, and the database server, which refuses to run as root, must
be able to enter the folder.
"""

from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

DATABASE_NAME = "coconut"
DATABASE_USER = "coconut"
# Only part of the socket's name; written out so that a PGPORT in the environment changes nothing.
POSTGRES_PORT = 5432


def socket_dir(base_dir: Path) -> Path:
    """Return the short folder of the sockets of the checkout at `base_dir`, the same in every process."""
    digest = sha256(str(base_dir.resolve()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"coconut-{digest}"  # noqa: S108 - ownership is checked before it is used


def postgres_socket_dir(sockets: Path) -> Path:
    """Return the folder of the database's socket; it may belong to another user than Valkey's socket."""
    return sockets / "postgres"


def valkey_socket(sockets: Path) -> Path:
    """Return the path of Valkey's socket."""
    return sockets / "valkey.sock"


def database_url(sockets: Path, name: str = DATABASE_NAME) -> str:
    """Return the URL of the database `name` in the format of django-environ."""
    return f"postgresql://{DATABASE_USER}@:{POSTGRES_PORT}/{quote(str(postgres_socket_dir(sockets)))}/{name}"


def broker_url(sockets: Path, number: int = 0) -> str:
    """Return the URL of Valkey's database `number` in the format of Celery."""
    return f"redis+socket://{quote(str(valkey_socket(sockets)))}?virtual_host={number}"


def cache_url(sockets: Path, number: int = 1) -> str:
    """Return the URL of Valkey's database `number` in the format of Django's cache."""
    return f"unix://{quote(str(valkey_socket(sockets)))}?db={number}"


def default_database_url(base_dir: Path) -> str:
    """Return the default of DATABASE_URL."""
    return database_url(socket_dir(base_dir))


def default_broker_url(base_dir: Path) -> str:
    """Return the default of CELERY_BROKER_URL."""
    return broker_url(socket_dir(base_dir))


def default_cache_url(base_dir: Path) -> str:
    """Return the default of CACHE_URL."""
    return cache_url(socket_dir(base_dir))
