"""What operators are given: alerts, the pages that say what to do, and docker-compose.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import current_app
from django.conf import settings as real_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from coconut import gunicorn_conf, health
from coconut.tasks import heartbeat

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


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert [page.stem for page in PAGES] == sorted(ALERTS)
    assert {name: rule["annotations"]["runbook"] for name, rule in ALERTS.items()} == {
        name: f"docs/runbooks/{name}.md" for name in ALERTS
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_in_the_same_order_what_it_means_and_what_to_do(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^\*\*(Meaning|Impact|Diagnosis|Fix|Resolved when)\*\*", text, re.MULTILINE) == [
        "Meaning",
        "Impact",
        "Diagnosis",
        "Fix",
        "Resolved when",
    ]


def test_the_list_of_pages_is_complete() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\)", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(ALERTS)


@pytest.mark.parametrize("page", [*PAGES, RUNBOOKS / "README.md", ROOT / "docs" / "operations.md"], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text()):
        leads_to = (page.parent / target) if target else page
        assert leads_to.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", leads_to.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, anchor


@pytest.fixture
def told(db: None, client: Browser, settings: Settings) -> list[tuple[str, dict[str, str]]]:
    """Every number of an installation that is well: its name and labels."""
    settings.METRICS_TOKEN = "a-token-for-whoever-watches"
    health.record_beat_heartbeat()
    heartbeat()
    health.reset()
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    cache.clear()
    health.reset()
    families = text_string_to_metric_families(text.content.decode())
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


def test_every_number_that_an_alert_looks_at_is_told(told: list[tuple[str, dict[str, str]]]) -> None:
    asked = [
        (name, label, value)
        for rule in ALERTS.values()
        for name, label, values in re.findall(r'(coconut_\w+)(?:\{(\w+)=~?"([^"]*)"\})?', rule["expr"])
        for value in (values.split("|") if label else [""])
    ]
    known = {(name, label, value) for name, labels in told for label, value in labels.items()}
    known |= {(name, "", "") for name, labels in told}

    assert len(asked) >= len(ALERTS)
    assert [each for each in asked if each not in known] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "operations.md"], ids=lambda page: page.stem)
def test_every_number_that_a_page_names_is_told(page: Path, told: list[tuple[str, dict[str, str]]]) -> None:
    names = {name for name, labels in told} | {
        re.sub(r"_(bucket|count|sum)$", "", name) for name, labels in told
    }

    # An ellipsis stands for several of them.
    assert [
        name for name in re.findall(r"`(coconut_\w+)(?!…)\b", page.read_text()) if name not in names
    ] == []


@pytest.mark.parametrize(("page", "block"), SQL, ids=[page for page, block in SQL])
@pytest.mark.django_db
def test_what_a_page_asks_the_database_is_understood(page: str, block: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(block.replace("%", "%%"))


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_what_is_scaled_holds_nothing_that_there_is_only_one_of() -> None:
    scaled = [SERVICES["web"], SERVICES["worker"]]

    assert [sorted({"ports", "container_name", "volumes", "hostname"} & set(each)) for each in scaled] == [
        [],
        [],
    ]
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]


def test_the_proxy_asks_for_the_web_servers_by_name_again_and_again() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()

    assert "./deploy/Caddyfile:/etc/caddy/Caddyfile:ro" in SERVICES["proxy"]["volumes"]
    assert re.search(r"dynamic a \{\s+name web\s+port 8000\s+refresh 5s\s+\}", caddyfile)


def test_two_proxies_add_the_visitors_address() -> None:
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-2}"
    assert "trusted_proxies private_ranges" in (ROOT / "deploy" / "Caddyfile").read_text()


def test_the_proxy_closes_connections_that_rest_before_the_web_server_does() -> None:
    kept = re.search(r"keepalive (\d+)s", (ROOT / "deploy" / "Caddyfile").read_text())

    assert kept is not None
    assert int(kept[1]) < gunicorn_conf.keepalive


def test_whoever_is_stopped_has_the_time_to_finish() -> None:
    longest = max(
        task.time_limit or real_settings.CELERY_TASK_TIME_LIMIT
        for name, task in current_app.tasks.items()
        if not name.startswith("celery.")
    )

    assert seconds(SERVICES["worker"]["stop_grace_period"]) > longest
    assert seconds(SERVICES["web"]["stop_grace_period"]) > gunicorn_conf.graceful_timeout


def test_everything_that_ends_by_itself_is_started_again_but_the_migrations() -> None:
    assert {
        name: each["restart"] for name, each in SERVICES.items() if each["restart"] != "unless-stopped"
    } == {"migrate": "no"}


def test_nobody_starts_before_the_migrations_are_done() -> None:
    waits = {name: SERVICES[name]["depends_on"]["migrate"]["condition"] for name in ("web", "worker", "beat")}

    assert set(waits.values()) == {"service_completed_successfully"}


def test_what_a_container_counts_is_in_memory_and_its_own() -> None:
    for name in ("web", "worker"):
        assert (SERVICES[name]["tmpfs"], SERVICES[name]["environment"]["PROMETHEUS_MULTIPROC_DIR"]) == (
            ["/tmp"],
            "/tmp/counts",
        )
