"""The settings of the stack's programs: Coconut's, but for passwords that take no time to check."""

from coconut.settings import *  # noqa: F403

# Real hashes take a quarter of a second on purpose, and every test signs somebody in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
