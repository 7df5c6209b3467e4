"""The web server receives whole requests before a thread works on them. Real gunicorn, real sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coconut import gunicorn_conf
from coconut.web.waitress_worker import REQUEST_SECONDS, close_late_connections
from demo.programs import BASE_DIR
from local_servers.processes import kill_session, start_child, wait_until

# Each worker has eight threads, and here is one worker.
MANY = gunicorn_conf.threads * 8


class Server:
    """A running gunicorn with one worker and the product's configuration."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.log = folder / "log"
        command = [sys.executable, "-m", "gunicorn", "tests.coconut.web.echo_app", "--workers", "1"]
        command += ["--config", "python:coconut.gunicorn_conf", "--bind", f"127.0.0.1:{self.port}"]
        environment = {**os.environ, "LOG_FORMAT": "line", "PROMETHEUS_MULTIPROC_DIR": str(folder / "counters")}
        with self.log.open("wb") as log:
            self.process: subprocess.Popen[bytes] = start_child(
                command, output=log, environment=environment, cwd=BASE_DIR
            )
        assert wait_until(self.is_open, seconds=60)

    def is_open(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        return client

    def exchange(self, request: bytes) -> bytes:
        """Send a request and return everything until the server closes the connection."""
        with self.connect() as client:
            client.sendall(request)
            return _until_closed(client)


def _until_closed(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("web"))
    yield running
    kill_session(running.process)


@pytest.fixture
def open_connections() -> Iterator[ExitStack]:
    with ExitStack() as connections:
        yield connections


GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Le",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\na",
    ],
    ids=["nothing", "request line", "headers", "body", "chunked body"],
)
def test_clients_that_do_not_finish_their_requests_stop_no_other(
    server: Server, open_connections: ExitStack, begun: bytes
) -> None:
    for _ in range(MANY):
        open_connections.enter_context(server.connect()).sendall(begun)

    assert server.exchange(GET).endswith(b"\r\n\r\nGET ")


def test_clients_that_do_not_read_their_responses_stop_no_other(server: Server, open_connections: ExitStack) -> None:
    for _ in range(MANY):
        client = open_connections.enter_context(server.connect(receive_buffer=4096))
        client.sendall(GET.replace(b"/ ", b"/large ", 1))

    assert server.exchange(GET).endswith(b"\r\n\r\nGET ")


def test_a_body_that_arrives_in_pieces_is_complete(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n12345")
        time.sleep(0.1)
        client.sendall(b"67890")

        assert _until_closed(client).endswith(b"\r\n\r\nPOST 1234567890")


def test_a_chunked_body_is_decoded(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert server.exchange(head + b"5\r\n12345\r\n1\r\n6\r\n0\r\n\r\n").endswith(b"\r\n\r\nPOST 123456")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 0x5",
        b"Content-Length: 5, 5",
        b"Content-Length : 5",
        b"X: a\nContent-Length: 5",
        b"X: a\x00b",
    ],
)
def test_ambiguous_requests_are_refused_and_their_connections_closed(server: Server, headers: bytes) -> None:
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    answer = server.exchange(b"POST / HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\n" + smuggled)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ", b"HTTP/1.0 400 "))
    assert answer.count(b"HTTP/1.") == 1


def test_an_old_protocol_has_no_chunked_bodies(server: Server) -> None:
    head = b"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = server.exchange(head + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.0 400 ")


def test_a_header_with_an_underscore_cannot_pose_as_another_one(server: Server) -> None:
    answer = server.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent_Length: 5\r\n\r\n12345")

    assert b"12345" not in answer


def test_a_body_over_the_limit_is_refused_before_it_is_received(server: Server) -> None:
    answer = server.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_every_request_is_logged_once(server: Server) -> None:
    server.exchange(GET.replace(b"/ ", b"/logged ", 1))
    server.exchange(b"unreadable\r\n\r\n")

    assert wait_until(lambda: "- - 400 in" in server.log.read_text(), seconds=60)
    assert server.log.read_text().count("GET /logged 200 in") == 1


def test_a_stopping_server_finishes_open_requests_and_accepts_no_new_ones(tmp_path: Path) -> None:
    stopping = Server(tmp_path)
    with stopping.connect() as client:
        client.sendall(GET.replace(b"/ ", b"/slow ", 1))
        time.sleep(0.3)
        stopping.process.send_signal(signal.SIGTERM)

        assert _until_closed(client).endswith(b"\r\n\r\nGET ")
    assert stopping.process.wait(timeout=60) == 0


def channel(receiving_since: float | None, *, last_activity: float = 100.0, is_busy: bool = False) -> Any:
    """A connection. With None, it is idle or busy, and otherwise it is sending a request."""
    return SimpleNamespace(
        receiving_since=receiving_since,
        last_activity=last_activity,
        requests=[object()] if is_busy else [],
        total_outbufs_len=0,
        will_close=False,
    )


def test_a_connection_is_closed_if_its_request_is_not_complete_in_time() -> None:
    late, in_time, idle = channel(99.0), channel(100.0), channel(None)

    close_late_connections([late, in_time, idle], now=100.0 + REQUEST_SECONDS, limit=800)

    assert [each.will_close for each in (late, in_time, idle)] == [True, False, False]


def test_if_connections_run_short_the_oldest_unfinished_requests_go_first() -> None:
    channels = [channel(None, is_busy=True), *(channel(100.0 + second) for second in (3, 1, 2))]

    close_late_connections(channels, now=104.0, limit=4)

    assert [each.will_close for each in channels] == [False, False, True, False]


def test_if_connections_run_short_idle_ones_make_room_for_new_visitors() -> None:
    idle = [channel(None, last_activity=50.0 + second) for second in range(4)]
    new = channel(104.0)

    close_late_connections([new, *idle], now=104.0, limit=4)

    assert [each.will_close for each in (new, *idle)] == [False, True, True, False, False]
