"""HTTP sessions for Microsoft: always with timeouts, and rerouted to the simulator if one is configured.

MSAL requires https authorities, so addresses stay Microsoft's own. If MICROSOFT_SIMULATOR_URL is set, an adapter
reroutes requests for Entra and Graph.
"""

from __future__ import annotations

import threading
import time
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


class Unreachable(Exception):
    """No usable response: no connection, a timeout, a 5xx, a 429, or a body that isn't a JSON object."""


def get_json(url: str, *, token: str = "") -> tuple[int, dict[str, Any]]:
    """GET a JSON document, with an access token if given. Return status and document.

    Raises Unreachable. Other error statuses are returned.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with new_session() as session:
            response = session.get(url, headers=headers, allow_redirects=False)
            document = response.json()
    except (requests.RequestException, HTTPError, ValueError, RecursionError) as error:
        # requests passes some errors of urllib3 and of the JSON parser on.
        raise Unreachable(f"{type(error).__name__} for {url}") from error
    if response.status_code == 429 or response.status_code >= 500 or not isinstance(document, dict):
        raise Unreachable(f"Status {response.status_code} for {url}")
    return response.status_code, document


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
    session = requests.Session()
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
