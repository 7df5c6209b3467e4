"""Phone numbers as people type and paste them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from coconut.fields.phone_numbers import (
    PhoneNumberField,
    PhoneNumberFormField,
    canonical_phone_number,
    display_phone_number,
    phone_search_words,
    tel_uri,
)
from coconut.fields.phone_regions import region_of_zone
from tests import hypothesis_profiles  # noqa: F401 - sets the profile
from tests.coconut.test_email_addresses import form_fields, model_fields

PASTED = [
    ("(416)\u00a0555-0100", "+14165550100"),
    ("416\u2011555\u20110100", "+14165550100"),
    ("\u202a+1 416 555 0100\u202c", "+14165550100"),
    ("416–555–0100", "+14165550100"),
    ("+1 416 555 0100 x12", "+14165550100 x12"),
    ("(416) 555-0100, ext. 12", "+14165550100 x12"),
    ("416.555.0100#12", "+14165550100 x12"),
    ("tel:+14165550100;ext=12", "+14165550100 x12"),
    ("Tel: 416 555 0100", "+14165550100"),
    ("1 416 555 0100", "+14165550100"),
    ("011 44 20 7946 0000", "+442079460000"),
    ("+44 (0)20 7946 0000", "+442079460000"),
    ("(+44) 20 7946 0000", "+442079460000"),
    ("+ 49 30 901820", "+4930901820"),
    ("٤١٦٥٥٥٠١٠٠", "+14165550100"),
    ("1-800-FLOWERS", "+18003569377"),
]
REFUSED = [
    "((((",
    "-",
    "+",
    "1",
    "1234",
    "911",
    "x12345",
    "12345x",
    "call me",
    "+1 416 555 010",
    "+1 416 555 0100 0100",
]


@pytest.mark.parametrize(("pasted", "stored"), PASTED)
def test_a_pasted_number_is_stored_in_one_form(pasted: str, stored: str) -> None:
    assert PhoneNumberFormField(region="CA").clean(pasted) == stored


@pytest.mark.parametrize(
    ("pasted", "region", "stored"),
    [
        ("020 7946 0000", "GB", "+442079460000"),
        ("0044 20 7946 0000", None, "+442079460000"),
        ("+1 416 555 0100 ext 12", None, "+14165550100 x12"),
        # Without an area code, the library knows no complete form.
        ("+1\u00a0555\u20110100", None, "+1 555-0100"),
    ],
)
def test_a_number_is_read_in_the_country_of_the_organisation(pasted: str, region: str | None, stored: str) -> None:
    assert PhoneNumberFormField(region=region).clean(pasted) == stored


@pytest.mark.parametrize("typed", REFUSED)
def test_text_that_no_one_can_call_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PhoneNumberFormField(region="CA").clean(typed)

    assert refused.value.messages == ["Enter a phone number, such as (506) 234-5678."]


@pytest.mark.parametrize(
    ("typed", "region", "sentence"),
    [
        ("555 0100", "CA", "Enter the phone number with its area code, such as (506) 234-5678."),
        ("1234567890123", "GB", "Enter a phone number, such as 0121 234 5678."),
        ("(416) 555-0100", None, "Enter the phone number with its country code, such as +1 506 234 5678."),
        ("call me", None, "Enter a phone number, such as +1 506 234 5678."),
        ("+1 555\n0100", None, "Enter a phone number, such as +1 506 234 5678."),
        ("0" * 300, "CA", "Enter a phone number, such as (506) 234-5678."),
    ],
)
def test_the_refusal_says_what_is_missing(typed: str, region: str | None, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PhoneNumberFormField(region=region, max_length=400).clean(typed)

    assert refused.value.messages == [sentence]


def test_a_column_stores_numbers_in_the_same_form() -> None:
    column = PhoneNumberField(max_length=40)

    assert column.get_prep_value("+1 (416) 555-0100 ext. 12") == "+14165550100 x12"
    assert column.get_prep_value("(416) 555-0100") == "(416) 555-0100"
    with pytest.raises(ValidationError):
        column.clean("call me", None)


@given(st.text(st.sampled_from("+()0123456789./- x#\u00a0\u2011\u202a"), max_size=40))
def test_a_stored_number_stays_as_it_is(text: str) -> None:
    stored = canonical_phone_number(text, "CA")

    assert canonical_phone_number(stored, "CA") == stored


@pytest.mark.parametrize(
    ("region", "shown"),
    [
        ("CA", "(416) 555-0100 ext. 12"),
        ("US", "(416) 555-0100 ext. 12"),
        ("GB", "+1 416-555-0100 ext. 12"),
        (None, "+1 416-555-0100 ext. 12"),
    ],
)
def test_a_number_is_shown_without_the_country_code_of_the_reader(region: str | None, shown: str) -> None:
    assert display_phone_number("+14165550100 x12", region) == shown


@pytest.mark.parametrize("stored", ["", "+1 555 0100", "ask for Jo"])
def test_a_number_that_cannot_be_read_is_shown_as_stored(stored: str) -> None:
    assert display_phone_number(stored, "CA") == stored


def test_a_form_shows_a_stored_number_nationally_and_typed_text_as_typed() -> None:
    field = PhoneNumberFormField(region="CA")

    assert field.prepare_value("+14165550100") == "(416) 555-0100"
    assert field.prepare_value("416 555 01") == "416 555 01"
    assert not field.has_changed("+14165550100", "(416) 555-0100")


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+14165550100", "tel:+14165550100"),
        ("+14165550100 x12", "tel:+14165550100;ext=12"),
        # As stored before numbers had one form.
        ("(416) 555-0100 x12", "tel:4165550100;ext=12"),
        ("+44 (0)20 7946 0000", "tel:+442079460000"),
        ("+1 416 555 0100 ext. 12", "tel:+14165550100;ext=12"),
    ],
)
def test_the_link_to_call_has_digits_only(number: str, address: str) -> None:
    assert tel_uri(number) == address


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("(416) 555-0100", ["+14165550100"]),
        ("+1 416 555 0100 x12", ["+14165550100", "x12"]),
        ("416–555", ["416555"]),
        ("020 7946 0000", ["2079460000"]),
        ("0", ["0"]),
        ("000", ["000"]),
        ("5-5", ["5-5"]),
        ("Brandt", ["Brandt"]),
    ],
)
def test_a_search_for_part_of_a_number_is_for_its_digits(search: str, words: list[str]) -> None:
    assert phone_search_words(search, "CA") == words


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("America/Toronto", "CA"),
        ("America/New_York", "US"),
        ("US/Eastern", "US"),
        ("Asia/Calcutta", "IN"),
        ("Europe/London", "GB"),
        ("UTC", None),
        ("Etc/GMT+3", None),
        (None, None),
    ],
)
def test_the_country_follows_from_the_time_zone(zone: str | None, region: str | None) -> None:
    assert region_of_zone(zone) == region


def test_every_phone_field_of_the_product_has_this_type() -> None:
    columns = [field for field in model_fields() if isinstance(field, models.Field) and field.name == "phone"]
    inputs = [field for field in form_fields() if getattr(field.widget, "input_type", "") == "tel"]

    assert {type(field) for field in columns} == {PhoneNumberField}
    assert {type(field) for field in inputs} == {PhoneNumberFormField}
    assert (len(columns), len(inputs) >= 3) == (3, True)
