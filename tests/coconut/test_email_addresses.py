"""Email addresses: every field of the product has the same type, and accepts what a header can hold."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from coconut.email_addresses import EmailAddressField, EmailAddressFormField, normalize_email_address
from staff.models import StaffMember
from tests import hypothesis_profiles  # noqa: F401 - sets the profile
from tests.factories import make_member, make_organization

PRODUCT = ("appointments", "coconut", "integrations", "services", "staff")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@maple.example", "ada@maple.example"),
        ("  Ada@Maple.example ", "Ada@Maple.example"),
        ("o'neil+bank@maple.example", "o'neil+bank@maple.example"),
        ("ada@b\u00fcro.example", "ada@xn--bro-hoa.example"),
        # IDNA 2008 keeps the letter that IDNA 2003 replaced by "ss".
        ("ada@stra\u00dfe.example", "ada@xn--strae-oqa.example"),
        ("ada@B\u00dcRO.example", "ada@xn--bro-hoa.example"),
        ("ada\u200b@maple.example", "ada@maple.example"),
        ("\u202aada@ma\u2060ple.example\u202c", "ada@maple.example"),
        ("ada\u2011b@maple.example", "ada-b@maple.example"),
        ("<ada@maple.example>;", "ada@maple.example"),
        ("mailto:ada@maple.example", "ada@maple.example"),
        ("ada@b\u00fcro.example.", "ada@xn--bro-hoa.example"),
    ],
)
def test_an_address_is_stored_with_an_ascii_domain(typed: str, stored: str) -> None:
    assert EmailAddressFormField().clean(typed) == stored
    assert EmailAddressField().clean(stored, None) == stored


@given(st.text("ab@.<>;\u200b\u00fc '\"", max_size=20))
def test_an_accepted_address_stays_as_it_is(typed: str) -> None:
    try:
        stored = EmailAddressFormField().clean(typed)
    except ValidationError:
        return
    assert normalize_email_address(stored) == stored


UNSAFE = [
    '"a\x0bX:y"@victim.example',
    '"b\x0cfoo"@victim.example',
    '"quoted"@victim.example',
    "a\x1cb@victim.example",
    "a\nb@victim.example",
    "a\u2028b@victim.example",
    "ada@vic tim.example",
    "ada@vic\u00a0tim.example",
    "ada@\u2603-.example",
    "ada",
    "ada@",
]


@pytest.mark.parametrize("address", UNSAFE)
def test_an_address_that_no_header_can_hold_is_refused_with_a_sentence(address: str) -> None:
    for field in (EmailAddressFormField(), EmailAddressField()):
        with pytest.raises(ValidationError) as refused:
            field.clean(address, None) if isinstance(field, models.Field) else field.clean(address)
        assert all(sentence.endswith(".") for sentence in refused.value.messages)


@pytest.mark.parametrize("address", ["o'neil+bank@maple.example", "ada@xn--bro-hoa.example"])
def test_an_accepted_address_makes_a_header_of_one_line(address: str) -> None:
    message = EmailMessage(policy=SMTP)
    message["To"] = address

    assert message.as_string() == f"To: {address}\r\n\r\n"


@pytest.mark.django_db
def test_a_search_finds_an_address_as_it_is_stored() -> None:
    ada = make_member(make_organization(), email="ada@b\u00fcro.example")

    assert ada.email == "ada@b\u00fcro.example"
    ada.refresh_from_db()
    assert ada.email == "ada@xn--bro-hoa.example"
    assert StaffMember.objects.with_email("Ada@b\u00fcro.example").get() == ada
    assert StaffMember.objects.get_by_natural_key("ada@B\u00dcRO.example") == ada


@pytest.mark.django_db
@pytest.mark.parametrize("address", UNSAFE)
def test_a_search_for_an_invalid_address_finds_nothing(address: str) -> None:
    assert not StaffMember.objects.with_email(address).exists()


def model_fields() -> Iterator[Any]:
    for model in apps.get_models():
        if model.__module__.partition(".")[0] in PRODUCT:
            for field in model._meta.get_fields():
                yield field.base_field if isinstance(field, ArrayField) else field


def form_fields() -> Iterator[Any]:
    for app in PRODUCT:
        for module in pkgutil.walk_packages(importlib.import_module(app).__path__, f"{app}."):
            if ".migrations" not in module.name and module.name not in ("coconut.wsgi", "coconut.gunicorn_conf"):
                importlib.import_module(module.name)
    waiting: list[Any] = [forms.BaseForm]
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        if form.__module__.partition(".")[0] in PRODUCT:
            yield from form.base_fields.values()


def test_every_email_field_of_the_product_has_this_type() -> None:
    columns = [field for field in model_fields() if isinstance(field, models.EmailField)]
    inputs = [field for field in form_fields() if isinstance(field, forms.EmailField)]

    assert len(columns) >= 3
    assert len(inputs) >= 4
    assert {type(field) for field in columns} == {EmailAddressField}
    assert {type(field) for field in inputs} == {EmailAddressFormField}
