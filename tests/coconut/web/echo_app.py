"""A WSGI application for tests of the web server: tells what it received, and makes large or slow responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `/large` with 8 MB, `/slow` after a second, and other paths with the method and the body."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    answer = b"a" * 8_000_000 if environ["PATH_INFO"] == "/large" else environ["REQUEST_METHOD"].encode() + b" " + body
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
