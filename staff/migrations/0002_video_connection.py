import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('integrations', '0001_initial'),
        ('staff', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='staffmember',
            name='video_connection',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='chosen_by', to='integrations.connection'),
        ),
        migrations.AddConstraint(
            model_name='staffmember',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('video_choice', 'connection'), ('video_connection__isnull', False)), models.Q(models.Q(('video_choice', 'connection'), _negated=True), ('video_connection__isnull', True)), _connector='OR'), name='video_connection_only_when_chosen'),
        ),
    ]
