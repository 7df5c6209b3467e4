"""The demo's two organisations as plain values: their staff, hours and services.

Maple's emails are user names of the simulated tenant, except for four staff members who cannot be matched on
purpose: Frank is disabled at Microsoft, Grace is a guest, Hugo's email is an alias and Ivy does not exist there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

from services.models import MeetingMethod, QuestionKind, StartStep
from services.questions import QuestionDraft
from staff.models import Role

AT_LOCATION, PHONE, VIDEO, OFF_SITE = (
    MeetingMethod.AT_LOCATION,
    MeetingMethod.PHONE,
    MeetingMethod.VIDEO,
    MeetingMethod.OFF_SITE,
)
MONDAY_TO_FRIDAY = range(5)
OFFICE_HOURS = ((time(9), time(17)),)
WITH_LUNCH = ((time(9), time(12)), (time(13), time(17)))
LATE = ((time(10), time(18)),)
MORNINGS = ((time(9), time(13)),)


@dataclass(frozen=True)
class Branch:
    """A location with the same opening hours on each of its days. Without `time_zone`, it has the organisation's."""

    name: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str
    coordinates: tuple[str, str]
    phone: str = ""
    time_zone: str = ""
    opens: time = time(9)
    closes: time = time(18)
    days: range = MONDAY_TO_FRIDAY


@dataclass(frozen=True)
class Absence:
    """Time off on day `day`, counted from this week's Monday: `days` whole days, or from `start` to `end`."""

    day: int
    reason: str
    days: int = 1
    start: time | None = None
    end: time | None = None


@dataclass(frozen=True)
class Person:
    """A staff member; without services, a staff member takes no appointments.

    `last_day` is the last working day, counted from this week's Monday.
    """

    name: str
    branch: str
    role: Role = Role.STAFF
    services: tuple[str, ...] = ()
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    days: range = MONDAY_TO_FRIDAY
    absences: tuple[Absence, ...] = ()
    last_day: int | None = None


@dataclass(frozen=True)
class Offer:
    """A service; duration and buffers in minutes."""

    name: str
    category: str
    duration: int
    methods: tuple[MeetingMethod, ...]
    description: str = ""
    buffers: tuple[int, int] = (0, 0)
    public: bool = True
    start_step: int = StartStep.EVERY_15_MINUTES
    # Minutes before the start until which clients move and cancel.
    change_notice: int | None = None
    most_per_client_and_day: int | None = None
    confirmation_text: str = ""
    questions: tuple[QuestionDraft, ...] = ()


@dataclass(frozen=True)
class SeedOrganization:
    """An organisation and everything in it. With `username_is_email`, usernames are Microsoft user names too."""

    name: str
    slug: str
    time_zone: str
    phone: str
    branches: tuple[Branch, ...]
    offers: tuple[Offer, ...]
    people: tuple[Person, ...]
    clients: tuple[tuple[str, str], ...] = field(repr=False)
    # Without appointments.
    duplicate_clients: tuple[tuple[str, str], ...] = ()
    addons: tuple[str, ...] = ("teams",)
    username_is_email: bool = False
    retention_months: int | None = None
    # With a colour, it has a logo, too.
    color: str = ""


MAPLE = SeedOrganization(
    name="Maple Credit Union",
    slug="maple",
    time_zone="America/Toronto",
    phone="+1 416 555 0190",
    color="#9b2226",
    branches=(
        Branch("Main Street", "120 Main Street", "Toronto", "ON", "M4E 2V8", "CA", ("43.684700", "-79.299600")),
        Branch(
            "Harbourfront",
            "8 Queens Quay West",
            "Toronto",
            "ON",
            "M5J 2Y3",
            "CA",
            ("43.641200", "-79.376900"),
            phone="+1 416 555 0192",
        ),
        Branch(
            "Rosedale",
            "41 Crescent Road",
            "Toronto",
            "ON",
            "M4W 1T5",
            "CA",
            ("43.677700", "-79.385300"),
            opens=time(8, 30),
            closes=time(17, 30),
        ),
        Branch(
            "Vancouver",
            "510 Burrard Street",
            "Vancouver",
            "BC",
            "V6C 3A8",
            "CA",
            ("49.286400", "-123.117900"),
            phone="+1 604 555 0193",
            time_zone="America/Vancouver",
        ),
    ),
    offers=(
        Offer(
            "Account opening",
            "Everyday banking",
            30,
            (AT_LOCATION, PHONE),
            "Open a chequing or savings account. Bring two pieces of identification.",
        ),
        Offer("Card and PIN help", "Everyday banking", 15, (AT_LOCATION, PHONE)),
        Offer(
            "Mortgage review",
            "Lending",
            45,
            (AT_LOCATION, PHONE, VIDEO),
            "Look at rate, term and prepayments of a mortgage before it renews.",
            buffers=(5, 10),
        ),
        Offer(
            "Loan consultation",
            "Lending",
            30,
            (AT_LOCATION, PHONE),
            "Talk about a car loan, a line of credit or bringing several debts together.",
        ),
        Offer(
            "Investment check-in",
            "Investing",
            60,
            (AT_LOCATION, PHONE),
            "Once a year: is the portfolio still right for the plans behind it?",
            start_step=StartStep.EVERY_30_MINUTES,
            change_notice=24 * 60,
            most_per_client_and_day=1,
            confirmation_text="Please bring your latest statement, or have it at hand when we call.",
            questions=(
                QuestionDraft(
                    QuestionKind.CHOICE,
                    "What is most important to you?",
                    ("Safety", "Growth", "Regular income"),
                    required=True,
                ),
                QuestionDraft(QuestionKind.LONG_TEXT, "Has anything changed in your plans since last year?"),
                QuestionDraft(
                    QuestionKind.CONSENT,
                    "I agree that my adviser looks at the accounts I hold with Maple Credit Union to prepare.",
                    required=True,
                ),
            ),
        ),
        Offer("Retirement planning", "Investing", 60, (AT_LOCATION, VIDEO), buffers=(0, 15)),
        Offer("Business account review", "Business", 45, (AT_LOCATION, PHONE, OFF_SITE), buffers=(0, 10)),
        Offer("Estate settlement", "Business", 60, (AT_LOCATION,), public=False),
    ),
    people=(
        Person("Ada Lovell", "Main Street", Role.ADMIN),
        Person("Sky Moreno", "Main Street", Role.SCHEDULER),
        Person("Sam Okafor", "Main Street", services=("Mortgage review", "Loan consultation", "Account opening")),
        Person(
            "Anna Berg",
            "Main Street",
            services=("Mortgage review", "Retirement planning", "Investment check-in"),
            hours=WITH_LUNCH,
        ),
        Person(
            "Ben Carter",
            "Main Street",
            services=("Account opening", "Card and PIN help", "Loan consultation"),
            absences=(Absence(3, "Training", start=time(13), end=time(17)),),
        ),
        Person(
            "Chloe Dubois",
            "Harbourfront",
            services=("Mortgage review", "Loan consultation"),
            absences=(Absence(7, "Holiday", days=3),),
        ),
        Person(
            "Dev Patel",
            "Harbourfront",
            services=("Investment check-in", "Retirement planning"),
            days=range(4),
        ),
        Person(
            "Erin Walsh",
            "Vancouver",
            services=("Business account review", "Estate settlement"),
            hours=LATE,
            absences=(Absence(4, "Family day"),),
            # Appointments that were booked before she gave notice need attention.
            last_day=9,
        ),
        Person("Frank Holm", "Rosedale", services=("Mortgage review", "Account opening")),
        Person("Grace Lindqvist", "Rosedale", services=("Retirement planning",), hours=MORNINGS),
        Person("Hugo Martin", "Rosedale", services=("Mortgage review", "Business account review")),
        Person("Ivy Chen", "Rosedale", services=("Account opening", "Mortgage review"), hours=WITH_LUNCH),
    ),
    clients=(
        ("Cleo Brandt", "+1 416 555 0101"),
        ("Aisha Rahman", "+1 416 555 0102"),
        ("Bruno Silva", "+1 416 555 0103"),
        ("Carmen Ortiz", "+1 416 555 0104"),
        ("Daniel Kim", "+1 416 555 0105"),
        ("Elena Petrova", "+1 416 555 0106"),
        ("Farid Nasser", "+1 416 555 0107"),
        ("Gita Sharma", "+1 416 555 0108"),
        ("Harold Finch", "+1 416 555 0109"),
        ("Ingrid Ølsen", "+1 416 555 0110 x12"),
        ("Jamal Wright", "+1 416 555 0111"),
        ("Keiko Tanaka", "+1 416 555 0112"),
        ("Liam Murphy", "+1 416 555 0113"),
        ("Marie Tremblay", "+1 416 555 0114"),
        ("José Núñez", "+1 416 555 0115"),
    ),
    # The same person as José Núñez, added twice: to be merged.
    duplicate_clients=(("Nunez, Jose", "+1 416 555 0115"),),
)

CEDAR = SeedOrganization(
    name="Cedar Bank",
    slug="cedar",
    time_zone="Europe/London",
    phone="+44 1904 555 090",
    addons=("teams", "teams-access-policy"),
    username_is_email=True,
    retention_months=24,
    branches=(
        Branch("Market Square", "3 Market Square", "York", "", "YO1 8SL", "GB", ("53.959200", "-1.082500")),
        Branch("Riverside", "17 Skeldergate", "York", "", "YO1 6DH", "GB", ("53.956000", "-1.084900")),
    ),
    offers=(
        Offer("Current account", "Everyday banking", 30, (AT_LOCATION, PHONE)),
        Offer("Mortgage appointment", "Lending", 60, (AT_LOCATION, PHONE, VIDEO), buffers=(0, 15)),
        Offer("Savings review", "Saving", 30, (AT_LOCATION, PHONE)),
    ),
    people=(
        Person("Otto Keller", "Market Square", Role.ADMIN),
        Person("Olga Novak", "Market Square", services=("Current account", "Mortgage appointment")),
        Person("Oscar Lind", "Riverside", services=("Mortgage appointment", "Savings review"), hours=WITH_LUNCH),
        Person("Omar Haddad", "Riverside", services=("Current account", "Savings review")),
    ),
    clients=(
        ("Peter Ashby", "+44 1904 555 010"),
        ("Qadira Bell", "+44 1904 555 011"),
        ("Rosa Clarke", "+44 1904 555 012"),
        ("Simon Dale", "+44 1904 555 013"),
        ("Tessa Eaton", "+44 1904 555 014"),
    ),
)
