"""Configuration of gunicorn: access log and shared memory."""

from __future__ import annotations

import gc
import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from coconut import gunicorn_conf
from coconut.gunicorn_conf import Logger, when_ready
from coconut.observability import log_context
from coconut.observability.log_context import ContextFilter
from coconut.observability.logs import JsonFormatter

TOKEN = "Zt2x-9_qLrKk7vB4wYpN1s8hJdEmGfQa"


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Logger]:
    """Gunicorn's logger, whose records are captured."""
    monkeypatch.setattr(logging.config, "dictConfig", lambda settings: None)
    caplog.handler.addFilter(ContextFilter())
    with caplog.at_level(logging.INFO):
        yield Logger(Config())
    log_context.end()


def answered(logger: Logger, path: str, status: str = "200 OK", query: str = "") -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}",
    }
    logger.access(SimpleNamespace(status=status), None, environ, timedelta(milliseconds=12.34))


def test_a_request_is_logged_with_fields_and_without_query_or_secret(
    logger: Logger, caplog: pytest.LogCaptureFixture
) -> None:
    log_context.begin(request_id="0123456789abcdef")

    answered(logger, f"/join/{TOKEN}", "302 Found", query="name=Cleo")

    (record,) = caplog.records
    fields = json.loads(JsonFormatter().format(record))
    del fields["time"]
    assert fields == {
        "level": "INFO",
        "logger": "gunicorn.access",
        "message": "GET /join/*** 302 in 12.3 ms",
        "method": "GET",
        "path": "/join/***",
        "status": 302,
        "milliseconds": 12.3,
        "request_id": "0123456789abcdef",
    }


@pytest.mark.parametrize("probe", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_logged_only_if_they_fail(logger: Logger, caplog: pytest.LogCaptureFixture, probe: str) -> None:
    answered(logger, probe)
    answered(logger, probe, "503 Service Unavailable")

    assert [record.__dict__["status"] for record in caplog.records] == [503]


def test_an_unreadable_request_is_logged_too(logger: Logger, caplog: pytest.LogCaptureFixture) -> None:
    logger.access(SimpleNamespace(status="400"), None, {}, timedelta(0))

    assert [record.getMessage() for record in caplog.records] == ["- - 400 in 0.0 ms"]


def test_a_peer_cannot_change_the_path() -> None:
    config = Config()
    config.set("forwarder_headers", gunicorn_conf.forwarder_headers)

    assert list(config.forwarder_headers) == []
    assert not {"SCRIPT_NAME", "PATH_INFO"} & set(config.forwarder_headers)


def test_the_log_level_applies_to_the_web_server_too(logger: Logger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answered(logger, "/schedule/")
        logger.info("Booting worker with pid: 1")

    assert caplog.records == []


def test_objects_loaded_before_the_fork_are_frozen() -> None:
    gc.unfreeze()
    when_ready(object())
    frozen = gc.get_freeze_count()
    gc.unfreeze()

    assert frozen > 10_000
