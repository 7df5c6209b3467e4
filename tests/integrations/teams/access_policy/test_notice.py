"""Email to admins when the Application Access Policy add-on is switched on."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client

from integrations.teams.addons import ACCESS_POLICY
from staff.models import Organization, Role
from tests.factories import TEAMS_ADDONS, make_member, make_operator, make_organization
from tests.outbox import email_server_down, retry_all, send_all

SUBJECT = "Microsoft Teams: the Application Access Policy method is available"


@pytest.fixture
def maple(db):
    organization = make_organization()
    make_member(organization, "Ada Lovell", Role.ADMIN)
    make_member(organization, "Adam Reed", Role.ADMIN)
    make_member(organization, "Sam Okafor")
    make_member(make_organization("Cedar Bank"), "Otto Keller", Role.ADMIN)
    return organization


@pytest.fixture
def committed():
    """Send the emails of the changes."""

    @contextmanager
    def send_afterwards():
        yield
        send_all()

    return send_afterwards


@pytest.fixture
def operator(db) -> Client:
    browser = Client()
    browser.force_login(make_operator())
    return browser


@pytest.fixture
def switch(operator):
    """Switch the add-on on or off in Django admin."""

    def save(organization: Organization, *, on: bool) -> None:
        form = {
            "name": organization.name,
            "slug": organization.slug,
            "time_zone": "UTC",
            "addons": TEAMS_ADDONS if on else ["teams"],
            "embed_origins": "",
            "idle_minutes": "30",
            "locations-TOTAL_FORMS": "0",
            "locations-INITIAL_FORMS": "0",
        }
        response = operator.post(f"/operator/staff/organization/{organization.pk}/change/", form)
        assert response.status_code == 302

    return save


def test_every_admin_of_that_organisation_gets_the_id_and_the_steps(maple, switch, committed, mailoutbox, settings):
    with committed():
        switch(maple, on=True)

    assert sorted((mail.to, mail.subject) for mail in mailoutbox) == [
        (["ada@maple.example"], SUBJECT),
        (["adam@maple.example"], SUBJECT),
    ]
    for text in (
        settings.MICROSOFT_CLIENT_ID,
        "Grant-CsApplicationAccessPolicy",
        "/settings/video-calls/new/",
    ):
        assert text in mailoutbox[0].body


def test_saving_again_sends_nothing(maple, switch, committed, mailoutbox):
    with committed():
        switch(maple, on=True)
    mailoutbox.clear()

    with committed():
        switch(maple, on=True)
        Organization.objects.get(pk=maple.pk).save()

    assert mailoutbox == []


def test_a_save_without_the_add_ons_loaded_sends_nothing(maple, committed, mailoutbox):
    Organization.objects.update(addons=TEAMS_ADDONS)

    with committed():
        Organization.objects.only("name").get(pk=maple.pk).save()

    assert mailoutbox == []


def test_a_refused_address_does_not_stop_the_other_emails(maple, switch, committed, mailoutbox, monkeypatch):
    real_send = EmailMessage.send

    def send(mail: EmailMessage) -> int:
        if mail.to == ["ada@maple.example"]:
            raise OSError
        return real_send(mail)

    monkeypatch.setattr(EmailMessage, "send", send)
    with committed():
        switch(maple, on=True)

    assert [mail.to for mail in mailoutbox] == [["adam@maple.example"]]


def test_switching_off_sends_nothing(maple, switch, committed, mailoutbox):
    Organization.objects.update(addons=TEAMS_ADDONS)

    with committed():
        switch(Organization.objects.get(pk=maple.pk), on=False)

    assert mailoutbox == []


def test_a_rollback_sends_nothing(maple, switch, committed, mailoutbox):
    with committed(), transaction.atomic():
        switch(maple, on=True)
        transaction.set_rollback(True)

    assert mailoutbox == []


def test_an_email_server_that_is_down_only_delays_the_emails(maple, switch, committed, mailoutbox):
    with email_server_down(), committed():
        switch(maple, on=True)
    sent_meanwhile = list(mailoutbox)

    retry_all()

    assert Organization.objects.get(pk=maple.pk).has_addon(ACCESS_POLICY.slug)
    assert (sent_meanwhile, len(mailoutbox)) == ([], 2)


def test_switching_off_again_drops_the_emails(maple, switch, mailoutbox):
    switch(maple, on=True)
    switch(maple, on=False)

    send_all()

    assert mailoutbox == []


def test_an_operator_switches_it_on_in_django_admin(maple, operator, switch, committed, mailoutbox):
    page = operator.get(f"/operator/staff/organization/{maple.pk}/change/")
    choices = page.context["adminform"].form.fields["addons"].choices

    with committed():
        switch(maple, on=True)

    assert [label for _slug, label in choices] == [
        "Microsoft Teams add-on",
        "Application Access Policy add-on",
    ]
    assert Organization.objects.get(pk=maple.pk).addons == TEAMS_ADDONS
    assert len(mailoutbox) == 2
