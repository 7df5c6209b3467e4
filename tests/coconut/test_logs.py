"""What must not be read in a log."""

from __future__ import annotations

import logging
import logging.config

import pytest
from django.conf import settings

from coconut.celery import app
from coconut.logs import MaskingFormatter, mask

TOKEN = "Zt2x-9_qLrKk7vB4wYpN1s8hJdEmGfQa"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (f"Not Found: /join/{TOKEN}", "Not Found: /join/***"),
        (f"GET /appointments/{TOKEN}/cancel/ 200", "GET /appointments/***/cancel/ 200"),
        (f"https://coconut.example/appointments/{TOKEN}/", "https://coconut.example/appointments/***/"),
        (
            "GET /settings/video-calls/teams/callback/?code=0.AX&state=abc HTTP/1.1",
            "GET /settings/video-calls/teams/callback/?*** HTTP/1.1",
        ),
        ("GET /password/set/MQ/cx1a2b-0123456789abcdef/ 302", "GET /password/set/MQ/***/ 302"),
        ("GET /schedule/?day=2026-11-25 200", "GET /schedule/?day=2026-11-25 200"),
        ("GET /appointments/42/ 200", "GET /appointments/42/ 200"),
    ],
)
def test_tokens_in_addresses_are_masked_and_the_rest_is_kept(line: str, masked: str) -> None:
    assert mask(line) == masked


def test_a_token_among_the_arguments_is_masked() -> None:
    record = logging.LogRecord("django", logging.WARNING, "", 0, "Not Found: %s", (f"/join/{TOKEN}",), None)

    assert MaskingFormatter("%(message)s").format(record) == "Not Found: /join/***"


def test_a_token_in_a_traceback_is_masked() -> None:
    error = RuntimeError(f"/join/{TOKEN} broke")
    record = logging.LogRecord("django", logging.ERROR, "", 0, "Broken", (), (type(error), error, None))

    text = MaskingFormatter("%(message)s").format(record)

    assert "RuntimeError: /join/*** broke" in text
    assert TOKEN not in text


def test_the_settings_send_every_line_through_the_mask(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logging.config.dictConfig(settings.LOGGING)
        logging.getLogger("django.request").warning("Not Found: %s", f"/join/{TOKEN}")
    finally:
        logging.getLogger().handlers[:] = before

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["WARNING django.request Not Found: /join/***"]


def test_mails_that_a_worker_writes_to_the_terminal_are_no_log_lines_so_their_links_work():
    assert app.conf.worker_redirect_stdouts is False
