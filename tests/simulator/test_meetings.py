"""Graph online meetings, including Graph's surprising responses."""

import datetime as dt
from urllib.parse import quote

import pytest

from simulator import people
from simulator.app_registration import CLIENT_ID
from simulator.people import CONTOSO_ID

TIMES = {"startDateTime": "2026-12-01T15:00:00Z", "endDateTime": "2026-12-01T15:30:00Z"}
MY_MEETINGS = "/me/onlineMeetings"


@pytest.fixture
def token(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT)


@pytest.fixture
def sam(simulator):
    return simulator.person("sam@maple.example")["id"]


@pytest.fixture
def app(simulator):
    return simulator.app_token()


def create_or_get(simulator, token, root=MY_MEETINGS, **body):
    return simulator.graph(token, "POST", f"{root}/createOrGet", json={"externalId": "e-1", **TIMES, **body})


def patch(simulator, token, meeting, root=MY_MEETINGS, headers=None, **body):
    path = f"{root}/{quote(meeting['id'], safe='')}"
    return simulator.graph(token, "PATCH", path, json=body, headers=headers or {})


def error(response) -> tuple[int, str, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


def attendee(oid: str, role: str = "coorganizer") -> dict[str, object]:
    return {"identity": {"user": {"id": oid}}, "upn": "sam@maple.example", "role": role}


def test_create_or_get_creates_a_meeting_once(simulator, token):
    first = create_or_get(simulator, token, subject="First")
    second = create_or_get(simulator, token, subject="Second")

    assert (first.status_code, second.status_code) == (201, 200)
    assert (second.json()["id"], second.json()["subject"]) == (first.json()["id"], "First")
    assert simulator.state("counters") == {"createOrGet": 2, "createOrGet.created": 1}


def test_the_join_link_opens_a_page_of_the_simulator(simulator, token):
    meeting = create_or_get(simulator, token, subject="Mortgage review").json()

    page = simulator.http.get(meeting["joinWebUrl"])

    assert meeting["joinWebUrl"].startswith(f"{simulator.url}/meet/")
    assert "<h1>Mortgage review</h1>" in page.text


def test_a_join_link_without_its_passcode_is_404(simulator, token):
    link = create_or_get(simulator, token).json()["joinWebUrl"]

    assert simulator.http.get(link.partition("?")[0]).status_code == 404


def test_the_service_account_is_the_organizer(simulator, token):
    organizer = create_or_get(simulator, token).json()["participants"]["organizer"]

    account = simulator.person(people.SERVICE_ACCOUNT)
    user = organizer["identity"]["user"]
    assert (organizer["upn"], user["id"], user["tenantId"]) == (
        people.SERVICE_ACCOUNT,
        account["id"],
        CONTOSO_ID,
    )


def test_an_external_id_belongs_to_its_organizer(simulator, token, app, sam):
    simulator.control("policy")

    service_account = create_or_get(simulator, token)
    staff_member = create_or_get(simulator, app, f"/users/{sam}/onlineMeetings")

    assert (service_account.status_code, staff_member.status_code) == (201, 201)


def test_create_or_get_ignores_meeting_options(simulator, token):
    lobby = create_or_get(simulator, token, lobbyBypassSettings={"scope": "everyone"}).json()["lobbyBypassSettings"]

    assert lobby["scope"] == "organization"


def test_create_or_get_without_times_lasts_an_hour_from_now(simulator, token):
    body = create_or_get(simulator, token, startDateTime=None, endDateTime=None).json()

    start, end = (dt.datetime.fromisoformat(body[name]) for name in ("startDateTime", "endDateTime"))
    assert end - start == dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "times",
    [
        {"startDateTime": None},
        {"endDateTime": "2026-12-01T14:00:00Z"},
        {"startDateTime": "2026-12-01T15:00:00"},
        {"startDateTime": "tomorrow"},
    ],
)
def test_invalid_times_are_rejected(simulator, token, times):
    response = create_or_get(simulator, token, **times)

    assert error(response)[:2] == (400, "BadRequest")
    assert simulator.state("meetings") == []


def test_create_or_get_needs_an_external_id(simulator, token):
    assert create_or_get(simulator, token, externalId="").status_code == 400


def test_a_plain_create_rejects_an_external_id(simulator, token):
    rejected = simulator.graph(token, "POST", MY_MEETINGS, json={**TIMES, "externalId": "e-1"})
    created = simulator.graph(token, "POST", MY_MEETINGS, json=TIMES)

    assert (rejected.status_code, created.status_code) == (400, 201)


def test_times_are_returned_in_utc(simulator, token):
    body = create_or_get(simulator, token, startDateTime="2026-12-01T16:00:00.5+02:00").json()

    assert body["startDateTime"] == "2026-12-01T14:00:00.5Z"


def test_a_patch_moves_and_keeps_the_link(simulator, token):
    meeting = create_or_get(simulator, token).json()

    moved = patch(
        simulator,
        token,
        meeting,
        startDateTime="2026-12-02T09:00:00Z",
        endDateTime="2026-12-02T09:30:00Z",
    ).json()

    assert moved["startDateTime"] == "2026-12-02T09:00:00Z"
    assert moved["joinWebUrl"] == meeting["joinWebUrl"]


def test_a_move_needs_both_times(simulator, token):
    meeting = create_or_get(simulator, token).json()

    assert patch(simulator, token, meeting, startDateTime="2026-12-01T15:10:00Z").status_code == 400


def test_a_list_of_attendees_replaces_the_old_list_and_a_missing_list_keeps_it(simulator, token, sam):
    ben = simulator.person("ben@maple.example")["id"]
    meeting = create_or_get(simulator, token, participants={"attendees": [attendee(sam)]}).json()

    kept = patch(simulator, token, meeting, subject="Renamed").json()
    replaced = patch(simulator, token, meeting, participants={"attendees": [attendee(ben)]}).json()

    assert attendee_ids(kept) == [sam]
    assert attendee_ids(replaced) == [ben]


def attendee_ids(meeting) -> list[str]:
    return [entry["identity"]["user"]["id"] for entry in meeting["participants"]["attendees"]]


def test_newer_enum_members_need_the_prefer_header(simulator, token, sam):
    meeting = create_or_get(simulator, token).json()
    changes = {
        "participants": {"attendees": [attendee(sam)]},
        "lobbyBypassSettings": {"scope": "invited"},
    }

    without_header = patch(simulator, token, meeting, **changes).json()
    with_header = patch(simulator, token, meeting, headers={"Prefer": "include-unknown-enum-members"}, **changes).json()

    assert visible_members(without_header) == ("unknownFutureValue", "unknownFutureValue")
    assert visible_members(with_header) == ("coorganizer", "invited")


def visible_members(meeting) -> tuple[str, str]:
    return meeting["participants"]["attendees"][0]["role"], meeting["lobbyBypassSettings"]["scope"]


@pytest.mark.parametrize(
    "body",
    [
        {"lobbyBypassSettings": {"scope": "nobody"}},
        {"allowedPresenters": "cat"},
        {"participants": {"attendees": [{"upn": "guest@client.example", "role": "coorganizer"}]}},
        {"joinMeetingIdSettings": {"isPasscodeRequired": False}},
        {"shoeSize": 43},
        {"participants": []},
    ],
)
def test_unknown_or_immutable_values_are_rejected(simulator, token, body):
    meeting = create_or_get(simulator, token).json()

    assert patch(simulator, token, meeting, **body).status_code == 400


def test_a_deleted_meeting_is_404_and_its_join_page_says_cancelled(simulator, token):
    meeting = create_or_get(simulator, token).json()
    path = f"{MY_MEETINGS}/{quote(meeting['id'], safe='')}"

    deleted = simulator.graph(token, "DELETE", path)

    repeated = simulator.graph(token, "DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert error(repeated) == (404, "NotFound", "3004: Specified meeting is not found")
    assert "This meeting was cancelled" in simulator.http.get(meeting["joinWebUrl"]).text


def test_the_external_id_of_a_deleted_meeting_creates_a_new_meeting(simulator, token):
    meeting = create_or_get(simulator, token).json()
    simulator.control("delete-meeting", id=meeting["id"])

    again = create_or_get(simulator, token)

    assert again.status_code == 201
    assert again.json()["id"] != meeting["id"]


def test_a_corrupted_id_is_a_bad_request(simulator, token):
    assert error(simulator.graph(token, "GET", f"{MY_MEETINGS}/nonsense")) == (
        400,
        "BadRequest",
        "Meeting Id is corrupted.",
    )


def test_creating_needs_the_permission(simulator):
    token = simulator.user_token(people.SERVICE_ACCOUNT, "User.Read")

    assert create_or_get(simulator, token).status_code == 403


def test_an_app_cannot_create_meetings_under_me(simulator, app):
    assert error(create_or_get(simulator, app))[:2] == (400, "BadRequest")


def test_an_app_without_a_policy_is_forbidden(simulator, app, sam):
    response = create_or_get(simulator, app, f"/users/{sam}/onlineMeetings")

    assert error(response) == (
        403,
        "Forbidden",
        f"No application access policy found for this app {CLIENT_ID} on the user [{sam}]",
    )


@pytest.mark.parametrize("grant", [{}, {"user": "sam@maple.example"}])
def test_a_global_or_personal_policy_allows_the_app(simulator, app, sam, grant):
    simulator.control("policy", **grant)

    assert create_or_get(simulator, app, f"/users/{sam}/onlineMeetings").status_code == 201


def test_a_personal_policy_overrides_the_global_one(simulator, app, sam):
    simulator.control("policy")
    simulator.control("other-policy", user="sam@maple.example")

    assert create_or_get(simulator, app, f"/users/{sam}/onlineMeetings").status_code == 403


def test_a_policy_takes_effect_after_its_delay(simulator, app, sam):
    simulator.control("policy", delay=3600)

    assert create_or_get(simulator, app, f"/users/{sam}/onlineMeetings").status_code == 403


def test_a_user_name_in_the_path_is_404_unknown_error(simulator, app):
    simulator.control("policy")

    response = create_or_get(simulator, app, "/users/sam@maple.example/onlineMeetings")

    assert error(response) == (404, "UnknownError", "")


def test_a_person_cannot_create_meetings_for_another_person(simulator, token, sam):
    assert create_or_get(simulator, token, f"/users/{sam}/onlineMeetings").status_code == 403


@pytest.mark.parametrize(
    ("behaviour", "status", "has_message"),
    [("forbidden", 403, True), ("empty", 403, False), ("not_found", 404, False)],
)
def test_an_organizer_without_licence_gets_the_selected_error(simulator, token, behaviour, status, has_message):
    simulator.control("behaviour", unlicensed_answer=behaviour)
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=False)

    code, _, message = error(create_or_get(simulator, token))

    assert (code, bool(message)) == (status, has_message)


def test_a_guest_cannot_organize(simulator, app):
    simulator.control("policy")
    guest = simulator.person(people.GUEST)["id"]

    assert create_or_get(simulator, app, f"/users/{guest}/onlineMeetings").status_code == 403


def join_link(oid: str) -> str:
    context = quote(f'{{"Tid":"{CONTOSO_ID}","Oid":"{oid}"}}', safe="")
    return f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_QUJD%40thread.v2/0?context={context}"


def find_by_link(simulator, token, oid, link):
    params = {"$filter": f"JoinWebUrl eq '{link}'"}
    return simulator.graph(token, "GET", f"/users/{oid}/onlineMeetings", params=params)


def test_a_lookup_reveals_whether_a_policy_allows_the_app(simulator, app, sam):
    before = find_by_link(simulator, app, sam, join_link(sam))
    simulator.control("policy")
    after = find_by_link(simulator, app, sam, join_link(sam))

    assert error(before)[:2] == (403, "Forbidden")
    assert error(after) == (404, "NotFound", "3004: Specified meeting is not found")


def test_a_lookup_miss_can_also_be_an_empty_list(simulator, app, sam):
    simulator.control("policy")
    simulator.control("behaviour", lookup_miss="empty")

    assert find_by_link(simulator, app, sam, join_link(sam)).json() == {"value": []}


def test_a_malformed_link_is_rejected_before_the_policy_check(simulator, app, sam):
    assert error(find_by_link(simulator, app, sam, "https://nonsense")) == (
        400,
        "BadRequest",
        "1026: An error has occurred.",
    )


def test_only_its_organizer_finds_a_meeting_by_link(simulator, token, app, sam):
    simulator.control("policy")
    meeting = create_or_get(simulator, app, f"/users/{sam}/onlineMeetings").json()
    ben = simulator.person("ben@maple.example")["id"]

    own = find_by_link(simulator, app, sam, meeting["joinWebUrl"]).json()["value"]
    other = find_by_link(simulator, app, ben, meeting["joinWebUrl"])

    assert [row["id"] for row in own] == [meeting["id"]]
    assert error(other) == (403, "Forbidden", "3003: User does not have access to lookup meeting")


def test_meetings_cannot_be_listed(simulator, token):
    assert error(simulator.graph(token, "GET", MY_MEETINGS))[:2] == (400, "InvalidArgument")


@pytest.mark.parametrize(("behaviour", "status"), [("not_found", 404), ("forbidden", 403)])
def test_meetings_of_a_deleted_organizer_are_refused(simulator, app, sam, behaviour, status):
    simulator.control("policy")
    simulator.control("behaviour", deleted_organizer=behaviour)
    simulator.control("person", user="sam@maple.example", delete=True)

    response = simulator.graph(app, "GET", f"/users/{sam}/onlineMeetings/MSo1")

    assert response.status_code == status
