"""Child processes that end with their parent, and what is known about processes of an earlier run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO

_WRAPPER = Path(__file__).with_name("die_with_parent.py")


class Trouble(Exception):
    """Something the person at the terminal can mend; the text is one sentence for them."""


def start_tied(
    command: list[str],
    *,
    output: IO[bytes] | int,
    death_signal: signal.Signals = signal.SIGTERM,
    user: tuple[int, int] | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that Ctrl-C reaches only us, and tied to our life.

    The first word of `command` is a path. `user` is a (uid, gid) to become; `death_signal` what it gets when
    we die without stopping it.
    Call it from the main thread only: Linux ties the child to the thread that started it.
    """
    uid, gid = user or (-1, -1)
    prefix = [sys.executable, "-I", "-S", str(_WRAPPER)]
    life = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return subprocess.Popen(
        [*prefix, *life, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=dict(environment) if environment is not None else None,
        cwd=cwd,
    )


def stop(child: subprocess.Popen[bytes], sent: signal.Signals, *, patience: float) -> bool:
    """Ask `child` to end, wait `patience` seconds or until Ctrl-C, then end its session. Was it in time?"""
    if child.poll() is None:
        child.send_signal(sent)
    try:
        child.wait(patience)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        kill_session(child)
        return False
    return True


def kill_session(child: subprocess.Popen[bytes]) -> None:
    """End `child` and everything that it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_until(is_true: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Look again every `pause` seconds until `is_true` or until `seconds` have passed. Did it become true?"""
    deadline = monotonic() + seconds
    while not is_true():
        if monotonic() > deadline:
            return False
        sleep(pause)
    return True


def is_running(pid: int, folder: Path) -> bool:
    """Is process `pid` alive and a server of `folder`? The number may belong to somebody else by now."""
    try:
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A zombie's command line is empty.
    return str(folder) in command_line.decode(errors="replace")


def end_orphan(pid_file: Path, folder: Path, sent: signal.Signals, *, patience: float) -> None:
    """Wait for the server of `folder` that a killed run left behind to be gone, and remove its pid file."""
    pid = read_pid(pid_file)
    for number in (sent, signal.SIGKILL):
        if pid is None or not is_running(pid, folder):
            break
        os.kill(pid, number)
        wait_until(lambda: not is_running(pid, folder), seconds=patience)
    pid_file.unlink(missing_ok=True)


def read_pid(path: Path) -> int | None:
    """The process id in the first line of `path`; None where there is no such file or no number in it."""
    try:
        first = path.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
