"""A gunicorn worker that runs waitress: slow clients hold a connection, never a thread.

gunicorn's own thread worker reads a body in the thread of the request. A few slow clients therefore stop it.
Waitress receives whole requests and sends responses in one loop, and its threads only run the application. gunicorn
still starts, restarts and stops the processes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask

from coconut.web.body_limits import LARGEST_BODY

#: Seconds in which a client must send a whole request, headers and body.
REQUEST_SECONDS: Final = 20
#: Seconds for which a stopping worker keeps idle connections, on which a proxy may be sending a request.
_LINGER_SECONDS: Final = 2
_LOOP_SECONDS: Final = 0.5
_LENGTH_HEADER: Final = re.compile(rb"^(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE | re.MULTILINE)

Environ = dict[str, Any]
AccessLog = Callable[[str, Mapping[str, Any], float], None]


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a request whose length a proxy could read in another way (RFC 9112, sections 6.1 and 6.3)."""

    def parse_header(self, header_plus: bytes) -> None:
        if len(_LENGTH_HEADER.findall(header_plus)) > 1:
            raise ParsingError("More than one message length")
        super().parse_header(header_plus)
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Transfer-Encoding needs HTTP/1.1")


class LoggedErrorTask(ErrorTask):  # type: ignore[misc]
    """Logs a request that waitress could not read."""

    def execute(self) -> None:
        super().execute()
        self.channel.log_access(self.status, {}, self.start_time)


class DeadlineChannel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when its client has been sending the current request."""

    parser_class = StrictParser
    error_task_class = LoggedErrorTask
    log_access: AccessLog

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # A new connection must send a request at once. Only later may it stay idle.
        self.receiving_since: float | None = self.creation_time

    def received(self, data: bytes) -> bool:
        if self.receiving_since is None:
            self.receiving_since = time.time()
        accepted = bool(super().received(data))
        if self.request is None:
            self.receiving_since = None
        return accepted


class LoggedApplication:
    """Logs each request to a WSGI application, before the response is closed and its log context is gone."""

    def __init__(self, application: Callable[..., Iterable[bytes]], log_access: AccessLog) -> None:
        self.application = application
        self.log_access = log_access

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        started_at, statuses = time.time(), ["500 Internal Server Error"]

        def start_logged_response(status: str, *args: Any) -> Any:
            statuses.append(status)
            return start_response(status, *args)

        response = self.application(environ, start_logged_response)
        return _LoggedResponse(response, lambda: self.log_access(statuses[-1], environ, started_at))


class _LoggedResponse:
    """A WSGI response that calls `log` once when it is closed."""

    def __init__(self, response: Iterable[bytes], log: Callable[[], None]) -> None:
        self._response = response
        self._log = log

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        try:
            self._log()
        finally:
            getattr(self._response, "close", lambda: None)()


class WaitressWorker(Worker):  # type: ignore[misc]
    """Serves gunicorn's sockets with waitress until gunicorn stops it."""

    def run(self) -> None:
        # Waitress registers its listeners and connections here.
        self.connections: dict[int, Any] = {}
        server = self._create_server()
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._run_loop_once()
            close_late_connections(self._channels(), time.time(), self.cfg.worker_connections)
        self._stop_accepting()
        self._finish_requests()
        server.task_dispatcher.shutdown(timeout=0)

    def _create_server(self) -> Any:
        channel_class = type("Channel", (DeadlineChannel,), {"log_access": staticmethod(self._log_access)})
        server = create_server(
            LoggedApplication(self.wsgi, self._log_access),
            map=self.connections,
            sockets=[listener.sock for listener in self.sockets],
            threads=self.cfg.threads,
            channel_timeout=self.cfg.keepalive,
            cleanup_interval=1,
            connection_limit=self.cfg.worker_connections,
            asyncore_use_poll=True,
            # The middleware answers with a page. A larger body is refused without being received.
            max_request_body_size=LARGEST_BODY + 1024**2,
            max_request_header_size=64 * 1024,
            # `coconut.rate_limits` and Django read X-Forwarded-For and X-Forwarded-Proto, if TRUSTED_PROXIES allows it.
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
            ident=None,
        )
        for listener in self._listeners():
            listener.channel_class = channel_class
        return server

    def _log_access(self, status: str, environ: Mapping[str, Any], started_at: float) -> None:
        duration = timedelta(seconds=time.time() - started_at)
        self.log.access(SimpleNamespace(status=status), None, environ, duration)

    def _channels(self) -> list[DeadlineChannel]:
        return [entry for entry in self.connections.values() if isinstance(entry, DeadlineChannel)]

    def _listeners(self) -> list[Any]:
        return [entry for entry in self.connections.values() if hasattr(entry, "channel_class")]

    def _run_loop_once(self) -> None:
        wasyncore.loop(timeout=_LOOP_SECONDS, use_poll=True, map=self.connections, count=1)

    def _stop_accepting(self) -> None:
        for listener in self._listeners():
            listener.accepting = False

    def _finish_requests(self) -> None:
        """Answer the open requests, for at most gunicorn's graceful timeout."""
        stopped_at = time.time()
        while time.time() < stopped_at + self.cfg.graceful_timeout:
            self.notify()
            channels = self._channels()
            if time.time() > stopped_at + _LINGER_SECONDS:
                channels = [channel for channel in channels if is_busy(channel)]
            if not channels:
                return
            self._run_loop_once()


def is_busy(channel: DeadlineChannel) -> bool:
    """Return whether a request is being received or answered on this connection."""
    return bool(channel.request or channel.requests or channel.total_outbufs_len)


def close_late_connections(channels: Iterable[DeadlineChannel], now: float, limit: int) -> None:
    """Close connections whose request is late.

    If there are nearly `limit`, close others too: first the idle ones, then those that have been sending for longest.
    """
    channels = list(channels)
    waiting = [channel for channel in channels if not (channel.requests or channel.total_outbufs_len)]
    waiting.sort(key=lambda channel: (channel.receiving_since is not None, _waiting_since(channel)))
    surplus = len(channels) - limit * 3 // 4
    for position, channel in enumerate(waiting):
        is_late = channel.receiving_since is not None and now - channel.receiving_since > REQUEST_SECONDS
        if position < surplus or is_late:
            channel.will_close = True


def _waiting_since(channel: DeadlineChannel) -> float:
    return float(channel.last_activity if channel.receiving_since is None else channel.receiving_since)
