"""Phone numbers as people type and paste them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from coconut.fields.phone_numbers import PhoneNumberField, PhoneNumberFormField, clean_phone_number, tel_uri
from tests import hypothesis_profiles  # noqa: F401 - sets the profile
from tests.coconut.test_email_addresses import form_fields, model_fields

ACCEPTED = [
    ("+1 555 0100", "+1 555 0100"),
    ("(416)\u00a0555-0100", "(416) 555-0100"),
    ("416\u2011555\u20110100", "416-555-0100"),
    ("\u202a+1 416 555 0100\u202c", "+1 416 555 0100"),
    ("416–555–0100", "416-555-0100"),
    ("+1 416 555 0100 x12", "+1 416 555 0100 x12"),
    ("+1 416 555 0100, ext. 12", "+1 416 555 0100 x12"),
    ("+1 416 555 0100#12", "+1 416 555 0100 x12"),
    ("tel:+14165550100;ext=12", "+14165550100 x12"),
    ("+44 (0)20 7946 0000", "+44 (0)20 7946 0000"),
    ("(+44) 20 7946 0000", "(+44) 20 7946 0000"),
    ("4165550100", "4165550100"),
    ("٤١٦٥٥٥٠١٠٠", "4165550100"),
    ("Tel: +49 30 901820", "+49 30 901820"),
    ("+ 49 30 901820", "+ 49 30 901820"),
]
REFUSED = [
    "((((",
    "-",
    "+",
    "1",
    "1234",
    "x12345",
    "12345x",
    "call me",
    "1-800-FLOWERS",
    "+1 555 0100 x",
    "555\x070100",
]


@pytest.mark.parametrize(("pasted", "stored"), ACCEPTED)
def test_a_pasted_number_is_accepted_and_cleaned(pasted: str, stored: str) -> None:
    assert PhoneNumberFormField().clean(pasted) == stored
    assert PhoneNumberField(max_length=40).clean(pasted, None) == stored


@pytest.mark.parametrize("typed", REFUSED)
def test_text_that_no_one_can_call_is_refused_with_an_example(typed: str) -> None:
    for clean in (PhoneNumberFormField().clean, lambda text: PhoneNumberField(max_length=40).clean(text, None)):
        with pytest.raises(ValidationError) as refused:
            clean(typed)
        assert "Enter a phone number, such as +1 555 0100." in refused.value.messages


@given(st.text(st.sampled_from("+()0123456789./- x#\u00a0\u2011\u202a"), max_size=40))
def test_a_cleaned_number_stays_as_it_is(text: str) -> None:
    cleaned = clean_phone_number(text)

    assert clean_phone_number(cleaned) == cleaned


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+1 416 555 0100", "tel:+14165550100"),
        ("(416) 555-0100 x12", "tel:4165550100;ext=12"),
        ("+44 (0)20 7946 0000", "tel:+442079460000"),
        # As stored before numbers were cleaned.
        ("+1 416 555 0100 ext. 12", "tel:+14165550100;ext=12"),
    ],
)
def test_the_link_to_call_has_digits_only(number: str, address: str) -> None:
    assert tel_uri(number) == address


def test_every_phone_field_of_the_product_has_this_type() -> None:
    columns = [field for field in model_fields() if isinstance(field, models.Field) and field.name == "phone"]
    inputs = [field for field in form_fields() if getattr(field.widget, "input_type", "") == "tel"]

    assert {type(field) for field in columns} == {PhoneNumberField}
    assert {type(field) for field in inputs} == {PhoneNumberFormField}
    assert (len(columns), len(inputs) >= 3) == (3, True)
