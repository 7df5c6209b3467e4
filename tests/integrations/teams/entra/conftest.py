"""Microsoft's token endpoint for this folder."""

from collections.abc import Iterator

import pytest
import responses

from tests.integrations.teams.entra.token_endpoint import microsoft


@pytest.fixture
def entra() -> Iterator[responses.RequestsMock]:
    with microsoft() as mock:
        yield mock
