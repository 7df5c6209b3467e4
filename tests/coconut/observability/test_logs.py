"""Masked secrets and JSON records in the logs."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings

from coconut.celery import app
from coconut.observability.logs import JsonFormatter, MaskingFormatter, mask

TOKEN = "Zt2x-9_qLrKk7vB4wYpN1s8hJdEmGfQa"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (f"Not Found: /join/{TOKEN}", "Not Found: /join/***"),
        (f"GET /feeds/{TOKEN}.ics HTTP/1.1", "GET /feeds/***.ics HTTP/1.1"),
        (f"GET /appointments/{TOKEN}/cancel/ 200", "GET /appointments/***/cancel/ 200"),
        (f"https://coconut.example/appointments/{TOKEN}/", "https://coconut.example/appointments/***/"),
        (
            "GET /settings/video-calls/teams/callback/?code=0.AX&state=abc HTTP/1.1",
            "GET /settings/video-calls/teams/callback/?*** HTTP/1.1",
        ),
        ("GET /password/set/MQ/cx1a2b-0123456789abcdef/ 302", "GET /password/set/MQ/***/ 302"),
        ("GET /password/invitation/MQ/cx1a2b-0123456789abcdef/ 302", "GET /password/invitation/MQ/***/ 302"),
        ("GET /schedule/?day=2026-11-25 200", "GET /schedule/?day=2026-11-25 200"),
        ("GET /appointments/42/ 200", "GET /appointments/42/ 200"),
        (
            'File "/app/appointments/notifications/outbox.py"',
            'File "/app/appointments/notifications/outbox.py"',
        ),
        ('File "/app/appointments/templatetags/x.py"', 'File "/app/appointments/templatetags/x.py"'),
    ],
)
def test_tokens_in_urls_are_masked_and_the_rest_is_kept(line: str, masked: str) -> None:
    assert mask(line) == masked


# Text that a record may contain by mistake, and its masked form.
JWT = "eyJ0eXAiOiJKV1QiLCJub25jZSI6IjEifQ.eyJhdWQiOiJodHRwczovL2dyYXBoIn0.c2lnbmF0dXJl"
OURS = "a-client-secret-of-ours~Q8Q"
LEAKS = {
    "a join link": (f"/join/{TOKEN}", "/join/***"),
    "a manage link": (
        f"https://coconut.example/appointments/{TOKEN}/",
        "https://coconut.example/appointments/***/",
    ),
    "a callback": ("/callback/?code=0.AXsecret&state=abc", "/callback/?***"),
    "a bearer token": (f"Bearer {JWT}", "Bearer ***"),
    "a token alone": (f"got {JWT} back", "got *** back"),
    "an answer of Microsoft's": (
        '{"refresh_token": "0.AXoAbCdEf", "expires_in": 3600}',
        '{"refresh_token": "***", "expires_in": 3600}',
    ),
    "a form": (
        "client_secret=abc~Q8Q&grant_type=refresh_token",
        "client_secret=***&grant_type=refresh_token",
    ),
    "a code": ("code=0.AXoAbCdEfGhIjKlMnOpQrSt&scope=x", "code=***&scope=x"),
    "cookies": ("Cookie: coconut_session=abc123; coconut_csrf=def", "Cookie: ***"),
    "one cookie": ("coconut_session=abc123def; Path=/", "coconut_session=***; Path=/"),
    "a cookie of this host": ("__Host-coconut_session=abc123def; Path=/", "__Host-coconut_session=***; Path=/"),
    "a header": ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***"),
    "a password": ("{'password': 'correct horse'}", "{'password': '***'}"),
    "an address with a password": ("redis://:hunter22@broker:6379/0", "redis://:***@broker:6379/0"),
    "a secret of ours": (f"AADSTS7000215 for {OURS}", "AADSTS7000215 for ***"),
}
FORMATTERS = {"line": MaskingFormatter("%(message)s", secrets=[OURS]), "json": JsonFormatter(secrets=[OURS])}


@pytest.fixture(params=FORMATTERS)
def formatter(request: pytest.FixtureRequest) -> logging.Formatter:
    return FORMATTERS[request.param]


def record_of(message: str, *args: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("x").makeRecord("x", logging.ERROR, "", 0, message, args, None, extra=extra)


@pytest.mark.parametrize("leak", LEAKS)
def test_secrets_in_messages_are_masked(leak: str, formatter: logging.Formatter) -> None:
    text, masked = LEAKS[leak]
    error = RuntimeError(text)
    raised = logging.LogRecord("x", logging.ERROR, "", 0, "Broken", (), (type(error), error, None))
    ways = [record_of(text.replace("%", "%%")), record_of("Saw: %s", text), raised]

    lines = [formatter.format(record) for record in ways]

    written = json.dumps(masked)[1:-1] if isinstance(formatter, JsonFormatter) else masked
    assert [line for line in lines if written not in line] == []


@pytest.mark.parametrize("leak", LEAKS)
def test_secrets_in_fields_are_masked(leak: str) -> None:
    text, masked = LEAKS[leak]
    record = record_of("Here", answer=text, inside={"a": [text]}, error=RuntimeError(text))

    fields = json.loads(FORMATTERS["json"].format(record))

    assert (fields["answer"], fields["inside"], fields["error"]) == (masked, {"a": [masked]}, masked)


def test_a_field_that_holds_only_a_secret_is_masked_in_any_format() -> None:
    record = record_of("Here", refresh_token="short", headers={"Cookie": "a=b", "Accept": "text/html"})

    fields = json.loads(FORMATTERS["json"].format(record))

    assert (fields["refresh_token"], fields["headers"]) == ("***", {"Cookie": "***", "Accept": "text/html"})


def test_a_json_record_is_one_object_with_the_time_in_utc() -> None:
    record = record_of("Two\nlines “here”", status=200)

    line = FORMATTERS["json"].format(record)

    assert "\n" not in line
    assert json.loads(line) == {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": "ERROR",
        "logger": "x",
        "message": "Two\nlines “here”",
        "status": 200,
    }


def test_objects_attached_by_libraries_are_left_out() -> None:
    fields = json.loads(FORMATTERS["json"].format(record_of("Here", request=object(), data={"args": [1]})))

    assert sorted(fields) == ["level", "logger", "message", "time"]


@pytest.mark.parametrize("control", ["\n", "\r", "\x1b[31m", "\u2028", "\x85", "\0"])
def test_text_of_visitors_cannot_forge_a_record(formatter: logging.Formatter, control: str) -> None:
    forged = f"/zz{control}2026-11-30 10:00:00 INFO staff FORGED"

    (line,) = formatter.format(record_of("GET %s 404", forged)).splitlines()

    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028]", line)
    assert "FORGED" in line


@pytest.mark.parametrize(
    ("leak", "secret"),
    [
        ("bad\npassword=hunter2hunter2", "hunter2"),
        ("x\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA==", "dXNl"),
        ("a\teyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJ"),
        ("first\nclient_secret=abc~123456&x", "abc~"),
    ],
)
def test_a_secret_after_a_control_character_is_masked(formatter: logging.Formatter, leak: str, secret: str) -> None:
    assert secret not in formatter.format(record_of(leak))


def test_text_of_visitors_in_a_traceback_cannot_forge_a_record() -> None:
    def fail(text: str) -> None:
        raise ValueError(text)

    try:
        fail("a\n2026-11-30 10:00:00 INFO staff FORGED\x1b[31m")
    except ValueError:
        record = record_of("Failed.")
        record.exc_info = sys.exc_info()

    first, *others = MaskingFormatter("%(asctime)s %(message)s").format(record).splitlines()

    assert first.endswith("Failed.")
    assert len(others) >= 3
    assert all(line.startswith("    ") and "\x1b" not in line for line in others)


def test_a_token_in_the_arguments_is_masked() -> None:
    record = logging.LogRecord("django", logging.WARNING, "", 0, "Not Found: %s", (f"/join/{TOKEN}",), None)

    assert MaskingFormatter("%(message)s").format(record) == "Not Found: /join/***"


def test_a_token_in_a_traceback_is_masked() -> None:
    error = RuntimeError(f"/join/{TOKEN} broke")
    record = logging.LogRecord("django", logging.ERROR, "", 0, "Broken", (), (type(error), error, None))

    text = MaskingFormatter("%(message)s").format(record)

    assert "RuntimeError: /join/*** broke" in text
    assert TOKEN not in text


def test_the_settings_mask_every_record(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logging.config.dictConfig(settings.LOGGING)
        logging.getLogger("django.request").warning("Not Found: %s", f"/join/{TOKEN}")
    finally:
        logging.getLogger().handlers[:] = before

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["WARNING django.request Not Found: /join/***"]


def test_emails_printed_by_a_worker_are_not_logged_so_their_links_work():
    assert app.conf.worker_redirect_stdouts is False
