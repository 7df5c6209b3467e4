"""Choice between queries by name and a listing of all users, by the number of requests.

The tenant has 50,000 users unless a test says otherwise.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations.platforms.values import MatchReason
from integrations.teams.users.lookup import open_directory
from integrations.teams.users.lookup_cost import LookupCost
from tests.factories import make_connection

ROOT = "https://graph.microsoft.com/v1.0"
BUDGET = 60


class Tenant:
    """Graph with `size` users named user0@x.example and so on. It accepts valid requests only."""

    def __init__(self, server: responses.RequestsMock, size: int = 50_000) -> None:
        self.size = size
        self.pages = 0
        self.server = server
        server.get(f"{ROOT}/users/$count", body=str(size))
        server.add_callback("POST", f"{ROOT}/$batch", self.batch)
        server.add_callback("GET", f"{ROOT}/users", self.page)

    @property
    def requests(self) -> int:
        return len(self.server.calls)

    def batch(self, request):
        items = json.loads(request.body)["requests"]
        return 200, {}, json.dumps({"responses": [self.answer(item) for item in items]})

    def answer(self, item):
        (condition,) = parse_qs(urlsplit(item["url"]).query)["$filter"]
        numbers = re.findall(r"'user(\d+)@x\.example'", condition) if "userPrincipalName in" in condition else []
        rows = [self.row(int(number)) for number in numbers if int(number) < self.size]
        return {"id": item["id"], "status": 200, "body": {"value": rows}}

    def page(self, request):
        self.pages += 1
        start = int(request.params.get("$skiptoken", 0))
        end = min(start + int(request.params.get("$top", 999)), self.size)
        page: dict[str, object] = {"value": [self.row(number) for number in range(start, end)]}
        if end < self.size:
            page["@odata.nextLink"] = f"{ROOT}/users?$skiptoken={end}"
        return 200, {}, json.dumps(page)

    def row(self, number: int) -> dict[str, str]:
        return {"id": f"oid-{number}", "userPrincipalName": f"user{number}@x.example", "displayName": "N"}


@pytest.fixture(params=["User.ReadBasic.All", "User.Read.All"])
def connected(maple, request):
    """A connection that may read one address field, or two."""
    connection = make_connection(maple)
    connection.teams.granted = [request.param]
    connection.teams.save(update_fields=["granted"])
    return connection


@pytest.fixture
def tenant(monkeypatch):
    # Pages take no time, so that a busy machine doesn't change the source.
    monkeypatch.setattr("integrations.teams.users.sources.monotonic", lambda: 0.0)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield Tenant(server)


def rematch(connected, names: list[str]) -> dict[str, MatchReason | None]:
    """Look up all names in chunks, as a run does."""
    found: dict[str, MatchReason | None] = {}
    directory, at = open_directory(connected, len(names)), 0
    while chunk := names[at : at + directory.chunk_size]:
        found |= {name: answer.reason for name, answer in directory.find(chunk).items()}
        at += len(chunk)
    return found


def staff(how_many: int, missing_percent: int) -> list[str]:
    """Return names, of which a percentage is missing from the tenant, spread evenly."""
    return [
        f"nobody{number}@x.example" if number * 37 % 100 < missing_percent else f"user{number}@x.example"
        for number in range(how_many)
    ]


@pytest.mark.parametrize("missing_percent", [5, 40, 100])
def test_ten_thousand_staff_in_a_tenant_of_fifty_thousand_keep_the_budget(connected, tenant, missing_percent):
    names = staff(10_000, missing_percent)

    found = rematch(connected, names)

    assert tenant.requests <= BUDGET
    assert found == {name: MatchReason.NOT_FOUND if name.startswith("nobody") else None for name in names}


def test_without_missing_names_all_queries_are_by_name(connected, tenant):
    rematch(connected, staff(10_000, 0))

    assert (tenant.requests, tenant.pages) == (1 + 34, 0)


def test_if_all_names_are_missing_the_first_query_is_the_last(connected, tenant):
    rematch(connected, staff(10_000, 100))

    assert (tenant.requests, tenant.pages) == (1 + 4 + 51, 51)


def test_impossible_names_do_not_start_a_listing(connected, tenant):
    """Impossible names cost no request, for example if the field holds no UPNs."""
    rematch(connected, [f"user{number}" for number in range(9_000)] + staff(1_000, 100))

    assert tenant.pages == 0


def test_a_few_hundred_missing_names_are_queried_by_name(connected, tenant):
    rematch(connected, staff(900, 100))

    assert tenant.pages == 0
    assert tenant.requests <= 1 + 3 + 6


def test_a_worker_that_takes_over_pays_only_for_the_remaining_names(connected, tenant):
    names = staff(10_000, 5)
    directory = open_directory(connected, len(names))
    directory.find(names[:1200])
    asked_before = tenant.requests

    rematch(connected, names[1200:])

    assert (tenant.requests - asked_before, tenant.pages) == (30 + 8, 0)


def test_slow_pages_switch_to_queries_by_name(connected, tenant, settings, monkeypatch):
    settings.CELERY_TASK_TIME_LIMIT = 75
    monkeypatch.setattr("integrations.teams.users.sources.monotonic", lambda: tenant.pages)  # a page a second

    found = rematch(connected, staff(10_000, 100))

    assert set(found.values()) == {MatchReason.NOT_FOUND}
    assert tenant.pages == 3


def test_slow_pages_from_the_start_switch_to_queries_by_name(connected, tenant, settings, monkeypatch):
    settings.CELERY_TASK_TIME_LIMIT = 75
    monkeypatch.setattr("integrations.teams.users.sources.monotonic", lambda: tenant.pages)  # a page a second

    found = rematch(connected, staff(20_000, 0))

    assert set(found.values()) == {None}
    assert tenant.pages == 3


@pytest.mark.parametrize(
    "answer", [{"json": "many"}, {"json": None}, {"json": {}}, {"json": -1}, {"body": b"9" * 400}, {"status": 400}]
)
def test_without_a_usable_count_the_names_are_queried(connected, tenant, answer):
    tenant.server.replace("GET", f"{ROOT}/users/$count", **answer)

    found = rematch(connected, staff(1_000, 0))

    assert (set(found.values()), tenant.pages) == ({None}, 0)


# --- the arithmetic ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pages", "names", "is_read"),
    [(51, 5_000, False), (26, 20_000, True), (1, 601, True), (60, 50_000, True), (61, 50_000, False)],
)
def test_all_users_are_listed_if_that_needs_fewer_requests_and_fits_into_a_task(pages, names, is_read):
    assert LookupCost(names, address_fields=1, pages=pages).should_read_all_first() is is_read


def test_an_uncounted_tenant_is_not_listed():
    assert LookupCost(50_000, address_fields=2).should_read_all_first() is False


@pytest.mark.parametrize(
    ("left", "missing", "is_read"),
    [
        (8_800, 1200, True),  # 8 now, and 8 queries of 4 + 8 requests
        (8_800, 120, False),  # 1 now, and 8 queries of 4 + 1 requests
        (1_200, 1200, False),  # 8 now, and 12 for the rest
    ],
)
def test_the_share_of_missing_names_predicts_the_cost(left, missing, is_read):
    costs = LookupCost(left + 1200, address_fields=2, pages=51)

    costs.record_chunk(1200, 1200, missing)

    assert costs.should_read_all_now(missing) is is_read


@pytest.mark.parametrize(
    ("names", "pages", "is_read"),
    [(10_000, 51, True), (765, 51, False), (780, 51, True), (10_000, 61, False)],
)
def test_if_units_are_short_the_cheaper_units_decide(names, pages, is_read):
    costs = LookupCost(names, address_fields=1, pages=pages, are_units_short=True)

    assert costs.should_read_all_first() is is_read
