"""Settings > Audit log: the list, its filter and the CSV file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.urls import reverse

from staff.audit_log import search
from staff.audit_log.kinds import AUDIT_LOG_EXPORTED, ROLE_CHANGED, SIGN_IN_FAILED, SIGNED_IN, SIGNED_OUT, AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.record import new_event
from staff.models import StaffMember
from tests.audit_log import event_of
from tests.factories import make_staff

PAGE = "/settings/audit-log/"
FILE = "/settings/audit-log/file/"
PROMOTED = [{"field": "role", "before": "staff", "after": "admin"}]


def add(kind: AuditKind, subject: StaffMember, at: datetime | None = None, **facts: Any) -> AuditEvent:
    event = new_event(kind, subject, **facts)
    if at is not None:
        event.at = at
    event.save()
    return event


def kinds_on(response) -> list[str]:
    return [entry.kind for entry in response.context["entries"]]


def cells_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def test_admins_open_it_from_settings(as_ada):
    assert f'href="{PAGE}"' in as_ada.get(reverse("settings")).text


def test_an_entry_has_actor_event_subject_and_details(as_ada, ada, sam):
    add(ROLE_CHANGED, sam, actor=ada, changes=PROMOTED)

    shown = as_ada.get(PAGE)

    entry = shown.context["entries"][0]
    assert (entry.actor, entry.kind, entry.subject) == ("Ada Lovell", "Role changed", "Sam Okafor")
    assert "Role: Staff member → Admin" in shown.text
    assert f'href="{reverse("staff-edit", args=[sam.pk])}">Sam Okafor</a>' in shown.text


def test_an_entry_says_whether_a_stranger_or_coconut_acted(as_ada, sam):
    add(SIGN_IN_FAILED, sam)
    AuditEvent.objects.bulk_create([AuditEvent(organization=sam.organization, kind="sign_in_failed", address="::1")])

    actors = [entry.actor for entry in as_ada.get(PAGE, {"kind": "sign_in_failed"}).context["entries"]]

    assert actors == ["Not signed in", "Coconut"]


def test_the_newest_entry_comes_first(as_ada, sam):
    add(SIGNED_IN, sam)
    add(SIGNED_OUT, sam)

    assert kinds_on(as_ada.get(PAGE))[:2] == ["Signed out", "Signed in"]


def test_entries_of_another_organisation_are_not_shown(as_ada, otto):
    add(ROLE_CHANGED, otto)

    assert "Role changed" not in kinds_on(as_ada.get(PAGE))


def test_the_list_is_filtered_by_kind(as_ada, sam):
    add(SIGNED_IN, sam)
    add(SIGNED_OUT, sam)

    assert kinds_on(as_ada.get(PAGE, {"kind": "signed_out"})) == ["Signed out"]


def test_a_person_is_found_as_actor_and_as_subject(as_ada, ada, sam, sky):
    add(ROLE_CHANGED, sky, actor=sam)
    add(SIGN_IN_FAILED, sam)
    add(SIGNED_OUT, sky, actor=sky)

    assert kinds_on(as_ada.get(PAGE, {"q": "okafor"})) == ["Sign-in failed", "Role changed"]


def test_a_name_that_more_people_have_than_are_searched_says_so(as_ada, sam, sky, monkeypatch):
    monkeypatch.setattr(search, "MOST_PEOPLE", 1)
    add(SIGNED_OUT, sam)

    many, one = as_ada.get(PAGE, {"q": "s"}), as_ada.get(PAGE, {"q": "okafor"})

    sentence = "More than 1 people match. Type more of the name."
    assert (sentence in many.text, sentence in one.text) == (True, False)


def test_an_empty_list_says_that_too_many_people_match_too(as_ada, sam, sky, monkeypatch):
    monkeypatch.setattr(search, "MOST_PEOPLE", 1)

    shown = as_ada.get(PAGE, {"q": "s", "kind": "signed_out"})

    assert "More than 1 people match. Type more of the name." in shown.text


def test_an_unknown_person_has_no_entries(as_ada):
    shown = as_ada.get(PAGE, {"q": "zebulon"})

    assert "No entry matches this search." in shown.text


def test_the_period_covers_whole_days_of_the_readers_zone(as_ada, ada, sam):
    StaffMember.objects.filter(pk=ada.pk).update(time_zone="America/Halifax")
    add(ROLE_CHANGED, sam, at=datetime(2026, 3, 2, 3, 59, tzinfo=UTC))
    add(SIGNED_IN, sam, at=datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    add(SIGNED_OUT, sam, at=datetime(2026, 3, 3, 3, 59, tzinfo=UTC))
    add(SIGN_IN_FAILED, sam, at=datetime(2026, 3, 3, 4, 0, tzinfo=UTC))

    shown = as_ada.get(PAGE, {"first_day": "2026-03-02", "last_day": "2026-03-02"})

    assert kinds_on(shown) == ["Signed out", "Signed in"]


@pytest.mark.parametrize(
    "invalid",
    [{"first_day": "yesterday"}, {"last_day": "9999-12-31"}, {"kind": "nothing"}, {"page": "x"}, {"q": "\0"}],
)
def test_an_invalid_filter_is_ignored(invalid, as_ada):
    assert kinds_on(as_ada.get(PAGE, invalid)) == ["Signed in"]


def test_the_list_has_pages(as_ada, sam):
    for _ in range(30):
        add(SIGNED_OUT, sam)

    first, second = as_ada.get(PAGE), as_ada.get(PAGE, {"page": "2"})

    assert (len(kinds_on(first)), len(kinds_on(second))) == (25, 6)


def test_a_list_that_was_cut_says_how_to_see_the_rest(as_ada, sam, monkeypatch):
    monkeypatch.setattr("staff.audit_log.views.MOST_SHOWN", 2)
    for _ in range(3):
        add(SIGNED_OUT, sam)

    shown = as_ada.get(PAGE)

    assert kinds_on(shown) == ["Signed out"] * 2
    assert "The list ends after the newest 2 entries." in shown.text
    assert search.MOST_SHOWN == 10_000


@pytest.mark.parametrize("rows", [3, 20])
def test_the_list_takes_a_constant_number_of_queries(rows, as_ada, maple, django_assert_num_queries):
    for person in make_staff(maple, rows):
        add(ROLE_CHANGED, person, actor=person, changes=PROMOTED)

    with django_assert_num_queries(6):
        as_ada.get(PAGE)


def test_the_file_has_all_matching_entries(as_ada, ada, sam):
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    add(ROLE_CHANGED, sam, at=at, actor=ada, changes=PROMOTED)
    add(SIGNED_IN, sam)

    heading, *rows = cells_of(as_ada.get(FILE, {"kind": "role_changed"}))

    assert heading == ["Time", "Person", "Event", "About", "Details", "IP address"]
    assert rows == [
        ["2026-03-02T09:30:00+00:00", "Ada Lovell", "Role changed", "Sam Okafor", "Role: Staff member → Admin", ""]
    ]


def test_a_formula_in_a_name_is_text_in_the_file(as_ada, ada, sam):
    StaffMember.objects.filter(pk=sam.pk).update(first_name="=HYPERLINK(1)", last_name="")
    sam.refresh_from_db()
    add(ROLE_CHANGED, sam, changes=PROMOTED)

    _heading, row = cells_of(as_ada.get(FILE, {"kind": "role_changed"}))

    assert row[3] == "'=HYPERLINK(1)"


def test_the_file_streams_more_entries_than_one_chunk(as_ada, sam, monkeypatch):
    monkeypatch.setattr("staff.audit_log.csv_file.CHUNK_SIZE", 2)
    for _ in range(5):
        add(SIGNED_OUT, sam)

    assert len(cells_of(as_ada.get(FILE, {"kind": "signed_out"}))) == 6


def test_a_download_is_recorded(as_ada, ada, maple):
    as_ada.get(FILE)

    event = event_of(AUDIT_LOG_EXPORTED)
    assert (event.actor, event.organization) == (ada, maple)


def test_an_entry_of_a_kind_that_is_not_installed_shows_its_name(as_ada, sam):
    add(AuditKind("zoom_unlocked", "Unlocked"), sam)

    assert kinds_on(as_ada.get(PAGE))[0] == "zoom_unlocked"
