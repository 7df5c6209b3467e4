"""Search words, rows per page and pages of all lists."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from coconut.database.search import text_contains_word
from coconut.fields.one_line_text import clean_one_line

ROWS_PER_PAGE = (25, 50, 100)
_SESSION_KEY = "rows_per_page"
# Outlook writes "Okafor, Sam", and several people as "Okafor, Sam; Berg, Anna".
_BETWEEN_WORDS = re.compile(r"[\s,;]+")
M = TypeVar("M", bound=Model)


def page_of(request: HttpRequest, rows: QuerySet[M]) -> Page[M]:
    """Return the page that the query string requests. An invalid number gives the first or last page."""
    return Paginator(rows, rows_per_page(request)).get_page(request.GET.get("page"))


def rows_per_page(request: HttpRequest) -> int:
    """Return the rows per page that the query string requests, or else the last choice of this session.

    A choice applies to all lists until the user signs out.
    """
    last = request.session.get(_SESSION_KEY)
    usual = last if last in ROWS_PER_PAGE else ROWS_PER_PAGE[0]
    wanted = next((rows for rows in ROWS_PER_PAGE if str(rows) == request.GET.get("rows")), usual)
    if wanted != usual:
        request.session[_SESSION_KEY] = wanted
    return wanted


def search_words(text: str) -> list[str]:
    """Return the words of a search. Commas and semicolons separate words like spaces.

    The words have the form in which names are stored, so that composed and decomposed letters find each other.
    """
    return [word for word in _BETWEEN_WORDS.split(clean_one_line(text)) if word]


def has_words(text: str, *fields: str) -> Q:
    """Return the condition that each word of `text` is in one of the fields, without case and accents."""
    found = Q()
    for word in search_words(text):
        anywhere = Q()
        for field in fields:
            anywhere |= Q(text_contains_word(word, field))
        found &= anywhere
    return found


def list_context(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """Return the context of `_pagination.html`."""
    return {
        "page": page_of(request, rows),
        "rows_per_page": rows_per_page(request),
        "row_choices": ROWS_PER_PAGE,
    }
