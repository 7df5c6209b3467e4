"""HTTP sessions for Microsoft: always with timeouts, and rerouted to the simulator if one is configured.

MSAL requires https authorities, so addresses stay Microsoft's own. If MICROSOFT_SIMULATOR_URL is set, an adapter
reroutes requests for Entra and Graph.
"""

from __future__ import annotations

import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

# A connection that was idle longer isn't reused: Microsoft may be closing it, and a write on a closing connection has
# an unknown outcome.
_MAX_IDLE_SECONDS: Final = 10.0

# Microsoft's national clouds (learn.microsoft.com/graph/deployments): (Entra, Graph).
CLOUDS: Final = {
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc_high": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}


def entra_url() -> str:
    """Return the sign-in URL of the configured cloud, without a trailing slash."""
    return CLOUDS[settings.MICROSOFT_CLOUD][0]


def graph_url() -> str:
    """Return Graph's URL of the configured cloud, without a trailing slash. It is also the prefix of scopes."""
    return CLOUDS[settings.MICROSOFT_CLOUD][1]


# Longer pauses are cut: one request per hour does no harm.
LONGEST_PAUSE_SECONDS: Final = 3600.0


@dataclass
class LastResponse:
    """The last response in a session: status (0 without one), JSON object, and what its headers say.

    `retry_after` is in seconds. `clock_offset` is Microsoft's clock minus ours.
    """

    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    clock_offset: timedelta | None = None

    def read(self, response: requests.Response) -> Any:
        """Take the values of a response, and return its JSON. Raises requests.RequestException for another body."""
        self.status, self.body = response.status_code, {}
        self.retry_after = retry_after(response.headers)
        self.clock_offset = _clock_offset(response.headers)
        try:
            document = response.json()
        except (ValueError, RecursionError) as error:
            # Such as a number of 5,000 digits, or lists that are nested too deeply.
            raise requests.exceptions.ContentDecodingError("The JSON can't be decoded.") from error
        self.body = document if isinstance(document, dict) else {}
        return document


class Unreachable(Exception):
    """No usable response: no connection, a timeout, a 5xx, a 429, or a body that isn't a JSON object.

    `request_id` is the client-request-id, by which Microsoft's support can find the request.
    """

    def __init__(self, reason: str, request_id: str, last: LastResponse) -> None:
        super().__init__(reason)
        self.request_id = request_id
        self.last = last


def get_document(url: str, *, token: str = "") -> LastResponse:
    """GET a JSON object, with an access token if given. Raises Unreachable. Other error statuses are returned."""
    request_id, last = str(uuid.uuid4()), LastResponse()
    headers = {"client-request-id": request_id} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with new_session() as session:
            document = last.read(session.get(url, headers=headers, allow_redirects=False))
    except (requests.RequestException, HTTPError) as error:
        raise Unreachable(f"{type(error).__name__} for {url}", request_id, last) from error
    if last.status == 429 or last.status >= 500 or not isinstance(document, dict):
        raise Unreachable(f"Status {last.status} for {url}", request_id, last)
    return last


def get_json(url: str, *, token: str = "") -> tuple[int, dict[str, Any]]:
    """Return status and JSON object of `get_document`. Raises Unreachable."""
    last = get_document(url, token=token)
    return last.status, last.body


def clean_text(value: object, limit: int) -> str:
    """Return a text that Microsoft sent for display, cut to `limit` and without control characters.

    Return "" for other values. PostgreSQL stores neither NUL nor half of a surrogate pair, and JSON may hold both.
    """
    text = value if isinstance(value, str) else ""
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs")).strip()[:limit]


def header(headers: object, name: str) -> str:
    """Return a header of a response or of a batch item, "" without one. `name` is in lower case."""
    if not isinstance(headers, Mapping):
        return ""
    return next((str(value) for key, value in headers.items() if str(key).lower() == name), "").strip()


def retry_after(headers: object) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110). None without one."""
    text = header(headers, "retry-after")
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    until = _parse_date(text)
    if until is None:
        return None
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE_SECONDS)


def _clock_offset(headers: Mapping[str, str]) -> timedelta | None:
    """Return Microsoft's clock minus ours, from the header Date. A cache that kept the response tells its Age."""
    date = _parse_date(headers.get("Date", ""))
    age = headers.get("Age", "0")
    if date is None or not re.fullmatch(r"[0-9]{1,9}", age):
        return None
    return date + timedelta(seconds=int(age)) - datetime.now(UTC)


def _parse_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class _ThreadSession(threading.local):
    """HTTP session of one thread, the simulator it leads to, and its last use. Sessions aren't thread-safe."""

    session: requests.Session | None = None
    simulator: str = ""
    used: float = 0.0


_cached = _ThreadSession()


def thread_session() -> requests.Session:
    """Return this thread's session, for one request. Requests in quick succession share a connection.

    Opening a connection takes as long as several responses.
    """
    now, simulator = time.monotonic(), settings.MICROSOFT_SIMULATOR_URL
    if _cached.session is None or now - _cached.used > _MAX_IDLE_SECONDS or _cached.simulator != simulator:
        if _cached.session is not None:
            _cached.session.close()
        _cached.session, _cached.simulator = new_session(), simulator
    _cached.used = now
    return _cached.session


def new_session() -> requests.Session:
    """Return a session with timeouts, without retries and cookies, rerouted to the simulator if one is configured."""
    session = _Session()
    # The next request may concern another organisation's tenant.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "Coconut/1.0"
    adapter: HTTPAdapter = _TimeoutAdapter()
    if settings.MICROSOFT_SIMULATOR_URL:
        # REQUESTS_CA_BUNDLE and proxy variables don't apply to a process on this machine.
        session.trust_env = False
        adapter = _SimulatorAdapter(settings.MICROSOFT_SIMULATOR_URL)
    session.mount("https://", adapter)
    return session


def watched_session(is_usable: Callable[[object], bool]) -> tuple[requests.Session, LastResponse]:
    """Return a session for MSAL, and its last response, whose headers MSAL hides.

    Raises requests.RequestException instead of returning a response whose JSON isn't usable. MSAL would read it.
    Redirects are refused too, because MSAL would repeat the credentials at another address.
    """
    session, last = new_session(), LastResponse()

    def watch(response: requests.Response, *args: Any, **kwargs: Any) -> None:
        document = last.read(response)
        if response.is_redirect or not is_usable(document):
            raise requests.exceptions.ContentDecodingError("The response has an unknown shape.")

    session.hooks["response"].append(watch)
    return session, last


class _Session(requests.Session):
    """Session that follows no redirect. requests would parse a malformed `Location` and raise ValueError."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _TimeoutAdapter(HTTPAdapter):
    """Set timeouts. requests has no default timeout, and MSAL sets none."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (
            settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS,
            settings.MICROSOFT_READ_TIMEOUT_SECONDS,
        )
        return super().send(request, *args, **kwargs)


class _SimulatorAdapter(_TimeoutAdapter):
    """Reroute requests for Entra and Graph to `base`."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = request.url or ""
        for host in (entra_url(), graph_url()):
            if url.startswith(host + "/"):
                request.url = self._base + url.removeprefix(host)
        return super().send(request, *args, **kwargs)
