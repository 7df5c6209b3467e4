"""Secrets in addresses stay out of the logs."""

from __future__ import annotations

import pytest

from coconut.logs import mask


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("GET /join/AbCdEf012345/ 302", "GET /join/***/ 302"),
        ("GET /password/set/MQ/cx1a2b-0123456789abcdef/ 302", "GET /password/set/MQ/***/ 302"),
        ("GET /staff/12/hours/ 200", "GET /staff/12/hours/ 200"),
    ],
)
def test_tokens_are_masked(line, masked):
    assert mask(line) == masked
