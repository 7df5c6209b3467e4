import appointments.models
import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
import timezone_field.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('integrations', '0001_initial'),
        ('services', '0001_initial'),
        ('staff', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=300, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email')),
                ('phone', models.CharField(blank=True, max_length=40, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='phone')),
                ('time_zone', timezone_field.fields.TimeZoneField(blank=True, null=True, verbose_name='time zone')),
                ('language', models.CharField(blank=True, max_length=10, verbose_name='language')),
                ('search_text', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Upper(django.db.models.functions.text.Concat('name', models.Value(' '), 'email', models.Value(' '), 'phone', models.Value(' '), models.Func(models.F('phone'), models.Value('\\D'), models.Value(''), models.Value('g'), function='REGEXP_REPLACE', output_field=models.TextField()), output_field=models.TextField())), output_field=models.TextField())),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clients', to='staff.organization')),
            ],
            options={
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('busy_from', models.DateTimeField()),
                ('busy_to', models.DateTimeField()),
                ('method', models.PositiveSmallIntegerField(choices=[(1, 'At location'), (2, 'Phone Call'), (3, 'Video Call'), (4, 'Off-site')])),
                ('status', models.CharField(choices=[('confirmed', 'Confirmed'), ('arrived', 'Arrived'), ('in_progress', 'In progress'), ('served', 'Served'), ('no_show', 'No-show'), ('cancelled', 'Cancelled')], default='confirmed', max_length=15)),
                ('personal_meeting_url', models.URLField(blank=True)),
                ('personal_meeting_note', models.CharField(blank=True, db_default='', default='', max_length=300)),
                ('booked_through', models.CharField(choices=[('client_view', 'Client View'), ('schedule', 'Schedule'), ('contact_center', 'Contact Center'), ('api', 'API')], max_length=15)),
                ('manage_token', models.CharField(default=appointments.models.new_token, editable=False, max_length=40)),
                ('join_token', models.CharField(default=appointments.models.new_token, editable=False, max_length=40)),
                ('request_key', models.CharField(blank=True, max_length=64, null=True)),
                ('client_note', models.TextField(blank=True)),
                ('internal_note', models.TextField(blank=True)),
                ('cancel_reason', models.CharField(blank=True, db_default='', default='', max_length=300)),
                ('version', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('booked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to='staff.location')),
                ('meeting', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointment', to='integrations.meeting')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='appointments', to='staff.organization')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='services.service')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='appointments.client')),
            ],
            options={
                'ordering': ['starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('booked', 'Booked'), ('moved', 'Moved'), ('reassigned', 'Reassigned'), ('changed', 'Changed'), ('cancelled', 'Cancelled')], max_length=10)),
                ('sequence', models.PositiveIntegerField(default=0)),
                ('audience', models.CharField(choices=[('client', 'Client'), ('staff', 'Staff member'), ('former', 'Former staff member')], default='client', max_length=10)),
                ('before', models.JSONField(blank=True, null=True)),
                ('appointment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='appointments.appointment')),
                ('email', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to='staff.outboxemail')),
            ],
        ),
        migrations.CreateModel(
            name='AppointmentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('through', models.CharField(blank=True, choices=[('client_view', 'Client View'), ('schedule', 'Schedule'), ('contact_center', 'Contact Center'), ('api', 'API')], max_length=15)),
                ('kind', models.CharField(choices=[('booked', 'Booked'), ('moved', 'Moved'), ('length_changed', 'Length changed'), ('reassigned', 'Reassigned'), ('reassigned_same_link', 'Reassigned, same link'), ('reassigned_new_link', 'Reassigned, new link'), ('method_changed', 'Meeting method changed'), ('location_changed', 'Location changed'), ('confirmed', 'Confirmed again'), ('arrived', 'Arrived'), ('in_progress', 'In progress'), ('served', 'Served'), ('no_show', 'No-show'), ('cancelled', 'Cancelled'), ('cancelled_with_reason', 'Cancelled with a reason'), ('notes_changed', 'Notes changed'), ('link_requested', 'Link requested'), ('link_replaced', 'Link replaced'), ('link_ready', 'Link ready'), ('link_failed', 'No link'), ('link_change_failed', 'Change not synced'), ('link_check_failed', 'Link not checked'), ('meeting_repaired', 'Meeting repaired')], max_length=30)),
                ('params', models.JSONField(blank=True, default=dict)),
                ('once', models.CharField(blank=True, max_length=100)),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='appointments.appointment')),
            ],
            options={
                'ordering': ['at', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('once', ''), _negated=True), fields=('appointment', 'once'), name='notified_once')],
            },
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['organization', 'name', 'id'], name='client_by_name'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(models.F('organization'), django.db.models.functions.text.Upper('email'), name='client_by_email'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='client_by_words', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['organization', 'starts_at'], name='appointment_by_day'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(condition=models.Q(('status__in', ['confirmed', 'arrived', 'in_progress', 'served'])), fields=['staff', 'busy_from'], include=('id', 'busy_to'), name='appointment_taken'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['client', 'starts_at'], name='appointment_by_client'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(condition=models.Q(('meeting__isnull', True), ('method', 3), ('personal_meeting_url', ''), ('status__in', ['confirmed', 'arrived', 'in_progress'])), fields=['organization', 'ends_at'], name='appointment_without_video'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status__in', ['confirmed', 'arrived', 'in_progress', 'served'])), expressions=[(models.Func('busy_from', 'busy_to', django.contrib.postgres.fields.ranges.RangeBoundary(), function='TSTZRANGE', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), ('staff', '=')], name='one_appointment_at_a_time', violation_error_message='That time was just taken.'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('organization', 'request_key'), name='request_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('manage_token',), name='manage_token_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('join_token',), name='join_token_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_end_after_start'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('busy_from__lte', models.F('starts_at')), ('busy_to__gte', models.F('ends_at'))), name='busy_time_holds_the_appointment'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('busy_to__lte', django.db.models.expressions.CombinedExpression(models.F('busy_from'), '+', models.Value(datetime.timedelta(days=2))))), name='busy_time_is_limited'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(fields=('appointment', 'sequence', 'audience'), name='one_notification_per_change'),
        ),
    ]
