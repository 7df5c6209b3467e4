"""Emails as Chromium shows them, wide, narrow and dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
from django.conf import settings

from appointments.changes.move import reassign_appointment
from appointments.models import BookedThrough, Client
from services.models import MeetingMethod
from staff.branding.logos import save_logo
from staff.models import StaffMember
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import cancel, move, part, sent_to
from tests.factories import make_location
from tests.outbox import send_all
from tests.staff.images import image_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser


LONG = "Wolfeschlegelsteinhausenbergerdorff" * 8
NAMES = ["Cleo Brandt", LONG, "كليوباترا برانت <b>x</b>", "👩🏽‍💻 Cleo 🍁"]
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(each => each.outerHTML.slice(0, 200))"""
BUTTONS = """() => [...document.querySelectorAll('a.button')].map(each => {
    const box = each.getBoundingClientRect()
    each.scrollIntoView()
    const at = each.getBoundingClientRect()
    const top = document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2)
    return [box.height >= 44, box.left >= 0, each.contains(top)]
})"""

pytestmark = pytest.mark.usefixtures("friday")


@dataclass(frozen=True)
class Look:
    """An email on a screen: elements beyond its edge, violations of WCAG, and if each button can be reached."""

    too_wide: list[str]
    violations: list[tuple[str, list[str]]]
    buttons: list[list[bool]]


@pytest.fixture(scope="module")
def look_at(chromium: str) -> Iterator[Callable[[str, int, Literal["light", "dark"]], Look]]:
    """Return a function that shows an email.

    Playwright runs in a thread of its own: its event loop would keep the tests from the database.
    """
    from playwright.sync_api import sync_playwright

    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        browser = thread.submit(lambda: playwright.chromium.launch(executable_path=chromium)).result()
        yield lambda html, width, scheme: thread.submit(_look, browser, html, width, scheme).result()
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


def _look(browser: Browser, html: str, width: int, scheme: Literal["light", "dark"]) -> Look:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.route("**/*", lambda route: route.abort())
    page.set_content(html)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}).response["violations"]
    violations = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
    look = Look(page.evaluate(TOO_WIDE), violations, page.evaluate(BUTTONS))
    page.close()
    return look


on_each_screen = pytest.mark.parametrize(
    ("width", "scheme"), [(600, "light"), (320, "light"), (600, "dark"), (320, "dark")]
)


@on_each_screen
@pytest.mark.parametrize("name", NAMES, ids=["short", "long", "right to left", "emoji"])
def test_emails_about_an_appointment_fit_and_can_be_read(
    maple_with_teams: Maple, look_at: Any, width: int, scheme: str, name: str
) -> None:
    maple = maple_with_teams
    organization = maple.organization
    organization.color, organization.phone = "#7a1f3d", "+14165550190"
    organization.save()
    Client.objects.update(name=name)
    maple.cleo.refresh_from_db()
    booked = maple.book(method=MeetingMethod.VIDEO, client_note=f"{name}\n{name}", internal_note=name)
    send_all()
    move(booked)
    send_all()

    for address in ("cleo@example.com", "sam@maple.example"):
        look = look_at(part(sent_to(address), "text/html"), width, scheme)
        assert (look.too_wide, look.violations) == ([], [])
        assert look.buttons == [[True, True, True]] * len(look.buttons) != []


@on_each_screen
def test_a_cancellation_at_a_branch_fits_and_can_be_read(maple: Maple, look_at: Any, width: int, scheme: str) -> None:
    branch = make_location(maple.organization, "Main Street", street="120 Main Street", city="Toronto", country="CA")
    booked = maple.book(location=branch)
    send_all()
    html = part(sent_to("cleo@example.com"), "text/html")
    assert re.search(r'<a href="https://www.google.com/maps/search/[^>]*>Map</a>', html)
    look = look_at(html, width, scheme)
    assert (look.too_wide, look.violations) == ([], [])

    cancel(booked)
    send_all()

    look = look_at(part(sent_to("cleo@example.com"), "text/html"), width, scheme)
    assert (look.too_wide, look.violations, look.buttons) == ([], [], [[True, True, True]])


def test_the_client_has_buttons_to_move_and_cancel_and_links_to_calendars(maple: Maple) -> None:
    booked = maple.book()
    send_all()

    html = part(sent_to("cleo@example.com"), "text/html")
    page = f"{settings.BASE_URL}/appointments/{booked.manage_token}"
    labels = {"Move": f"{page}/move/", "Cancel": f"{page}/cancel/", "Apple and others": f"{page}/appointment.ics"}
    labels |= {"Google": "https://calendar.google.com/", "Outlook": "https://outlook.live.com/"}
    for label, address in labels.items():
        assert re.search(f'<a [^>]*href="{re.escape(address)}[^>]*>{label}</a>', html), label


def test_the_old_time_is_struck_through_and_named_in_words(maple: Maple) -> None:
    booked = maple.book()
    send_all()
    move(booked)
    send_all()

    message = sent_to("cleo@example.com")
    assert "before: <s>Monday, 30 November 2026, 10:00 – 10:30</s>" in part(message, "text/html")
    assert "(before: Monday, 30 November 2026, 10:00 – 10:30)" in part(message, "text/plain")


def test_no_email_names_a_staff_member_who_left(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    send_all()
    reassign_appointment(booked, staff=tess, actor=maple.sky, through=BookedThrough.SCHEDULE)
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    send_all()

    for address in ("cleo@example.com", "tess@maple.example"):
        assert [text for kind in ("text/plain", "text/html") if "Sam" in (text := part(sent_to(address), kind))] == []


def test_the_logo_is_a_public_address_with_the_name_in_its_place(maple: Maple, client: Any) -> None:
    save_logo(maple.organization, image_file())
    maple.organization.refresh_from_db()
    maple.book()
    send_all()

    html = part(sent_to("cleo@example.com"), "text/html")
    source = f"/brand/{maple.organization.slug}/{maple.organization.logo_digest}.png"
    assert f'src="{settings.BASE_URL}{source}"' in html
    assert 'alt="Maple Credit Union"' in html
    assert client.get(source)["Content-Type"] == "image/png"
