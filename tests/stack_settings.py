"""The settings of the stack's programs: Coconut's, but for passwords that take no time to check."""

import datetime as dt
import os

import time_machine

from coconut.settings import *  # noqa: F403

# Real hashes take a quarter of a second on purpose, and every test signs somebody in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A program on a machine whose clock is wrong; whatever it starts believes the same.
if "CLOCK_OFF_SECONDS" in os.environ:
    _off = dt.timedelta(seconds=int(os.environ["CLOCK_OFF_SECONDS"]))
    time_machine.travel(dt.datetime.now(dt.UTC) + _off).start()
