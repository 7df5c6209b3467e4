"""Settings of the stack's programs: passwords that are cheap to check, and short waits."""

import datetime as dt
import os

from coconut.settings import *  # noqa: F403
from coconut.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS

# Real hashes take a quarter of a second, by design, and every test signs someone in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [*INSTALLED_APPS, "tests.short_waits.ShortWaits"]
CELERY_TASK_TIME_LIMIT = 5
MICROSOFT_READ_TIMEOUT_SECONDS = 3.0
for _sweep in (
    "sweep-meetings",
    "rematch-changed-staff",
    "resume-rematch-runs",
    "sweep-coverage",
    "send-waiting-notifications",
):
    CELERY_BEAT_SCHEDULE[_sweep]["schedule"] = 1

# Simulates a machine whose clock is wrong. Its child processes inherit the offset.
if "CLOCK_OFF_SECONDS" in os.environ:
    # It imports pytest, which every start of a program would wait for.
    import time_machine

    _off = dt.timedelta(seconds=int(os.environ["CLOCK_OFF_SECONDS"]))
    time_machine.travel(dt.datetime.now(dt.UTC) + _off).start()
