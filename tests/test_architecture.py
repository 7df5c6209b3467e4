"""Import contracts: the [tool.importlinter] section of pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).resolve().parent.parent
KINDS: dict[str, type[Contract]] = {
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
CONFIGURATION = read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS: dict[str, dict[str, Any]] = {options["id"]: options for options in CONFIGURATION["contracts_options"]}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """The import graph of the project and of external packages."""
    return grimp.build_graph(
        *CONFIGURATION["session_options"]["root_packages"], include_external_packages=True, cache_dir=None
    )


def is_kept(contract: str, imports: grimp.ImportGraph) -> bool:
    options = CONTRACTS[contract]
    checked = KINDS[options["type"]](
        name=options["name"], session_options=CONFIGURATION["session_options"], contract_options=options
    ).check(deepcopy(imports), verbose=False)
    return checked.kept


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_contract_is_kept(contract: str, imports: grimp.ImportGraph) -> None:
    assert is_kept(contract, imports), f"Run lint-imports --contract {contract} to see which import breaks it."


@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    [
        ("apps", "staff.models", "appointments.models"),
        ("apps", "integrations.models", "appointments.models"),
        ("platform", "integrations.models", "integrations.teams.models"),
        ("simulator-in", "integrations.models", "simulator.people"),
        ("simulator-out", "simulator.people", "staff.models"),
        ("demo", "staff.models", "demo.seed"),
        ("local-servers-in", "coconut.settings", "local_servers.servers"),
        ("local-servers-in", "appointments.models", "local_servers.postgres"),
        ("local-servers-out", "local_servers.servers", "coconut.settings"),
        ("local-servers-out", "local_servers.postgres", "demo.seed"),
        ("sign-in", "integrations.models", "msal"),
        ("http", "appointments.models", "requests"),
        ("integrations", "integrations.models.matches", "integrations.platforms.base"),
        ("integrations", "integrations.matching.people", "integrations.meetings.requests"),
        ("integrations", "integrations.circuit_breaker", "integrations.matching.rematch_runs"),
        ("teams", "integrations.teams.entra.sign_in", "integrations.teams.graph.client"),
        ("appointments", "appointments.models", "appointments.timeline"),
        ("appointments", "appointments.booking_rules.locks", "appointments.booking.book"),
    ],
)
def test_a_forbidden_import_would_be_noticed(
    contract: str, importer: str, imported: str, imports: grimp.ImportGraph
) -> None:
    changed = deepcopy(imports)
    changed.add_import(importer=importer, imported=imported)

    assert not is_kept(contract, changed)


NOT_IN_PRODUCTION = ("demo", "local_servers", "simulator")


def test_production_does_not_install_the_demo_the_local_servers_or_the_simulator() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from coconut.settings import INSTALLED_APPS; print(*INSTALLED_APPS)"],
        env={**os.environ, "DEMO": "false", "DEBUG": "false"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    installed = done.stdout.split()

    assert "appointments" in installed
    assert [app for app in installed if app.split(".")[0] in NOT_IN_PRODUCTION] == []


def test_the_docker_image_has_every_product_package_and_no_other() -> None:
    copied = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}

    packages = set(CONFIGURATION["session_options"]["root_packages"])

    assert packages & copied == packages - set(NOT_IN_PRODUCTION)


def test_every_package_has_a_line_in_the_architecture_page() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    packages = {
        folder.parent.relative_to(ROOT).as_posix()
        for root in CONFIGURATION["session_options"]["root_packages"]
        for folder in (ROOT / root).rglob("__init__.py")
        if folder.parent.name not in {"migrations", "commands"}
    }

    assert {package for package in packages if f"| `{package}/` |" not in page} == set()
