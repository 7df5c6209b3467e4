"""Fixtures: one simulator process for this folder, reset before every test.

The process serves the whole test session.
"""

from collections.abc import Iterator

import pytest

from tests.simulator.client import Simulator


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    simulator = Simulator()
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    running_simulator.control("reset")
    return running_simulator
