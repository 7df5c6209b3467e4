"""Simulator process: command line, state file, shutdown, tenant page."""

import subprocess
import sys
from pathlib import Path

from simulator import people
from tests.simulator.client import Simulator, sign_in

ROOT = Path(__file__).resolve().parents[2]


def test_meetings_tokens_and_people_survive_a_restart(tmp_path):
    state = tmp_path / "state.json"
    first = Simulator("--state", str(state))
    tokens = sign_in(first, people.SERVICE_ACCOUNT)
    first.graph(tokens["access_token"], "POST", "/me/onlineMeetings/createOrGet", json={"externalId": "e-1"})
    first.control("person", user="sam@maple.example", upn="samuel@maple.example")
    first.control("policy", user="ben@maple.example")
    first.stop()

    second = Simulator("--state", str(state))

    # The old access token is still valid, so the signing key survived too.
    repeated = second.graph(
        tokens["access_token"], "POST", "/me/onlineMeetings/createOrGet", json={"externalId": "e-1"}
    )
    refreshed = second.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    covered = second.person("ben@maple.example")["covered"]
    renamed = second.person("samuel@maple.example")["name"]
    second.stop()
    assert (repeated.status_code, refreshed.status_code) == (200, 200)
    assert (covered, renamed) == (True, "Sam Okafor")


def test_a_broken_state_file_stops_the_start_with_one_sentence(tmp_path):
    state = tmp_path / "state.json"
    state.write_text("{")

    completed = subprocess.run(
        [sys.executable, "-m", "simulator", "--state", str(state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert completed.returncode == 1
    assert completed.stderr.startswith(f"The state file {state} cannot be read")


def test_sigterm_stops_the_process_despite_an_open_connection():
    simulator = Simulator()
    # The client's keep-alive connection is still open.
    simulator.process.terminate()

    assert simulator.process.wait(timeout=10) == 0


def test_the_tenant_page_shows_name_and_id(simulator):
    text = simulator.http.get(f"{simulator.url}/").text

    assert "<h1>Contoso tenant</h1>" in text
    assert people.CONTOSO_ID in text


def test_single_requests_have_no_batch_count(simulator):
    token = sign_in(simulator, people.SERVICE_ACCOUNT)["access_token"]
    simulator.graph(token, "GET", "/me")

    assert "in the batch" not in simulator.http.get(f"{simulator.url}/").text


def test_a_button_of_the_tenant_page_runs_its_control(simulator):
    browser = simulator.browser()
    browser.open(f"{simulator.url}/")
    sam = simulator.person("sam@maple.example")["id"]
    browser.page.url = f"{simulator.url}/tenant/person/"

    browser.submit(user=sam, enabled="false")

    assert browser.heading == "Contoso tenant"
    assert simulator.person("sam@maple.example")["enabled"] is False


def test_the_tenant_page_sets_the_quota_of_resource_units(simulator):
    browser = simulator.browser()
    browser.open(f"{simulator.url}/")
    browser.page.url = f"{simulator.url}/tenant/behaviour/"

    browser.submit(resource_units="1", deleted_organizer="forbidden")

    token = simulator.user_token(people.SERVICE_ACCOUNT)
    assert 'name="resource_units" min="0" value="1"' in browser.page.text
    assert [simulator.graph(token, "GET", "/me").status_code for _ in range(2)] == [200, 429]


def test_a_control_error_is_shown_on_the_tenant_page(simulator):
    browser = simulator.browser()
    browser.open(f"{simulator.url}/")
    sam = simulator.person("sam@maple.example")["id"]
    browser.page.url = f"{simulator.url}/tenant/person/"

    browser.submit(user=sam, upn="ben@maple.example")

    assert "The user name ben@maple.example is taken." in browser.page.text


def test_buttons_need_the_csrf_token(simulator):
    response = simulator.http.post(f"{simulator.url}/tenant/reset/")

    assert response.status_code == 403


def test_the_request_log_masks_state(simulator):
    browser = simulator.browser()
    browser.authorize()

    target = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"][-1]["target"]

    assert "&state=…" in target


def test_fifty_thousand_people_can_be_added_at_once(simulator):
    added = simulator.control("people", generate=50000, domain="many.example")["added"]

    token = simulator.user_token(people.SERVICE_ACCOUNT)
    found = simulator.graph(token, "GET", "/users/user49999@many.example").status_code
    assert (added, found) == (50000, 200)
