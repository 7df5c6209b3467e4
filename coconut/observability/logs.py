"""Log formatters, as text for people or as JSON, that mask secrets.

Secrets are masked in the message, its arguments, tracebacks and fields. Our own secrets are recognised by their value,
those of Microsoft and of visitors by their name or format.
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
# Words before a secret, as in `refresh_token=…`, and names of fields that hold only a secret.
_NAMES: Final = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|password|new_password1|new_password2|"
    "csrfmiddlewaretoken|coconut_session|coconut_csrf|coconut_device|manage_token|join_token|staff_join_token|secret_key|"
    "encryption_keys|login_hint_token"
)
_LINES: Final = "cookie|set-cookie|http_cookie|authorization|http_authorization|proxy-authorization"
_SECRET_FIELD: Final = re.compile(rf"(?:{_NAMES}|{_LINES}|token|tokens|cookies)", re.IGNORECASE)
# Patterns, each with substrings of which one must be in the text. Nearly all records contain none.
_MASKED: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = (
    # Tokens of private links and of links to set a password. Not files below appointments/ in a traceback.
    (
        ("/join/", "/appointments/", "/feeds/", "/meet/", "/password/", "/book/"),
        re.compile(
            r"(/(?:join|appointments|feeds|meet|password/(?:set|invitation)/[^/\s]+|book/[^/\s]+/booked)/)"
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
    # Password in the URL of a database or broker.
    (("://",), re.compile(r"(\w://[^:/@\s]*:)[^@/\s]+(?=@)")),
)
# Fields without input from outside.
_OWN_FIELDS: Final = frozenset(("time", "level", "logger"))
# Masking shorter secrets, as in tests, would hide ordinary words.
_SHORTEST_SECRET: Final = 8


def mask(text: str) -> str:
    """Return the text with tokens, codes, cookies, passwords and private links replaced by `***`."""
    for hints, pattern in _MASKED:
        if any(hint in text for hint in hints):
            text = pattern.sub(_REPLACED, text)
    return text


#: Characters beyond ASCII at which some programs split lines, with their JSON escapes.
_UNICODE_SEPARATORS: Final = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _in_one_line(text: str) -> str:
    """Escape control characters and line separators, so that text of visitors can't forge a record."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class _Mask:
    """Masks as `mask` does, and the installation's own secrets anywhere."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted((secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        return mask(self._known.sub(_HIDDEN, text) if self._known else text)

    def value(self, value: Any) -> Any:
        """Mask a field's value. An object becomes text first."""
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
    """Formats text for people. Masks the finished text, traceback included."""

    def __init__(self, fmt: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(fmt, defaults={"request_suffix": ""})
        self._mask = _Mask(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask.text(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        # Masked first: an escape before the name of a secret would hide the name.
        return _in_one_line(self._mask.text(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback, indented, so that text of visitors in it doesn't look like a record."""
        masked = self._mask.text(super().formatException(ei))
        return "\n".join(f"    {_in_one_line(line)}" for line in masked.split("\n"))


class JsonFormatter(BaseJsonFormatter):
    """Formats a JSON object per line: time (UTC), level, logger, message, and further fields.

    Further fields come from `log_context` and from `extra`. Objects such as Django's request are left out.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            reserved_attrs=[*RESERVED_ATTRS, "request", "server", "data", "request_suffix"],
            json_ensure_ascii=False,
        )
        self._mask = _Mask(secrets)

    def format(self, record: logging.LogRecord) -> str:
        # JSON itself escapes only the control characters of ASCII.
        return super().format(record).translate(_UNICODE_SEPARATORS)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in _OWN_FIELDS else self._mask.field(name, value) for name, value in log_data.items()
        }
