"""Map Entra's error responses to error kinds and messages with the remedy.

`error_table` decides by the number. The number is part of every message, because support asks for it. Entra's own text
is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.error_table import BUSY, ROWS, ROWS_BY_WORD, UNKNOWN, UNREACHABLE, Row
from integrations.teams.entra.messages import EntraMessage
from integrations.teams.http import LastResponse
from integrations.teams.messages import TeamsMessage

_NUMBER: Final = re.compile(r"AADSTS([0-9]{1,9})(?![0-9])")
_TRACE_ID: Final = re.compile(r"[0-9A-Za-z-]{1,100}")
# Used if Microsoft names no time. From memory: a detected client loop (50196) lasts a few minutes.
_PAUSE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Refusal:
    """Entra's error response: OAuth error code, AADSTS number (0 if missing), trace id for support.

    `status` is 0 if the error is in a callback's query. `retry_after` is in seconds.
    """

    error: str
    number: int = 0
    trace_id: str = ""
    status: int = 0
    retry_after: float | None = None

    @property
    def row(self) -> Row:
        """Return the row of the table. The status decides first, then the number, then the word."""
        if self.status == 429 or (self.status >= 500 and self.retry_after is not None):
            return BUSY
        if self.status >= 500:
            return UNREACHABLE
        return ROWS.get(self.number) or ROWS_BY_WORD.get(self.error, UNKNOWN)


def read_refusal(response: Mapping[str, Any], last: LastResponse | None = None) -> Refusal:
    """Read the body of an error response, or an error in the callback's query. `last` adds status and pause."""
    error, trace_id = response.get("error"), response.get("trace_id")
    numbers = list(_numbers(response))
    refusal = Refusal(
        error if isinstance(error, str) else "",
        # Microsoft may send several: an error and its cause.
        next((number for number in numbers if number in ROWS), numbers[0] if numbers else 0),
        trace_id if isinstance(trace_id, str) and _TRACE_ID.fullmatch(trace_id) else "",
    )
    return refusal if last is None else replace(refusal, status=last.status, retry_after=last.retry_after)


def _numbers(response: Mapping[str, Any]) -> Iterator[int]:
    codes = response.get("error_codes")
    for code in codes if isinstance(codes, list) else ():
        if type(code) is int and 0 < code < 10**9:
            yield code
    for found in _NUMBER.findall(str(response.get("error_description", ""))):
        yield int(found)


def unreachable(last: LastResponse | None = None, *, is_connecting: bool = True) -> PlatformError:
    """Return the error for a missing or unusable response. A later attempt may succeed."""
    last = last or LastResponse()
    refusal = Refusal("", status=last.status, retry_after=last.retry_after)
    return token_error(refusal, is_connecting=is_connecting)


def operator_error() -> PlatformError:
    """Return the error for app credentials that can't be read, which only the operator can fix."""
    return PlatformError(ErrorKind.OPERATOR, Message(EntraMessage.OUR_CREDENTIALS))


def token_error(refusal: Refusal, *, is_connecting: bool = False) -> PlatformError:
    """Return the error for a refused code, refresh or app token. `is_connecting`: an admin is signing in."""
    row = refusal.row
    sentence = Message(row.at_sign_in or row.sentence) if is_connecting else _with_next_step(row)
    return _error(refusal, sentence)


def callback_error(query: Mapping[str, Any]) -> PlatformError:
    """Return the error for a callback without a code. The query can be forged, so it only chooses a sentence."""
    refusal = read_refusal(query)
    if not refusal.error and not refusal.number:
        return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.SIGN_IN_FAILED))
    return unreported_error(refusal)


def unreported_error(refusal: Refusal) -> PlatformError:
    """Return the error of a sign-in that operators aren't notified of."""
    if refusal.row.kind == ErrorKind.OPERATOR:
        return _error(refusal, Message(EntraMessage.REGISTRATION_REFUSED))
    return token_error(refusal, is_connecting=True)


def numbered(sentence: Message, number: int) -> Message:
    """Return the sentence, followed by Microsoft's error code if there is one."""
    if not number:
        return sentence
    return Message(EntraMessage.WITH_NUMBER, {"sentence": sentence.as_json(), "number": f"AADSTS{number}"})


def _with_next_step(row: Row) -> Message:
    sentence = Message(row.sentence)
    return sentence if row.then is None else Message(row.then, {"sentence": sentence.as_json()})


def _error(refusal: Refusal, sentence: Message) -> PlatformError:
    kind = refusal.row.kind
    pause = refusal.retry_after
    if pause is None and kind == ErrorKind.THROTTLED:
        pause = _PAUSE_SECONDS
    message = numbered(sentence, refusal.number)
    return PlatformError(kind, message, request_id=refusal.trace_id, retry_after=pause)
