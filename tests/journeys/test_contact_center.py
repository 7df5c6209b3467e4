"""The Contact Center in a browser: by keyboard alone, and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import new_context, watched_page
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

#: From the search to the booked appointment, what is typed included.
FEW_KEYS = 20


class Keyboard:
    """Keyboard that counts the pressed keys."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.pressed += len(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def test_a_video_call_is_booked_by_keyboard_alone(page: Page) -> None:
    page.goto("/contact-center/")
    keys = Keyboard(page)

    # After choosing the service, do not wait for responses.
    keys.type("cleo")
    keys.press("Enter")
    expect(page.get_by_label("Service")).to_be_focused()
    keys.type("m")
    keys.press("Enter")
    keys.press("ArrowRight", "ArrowRight", "Enter", "ArrowDown", "ArrowRight", "Enter")
    expect(page.get_by_role("button", name="Book", exact=True)).to_be_focused()
    expect(page.locator("#summary")).to_contain_text("with Sam Okafor")
    when = page.locator("#summary").inner_text().partition(" with ")[0]
    keys.press("Enter")

    page.wait_for_url(re.compile(r"/contact-center/booked/\d+/$"))
    expect(page.get_by_text("Cleo Brandt meets Sam Okafor")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text(when.rpartition(", ")[2])
    assert keys.pressed <= FEW_KEYS

    # Start with the next caller.
    expect(page.get_by_role("link", name="Book another", exact=True)).to_be_visible()
    page.get_by_role("link", name="Book another", exact=True).press("Enter")
    expect(page.get_by_label("Search clients")).to_be_focused()


def test_book_that_is_chosen_twice_sends_one_request(page: Page) -> None:
    sent = []

    def answer_with_nothing(route: Route) -> None:
        sent.append(route.request.method)
        route.fulfill(status=204)

    page.goto("/contact-center/")
    page.get_by_label("Search clients").fill("cleo")
    page.get_by_role("radio", name=re.compile("Cleo Brandt")).check()
    page.get_by_label("Service").select_option(label="Mortgage review")
    page.get_by_role("radio", name="Video Call").check()
    page.locator(".free-time").first.click()
    book = page.get_by_role("button", name="Book", exact=True)
    expect(book).to_be_visible()

    page.route(re.compile("/contact-center/$"), answer_with_nothing)
    book.click()
    book.click()

    assert sent == ["POST"]


def test_text_typed_before_the_scripts_run_is_searched(page: Page) -> None:
    page.add_init_script(
        """addEventListener("readystatechange", () => {
            const search = document.getElementById("id_client_query");
            if (document.readyState === "interactive" && search) search.value = "cleo";
        }, true);"""
    )
    page.goto("/contact-center/")

    expect(page.get_by_role("radio", name=re.compile("Cleo Brandt"))).to_be_visible()


def test_t_selects_the_first_slot_and_a_replaced_request_is_not_an_error(page: Page) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto("/contact-center/?service=3&method=3")
    expect(page.locator(".free-time").first).to_be_visible()
    asked: list[Route] = []
    page.route("**/contact-center/*", lambda route: asked.append(route))

    # Two concurrent requests: the second replaces the first.
    with page.expect_request(lambda request: "method=2" in (request.post_data or "")):
        page.evaluate(
            """() => ["1", "2"].forEach((method) => {
                const radio = document.getElementById(`id_method_${method - 1}`);
                radio.checked = true;
                radio.dispatchEvent(new Event("change", {bubbles: true}));
            })"""
        )
    page.get_by_role("button", name="Book", exact=True).focus()
    page.keyboard.press("t")
    # The response brings other slots, none of them selected.
    with page.expect_response("**/contact-center/*"):
        asked[-1].continue_()

    expect(page.locator("input[name=slot]").first).to_be_checked()
    expect(page.locator("input[name=slot]").first).to_be_focused()
    expect(page.locator("#summary")).to_contain_text(" with ")
    assert errors == []


def test_a_new_client_is_booked_on_a_phone_and_no_element_is_wider_than_the_screen(
    browser: Browser, stack: Stack
) -> None:
    context = new_context(browser, stack)
    with watched_page(context) as page:
        steps.sign_in(page, "sky@maple.example", then="/contact-center/")
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_label("Search clients").fill("Zoë " + "x" * 200)
        page.get_by_role("radio", name="Add a new client").check()
        expect(page.get_by_label("Name", exact=True)).to_have_value(re.compile("^Zoë"))
        page.get_by_label("Service").select_option(label="Account opening")
        page.get_by_role("radio", name="At location").check()
        page.get_by_role("combobox", name="Location").select_option(label="Rosedale")
        expect(page.locator("#id_staff option")).to_have_text(
            ["Anyone available", "Frank Holm", "Ivy Chen", "Sam Okafor"]
        )
        page.locator(".free-time").last.click()
        expect(page.get_by_role("button", name="Book", exact=True)).to_be_in_viewport()
        expect(page.locator("#summary")).to_be_in_viewport()
        fits_before = fits(page)
        page.get_by_role("button", name="Book", exact=True).click()

        expect(page.get_by_role("heading", name="The appointment is booked.")).to_be_visible()
        expect(page.locator(".facts")).to_contain_text("Rosedale")
        assert (fits_before, fits(page)) == (True, True)
    context.close()


def fits(page: Page) -> bool:
    """Return whether no element extends beyond the right edge."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
