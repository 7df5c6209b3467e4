"""Pages of Django admin that operators use."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse

from staff.embedding import embedding_sites
from staff.models import EmailState, Organization, OutboxEmail, Role, StaffMember
from tests.factories import PASSWORD, make_member, make_operator, make_organization, make_staff
from tests.outbox import send_all

pytestmark = pytest.mark.django_db

BIRCH = {
    "name": "Birch Clinic",
    "slug": "birch",
    "time_zone": "America/Halifax",
    "addons": ["teams"],
    "embed_origins": "",
    "idle_minutes": "30",
    "admin_first_name": "Bea",
    "admin_last_name": "Holm",
    "admin_email": "bea@birch.example",
    "locations-TOTAL_FORMS": "0",
    "locations-INITIAL_FORMS": "0",
}


@pytest.fixture
def operator(client: Browser) -> Browser:
    client.force_login(make_operator())
    return client


def test_an_operator_creates_an_organisation_with_its_addons(operator: Browser) -> None:
    operator.post(reverse("admin:staff_organization_add"), BIRCH)

    birch = Organization.objects.get()

    assert (birch.name, birch.addons) == ("Birch Clinic", ["teams"])


def test_the_first_admin_gets_an_invitation_and_no_password(operator: Browser) -> None:
    page = operator.get(reverse("admin:staff_organization_add")).content.decode()
    operator.post(reverse("admin:staff_organization_add"), BIRCH)

    bea = StaffMember.objects.get(email="bea@birch.example")
    assert 'type="password"' not in page
    assert (bea.name, bea.role, bea.has_usable_password()) == ("Bea Holm", Role.ADMIN, False)
    assert bea.organization == Organization.objects.get()
    email = OutboxEmail.objects.get(kind="invitation")
    assert (email.to, email.organization) == (["bea@birch.example"], bea.organization)


def test_an_invited_admin_sets_a_password_and_reaches_the_settings(operator: Browser) -> None:
    operator.post(reverse("admin:staff_organization_add"), BIRCH)
    send_all()
    link = re.search(r"/password/invitation/\S+", str(mail.outbox[-1].body))
    assert link is not None
    bea = Browser()

    form = bea.get(link.group(), follow=True)
    bea.post(form.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})

    assert bea.login(username="bea@birch.example", password=PASSWORD)
    assert bea.get(reverse("organization-settings")).status_code == 200


@pytest.mark.parametrize("field", ["time_zone", "admin_first_name", "admin_email"])
def test_an_organisation_needs_a_time_zone_and_a_first_admin(operator: Browser, field: str) -> None:
    answer = operator.post(reverse("admin:staff_organization_add"), {**BIRCH, field: ""})

    assert answer.context["adminform"].form.errors == {field: ["This field is required."]}
    assert not Organization.objects.exists()


def test_the_email_of_another_account_is_refused_and_adds_nothing(operator: Browser) -> None:
    make_member(make_organization(), email="bea@birch.example")

    answer = operator.post(reverse("admin:staff_organization_add"), BIRCH)

    assert answer.context["adminform"].form.errors == {"admin_email": ["This email is already taken."]}
    assert not Organization.objects.filter(slug="birch").exists()


def test_a_new_organisation_has_the_country_of_its_zone_and_its_locations_inherit_the_zone(operator: Browser) -> None:
    branch = {"locations-TOTAL_FORMS": "1", "locations-0-name": "Harbour", "locations-0-active": "on"}

    operator.post(reverse("admin:staff_organization_add"), {**BIRCH, **branch})

    birch = Organization.objects.get()
    assert birch.country == "CA"
    assert birch.locations.get().time_zone.key == "America/Halifax"


def test_origins_are_kept_as_browsers_send_them(operator: Browser) -> None:
    typed = "https://www.birch.example/\r\n\r\nhttps://book.birch.example:8443"

    operator.post(reverse("admin:staff_organization_add"), {**BIRCH, "embed_origins": typed})

    assert Organization.objects.get().embed_origins == "https://www.birch.example\nhttps://book.birch.example:8443"


def test_an_address_is_one_line(operator: Browser) -> None:
    branch = {
        "locations-TOTAL_FORMS": "1",
        "locations-0-name": "Harbour",
        "locations-0-street": "1 Pier\r\nBcc: all@birch.example",
        "locations-0-time_zone": "America/Halifax",
    }

    answer = operator.post(reverse("admin:staff_organization_add"), {**BIRCH, **branch})

    [formset] = answer.context["inline_admin_formsets"]
    assert formset.formset.errors == [
        {"street": ["Write this on one line, without tabs and other control characters."]}
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "www.birch.example",
        "https://birch.example/book",
        "javascript:alert(1)",
        "https://a.example;",
        "*",
    ],
)
def test_a_value_that_is_not_an_origin_is_refused_with_a_sentence(operator: Browser, typed: str) -> None:
    answer = operator.post(reverse("admin:staff_organization_add"), {**BIRCH, "embed_origins": typed})

    errors = answer.context["adminform"].form.errors["embed_origins"]
    assert errors == [f"“{typed}” is not an origin. Write it as https://www.example.com."]


@pytest.mark.parametrize("typed", ["http://www.birch.example", "http://localhost.birch.example"])
def test_a_site_without_https_is_refused_with_a_sentence(operator: Browser, typed: str) -> None:
    answer = operator.post(reverse("admin:staff_organization_add"), {**BIRCH, "embed_origins": typed})

    errors = answer.context["adminform"].form.errors["embed_origins"]
    assert errors == [f"“{typed}” must begin with https, so that visitors see the real page."]


def test_a_stored_site_without_https_does_not_disable_the_others(maple: Organization) -> None:
    maple.embed_origins = "http://intranet.maple.example\nhttps://www.maple.example\nhttps://a.example; x"

    assert embedding_sites(maple) == ["https://www.maple.example"]


def test_an_account_that_an_operator_adds_gets_an_invitation_and_no_password(operator: Browser) -> None:
    maple = make_organization()

    page = operator.get(reverse("admin:staff_staffmember_add")).text
    saved = operator.post(reverse("admin:staff_staffmember_add"), first_admin(maple), follow=True)

    ada = StaffMember.objects.get(email="ada@maple.example")
    assert (ada.organization, ada.role, ada.is_staff, ada.is_superuser) == (maple, Role.ADMIN, False, False)
    assert not ada.has_usable_password()
    assert "password1" not in page
    assert "An invitation to ada@maple.example is on its way." in saved.text
    assert OutboxEmail.objects.get(kind="invitation").to == ["ada@maple.example"]


def test_a_first_admin_needs_an_organisation(operator: Browser) -> None:
    maple = make_organization()

    answer = operator.post(reverse("admin:staff_staffmember_add"), {**first_admin(maple), "organization": ""})

    assert answer.context["adminform"].form.errors == {"organization": ["This field is required."]}


def test_a_taken_email_is_refused_in_any_case(operator: Browser) -> None:
    maple = make_organization()
    make_member(maple, "Ada Lovell")

    answer = operator.post(reverse("admin:staff_staffmember_add"), {**first_admin(maple), "email": "ADA@maple.example"})

    assert "This email is already taken." in answer.context["adminform"].form.errors.as_text()


def test_an_operator_sets_a_new_password(operator: Browser) -> None:
    sam = make_member(make_organization())

    operator.post(
        reverse("admin:auth_user_password_change", args=[sam.pk]),
        {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    )

    assert Browser().login(username=sam.email, password=PASSWORD)


def test_a_staff_member_cannot_move_to_another_organisation(operator: Browser) -> None:
    sam = make_member(make_organization())
    cedar = make_organization("Cedar Bank")

    operator.post(
        reverse("admin:staff_staffmember_change", args=[sam.pk]),
        {
            "email": sam.email,
            "role": "staff",
            "is_active": "on",
            "organization": cedar.pk,
            "first_name": "Samuel",
        },
    )

    sam.refresh_from_db()
    assert sam.organization is not None
    assert (sam.first_name, sam.organization.slug) == ("Samuel", "maple")


def test_a_pasted_username_is_stored_without_invisible_characters(operator: Browser) -> None:
    sam = make_member(make_organization())

    operator.post(
        reverse("admin:staff_staffmember_change", args=[sam.pk]),
        {"email": sam.email, "role": "staff", "username": "\ufeffsam@maple.example\u200b"},
    )

    sam.refresh_from_db()
    assert sam.username == "sam@maple.example"


@pytest.mark.parametrize(
    ("typed", "stored"), [("\u202a+1 416\u2011555\u20110100 ext. 12\u202c", "+14165550100 x12"), ("call us", None)]
)
def test_the_phone_of_an_organisation_has_the_rule_of_the_other_pages(
    operator: Browser, typed: str, stored: str | None
) -> None:
    operator.post(reverse("admin:staff_organization_add"), {**BIRCH, "phone": typed})

    assert list(Organization.objects.values_list("phone", flat=True)) == ([stored] if stored else [])


def test_no_form_can_create_an_operator(operator: Browser) -> None:
    sam = make_member(make_organization())

    operator.post(
        reverse("admin:staff_staffmember_change", args=[sam.pk]),
        {"email": sam.email, "role": "staff", "is_superuser": "on", "is_staff": "on"},
    )

    sam.refresh_from_db()
    assert (sam.is_staff, sam.is_superuser) == (False, False)


@pytest.mark.parametrize("model", ["organization", "staffmember"])
def test_django_admin_offers_no_deletion(operator: Browser, model: str) -> None:
    sam = make_member(make_organization())
    pk = sam.pk if model == "staffmember" else sam.organization_id

    answer = operator.post(reverse(f"admin:staff_{model}_delete", args=[pk]), {"post": "yes"})

    assert answer.status_code == 403


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_of_organisations_counts_their_staff_in_one_query(
    operator: Browser, how_many: int, django_assert_num_queries
) -> None:
    for number in range(how_many):
        make_staff(make_organization(f"House{number}"), 2)

    # Session, operator, count of matches, count of all, rows.
    with django_assert_num_queries(6):
        answer = operator.get(reverse("admin:staff_organization_changelist"))

    assert [row.staff_count for row in answer.context["cl"].result_list] == [2] * how_many


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_of_staff_takes_the_same_number_of_queries(
    operator: Browser, how_many: int, django_assert_num_queries
) -> None:
    make_staff(make_organization(), how_many)

    with django_assert_num_queries(6):
        operator.get(reverse("admin:staff_staffmember_changelist"), {"q": "person"})


def test_an_admin_of_an_organisation_cannot_open_django_admin(client: Browser) -> None:
    client.force_login(make_member(make_organization(), "Ada Lovell", Role.ADMIN))

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_createsuperuser_creates_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", email="olive@operator.example", interactive=False, verbosity=0)

    olive = StaffMember.objects.get()
    assert (olive.organization, olive.is_staff, olive.is_superuser) == (None, True, True)
    assert Browser().login(username="OLIVE@operator.example", password=PASSWORD)


def test_createsuperuser_refuses_a_taken_email_in_another_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    make_operator()

    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", email="OLIVE@operator.example", interactive=False, verbosity=0)


def first_admin(organization: Organization) -> dict[str, str]:
    return {
        "email": "ada@maple.example",
        "organization": str(organization.pk),
        "role": "admin",
    }


def test_an_operator_sends_a_failed_email_again(operator: Browser) -> None:
    failed = OutboxEmail.objects.create(kind="greeting", to=["ada@maple.example"], state=EmailState.FAILED)
    sent = OutboxEmail.objects.create(kind="greeting", to=["ada@maple.example"], state=EmailState.SENT)

    response = operator.post(
        reverse("admin:staff_outboxemail_changelist"),
        {"action": "send_again", "_selected_action": [failed.pk, sent.pk]},
        follow=True,
    )

    assert [str(message) for message in response.context["messages"]] == ["1 email is being sent again."]
    assert list(OutboxEmail.objects.order_by("pk").values_list("state", flat=True)) == ["waiting", "sent"]


@pytest.mark.parametrize("minutes", ["4", "721", "", "many"])
def test_the_idle_limit_outside_its_bounds_is_refused(operator: Browser, minutes: str) -> None:
    answer = operator.post(reverse("admin:staff_organization_add"), {**BIRCH, "idle_minutes": minutes})

    assert "idle_minutes" in answer.context["adminform"].form.errors
    assert not Organization.objects.exists()
