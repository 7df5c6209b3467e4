"""HTTP client for Microsoft Graph.

`GraphClient` doesn't retry; retries belong to the row that needs the result. The exception is a 401: the client forces
one token refresh and repeats the request, because Graph has not executed it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError

from integrations.circuit_breaker import record_success, record_trouble
from integrations.connections.lifecycle import require_reauthorization
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.user_tokens import current_token
from integrations.teams.graph.errors import (
    Area,
    Refusal,
    area_of,
    bug_error,
    error_of,
    most_serious,
    outage_error,
    unusable_error,
)
from integrations.teams.graph.paths import absolute_url, batch_url, is_graph_link, path_for_log
from integrations.teams.graph.request_log import LoggedRequest
from integrations.teams.graph.responses import NO_JSON, GraphResponse, batch_items, is_success, parse_json, refusal
from integrations.teams.http import thread_session
from integrations.teams.metrics import count_throttled

logger = logging.getLogger(__name__)

# At most twenty requests in one $batch (learn.microsoft.com/graph/json-batching).
BATCH_SIZE: Final = 20
# About two million users. More pages mean an endless loop of links.
MAX_PAGES: Final = 2000
# Kinds of batch items that don't show that Graph works.
_NO_ANSWER: Final = (ErrorKind.THROTTLED, ErrorKind.OUTAGE)
#: A path below the version with its parameters.
Get = tuple[str, Mapping[str, str]]


class GraphClient:
    """Graph client with the permissions of one connection. Every method raises PlatformError and nothing else."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        #: Microsoft's id of the last response, for support.
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
        """Send one request. `path` is below the version. Return the parsed JSON, None without a body."""
        return self._execute(_Call(method, absolute_url(path), path, params, json, headers))

    def batch_results(self, gets: Sequence[Get]) -> list[Any]:
        """Send up to twenty GETs in one request. Return the body or the `Refusal` of each, in order.

        Raises errors that concern all items: the request failed, or the connection lacks the permission. Only GETs,
        because a throttled item may have been executed (learn.microsoft.com/answers 5529013).
        """
        with self._recording_trouble():
            response = self._send_refreshing_token(_batch_call(gets))
            errors = [error_of(refused) for refused in response.refusals]
            if response.body is None or any(error.kind == ErrorKind.CONNECTION for error in errors):
                raise self._worst_error(response.refusals)
        if sum(error.kind in _NO_ANSWER for error in errors) < len(gets):
            record_success(self.connection.pk)
        results: list[Any] = response.body
        return results

    def pages(self, path: str, *, params: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        """Return the rows of each page. Pages may be short or empty (learn.microsoft.com/graph/paging)."""
        return self.rows_from(self.request("GET", path, params=params))

    def rows_from(self, first: Any) -> Iterator[list[dict[str, Any]]]:
        """Return the rows of a first page and of the pages after it."""
        return (page["value"] for page in self.pages_from(first))

    def pages_from(self, first: Any) -> Iterator[dict[str, Any]]:
        """Return a first page and the pages after it. `value` holds the rows of a page."""
        page, seen = first, set[str]()
        while True:
            self._check_page(page)
            yield page
            link = page.get("@odata.nextLink")
            if not link:
                return
            page = self._follow(link, seen)

    def follow(self, link: str) -> Any:
        """Return the page of a link that Graph returned earlier."""
        return self._follow(link, set())

    def unknown_shape(self, what: str, *, ambiguous: bool = False) -> PlatformError:
        """Return the error for an undocumented response. `what` is logged and must not contain a link."""
        self._log(logging.ERROR, "Graph's response has an unknown shape: %s (request-id %s)", what)
        return unusable_error(self.request_id, ambiguous=ambiguous)

    def _log(self, level: int, text: str, *args: str) -> None:
        logger.log(level, text, *args, self.request_id, extra={"platform_request_id": self.request_id})

    def _check_page(self, page: Any) -> None:
        rows = page.get("value") if isinstance(page, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.unknown_shape("a page without a list of rows")

    def _follow(self, link: Any, seen: set[str]) -> Any:
        if not is_graph_link(link):
            raise self.unknown_shape("a next page on another host")
        if link in seen or len(seen) >= MAX_PAGES:
            raise self.unknown_shape("pages that never end")
        seen.add(link)
        try:
            return self._execute(_Call("GET", link))
        except PlatformError as error:
            if error.kind not in (ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERSON):
                raise
            # The link is Graph's own, so that Graph has forgotten it, under whichever status and code.
            raise unusable_error(error.request_id) from error

    def _execute(self, call: _Call) -> Any:
        with self._recording_trouble():
            response = self._send_refreshing_token(call)
            if response.refusals:
                raise self._worst_error(response.refusals)
        record_success(self.connection.pk)
        return response.body

    @contextmanager
    def _recording_trouble(self) -> Iterator[None]:
        """Record errors of this block on the connection."""
        try:
            yield
        except PlatformError as error:
            record_trouble(self.connection.pk, error)
            raise

    def _send_refreshing_token(self, call: _Call) -> GraphResponse:
        """Send the call. After a 401, refresh the token and send it once more."""
        token = self._access_token()
        response = self._send(call, token)
        if response.is_unauthorized:
            response = self._send(call, self._access_token(refused=token))
        count_throttled(sum(each.status == 429 for each in response.refusals))
        return response

    def _access_token(self, refused: str = "") -> str:
        """Return an access token and remember its token_version."""
        issued = current_token(self.connection, refused=refused)
        self._token_version = issued.token_version
        return issued.token

    def _worst_error(self, refusals: Sequence[Refusal]) -> PlatformError:
        error = most_serious(map(error_of, refusals))
        if error.kind == ErrorKind.CONNECTION:
            # Only if the refused sign-in is still the current one.
            refused = Connection.objects.filter(pk=self.connection.pk, teams__token_version=self._token_version)
            require_reauthorization(refused, error.message)
        return error

    def _send(self, call: _Call, token: str) -> GraphResponse:
        log_entry = LoggedRequest(self.connection, call.method, path_for_log(call.url))
        try:
            response = thread_session().request(
                call.method,
                call.url,
                params=call.params,
                json=call.json,
                headers=call.all_headers(log_entry.client_request_id),
                auth=_Bearer(token),
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, ValueError) as error:
            # requests passes some errors of urllib3 on, and ValueError for a Location header that is no URL.
            log_entry.log_failure(error)
            ambiguous = call.is_write and _may_have_arrived(error)
            raise outage_error(request_id=log_entry.client_request_id, ambiguous=ambiguous) from error
        self.request_id = log_entry.log_response(response)
        return self._read_response(call, response)

    def _read_response(self, call: _Call, response: requests.Response) -> GraphResponse:
        body = parse_json(response.content)
        if not is_success(response.status_code):
            refused = refusal(
                response.status_code,
                call.path,
                response.headers,
                body,
                request_id=self.request_id,
                is_write=call.is_write,
            )
            return GraphResponse(refusals=(refused,))
        if body is NO_JSON:
            self._log(logging.WARNING, "Graph's response isn't JSON (request-id %s)")
            raise outage_error(request_id=self.request_id, ambiguous=call.is_write)
        return self._unpack_batch(body, call.items) if call.items else GraphResponse(body)

    def _unpack_batch(self, envelope: Any, paths: Sequence[str]) -> GraphResponse:
        items = batch_items(envelope, len(paths))
        if items is None:
            raise self.unknown_shape("a batch whose responses don't match the requests")
        results = [self._item_result(item, path) for item, path in zip(items, paths, strict=True)]
        return GraphResponse(results, tuple(result for result in results if isinstance(result, Refusal)))

    def _item_result(self, item: Mapping[str, Any], path: str) -> Any:
        """Return the body of a batch item, or its refusal."""
        if is_success(item["status"]):
            return item.get("body")
        headers, body = item.get("headers"), item.get("body")
        return refusal(item["status"], path, headers, body, request_id=self.request_id)


@dataclass(frozen=True)
class _Call:
    """A request. `url` is absolute, without `params`. `path` is below the version, "" for a link of Graph.

    `items` holds the paths of a batch's requests.
    """

    method: str
    url: str
    path: str = ""
    params: Mapping[str, str] | None = None
    json: Any = None
    headers: Mapping[str, str] | None = None
    items: tuple[str, ...] = ()

    @property
    def is_write(self) -> bool:
        """Return whether the request may change data. A batch holds only GETs."""
        return self.method != "GET" and not self.items

    def all_headers(self, client_request_id: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "client-request-id": client_request_id}
        if area_of(self.path) is Area.DIRECTORY:
            # Throttle matching before booking (learn.microsoft.com/graph/throttling).
            headers["x-ms-throttle-priority"] = "low"
        else:
            # Without it, co-organizers read back as "unknownFutureValue"
            # (learn.microsoft.com/graph/best-practices-concept).
            headers["Prefer"] = "include-unknown-enum-members"
        return {**headers, **(self.headers or {})}


def _batch_call(gets: Sequence[Get]) -> _Call:
    if not 0 < len(gets) <= BATCH_SIZE:
        raise bug_error()
    items = [
        {"id": str(number), "method": "GET", "url": batch_url(path, params)}
        for number, (path, params) in enumerate(gets)
    ]
    paths = tuple(path for path, _ in gets)
    return _Call("POST", absolute_url("/$batch"), "/$batch", json={"requests": items}, items=paths)


class _Bearer(AuthBase):
    """Bearer authentication. Passed as `auth`, because credentials in ~/.netrc would override a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _may_have_arrived(error: Exception) -> bool:
    """Return whether Graph may have received the request although no response arrived."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(error, requests.ConnectTimeout) and not isinstance(reason, NewConnectionError)
