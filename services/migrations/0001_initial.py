import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('staff', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='name')),
                ('category', models.CharField(blank=True, max_length=100, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='category')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('duration', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(1440)], verbose_name='duration (minutes)')),
                ('buffer_before', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(240)], verbose_name='buffer before (minutes)')),
                ('buffer_after', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(240)], verbose_name='buffer after (minutes)')),
                ('adjustable_length', models.BooleanField(db_default=False, default=False, verbose_name='staff may change the length of an appointment')),
                ('minimum_notice', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(129600)], verbose_name='minimum notice (minutes)')),
                ('booking_horizon_days', models.PositiveSmallIntegerField(default=90, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(730)], verbose_name='booking horizon (days)')),
                ('active', models.BooleanField(default=True, verbose_name='active')),
                ('public', models.BooleanField(default=True, verbose_name='bookable by clients')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='services', to='staff.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ServiceAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='services.service')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='service',
            name='staff',
            field=models.ManyToManyField(related_name='services', through='services.ServiceAssignment', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='MeetingMethodOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.PositiveSmallIntegerField(choices=[(1, 'At location'), (2, 'Phone Call'), (3, 'Video Call'), (4, 'Off-site')], verbose_name='meeting method')),
                ('offered_to', models.CharField(choices=[('staff', 'Staff only'), ('staff_and_clients', 'Staff and clients')], default='staff_and_clients', max_length=20, verbose_name='offered to')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='meeting_methods', to='services.service')),
            ],
            options={
                'ordering': ['method'],
                'constraints': [models.UniqueConstraint(fields=('service', 'method'), name='method_once_per_service'), models.CheckConstraint(condition=models.Q(('method__in', [1, 2, 3, 4])), name='method_exists')],
            },
        ),
        migrations.AddConstraint(
            model_name='serviceassignment',
            constraint=models.UniqueConstraint(fields=('service', 'staff'), name='assigned_once'),
        ),
        migrations.AddConstraint(
            model_name='service',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='service_name_once_per_organization', violation_error_message='There is already a service of this name.'),
        ),
        migrations.AddConstraint(
            model_name='service',
            constraint=models.CheckConstraint(condition=models.Q(('duration__gte', 1)), name='service_takes_time'),
        ),
    ]
