"""Logo and colours of public pages. Their addresses change with their content, so browsers keep them for a year."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from staff.branding.colors import MIN_CONTRAST, contrast_with_white, normalize_color, styles_for
from staff.branding.logos import logo_with

_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"


@login_not_required
@require_safe
def brand_logo(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """Return the PNG of an organisation's logo."""
    png = logo_with(slug, digest)
    if png is None:
        raise Http404
    return _lasting(HttpResponse(png, content_type="image/png"))


@login_not_required
@require_safe
def brand_styles(request: HttpRequest, digits: str) -> HttpResponse:
    """Return the stylesheet of a colour, for example that of "0b6e66"."""
    try:
        color = normalize_color(digits)
    except ValueError:
        raise Http404 from None
    # Only a colour that an organisation can have.
    if color != f"#{digits}" or contrast_with_white(color) < MIN_CONTRAST:
        raise Http404
    return _lasting(HttpResponse(styles_for(color), content_type="text/css; charset=utf-8"))


def _lasting(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = _FOR_A_YEAR
    return response
