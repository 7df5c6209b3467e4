"""Fields of a fault's description: types, and sentences about invalid values."""

import re
from collections.abc import Callable
from typing import Any

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~\w-]+", re.ASCII)


class FieldError(ValueError):
    """A fault's description is invalid; the text is a sentence for the user."""


def parse_fields(description: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with valid values. Raises FieldError with a sentence for an unknown field or value."""
    unknown = description.keys() - PARSERS.keys()
    if unknown:
        raise FieldError(f"Unknown field {', '.join(sorted(unknown))}.")
    return {name: PARSERS[name](name, value) for name, value in description.items() if value is not None}


def parse_number(name: str, value: Any) -> int:
    """Return a number of requests, milliseconds or seconds. Forms send text."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FieldError(f"{name} must be a whole number, not {value!r}.")
    return value


def _parse_status(name: str, value: Any) -> int:
    status = parse_number(name, value)
    if not 200 <= status <= 599:
        raise FieldError(f"{name} must be between 200 and 599, not {status}.")
    return status


def _parse_service(name: str, value: Any) -> str:
    if value not in ("entra", "graph"):
        raise FieldError(f"{name} must be entra or graph.")
    return str(value)


def _parse_regex(name: str, value: Any) -> str:
    text = _parse_text(name, value)
    try:
        re.compile(text)
    except re.error as error:
        raise FieldError(f"{name}: {error}.") from error
    return text


def _parse_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError(f"{name} must be text, not {value!r}.")
    return value


def _parse_switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldError(f"{name} must be true or false, not {value!r}.")
    return value


def _parse_claims(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"{name} must be an object, not {value!r}.")
    return value


def _parse_names(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise FieldError(f"{name} must be a list of names, not {value!r}.")
    return value


def _parse_headers(name: str, value: Any) -> dict[str, str]:
    """Return headers from an object, or from the lines of a form: `Retry-After: 7`."""
    if isinstance(value, str):
        value = dict(_header_line(name, line) for line in value.splitlines() if line.strip())
    if not isinstance(value, dict):
        raise FieldError(f"{name} must be an object or lines such as “Retry-After: 7”, not {value!r}.")
    headers = {str(header): str(text) for header, text in value.items()}
    for header, text in headers.items():
        if not HEADER_NAME.fullmatch(header) or not (text.isascii() and text.isprintable()):
            raise FieldError(f"{header!r}: {text!r} isn't a header.")
    return headers


def _header_line(name: str, line: str) -> tuple[str, str]:
    header, separator, text = line.partition(":")
    if not separator:
        raise FieldError(f"{name} needs lines such as “Retry-After: 7”, not {line!r}.")
    return header.strip(), text.strip()


PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "service": _parse_service,
    "path": _parse_text,
    "regex": _parse_regex,
    "method": _parse_text,
    "count": parse_number,
    "ms": parse_number,
    "seconds": parse_number,
    "retry_after": parse_number,
    "status": _parse_status,
    "code": _parse_text,
    "number": parse_number,
    "message": _parse_text,
    "headers": _parse_headers,
    "body": _parse_text,
    "executed": _parse_switch,
    "claims": _parse_claims,
    "without": _parse_names,
    "bad_signature": _parse_switch,
}
