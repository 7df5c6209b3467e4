"""Log context: request, task and organisation of a record."""

from __future__ import annotations

import logging
import re
from uuid import uuid4

import pytest
from celery import current_app
from celery.app.trace import build_tracer
from django.test import Client as Browser
from kombu.simple import SimpleQueue

from coconut.celery import REQUEST_ID_HEADER, app
from coconut.observability import log_context, probes
from coconut.observability.log_context import ContextFilter
from coconut.task_queue import send
from staff.models import Role
from tests.factories import make_member, make_organization


@pytest.fixture(autouse=True)
def nothing_before() -> None:
    log_context.end()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.handler.addFilter(ContextFilter())
    return caplog


FORWARDED = "proxy-0123456789"


@pytest.mark.parametrize("forwarded", ["", FORWARDED, "0123456789abcdef" * 2])
def test_a_request_gets_an_id_of_its_own(client: Browser, forwarded: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": forwarded})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != forwarded


@pytest.mark.django_db
def test_the_id_of_a_proxy_is_logged_beside_it(client: Browser, lines: pytest.LogCaptureFixture) -> None:
    answer = client.get("/no-such-page/", headers={"X-Request-ID": FORWARDED})

    (line,) = [record for record in lines.records if record.name == "django.request"]
    assert (line.__dict__["request_id"], line.__dict__["forwarded_request_id"]) == (
        answer.headers["X-Request-ID"],
        FORWARDED,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "two words here", "a" * 65, 'x"},{"level":"ERROR', "/join/abcdefgh1"])
def test_an_invalid_id_of_a_proxy_is_not_logged(client: Browser, lines: pytest.LogCaptureFixture, given: str) -> None:
    client.get("/no-such-page/", headers={"X-Request-ID": given})

    (line,) = [record for record in lines.records if record.name == "django.request"]
    assert not hasattr(line, "forwarded_request_id")


def test_two_requests_have_two_ids(client: Browser) -> None:
    first, second = client.get("/healthz"), client.get("/healthz")

    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.django_db
def test_a_record_after_the_last_middleware_has_the_id_the_user_and_the_organisation(
    client: Browser, lines: pytest.LogCaptureFixture
) -> None:
    ada = make_member(make_organization(), "Ada Marsh", Role.ADMIN)
    client.force_login(ada)

    answer = client.get("/clients/999999/")

    (line,) = [record for record in lines.records if record.name == "django.request"]
    assert (line.__dict__["request_id"], line.__dict__["user_id"], line.__dict__["organization_id"]) == (
        answer.headers["X-Request-ID"],
        ada.pk,
        ada.organization_id,
    )
    assert line.__dict__["request_suffix"] == f" [request {answer.headers['X-Request-ID']} user {ada.pk}]"


@pytest.mark.django_db
def test_a_record_about_a_visitor_has_no_user(client: Browser, lines: pytest.LogCaptureFixture) -> None:
    client.get("/book/nowhere/")

    (line,) = [record for record in lines.records if record.name == "django.request"]
    assert not hasattr(line, "user_id")


def test_a_record_between_two_requests_has_no_request_id(client: Browser, lines: pytest.LogCaptureFixture) -> None:
    client.get("/healthz")

    logging.getLogger("x").warning("Nobody's")

    assert [hasattr(record, "request_id") for record in lines.records] == [False]


def test_the_error_page_shows_the_request_id(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(request: object) -> None:
        raise RuntimeError

    monkeypatch.setitem(probes.PROBES, "/healthz", breaks)
    client.raise_request_exception = False

    answer = client.get("/healthz", headers={"X-Request-ID": FORWARDED})

    shown = re.findall("<strong>([^<]+)</strong>", answer.text)
    assert (answer.status_code, shown) == (500, [answer.headers["X-Request-ID"]])


def test_the_own_fields_of_a_record_take_precedence(lines: pytest.LogCaptureFixture) -> None:
    log_context.begin(request_id="0123456789abcdef", organization_id=1)

    logging.getLogger("x").warning("Here", extra={"organization_id": 2})

    (line,) = lines.records
    assert (line.__dict__["organization_id"], line.__dict__["request_suffix"]) == (
        2,
        " [request 0123456789abcdef]",
    )


@pytest.mark.usefixtures("servers")
def test_a_task_has_the_id_of_the_request_that_sent_it() -> None:
    log_context.begin(request_id="0123456789abcdef")
    name = f"tests.{uuid4()}"

    send(name)

    assert sent_headers(name)[REQUEST_ID_HEADER] == "0123456789abcdef"


@pytest.mark.usefixtures("servers")
def test_a_task_sent_by_beat_has_no_request_id() -> None:
    name = f"tests.{uuid4()}"

    send(name)

    assert REQUEST_ID_HEADER not in sent_headers(name)


def test_records_of_a_task_have_the_ids_of_task_and_request(lines: pytest.LogCaptureFixture) -> None:
    @app.task(name="tests.says_something")
    def says_something() -> None:
        logging.getLogger("x").warning("Here")

    tracer = build_tracer(says_something.name, says_something, app=app)
    tracer("task-1", [], {}, {"id": "task-1", REQUEST_ID_HEADER: "0123456789abcdef"})

    (line,) = [record for record in lines.records if record.name == "x"]
    said = {name: line.__dict__[name] for name in ("task", "task_id", "request_id")}
    assert said == {"task": "tests.says_something", "task_id": "task-1", "request_id": "0123456789abcdef"}
    assert log_context.request_id() == ""


def sent_headers(name: str) -> dict[str, object]:
    """Empty the queue, and return the headers of its task with this name."""
    with current_app.connection_for_read() as connection:
        queue: SimpleQueue = connection.SimpleQueue(current_app.conf.task_default_queue)
        while True:
            message = queue.get(block=True, timeout=5)
            message.ack()
            if message.headers["task"] == name:
                return dict(message.headers)
