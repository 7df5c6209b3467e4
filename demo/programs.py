"""Command lines and environment of the programs of an installation."""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

BASE_DIR = Path(__file__).resolve().parent.parent

# The app registration that the simulated Microsoft knows from the start.
SIMULATED_CLIENT_ID = "c0c0a075-0365-4000-8000-00000000c0de"
SIMULATED_CLIENT_SECRET = "simulated-client-secret"


@dataclass(frozen=True)
class Addresses:
    """Local addresses of the web server and the simulated Microsoft."""

    web_port: int
    simulator_port: int

    @property
    def web(self) -> str:
        return f"http://localhost:{self.web_port}"

    @property
    def simulator(self) -> str:
        return f"http://localhost:{self.simulator_port}"


def simulated_environment(addresses: Addresses) -> dict[str, str]:
    """Return the environment of an installation that uses the simulated Microsoft."""
    return {
        "DJANGO_SETTINGS_MODULE": "coconut.settings",
        "PYTHONUNBUFFERED": "1",
        "DEBUG": "false",
        "DEMO": "true",
        "BASE_URL": addresses.web,
        "MICROSOFT_CLIENT_ID": SIMULATED_CLIENT_ID,
        "MICROSOFT_CLIENT_SECRET": SIMULATED_CLIENT_SECRET,
        "MICROSOFT_CLIENT_CERTIFICATE": "",
        "MICROSOFT_CLIENT_SECRET_EXPIRES": "",
        "MICROSOFT_CLOUD": "global",
        "MICROSOFT_SIMULATOR_URL": addresses.simulator,
    }


def web_command(addresses: Addresses) -> list[str]:
    """Return the command of the web server."""
    limits = ["--config", "python:coconut.gunicorn_conf", "--graceful-timeout", "10"]
    bind = ["--bind", f"127.0.0.1:{addresses.web_port}"]
    return [sys.executable, "-m", "gunicorn", "coconut.wsgi", *limits, *bind]


def worker_command(concurrency: int = 2) -> list[str]:
    """Return the command of the worker, which does not wait for other workers."""
    quiet = ["--without-gossip", "--without-mingle"]
    return [*_celery(), "worker", "--pool", "prefork", "--concurrency", str(concurrency), *quiet]


def beat_command(folder: Path) -> list[str]:
    """Return the command of beat, which keeps its schedule file in `folder`."""
    return [*_celery(), "beat", "--schedule", str(folder / "beat"), "--pidfile", ""]


def simulator_command(addresses: Addresses, state: Path | None = None) -> list[str]:
    """Return the command of the simulated Microsoft, which saves its state to `state`."""
    registration = ["--client-id", SIMULATED_CLIENT_ID, "--client-secret", SIMULATED_CLIENT_SECRET]
    memory = [] if state is None else ["--state", str(state)]
    port = ["--port", str(addresses.simulator_port)]
    return [sys.executable, "-m", "simulator", *port, *registration, *memory]


def prepare_command() -> list[str]:
    """Return the command that migrates and, in an empty database, creates the demo's organisations."""
    return [sys.executable, str(BASE_DIR / "manage.py"), "prepare_demo"]


def load_or_create_secrets(path: Path) -> dict[str, str]:
    """Return the keys of this demo, created at its first start: encrypted data must stay readable."""
    if not path.exists():
        keys = {"SECRET_KEY": secrets.token_urlsafe(50), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
        unfinished = path.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(keys))
        unfinished.rename(path)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def write_environment_file(path: Path, environment: dict[str, str]) -> None:
    """Write `environment` as a shell script, for `make demo-shell`."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}='{value}'\n" for name, value in sorted(environment.items())))


def inherited_environment() -> dict[str, str]:
    """Return our environment without email settings, so that the demo sends none, and with quieter logs."""
    kept = {name: value for name, value in os.environ.items() if name not in ("EMAIL_URL", "OPERATOR_EMAILS")}
    # Celery warns if root runs it; in a container, every process runs as root.
    return {"LOG_LEVEL": "WARNING", "PYTHONWARNINGS": "ignore:You're running the worker", **kept}


def _celery() -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "coconut", "--quiet"]
