"""Settings for tests. They differ from production only to make tests fast."""

import os

from coconut.settings import *  # noqa: F403
from coconut.settings import DATABASES

# Real hashes take a quarter of a second on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Without it, WhiteNoise reads the attributes of every static file for each test client.
WHITENOISE_AUTOREFRESH = True
# Copying a migrated database is fast. pytest-django applies missing migrations.
if "TEST_DATABASE_TEMPLATE" in os.environ:
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ["TEST_DATABASE_TEMPLATE"]}
