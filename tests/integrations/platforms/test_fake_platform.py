"""The fake platform keeps the contract of `VideoPlatform`."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction

from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryResult, MatchReason, MeetingSpec, PlatformError
from tests.integrations.fake_platform import SERVICE_ACCOUNT, FakePlatform, outage

CONNECTION = Connection(pk=1)


def make_spec(**fields: object) -> MeetingSpec:
    values: dict[str, object] = {
        "key": uuid4(),
        "organizer_id": SERVICE_ACCOUNT,
        "subject": "Mortgage review",
        "starts_at": datetime(2027, 3, 1, 9, tzinfo=UTC),
        "ends_at": datetime(2027, 3, 1, 10, tzinfo=UTC),
    }
    return MeetingSpec(**(values | fields))  # type: ignore[arg-type]


def test_a_repeated_create_returns_the_meeting_unchanged(fake_teams: FakePlatform) -> None:
    spec = make_spec()
    first = fake_teams.create_meeting(CONNECTION, spec, may_exist=True)

    again = fake_teams.create_meeting(CONNECTION, make_spec(key=spec.key, subject="Something else"), may_exist=True)

    assert again == first


def test_an_update_keeps_the_link(fake_teams: FakePlatform) -> None:
    spec = make_spec()
    made = fake_teams.create_meeting(CONNECTION, spec, may_exist=True)

    fake_teams.update_meeting(CONNECTION, made.remote_id, make_spec(key=spec.key, subject="Moved"))

    read = fake_teams.read_meeting(CONNECTION, SERVICE_ACCOUNT, made.remote_id)
    assert (read.subject, read.join_url) == ("Moved", made.join_url)


def test_a_deleted_meeting_is_gone_and_a_second_delete_succeeds(fake_teams: FakePlatform) -> None:
    made = fake_teams.create_meeting(CONNECTION, make_spec(), may_exist=True)
    fake_teams.delete_meeting(CONNECTION, SERVICE_ACCOUNT, made.remote_id)
    fake_teams.delete_meeting(CONNECTION, SERVICE_ACCOUNT, made.remote_id)

    with pytest.raises(PlatformError) as refusal:
        fake_teams.read_meeting(CONNECTION, SERVICE_ACCOUNT, made.remote_id)

    assert refusal.value.kind == ErrorKind.GONE


def test_a_recreated_meeting_has_another_link(fake_teams: FakePlatform) -> None:
    spec = make_spec()
    made = fake_teams.create_meeting(CONNECTION, spec, may_exist=True)
    fake_teams.delete_meeting(CONNECTION, SERVICE_ACCOUNT, made.remote_id)

    again = fake_teams.create_meeting(CONNECTION, spec, may_exist=True)

    assert again.join_url != made.join_url


def test_every_name_gets_a_result_ignoring_case(fake_teams: FakePlatform) -> None:
    sam = fake_teams.knows("Sam@contoso.example")

    answers = fake_teams.find(["sam@Contoso.example", "nobody@contoso.example"])

    assert answers == {
        "sam@Contoso.example": sam,
        "nobody@contoso.example": DirectoryResult(reason=MatchReason.NOT_FOUND),
    }


def test_a_failure_before_the_write_changes_nothing(fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage())

    with pytest.raises(PlatformError):
        fake_teams.create_meeting(CONNECTION, make_spec(), may_exist=True)

    assert fake_teams.meetings == {}


def test_a_failure_after_the_write_leaves_the_meeting(fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), after=True)

    with pytest.raises(PlatformError):
        fake_teams.create_meeting(CONNECTION, make_spec(), may_exist=True)

    assert list(fake_teams.meetings) == ["remote-1"]


def test_it_refuses_to_be_called_inside_a_transaction(fake_teams: FakePlatform) -> None:
    with transaction.atomic(), pytest.raises(AssertionError, match="inside a transaction"):
        fake_teams.create_meeting(CONNECTION, make_spec(), may_exist=True)
