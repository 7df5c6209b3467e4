"""Search without case and accents: "nunez" finds "Núñez", and "gross" finds "Groß".

Columns of searched text and typed words are folded by the same function of the database, `fold_for_search`. The first
migration of search in `staff` creates it. Unlike `unaccent`, it is immutable, as generated columns and indexes require.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.db.models.lookups import Contains


class Folded(Func):
    """Text in upper case and without accents. Ligatures and similar letters become several: "ß" becomes "SS"."""

    function = "fold_for_search"
    arity = 1
    output_field = models.TextField()


def folded_text(*parts: str | Combinable) -> Folded:
    """Return the expression of a column to search: the parts with spaces between them, folded."""
    spaced: list[str | Combinable] = [parts[0]]
    for part in parts[1:]:
        spaced += [Value(" "), part]
    return Folded(Concat(*spaced, output_field=models.TextField()))


def contains_word(word: str, column: str = "search_text") -> Q:
    """Return the condition that a column of folded text contains the word."""
    return Q(**{f"{column}__contains": Folded(Value(word))})


def text_contains_word(word: str, field: str) -> Contains:
    """Return the condition that a field contains the word. No index helps: for short lists only."""
    return Contains(Folded(models.F(field)), Folded(Value(word)))
