"""The article's "Set services to include video calls"."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.article.clicks import row_of
from tests.stack import Stack

SERVICE = "Account opening"


def open_more(page: Page) -> Locator:
    """Do steps 1 to 3 and return the checkbox of step 4."""
    page.goto("/services/")
    row_of(page, SERVICE).get_by_role("link", name="More").click()
    return page.get_by_role("group", name="Meeting Method").get_by_role("checkbox", name="Video Call")


def choose_service_in_booking(page: Page) -> Locator:
    page.goto("/schedule/appointments/add/")
    page.get_by_label("Service").select_option(label=SERVICE)
    expect(page.get_by_role("radio", name="Phone Call")).to_be_visible()
    return page.get_by_role("radio", name="Video Call")


def test_services_require_video_calls_as_an_optional_meeting_method(dashboard: Page) -> None:
    """Services that will include the option to join by Teams link will require that video calls is an optional
    meeting method.
    """
    expect(choose_service_in_booking(dashboard)).to_have_count(0)
    open_more(dashboard).check()
    dashboard.get_by_role("button", name="Save").click()
    expect(dashboard.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    expect(choose_service_in_booking(dashboard)).to_have_count(1)


def test_step_1_from_the_navigation_menu_click_services(ada: Page) -> None:
    """From the navigation menu, click Services"""
    ada.goto("/settings/")

    ada.get_by_role("navigation", name="Main").get_by_role("link", name="Services").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("Services")


def test_step_2_navigate_to_the_service(ada: Page) -> None:
    """Navigate to the service that will include video calls as an option"""
    ada.goto("/services/")

    expect(row_of(ada, SERVICE).get_by_role("link", name="More")).to_be_visible()


def test_step_3_click_more(ada: Page) -> None:
    """Click More"""
    open_more(ada)

    expect(ada.get_by_role("heading", level=1)).to_have_text(SERVICE)
    expect(ada.get_by_role("link", name="More")).to_have_attribute("aria-current", "page")


def test_step_4_from_meeting_method_select_video_call(ada: Page) -> None:
    """From Meeting Method, select Video Call"""
    video = open_more(ada)
    expect(video).not_to_be_checked()

    video.check()

    expect(video).to_be_checked()


def test_step_5_click_save(ada: Page, stack: Stack) -> None:
    """Click Save"""
    open_more(ada).check()

    ada.get_by_role("button", name="Save").click()

    expect(ada.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    ada.reload()
    methods = ada.get_by_role("group", name="Meeting Method")
    expect(methods.get_by_role("checkbox", name="Video Call")).to_be_checked()
    expect(methods.get_by_role("checkbox", name="Phone Call")).to_be_checked()
