"""User endpoints: get, list, count, delta query; licence details and organization.

Microsoft: user-get, user-list, user-delta, paging, delta-query-users.
"""

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from simulator.directory import Person, Tenant
from simulator.graph import filters
from simulator.graph.access import FULL_PROFILE, Caller
from simulator.graph.protocol import VERSION_ROOT, GraphError, GraphRequest, GraphResponse
from simulator.graph.user_properties import (
    DEFAULT_SELECT,
    PROPERTY_NAMES,
    license_details,
    render_organization,
    render_user,
)

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 999
DELTA_PAGE_SIZE = 200
MAX_DELTA_IDS = 50
# 410 tells the client to restart the delta query (Microsoft: delta-query-users).
EXPIRED_PAGE_TOKEN = (400, "Directory_ExpiredPageToken", "Specified page token value has expired.")
SYNC_STATE_NOT_FOUND = (410, "syncStateNotFound", "The sync state generation is not found; start over.")
# Permissions to read the basic profiles of all users, delegated or application.
READ_ALL = ("User.ReadBasic.All", *sorted(FULL_PROFILE))


def user_not_found(key: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def selected_properties(request: GraphRequest) -> tuple[str, ...]:
    """Return the properties in `$select`, in Graph's spelling. Raises 400 for an unknown one."""
    requested = [name.strip() for name in request.query.get("$select", "").split(",") if name.strip()]
    if not requested:
        return DEFAULT_SELECT
    for name in requested:
        if name.lower() not in PROPERTY_NAMES:
            raise GraphError(
                400,
                "BadRequest",
                "Parsing OData Select and Expand failed: "
                f"Could not find a property named '{name}' on type 'microsoft.graph.user'.",
            )
    return tuple(PROPERTY_NAMES[name.lower()] for name in requested)


def resource_units(request: GraphRequest) -> int:
    """Return the cost of a directory request (Microsoft: throttling-limits). Paths that aren't listed there cost 1."""
    base = 2 if request.segments[-1:] in (("users",), ("$count",), ("licenseDetails",)) else 1
    top = request.query.get("$top", "")
    return max(base - ("$select" in request.query) - (top.isdigit() and int(top) < 20), 1)


def _odata_context(request: GraphRequest, suffix: str = "") -> str:
    select = request.query.get("$select")
    return f"{VERSION_ROOT}/$metadata#users{f'({select})' if select else ''}{suffix}"


def get_me(caller: Caller, request: GraphRequest) -> GraphResponse:
    """Serve GET /me."""
    person = caller.signed_in_person()
    caller.require_permission(("User.Read", *READ_ALL), ())
    body = {
        "@odata.context": _odata_context(request, "/$entity"),
        **render_user(caller, person, selected_properties(request)),
    }
    return GraphResponse(200, body)


def get_user(caller: Caller, request: GraphRequest, key: str) -> GraphResponse:
    """Serve GET /users/{id or user principal name}."""
    person = caller.tenant.find(key)
    is_me = person is not None and person is caller.person
    caller.require_permission((*READ_ALL, "User.Read") if is_me else READ_ALL, READ_ALL)
    select = selected_properties(request)
    if person is None:
        raise user_not_found(key)
    body = {"@odata.context": _odata_context(request, "/$entity"), **render_user(caller, person, select)}
    return GraphResponse(200, body)


def get_license_details(caller: Caller, request: GraphRequest, key: str | None) -> GraphResponse:
    """Serve GET /me/licenseDetails and /users/{id}/licenseDetails."""
    person = caller.signed_in_person() if key is None else caller.tenant.find(key)
    full = tuple(sorted(FULL_PROFILE))
    caller.require_permission((*full, "User.Read") if key is None else full, full)
    if person is None:
        raise user_not_found(key or "me")
    return GraphResponse(200, {"value": license_details(person)})


def count_users(caller: Caller, request: GraphRequest) -> GraphResponse:
    """Serve GET /users/$count: a number as text, for advanced queries only."""
    caller.require_permission(READ_ALL, READ_ALL)
    if not request.is_advanced_query:
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    if "$filter" not in request.query:
        return GraphResponse(200, str(len(caller.tenant)))
    return GraphResponse(200, str(len(_filtered_people(caller, request))))


def list_users(caller: Caller, request: GraphRequest) -> GraphResponse:
    """Serve GET /users: one page, with a nextLink if there are more."""
    caller.require_permission(READ_ALL, READ_ALL)
    _reject_unsupported_options(request)
    select, size = selected_properties(request), _page_size(request)
    after = _decode_page_token(request.query["$skiptoken"])["after"] if "$skiptoken" in request.query else 0
    body: dict[str, Any] = {"@odata.context": _odata_context(request)}
    if "$filter" in request.query:
        matching = _filtered_people(caller, request)
        total = len(matching)
        rest = [person for person in matching if person.sequence > after]
        page, more = rest[:size], len(rest) > size
    else:
        total = len(caller.tenant)
        found = caller.tenant.people_after(after, size + 1)
        page, more = found[:size], len(found) > size
    if request.query.get("$count") == "true" and request.is_advanced_query:
        body["@odata.count"] = total
    if more:
        body["@odata.nextLink"] = _page_link(request, "/users", "$skiptoken", {"after": page[-1].sequence})
    body["value"] = [render_user(caller, person, select) for person in page]
    return GraphResponse(200, body)


def _reject_unsupported_options(request: GraphRequest) -> None:
    if "$skip" in request.query:
        raise GraphError(400, "Request_BadRequest", "'$skip' is not supported by the service.")
    if "$search" in request.query or "$orderby" in request.query or "$expand" in request.query:
        raise GraphError(400, "Request_UnsupportedQuery", "The simulator has no $search, $orderby or $expand.")


def _page_size(request: GraphRequest) -> int:
    text = request.query.get("$top")
    if text is None:
        return DEFAULT_PAGE_SIZE
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise GraphError(
            400,
            "BadRequest",
            f"Invalid page size specified: '{text}'. Must be between 1 and {MAX_PAGE_SIZE} inclusive.",
        )
    return int(text)


def _filtered_people(caller: Caller, request: GraphRequest) -> list[Person]:
    advanced = request.is_advanced_query and request.query.get("$count") == "true"
    condition = filters.parse_filter(request.query["$filter"], advanced)
    keys = filters.index_keys(condition)
    if keys is None:
        return [person for person in caller.tenant if condition.matches(caller, person)]
    found = {person.id: person for key in keys for person in _people_by_index(caller.tenant, *key)}
    matching = [person for person in found.values() if condition.matches(caller, person)]
    return sorted(matching, key=lambda person: person.sequence)


def _people_by_index(tenant: Tenant, name: str, value: str) -> list[Person]:
    """Return the people with this value of an indexed property."""
    if name in ("mail", "proxyAddresses"):
        return tenant.find_by_address(value)
    person = tenant.by_id(value) if name == "id" else tenant.by_upn(value)
    return [] if person is None else [person]


def get_delta(caller: Caller, request: GraphRequest) -> GraphResponse:
    """Serve GET /users/delta: all users, then the changes since a deltaLink."""
    caller.require_permission(tuple(sorted(FULL_PROFILE)), tuple(sorted(FULL_PROFILE)))
    tenant = caller.tenant
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
    state: dict[str, Any] = {
        "since": 0,
        "after": 0,
        "until": tenant.revision,
        "select": request.query.get("$select", ""),
        "ids": _delta_id_filter(request),
    }
    if token == "latest":
        state["since"] = tenant.revision
    elif token is not None:
        state.update(_decode_page_token(token, SYNC_STATE_NOT_FOUND))
    if "$deltatoken" in request.query:
        state.update(after=0, until=tenant.revision)
    select_request = GraphRequest(
        **{**request.__dict__, "query": {"$select": state["select"]} if state["select"] else {}}
    )
    select = tuple(dict.fromkeys((*selected_properties(select_request), "id")))
    followed = [
        person
        for person in tenant.people_after(state["after"], len(tenant))
        if _matches_id_filter(person.id, state["ids"])
    ]
    rest = [person for person in followed if person.revision > state["since"]]
    page = rest[:DELTA_PAGE_SIZE]
    value = [render_user(caller, person, select) for person in page]
    body: dict[str, Any] = {"@odata.context": f"{VERSION_ROOT}/$metadata#users/delta", "value": value}
    if len(rest) > DELTA_PAGE_SIZE:
        body["@odata.nextLink"] = _page_link(
            request, "/users/delta", "$skiptoken", {**state, "after": page[-1].sequence}
        )
        return GraphResponse(200, body)
    if state["since"]:
        value += [
            {"id": oid, "@removed": {"reason": "changed"}}
            for oid, revision in tenant.deleted.items()
            if revision > state["since"] and _matches_id_filter(oid, state["ids"])
        ]
    next_state = {"since": state["until"], "select": state["select"], "ids": state["ids"]}
    body["@odata.deltaLink"] = _page_link(request, "/users/delta", "$deltatoken", next_state)
    return GraphResponse(200, body)


def _delta_id_filter(request: GraphRequest) -> list[str] | None:
    """Return the ids in `$filter`, or None for all users. Raises 400 for any other filter."""
    if "$filter" not in request.query:
        return None
    parts = re.split(r"\s+or\s+", request.query["$filter"].strip())
    found = [re.fullmatch(r"id eq '([^']+)'", part) for part in parts]
    if len(parts) > MAX_DELTA_IDS or None in found:
        raise GraphError(
            400, "Request_UnsupportedQuery", f"Delta queries filter by id eq only, {MAX_DELTA_IDS} at most."
        )
    return [match[1].lower() for match in found if match]


def _matches_id_filter(oid: str, ids: list[str] | None) -> bool:
    return ids is None or oid.lower() in ids


def get_organization(caller: Caller, request: GraphRequest) -> GraphResponse:
    """Serve GET /organization. User.Read is enough for a person; an app needs a directory permission."""
    app = ("Organization.Read.All", "Directory.Read.All")
    caller.require_permission(("User.Read", *app), app)
    body = {
        "@odata.context": f"{VERSION_ROOT}/$metadata#organization",
        "value": [render_organization(caller.tenant)],
    }
    return GraphResponse(200, body)


def _page_link(request: GraphRequest, path: str, name: str, token: dict[str, Any]) -> str:
    query = {k: v for k, v in request.query.items() if k not in ("$skiptoken", "$deltatoken")}
    if path.endswith("delta"):
        query = {}
    text = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
    return f"{VERSION_ROOT}{path}?{urlencode({**query, name: text}, quote_via=quote, safe='$,')}"


def _decode_page_token(token: str, token_error: tuple[int, str, str] = EXPIRED_PAGE_TOKEN) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        raise GraphError(*token_error) from error
    return state
