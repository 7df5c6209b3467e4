"""Names and other text of one line: what no one sees, and what turns text round."""

from __future__ import annotations

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from coconut.fields.one_line_text import OneLineField, OneLineFormField, clean_one_line
from coconut.fields.pasted_text import IdentifierField
from coconut.fields.phone_numbers import PhoneNumberField
from staff.validators import one_line
from tests import hypothesis_profiles  # noqa: F401 - sets the profile
from tests.coconut.test_email_addresses import form_fields, model_fields


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Pat \u202egnp.exe", "Pat gnp.exe"),
        ("Jose\u0301 Nun\u0303ez", "José Nuñez"),
        ("  Anna \u00a0\u3000  Berg ", "Anna Berg"),
        ("An\u200bna\ufeff\u00ad Berg", "Anna Berg"),
        ("Kim\u3164Min\u115f", "KimMin"),
        ("a\u200db", "ab"),
        ("a\ufe0fb", "ab"),
        ("a\u200c", "a"),
    ],
)
def test_what_no_one_sees_is_dropped(typed: str, stored: str) -> None:
    assert clean_one_line(typed) == stored
    assert OneLineFormField().clean(typed) == stored
    assert OneLineField(max_length=300).get_prep_value(typed) == stored


@pytest.mark.parametrize(
    "name",
    [
        "Zoë 👩🏽\u200d🚀",
        "❤\ufe0f\u200d🔥",
        "علی\u200cرضا",  # Persian: the letters before and after don't join
        "ක්\u200dරිෂාන්",  # Sinhala: the joiner makes another letter
        "Zoë O’Neil-Brandt",
        "<i>Abe</i>",
    ],
)
def test_characters_that_belong_to_a_name_stay(name: str) -> None:
    assert clean_one_line(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("blank", ["\u200b", "\u2800", "\u3164", "\u115f", "\uffa0", " \u2060\u00a0", "\u202e\u200d"])
def test_a_name_that_no_one_sees_counts_as_empty(blank: str) -> None:
    with pytest.raises(ValidationError) as refused:
        OneLineFormField().clean(blank)
    assert refused.value.messages == ["This field is required."]
    with pytest.raises(ValidationError) as refused:
        OneLineField(max_length=300).clean(blank, None)
    assert refused.value.messages == ["This field cannot be blank."]


@given(st.text(max_size=60))
def test_stored_text_stays_as_it_is(text: str) -> None:
    stored = clean_one_line(text)

    assert clean_one_line(stored) == stored
    assert "  " not in stored


def test_megabytes_are_not_cleaned() -> None:
    text = "\u200b" * 1_000_000

    assert clean_one_line(text) == text


def test_every_text_of_one_line_of_the_product_has_such_a_type() -> None:
    columns = [
        field for field in model_fields() if isinstance(field, models.CharField) and one_line in field.validators
    ]
    inputs = [field for field in form_fields() if one_line in field.validators]

    assert {type(field) for field in columns} == {OneLineField, IdentifierField, PhoneNumberField}
    assert {type(field) for field in inputs} == {OneLineFormField}


def test_every_name_that_people_type_is_text_of_one_line() -> None:
    names = {
        f"{field.model.__name__}.{field.name}"
        for field in model_fields()
        if isinstance(field, models.CharField) and one_line in field.validators
    }

    assert {
        "Organization.name",
        "Location.name",
        "Location.street",
        "StaffMember.first_name",
        "StaffMember.last_name",
        "Service.name",
        "Service.category",
        "Client.name",
    } <= names
