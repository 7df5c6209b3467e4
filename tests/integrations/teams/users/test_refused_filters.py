"""Filters that Graph refuses or answers partly: the refused name stands alone, and all other answers are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations.matching.people import rematch_people
from integrations.models import ConnectionStatus, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryResult, IncompleteLookup, MatchReason, PlatformError
from integrations.teams.users.lookup import open_directory
from integrations.teams.users.lookup_cost import NAMES_PER_CHUNK
from integrations.teams.users.remedies import remedy
from integrations.teams.users.sources import MOST_READINGS
from tests.factories import make_staff

ROOT = "https://graph.microsoft.com/v1.0"
BAD_REQUEST = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "Invalid filter clause."}}}
THROTTLED = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "TooManyRequests"}}}
OUTAGE = {"status": 503, "body": {"error": {"code": "serviceNotAvailable"}}}

#: Return the answer to a filter, or None to answer with the users.
Refuse = Callable[[str], "dict[str, Any] | None"]


class Graph:
    """Graph with all users that are queried. `refuse` may answer a filter, `refuse_batch` a whole batch."""

    def __init__(self, server: responses.RequestsMock) -> None:
        self.server = server
        self.refuse: Refuse = lambda _condition: None
        self.refuse_batch: Callable[[str], bool] = lambda _conditions: False
        self.filters: list[str] = []
        server.add_callback("POST", f"{ROOT}/$batch", self.batch)

    def batch(self, request: Any) -> tuple[int, dict[str, str], str]:
        items = json.loads(request.body)["requests"]
        if self.refuse_batch(" ".join(map(condition_of, items))):
            return 400, {}, json.dumps(BAD_REQUEST["body"])
        return 200, {}, json.dumps({"responses": [{"id": item["id"], **self.answer(item)} for item in items]})

    def answer(self, item: dict[str, str]) -> dict[str, Any]:
        condition = condition_of(item)
        self.filters.append(condition)
        return self.refuse(condition) or {"status": 200, "body": {"value": list(users_in(condition))}}


def condition_of(item: dict[str, str]) -> str:
    (condition,) = parse_qs(urlsplit(item["url"]).query)["$filter"]
    return condition


def users_in(condition: str) -> Any:
    """Return a user for each name in a filter of user names, except those of coconut.invalid."""
    if condition.startswith("userPrincipalName"):
        for name in condition.partition("(")[2].rstrip(")").split(","):
            if "coconut.invalid" not in name:
                yield {"id": f"oid-of-{name.strip(chr(39))}", "userPrincipalName": name.strip("'"), "displayName": "N"}


@pytest.fixture
def graph():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield Graph(server)


def names_of(how_many: int) -> list[str]:
    return [f"user{number}@x.example" for number in range(how_many)]


def find(connected, names):
    return open_directory(connected, 1).find(names)


def reasons(found) -> dict[str, MatchReason]:
    """Return the reasons of the names that weren't found without one."""
    return {name: result.reason for name, result in found.items() if result.reason is not None}


# --- A refused name ---------------------------------------------------------------------------------
@pytest.mark.parametrize("how_many", [4, 15, 100])
def test_a_refused_name_does_not_stop_the_others(connected, graph, how_many):
    graph.refuse = lambda condition: BAD_REQUEST if "user3@" in condition else None

    found = find(connected, names_of(how_many))

    assert reasons(found) == {"user3@x.example": MatchReason.LOOKUP_REFUSED}
    assert found["user2@x.example"].remote_id == "oid-of-user2@x.example"
    assert len(found) == how_many


def test_several_refused_names_are_each_found_by_halving(connected, graph):
    bad = {"user3@x.example", "user4@x.example", "user290@x.example"}
    graph.refuse = lambda condition: BAD_REQUEST if any(f"'{name}'" in condition for name in bad) else None

    found = find(connected, names_of(300))

    assert reasons(found) == dict.fromkeys(bad, MatchReason.LOOKUP_REFUSED)
    assert len(graph.server.calls) <= 6


def test_a_name_for_which_graph_refuses_the_whole_batch_stands_alone(connected, graph):
    graph.refuse_batch = lambda conditions: "'user33@" in conditions

    found = find(connected, names_of(60))

    assert reasons(found) == {"user33@x.example": MatchReason.LOOKUP_REFUSED}


def test_if_graph_refuses_every_filter_no_name_is_at_fault(connected, graph):
    graph.refuse = lambda condition: BAD_REQUEST

    with pytest.raises(PlatformError) as failure:
        find(connected, names_of(4))

    assert failure.value.kind == ErrorKind.BUG
    assert len(graph.server.calls) == 2


def test_if_graph_refuses_every_batch_no_name_is_at_fault(connected, graph):
    graph.refuse_batch = lambda conditions: True

    with pytest.raises(PlatformError) as failure:
        find(connected, names_of(40))

    assert failure.value.kind == ErrorKind.BUG
    assert len(graph.server.calls) == 2


def test_a_single_name_may_be_refused_too(connected, graph):
    graph.refuse = lambda condition: BAD_REQUEST if "odd@" in condition else None

    assert reasons(find(connected, ["odd@x.example"])) == {"odd@x.example": MatchReason.LOOKUP_REFUSED}


def test_a_name_that_is_refused_as_an_address_is_not_found(connected, graph):
    graph.refuse = lambda condition: (
        BAD_REQUEST if condition.startswith("mail") else {"status": 200, "body": {"value": []}}
    )

    assert reasons(find(connected, ["odd@x.example"])) == {"odd@x.example": MatchReason.NOT_FOUND}


def test_the_row_of_a_refused_name_says_what_to_do(connected, maple, graph):
    people = make_staff(maple, 3)
    graph.refuse = lambda condition: BAD_REQUEST if people[1].email in condition else None

    rematch_people(connected, [person.pk for person in people])

    match = UserMatch.objects.get(staff=people[1])
    statuses = list(UserMatch.objects.order_by("staff").values_list("status", flat=True))
    assert statuses == ["matched", "unmatched", "matched"]
    assert (match.reason, match.hint) == (MatchReason.LOOKUP_REFUSED, "")
    assert remedy(connected, match).startswith(f"Microsoft refuses to look up {people[1].email}")


# --- Partly answered --------------------------------------------------------------------------------
@pytest.mark.parametrize(("answer", "kind"), [(THROTTLED, ErrorKind.THROTTLED), (OUTAGE, ErrorKind.OUTAGE)])
def test_the_answers_of_a_partly_refused_batch_are_kept(connected, graph, answer, kind):
    graph.refuse = lambda condition: answer if "'user20@" in condition else None

    with pytest.raises(IncompleteLookup) as failure:
        find(connected, names_of(100))

    found = failure.value.results
    assert failure.value.kind == kind
    assert names_of(100)[:15] + names_of(100)[30:] == list(found)
    assert reasons(found) == {}


def test_the_longest_pause_of_the_refused_items_counts(connected, graph):
    answers = {"'user20@": {**THROTTLED, "headers": {"retry-after": 90}}, "'user40@": THROTTLED}
    graph.refuse = lambda condition: next((answer for name, answer in answers.items() if name in condition), None)

    with pytest.raises(IncompleteLookup) as failure:
        find(connected, names_of(100))

    assert failure.value.retry_after == 90.0


def test_after_a_refusal_no_further_batch_is_sent(connected, graph):
    graph.refuse = lambda condition: THROTTLED if "'user20@" in condition else None

    with pytest.raises(IncompleteLookup) as failure:
        open_directory(connected, 1).find(names_of(NAMES_PER_CHUNK))

    assert (len(graph.server.calls), len(failure.value.results)) == (1, 285)


def test_an_unusable_answer_costs_only_its_own_name(connected, graph):
    graph.refuse = lambda condition: {"status": 200, "body": {"value": ["?"]}} if "'user3@" in condition else None

    with pytest.raises(IncompleteLookup) as failure:
        find(connected, names_of(100))

    assert failure.value.kind == ErrorKind.UNUSABLE
    assert set(names_of(100)) - set(failure.value.results) == {"user3@x.example"}


def test_a_missing_name_without_an_address_search_has_no_result(connected, graph):
    graph.refuse = lambda condition: THROTTLED if condition.startswith("mail") else None
    names = [*names_of(2), "missing@coconut.invalid"]

    with pytest.raises(IncompleteLookup) as failure:
        find(connected, names)

    assert list(failure.value.results) == names_of(2)


def test_a_missing_name_is_only_searched_as_an_address_after_the_pause(connected, graph):
    graph.refuse = lambda condition: THROTTLED if condition.startswith("mail") else None
    with pytest.raises(IncompleteLookup):
        find(connected, ["missing@coconut.invalid"])
    graph.refuse = lambda condition: None
    graph.filters.clear()

    first = find(connected, ["missing@coconut.invalid"])
    find(connected, ["missing@coconut.invalid"])

    assert first == {"missing@coconut.invalid": DirectoryResult(reason=MatchReason.NOT_FOUND)}
    assert [condition.split()[0] for condition in graph.filters] == ["mail", "userPrincipalName", "mail"]


def test_a_refused_permission_still_ends_the_lookup(connected, graph):
    withdrawn = {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied"}}}
    graph.refuse = lambda condition: withdrawn if "'user20@" in condition else None

    with pytest.raises(PlatformError) as failure:
        find(connected, names_of(100))

    connected.refresh_from_db()
    assert failure.value.kind == ErrorKind.CONNECTION
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION


# --- A listing that breaks --------------------------------------------------------------------------
EXPIRED = {"error": {"code": "Directory_ExpiredPageToken", "message": "Specified page token value has expired."}}
NEXT = f"{ROOT}/users?$skiptoken=2"


class Listing(Graph):
    """Graph with two pages of all users, 1,200 in all. `first`, `second` and `counts` are answers to send in turn."""

    def __init__(self, server: responses.RequestsMock) -> None:
        super().__init__(server)
        users = [{"id": f"oid-of-{name}", "userPrincipalName": name, "displayName": "N"} for name in names_of(1200)]
        self.first: list[tuple[int, object]] = [(200, {"value": users[:999], "@odata.nextLink": NEXT})]
        self.second: list[tuple[int, object]] = [(200, {"value": users[999:]})]
        self.counts: list[tuple[int, object]] = [(200, 1200)]
        self.times_listed = self.times_counted = 0
        server.add_callback("GET", f"{ROOT}/users", self.page)
        server.add_callback("GET", f"{ROOT}/users/$count", self.count)

    def page(self, request: Any) -> tuple[int, dict[str, str], str]:
        if "$skiptoken" in request.params:
            return next_answer(self.second)
        self.times_listed += 1
        return next_answer(self.first)

    def count(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.times_counted += 1
        return next_answer(self.counts)


def next_answer(answers: list[tuple[int, object]]) -> tuple[int, dict[str, str], str]:
    """Return the first answer, and drop it unless it is the last one."""
    status, body = answers.pop(0) if len(answers) > 1 else answers[0]
    return status, {"Retry-After": "3"} if status == 429 else {}, json.dumps(body)


@pytest.fixture
def listed():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield Listing(server)


def test_a_listing_whose_page_token_expired_is_read_again(connected, listed):
    listed.second.insert(0, (400, EXPIRED))

    found = open_directory(connected, 1200).find(names_of(1200))

    assert (reasons(found), listed.times_listed, listed.filters) == ({}, 2, [])


def test_a_listing_that_breaks_again_and_again_gives_way_to_names(connected, listed):
    listed.second = [(410, EXPIRED)]

    found = open_directory(connected, 1200).find(names_of(1200))

    assert (reasons(found), len(found), listed.times_listed) == ({}, 1200, MOST_READINGS)


@pytest.mark.parametrize("code", ["Directory_ResultSizeLimitExceeded", "BadRequest"])
def test_a_refused_listing_gives_way_to_names(connected, listed, code):
    listed.first = [(400, {"error": {"code": code}})]

    found = open_directory(connected, 1200).find(names_of(1200))

    assert (reasons(found), len(found)) == ({}, 1200)


def test_a_throttled_listing_gives_way_to_names_after_the_pause(connected, listed):
    listed.second.insert(0, (429, THROTTLED["body"]))
    with pytest.raises(PlatformError) as failure:
        open_directory(connected, 1200).find(names_of(1200))

    found = open_directory(connected, 1200).find(names_of(1200))

    assert failure.value.kind == ErrorKind.THROTTLED
    assert (reasons(found), len(found), listed.times_listed) == ({}, 1200, 1)


def test_a_throttled_count_is_not_repeated(connected, listed):
    listed.counts = [(429, THROTTLED["body"])]
    with pytest.raises(PlatformError):
        open_directory(connected, 1200)

    found = open_directory(connected, 1200).find(names_of(1200))

    assert (reasons(found), len(found), listed.times_counted) == ({}, 1200, 1)


def test_after_a_refusal_the_users_are_listed_if_this_costs_fewer_units(connected, listed):
    listed.counts = [(200, 2500)]
    listed.refuse = lambda condition: THROTTLED if "'user100@" in condition else None
    with pytest.raises(IncompleteLookup) as failure:
        open_directory(connected, 700).find(names_of(700))
    open_names = [name for name in names_of(700) if name not in failure.value.results]

    found = open_directory(connected, len(open_names)).find(open_names)

    assert (reasons(found), len(failure.value.results) + len(found)) == ({}, 700)
    assert (listed.times_listed, listed.times_counted) == (1, 1)
