"""Page /metrics."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.db import DatabaseError
from django.test import Client as Browser
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from coconut.observability import health, worker_metrics
from integrations.models import ConnectionStatus, RematchState
from integrations.monitoring import backlog
from integrations.platforms.failures import ErrorKind
from tests.factories import make_connection, make_organization, make_run
from tests.integrations.meeting_steps import ask, make_hosting

TOKEN = "a-token-for-prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
Numbers = dict[tuple[str, str], float]


@pytest.fixture(autouse=True)
def told(settings: Settings) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    health.reset()
    yield
    health.reset()


def numbers(client: Browser) -> Numbers:
    """Return the values of all samples by name and label values."""
    text = client.get("/metrics", headers=BEARER).content.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, " ".join(sample.labels.values())): sample.value for sample in samples}


def test_without_a_token_setting_metrics_are_off(client: Browser, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    answers = [client.get("/metrics"), client.get("/metrics", headers={"Authorization": "Bearer "})]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}é"])
def test_requests_without_the_token_are_refused(client: Browser, sent: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": sent})

    assert (answer.status_code, answer.content, answer["WWW-Authenticate"]) == (401, b"", "Bearer")


@pytest.mark.django_db
def test_prometheus_may_use_a_private_ip_address(client: Browser, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get("/metrics", headers={**BEARER, "Host": "10.1.2.3:8000"})

    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/plain")


@pytest.mark.django_db
def test_waiting_meetings_are_reported_by_age_and_reason(client: Browser) -> None:
    hosting = make_hosting()
    due, held, later, failed = ask(hosting), ask(hosting), ask(hosting), ask(hosting)
    now = timezone.now()
    change(due, due_at=now - timedelta(minutes=2), starts_at=now + timedelta(minutes=30))
    change(held, due_at=now, lease_until=now + timedelta(minutes=1))
    change(later, due_at=now + timedelta(minutes=1))
    change(failed, due_at=None, error_kind=ErrorKind.PERSON)

    told = numbers(client)

    assert told["coconut_meetings_oldest_due_seconds", ""] == pytest.approx(120, abs=5)
    assert {name: told[f"coconut_meetings_{name}", ""] for name in ("due", "blocked", "later")} == {
        "due": 1,
        "blocked": 1,
        "later": 1,
    }
    assert (told["coconut_meetings_failed", "person"], told["coconut_meetings_failed", "bug"]) == (1, 0)
    assert told["coconut_meetings_soon_without_link", ""] == 1


@pytest.mark.django_db
def test_meetings_that_wait_for_a_platform_do_not_count_as_waiting_for_workers() -> None:
    hosting = make_hosting()
    assert hosting.connection is not None
    now = timezone.now()
    change(ask(hosting), due_at=now - timedelta(hours=1))

    change(hosting.connection, paused_until=now - timedelta(minutes=1))
    after_a_pause = backlog.oldest_due_seconds()
    change(hosting.connection, probe_at=now - timedelta(minutes=1))

    assert after_a_pause == pytest.approx(60, abs=5)
    assert backlog.oldest_due_seconds() == 0


@pytest.mark.django_db
def test_connections_are_reported_by_status_and_reason_without_names(client: Browser) -> None:
    hindrances: list[dict[str, Any]] = [
        {"paused_until": timezone.now() + timedelta(minutes=1)},
        {"probe_at": timezone.now(), "trouble_kind": ErrorKind.OUTAGE},
        {"status": ConnectionStatus.NEEDS_REAUTHORIZATION},
    ]
    for number, fields in enumerate(hindrances):
        make_connection(make_organization(f"Bank{number}"), **fields)

    told = numbers(client)

    assert {key[1]: value for key, value in told.items() if key[0] == "coconut_connections"} == {
        "connected": 2,
        "needs_reauthorization": 1,
        "disconnected": 0,
    }
    hindered = {key[1]: value for key, value in told.items() if key[0] == "coconut_connections_hindered"}
    assert hindered == {"paused": 1, "down": 1, "outage": 1, "operator": 0}


@pytest.mark.django_db
def test_the_rate_of_a_rematch_is_that_of_its_current_worker(client: Browser) -> None:
    run = make_run(make_connection(make_organization()), state=RematchState.RUNNING, total=1000)
    worked = timezone.now() - timedelta(seconds=10)
    lease = "c0117050-0365-4000-8000-00000000000a"
    change(run, done=600, claimed_done=100, claimed_at=worked, lease_token=lease)

    told = numbers(client)

    assert (told["coconut_rematches_running", ""], told["coconut_rematch_people_left", ""]) == (1, 400)
    assert told["coconut_rematch_people_per_second", ""] == pytest.approx(50, rel=0.2)


@pytest.mark.parametrize("how_many", [1, 3])
@pytest.mark.django_db
def test_metrics_take_the_same_number_of_queries_for_any_backlog(
    client: Browser, django_assert_num_queries: DjangoAssertNumQueries, how_many: int
) -> None:
    hosting = make_hosting()
    for _ in range(how_many):
        ask(hosting)
    health.readiness()

    with django_assert_num_queries(12):
        client.get("/metrics", headers=BEARER)


@pytest.mark.django_db
def test_without_a_database_counters_are_still_reported(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(backlog, "backlog", gone)

    told = numbers(client)

    assert ("coconut_meetings_due", "") not in told
    assert ("coconut_meeting_syncs_total", "agreed") in told


COUNT = """
import os
import django
django.setup()
from coconut.observability import prometheus
from integrations.metrics import count_sync
prometheus.remove_old_counters()
for _ in range(3):
    if os.fork() == 0:
        count_sync("agreed")
        os._exit(0)
    os.wait()
count_sync("agreed")
print(prometheus.registry().get_sample_value("coconut_meeting_syncs_total", {"outcome": "agreed"}))
"""


def test_counters_of_children_are_added_and_those_of_an_earlier_start_removed(tmp_path: Path) -> None:
    files = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "made")}

    said = [
        subprocess.run(
            [sys.executable, "-c", COUNT],
            env={**os.environ, **files},
            cwd=real_settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]

    assert said == ["4.0\n", "4.0\n"]


def test_an_empty_folder_setting_counts_as_unset(tmp_path: Path) -> None:
    code = "import django; django.setup(); from integrations.metrics import count_sync; count_sync('agreed')"
    here = {"PROMETHEUS_MULTIPROC_DIR": "", "PYTHONPATH": str(real_settings.BASE_DIR)}

    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **here, "DJANGO_SETTINGS_MODULE": "coconut.settings"},
        cwd=tmp_path,
        check=True,
    )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "status"), [("", "401 Refused"), ("Bearer x", "401 Refused"), (f"Bearer {TOKEN}", "200 OK")]
)
def test_a_worker_serves_its_metrics_to_requests_with_the_token(sent: str, status: str) -> None:
    statuses: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": sent,
        "wsgi.input": io.BytesIO(),
    }

    body = b"".join(worker_metrics.application(environ, lambda found, headers: statuses.append(found)))

    assert statuses == [status]
    assert (b"coconut_meeting_syncs_total" in body) == (status == "200 OK")


def change(row: Any, **fields: Any) -> None:
    """Update columns without validation."""
    if "starts_at" in fields:
        fields["ends_at"] = fields["starts_at"] + timedelta(minutes=30)
    type(row).objects.filter(pk=row.pk).update(**fields)
