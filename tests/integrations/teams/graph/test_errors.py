"""Graph's error responses and their error kinds."""

from __future__ import annotations

import pytest

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import MatchReason
from integrations.teams.graph.errors import Area, Refusal, area_of, error_of

DIRECTORY, ORGANIZER, MEETING = Area.DIRECTORY, Area.ORGANIZER, Area.MEETING
EVERYWHERE = (DIRECTORY, ORGANIZER, MEETING)
NO_HOST_PERMISSION = "No application access policy found for this app"


@pytest.mark.parametrize(
    ("areas", "status", "code", "message", "kind", "reason"),
    [
        (EVERYWHERE, 401, "InvalidAuthenticationToken", "Access token has expired.", "connection", None),
        (EVERYWHERE, 401, "", "", "connection", None),
        (
            EVERYWHERE,
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow.",
            "bug",
            None,
        ),
        ((MEETING,), 400, "BadRequest", "Meeting Id is corrupted.", "bug", None),
        ((MEETING,), 400, "InvalidArgument", "", "bug", None),
        ((MEETING,), 400, "BadRequest", "1026: An error has occurred.", "bug", None),
        ((DIRECTORY,), 400, "Request_UnsupportedQuery", "Too many child clauses", "bug", None),
        (EVERYWHERE, 403, "Authorization_RequestDenied", "Insufficient privileges", "connection", None),
        ((DIRECTORY,), 403, "Forbidden", "", "connection", None),
        (
            (ORGANIZER, MEETING),
            403,
            "Forbidden",
            NO_HOST_PERMISSION,
            "person",
            MatchReason.NO_HOST_PERMISSION,
        ),
        (
            (ORGANIZER,),
            403,
            "General",
            f"{NO_HOST_PERMISSION} c0c0 on the user [1]",
            "person",
            MatchReason.NO_HOST_PERMISSION,
        ),
        (
            (ORGANIZER,),
            403,
            "Unauthorized",
            "App c0c0 is not authorized to Create meeting on behalf of user 1",
            "person",
            MatchReason.NO_HOST_PERMISSION,
        ),
        (
            (MEETING,),
            403,
            "Forbidden",
            "3003: User does not have access to lookup meeting",
            "person",
            MatchReason.REFUSED,
        ),
        ((ORGANIZER,), 403, "Forbidden", "", "person", MatchReason.REFUSED),
        ((ORGANIZER,), 403, "Forbidden", "insufficient permissions", "person", MatchReason.REFUSED),
        (
            (ORGANIZER,),
            403,
            "Forbidden",
            "9024: TeamsMeetingProcessorException",
            "person",
            MatchReason.NO_LICENCE,
        ),
        (EVERYWHERE, 403, "insufficient_claims", "", "connection", None),
        (
            EVERYWHERE,
            403,
            "AuthenticationError",
            "Error authenticating with resource",
            "connection",
            None,
        ),
        ((ORGANIZER,), 404, "Request_ResourceNotFound", "does not exist", "person", MatchReason.NOT_FOUND),
        ((ORGANIZER,), 404, "UnknownError", "", "person", MatchReason.REFUSED),
        ((MEETING,), 404, "NotFound", "3004: Specified meeting is not found", "gone", None),
        ((MEETING,), 404, "UnknownError", "", "gone", None),
        (EVERYWHERE, 409, "Conflict", "", "outage", None),
        (EVERYWHERE, 412, "", "", "outage", None),
        (EVERYWHERE, 423, "Locked", "", "outage", None),
        (EVERYWHERE, 429, "TooManyRequests", "Please retry again later.", "throttled", None),
        (EVERYWHERE, 500, "InternalServerError", "", "outage", None),
        (EVERYWHERE, 503, "serviceNotAvailable", "", "outage", None),
        (EVERYWHERE, 504, "UnknownError", "", "outage", None),
        (EVERYWHERE, 418, "Teapot", "", "bug", None),
    ],
)
def test_each_refusal_has_an_error_kind(areas, status, code, message, kind, reason):
    errors = [error_of(Refusal(status, area, code, message)) for area in areas]

    assert [(error.kind, error.reason) for error in errors] == [(kind, reason)] * len(areas)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "bug"), (414, "bug"), (401, "connection"), (429, "throttled")]
    + [(status, "outage") for status in (302, 403, 404, 407, 500, 502, 503)],
)
def test_most_errors_of_a_gateway_are_outages(status, kind):
    error = error_of(Refusal(status, MEETING, is_graph_error=False))

    assert error.kind == kind


@pytest.mark.parametrize(
    ("status", "is_write", "ambiguous"),
    [
        (500, True, True),
        (504, True, True),
        (408, True, True),
        (500, False, False),
        (409, True, False),
        (429, True, False),
        (403, True, False),
    ],
)
def test_only_a_write_that_may_have_been_executed_is_ambiguous(status, is_write, ambiguous):
    assert error_of(Refusal(status, MEETING, is_write=is_write)).ambiguous is ambiguous


def test_the_error_has_the_request_id_and_the_pause():
    error = error_of(Refusal(429, MEETING, request_id="an-id", retry_after=12.0))

    assert (error.request_id, error.retry_after) == ("an-id", 12.0)


def test_messages_say_who_does_what():
    refused = error_of(Refusal(401, MEETING))
    throttled = error_of(Refusal(429, MEETING))

    assert "An admin chooses Actions > Reauthorize" in str(refused)
    assert str(throttled) == "Microsoft asked Coconut to wait. Coconut continues automatically."


def test_every_kind_that_graph_can_cause_is_in_the_table():
    answers = {error_of(Refusal(status, area)).kind for status in (202, 401, 403, 404, 418, 429, 500) for area in Area}

    assert answers == set(ErrorKind) - {ErrorKind.OPERATOR, ErrorKind.ENDED}


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/users", DIRECTORY),
        ("/users/$count", DIRECTORY),
        ("/me", DIRECTORY),
        ("/me/onlineMeetings", ORGANIZER),
        ("/users/1/onlineMeetings/createOrGet", ORGANIZER),
        ("/me/onlineMeetings/MSo1", MEETING),
    ],
)
def test_each_path_has_an_area(path, area):
    assert area_of(path) is area
