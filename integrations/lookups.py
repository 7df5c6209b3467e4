"""Asking a platform's directory about some people, and heeding what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connections import pause, record_success
from integrations.models import Connection
from integrations.platforms import Directory, DirectoryAnswer, ErrorKind, MatchReason, PlatformError
from integrations.rematch_claims import growing_pause


def look_up(
    connection: Connection, directory: Directory, asked: Mapping[int, str]
) -> dict[str, DirectoryAnswer]:
    """An answer for each value; an empty field is answered without a call."""
    answers = {value: DirectoryAnswer(reason=MatchReason.FIELD_EMPTY) for value in asked.values()}
    user_names = [value for value in answers if value.strip()]
    if user_names:
        answers |= directory.find(user_names)
        record_success(connection.pk)
    return answers


def heed(connection: Connection, error: PlatformError) -> None:
    """A pause is for everybody.

    That a sign-in is dead was noted by the platform already, which knows which one it was: one that was renewed
    meanwhile is not called dead.
    """
    if error.kind == ErrorKind.THROTTLED:
        pause(connection.pk, error.retry_after or growing_pause(0))
