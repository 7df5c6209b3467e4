"""Lines for people, or for machines as JSON, and in neither of them a secret.

A secret is masked wherever it stands: in the message, its arguments, a traceback or a field of its own. Secrets of ours
are known by heart; Microsoft's and the visitors' are known by their names and their looks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter as BaseJsonFormatter

_HIDDEN: Final = "***"
_REPLACED: Final = rf"\1{_HIDDEN}"
# Words that stand before a secret, as in `refresh_token=…`, and the names of fields that hold nothing else.
_NAMES: Final = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|password|new_password1|new_password2|"
    "csrfmiddlewaretoken|coconut_session|coconut_csrf|coconut_device|manage_token|join_token|secret_key|"
    "encryption_keys|login_hint_token"
)
_LINES: Final = "cookie|set-cookie|http_cookie|authorization|http_authorization|proxy-authorization"
_SECRET_FIELD: Final = re.compile(rf"(?:{_NAMES}|{_LINES}|token|tokens|cookies)", re.IGNORECASE)
# What to look for, and what must be somewhere in the text for that to be worth while: nearly all lines hold nothing.
_MASKED: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = (
    # Join and manage tokens open an appointment to whoever holds them; the callback's query holds Microsoft's code.
    # So does the link that sets a password.
    # A file of the folder appointments/ in a traceback isn't such a link; tokens are longer than its folders' names.
    (
        ("/join/", "/appointments/", "/meet/", "/password/", "/book/"),
        re.compile(
            r"(/(?:join|appointments|meet|password/set/[^/\s]+|book/[^/\s]+/booked)/)"
            r"(?![a-z_]{1,20}(?:/\w+)*\.py\b)[A-Za-z0-9_:-]{8,}+"
        ),
    ),
    (("/callback/",), re.compile(r"(/callback/\?)\S+")),
    ((":", "="), re.compile(rf"(?i)\b((?:{_LINES})[\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+")),
    (("earer ", "EARER "), re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}")),
    # Microsoft's tokens are JSON Web Tokens.
    (("eyJ",), re.compile(r"()\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?")),
    (
        (":", "="),
        re.compile(
            rf"(?i)\b((?:{_NAMES})[\"']?\s*[:=]\s*[\"']?)"
            r"(?:(?<=\")[^\"]+|(?<=')[^']+|[^\s\"'&;,})\]]+)"
        ),
    ),
    (("ode", "ODE"), re.compile(r"(?i)(?<![\w-])(code[\"']?\s*[:=]\s*[\"']?)[\w.~%!*$-]{20,}")),
    # The password in the address of a database or broker.
    (("://",), re.compile(r"(\w://[^:/@\s]*:)[^@/\s]+(?=@)")),
)
# Fields that hold nothing from outside.
_OURS: Final = frozenset(("time", "level", "logger"))
# Shorter ones, as in tests, would hide ordinary words.
_SHORTEST_SECRET: Final = 8


def mask(text: str) -> str:
    """Return the text with tokens, codes, cookies, passwords and private links replaced by `***`."""
    for signs, pattern in _MASKED:
        if any(sign in text for sign in signs):
            text = pattern.sub(_REPLACED, text)
    return text


class _Mask:
    """`mask`, and the secrets of this installation whatever stands before them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(
            (secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True
        )
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        return mask(self._known.sub(_HIDDEN, text) if self._known else text)

    def value(self, value: Any) -> Any:
        """The same of anything that may be in a field; what is no plain value becomes text first."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(name): self.field(str(name), each) for name, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each) for each in value]
        return self.text(str(value))

    def field(self, name: str, value: Any) -> Any:
        return _HIDDEN if _SECRET_FIELD.fullmatch(name) else self.value(value)


class MaskingFormatter(logging.Formatter):
    """Lines for people: masks the finished line, whichever way its arguments were given, and the traceback."""

    def __init__(self, fmt: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(fmt, defaults={"of_request": ""})
        self._mask = _Mask(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask.text(super().format(record))


class JsonFormatter(BaseJsonFormatter):
    """One JSON object a line: time (UTC), level, logger, message, and the fields that are known.

    Known are what `coconut.log_context` adds and what a line brings along as `extra`; objects such as Django's request
    are no fields.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            reserved_attrs=[*RESERVED_ATTRS, "request", "server", "data", "of_request"],
            json_ensure_ascii=False,
        )
        self._mask = _Mask(secrets)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in _OURS else self._mask.field(name, value)
            for name, value in log_data.items()
        }
