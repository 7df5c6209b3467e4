"""Graph, and the only place that sends requests to it.

`GraphClient` does not retry: that belongs to the row that wants something. The one exception is a 401, which is one
forced refresh of the token and one repeat, because Graph did nothing yet.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.auth import AuthBase
from urllib3.exceptions import NewConnectionError

from integrations.circuit_breaker import record_success, record_trouble
from integrations.connections.lifecycle import require_reauthorization
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.user_tokens import current_access
from integrations.teams.graph.errors import Area, Refusal, area_of, bug, error_of, outage
from integrations.teams.graph.paths import absolute, is_graphs_own, loggable, relative
from integrations.teams.graph.request_log import LoggedRequest
from integrations.teams.graph.responses import NO_JSON, GraphResponse, batch_items, parsed, refusal
from integrations.teams.http import kept_session
from integrations.teams.metrics import count_throttled

logger = logging.getLogger(__name__)

# At most twenty requests in one $batch (learn.microsoft.com/graph/json-batching).
BATCH_SIZE: Final = 20
# Two million users: whoever sends us more pages sends us round in circles.
MOST_PAGES: Final = 2000
#: A path below the version with its parameters.
Get = tuple[str, Mapping[str, str]]


class GraphClient:
    """Graph with the permissions of one connection. Every method raises PlatformError and nothing else."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        #: Microsoft's id of the last answer, for whoever cannot make sense of it.
        self.request_id = ""
        self._token_version = 0

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request below the version; returns the parsed JSON, None where there is no body."""
        return self._answer(_Call(method, absolute(path), area_of(path), params, json, headers))

    def batch(self, gets: Sequence[Get]) -> list[Any]:
        """Send up to twenty GETs, each a path with its parameters, in one request; returns their bodies in order.

        Raises the error of an item that failed, the most serious one where several did: nobody is given half an
        answer. Only GETs, because a throttled item may have been executed (learn.microsoft.com/answers 5529013).
        """
        bodies: list[Any] = self._answer(_batch_of(gets))
        return bodies

    def outcomes(self, gets: Sequence[Get]) -> list[Any]:
        """The same where a refusal is an answer, too: the body or the `Refusal` of each item, in order.

        Raises what concerns all of them: the request itself failed, or the connection may not ask.
        """
        with self._recorded():
            answer = self._exchange(_batch_of(gets))
            errors = [error_of(refused) for refused in answer.refusals]
            if answer.body is None or any(error.kind == ErrorKind.CONNECTION for error in errors):
                raise self._failure(answer.refusals)
        if sum(error.kind in (ErrorKind.THROTTLED, ErrorKind.OUTAGE) for error in errors) < len(gets):
            record_success(self.connection.pk)
        outcomes: list[Any] = answer.body
        return outcomes

    def pages(self, path: str, *, params: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        """The rows of every page; a page may be short or empty (learn.microsoft.com/graph/paging)."""
        return self.rest_of(self.request("GET", path, params=params))

    def rest_of(self, first: Any) -> Iterator[list[dict[str, Any]]]:
        """The rows of a page that is here already, and of the pages that follow it."""
        return (page["value"] for page in self.whole_pages(first))

    def whole_pages(self, first: Any) -> Iterator[dict[str, Any]]:
        """A page that is here already and the pages that follow it, each with its list of rows as `value`."""
        page, seen = first, set[str]()
        while True:
            self._check(page)
            yield page
            link = page.get("@odata.nextLink")
            if not link:
                return
            page = self._follow(link, seen)

    def follow(self, link: str) -> Any:
        """The page behind a link that Graph gave earlier."""
        return self._follow(link, set())

    def unknown_shape(self, what: str) -> PlatformError:
        """The error for an answer that Graph should not give; `what` goes to the log and must hold no link."""
        self._log(logging.ERROR, "Graph's answer is of unknown shape: %s (request-id %s)", what)
        return bug(self.request_id)

    def _log(self, level: int, text: str, *args: str) -> None:
        logger.log(level, text, *args, self.request_id, extra={"platform_request_id": self.request_id})

    def _check(self, page: Any) -> None:
        rows = page.get("value") if isinstance(page, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.unknown_shape("a page without a list of rows")

    def _follow(self, link: Any, seen: set[str]) -> Any:
        if not is_graphs_own(link):
            raise self.unknown_shape("a next page on another host")
        if link in seen or len(seen) >= MOST_PAGES:
            raise self.unknown_shape("pages that never end")
        seen.add(link)
        return self._answer(_Call("GET", link, Area.DIRECTORY))

    def _answer(self, call: _Call) -> Any:
        with self._recorded():
            answer = self._exchange(call)
            if answer.refusals:
                raise self._failure(answer.refusals)
        record_success(self.connection.pk)
        return answer.body

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """What goes wrong is for the connection's health, too."""
        try:
            yield
        except PlatformError as error:
            record_trouble(self.connection.pk, error)
            raise

    def _exchange(self, call: _Call) -> GraphResponse:
        """Send it, once more with another token where the first was refused."""
        token = self._token()
        answer = self._send(call, token)
        if answer.is_unauthorized:
            answer = self._send(call, self._token(refused=token))
        count_throttled(sum(refusal.status == 429 for refusal in answer.refusals))
        return answer

    def _token(self, refused: str = "") -> str:
        """A token, and a note of the sign-in it belongs to."""
        access = current_access(self.connection, refused=refused)
        self._token_version = access.token_version
        return access.token

    def _failure(self, refusals: Sequence[Refusal]) -> PlatformError:
        error = max((error_of(refusal) for refusal in refusals), key=_seriousness)
        if error.kind == ErrorKind.CONNECTION:
            # Only while the sign-in that was refused is still the present one.
            refused = Connection.objects.filter(
                pk=self.connection.pk, teams__token_version=self._token_version
            )
            require_reauthorization(refused, error.sentence)
        return error

    def _send(self, call: _Call, token: str) -> GraphResponse:
        exchange = LoggedRequest(self.connection, call.method, loggable(call.url))
        try:
            response = kept_session().request(
                call.method,
                call.url,
                params=call.params,
                json=call.json,
                headers=call.all_headers(exchange.trace),
                auth=_Bearer(token),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            exchange.failed(error)
            ambiguous = call.is_write and _may_have_arrived(error)
            raise outage(request_id=exchange.trace, ambiguous=ambiguous) from error
        self.request_id = exchange.answered(response)
        return self._read(call, response)

    def _read(self, call: _Call, response: requests.Response) -> GraphResponse:
        body = parsed(response.content)
        if not 200 <= response.status_code < 300:
            refused = refusal(
                response.status_code,
                call.area,
                response.headers,
                body,
                request_id=self.request_id,
                is_write=call.is_write,
            )
            return GraphResponse(refusals=(refused,))
        if body is NO_JSON:
            self._log(logging.WARNING, "Graph's answer is no JSON (request-id %s)")
            raise outage(request_id=self.request_id, ambiguous=call.is_write)
        return self._unpacked(body, call.items) if call.items else GraphResponse(body)

    def _unpacked(self, envelope: Any, areas: Sequence[Area]) -> GraphResponse:
        items = batch_items(envelope, len(areas))
        if items is None:
            raise self.unknown_shape("a batch whose answers are not those that were asked for")
        outcomes = [self._outcome(item, area) for item, area in zip(items, areas, strict=True)]
        return GraphResponse(outcomes, tuple(outcome for outcome in outcomes if isinstance(outcome, Refusal)))

    def _outcome(self, item: Mapping[str, Any], area: Area) -> Any:
        """The body of a batch's item, or what was refused."""
        if 200 <= item["status"] < 300:
            return item.get("body")
        headers, body = item.get("headers"), item.get("body")
        return refusal(item["status"], area, headers, body, request_id=self.request_id)


@dataclass(frozen=True)
class _Call:
    """One request; `url` is absolute and without `params`; `items` are the areas of a batch's requests."""

    method: str
    url: str
    area: Area
    params: Mapping[str, str] | None = None
    json: Any = None
    headers: Mapping[str, str] | None = None
    items: tuple[Area, ...] = ()

    @property
    def is_write(self) -> bool:
        """Whether it may change something; a batch holds nothing but GETs."""
        return self.method != "GET" and not self.items

    def all_headers(self, trace: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "client-request-id": trace}
        if self.area is Area.DIRECTORY:
            # Matching can wait, booking cannot (learn.microsoft.com/graph/throttling).
            headers["x-ms-throttle-priority"] = "low"
        else:
            # Or co-organizers read back as "unknownFutureValue" (learn.microsoft.com/graph/best-practices-concept).
            headers["Prefer"] = "include-unknown-enum-members"
        return {**headers, **(self.headers or {})}


def _batch_of(gets: Sequence[Get]) -> _Call:
    if not 0 < len(gets) <= BATCH_SIZE:
        raise bug()
    items = [
        {"id": str(number), "method": "GET", "url": relative(path, params)}
        for number, (path, params) in enumerate(gets)
    ]
    areas = tuple(area_of(path) for path, _ in gets)
    return _Call("POST", absolute("/$batch"), Area.DIRECTORY, json={"requests": items}, items=areas)


class _Bearer(AuthBase):
    """As `auth`, because a header of ours would give way to a ~/.netrc on the machine."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _may_have_arrived(error: requests.RequestException) -> bool:
    """Whether Graph may have received the request although no answer came back."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(error, requests.ConnectTimeout) and not isinstance(reason, NewConnectionError)


def _seriousness(error: PlatformError) -> tuple[int, float]:
    order = [ErrorKind.OUTAGE, ErrorKind.THROTTLED, ErrorKind.GONE, ErrorKind.PERSON, ErrorKind.BUG]
    rank = order.index(error.kind) if error.kind in order else len(order)
    return rank, error.retry_after or 0.0
