"""The Client View in a browser: on a phone, inside another site, and without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import new_context, traced, watched_page
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def test_a_video_call_is_booked_on_a_phone(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> None:
    phone = browser.new_context(
        base_url=stack.url,
        viewport=PHONE,
        timezone_id="America/Vancouver",
        reduced_motion="reduce",
    )
    with traced(phone, request) as context, watched_page(context) as page:
        page.goto("/book/maple/")
        steps.choose_a_video_call(page)
        expect(page.locator(".chosen")).to_contain_text("Vancouver time")
        page.go_back()
        expect(page.get_by_role("heading", name="When suits you?")).to_be_visible()
        page.go_forward()
        width = page.evaluate("document.documentElement.scrollWidth")
        steps.book_as_client(page)

        assert width <= 390
        assert context.cookies(stack.url) == []


def test_it_can_be_booked_inside_an_allowed_site_without_third_party_cookies_and_no_other_site_shows_it(
    browser: Browser, stack: Stack
) -> None:
    with other_site(stack) as site, other_site(stack) as stranger:
        stack.sql("UPDATE staff_organization SET embed_origins = %s WHERE slug = 'maple'", site)
        context = new_context(browser, stack)
        page = context.new_page()
        refuse_third_party_cookies(page)

        page.goto(site)
        inside = page.frame_locator("iframe >> nth=0")
        expect(inside.get_by_text("You can’t book here")).to_be_hidden()
        steps.choose_a_video_call(inside)
        steps.book_as_client(inside)
        page.goto(stranger)

        # Including the cookie that the other frame of the site tries to set.
        assert context.cookies() == []
        assert page.frames[1].url.startswith("chrome-error:")
        context.close()


def test_a_sandboxed_frame_says_in_the_first_step_that_it_cannot_book(browser: Browser, stack: Stack) -> None:
    with other_site(stack, sandbox="allow-scripts allow-forms allow-popups") as site:
        stack.sql("UPDATE staff_organization SET embed_origins = %s WHERE slug = 'maple'", site)
        context = new_context(browser, stack)
        page = context.new_page()

        page.goto(site)
        inside = page.frame_locator("iframe >> nth=0")

        expect(inside.get_by_role("alert")).to_contain_text("You can’t book here")
        expect(inside.get_by_role("alert")).to_contain_text(f"{stack.url}/book/maple/")
        context.close()


def test_it_can_be_booked_without_scripts(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()

    page.goto("/book/maple/")
    steps.choose_a_video_call(page)
    steps.book_as_client(page)

    [(through,)] = stack.sql("SELECT booked_through FROM appointments_appointment ORDER BY id DESC LIMIT 1")
    assert through == "client_view"
    context.close()


def refuse_third_party_cookies(page: Page) -> None:
    """Refuse third-party cookies, which Playwright's browsers accept by default."""
    controls = {
        "enableThirdPartyCookieRestriction": True,
        "disableThirdPartyCookieMetadata": True,
        "disableThirdPartyCookieHeuristics": True,
    }
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCookieControls", controls)


@contextmanager
def other_site(stack: Stack, *, sandbox: str = "") -> Iterator[str]:
    """Serve a site with the Client View in a frame and a frame that sets a cookie; yield the origin."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            if self.path == "/cookie":
                self.send_header("Set-Cookie", "somebody=else; SameSite=None; Secure")
            self.end_headers()
            rights = f' sandbox="{sandbox}"' if sandbox else ""
            frame = f'<iframe src="{stack.url}/book/maple/" width="390" height="800"{rights}></iframe>'
            other = f'<iframe src="http://localhost:{server.server_port}/cookie"></iframe>'
            frames = "" if self.path == "/cookie" else frame + other
            self.wfile.write(f"<!doctype html><title>Maple</title>{frames}".encode())

        def log_message(self, *_args: object) -> None:
            """Suppress the request log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
