"""The product's settings with two more views to compare with, and without rate limits."""

from coconut.settings import *  # noqa: F403

ROOT_URLCONF = "bench.support.urls"
RATE_LIMITS = False
