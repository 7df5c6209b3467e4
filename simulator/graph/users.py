"""Graph's users: one, many, counted, and what changed."""

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from simulator.directory import Person, Tenant
from simulator.graph import filters
from simulator.graph.access import FULL_PROFILE, Caller
from simulator.graph.protocol import VERSION_ROOT, GraphCall, GraphError, GraphReply
from simulator.graph.user_properties import (
    DEFAULT_SELECT,
    KNOWN,
    license_details,
    render,
    render_organization,
)

DEFAULT_PAGE = 100
LARGEST_PAGE = 999
DELTA_PAGE = 200
MOST_FOLLOWED = 50
# What is said of a token that nobody can read (any more): 410 means to start over.
PAGE_LOST = (400, "Directory_ExpiredPageToken", "Specified page token value has expired.")
SYNC_STATE_LOST = (410, "syncStateNotFound", "The sync state generation is not found; start over.")
# Directory permissions that allow reading every user's basic profile, delegated or not.
READ_ALL = ("User.ReadBasic.All", *sorted(FULL_PROFILE))


def not_found(key: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def selection(call: GraphCall) -> tuple[str, ...]:
    """The properties asked for, in Graph's spelling. Raises 400 for one that does not exist."""
    asked = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    if not asked:
        return DEFAULT_SELECT
    for name in asked:
        if name.lower() not in KNOWN:
            raise GraphError(
                400,
                "BadRequest",
                "Parsing OData Select and Expand failed: "
                f"Could not find a property named '{name}' on type 'microsoft.graph.user'.",
            )
    return tuple(KNOWN[name.lower()] for name in asked)


def _units(call: GraphCall, base: int) -> dict[str, str]:
    cost = (
        base
        - ("$select" in call.query)
        - (call.query.get("$top", "").isdigit() and int(call.query["$top"]) < 20)
    )
    return {"x-ms-resource-unit": str(max(cost, 1))}


def _context(call: GraphCall, suffix: str = "") -> str:
    select = call.query.get("$select")
    return f"{VERSION_ROOT}/$metadata#users{f'({select})' if select else ''}{suffix}"


def get_me(caller: Caller, call: GraphCall) -> GraphReply:
    """GET /me"""
    person = caller.me()
    caller.require(("User.Read", *READ_ALL), ())
    body = {"@odata.context": _context(call, "/$entity"), **render(caller, person, selection(call))}
    return GraphReply(200, body, _units(call, 1))


def get_user(caller: Caller, call: GraphCall, key: str) -> GraphReply:
    """GET /users/{id or user principal name}"""
    person = caller.tenant.find(key)
    is_me = person is not None and person is caller.person
    caller.require((*READ_ALL, "User.Read") if is_me else READ_ALL, READ_ALL)
    select = selection(call)
    if person is None:
        raise not_found(key)
    body = {"@odata.context": _context(call, "/$entity"), **render(caller, person, select)}
    return GraphReply(200, body, _units(call, 1))


def get_license_details(caller: Caller, call: GraphCall, key: str | None) -> GraphReply:
    """GET /me/licenseDetails and /users/{id}/licenseDetails"""
    person = caller.me() if key is None else caller.tenant.find(key)
    full = tuple(sorted(FULL_PROFILE))
    caller.require((*full, "User.Read") if key is None else full, full)
    if person is None:
        raise not_found(key or "me")
    return GraphReply(200, {"value": license_details(person)}, _units(call, 2))


def count_users(caller: Caller, call: GraphCall) -> GraphReply:
    """GET /users/$count: a bare number, only as an advanced query."""
    caller.require(READ_ALL, READ_ALL)
    if not call.is_advanced:
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    if "$filter" not in call.query:
        return GraphReply(200, str(len(caller.tenant)), _units(call, 2))
    return GraphReply(200, str(len(_matching(caller, call))), _units(call, 2))


def list_users(caller: Caller, call: GraphCall) -> GraphReply:
    """GET /users: a page, a link to the next one as long as there is more."""
    caller.require(READ_ALL, READ_ALL)
    _refuse_unsupported(call)
    select, size = selection(call), _page_size(call)
    after = _decode(call.query["$skiptoken"])["after"] if "$skiptoken" in call.query else 0
    body: dict[str, Any] = {"@odata.context": _context(call)}
    if "$filter" in call.query:
        matching = _matching(caller, call)
        total = len(matching)
        rest = [person for person in matching if person.sequence > after]
        page, more = rest[:size], len(rest) > size
    else:
        total = len(caller.tenant)
        found = caller.tenant.page(after, size + 1)
        page, more = found[:size], len(found) > size
    if call.query.get("$count") == "true" and call.is_advanced:
        body["@odata.count"] = total
    if more:
        body["@odata.nextLink"] = _link(call, "/users", "$skiptoken", {"after": page[-1].sequence})
    body["value"] = [render(caller, person, select) for person in page]
    return GraphReply(200, body, _units(call, 2))


def _refuse_unsupported(call: GraphCall) -> None:
    if "$skip" in call.query:
        raise GraphError(400, "Request_BadRequest", "'$skip' is not supported by the service.")
    if "$search" in call.query or "$orderby" in call.query or "$expand" in call.query:
        raise GraphError(
            400, "Request_UnsupportedQuery", "The simulator has no $search, $orderby or $expand."
        )


def _page_size(call: GraphCall) -> int:
    text = call.query.get("$top")
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise GraphError(
            400,
            "BadRequest",
            f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.",
        )
    return int(text)


def _matching(caller: Caller, call: GraphCall) -> list[Person]:
    advanced = call.is_advanced and call.query.get("$count") == "true"
    condition = filters.parse(call.query["$filter"], advanced)
    keys = filters.lookup_keys(condition)
    if keys is None:
        return [person for person in caller.tenant if condition.holds(caller, person)]
    found = {person.id: person for key in keys for person in _holders(caller.tenant, *key)}
    holding = [person for person in found.values() if condition.holds(caller, person)]
    return sorted(holding, key=lambda person: person.sequence)


def _holders(tenant: Tenant, name: str, value: str) -> list[Person]:
    """Whoever has this value, without looking at everybody."""
    if name in ("mail", "proxyAddresses"):
        return tenant.by_address(value)
    person = tenant.by_id(value) if name == "id" else tenant.by_upn(value)
    return [] if person is None else [person]


def delta(caller: Caller, call: GraphCall) -> GraphReply:
    """GET /users/delta: everybody at first, then what changed since the delta link was given."""
    caller.require(tuple(sorted(FULL_PROFILE)), tuple(sorted(FULL_PROFILE)))
    tenant = caller.tenant
    token = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    state: dict[str, Any] = {
        "since": 0,
        "after": 0,
        "until": tenant.revision,
        "select": call.query.get("$select", ""),
        "ids": _ids_to_follow(call),
    }
    if token == "latest":
        state["since"] = tenant.revision
    elif token is not None:
        state.update(_decode(token, SYNC_STATE_LOST))
    if "$deltatoken" in call.query:
        state.update(after=0, until=tenant.revision)
    asked = GraphCall(**{**call.__dict__, "query": {"$select": state["select"]} if state["select"] else {}})
    select = tuple(dict.fromkeys((*selection(asked), "id")))
    followed = [
        person for person in tenant.page(state["after"], len(tenant)) if _is_followed(person.id, state["ids"])
    ]
    rest = [person for person in followed if person.revision > state["since"]]
    page = rest[:DELTA_PAGE]
    value = [render(caller, person, select) for person in page]
    body: dict[str, Any] = {"@odata.context": f"{VERSION_ROOT}/$metadata#users/delta", "value": value}
    if len(rest) > DELTA_PAGE:
        body["@odata.nextLink"] = _link(
            call, "/users/delta", "$skiptoken", {**state, "after": page[-1].sequence}
        )
        return GraphReply(200, body, {"x-ms-resource-unit": "1"})
    if state["since"]:
        value += [
            {"id": oid, "@removed": {"reason": "changed"}}
            for oid, revision in tenant.deleted.items()
            if revision > state["since"] and _is_followed(oid, state["ids"])
        ]
    following = {"since": state["until"], "select": state["select"], "ids": state["ids"]}
    body["@odata.deltaLink"] = _link(call, "/users/delta", "$deltatoken", following)
    return GraphReply(200, body, {"x-ms-resource-unit": "1"})


def _ids_to_follow(call: GraphCall) -> list[str] | None:
    """Whom `$filter` names by id, as many as fifty; None for everybody. Raises 400 for any other filter."""
    if "$filter" not in call.query:
        return None
    parts = re.split(r"\s+or\s+", call.query["$filter"].strip())
    found = [re.fullmatch(r"id eq '([^']+)'", part) for part in parts]
    if len(parts) > MOST_FOLLOWED or None in found:
        raise GraphError(
            400, "Request_UnsupportedQuery", f"Delta queries filter by id eq only, {MOST_FOLLOWED} at most."
        )
    return [match[1].lower() for match in found if match]


def _is_followed(oid: str, ids: list[str] | None) -> bool:
    return ids is None or oid.lower() in ids


def get_organization(caller: Caller, call: GraphCall) -> GraphReply:
    """GET /organization: User.Read is enough for a person; an app needs a directory permission."""
    app = ("Organization.Read.All", "Directory.Read.All")
    caller.require(("User.Read", *app), app)
    body = {
        "@odata.context": f"{VERSION_ROOT}/$metadata#organization",
        "value": [render_organization(caller.tenant)],
    }
    return GraphReply(200, body)


def _link(call: GraphCall, path: str, name: str, token: dict[str, Any]) -> str:
    kept = {k: v for k, v in call.query.items() if k not in ("$skiptoken", "$deltatoken")}
    if path.endswith("delta"):
        kept = {}
    text = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
    return f"{VERSION_ROOT}{path}?{urlencode({**kept, name: text}, quote_via=quote, safe='$,')}"


def _decode(token: str, lost: tuple[int, str, str] = PAGE_LOST) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        raise GraphError(*lost) from error
    return state
