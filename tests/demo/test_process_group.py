"""The process group of the demo starts in order, is watched, and stops in reverse order without leftovers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo import programs, run
from demo.process_group import ProcessGroup
from local_servers.processes import SetupError, wait_until

# Prints that it runs; on SIGTERM, writes its name to the log and ends.
POLITE = """
import signal, sys, time
name, log = sys.argv[1:]
def end(*_):
    with open(log, "a") as file:
        file.write(name + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def group(tmp_path: Path):
    group = ProcessGroup(dict(os.environ), tmp_path)
    yield group
    group.stop()


def start_polite(group: ProcessGroup, name: str, log: Path) -> int:
    program = group.start(name, [sys.executable, "-c", POLITE, name, str(log)], timeout=5)
    return program.process.pid


def is_alive(pid: int) -> bool:
    return subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode == 0


def test_children_are_stopped_in_reverse_order(group: ProcessGroup, tmp_path: Path) -> None:
    log = tmp_path / "ended"
    pids = [start_polite(group, name, log) for name in ("simulator", "web", "worker")]
    assert wait_until(lambda: all(is_alive(pid) for pid in pids), seconds=5)
    # Each needs a moment before it listens for signals.
    assert wait_until(lambda: _is_listening(pids), seconds=10)

    group.stop()

    assert log.read_text().split() == ["worker", "web", "simulator"]
    assert not any(is_alive(pid) for pid in pids)


def _is_listening(pids: list[int]) -> bool:
    """Return whether every child catches SIGTERM: its bit is set in SigCgt."""
    bit = 1 << (signal.SIGTERM - 1)
    caught = [
        int(line.split()[1], 16)
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("SigCgt")
    ]
    return all(mask & bit for mask in caught)


def test_a_child_that_ends_unexpectedly_is_named(group: ProcessGroup) -> None:
    program = group.start("worker", [sys.executable, "-c", "raise SystemExit(3)"])
    program.process.wait()

    with pytest.raises(SetupError, match="worker ended unexpectedly"):
        group.raise_if_child_ended()


def test_a_step_that_fails_is_named(group: ProcessGroup) -> None:
    with pytest.raises(SetupError, match=r"setup failed \(exit code 4\)"):
        group.run("setup", [sys.executable, "-c", "raise SystemExit(4)"])


def test_waiting_for_a_program_that_never_answers_ends_with_a_sentence(group: ProcessGroup) -> None:
    with pytest.raises(SetupError, match="The web server did not answer"):
        group.wait_for("The web server", lambda: False, seconds=0.2)


def test_a_busy_port_gives_a_sentence_that_tells_how_to_choose_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        with pytest.raises(SetupError, match=f"Port {port} is not free: choose another one with PORT."):
            run._addresses()


@pytest.mark.parametrize("text", ["eighty", "0", "70000", "-1"])
def test_an_invalid_port_gives_a_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SIMULATOR_PORT", text)

    with pytest.raises(SetupError, match=f"SIMULATOR_PORT must be a port number, not '{text}'."):
        run._free_port("SIMULATOR_PORT", 9000)


def test_the_keys_of_a_demo_are_created_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"

    first, second = programs.load_or_create_secrets(path), programs.load_or_create_secrets(path)

    assert first == second
    assert first.keys() == {"SECRET_KEY", "ENCRYPTION_KEYS"}
    assert path.stat().st_mode & 0o077 == 0
