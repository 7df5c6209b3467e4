from collections.abc import Iterator

import pytest

from integrations import platforms
from tests.integrations.fake_platform import FakePlatform


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    """A platform in memory in the place of Microsoft Teams."""
    fake = FakePlatform()
    before = dict(platforms._platforms)
    platforms.register(fake)
    yield fake
    platforms._platforms.clear()
    platforms._platforms.update(before)
