"""Times of day by the organisation's clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import engines

from staff.clock import override_clock
from staff.models import Clock

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize(
    ("clock", "text"), [(Clock.HOURS_24, "7 Dec 2026, 14:30"), (Clock.HOURS_12, "7 Dec 2026, 2:30 PM")]
)
def test_templates_write_the_time_by_the_clock(clock: str, text: str) -> None:
    template = engines["django"].from_string('{% load clock %}{{ at|date_and_time:"j M Y" }}')

    with override_clock(clock):
        rendered = template.render({"at": datetime(2026, 12, 7, 14, 30, tzinfo=UTC)})

    assert rendered == text


def test_no_template_writes_a_time_by_one_clock_only() -> None:
    """Times with seconds, of logs and progress, always have 24 hours."""
    fixed = re.compile(r'\|(?:date|time):"[^"]*[HGhg]:i(?!:s)[^"]*"')

    found = [path.name for path in TEMPLATES.rglob("*.html") if fixed.search(path.read_text(encoding="utf-8"))]

    assert found == []
