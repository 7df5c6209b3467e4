"""Appointments without a link: the notice on the dashboard, the preview, and the new links."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

THREE = """
from datetime import timedelta
from django.utils import timezone
from appointments.models import Client
from services.models import MeetingMethod, Service
from staff.models import StaffMember
from tests.factories import make_appointment
sam = StaffMember.objects.get(email="sam@maple.example")
service = Service.objects.filter(organization=sam.organization).first()
client = Client.objects.filter(organization=sam.organization).exclude(email="").first()
noon = timezone.now().replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=60)
for day in range(3):
    starts_at = noon + timedelta(days=day)
    make_appointment(service, sam, client, starts_at, method=MeetingMethod.VIDEO)
"""


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def test_links_are_created_for_appointments_without_one(page: Page, stack: Stack) -> None:
    stack.python(THREE)
    steps.open_video_calls(page)
    notice = page.locator("#notices")
    expect(notice).to_have_text(re.compile("3 booked video appointments have no link."))

    page.get_by_role("switch", name="Video Calls for Sam Okafor").click()
    expect(notice).to_contain_text("their staff cannot host one now")
    page.get_by_role("switch", name="Video Calls for Sam Okafor").click()
    notice.get_by_role("link", name="Create links").click()

    everything = page.get_by_role("checkbox", name="Select all 3, on all pages")
    expect(everything).to_be_checked()
    expect(page.get_by_text("All 3 selected, on all pages")).to_be_visible()
    page.get_by_role("row").nth(1).get_by_role("checkbox").uncheck()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Create links").click()
    expect(page.get_by_text("2 booked appointments get their links now.")).to_be_visible()
    expect(page.get_by_text("1–1 of 1")).to_be_visible()

    ready = "SELECT count(*) FROM integrations_meeting WHERE join_url <> ''"
    stack.wait_until(lambda: stack.sql(ready) == [(2,)])
