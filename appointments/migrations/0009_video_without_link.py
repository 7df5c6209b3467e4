from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0008_fewer_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(
                    ("meeting__isnull", True),
                    ("method", 3),
                    ("personal_meeting_url", ""),
                    ("status__in", ["confirmed", "arrived", "in_progress"]),
                ),
                fields=["organization", "ends_at"],
                name="appointment_without_video",
            ),
        ),
    ]
