"""When the platform is asked again about somebody whom it does not let us host meetings as.

A permission that was just given spreads for up to half an hour, at times for two days; one that nobody gives is not
asked about every few minutes for ever. All times are the database's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    F,
    FloatField,
    Func,
    IntegerField,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Greatest, Least, Now, Power, Random

from integrations.models import HostPermission

PROBE_TASK: Final = "integrations.probe_coverage"
#: That often the pause is the shortest one: with its three minutes, for the first half hour.
QUICK_LOOKS: Final = 10
# From then on it doubles up to a day. After so many times two days are over, and nobody waits for the platform.
_LOOKS_WHILE_WAITING: Final = 19
_LONGEST_PAUSE_SECONDS: Final = 24 * 3600.0
_MOST_DOUBLINGS: Final = 20
_MOST_ATTEMPTS: Final = 1000


def next_look() -> CombinedExpression:
    """The moment of the next question, by the number of times that the answer was no. Not all at the same one."""
    extra = Least(Greatest(F("host_permission_attempts") - (QUICK_LOOKS - 1), 0), _MOST_DOUBLINGS)
    seconds = Least(
        Value(float(settings.COVERAGE_PAUSE_SECONDS)) * Power(Value(2.0), Cast(extra, FloatField())),
        Value(_LONGEST_PAUSE_SECONDS),
        output_field=FloatField(),
    )
    jittered = seconds * (Value(0.9) + Random() * Value(0.1))
    interval = Func(jittered, template="make_interval(secs => %(expressions)s)", output_field=DurationField())
    return CombinedExpression(Now(), "+", interval, output_field=DateTimeField())


def looked_once_more() -> dict[str, Any]:
    """What to write after a question that did not settle anything."""
    return {
        "host_permission_due_at": next_look(),
        "host_permission_attempts": Least(F("host_permission_attempts") + 1, _MOST_ATTEMPTS),
    }


def refused() -> dict[str, Any]:
    """What to write about somebody whom the platform does not let us host as. Who waits for it goes on waiting."""
    still_waits = When(
        host_permission=HostPermission.WAITING,
        host_permission_attempts__lt=_LOOKS_WHILE_WAITING,
        then=Value(HostPermission.WAITING),
    )
    return {
        "host_permission": Case(still_waits, default=Value(HostPermission.DENIED)),
        "host_permission_checked_at": Now(),
        **looked_once_more(),
    }


def attempts_of_a_covered_person() -> Case:
    """Where to begin when somebody who is said to be covered is refused.

    At the start after a while. Where that happens soon after the platform said so it contradicts itself, and going
    to and fro every few minutes would help nobody.
    """
    long_ago = When(host_permission_checked_at__lt=Now() - timedelta(days=1), then=Value(0))
    at_least = Greatest(F("host_permission_attempts"), QUICK_LOOKS, output_field=IntegerField())
    return Case(long_ago, default=at_least, output_field=IntegerField())
