"""The schedule in a browser: click, drag, the panel, colleagues, and a day on a phone."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.browser import new_context, watched_page
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import OpenPage, Start

MAPLE = ZoneInfo("America/Toronto")
#: Of an hour in the columns.
HOUR_PIXELS = 4 * 26


def next_wednesday() -> date:
    """Return a working day in the future."""
    today = datetime.now(MAPLE).date()
    return today + timedelta(days=9 - today.weekday())


def empty(stack: Stack) -> None:
    """Remove all appointments."""
    stack.sql("UPDATE appointments_appointment SET status = 'cancelled' RETURNING 1")


def box_of(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


def column_of(page: Page, name: str) -> float:
    """Return the middle of the column of a staff member."""
    head = box_of(page.locator("#calendar .ec-col-head", has_text=name))
    return head["x"] + head["width"] / 2


def drag(page: Page, event: Locator, *, hours: float = 0, to: str = "") -> None:
    """Drag downwards, or to the column of a staff member."""
    event.scroll_into_view_if_needed()
    box = box_of(event)
    x, y = box["x"] + box["width"] / 2, box["y"] + 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 12, steps=3)
    page.mouse.move(column_of(page, to) if to else x, y + hours * HOUR_PIXELS, steps=6)
    page.mouse.up()


def test_a_slot_is_booked_dragged_and_reassigned_with_one_link_while_a_colleague_watches(
    open_page: OpenPage, ada_hosting: Start, browser: Browser, running_stack: Stack
) -> None:
    stack, page = running_stack, open_page(ada_hosting, "/settings/video-calls/")
    steps.turn_on(page, "Anna Berg")
    empty(stack)
    day = next_wednesday().isoformat()
    colleague = new_context(browser, stack)
    with watched_page(colleague) as other:
        steps.sign_in(other, "sky@maple.example", then=f"/schedule/?date={day}")

        # Click a free slot: the form has the staff member, the date and the time.
        page.goto(f"/schedule/?date={day}")
        ten = box_of(page.locator("#calendar time", has_text="10:00"))
        page.mouse.click(column_of(page, "Sam Okafor"), ten["y"] + ten["height"] / 2 + 4)
        expect(page.get_by_label("Time", exact=True)).to_have_value("10:00")
        expect(page.get_by_label("Date", exact=True)).to_have_value(day)
        page.get_by_label("Search clients").fill("Cleo")
        page.get_by_role("radio", name=re.compile("Cleo")).check()
        page.get_by_label("Service").select_option(label="Mortgage review")
        page.get_by_role("radio", name="Video Call").check()
        expect(page.get_by_label("Staff member").locator("option:checked")).to_have_text("Sam Okafor")
        page.get_by_role("button", name="Book", exact=True).last.click()
        page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))
        link = steps.expect_link(page)

        # A colleague's page shows it without a reload.
        seen = other.locator("#calendar .booked", has_text="Cleo")
        expect(seen).to_have_attribute("aria-label", re.compile("^10:00–10:45, Cleo Brandt"))

        # To another time: first a confirmation, then the move, and the colleague sees it.
        page.goto(f"/schedule/?date={day}")
        event = page.locator("#calendar .booked", has_text="Cleo")
        drag(page, event, hours=1)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("We will email Cleo Brandt.")
        dialog.get_by_role("button", name="Move").click()
        expect(page.get_by_text("11:00–11:45 with Sam Okafor now.")).to_be_visible()
        expect(seen).to_have_attribute("aria-label", re.compile("^11:00–11:45, Cleo Brandt"))

        # To another person: the confirmation announces that the link stays.
        drag(page, event, to="Anna Berg")
        expect(dialog).to_contain_text("The video meeting and its link stay the same.")
        dialog.get_by_role("button", name="Move").click()
        expect(page.get_by_text("11:00–11:45 with Anna Berg now.")).to_be_visible()

        # In the panel, from which Escape returns to the appointment on the schedule.
        event.click()
        panel = page.locator("#panel")
        expect(panel.get_by_text("The link stays.")).to_be_visible()
        expect(panel.locator("#own-link")).to_have_text(link)
        page.keyboard.press("Escape")
        expect(panel).not_to_be_visible()
        expect(event).to_be_focused()
    colleague.close()
    # At Microsoft it is the same meeting, with the new staff member as the only attendee.
    anna = steps.person(stack, "anna@maple.example")["id"]
    stack.wait_until(lambda: [steps.hosts(meeting) for meeting in steps.live_meetings(stack)] == [[anna]])
    [meeting] = steps.live_meetings(stack)
    assert meeting["join_web_url"] == link


def test_a_note_being_typed_survives_clicks_of_a_colleague_and_of_the_author(
    page: Page, browser: Browser, stack: Stack
) -> None:
    pk = appointment_now(stack, "sam@maple.example")
    steps.sign_in(page, "sky@maple.example", then=f"/schedule/?appointment={pk}")
    panel = page.locator("#panel")
    note = panel.get_by_label("Internal note")
    note.fill("Half a sent")
    own = new_context(browser, stack)
    with watched_page(own) as other:
        steps.sign_in(other, "sam@maple.example", then=f"/schedule/appointments/{pk}/")
        other.get_by_role("button", name="Arrived").click()

        expect(panel.locator("#appointment-summary").get_by_role("status")).to_have_text("Arrived")
        expect(note).to_have_value("Half a sent")
        panel.get_by_role("button", name="Start").click()

        # The change appears on the colleague's page, too, without a reload.
        expect(other.get_by_role("listitem").filter(has_text="Started.")).to_be_visible()
        expect(panel.get_by_role("button", name="Complete")).to_be_visible()
        expect(note).to_have_value("Half a sent")
        panel.get_by_role("button", name="Save").click()
        expect(panel.get_by_text("Saved.")).to_be_visible()
        expect(other.get_by_label("Internal note")).to_have_value("Half a sent")
    own.close()


def test_the_week_of_one_person_becomes_that_of_two_and_back_without_a_reload(page: Page, stack: Stack) -> None:
    steps.sign_in(page, "sky@maple.example", then="/schedule/?view=week&q=okafor")
    columns, anna = page.locator("#calendar"), page.get_by_role("rowheader", name="Anna Okafor")
    expect(columns).to_be_visible()

    for name, is_alone in [("Okafor", False), ("Berg", True)]:
        stack.sql("UPDATE staff_staffmember SET last_name = %s WHERE email = 'anna@maple.example'", name)
        page.evaluate("document.dispatchEvent(new Event('schedule-refresh'))")

        expect(columns).to_be_visible(visible=is_alone)
        expect(anna).to_be_visible(visible=not is_alone)


def test_an_appointment_is_dragged_to_another_day_of_the_weeks_table(page: Page, stack: Stack) -> None:
    steps.sign_in(page, "sky@maple.example", then=f"/schedule/?view=week&date={next_wednesday()}")
    page.set_viewport_size({"width": 1280, "height": 1600})
    free = ".week-cell.is-empty:not(.is-closed)"
    row = page.locator(f"tr:has(.chip):has({free})").first
    chip, target = row.locator(".chip").first, row.locator(free).first
    time = chip.locator(".chip-time").inner_text()
    moved = chip.get_attribute("data-appointment")
    day, staff = target.get_attribute("data-day"), target.get_attribute("data-staff")

    chip.drag_to(target)
    page.get_by_role("dialog").get_by_role("button", name="Move").click()

    cell = page.locator(f'.week-cell[data-day="{day}"][data-staff="{staff}"]')
    expect(cell.locator(f'[data-appointment="{moved}"] .chip-time')).to_have_text(time)
    expect(page.locator(f'.week-cell [data-appointment="{moved}"]')).to_have_count(1)


def test_on_a_phone_a_week_of_many_is_a_list_of_people(page: Page, stack: Stack) -> None:
    steps.sign_in(page, "sky@maple.example", then="/schedule/?view=week")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".week-cell").first).not_to_be_visible()

    page.get_by_role("link", name=re.compile("^Sam Okafor [0-9]+ appointments?$")).click()

    expect(page.locator(".week-cell:visible").first).to_be_visible()
    assert fits(page)


def test_a_day_is_managed_on_a_phone_from_the_list(page: Page, stack: Stack) -> None:
    appointment_now(stack, "sam@maple.example")
    steps.sign_in(page, "sam@maple.example", then="/schedule/")
    page.set_viewport_size({"width": 390, "height": 844})

    fitting = [fits(page)]
    page.locator("#day-list a[data-appointment]").click()
    for button, status in [("Arrived", "Arrived"), ("Start", "In progress"), ("Complete", "Served")]:
        page.get_by_role("button", name=button).click()
        expect(page.locator("#appointment-summary").get_by_role("status")).to_have_text(status)
    fitting.append(fits(page))
    page.goto("/schedule/?view=week")
    fitting.append(fits(page))

    assert fitting == [True, True, True]
    [(status,)] = stack.sql("SELECT status FROM appointments_appointment WHERE status <> 'cancelled'")
    assert status == "served"


def appointment_now(stack: Stack, staff: str) -> int:
    """Make the only appointment start now."""
    empty(stack)
    query = (
        "UPDATE appointments_appointment SET status = 'confirmed', starts_at = now(), busy_from = now(),"
        " ends_at = now() + interval '30 minutes', busy_to = now() + interval '30 minutes' WHERE id ="
        " (SELECT a.id FROM appointments_appointment a JOIN staff_staffmember s ON s.id = a.staff_id"
        " WHERE s.email = %s ORDER BY a.id LIMIT 1) RETURNING id"
    )
    [(pk,)] = stack.sql(query, staff)
    return int(pk)


def fits(page: Page) -> bool:
    """Return whether no element extends beyond the right edge."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("zone", ["America/Toronto", "Asia/Tokyo"])
def test_the_current_time_is_drawn_only_if_the_browser_has_the_time_zone_of_the_schedule(
    browser: Browser, stack: Stack, zone: str
) -> None:
    context = browser.new_context(base_url=stack.url, timezone_id=zone)
    page = context.new_page()
    noon = datetime.now(MAPLE).replace(hour=12, minute=0, second=0, microsecond=0)
    page.clock.set_fixed_time(noon)
    steps.sign_in(page, then="/schedule/")
    expect(page.locator("#calendar .ec-body").first).to_be_visible()

    shown = page.locator(".ec-now-indicator").count()

    context.close()
    assert shown == (1 if zone == "America/Toronto" else 0)
