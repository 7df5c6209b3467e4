"""Test client of the simulator: a process with Graph, Entra and control API, and a browser.

`Browser` follows sign-in and consent pages without JavaScript.
"""

import base64
import hashlib
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from simulator.app_registration import CALLBACK_PATH, CLIENT_ID, CLIENT_SECRET, GRAPH_HOST
from simulator.people import CONTOSO_ID

CALLBACK = f"http://localhost:8000{CALLBACK_PATH}"
VERIFIER = "a-code-verifier-of-at-least-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SCOPE = " ".join(
    [
        f"{GRAPH_HOST}/User.Read",
        f"{GRAPH_HOST}/User.ReadBasic.All",
        f"{GRAPH_HOST}/OnlineMeetings.ReadWrite",
        "openid",
        "profile",
        "offline_access",
    ]
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plain_session() -> requests.Session:
    """Return a session that ignores proxy and certificate variables of the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


class Simulator:
    """A simulator process, started on a free port."""

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = plain_session()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--port", str(self.port), *arguments],
            cwd=Path(__file__).resolve().parents[2],
        )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Wait for a minute: a busy machine may need a quarter of it."""
        for _ in range(1200):
            try:
                self.http.get(f"{self.url}/_control/requests", timeout=5)
            except requests.ConnectionError:
                if self.process.poll() is not None:
                    raise RuntimeError("The simulator ended while starting.") from None
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("The simulator did not start.")

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        return self.process.wait(timeout=10)

    def control(self, control_name: str, **data: Any) -> dict[str, Any]:
        response = self.http.post(f"{self.url}/_control/{control_name}", json=data, timeout=30)
        body: dict[str, Any] = response.json()
        assert response.status_code == 200, body
        return body

    def state(self, only: str) -> Any:
        return self.http.get(f"{self.url}/_control/state", params={"only": only}, timeout=10).json()[only]

    def person(self, upn: str) -> dict[str, Any]:
        found: dict[str, Any] = next(person for person in self.state("people") if person["upn"] == upn)
        return found

    def user_token(self, upn: str, *scopes: str) -> str:
        data = {"scopes": list(scopes)} if scopes else {}
        return str(self.control("token", user=upn, **data)["access_token"])

    def app_token(self, *roles: str) -> str:
        roles = roles or ("OnlineMeetings.ReadWrite.All", "User.Read.All")
        return str(self.control("token", roles=list(roles))["access_token"])

    def graph(self, token: str, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.http.request(
            method, f"{self.url}/v1.0{path}", headers=headers, timeout=options.pop("timeout", 10), **options
        )

    def token(self, tenant: str = CONTOSO_ID, **form: str) -> requests.Response:
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        return self.http.post(f"{self.url}/{tenant}/oauth2/v2.0/token", data=form, timeout=10)

    def app_only(self, tenant: str = CONTOSO_ID, **form: str) -> requests.Response:
        defaults = {"grant_type": "client_credentials", "scope": f"{GRAPH_HOST}/.default"}
        return self.token(tenant, **{**defaults, **form})

    def redeem(self, code: str, tenant: str = CONTOSO_ID, **form: str) -> requests.Response:
        defaults = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "scope": SCOPE,
        }
        return self.token(tenant, **{**defaults, **form})

    def browser(self) -> "Browser":
        return Browser(self)


class Browser:
    """Browser that follows the simulator's pages until they redirect to the app."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.http = plain_session()
        self.page = requests.Response()

    def authorize(self, tenant: str = CONTOSO_ID, **changes: str) -> requests.Response:
        query = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "prompt": "select_account",
            **changes,
        }
        parameters = {name: value for name, value in query.items() if value}
        return self.open(f"{self.simulator.url}/{tenant}/oauth2/v2.0/authorize?{urlencode(parameters)}")

    def admin_consent(self, tenant: str = CONTOSO_ID, **changes: str) -> requests.Response:
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": f"{GRAPH_HOST}/.default",
            "state": "the-state",
            **changes,
        }
        return self.open(f"{self.simulator.url}/{tenant}/v2.0/adminconsent?{urlencode(query)}")

    def open(self, url: str) -> requests.Response:
        self.page = self.http.get(url, allow_redirects=False, timeout=10)
        return self._follow_redirects()

    def submit(self, **form: str) -> requests.Response:
        """Submit the page's form with extra fields, such as the name and value of a button."""
        field = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page.text)
        assert field is not None, self.page.text
        data = {"csrfmiddlewaretoken": field[1], **form}
        self.page = self.http.post(self.page.url, data=data, allow_redirects=False, timeout=10)
        return self._follow_redirects()

    def submit_to(self, path: str, **form: str) -> requests.Response:
        """Submit a form of the page that leads to `path`."""
        self.page.url = requests.compat.urljoin(self.page.url, path)
        return self.submit(**form)

    def pick(self, upn: str) -> requests.Response:
        return self.submit(account=self.simulator.person(upn)["id"])

    def _follow_redirects(self) -> requests.Response:
        while self.page.is_redirect and not self.is_back:
            target = requests.compat.urljoin(self.page.url, self.page.headers["Location"])
            self.page = self.http.get(target, allow_redirects=False, timeout=10)
        return self.page

    @property
    def is_back(self) -> bool:
        return self.page.headers.get("Location", "").startswith(CALLBACK)

    @property
    def heading(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.page.text)
        return found[1] if found else ""

    @property
    def callback_parameters(self) -> dict[str, str]:
        """Return the query parameters of the redirect to the app."""
        assert self.is_back, self.page.text
        return dict(parse_qsl(urlsplit(self.page.headers["Location"]).query))


def sign_in(simulator: Simulator, upn: str, **changes: str) -> dict[str, Any]:
    """Sign in, accept, and return the token response."""
    browser = simulator.browser()
    browser.authorize(**changes)
    browser.pick(upn)
    if not browser.is_back:
        browser.submit(decision="accept")
    tokens: dict[str, Any] = simulator.redeem(browser.callback_parameters["code"]).json()
    return tokens
