"""Microsoft answers late, never, or with an invalid response. Each appointment still gets exactly one meeting."""

from __future__ import annotations

from email.message import EmailMessage
from itertools import pairwise
from typing import Any

from tests.faults import microsoft
from tests.faults.agreement import expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import ANY, CREATE
from tests.stack import Stack


def expect_agreement_after(stack: Stack, office: Office, **fault: Any) -> None:
    """Apply the fault to the first three requests, while appointments are booked, moved and cancelled."""
    stack.control("fault", regex=ANY, count=3, **fault)

    office.desk.book(office.hosts[0])
    office.desk.move(office.booked[0])
    office.desk.cancel(office.booked[1])

    expect_agreement(stack)
    assert stack.simulator_state("faults") == []


def test_an_answer_after_the_timeout_makes_no_second_meeting(stack: Stack, maple: Office) -> None:
    expect_agreement_after(stack, maple, kind="slow", seconds=4)


def test_a_connection_dropped_after_the_request_was_carried_out_makes_no_second_meeting(
    stack: Stack, maple: Office
) -> None:
    expect_agreement_after(stack, maple, kind="drop_after")


def test_a_request_whose_connection_was_dropped_before_it_was_carried_out_is_retried(
    stack: Stack, maple: Office
) -> None:
    expect_agreement_after(stack, maple, kind="drop_before")


def test_an_internal_error_is_retried(stack: Stack, maple: Office) -> None:
    expect_agreement_after(stack, maple, kind="server_error")


def test_an_internal_error_after_the_request_was_carried_out_makes_no_second_meeting(
    stack: Stack, maple: Office
) -> None:
    expect_agreement_after(stack, maple, kind="server_error", executed=True)


def test_an_error_page_of_a_gateway_is_not_taken_for_an_answer(stack: Stack, maple: Office) -> None:
    expect_agreement_after(stack, maple, kind="html", status=502)


def test_an_html_page_with_status_200_is_not_taken_for_an_answer(stack: Stack, maple: Office) -> None:
    expect_agreement_after(stack, maple, kind="html", status=200, executed=True)


def test_a_truncated_response_is_not_taken_for_an_answer(stack: Stack, maple: Office) -> None:
    expect_agreement_after(stack, maple, kind="truncated")


def test_lost_answers_make_no_second_meetings_if_staff_organize_their_own(stack: Stack, cedar: Office) -> None:
    expect_agreement_after(stack, cedar, kind="drop_after")


def test_a_platform_that_is_down_is_probed_and_not_hammered(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="graph_down")
    for _ in range(10):
        maple.desk.book(maple.hosts[0])
    maple.desk.cancel(maple.booked[1])

    stack.wait_until(lambda: len(probes(stack)) >= 3)
    hasty = len(microsoft.times(stack, ANY)) - len(probes(stack))
    stack.control("clear-faults")

    # Three failures open the circuit. Other calls may be in flight: two workers have two processes each.
    assert hasty <= 3 + 4
    expect_agreement(stack)
    assert microsoft.created(stack) == made + 10


def probes(stack: Stack) -> list[float]:
    """Return the times of the requests that followed at least three quarters of the shortest pause."""
    return [later for before, later in pairwise(microsoft.times(stack, ANY)) if later - before > 0.7]


def test_both_workers_stop_calling_when_microsoft_asks_for_a_pause(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="throttle", regex=ANY, retry_after=4)
    for _ in range(12):
        maple.desk.book(maple.hosts[0])
    stack.control("clear-faults")

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 12
    first, *others = microsoft.times(stack, ANY)
    # Two workers have two processes each: the other calls may have been in flight.
    assert len([at for at in others if at < first + 3.9]) <= 3


def test_a_busy_microsoft_does_not_slow_down_another_organisation(stack: Stack, maple: Office, cedar: Office) -> None:
    stack.control("fault", kind="throttle", regex=f"me/{ANY}", retry_after=60, count=4)
    maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: microsoft.asked(stack, CREATE))

    booked = cedar.desk.book(cedar.hosts[0])

    link = "SELECT join_url <> '' FROM integrations_meeting WHERE id = %s"
    stack.wait_until(lambda: stack.sql(link, cedar.desk.meeting(booked)) == [(True,)])
    paused = "SELECT count(*) FROM integrations_connection WHERE paused_until > now()"
    assert stack.sql(paused) == [(1,)]


def test_a_revoked_sign_in_stops_links_until_an_admin_reauthorizes(stack: Stack, maple: Office) -> None:
    stack.control("refresh-tokens", how="revoked")
    stack.control("fault", kind="unauthorized", regex=ANY, count=2)
    maple.desk.move(maple.booked[0])
    status = "SELECT status FROM integrations_connection WHERE id = %s"
    stack.wait_until(lambda: stack.sql(status, maple.desk.connection) == [("needs_reauthorization",)])
    stack.control("clear-faults")
    booked = maple.desk.book(maple.hosts[0])
    maple.desk.cancel(maple.booked[1])
    why = "SELECT error_kind FROM integrations_meeting WHERE id = %s"
    stack.wait_until(lambda: stack.sql(why, maple.desk.meeting(booked)) == [("connection",)])

    stack.wait_until(lambda: _reauthorization_emails(stack))

    microsoft.reauthorize(stack, "maple")

    expect_agreement(stack)
    assert len(_reauthorization_emails(stack)) == 1


def _reauthorization_emails(stack: Stack) -> list[EmailMessage]:
    return [mail for mail in stack.emails() if "needs to be reauthorized" in mail["Subject"]]
