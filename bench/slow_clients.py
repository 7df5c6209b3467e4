"""Measure how fast pages are while clients send their requests slowly, without a proxy in front.

Opens connections that send one byte of a body every few seconds, many more than there are threads. Exits with 1 if a
budget is missed.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support.budgets import Budgets
from bench.support.installation import installation
from bench.support.load import HttpConnection, LoadResult
from tests.stack import Stack

SLOW_CLIENTS = 400
REQUESTS = 200
SECONDS_BETWEEN_BYTES = 3
PAGES = ("/healthz", "/sign-in/", "/book/maple/")
BUDGET_MS = 250


def main() -> None:
    """Measure each page without and with slow clients."""
    budgets = Budgets()
    with installation() as (stack, _servers):
        before = {page: measure(stack, page) for page in PAGES}
        with slow_clients(stack):
            for page in PAGES:
                after = measure(stack, page)
                print(f"{page}: p50 {before[page].p50:.1f} ms, with slow clients {after.p50:.1f} ms")
                budgets.judge(f"{page} with {SLOW_CLIENTS} slow clients, p95 ms", after.p95, at_most=BUDGET_MS)
    budgets.exit()


def measure(stack: Stack, page: str) -> LoadResult:
    """Request a page again and again over one connection."""
    connection = HttpConnection(stack.addresses.web_port)
    request = f"GET {page} HTTP/1.1\r\nHost: localhost:{stack.addresses.web_port}\r\n\r\n".encode()
    return LoadResult.of([connection.send(request) for _ in range(REQUESTS)], seconds=1)


@contextmanager
def slow_clients(stack: Stack) -> Iterator[None]:
    """Keep connections open that each send a byte every few seconds. Replace those that the server closes."""
    done = Event()
    with ExitStack() as opened:
        clients = [opened.enter_context(begin_post(stack)) for _ in range(SLOW_CLIENTS)]

        def trickle() -> None:
            while not done.wait(SECONDS_BETWEEN_BYTES):
                for position, client in enumerate(clients):
                    try:
                        client.sendall(b"a")
                    except OSError:
                        clients[position] = opened.enter_context(begin_post(stack))

        thread = Thread(target=trickle)
        thread.start()
        yield
        done.set()
        thread.join()


def begin_post(stack: Stack) -> socket.socket:
    """Send the head of a booking and one byte of its body."""
    client = socket.create_connection(("127.0.0.1", stack.addresses.web_port), timeout=10)
    head = f"POST /book/maple/ HTTP/1.1\r\nHost: localhost\r\nOrigin: {stack.url}\r\nContent-Length: 100000\r\n\r\na"
    client.sendall(head.encode())
    return client


if __name__ == "__main__":
    main()
