"""A load generator that costs next to nothing, as it shares the machine with what it measures: sockets and threads."""

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
class Answer:
    """What came back, and how long that took in milliseconds."""

    status: int
    body: bytes
    took: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Figures:
    """How a run went; milliseconds, and answers a second."""

    p50: float
    p95: float
    rate: float

    @classmethod
    def of(cls, answers: Sequence[Answer], seconds: float) -> Figures:
        times = sorted(answer.took for answer in answers)
        return cls(times[len(times) // 2], times[int(len(times) * 0.95)], len(answers) / seconds)


class Line:
    """One visitor's connection, kept open; what is asked for is bytes that were made before."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> Answer:
        """Send and wait for the whole answer; once more where the server had closed the connection meanwhile."""
        begun = perf_counter()
        try:
            head, body = self._exchange(request)
        except (ConnectionError, EOFError):
            self.close()
            head, body = self._exchange(request)
        took = (perf_counter() - begun) * 1000
        if b"connection: close" in head.lower():
            self.close()
        return Answer(int(head[9:12]), body, took)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
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
    """An HTTP request as bytes; `body` is sent as JSON, or as a form where the content type says so."""
    as_text = json.dumps if content_type == "application/json" else urlencode
    content = b"" if body is None else as_text(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {_HOST}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Cookie: {cookies}"] if cookies else []
    lines += [f"Content-Type: {content_type}", f"Content-Length: {len(content)}"] if content else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def measure(
    port: int, clients: int, requests: Iterable[bytes], *, seconds: float
) -> tuple[Figures, list[Answer]]:
    """Have so many clients ask one request after the other for so long; requests are shared out among them."""
    waiting = iter(requests)
    begun = perf_counter()

    def visit(_number: int) -> list[Answer]:
        line, answers = Line(port), []
        while perf_counter() - begun < seconds and (asked := next(waiting, None)) is not None:
            answers.append(line.ask(asked))
        line.close()
        return answers

    with ThreadPoolExecutor(clients) as pool:
        answers = [answer for some in pool.map(visit, range(clients)) for answer in some]
    return Figures.of(answers, perf_counter() - begun), answers


def all_at_once(port: int, requests: Sequence[bytes]) -> list[Answer]:
    """Every request on a connection of its own, sent at the same moment."""
    barrier = Barrier(len(requests))

    def visit(asked: bytes) -> Answer:
        line = Line(port)
        barrier.wait()
        try:
            return line.ask(asked)
        finally:
            line.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(visit, requests))
