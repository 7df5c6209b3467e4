"""Coconut's settings for the programs of the stack, with fast password hashes."""

import datetime as dt
import os

import time_machine

from coconut.settings import *  # noqa: F403

# Real hashes take a quarter of a second, by design, and every test signs in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Simulates a machine with a wrong clock. Child processes inherit the variable.
if "CLOCK_OFF_SECONDS" in os.environ:
    _off = dt.timedelta(seconds=int(os.environ["CLOCK_OFF_SECONDS"]))
    time_machine.travel(dt.datetime.now(dt.UTC) + _off).start()
