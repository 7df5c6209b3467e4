"""What every list of the product shares: search words, rows per page, pages."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

ROWS_PER_PAGE = (25, 50, 100)
_REMEMBERED = "rows_per_page"
M = TypeVar("M", bound=Model)


def page_of(request: HttpRequest, rows: QuerySet[M]) -> Page[M]:
    """The page that `page` and `rows` of the address ask for; what makes no sense is the first or last one."""
    return Paginator(rows, rows_per_page(request)).get_page(request.GET.get("page"))


def rows_per_page(request: HttpRequest) -> int:
    """25, 50 or 100: what the address asks for, else what this visitor asked for last, else the least.

    Every list is as long as the one where it was chosen, until the visitor signs out.
    """
    last = request.session.get(_REMEMBERED)
    usual = last if last in ROWS_PER_PAGE else ROWS_PER_PAGE[0]
    wanted = next((rows for rows in ROWS_PER_PAGE if str(rows) == request.GET.get("rows")), usual)
    if wanted != usual:
        request.session[_REMEMBERED] = wanted
    return wanted


def has_words(text: str, *fields: str) -> Q:
    """Every word of `text` is in at least one of the fields, without case: "sam main" finds Sam of Main Street."""
    found = Q()
    for word in text.split():
        anywhere = Q()
        for field in fields:
            anywhere |= Q(**{f"{field}__icontains": word})
        found &= anywhere
    return found


def list_context(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """What `_pagination.html` needs: `page` and the choices of rows a page."""
    return {
        "page": page_of(request, rows),
        "rows_per_page": rows_per_page(request),
        "row_choices": ROWS_PER_PAGE,
    }
