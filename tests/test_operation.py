"""Alerts, runbooks and docker-compose.yml."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from celery import current_app
from django.conf import settings as real_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from coconut import gunicorn_conf
from coconut.observability import health
from coconut.tasks import heartbeat
from coconut.web.body_limits import LARGEST_BODY
from local_servers.valkey import _program as valkey_program

ROOT = Path(real_settings.BASE_DIR)
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = sorted(page for page in RUNBOOKS.glob("*.md") if page.stem != "README")
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SQL = [
    (page.stem, block)
    for page in [*PAGES, ROOT / "docs" / "operations.md"]
    for block in re.findall(r"```sql\n(.*?)```", page.read_text(), re.DOTALL)
]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert [page.stem for page in PAGES] == sorted(ALERTS)
    assert {name: rule["annotations"]["runbook"] for name, rule in ALERTS.items()} == {
        name: f"docs/runbooks/{name}.md" for name in ALERTS
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_runbooks_have_the_same_sections(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^\*\*(Meaning|Impact|Diagnosis|Fix|Resolved when)\*\*", text, re.MULTILINE) == [
        "Meaning",
        "Impact",
        "Diagnosis",
        "Fix",
        "Resolved when",
    ]


def test_the_list_of_runbooks_is_complete() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\)", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(ALERTS)


@pytest.mark.parametrize(
    "page", [*PAGES, RUNBOOKS / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "README.md"], ids=str
)
def test_links_have_a_target(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text()):
        leads_to = (page.parent / target) if target else page
        assert leads_to.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", leads_to.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, anchor


@pytest.fixture
def metrics(db: None, client: Browser, settings: Settings) -> list[tuple[str, dict[str, str]]]:
    """Names and labels of all metrics of a healthy installation."""
    settings.METRICS_TOKEN = "a-token-for-prometheus"
    health.record_beat_heartbeat()
    heartbeat()
    health.reset()
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    cache.clear()
    health.reset()
    families = text_string_to_metric_families(text.content.decode())
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


def test_every_metric_in_an_alert_exists(metrics: list[tuple[str, dict[str, str]]]) -> None:
    asked = [
        (name, label, value)
        for rule in ALERTS.values()
        for name, label, values in re.findall(r'(coconut_\w+)(?:\{(\w+)=~?"([^"]*)"\})?', rule["expr"])
        for value in (values.split("|") if label else [""])
    ]
    known = {(name, label, value) for name, labels in metrics for label, value in labels.items()}
    known |= {(name, "", "") for name, labels in metrics}

    assert len(asked) >= len(ALERTS)
    assert [each for each in asked if each not in known] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "operations.md"], ids=lambda page: page.stem)
def test_every_metric_in_a_runbook_exists(page: Path, metrics: list[tuple[str, dict[str, str]]]) -> None:
    names = {name for name, labels in metrics} | {re.sub(r"_(bucket|count|sum)$", "", name) for name, labels in metrics}

    # An ellipsis stands for several metrics.
    assert [name for name in re.findall(r"`(coconut_\w+)(?!…)\b", page.read_text()) if name not in names] == []


@pytest.mark.parametrize(("page", "block"), SQL, ids=[page for page, block in SQL])
@pytest.mark.django_db
def test_the_sql_of_runbooks_is_valid(page: str, block: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(block.replace("%", "%%"))


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_scaled_services_have_no_port_name_volume_or_host_name() -> None:
    scaled = [SERVICES["web"], SERVICES["worker"]]

    assert [sorted({"ports", "container_name", "volumes", "hostname"} & set(each)) for each in scaled] == [
        [],
        [],
    ]
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]


def test_the_proxy_resolves_the_web_servers_repeatedly() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()

    assert "./deploy/Caddyfile:/etc/caddy/Caddyfile:ro" in SERVICES["proxy"]["volumes"]
    assert re.search(r"dynamic a \{\s+name web\s+port 8000\s+refresh 5s\s+\}", caddyfile)


def test_two_proxies_add_the_visitors_address() -> None:
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-2}"
    assert "trusted_proxies private_ranges" in (ROOT / "deploy" / "Caddyfile").read_text()


def test_the_proxy_closes_idle_connections_before_the_web_server_does() -> None:
    kept = re.search(r"keepalive (\d+)s", (ROOT / "deploy" / "Caddyfile").read_text())

    assert kept is not None
    assert int(kept[1]) < gunicorn_conf.keepalive


def test_the_proxy_buffers_bodies_and_limits_their_size_and_time() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    limit = LARGEST_BODY // 1024**2

    assert re.search(rf"request_body \{{\s+max_size {limit}MiB\s+\}}", caddyfile)
    # A body of exactly the buffer's size doesn't count as complete.
    assert f"request_buffers {limit + 1}MiB" in caddyfile
    assert f"@compressed not path {reverse('schedule-events')}" in caddyfile
    assert re.search(r"timeouts \{\s+read_header \d+s\s+read_body \d+s\s+\}", caddyfile)


def test_the_grace_periods_are_longer_than_the_work() -> None:
    longest = max(
        task.time_limit or real_settings.CELERY_TASK_TIME_LIMIT
        for name, task in current_app.tasks.items()
        if not name.startswith("celery.")
    )

    assert seconds(SERVICES["worker"]["stop_grace_period"]) > longest
    assert seconds(SERVICES["web"]["stop_grace_period"]) > gunicorn_conf.graceful_timeout


def test_every_service_except_migrate_is_restarted() -> None:
    assert {name: each["restart"] for name, each in SERVICES.items() if each["restart"] != "unless-stopped"} == {
        "migrate": "no"
    }


def test_programs_start_after_the_migrations() -> None:
    waits = {name: SERVICES[name]["depends_on"]["migrate"]["condition"] for name in ("web", "worker", "beat")}

    assert set(waits.values()) == {"service_completed_successfully"}


def test_metrics_of_a_container_are_in_memory_and_separate() -> None:
    for name in ("web", "worker"):
        assert (SERVICES[name]["tmpfs"], SERVICES[name]["environment"]["PROMETHEUS_MULTIPROC_DIR"]) == (
            ["/tmp:size=64m"],
            "/tmp/counts",
        )


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    passwords = re.findall(r"\$\{(\w*PASSWORD\w*)([^}]*)\}", text)

    assert {name for name, rest in passwords} == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert {rest for name, rest in passwords} == {f":?Set {name} in .env" for name, rest in passwords}


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CACHE_URL"])
def test_programs_know_the_password_of_redis(name: str) -> None:
    for service in ("web", "worker", "beat", "migrate"):
        assert SERVICES[service]["environment"][name].startswith("redis://:${REDIS_PASSWORD:?")


def test_images_have_exact_versions() -> None:
    images = [each["image"] for each in SERVICES.values() if each["image"] != "coconut"]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert len(images) == 5
    # PostgreSQL's versions have two numbers.
    assert [image for image in images if not re.search(r":(\d+\.\d+\.\d+|1\d\.\d+)(-|$)", image)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
        True,
        ["ALL"],
        ["no-new-privileges:true"],
    )
    assert "privileged" not in service


def test_only_the_programs_of_others_have_capabilities() -> None:
    assert {name: each["cap_add"] for name, each in SERVICES.items() if "cap_add" in each} == {
        "proxy": ["NET_BIND_SERVICE"],
        "postgres": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
    }


def test_programs_write_to_memory_only() -> None:
    assert "--schedule /tmp/" in SERVICES["beat"]["command"]
    assert gunicorn_conf.worker_tmp_dir == "/dev/shm"
    assert SERVICES["beat"]["tmpfs"] == SERVICES["migrate"]["tmpfs"] == ["/tmp:size=64m"]


@pytest.fixture
def composed_redis(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Redis or Valkey, started as docker-compose.yml says but at a socket, and that socket."""
    socket, program = tmp_path / "redis.sock", tmp_path / "redis-server"
    program.write_text(f'#!/bin/sh\nexec {valkey_program()} "$@" --port 0 --unixsocket {socket} --save ""\n')
    program.chmod(0o755)
    command = [part.replace("$$", "$") for part in SERVICES["redis"]["command"]]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "REDISCLI_AUTH": "a5ecret"}
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"Ready to accept connections" not in (line := process.stdout.readline()):
        assert line, "Redis did not start."
    try:
        yield process, socket
    finally:
        process.kill()
        process.communicate()


def test_redis_requires_its_password_and_the_list_of_processes_does_not_show_it(
    composed_redis: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, socket = composed_redis

    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=str(socket)).ping()
    assert redis.Redis(unix_socket_path=str(socket), password="a5ecret").ping()
    assert "a5ecret" not in Path(f"/proc/{process.pid}/cmdline").read_text()
