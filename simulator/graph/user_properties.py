"""User properties in Graph: names, values, and the permission that exposes each.

Also renders licence details and the organization.
"""

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
# Exposed by User.ReadBasic.All, inferred from its description in permissions.json
# (microsoft-graph-devx-content). The null properties among the defaults are shown as well.
BASIC_PROFILE = frozenset(DEFAULT_SELECT)


def _assigned_plans(person: Person) -> list[dict[str, Any]]:
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
    """Return the rows of `/users/{id}/licenseDetails`."""
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


GETTERS: dict[str, Callable[[Person], Any]] = {
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
    "assignedPlans": _assigned_plans,
    "assignedLicenses": lambda person: [{"skuId": BUSINESS_SKU, "disabledPlans": []}] if person.licensed else [],
    "mailNickname": lambda person: person.upn.partition("@")[0],
    "otherMails": lambda _: [],
}
# Properties of the user type that are always null here.
ALWAYS_NULL = frozenset(
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
PROPERTY_NAMES = {name.lower(): name for name in (*GETTERS, *ALWAYS_NULL)}


def property_value(person: Person, name: str) -> Any:
    """Return a property's value, or None if the simulator has no value."""
    return GETTERS[name](person) if name in GETTERS else None


def is_visible(caller: Caller, person: Person, name: str) -> bool:
    """Return whether the caller's permissions expose a property of a person."""
    return name in BASIC_PROFILE or caller.can_read_full_profile(person)


def render_user(caller: Caller, person: Person, select: tuple[str, ...]) -> dict[str, Any]:
    """Return the selected properties, without those that the permissions don't expose."""
    return {name: property_value(person, name) for name in select if is_visible(caller, person, name)}


def render_organization(tenant: Tenant) -> dict[str, Any]:
    """Return the row of `/organization`."""
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
