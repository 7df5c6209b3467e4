"""Automatic rematches: the receivers that request a sweep, and the sweep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from coconut.leases import only_worker
from integrations import tasks
from integrations.matching import people
from integrations.matching.people import rematch_changed_staff, request_rematch
from integrations.matching.rematch_runs import start_run
from integrations.models import Connection, ConnectionStatus, MatchField, MatchStatus, RematchTrigger, UserMatch
from services.models import ServiceAssignment
from staff.models import StaffMember
from tests.factories import (
    make_connection,
    make_match,
    make_member,
    make_organization,
    make_service,
    make_staff,
)
from tests.integrations.fake_platform import FakePlatform, outage

pytestmark = pytest.mark.django_db

Sent = list[tuple[object, ...]]
SWEEP = ("integrations.rematch_changed_staff",)


# --- The article's three occasions ------------------------------------------------------------------
def test_a_new_staff_member_is_rematched(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)

    with django_capture_on_commit_callbacks(execute=True):
        make_member(maple)

    assert sent_tasks == [SWEEP]


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_staff_member_whose_email_or_username_is_updated_is_rematched(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    field: str,
) -> None:
    maple = make_organization()
    make_connection(maple)
    sam = StaffMember.objects.get(pk=make_staff(maple, 1)[0].pk)

    with django_capture_on_commit_callbacks(execute=True):
        setattr(sam, field, "new@maple.example")
        sam.save()

    assert sent_tasks == [SWEEP]


@pytest.mark.parametrize("way", ["assignment", "service.staff", "member.services"])
def test_a_staff_member_who_is_assigned_to_a_service_is_rematched(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    way: str,
) -> None:
    maple = make_organization()
    make_connection(maple)
    sam = make_staff(maple, 1)[0]
    service = make_service(maple)

    with django_capture_on_commit_callbacks(execute=True):
        if way == "assignment":
            ServiceAssignment.objects.create(service=service, staff=sam)
        elif way == "service.staff":
            service.staff.set([sam])
        else:
            sam.services.add(service)

    assert sent_tasks == [SWEEP]


def test_an_ordinary_save_requests_nothing_and_costs_no_query(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)
    sam = StaffMember.objects.get(pk=make_staff(maple, 1)[0].pk)
    sam.first_name = "Samuel"

    with django_assert_num_queries(1), django_capture_on_commit_callbacks(execute=True) as callbacks:
        sam.save(update_fields=["first_name"])

    assert (callbacks, sent_tasks) == ([], [])


def test_a_save_of_all_fields_costs_one_query_and_requests_a_sweep(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)
    sam = StaffMember.objects.get(pk=make_staff(maple, 1)[0].pk)

    with django_assert_num_queries(2), django_capture_on_commit_callbacks(execute=True):
        sam.save()

    assert sent_tasks == [SWEEP]


def test_a_save_after_a_rename_requests_one_sweep(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)
    sam = make_staff(maple, 1)[0]

    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            sam.email = "new@maple.example"
            sam.save()

    assert sent_tasks == [SWEEP]


def test_many_changes_of_one_transaction_are_one_task(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)
    service = make_service(maple)

    with django_capture_on_commit_callbacks(execute=True):
        people = [make_member(maple, name) for name in ("Sam Okafor", "Sky Ito", "Ada Moreau")]
        service.staff.set(people)

    assert sent_tasks == [SWEEP]


def test_very_many_people_are_one_task_and_several_sweeps(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    make_connection(maple)
    ids = [member.pk for member in make_staff(maple, 1001)]

    with django_capture_on_commit_callbacks(execute=True):
        request_rematch(ids)

    assert sent_tasks == [SWEEP]
    assert [rematch_changed_staff() for _ in range(3)] == [1000, 1, 0]


@pytest.mark.parametrize("status", [None, ConnectionStatus.DISCONNECTED])
def test_without_a_connection_no_task_is_sent(
    fake_teams: FakePlatform,
    sent_tasks: Sent,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    status: str | None,
) -> None:
    maple = make_organization()
    if status:
        make_connection(maple, status=status, is_default=False)

    with django_capture_on_commit_callbacks(execute=True):
        make_member(maple)

    assert sent_tasks == []


@pytest.mark.django_db(transaction=True)
def test_a_rollback_requests_nothing(fake_teams: FakePlatform, sent_tasks: Sent) -> None:
    maple = make_organization()
    make_connection(maple)

    with transaction.atomic():
        make_member(maple)
        transaction.set_rollback(True)

    assert sent_tasks == []


# --- The broker is down ------------------------------------------------------------------------------
def test_a_lost_task_leaves_the_person_due_with_the_last_status(
    fake_teams: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_staff(maple, 1)[0]
    make_match(connection, sam)
    fake_teams.knows(sam.email, name="Samuel")
    monkeypatch.setattr("coconut.task_queue.send_each", lambda *args, **options: False)

    with django_capture_on_commit_callbacks(execute=True):
        make_service(maple).staff.set([sam])
    waiting = UserMatch.objects.get().status
    rematch_changed_staff()

    assert waiting == MatchStatus.MATCHED
    assert UserMatch.objects.get().remote_name == "Samuel"


# --- The sweep --------------------------------------------------------------------------------------
def test_the_sweep_finds_people_added_or_renamed_in_bulk(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    new, renamed, settled, left = make_staff(maple, 4)
    for member in (renamed, settled, left):
        make_match(connection, member)
    StaffMember.objects.filter(pk=renamed.pk).update(email="renamed@maple.example")
    StaffMember.objects.filter(pk=left.pk).update(email="left@maple.example", is_active=False)

    due = rematch_changed_staff()

    assert due == 2
    assert fake_teams.queried == [[new.email, "renamed@maple.example"]]


def test_a_sweep_leaves_a_connection_to_the_sweep_that_is_at_work_on_it(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_staff(maple, 1)

    with only_worker(f"rematch-{connection.pk}"):
        rematch_changed_staff()
    during = fake_teams.queried[:]
    rematch_changed_staff()

    assert (during, len(fake_teams.queried)) == ([], 1)


def test_a_second_sweep_has_nothing_to_do(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    make_connection(maple)
    make_staff(maple, 3)
    rematch_changed_staff()

    assert (rematch_changed_staff(), fake_teams.calls["find"]) == (0, 1)


def test_the_sweep_compares_the_match_field_of_each_connection(fake_teams: FakePlatform) -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    by_email = make_connection(maple)
    by_username = make_connection(cedar, match_field=MatchField.USERNAME)
    sam, otto = make_staff(maple, 1)[0], make_staff(cedar, 1)[0]
    make_match(by_email, sam)
    make_match(by_username, otto, queried_name=otto.username)
    StaffMember.objects.filter(pk=sam.pk).update(username="another")
    StaffMember.objects.filter(pk=otto.pk).update(username="another")

    rematch_changed_staff()

    assert fake_teams.queried == [["another"]]


def test_one_person_on_two_connections_is_looked_up_on_both(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    make_connection(maple)
    make_connection(maple, "another account", is_default=False, match_field=MatchField.USERNAME)
    sam = make_staff(maple, 1)[0]

    rematch_changed_staff()

    assert sorted(fake_teams.queried) == [[sam.username], [sam.email]]


def test_a_person_without_a_user_name_is_due_only_once(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    make_connection(maple, match_field=MatchField.USERNAME)
    make_staff(maple, 2)
    StaffMember.objects.update(username="")
    rematch_changed_staff()

    assert rematch_changed_staff() == 0


def test_the_sweep_skips_a_connection_with_a_run_under_way(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_staff(maple, 2)
    start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)

    assert rematch_changed_staff() == 0


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": ConnectionStatus.NEEDS_REAUTHORIZATION},
        {"status": ConnectionStatus.DISCONNECTED, "is_default": False},
        {"paused_until": timezone.now() + timedelta(days=1)},
    ],
)
def test_the_sweep_skips_connections_that_cannot_work(fake_teams: FakePlatform, trouble: dict[str, Any]) -> None:
    maple = make_organization()
    make_connection(maple, **trouble)
    make_staff(maple, 2)

    assert (rematch_changed_staff(), fake_teams.calls) == (0, {})


def test_a_sweep_is_bounded_for_each_connection(fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.matching.people.BATCH", 2)
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    for organization in (maple, cedar):
        make_connection(organization)
        make_staff(organization, 5)

    rounds = [rematch_changed_staff() for _ in range(4)]

    assert rounds == [4, 4, 2, 0]


def test_an_outage_keeps_all_people_due(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    make_connection(maple)
    make_staff(maple, 2)
    fake_teams.fail("find", outage())

    rounds = [rematch_changed_staff() for _ in range(3)]

    assert rounds == [2, 2, 0]


def test_one_connection_in_trouble_does_not_stop_the_others(fake_teams: FakePlatform) -> None:
    for name in ("Maple Credit Union", "Cedar Bank"):
        organization = make_organization(name)
        make_connection(organization)
        make_staff(organization, 1)
    fake_teams.fail("find", outage())

    rematch_changed_staff()

    assert UserMatch.objects.count() == 1


def test_an_unexpected_error_on_one_connection_does_not_stop_the_others(
    fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, other = (make_connection(make_organization(name)) for name in ("Maple Credit Union", "Cedar Bank"))
    for connection in (poisoned, other):
        make_staff(connection.organization, 1)
    rematch = people.rematch_people

    def rematch_or_break(connection: Connection, staff_ids: Iterable[int]) -> None:
        if connection == poisoned:
            raise ValueError
        rematch(connection, staff_ids)

    monkeypatch.setattr(people, "rematch_people", rematch_or_break)

    rematch_changed_staff()

    assert list(UserMatch.objects.values_list("connection", flat=True)) == [other.pk]


def test_due_people_are_found_in_one_query(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    for member in make_staff(maple, 3):
        make_match(connection, member)

    with django_assert_num_queries(1):
        assert rematch_changed_staff() == 0


# --- The tasks --------------------------------------------------------------------------------------
def test_the_task_looks_people_up_on_every_connection_of_their_organisation(fake_teams: FakePlatform) -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    make_connection(maple)
    make_connection(maple, "another account", is_default=False)
    make_connection(cedar)
    sam = make_staff(maple, 1)[0]

    tasks.rematch_changed_staff()

    assert fake_teams.queried == [[sam.email], [sam.email]]


def test_the_task_of_a_run_works_on_it(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_staff(maple, 1)
    run = start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)

    tasks.work_on_rematch_run(run.pk)

    assert fake_teams.calls["find"] == 1
