"""The product's settings, with two views to compare with, and nobody asked to wait."""

from coconut.settings import *  # noqa: F403

ROOT_URLCONF = "bench.support.urls"
RATE_LIMITS = False
