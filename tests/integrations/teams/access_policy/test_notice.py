"""Switching the Application Access Policy add-on on tells the organisation's admins, once."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from staff.models import Organization, Role
from tests.factories import make_member, make_operator, make_organization

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
def committed(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def switch(organization: Organization, *, on: bool) -> None:
    organization.access_policy_addon = on
    organization.save()


def test_every_admin_of_that_organisation_gets_the_id_and_the_steps(maple, committed, mailoutbox, settings):
    with committed():
        switch(maple, on=True)

    assert sorted((mail.to, mail.subject) for mail in mailoutbox) == [
        (["ada@maple.example"], SUBJECT),
        (["adam@maple.example"], SUBJECT),
    ]
    for desired_state in (
        settings.MICROSOFT_CLIENT_ID,
        "Grant-CsApplicationAccessPolicy",
        "/settings/video-calls/new/",
    ):
        assert desired_state in mailoutbox[0].body


def test_saving_again_tells_nobody(maple, committed, mailoutbox):
    with committed():
        switch(maple, on=True)
    mailoutbox.clear()

    with committed():
        maple.save()
        Organization.objects.get(pk=maple.pk).save()

    assert mailoutbox == []


def test_a_save_that_did_not_read_the_add_on_tells_nobody(maple, committed, mailoutbox):
    Organization.objects.update(access_policy_addon=True)

    with committed():
        Organization.objects.only("name").get(pk=maple.pk).save()

    assert mailoutbox == []


def test_an_address_that_is_refused_keeps_no_other_from_the_news(maple, committed, mailoutbox, monkeypatch):
    real_send = EmailMessage.send

    def send(mail: EmailMessage) -> int:
        if mail.to == ["ada@maple.example"]:
            raise OSError
        return real_send(mail)

    monkeypatch.setattr(EmailMessage, "send", send)
    with committed():
        switch(maple, on=True)

    assert [mail.to for mail in mailoutbox] == [["adam@maple.example"]]


def test_switching_off_tells_nobody(maple, committed, mailoutbox):
    Organization.objects.update(access_policy_addon=True)

    with committed():
        switch(Organization.objects.get(pk=maple.pk), on=False)

    assert mailoutbox == []


def test_a_rollback_tells_nobody(maple, mailoutbox):
    switch(maple, on=True)

    assert mailoutbox == []


def test_a_mail_server_that_is_down_stops_nothing(maple, committed, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: (_ for _ in ()).throw(OSError))

    with committed():
        switch(maple, on=True)

    assert Organization.objects.get(pk=maple.pk).access_policy_addon


def test_the_operator_switches_it_on_in_the_admin(maple, committed, mailoutbox):
    browser = Client()
    browser.force_login(make_operator())
    form = {
        "name": maple.name,
        "slug": maple.slug,
        "time_zone": "UTC",
        "teams_addon": "on",
        "access_policy_addon": "on",
        "embed_origins": "",
        "locations-TOTAL_FORMS": "0",
        "locations-INITIAL_FORMS": "0",
    }

    with committed():
        response = browser.post(f"/operator/staff/organization/{maple.pk}/change/", form)

    assert (response.status_code, len(mailoutbox)) == (302, 2)
