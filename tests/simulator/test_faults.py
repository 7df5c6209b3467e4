"""Faults: which requests they apply to, how often, and whether the request was executed."""

import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import pytest
import requests

from simulator import people
from simulator.people import CONTOSO_ID, FABRIKAM_ID

CREATE = "/me/onlineMeetings/createOrGet"


@pytest.fixture
def token(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT)


def create(simulator, token, **options):
    return simulator.graph(token, "POST", CREATE, json={"externalId": "e-1"}, **options)


def created_count(simulator) -> int:
    return int(simulator.state("counters").get("createOrGet.created", 0))


def test_throttling_has_microsofts_body_and_retry_after_header(simulator, token):
    simulator.control("fault", kind="throttle", retry_after=3, service="graph")

    response = simulator.graph(token, "GET", "/me")

    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
    assert response.json()["error"]["code"] == "TooManyRequests"
    assert response.json()["error"]["innerError"]["status"] == "429"


def test_a_fault_ends_after_its_count(simulator, token):
    simulator.control("fault", kind="unavailable", count=2)

    statuses = [simulator.graph(token, "GET", "/me").status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


def test_faults_are_limited_by_method_and_path(simulator, token):
    simulator.control("fault", kind="server_error", method="POST", regex="createOrGet")

    assert simulator.graph(token, "GET", "/me").status_code == 200
    assert create(simulator, token).status_code == 500
    assert created_count(simulator) == 0


def test_an_executed_request_can_get_an_error(simulator, token):
    simulator.control("fault", kind="server_error", executed=True, count=1)

    response = create(simulator, token)

    assert (response.status_code, created_count(simulator)) == (500, 1)


@pytest.mark.parametrize(("kind", "expected"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_gives_no_response(simulator, token, kind, expected):
    simulator.control("fault", kind=kind, count=1, path="/v1.0/me")

    with pytest.raises(requests.ConnectionError):
        create(simulator, token)

    assert created_count(simulator) == expected


def test_a_slow_response_follows_an_executed_request(simulator, token):
    simulator.control("fault", kind="slow", seconds=1, count=1, path="/v1.0/me")

    with pytest.raises(requests.ReadTimeout):
        create(simulator, token, timeout=0.3)

    assert created_count(simulator) == 1


def test_html_can_replace_json(simulator, token):
    simulator.control("fault", kind="html", status=200, count=1)

    response = simulator.graph(token, "GET", "/me")

    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_json_can_be_truncated(simulator, token):
    simulator.control("fault", kind="truncated", count=1)

    response = simulator.graph(token, "GET", "/me")

    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_a_single_request_can_be_unauthorized(simulator, token):
    simulator.control("fault", kind="unauthorized", count=1)

    first, second = (simulator.graph(token, "GET", "/me").status_code for _ in range(2))

    assert (first, second) == (401, 200)


def test_latency_combines_with_other_faults(simulator, token):
    simulator.control("fault", kind="latency", ms=20)
    simulator.control("fault", kind="forbidden", count=1)

    response = simulator.graph(token, "GET", "/users")

    entry = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"][-1]
    assert (response.status_code, entry["fault"]) == (403, "latency, forbidden")


@pytest.mark.parametrize(
    ("kind", "graph", "entra", "discovery"),
    [("token_down", 200, 503, 200), ("entra_down", 200, 503, 503), ("graph_down", 503, 400, 200)],
)
def test_single_services_can_be_down(simulator, token, kind, graph, entra, discovery):
    simulator.control("fault", kind=kind)

    document = simulator.http.get(f"{simulator.url}/{CONTOSO_ID}/v2.0/.well-known/openid-configuration")
    assert simulator.graph(token, "GET", "/me").status_code == graph
    assert simulator.app_only().status_code == entra
    assert document.status_code == discovery


def test_consent_can_be_declined_without_a_consent_page(simulator):
    simulator.control("fault", kind="refuse_consent", count=1)
    browser = simulator.browser()
    browser.authorize()

    browser.pick(people.SERVICE_ACCOUNT)

    assert browser.callback_parameters["error"] == "access_denied"


@pytest.mark.parametrize("fault", [{"kind": "earthquake"}, {"kind": "slow", "regex": "("}, {"kind": "slow", "x": 1}])
def test_an_invalid_fault_is_rejected(simulator, fault):
    response = simulator.http.post(f"{simulator.url}/_control/fault", json=fault)

    assert response.status_code == 400


def test_cleared_faults_have_no_effect(simulator, token):
    simulator.control("fault", kind="graph_down")

    simulator.control("clear-faults")

    assert simulator.graph(token, "GET", "/me").status_code == 200


def test_a_raw_answer_has_the_chosen_status_headers_and_body(simulator, token):
    simulator.control("fault", kind="raw", status=418, headers={"X-Note": "tea"}, body="<short and stout>", count=1)

    first, second = (simulator.graph(token, "GET", "/me") for _ in range(2))

    assert (first.status_code, first.headers["X-Note"], first.text) == (418, "tea", "<short and stout>")
    assert second.status_code == 200


def test_a_raw_answer_can_replace_only_the_token_endpoint(simulator, token):
    simulator.control("fault", kind="raw", regex=r"/oauth2/v2\.0/token$", status=429, headers={"Retry-After": "7"})

    response = simulator.app_only()

    assert (response.status_code, response.headers["Retry-After"], response.text) == (429, "7", "")
    assert simulator.graph(token, "GET", "/me").status_code == 200


def test_a_raw_answer_can_keep_its_own_request_id(simulator, token):
    simulator.control("fault", kind="raw", headers={"request-id": "chosen"}, count=1)

    assert simulator.graph(token, "GET", "/me").headers["request-id"] == "chosen"


def test_a_raw_answer_can_replace_one_item_of_a_batch(simulator, token):
    simulator.control("fault", kind="raw", regex="/users/", status=400, headers={"X-Note": "1"}, body='{"error": []}')
    items = [{"id": "1", "method": "GET", "url": "/me"}, {"id": "2", "method": "GET", "url": "/users/a"}]

    answers = simulator.graph(token, "POST", "/$batch", json={"requests": items}).json()["responses"]

    by_id = {each["id"]: each for each in answers}
    assert by_id["1"]["status"] == 200
    assert (by_id["2"]["status"], by_id["2"]["body"]) == (400, {"error": []})
    assert by_id["2"]["headers"]["X-Note"] == "1"


def test_a_fault_of_one_tenants_sign_in_leaves_the_other_tenants_alone(simulator):
    simulator.control("fault", kind="secret_expired", path=f"/{FABRIKAM_ID}/")

    numbers = [simulator.app_only(tenant).json()["error_codes"] for tenant in (CONTOSO_ID, FABRIKAM_ID)]

    assert numbers == [[700016], [7000222]]


@pytest.mark.parametrize("endpoint", ["authorize", "admin_consent"])
def test_a_refused_sign_in_can_return_any_error(simulator, endpoint):
    simulator.control("fault", kind="refuse_consent", code="invalid_client", number=650052, message="No subscription.")
    browser = simulator.browser()
    getattr(browser, endpoint)()

    browser.pick(people.SERVICE_ACCOUNT)

    parameters = browser.callback_parameters
    assert parameters["error"] == "invalid_client"
    assert parameters["error_description"].startswith("AADSTS650052: No subscription.")


def test_the_token_endpoint_can_refuse_with_any_error(simulator):
    simulator.control("fault", kind="refuse_token", code="invalid_client", number=7000229, status=401, count=1)

    response = simulator.app_only()

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.json()["error_codes"] == [7000229]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ms", "soon"),
        ("seconds", -1),
        ("count", True),
        ("status", 99),
        ("headers", "no colon"),
        ("headers", {"A b": "c"}),
        ("headers", {"A": "c\r\nd"}),
        ("body", {}),
        ("claims", []),
        ("without", "wids"),
        ("executed", "yes"),
        ("path", 1),
    ],
)
def test_a_field_of_the_wrong_type_is_named(simulator, field, value):
    response = simulator.http.post(f"{simulator.url}/_control/fault", json={"kind": "raw", field: value})

    assert response.status_code == 400
    assert response.json()["error"]
    assert simulator.state("faults") == []


def test_text_in_a_number_field_of_the_form_is_a_sentence(simulator):
    browser = simulator.browser()
    browser.open(f"{simulator.url}/")

    page = browser.submit_to("/tenant/fault/", kind="latency", ms="soon")

    assert page.status_code == 200
    assert "ms must be a whole number, not &#x27;soon&#x27;." in page.text


def test_the_form_adds_a_raw_answer(simulator, token):
    browser = simulator.browser()
    browser.open(f"{simulator.url}/")

    browser.submit_to("/tenant/fault/", kind="raw", status="503", headers="Retry-After: 7\r\nX-Note: 1", body="true")

    response = simulator.graph(token, "GET", "/me")
    assert (response.status_code, response.headers["Retry-After"], response.text) == (503, "7", "true")


@pytest.mark.parametrize("is_batched", [False, True])
def test_the_request_log_masks_passcodes_of_join_links(simulator, token, is_batched):
    link = create(simulator, token).json()["joinWebUrl"]
    passcode = link.partition("?p=")[2]
    url = "/me/onlineMeetings?" + urlencode({"$filter": f"JoinWebUrl eq '{link}'"})

    if is_batched:
        items = {"requests": [{"id": "1", "method": "GET", "url": url}]}
        simulator.graph(token, "POST", "/$batch", json=items)
    else:
        simulator.graph(token, "GET", url)

    log = simulator.http.get(f"{simulator.url}/_control/requests").text
    assert passcode
    assert "JoinWebUrl" in log
    assert passcode not in log


def test_microsofts_clock_can_differ(simulator):
    simulator.control("behaviour", clock_offset=600)

    response = simulator.app_only()

    dates = response.raw.headers.getlist("Date")
    assert len(dates) == 1
    assert parsedate_to_datetime(dates[0]).timestamp() == pytest.approx(time.time() + 600, abs=5)
