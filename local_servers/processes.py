"""Child processes that end with their parent, and pid files of processes that an earlier run left behind."""

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


class SetupError(Exception):
    """A problem that the person at the terminal can fix; the text is one sentence for them."""


def start_child(
    command: list[str],
    *,
    output: IO[bytes] | int,
    death_signal: signal.Signals = signal.SIGTERM,
    user: tuple[int, int] | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` as a child that dies with this process, in a session that Ctrl-C does not reach.

    The first word of `command` is a path. `user` is a (uid, gid) to become. The child gets `death_signal` when
    this process dies without stopping it.
    Call it from the main thread only: Linux sends the signal when the thread that started the child ends.
    """
    uid, gid = user or (-1, -1)
    prefix = [sys.executable, "-I", "-S", str(_WRAPPER)]
    arguments = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return subprocess.Popen(
        [*prefix, *arguments, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=dict(environment) if environment is not None else None,
        cwd=cwd,
    )


def stop(child: subprocess.Popen[bytes], sent: signal.Signals, *, timeout: float) -> bool:
    """Signal `child`, wait `timeout` seconds or until Ctrl-C, then kill its session. Return False if killed."""
    if child.poll() is None:
        child.send_signal(sent)
    try:
        child.wait(timeout)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        kill_session(child)
        return False
    return True


def kill_session(child: subprocess.Popen[bytes]) -> None:
    """Kill `child` and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_until(is_true: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Call `is_true` every `pause` seconds until it returns true. Return False after `seconds`."""
    deadline = monotonic() + seconds
    while not is_true():
        if monotonic() > deadline:
            return False
        sleep(pause)
    return True


def is_running(pid: int, folder: Path) -> bool:
    """Return whether process `pid` is alive and a server of `folder`; the number may have been reused."""
    try:
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A zombie's command line is empty.
    return str(folder) in command_line.decode(errors="replace")


def end_orphan(pid_file: Path, folder: Path, sent: signal.Signals, *, timeout: float) -> None:
    """Stop the server of `folder` that a killed run left behind, and remove its pid file."""
    pid = read_pid(pid_file)
    for number in (sent, signal.SIGKILL):
        if pid is None or not is_running(pid, folder):
            break
        os.kill(pid, number)
        wait_until(lambda: not is_running(pid, folder), seconds=timeout)
    pid_file.unlink(missing_ok=True)


def read_pid(path: Path) -> int | None:
    """Return the process id in the first line of `path`; None if the file is missing or holds no number."""
    try:
        first = path.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
