"""A load generator of sockets and threads: it uses little CPU, as it shares the machine with the servers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

_HOST = "localhost"


@dataclass(frozen=True)
class Response:
    """An HTTP response and the milliseconds until it was complete."""

    status: int
    body: bytes
    milliseconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class LoadResult:
    """Latency percentiles in milliseconds, and responses per second."""

    p50: float
    p95: float
    rate: float

    @classmethod
    def of(cls, responses: Sequence[Response], seconds: float) -> LoadResult:
        times = sorted(response.milliseconds for response in responses)
        return cls(times[len(times) // 2], times[int(len(times) * 0.95)], len(responses) / seconds)


class HttpConnection:
    """A keep-alive connection that sends prepared requests."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> Response:
        """Send and wait for the whole response; try again once if the server has closed the connection."""
        started_at = perf_counter()
        try:
            head, body = self._send_once(request)
        except (ConnectionError, EOFError):
            self.close()
            head, body = self._send_once(request)
        milliseconds = (perf_counter() - started_at) * 1000
        if b"connection: close" in head.lower():
            self.close()
        return Response(int(head[9:12]), body, milliseconds)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_once(self, request: bytes) -> tuple[bytes, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        received = self._receive(self._socket)
        head, _, body = received.partition(b"\r\n\r\n")
        length = _length(head)
        while len(body) < length:
            body += self._receive(self._socket)
        return head, body

    @staticmethod
    def _receive(connection: socket.socket) -> bytes:
        received = connection.recv(262_144)
        if not received:
            raise EOFError
        return received


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.split(b"\r\n", 1)[0]) if after else 0


def request(
    method: str,
    path: str,
    body: Any = None,
    cookies: str = "",
    *,
    content_type: str = "application/json",
    **headers: str,
) -> bytes:
    """Return an HTTP request as bytes; `body` is sent as JSON, or as a form if the content type is another one."""
    as_text = json.dumps if content_type == "application/json" else urlencode
    content = b"" if body is None else as_text(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {_HOST}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Cookie: {cookies}"] if cookies else []
    lines += [f"Content-Type: {content_type}", f"Content-Length: {len(content)}"] if content else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def measure(port: int, clients: int, requests: Iterable[bytes], *, seconds: float) -> tuple[LoadResult, list[Response]]:
    """Send the requests from `clients` threads, which share them, until `seconds` have passed."""
    waiting = iter(requests)
    started_at = perf_counter()

    def visit(_number: int) -> list[Response]:
        connection, responses = HttpConnection(port), []
        while perf_counter() - started_at < seconds and (request_bytes := next(waiting, None)) is not None:
            responses.append(connection.send(request_bytes))
        connection.close()
        return responses

    with ThreadPoolExecutor(clients) as pool:
        responses = [response for some in pool.map(visit, range(clients)) for response in some]
    return LoadResult.of(responses, perf_counter() - started_at), responses


def all_at_once(port: int, requests: Sequence[bytes]) -> list[Response]:
    """Send all requests at the same moment, each on its own connection."""
    barrier = Barrier(len(requests))

    def visit(request_bytes: bytes) -> Response:
        connection = HttpConnection(port)
        barrier.wait()
        try:
            return connection.send(request_bytes)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(visit, requests))
