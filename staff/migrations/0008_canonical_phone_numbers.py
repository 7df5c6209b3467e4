from django.db import migrations

from coconut.fields.phone_numbers import canonical_phone_number
from coconut.fields.phone_regions import region_of_zone


def store_one_form(apps, schema_editor):
    """Store the numbers of organisations and locations as new ones are stored. A number that can't be read stays."""
    for model in ("Organization", "Location"):
        for row in apps.get_model("staff", model).objects.exclude(phone="").iterator():
            canonical = canonical_phone_number(row.phone, region_of_zone(row.time_zone))
            if canonical != row.phone:
                row.phone = canonical
                row.save(update_fields=["phone"])


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0007_search_without_accents'),
    ]

    operations = [
        # The earlier forms are still read, so nothing is undone.
        migrations.RunPython(store_one_form, migrations.RunPython.noop),
    ]
