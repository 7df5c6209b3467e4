from django.db import migrations

from coconut.fields.phone_numbers import canonical_phone_number
from coconut.fields.phone_regions import region_of_zone

BATCH = 2000


def store_one_form(apps, schema_editor):
    """Store the numbers of clients as new ones are stored. A number that can't be read stays."""
    clients = apps.get_model("appointments", "Client").objects
    rows = clients.exclude(phone="").select_related("organization").only("phone", "organization__time_zone")
    changed = []
    for client in rows.iterator(BATCH):
        canonical = canonical_phone_number(client.phone, region_of_zone(client.organization.time_zone))
        if canonical != client.phone:
            client.phone = canonical
            changed.append(client)
    clients.bulk_update(changed, ["phone"], batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0009_search_without_accents_and_merge'),
    ]

    operations = [
        # The earlier forms are still read, so nothing is undone.
        migrations.RunPython(store_one_form, migrations.RunPython.noop),
    ]
