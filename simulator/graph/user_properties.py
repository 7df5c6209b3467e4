"""The user object as Graph shows it: names, values, and what each permission reveals."""

from collections.abc import Callable
from typing import Any

from simulator.directory import Person, Tenant
from simulator.graph.access import Caller

TEAMS_PLAN = "57ff2da0-773e-42df-b2af-ffb7a2317929"
BUSINESS_SKU = "f245ecc8-75af-4f8e-b61f-27d8114de5f3"

DEFAULT_SELECT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
# What User.ReadBasic.All exposes; the empty ones among the default properties come along.
BASIC = frozenset(DEFAULT_SELECT)


def _plans(person: Person) -> list[dict[str, Any]]:
    if not person.licensed:
        return []
    return [
        {
            "assignedDateTime": "2026-01-05T08:00:00Z",
            "capabilityStatus": "Enabled",
            "service": "TeamspaceAPI",
            "servicePlanId": TEAMS_PLAN,
        }
    ]


def license_details(person: Person) -> list[dict[str, Any]]:
    """The rows of `/users/{id}/licenseDetails`."""
    if not person.licensed:
        return []
    plan = {
        "servicePlanId": TEAMS_PLAN,
        "servicePlanName": "TEAMS1",
        "provisioningStatus": "Success",
        "appliesTo": "User",
    }
    return [
        {
            "id": BUSINESS_SKU,
            "skuId": BUSINESS_SKU,
            "skuPartNumber": "O365_BUSINESS_PREMIUM",
            "servicePlans": [plan],
        }
    ]


VALUES: dict[str, Callable[[Person], Any]] = {
    "id": lambda person: person.id,
    "displayName": lambda person: person.name,
    "givenName": lambda person: person.name.split(" ")[0],
    "surname": lambda person: person.name.partition(" ")[2] or None,
    "mail": lambda person: person.mail or None,
    "userPrincipalName": lambda person: person.upn,
    "businessPhones": lambda _: [],
    "accountEnabled": lambda person: person.enabled,
    "userType": lambda person: "Guest" if person.guest else "Member",
    "proxyAddresses": lambda person: person.proxy_addresses,
    "assignedPlans": _plans,
    "assignedLicenses": lambda person: (
        [{"skuId": BUSINESS_SKU, "disabledPlans": []}] if person.licensed else []
    ),
    "mailNickname": lambda person: person.upn.partition("@")[0],
    "otherMails": lambda _: [],
}
# Other properties of the type, always null here.
EMPTY = frozenset(
    [
        "aboutMe",
        "ageGroup",
        "authorizationInfo",
        "birthday",
        "city",
        "companyName",
        "consentProvidedForMinor",
        "country",
        "createdDateTime",
        "creationType",
        "department",
        "employeeHireDate",
        "employeeId",
        "employeeType",
        "externalUserState",
        "externalUserStateChangeDateTime",
        "faxNumber",
        "hireDate",
        "identities",
        "imAddresses",
        "interests",
        "isResourceAccount",
        "jobTitle",
        "lastPasswordChangeDateTime",
        "legalAgeGroupClassification",
        "licenseAssignmentStates",
        "mailboxSettings",
        "mobilePhone",
        "mySite",
        "officeLocation",
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesImmutableId",
        "onPremisesLastSyncDateTime",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "onPremisesUserPrincipalName",
        "passwordPolicies",
        "postalCode",
        "preferredDataLocation",
        "preferredLanguage",
        "preferredName",
        "provisionedPlans",
        "responsibilities",
        "schools",
        "securityIdentifier",
        "showInAddressList",
        "signInActivity",
        "signInSessionsValidFromDateTime",
        "skills",
        "state",
        "streetAddress",
        "usageLocation",
    ]
)
KNOWN = {name.lower(): name for name in (*VALUES, *EMPTY)}


def value_of(person: Person, name: str) -> Any:
    """A property's value, None where the simulator has none."""
    return VALUES[name](person) if name in VALUES else None


def is_visible(caller: Caller, person: Person, name: str) -> bool:
    """May this caller see this property of this person?"""
    return name in BASIC or caller.sees_everything_of(person)


def render(caller: Caller, person: Person, select: tuple[str, ...]) -> dict[str, Any]:
    """The selected properties; those that the permission does not expose are left out."""
    return {name: value_of(person, name) for name in select if is_visible(caller, person, name)}


def render_organization(tenant: Tenant) -> dict[str, Any]:
    """The one row of `/organization`."""
    domains = [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": domain == tenant.default_domain,
            "isInitial": domain == tenant.default_domain,
            "name": domain,
            "type": "Managed",
        }
        for domain in tenant.domains
    ]
    return {"id": tenant.id, "displayName": tenant.name, "verifiedDomains": domains}
