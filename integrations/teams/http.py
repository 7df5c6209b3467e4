"""The session that everything meant for Microsoft goes through: never without a timeout, and reroutable.

MSAL insists on https authorities, so addresses stay Microsoft's own; where MICROSOFT_SIMULATOR_URL is set, an
adapter sends what is meant for Entra and Graph there instead.
"""

from __future__ import annotations

import threading
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

# An open connection that has rested for so long, in seconds, is not used again: Microsoft may be closing it at this
# moment, and of a write that meets the end of a connection nobody knows what became.
_LONGEST_REST: Final = 10.0

# Microsoft's national clouds (learn.microsoft.com/graph/deployments): (Entra, Graph).
CLOUDS: Final = {
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc_high": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}


def entra_url() -> str:
    """The sign-in host of the configured cloud, without a slash at its end."""
    return CLOUDS[settings.MICROSOFT_CLOUD][0]


def graph_url() -> str:
    """Graph's host of the configured cloud, without a slash at its end; scopes are prefixed with it."""
    return CLOUDS[settings.MICROSOFT_CLOUD][1]


class Unreachable(Exception):
    """Microsoft gave no usable answer: no connection, too late, a 5xx, a 429, or something that is no JSON object."""


def get_json(url: str, *, token: str = "") -> tuple[int, dict[str, Any]]:
    """GET one of Microsoft's documents, with an access token where one is needed: (status, document).

    Raises Unreachable; any other refusal of Microsoft's is an answer.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with new_session() as session:
            response = session.get(url, headers=headers, allow_redirects=False)
            document = response.json()
    except requests.RequestException as error:
        raise Unreachable(f"{type(error).__name__} for {url}") from error
    if response.status_code == 429 or response.status_code >= 500 or not isinstance(document, dict):
        raise Unreachable(f"Status {response.status_code} for {url}")
    return response.status_code, document


class _Kept(threading.local):
    """A thread's session, where it leads to, and when it was last asked for."""

    session: requests.Session | None = None
    simulator: str = ""
    used: float = 0.0


_kept = _Kept()


def kept_session() -> requests.Session:
    """This thread's session, for one request: those that follow each other closely share a connection.

    To open one takes as long as several answers.
    """
    now, simulator = time.monotonic(), settings.MICROSOFT_SIMULATOR_URL
    if _kept.session is None or now - _kept.used > _LONGEST_REST or _kept.simulator != simulator:
        if _kept.session is not None:
            _kept.session.close()
        _kept.session, _kept.simulator = new_session(), simulator
    _kept.used = now
    return _kept.session


def new_session() -> requests.Session:
    """A session with timeouts, no retries, no redirects to elsewhere, and the simulated Microsoft where one is set."""
    session = requests.Session()
    # Whoever is asked for next may be another organisation's tenant.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "Coconut/1.0"
    adapter: HTTPAdapter = _TimeLimited()
    if settings.MICROSOFT_SIMULATOR_URL:
        # REQUESTS_CA_BUNDLE and proxies of the environment are not for a process on this machine.
        session.trust_env = False
        adapter = _Rerouted(settings.MICROSOFT_SIMULATOR_URL)
    session.mount("https://", adapter)
    return session


class _TimeLimited(HTTPAdapter):
    """requests waits for ever unless told otherwise, and MSAL does not tell it."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (
            settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS,
            settings.MICROSOFT_READ_TIMEOUT_SECONDS,
        )
        return super().send(request, *args, **kwargs)


class _Rerouted(_TimeLimited):
    """Sends what is meant for Entra and Graph to `base`."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = request.url or ""
        for host in (entra_url(), graph_url()):
            if url.startswith(host + "/"):
                request.url = self._base + url.removeprefix(host)
        return super().send(request, *args, **kwargs)
