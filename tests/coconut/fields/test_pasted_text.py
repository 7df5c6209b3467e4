"""Identifiers that people paste: characters that no one sees, and hyphens that only look like one."""

from __future__ import annotations

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from coconut.email_addresses import normalize_email_address
from coconut.fields.pasted_text import (
    IdentifierField,
    IdentifierFormField,
    clean_identifier,
    describe_character,
    unwrap,
    validate_printable,
)
from integrations.teams.entra.tenant_names import find_tenant_name
from tests import hypothesis_profiles  # noqa: F401 - sets the profile

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202c\u202e\u2066\u2069\u034f\u2800\u3164\ufe0f"


@pytest.mark.parametrize(
    ("pasted", "cleaned"),
    [
        ("anna@maple.example\u200b", "anna@maple.example"),
        ("\ufeffanna", "anna"),
        ("an\u2060na", "anna"),
        ("\u00a0anna\u3000", "anna"),
        ("anna\u00a0berg", "anna berg"),
        ("anna\u2011berg", "anna-berg"),
        ("anna\u2013berg", "anna-berg"),
        ("Zoë O’Neil", "Zoë O’Neil"),
        (INVISIBLE, ""),
        ("", ""),
    ],
)
def test_what_no_one_sees_is_dropped(pasted: str, cleaned: str) -> None:
    assert clean_identifier(pasted) == cleaned
    assert IdentifierFormField(required=False).clean(pasted) == cleaned
    assert IdentifierField(max_length=150, blank=True).clean(pasted, None) == cleaned


@given(st.text(max_size=60))
def test_a_cleaned_identifier_is_clean(text: str) -> None:
    cleaned = clean_identifier(text)

    assert clean_identifier(cleaned) == cleaned
    assert not {"Cf", "Zs"} & {unicodedata.category(letter) for letter in cleaned if letter != " "}


@given(
    st.text("abcxyz0123456789@.-_'", min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(INVISIBLE))),
)
def test_invisible_characters_anywhere_make_no_difference(name: str, pasted: list[tuple[int, str]]) -> None:
    text = name
    for position, character in pasted:
        text = text[:position] + character + text[position:]

    assert clean_identifier(text) == name


@pytest.mark.parametrize("text", ["a\ue000b", "a\ud800b", "a\u0378b"])
def test_another_character_without_a_glyph_is_refused_with_its_position(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_printable(text)

    assert refused.value.messages == [f"Character 2 (U+{ord(text[1]):04X}) is not a letter, digit or sign. Delete it."]


@pytest.mark.parametrize(("character", "described"), [("’", "“’”"), ("\u200b", "U+200B"), (" ", "U+0020")])
def test_a_character_is_described_so_that_people_can_find_it(character: str, described: str) -> None:
    assert describe_character(character) == described


@pytest.mark.parametrize("wrapped", ['"a b"', "'a b'", "“a b”", "„a b“", "{ a b }", "<{[(a b)]}>", "a b"])
def test_quotation_marks_and_brackets_around_text_are_removed(wrapped: str) -> None:
    assert unwrap(wrapped) == "a b"


@pytest.mark.parametrize("text", ['"a', "a)", "{a]", "a"])
def test_single_quotation_marks_and_brackets_stay(text: str) -> None:
    assert unwrap(text) == text


@pytest.mark.parametrize("pasted", ["(" * 1_000_000 + ")" * 1_000_000, "mailto:" * 300_000])
def test_megabytes_are_not_unwrapped(pasted: str) -> None:
    assert normalize_email_address(pasted) == pasted
    assert find_tenant_name(pasted) == pasted
    assert unwrap(pasted) == pasted
