"""Graph users: permissions, single users, lists, filters, pages, delta query."""

import pytest

from simulator import people
from simulator.people import CONTOSO_ID

BASIC = ("User.Read", "User.ReadBasic.All")
FULL = ("User.Read", "User.Read.All")


@pytest.fixture
def basic(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT, *BASIC)


@pytest.fixture
def full(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT, *FULL)


def users_by_filter(simulator, token, text, **options):
    return simulator.graph(token, "GET", "/users", params={"$filter": text}, **options)


def upns(response) -> list[str]:
    return [row["userPrincipalName"] for row in response.json()["value"]]


def error(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_me_is_the_signed_in_user(simulator, basic):
    body = simulator.graph(basic, "GET", "/me?$select=id,userPrincipalName").json()

    assert body["userPrincipalName"] == people.SERVICE_ACCOUNT


def test_an_app_token_has_no_me(simulator):
    response = simulator.graph(simulator.app_token(), "GET", "/me")

    body = response.json()["error"]
    assert (response.status_code, body["code"]) == (400, "BadRequest")
    assert body["message"] == "/me request is only valid with delegated authentication flow."


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "Access token is empty."),
        ("garbage", "CompactToken parsing failed with error code: 80049217"),
    ],
)
def test_a_request_without_a_valid_token_is_401(simulator, token, message):
    response = simulator.graph(token, "GET", "/me")

    body = response.json()["error"]
    assert (response.status_code, body["code"], body["message"]) == (
        401,
        "InvalidAuthenticationToken",
        message,
    )
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_401(simulator):
    simulator.control("behaviour", token_lifetime=-1)

    response = simulator.graph(simulator.user_token(people.SERVICE_ACCOUNT), "GET", "/me")

    assert response.json()["error"]["message"] == "Lifetime validation failed, the token is expired."


def test_errors_carry_the_request_ids_in_header_and_body(simulator):
    response = simulator.graph("", "GET", "/me", headers={"client-request-id": "mine"})

    inner = response.json()["error"]["innerError"]
    assert (inner["client-request-id"], response.headers["client-request-id"]) == ("mine", "mine")
    assert inner["request-id"] == response.headers["request-id"]


def test_reading_others_needs_a_directory_permission(simulator):
    token = simulator.user_token(people.SERVICE_ACCOUNT, "User.Read")

    assert error(simulator.graph(token, "GET", "/users")) == (403, "Authorization_RequestDenied")


def test_a_user_is_found_by_id_and_by_user_name_ignoring_case(simulator, basic):
    sam = simulator.person("sam@maple.example")

    by_upn = simulator.graph(basic, "GET", "/users/SAM@maple.example").json()
    by_id = simulator.graph(basic, "GET", f"/users/{sam['id']}").json()

    assert (by_upn["id"], by_id["userPrincipalName"]) == (sam["id"], "sam@maple.example")


def test_an_email_alias_works_in_filters_but_not_in_the_path(simulator, basic):
    by_path = simulator.graph(basic, "GET", "/users/hugo@maple.example")
    by_mail = users_by_filter(simulator, basic, "mail eq 'hugo@maple.example'")

    assert error(by_path) == (404, "Request_ResourceNotFound")
    assert upns(by_mail) == ["hugo.martin@maple.example"]


def test_proxy_addresses_can_be_filtered_only_with_the_full_profile(simulator, basic, full):
    text = "proxyAddresses/any(p:p eq 'smtp:hugo@maple.example')"

    assert upns(users_by_filter(simulator, basic, text)) == []
    assert upns(users_by_filter(simulator, full, text)) == ["hugo.martin@maple.example"]


def test_a_guest_is_found_if_the_hash_sign_is_percent_encoded(simulator, basic):
    encoded = simulator.graph(basic, "GET", "/users/grace_partner.example%23EXT%23@contoso.example")
    unencoded = simulator.graph(basic, "GET", "/users/grace_partner.example#EXT#@contoso.example")

    assert encoded.json()["displayName"] == "Grace Lindqvist"
    assert error(unencoded) == (404, "Request_ResourceNotFound")


def test_an_apostrophe_is_doubled_only_in_filters(simulator, basic):
    simulator.control("people", people=["o'brien@maple.example"])

    by_path = simulator.graph(basic, "GET", "/users/o%27brien@maple.example")
    doubled = simulator.graph(basic, "GET", "/users/o%27%27brien@maple.example")
    by_filter = users_by_filter(simulator, basic, "userPrincipalName eq 'o''brien@maple.example'")

    assert (by_path.status_code, doubled.status_code) == (200, 404)
    assert upns(by_filter) == ["o'brien@maple.example"]


@pytest.mark.parametrize("name", ["accountEnabled", "userType", "proxyAddresses", "assignedPlans"])
def test_the_basic_profile_omits_properties_of_the_full_profile(simulator, basic, full, name):
    path = f"/users/frank@maple.example?$select=id,{name}"

    assert name not in simulator.graph(basic, "GET", path).json()
    assert name in simulator.graph(full, "GET", path).json()


def test_user_read_exposes_the_full_profile_of_the_signed_in_user(simulator):
    token = simulator.user_token(people.SERVICE_ACCOUNT, "User.Read")

    body = simulator.graph(token, "GET", "/me?$select=accountEnabled,assignedPlans").json()

    assert (body["accountEnabled"], body["assignedPlans"][0]["capabilityStatus"]) == (True, "Enabled")


def test_an_unknown_property_is_a_bad_request(simulator, basic):
    assert error(simulator.graph(basic, "GET", "/users?$select=shoeSize")) == (400, "BadRequest")


def test_in_accepts_fifteen_values_and_returns_existing_users(simulator, basic):
    names = ["SAM@maple.example", "ivy@maple.example", *(f"unknown{n}@maple.example" for n in range(13))]

    response = users_by_filter(simulator, basic, f"userPrincipalName in ({quote_list(names)})")

    assert upns(response) == ["sam@maple.example"]


def quote_list(names: list[str]) -> str:
    return ",".join(f"'{name}'" for name in names)


def test_in_rejects_sixteen_values(simulator, basic):
    names = [f"unknown{number}@maple.example" for number in range(16)]

    response = users_by_filter(simulator, basic, f"userPrincipalName in ({quote_list(names)})")

    assert error(response) == (400, "Request_UnsupportedQuery")
    assert "Max allowed: 15" in response.json()["error"]["message"]


def test_an_advanced_query_accepts_more_than_fifteen_values(simulator, basic):
    names = ["sam@maple.example", *(f"unknown{number}@maple.example" for number in range(15))]
    params = {"$filter": f"userPrincipalName in ({quote_list(names)})", "$count": "true"}

    response = simulator.graph(basic, "GET", "/users", params=params, headers={"ConsistencyLevel": "eventual"})

    assert (upns(response), response.json()["@odata.count"]) == (["sam@maple.example"], 1)


def test_or_combines_user_name_and_mail(simulator, basic):
    text = "userPrincipalName eq 'sam@maple.example' or mail eq 'hugo@maple.example'"

    assert upns(users_by_filter(simulator, basic, text)) == [
        "sam@maple.example",
        "hugo.martin@maple.example",
    ]


@pytest.mark.parametrize("text", ["userPrincipalName eq", "shoeSize eq 'x'", "userPrincipalName eq 'o'brien'"])
def test_a_broken_filter_is_a_bad_request(simulator, basic, text):
    assert error(users_by_filter(simulator, basic, text)) == (400, "BadRequest")


def test_pages_list_every_user_once(simulator, basic):
    simulator.control("people", generate=2500, domain="many.example")
    seen: list[str] = []
    path = "/users?$select=id&$top=999"

    pages = 0
    while path:
        body = simulator.graph(basic, "GET", path).json()
        seen += [row["id"] for row in body["value"]]
        pages += 1
        path = body.get("@odata.nextLink", "").removeprefix("https://graph.microsoft.com/v1.0")

    all_ids = [row["id"] for row in simulator.state("people") if row["tenant_id"] == CONTOSO_ID]
    assert (pages, sorted(seen)) == (3, sorted(all_ids))


@pytest.mark.parametrize("size", ["0", "1000", "many"])
def test_a_page_size_is_1_to_999(simulator, basic, size):
    assert error(simulator.graph(basic, "GET", f"/users?$top={size}")) == (400, "BadRequest")


def test_count_needs_an_advanced_query(simulator, basic):
    plain = simulator.graph(basic, "GET", "/users/$count")
    advanced = simulator.graph(basic, "GET", "/users/$count", headers={"ConsistencyLevel": "eventual"})

    contoso = [row for row in simulator.state("people") if row["tenant_id"] == CONTOSO_ID]
    assert (plain.status_code, advanced.text) == (400, str(len(contoso)))


def test_delta_returns_changes_since_the_delta_link(simulator, full):
    first = simulator.graph(full, "GET", "/users/delta?$select=userPrincipalName").json()
    simulator.control("person", user="sam@maple.example", upn="samuel@maple.example")
    deleted_id = simulator.person("ben@maple.example")["id"]
    simulator.control("person", user="ben@maple.example", delete=True)

    link = first["@odata.deltaLink"].removeprefix("https://graph.microsoft.com/v1.0")
    changes = simulator.graph(full, "GET", link).json()["value"]

    assert [change.get("userPrincipalName") for change in changes] == ["samuel@maple.example", None]
    assert changes[1] == {"id": deleted_id, "@removed": {"reason": "changed"}}


def test_a_recreated_user_has_the_same_names_and_another_id(simulator, basic):
    before = simulator.person("sam@maple.example")
    simulator.control("policy", user="sam@maple.example")

    simulator.control("person", user="sam@maple.example", recreate=True)

    after = simulator.person("sam@maple.example")
    assert (after["name"], after["mail"], after["covered"]) == ("Sam Okafor", "sam@maple.example", False)
    assert after["id"] != before["id"]
    assert simulator.graph(basic, "GET", f"/users/{before['id']}").status_code == 404


def test_delta_names_both_ids_of_a_recreated_user(simulator, full):
    first = simulator.graph(full, "GET", "/users/delta?$select=userPrincipalName").json()
    former = simulator.person("sam@maple.example")["id"]
    current = simulator.control("person", user="sam@maple.example", recreate=True)["person"]["id"]

    link = first["@odata.deltaLink"].removeprefix("https://graph.microsoft.com/v1.0")
    changes = simulator.graph(full, "GET", link).json()["value"]

    assert [change["id"] for change in changes] == [current, former]


def test_a_token_of_a_recreated_user_is_refused(simulator):
    token = simulator.user_token(people.SERVICE_ACCOUNT)
    simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)

    assert error(simulator.graph(token, "GET", "/me")) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(("licensed", "plans"), [(True, ["TEAMS1"]), (False, [])])
def test_users_read_their_own_licences(simulator, licensed, plans):
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=licensed)

    rows = simulator.graph(simulator.user_token(people.SERVICE_ACCOUNT), "GET", "/me/licenseDetails").json()["value"]

    assert [plan["servicePlanName"] for row in rows for plan in row["servicePlans"]] == plans


def test_delta_can_be_limited_to_fifty_ids(simulator, full):
    sam, ben = (simulator.person(upn)["id"] for upn in ("sam@maple.example", "ben@maple.example"))
    first = simulator.graph(full, "GET", f"/users/delta?$filter=id eq '{sam}' or id eq '{ben}'").json()
    simulator.control("person", user="sam@maple.example", upn="samuel@maple.example")
    simulator.control("person", user=people.ORDINARY_USER, upn="ordinary@contoso.example")

    link = first["@odata.deltaLink"].removeprefix("https://graph.microsoft.com/v1.0")
    changes = simulator.graph(full, "GET", link).json()["value"]

    assert {user["id"] for user in first["value"]} == {sam, ben}
    assert [user["id"] for user in changes] == [sam]


@pytest.mark.parametrize(
    "condition",
    ["mail eq 'sam@maple.example'", "id in ('a')", " or ".join(f"id eq '{number}'" for number in range(51))],
)
def test_delta_rejects_other_filters(simulator, full, condition):
    response = simulator.graph(full, "GET", f"/users/delta?$filter={condition}")

    assert error(response) == (400, "Request_UnsupportedQuery")


def test_an_unknown_delta_token_is_410(simulator, full):
    assert error(simulator.graph(full, "GET", "/users/delta?$deltatoken=unknown")) == (
        410,
        "syncStateNotFound",
    )


def test_delta_needs_the_full_profile_permission(simulator, basic):
    assert error(simulator.graph(basic, "GET", "/users/delta")) == (403, "Authorization_RequestDenied")


def test_the_organization_has_tenant_and_domains(simulator):
    token = simulator.user_token(people.SERVICE_ACCOUNT, "User.Read")

    row = simulator.graph(token, "GET", "/organization").json()["value"][0]

    assert (row["id"], row["displayName"]) == (CONTOSO_ID, "Contoso")
    assert [domain["name"] for domain in row["verifiedDomains"]] == [
        "contoso.example",
        "maple.example",
        "cedar.example",
    ]


def test_users_of_another_tenant_are_not_found(simulator, full):
    assert error(simulator.graph(full, "GET", f"/users/{people.FABRIKAM_ADMIN}")) == (
        404,
        "Request_ResourceNotFound",
    )
