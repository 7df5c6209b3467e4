import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
import integrations.messages
import uuid
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
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('platform', models.CharField(max_length=20)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('match_field', models.CharField(choices=[('email', 'Email'), ('username', 'Username')], default='email', max_length=10)),
                ('status', models.CharField(choices=[('connected', 'Connected'), ('needs_reauthorization', 'Needs reauthorization'), ('disconnected', 'Disconnected')], default='connected', max_length=25)),
                ('status_reason', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('is_default', models.BooleanField(default=False)),
                ('paused_until', models.DateTimeField(blank=True, null=True)),
                ('consecutive_failures', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, db_default=[], default=list, size=None)),
                ('probe_at', models.DateTimeField(blank=True, null=True)),
                ('probe_owner', models.CharField(blank=True, db_default='', max_length=50)),
                ('connected_at', models.DateTimeField()),
                ('last_success_at', models.DateTimeField(blank=True, null=True)),
                ('trouble_kind', models.CharField(blank=True, choices=[('throttled', 'Throttled'), ('outage', 'Outage'), ('connection', 'Connection'), ('operator', 'Operator'), ('person', 'Person'), ('gone', 'Gone'), ('ended', 'Ended'), ('bug', 'Bug')], db_default='', max_length=12)),
                ('trouble', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('trouble_since', models.DateTimeField(blank=True, null=True)),
                ('connected_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='connections_made', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='staff.organization')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='DriftWatch',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='integrations.connection')),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('sync_token', models.TextField(blank=True, db_default='')),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ConnectionCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('steps', models.JSONField(default=list)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='integrations.connection')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ConnectionEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('kind', models.CharField(choices=[('connected', 'Connected'), ('reauthorized', 'Reauthorized'), ('disconnected', 'Disconnected'), ('made_default', 'Made default'), ('moved_to_default', 'Settings changed'), ('renamed', 'Settings changed'), ('turned_on', 'Video Calls turned on'), ('turned_off', 'Video Calls turned off'), ('rematched', 'Rematched'), ('rematch_failed', 'Rematch failed'), ('field_changed', 'Matched field changed'), ('user_name_adopted', 'User name taken over'), ('permission_reported', 'Host permission reported as granted'), ('settings_changed', 'Settings changed'), ('checked', 'Connection checked'), ('reconciled', 'Meetings compared'), ('links_retried', 'Noted'), ('drift_found', 'Noted'), ('capacity_reached', 'Noted'), ('noted', 'Noted'), ('token_refused', 'Sign-in refused by the platform')], max_length=20)),
                ('params', models.JSONField(blank=True, default=dict)),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='integrations.connection')),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='DriftFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('after', models.CharField(choices=[('checking', 'Checking…'), ('matched', 'Matched'), ('unmatched', 'Unmatched'), ('forbidden', 'Forbidden')], max_length=10)),
                ('is_other_user', models.BooleanField(default=False)),
                ('reason', models.CharField(blank=True, choices=[('field_empty', 'Field Empty'), ('not_found', 'Not Found'), ('alias', 'Alias'), ('pending', 'Pending'), ('disabled', 'Disabled'), ('guest', 'Guest'), ('no_licence', 'No Licence'), ('no_host_permission', 'No Host Permission'), ('refused', 'Refused')], max_length=20)),
                ('hint', models.CharField(blank=True, max_length=500)),
                ('remote_user_name', models.CharField(blank=True, max_length=320)),
                ('meetings', models.PositiveIntegerField(default=0)),
                ('found_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('checked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('notified_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drift_findings', to='integrations.connection')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-meetings', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='HostPause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organizer_id', models.CharField(max_length=100)),
                ('paused_until', models.DateTimeField()),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.connection')),
            ],
        ),
        migrations.CreateModel(
            name='Meeting',
            fields=[
                ('lease_token', models.UUIDField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('organizer_id', models.CharField(max_length=100)),
                ('attendees', models.JSONField(default=list)),
                ('subject', models.CharField(max_length=255)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('desired_state', models.CharField(choices=[('present', 'Present'), ('absent', 'Absent')], default='present', max_length=7)),
                ('version', models.PositiveIntegerField(default=1)),
                ('synced_version', models.PositiveIntegerField(default=0)),
                ('remote_id', models.CharField(blank=True, max_length=500)),
                ('join_url', models.TextField(blank=True)),
                ('warning', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('is_orphaned', models.BooleanField(db_default=False, default=False)),
                ('may_exist', models.BooleanField(db_default=False, default=False)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('enqueued_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('recheck_at', models.DateTimeField(blank=True, null=True)),
                ('week_check_at', models.DateTimeField(blank=True, null=True)),
                ('day_check_at', models.DateTimeField(blank=True, null=True)),
                ('error_kind', models.CharField(blank=True, choices=[('throttled', 'Throttled'), ('outage', 'Outage'), ('connection', 'Connection'), ('operator', 'Operator'), ('person', 'Person'), ('gone', 'Gone'), ('ended', 'Ended'), ('bug', 'Bug')], max_length=12)),
                ('error', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('error_request_id', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.GeneratedField(db_persist=True, expression=models.Case(models.When(desired_state='absent', synced_version=models.F('version'), then=models.Value('cancelled')), models.When(models.Q(('desired_state', 'present'), models.Q(('join_url', ''), _negated=True)), then=models.Value('ready')), models.When(models.Q(models.Q(('error_kind', ''), _negated=True), ('due_at__isnull', True)), then=models.Value('failed')), models.When(desired_state='absent', then=models.Value('cancelling')), default=models.Value('pending')), output_field=models.CharField(choices=[('pending', 'Creating the link…'), ('ready', 'Ready'), ('failed', 'Failed'), ('cancelling', 'Cancelling…'), ('cancelled', 'Cancelled')], max_length=10))),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='meetings', to='integrations.connection')),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hosted_meetings', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='meetings', to='staff.organization')),
                ('replaced_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaces', to='integrations.meeting')),
            ],
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('kind', models.CharField(choices=[('recreated', 'Made again'), ('restored', 'Put back'), ('unowned', 'Let go'), ('orphaned', 'Deleted after all'), ('cancelled', 'Cancelled after all'), ('moved', 'Moved after all')], max_length=12)),
                ('params', models.JSONField(default=dict)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='integrations.connection')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='integrations.meeting')),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='OrganizerUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organizer_id', models.CharField(max_length=100)),
                ('window_start', models.DateField()),
                ('meetings', models.PositiveIntegerField(default=0)),
                ('counted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('notified_percent', models.PositiveSmallIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='organizer_usages', to='integrations.connection')),
            ],
            options={
                'ordering': ['-window_start', '-meetings', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('inspected', models.PositiveIntegerField(default=0)),
                ('recreated', models.PositiveIntegerField(default=0)),
                ('restored', models.PositiveIntegerField(default=0)),
                ('repaired', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('reason', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reconciliations', to='integrations.connection')),
            ],
            options={
                'ordering': ['-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='RematchRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('scope', models.CharField(choices=[('all', 'All users'), ('failed', 'Only the failed'), ('preview', 'Preview of another field')], default='all', max_length=10)),
                ('match_field', models.CharField(choices=[('email', 'Email'), ('username', 'Username')], max_length=10)),
                ('trigger', models.CharField(choices=[('connected', 'Connected'), ('admin', 'Rematch all users'), ('reauthorized', 'Reauthorized'), ('field_changed', 'Matched field changed')], max_length=15)),
                ('state', models.CharField(choices=[('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed')], default='running', max_length=10)),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('cursor', models.BigIntegerField(default=0)),
                ('unreached_after', models.BigIntegerField(blank=True, null=True)),
                ('counts_before', models.JSONField(default=dict)),
                ('counts_after', models.JSONField(default=dict)),
                ('error', integrations.messages.MessageField(blank=True, default=integrations.messages.Message)),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_done', models.PositiveIntegerField(default=0)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('dismissed_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rematch_runs', to='integrations.connection')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rematch_runs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='MatchChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.CharField(choices=[('checking', 'Checking…'), ('matched', 'Matched'), ('unmatched', 'Unmatched'), ('forbidden', 'Forbidden')], max_length=10)),
                ('after', models.CharField(choices=[('checking', 'Checking…'), ('matched', 'Matched'), ('unmatched', 'Unmatched'), ('forbidden', 'Forbidden')], max_length=10)),
                ('is_other_user', models.BooleanField(default=False)),
                ('queried_name', models.CharField(blank=True, max_length=320)),
                ('remote_user_name', models.CharField(blank=True, max_length=320)),
                ('reason', models.CharField(blank=True, choices=[('field_empty', 'Field Empty'), ('not_found', 'Not Found'), ('alias', 'Alias'), ('pending', 'Pending'), ('disabled', 'Disabled'), ('guest', 'Guest'), ('no_licence', 'No Licence'), ('no_host_permission', 'No Host Permission'), ('refused', 'Refused')], max_length=20)),
                ('hint', models.CharField(blank=True, max_length=500)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='integrations.rematchrun')),
            ],
            options={
                'ordering': ['staff'],
            },
        ),
        migrations.CreateModel(
            name='UserMatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('enabled', models.BooleanField(db_default=False, default=False)),
                ('directory', models.CharField(choices=[('unknown', 'Unknown'), ('matched', 'Matched'), ('unmatched', 'Unmatched')], db_default='unknown', default='unknown', max_length=10)),
                ('host_permission', models.CharField(choices=[('not_needed', 'Not Needed'), ('unknown', 'Unknown'), ('granted', 'Granted'), ('denied', 'Denied'), ('waiting', 'Waiting')], db_default='not_needed', default='not_needed', max_length=10)),
                ('host_permission_checked_at', models.DateTimeField(blank=True, null=True)),
                ('host_permission_due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('host_permission_attempts', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('reason', models.CharField(blank=True, choices=[('field_empty', 'Field Empty'), ('not_found', 'Not Found'), ('alias', 'Alias'), ('pending', 'Pending'), ('disabled', 'Disabled'), ('guest', 'Guest'), ('no_licence', 'No Licence'), ('no_host_permission', 'No Host Permission'), ('refused', 'Refused')], db_default='', max_length=20)),
                ('remote_id', models.CharField(blank=True, db_default='', max_length=100)),
                ('remote_user_name', models.CharField(blank=True, db_default='', max_length=320)),
                ('remote_name', models.CharField(blank=True, db_default='', max_length=300)),
                ('queried_name', models.CharField(blank=True, max_length=320, null=True)),
                ('hint', models.CharField(blank=True, db_default='', max_length=500)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('status', models.GeneratedField(db_persist=True, expression=models.Case(models.When(directory='unknown', then=models.Value('checking')), models.When(directory='unmatched', then=models.Value('unmatched')), models.When(reason__in=['disabled', 'guest', 'no_licence', 'no_host_permission', 'refused'], then=models.Value('forbidden')), models.When(host_permission__in=['denied', 'waiting'], then=models.Value('forbidden')), models.When(host_permission='unknown', then=models.Value('checking')), default=models.Value('matched')), output_field=models.CharField(choices=[('checking', 'Checking…'), ('matched', 'Matched'), ('unmatched', 'Unmatched'), ('forbidden', 'Forbidden')], max_length=10))),
                ('other_user_name', models.GeneratedField(db_persist=True, expression=models.Case(models.When(condition=django.db.models.lookups.Exact(django.db.models.functions.text.Upper('remote_user_name'), django.db.models.functions.text.Upper(django.db.models.functions.comparison.Coalesce('queried_name', models.Value('')))), then=models.Value('')), default=django.db.models.functions.text.Upper('remote_user_name')), output_field=models.TextField())),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='matches', to='integrations.connection')),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='matches', to='integrations.rematchrun')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='video_matches', to=settings.AUTH_USER_MODEL)),
                ('switch_event', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.connectionevent')),
            ],
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(models.F('organization'), condition=models.Q(('is_default', True)), name='one_default_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('is_default', False), models.Q(('status', 'disconnected'), _negated=True), _connector='OR'), name='default_is_not_disconnected'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='connection_name_once_per_organization'),
        ),
        migrations.AddIndex(
            model_name='connectionevent',
            index=models.Index(fields=['connection', '-at', '-id'], name='event_by_connection'),
        ),
        migrations.AddConstraint(
            model_name='driftfinding',
            constraint=models.UniqueConstraint(fields=('connection', 'staff'), name='one_drift_finding_per_person'),
        ),
        migrations.AddConstraint(
            model_name='hostpause',
            constraint=models.UniqueConstraint(fields=('connection', 'organizer_id'), name='one_pause_per_organizer'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='meeting_due'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['connection', 'state'], name='meeting_by_state'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('desired_state', 'absent'), models.Q(('synced_version', models.F('version')), _negated=True)), fields=['connection'], name='meeting_deleting'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('due_at__isnull', True), models.Q(('error_kind', ''), _negated=True)), fields=['connection', 'starts_at'], name='meeting_failed'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('day_check_at__isnull', True), ('desired_state', 'present'), models.Q(('remote_id', ''), _negated=True)), fields=['connection', 'starts_at'], name='meeting_unread'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('is_orphaned', True)), fields=['connection', 'ends_at'], name='meeting_orphaned'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('claimed_at__isnull', False)), fields=['claimed_at'], include=('connection', 'organizer_id'), name='meeting_claimed'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='meeting_end_after_start'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.CheckConstraint(condition=models.Q(('is_orphaned', False), ('desired_state', 'absent'), _connector='OR'), name='orphaned_meeting_is_cancelled'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(fields=['connection', '-at', '-id'], name='finding_by_connection'),
        ),
        migrations.AddConstraint(
            model_name='organizerusage',
            constraint=models.UniqueConstraint(fields=('connection', 'window_start', 'organizer_id'), name='one_usage_per_organizer_and_window'),
        ),
        migrations.AddIndex(
            model_name='reconciliation',
            index=models.Index(fields=['connection', '-started_at', '-id'], name='reconciliation_latest'),
        ),
        migrations.AddConstraint(
            model_name='reconciliation',
            constraint=models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True)), fields=('connection',), name='one_reconciliation_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='rematchrun',
            constraint=models.UniqueConstraint(models.F('connection'), condition=models.Q(('state', 'running')), name='one_run_at_a_time_per_connection'),
        ),
        migrations.AddConstraint(
            model_name='matchchange',
            constraint=models.UniqueConstraint(fields=('run', 'staff'), name='one_change_per_person_and_run'),
        ),
        migrations.AddIndex(
            model_name='usermatch',
            index=models.Index(fields=['connection', 'status', 'enabled'], name='match_counts'),
        ),
        migrations.AddIndex(
            model_name='usermatch',
            index=models.Index(fields=['connection', 'status', 'enabled', 'staff'], name='match_by_status'),
        ),
        migrations.AddIndex(
            model_name='usermatch',
            index=models.Index(condition=models.Q(('other_user_name', ''), _negated=True), fields=['connection'], include=('staff', 'other_user_name'), name='match_with_other_name'),
        ),
        migrations.AddIndex(
            model_name='usermatch',
            index=models.Index(fields=['connection', 'remote_id'], name='match_by_remote_id'),
        ),
        migrations.AddIndex(
            model_name='usermatch',
            index=models.Index(condition=models.Q(('directory', 'matched'), ('host_permission__in', ['unknown', 'denied', 'waiting'])), fields=['connection', 'host_permission_due_at'], name='match_permission_due'),
        ),
        migrations.AddConstraint(
            model_name='usermatch',
            constraint=models.UniqueConstraint(fields=('connection', 'staff'), name='one_match_per_person'),
        ),
    ]
