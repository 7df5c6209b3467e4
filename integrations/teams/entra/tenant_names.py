"""Find the tenant ID or domain in what an admin pastes."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

import idna

from coconut.fields.pasted_text import clean_identifier, unwrap

# Longer text isn't a tenant, and to unwrap megabytes of brackets would take minutes.
_LONGEST: Final = 2000
_HEX_GUID: Final = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
_GUID: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])")
# As in portal addresses ("tenantId/72f9…", "tenant=72f9…") and on the page Overview ("Tenant ID 72f9…").
_LABELLED: Final = re.compile(rf"tenant ?(?:id)?[\s:/=]+({_GUID.pattern})")
# The domain in an address of Microsoft's portals, such as https://portal.azure.com/#@contoso.com/resource. From memory.
_PORTAL: Final = re.compile(
    r"https?://(?:portal\.azure\.com|entra\.microsoft\.com)/(?:#@)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:/|$)"
)
# The sign-in hosts of Microsoft's clouds, in whose addresses the tenant comes first
# (learn.microsoft.com/entra/identity-platform/authentication-national-cloud).
_SIGN_IN_HOSTS: Final = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.windows.net",
        "sts.windows.net",
    }
)


def find_tenant_name(pasted: str) -> str:
    """Return the tenant ID or domain in the text, in lower case. Text without any is returned cleaned, as it is."""
    if len(pasted) > _LONGEST:
        return pasted
    text = _unwrap(clean_identifier(unquote(pasted)).lower())
    if guid := _HEX_GUID.fullmatch(text):
        return "-".join(guid.groups())
    return _only_guid(text) or _name_in_address(text) or _ascii_domain(text)


def _unwrap(text: str) -> str:
    """Remove quotation marks, brackets and punctuation around the text."""
    while (inner := unwrap(text).strip(".,;: ")) != text:
        text = inner
    return text


def _name_in_address(text: str) -> str:
    """Return the tenant in an address of Microsoft, or the host in one of a home page. "" for other text."""
    if portal := _PORTAL.match(text):
        return portal[1]
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return ""
    path = address.path.strip("/")
    if address.hostname in _SIGN_IN_HOSTS:
        return path.partition("/")[0]
    is_home_page = "://" in text and not (path or address.query or address.fragment)
    return _ascii_domain(address.hostname or "") if is_home_page else ""


def _only_guid(text: str) -> str:
    """Return the GUID that is labelled as the tenant's, or the only one in the text. "" if it isn't clear."""
    if "@" in text and "/" not in text:
        # An email address, whose local part may be a GUID.
        return ""
    found = set(_LABELLED.findall(text)) or set(_GUID.findall(text))
    return found.pop() if len(found) == 1 else ""


def _ascii_domain(text: str) -> str:
    """Return a domain with other letters as it is in DNS (RFC 5891), and other text unchanged."""
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        return text
