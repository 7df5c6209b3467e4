"""The layout of every email: the organisation's logo, colour and address around the content, with CSS inlined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from css_inline import CSSInliner
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from staff.branding.colors import readable_on
from staff.models import Organization

#: Coconut's own colour, for organisations without one.
_COLOR: Final = "#0b6e66"
#: Background of the content in dark mode, also in templates/email/_styles.css.
_DARK: Final = "#1b2327"
# Email programs ignore style sheets in part or entirely, except for at-rules, which no attribute can hold.
_INLINER: Final = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@dataclass(frozen=True)
class Brand:
    """Looks of the sender in the layout. Texts are empty if there is nothing to show."""

    name: str
    color: str
    color_on_dark: str
    logo_url: str = ""
    address: str = ""
    phone: str = ""


def brand_of(organization: Organization | None, *, phone: str = "") -> Brand:
    """Return the brand of the organisation, or Coconut's for emails to operators.

    The logo is a public address, not an attachment. Attachments would add its bytes to each email and a paper clip to
    each line of the inbox. Where an email program doesn't load pictures, the organisation's name stands in its place.
    """
    if organization is None:
        return Brand("Coconut", _COLOR, _on_dark(_COLOR))
    color = organization.color or _COLOR
    return Brand(
        name=organization.name,
        color=color,
        color_on_dark=_on_dark(color),
        logo_url=_logo_url(organization),
        address=organization.address,
        phone=phone or organization.phone,
    )


def render_html(template: str, context: Mapping[str, Any], brand: Brand) -> str:
    """Return the HTML of an email. The template extends `email/layout.html`."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    direction = "rtl" if translation.get_language_bidi() else "ltr"
    html = render_to_string(template, {**context, "brand": brand, "language": language, "direction": direction})
    return _INLINER.inline(html)


def _logo_url(organization: Organization) -> str:
    if not organization.logo_digest:
        return ""
    path = reverse("brand-logo", args=[organization.slug, organization.logo_digest])
    return f"{settings.BASE_URL}{path}"


@cache
def _on_dark(color: str) -> str:
    return readable_on(color, _DARK)
