"""Check connection: requested on the page, run by a worker, shown step by step."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection as database
from django.db.models import F
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.connections import self_test
from integrations.connections.self_test import latest_check, request_check, run_check
from integrations.event_text import event_text
from integrations.models import Connection, ConnectionCheck, ConnectionEvent, ConnectionStatus, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError, StepOutcome
from staff.models import Role
from tests.factories import make_connection, make_member
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


@pytest.fixture
def connected(maple):
    return make_connection(maple)


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Return the tasks that were sent."""
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(self_test, "enqueue_on_commit", lambda *task: sent.append(task))
    return sent


def refused() -> PlatformError:
    return PlatformError(ErrorKind.CONNECTION, message("No longer accepted. Use Reauthorize."), request_id="trace-1")


def later(**passed: float) -> None:
    ConnectionCheck.objects.update(requested_at=F("requested_at") - timedelta(**passed))


def outcomes(connected) -> list[tuple[str, StepOutcome]]:
    result = latest_check(connected)
    assert result is not None
    return [(str(step.name), step.outcome) for step in result.steps]


def shown(browser: Browser, connected, **headers: str) -> str:
    """Return the text of the check on the page."""
    html = browser.get(reverse("connection-health", args=[connected.pk])).content.decode()
    found = re.search(r'<div id="check".*?</section>', html, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


# --- Request --------------------------------------------------------------------------------------


def test_a_request_enqueues_the_check(connected, ada, sent, fake_teams):
    check = request_check(connected, ada)

    assert sent == [("integrations.check_connection", check.pk)]
    assert fake_teams.calls == Counter()


def test_a_request_during_a_check_starts_no_second_one(connected, ada, sent):
    first, second = request_check(connected, ada), request_check(connected, ada)

    assert first == second
    assert len(sent) == 1


def test_a_request_after_a_finished_check_replaces_it(connected, ada):
    run_check(request_check(connected, ada).pk)

    second = request_check(connected, ada)

    assert list(connected.checks.all()) == [second]


def test_an_unfinished_check_does_not_block_the_next(connected, ada):
    first = request_check(connected, ada)
    later(minutes=3)

    second = request_check(connected, ada)

    assert first != second


# --- Run ------------------------------------------------------------------------------------------


def test_every_step_is_stored(connected, ada):
    run_check(request_check(connected, ada).pk)

    assert outcomes(connected) == [
        ("Sign-in", StepOutcome.OK),
        ("Users", StepOutcome.OK),
        ("Meetings", StepOutcome.OK),
    ]


def test_success_is_recorded_with_the_admin_who_requested_it(connected, ada):
    run_check(request_check(connected, ada).pk)

    event = ConnectionEvent.objects.get()
    assert (event.kind, event.actor, event_text(event)) == (
        EventKind.CHECKED,
        ada,
        "Everything that was tried works.",
    )


def test_a_warning_is_recorded_with_its_sentence(connected, ada, fake_teams):
    fake_teams.check_warnings["Users"] = message("No licence was found.")

    run_check(request_check(connected, ada).pk)

    result = latest_check(connected)
    assert event_text(ConnectionEvent.objects.get()) == "Warning: No licence was found."
    assert result is not None
    assert result.warned is not None
    assert (result.failed, str(result.warned.name)) == (None, "Users")


def test_failure_is_recorded_with_the_step_and_the_remedy(connected, ada, fake_teams):
    fake_teams.skip("check", 1)
    fake_teams.fail("check", refused())

    run_check(request_check(connected, ada).pk)

    event = ConnectionEvent.objects.get()
    assert event_text(event) == "Failed at “Users”: No longer accepted. Use Reauthorize."


def test_steps_are_visible_while_the_next_one_is_under_way(connected, ada, fake_teams):
    seen = []
    fake_teams.skip("check", 1)
    fake_teams.during("check", lambda: seen.append(outcomes(connected)))

    run_check(request_check(connected, ada).pk)

    assert seen == [[("Sign-in", StepOutcome.OK)]]


def test_a_task_that_arrives_twice_checks_once(connected, ada, fake_teams):
    check = request_check(connected, ada)

    run_check(check.pk)
    run_check(check.pk)

    assert fake_teams.calls["check"] == 3
    assert ConnectionEvent.objects.count() == 1


def test_a_replaced_check_writes_nothing(connected, ada, fake_teams):
    check = request_check(connected, ada)
    fake_teams.during("check", lambda: connected.checks.all().delete())

    run_check(check.pk)

    assert (latest_check(connected), list(ConnectionEvent.objects.all())) == (None, [])


def test_a_deleted_check_is_not_run(fake_teams):
    run_check(1)

    assert fake_teams.calls["check"] == 0


# --- Page -----------------------------------------------------------------------------------------


def press(browser: Browser, connected, **headers: str):
    return browser.post(reverse("connection-check", args=[connected.pk]), headers=headers or None)


def test_the_button_comes_back_to_the_page(browser, connected):
    response = press(browser, connected)

    assert response.headers["Location"] == reverse("connection-health", args=[connected.pk])
    assert shown(browser, connected).startswith("Check connection Checking… Look again Asked for by Ada Lovell,")


def test_with_htmx_the_check_polls_until_it_is_done(browser, connected):
    waiting = press(browser, connected, hx_request="true").content.decode()
    run_check(ConnectionCheck.objects.get().pk)
    done = browser.get(
        reverse("connection-check", args=[connected.pk]), headers={"hx-request": "true"}
    ).content.decode()

    assert ('hx-trigger="every 1s"' in waiting, 'hx-trigger="every 1s"' in done) == (True, False)
    assert "Everything that was tried works." in done
    assert '<p id="health-line" class="mb-0" hx-swap-oob="true">' in done


def test_success_is_shown(browser, connected, ada):
    run_check(request_check(connected, ada).pk)

    assert shown(browser, connected).startswith(
        "Check connection Everything that was tried works. "
        "Sign-in works Sign-in works. Users works Users works. Meetings works Meetings works. "
        "Asked for by Ada Lovell,"
    )


def test_the_step_that_fails_is_named_with_remedy_and_request_id(browser, connected, ada, fake_teams):
    fake_teams.fail("check", refused())
    run_check(request_check(connected, ada).pk)

    assert shown(browser, connected).startswith(
        "Check connection Failed at “Sign-in”. "
        "Sign-in failed No longer accepted. Use Reauthorize. Request id, for support: trace-1 Asked for by"
    )


def test_a_check_that_failed_before_the_last_answer_is_called_outdated(browser, connected, ada, fake_teams):
    fake_teams.fail("check", refused())
    run_check(request_check(connected, ada).pk)
    Connection.objects.update(last_success_at=timezone.now() + timedelta(minutes=1))

    assert shown(browser, connected).startswith(
        "Check connection Failed at “Sign-in”. Microsoft Teams has answered since then: check once more. Sign-in failed"
    )


def test_a_check_without_a_worker_shows_that(browser, connected, ada):
    request_check(connected, ada)
    later(seconds=20)

    assert "No worker of Coconut's has taken this up yet." in shown(browser, connected).replace("&#x27;", "'")


def test_a_check_that_never_ends_shows_that(browser, connected, ada):
    request_check(connected, ada)
    later(minutes=3)

    html = shown(browser, connected)

    assert html.startswith("Check connection The check did not finish:")


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": ConnectionStatus.DISCONNECTED, "is_default": False},
        {"paused_until": timezone.now() + timedelta(days=400)},
    ],
)
def test_a_disconnected_or_paused_connection_is_not_checked(browser, connected, trouble):
    Connection.objects.update(**trouble)

    response = browser.post(reverse("connection-check", args=[connected.pk]), follow=True)

    html = response.content.decode()
    assert "A connection that is disconnected or paused cannot be checked now." in html
    assert 'type="submit">Check connection' not in html
    assert list(ConnectionCheck.objects.all()) == []


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_start_one_check(maple):
    connected, ada = make_connection(maple), make_member(maple, "Ada Lovell", Role.ADMIN)
    together, checks = Barrier(2), []

    def ask() -> None:
        together.wait()
        checks.append(request_check(connected, ada))
        database.close()

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert checks[0] == checks[1]
    assert ConnectionCheck.objects.count() == 1
