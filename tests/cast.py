"""Fixtures for the cast: Ada, Sam and Sky of Maple with their test clients, and Otto of Cedar.

`tests/conftest.py` makes them available to every test.
"""

from __future__ import annotations

import pytest
from django.test import Client

from staff.models import Organization, Role, StaffMember
from tests.factories import make_member, make_organization


@pytest.fixture
def maple(db) -> Organization:
    return make_organization()


@pytest.fixture
def ada(maple) -> StaffMember:
    return make_member(maple, "Ada Lovell", Role.ADMIN)


@pytest.fixture
def sam(maple) -> StaffMember:
    return make_member(maple, "Sam Okafor")


@pytest.fixture
def sky(maple) -> StaffMember:
    return make_member(maple, "Sky Lund", Role.SCHEDULER)


@pytest.fixture
def otto(db) -> StaffMember:
    return make_member(make_organization("Cedar Bank"), "Otto Weber", Role.ADMIN)


@pytest.fixture
def as_ada(ada) -> Client:
    return signed_in(ada)


@pytest.fixture
def as_sam(sam) -> Client:
    return signed_in(sam)


@pytest.fixture
def as_sky(sky) -> Client:
    return signed_in(sky)


def signed_in(member: StaffMember) -> Client:
    client = Client()
    client.force_login(member)
    return client
