"""Asking a platform's directory about some people."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.circuit_breaker import record_success
from integrations.models import Connection
from integrations.platforms.base import Directory
from integrations.platforms.values import DirectoryResult, MatchReason


def look_up(
    connection: Connection, directory: Directory, asked: Mapping[int, str]
) -> dict[str, DirectoryResult]:
    """An answer for each value; an empty field is answered without a call."""
    answers = {value: DirectoryResult(reason=MatchReason.FIELD_EMPTY) for value in asked.values()}
    user_names = [value for value in answers if value.strip()]
    if user_names:
        answers |= directory.find(user_names)
        record_success(connection.pk)
    return answers
