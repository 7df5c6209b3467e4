"""Lookup of user names in Graph: impossible names, duplicates, look-alikes, malformed rows."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryResult, MatchReason, PlatformError
from integrations.teams.users.lookup import open_directory
from integrations.teams.users.parse import fold, read_user

ROOT = "https://graph.microsoft.com/v1.0"
NOBODY = DirectoryResult(reason=MatchReason.NOT_FOUND)


class FakeUsers:
    """Answer batches with the rows that a filter selects, and with the `extra` rows every time."""

    def __init__(self, server: responses.RequestsMock) -> None:
        self.rows: list[dict[str, object]] = []
        self.extra: list[dict[str, object]] = []
        self.filters: list[str] = []
        self.server = server
        server.add_callback("POST", f"{ROOT}/$batch", self.answer)

    def answer(self, request):
        items = json.loads(request.body)["requests"]
        return 200, {}, json.dumps({"responses": [self.answer_item(item) for item in items]})

    def answer_item(self, item):
        (condition,) = parse_qs(urlsplit(item["url"]).query)["$filter"]
        self.filters.append(condition)
        name, _, values = condition.partition(" in ")
        queried = [value.replace("''", "'").lower() for value in re.findall(r"'((?:[^']|'')*)'", values)]
        found = [row for row in self.rows if str(row.get(name)).lower() in queried]
        return {"id": item["id"], "status": 200, "body": {"value": found + self.extra}}


@pytest.fixture
def users():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield FakeUsers(server)


def row(number: int, upn: str, mail: str = "", **fields: object) -> dict[str, object]:
    return {
        "id": f"oid-{number}",
        "userPrincipalName": upn,
        "mail": mail or upn,
        "displayName": "N",
        **fields,
    }


def find(connected, *names, expected=1):
    return open_directory(connected, expected).find(names)


@pytest.mark.parametrize(
    "name", ["sam", "a" * 321 + "@x.example", "a\nb@x.example", "a\x00@x.example", "a\ud800@x.example"]
)
def test_an_impossible_name_costs_no_request(connected, users, name):
    assert find(connected, name) == {name: NOBODY}
    assert users.filters == []


@pytest.mark.parametrize("name", ["", "   "])
def test_an_empty_name_costs_no_request(connected, users, name):
    assert find(connected, name) == {name: DirectoryResult(reason=MatchReason.FIELD_EMPTY)}
    assert users.filters == []


def test_invisible_characters_in_a_stored_name_do_not_keep_it_from_matching(connected, users):
    users.rows = [row(1, "sam@x.example")]

    found = find(connected, "sam@x.example\u200b", "\u202asam@x.example", "\u3164")

    assert [answer.remote_id for answer in found.values()] == ["oid-1", "oid-1", ""]
    assert found["\u3164"].reason == MatchReason.FIELD_EMPTY


def test_every_name_has_a_result_with_duplicates_and_in_any_case(connected, users):
    users.rows = [row(1, "Sam@x.example")]
    sam = DirectoryResult("oid-1", "Sam@x.example", "N")

    found = find(connected, "sam@x.example", "SAM@X.EXAMPLE", " sam@x.example", "sam@x.example", "")

    assert found == {
        "sam@x.example": sam,
        "SAM@X.EXAMPLE": sam,
        " sam@x.example": sam,
        "": DirectoryResult(reason=MatchReason.FIELD_EMPTY),
    }
    assert users.filters == ["userPrincipalName in ('sam@x.example')"]


def test_apostrophes_are_doubled(connected, users):
    users.rows = [row(1, "o'brien@x.example")]

    found = find(connected, "o'brien@x.example")

    assert users.filters == ["userPrincipalName in ('o''brien@x.example')"]
    assert found["o'brien@x.example"].remote_id == "oid-1"


def test_rows_that_were_not_requested_are_ignored(connected, users):
    users.extra = [row(9, "somebody.else@x.example")]

    assert find(connected, "sam@x.example") == {"sam@x.example": NOBODY}


def test_a_duplicate_row_is_one_user(connected, users):
    users.rows = [row(1, "sam@x.example"), row(1, "sam@x.example")]

    assert find(connected, "sam@x.example")["sam@x.example"].remote_id == "oid-1"


def test_a_name_of_two_users_is_not_matched(connected, users):
    users.rows = [row(1, "sam@x.example"), row(2, "Sam@x.example")]

    assert find(connected, "sam@x.example") == {
        "sam@x.example": DirectoryResult(reason=MatchReason.NOT_FOUND, hint="Sam@x.example, sam@x.example")
    }


def test_an_address_of_two_users_names_both(connected, users):
    users.rows = [row(1, "sam.a@x.example", "sam@x.example"), row(2, "sam.b@x.example", "sam@x.example")]

    found = find(connected, "sam@x.example")["sam@x.example"]

    assert (found.remote_id, found.reason) == ("", MatchReason.NOT_FOUND)
    assert found.hint == "sam.a@x.example, sam.b@x.example"


def test_a_guest_with_the_address_of_an_account_is_ignored(connected, users):
    users.rows = [
        row(1, "sam_x.example#EXT#@y.example", "sam@x.example"),
        row(2, "sam.a@x.example", "sam@x.example"),
    ]

    found = find(connected, "sam@x.example")["sam@x.example"]

    assert (found.reason, found.hint) == (MatchReason.ALIAS, "sam.a@x.example")


def test_a_look_alike_is_another_user(connected, users):
    """Case folding turns the Kelvin sign into k, and ß into ss."""
    users.rows = [row(1, "kim@x.example"), row(2, "strasse@x.example")]

    found = find(connected, "kim@x.example", "\u212aim@x.example", "straße@x.example", "strasse@x.example")

    assert [answer.remote_id for answer in found.values()] == ["oid-1", "", "", "oid-2"]


@pytest.mark.parametrize(
    ("typed", "stored", "is_same"),
    [("ÉVA@x.example", "éva@x.example", True), ("K", "k", True), ("\u212a", "k", False), (" a ", "A", True)],
)
def test_names_are_compared_without_case(typed, stored, is_same):
    assert (fold(typed) == fold(stored)) is is_same


def test_a_user_without_a_user_name_is_skipped(connected, users):
    users.rows = [row(1, "sam@x.example")]
    users.extra = [{"id": "oid-2", "userPrincipalName": None, "mail": None}]

    assert find(connected, "sam@x.example")["sam@x.example"].remote_id == "oid-1"


@pytest.mark.parametrize("strange", [{}, {"id": None}, {"id": 7}, {"id": ""}, {"id": "x" * 101}, {"id": "a\x00"}])
def test_a_malformed_row_is_an_unusable_answer(connected, users, strange):
    users.extra = [{"userPrincipalName": "sam@x.example", **strange}]

    with pytest.raises(PlatformError) as failure:
        find(connected, "sam@x.example")

    assert failure.value.kind == ErrorKind.UNUSABLE


def test_a_failed_batch_item_fails_the_lookup(connected, users, monkeypatch):
    answers = users.answer_item
    refused = {"status": 503, "body": {"error": {"code": "UnknownError"}}}
    monkeypatch.setattr(
        users, "answer_item", lambda item: {"id": "1", **refused} if item["id"] == "1" else answers(item)
    )

    with pytest.raises(PlatformError) as failure:
        find(connected, *[f"user{number}@x.example" for number in range(30)])

    assert failure.value.kind == ErrorKind.OUTAGE


def test_a_batch_item_with_a_next_page_is_read_to_its_end(connected, users):
    following = f"{ROOT}/users?$skiptoken=2"
    users.server.get(following, json={"value": [row(1, "sam@x.example")]})
    users.answer_item = lambda item: {
        "id": item["id"],
        "status": 200,
        "body": {"value": [], "@odata.nextLink": following},
    }

    assert find(connected, "sam@x.example")["sam@x.example"].remote_id == "oid-1"


def test_fifteen_names_go_into_a_filter_and_twenty_filters_into_a_request(connected, users):
    names = [f"user{number}@x.example" for number in range(300)]
    users.rows = [row(number, name) for number, name in enumerate(names)]

    found = find(connected, *names)

    assert [condition.count("@") for condition in users.filters] == [15] * 20
    assert all(answer.remote_id for answer in found.values())


def test_a_few_missing_names_cost_one_more_request(connected, users):
    names = [f"user{number}@x.example" for number in range(1200)]
    users.rows = [row(number, name) for number, name in enumerate(names) if number % 20]

    found = find(connected, *names)

    assert len(users.server.calls) == 1200 // 300 + 1
    assert sum(answer.reason == MatchReason.NOT_FOUND for answer in found.values()) == 60


def test_text_that_the_database_cannot_store_is_cleaned(connected, users):
    users.rows = [row(1, "sam@x.example", displayName="Sam\x00\n" + "x" * 400)]

    name = find(connected, "sam@x.example")["sam@x.example"].name

    assert name == "Sam" + "x" * 297


# --- what a row tells -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "is_guest"),
    [
        ({"userPrincipalName": "a_b#EXT#@x.example"}, True),
        ({"userPrincipalName": "a_b#EXT#@x.example", "userType": "Member"}, False),
        ({"userPrincipalName": "a@x.example", "userType": "Guest"}, True),
        ({"userPrincipalName": "a@x.example"}, False),
    ],
)
def test_guests_are_found_by_their_user_type(fields, is_guest):
    user = read_user({"id": "1", **fields})

    assert user is not None
    assert user.is_guest is is_guest


@pytest.mark.parametrize(
    ("plans", "is_licensed"),
    [
        (None, None),
        ([], False),
        ([{"service": "TeamspaceAPI", "capabilityStatus": "Enabled"}], True),
        ([{"service": "TeamspaceAPI", "capabilityStatus": "Warning"}], True),
        ([{"service": "TeamspaceAPI", "capabilityStatus": "Suspended"}], False),
        ([{"service": "exchange", "capabilityStatus": "Enabled"}], False),
        (["?", {}], False),
    ],
)
def test_licences_are_read_from_the_assigned_plans(plans, is_licensed):
    user = read_user({"id": "1", "userPrincipalName": "a@x.example", "assignedPlans": plans})

    assert user is not None
    assert user.is_licensed is is_licensed


def test_addresses_are_the_main_and_the_smtp_addresses():
    user = read_user(
        {
            "id": "1",
            "userPrincipalName": "a@x.example",
            "mail": "A.B@x.example",
            "proxyAddresses": ["SMTP:A.B@x.example", "smtp:ab@x.example", "sip:a@x.example", None],
        }
    )

    assert user is not None
    assert user.addresses == {"a.b@x.example", "ab@x.example"}
