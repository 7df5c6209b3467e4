"""Run the whole installation in the foreground: `python -m demo.run`, or `manage.py demo` with DEMO=true."""

from __future__ import annotations

import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from types import FrameType

import environ
from celery import current_app
from kombu.exceptions import OperationalError

from coconut.local_urls import socket_dir
from demo import programs
from demo.log_relay import say
from demo.logins import OPERATOR, ready_text
from demo.process_group import ProcessGroup
from demo.programs import BASE_DIR, Addresses
from local_servers.processes import SetupError
from local_servers.servers import private_servers

DATA_DIR = BASE_DIR / ".local"
# Longer than a task's time limit, so that the worker can finish its task.
WORKER_STOP_TIMEOUT = 80


def main() -> int:
    """Run the demo until Ctrl-C, SIGTERM or the end of the parent process. Return the exit code."""
    parent = os.getppid()
    environ.Env.read_env(BASE_DIR / ".env")
    with _signals_as_interrupts():
        try:
            return _run(_addresses(), parent)
        except SetupError as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            say("Stopped.")
            return 0


def _run(addresses: Addresses, parent: int) -> int:
    state_dir = DATA_DIR / "demo"
    with ExitStack() as stack:
        servers = stack.enter_context(
            private_servers(
                DATA_DIR,
                sockets=socket_dir(BASE_DIR),
                durable=True,
                database="DATABASE_URL" not in os.environ,
                broker="CELERY_BROKER_URL" not in os.environ,
            )
        )
        state_dir.mkdir(exist_ok=True)
        environment = _environment(addresses, servers.environment, state_dir)
        group = ProcessGroup(environment, BASE_DIR)
        stack.callback(group.stop)
        try:
            _start(group, addresses, state_dir)
            say(ready_text(addresses.web, addresses.simulator))
            while os.getppid() == parent:
                group.raise_if_child_ended()
                sleep(0.3)
        except SetupError as error:
            # Printed before the children are stopped, which may take a while.
            say(str(error))
            return 1
    return 0


def _start(group: ProcessGroup, addresses: Addresses, state_dir: Path) -> None:
    (state_dir / "beat").unlink(missing_ok=True)
    group.start("simulator", programs.simulator_command(addresses, state_dir / "simulator.json"))
    # Web and worker load while the database is migrated: they get no requests or tasks before beat starts.
    group.start("web", programs.web_command(addresses))
    # SIGKILL, because the broker dies at the same time, and on SIGTERM the worker would wait for it.
    group.start("worker", programs.worker_command(), timeout=WORKER_STOP_TIMEOUT, death_signal=signal.SIGKILL)
    group.run("setup", programs.prepare_command())
    group.start("beat", programs.beat_command(state_dir))
    group.wait_for("The simulated Microsoft", lambda: _answers(addresses.simulator), seconds=60)
    group.wait_for("The web server", lambda: _answers(f"{addresses.web}/readyz"), seconds=60)
    group.wait_for("The worker", _worker_answers, seconds=60)


def _environment(addresses: Addresses, servers: dict[str, str], state_dir: Path) -> dict[str, str]:
    """Return the children's environment; a server address in our own environment takes precedence."""
    demo = {
        **programs.simulated_environment(addresses),
        **programs.load_or_create_secrets(state_dir / "secrets.json"),
        "OPERATOR_EMAILS": OPERATOR,
    }
    outside = {name: os.environ[name] for name in servers if name in os.environ}
    programs.write_environment_file(state_dir / "environment", {**demo, **servers, **outside})
    return {**programs.inherited_environment(), **demo, **servers, **outside}


def _addresses() -> Addresses:
    """Read PORT and SIMULATOR_PORT. Raises `SetupError` if a port isn't a number or isn't free."""
    return Addresses(_free_port("PORT", 8000), _free_port("SIMULATOR_PORT", 9000))


def _free_port(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SetupError(f"{variable} must be a port number, not {text!r}.")
    with socket.socket() as probe:
        # As the servers do: a port with connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            raise SetupError(f"Port {text} is not free: choose another one with {variable}.") from None
    return int(text)


def _answers(url: str) -> bool:
    # Do not use a proxy for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _worker_answers() -> bool:
    try:
        return bool(current_app.control.ping(timeout=0.5))
    except OperationalError:
        return False


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Make SIGTERM stop everything in order, as Ctrl-C does; a second Ctrl-C stops waiting."""
    stopping = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        # `make` forwards a SIGTERM that this process also got itself.
        if stopping and number == signal.SIGTERM:
            return
        stopping = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
