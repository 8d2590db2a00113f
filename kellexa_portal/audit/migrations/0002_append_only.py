"""Evidence can be added to and read, never changed; and what is added can be read."""

from django.db import migrations

from kellexa_portal.audit.evidence import CREATE_REFUSAL, DROP_REFUSAL, ForbidChanges

# Both page and sealer read the changes by recursion; a deeper value would stop them for everybody.
LIMIT_CHANGES = """
ALTER TABLE audit_event ADD CONSTRAINT audit_event_changes
    CHECK (jsonb_typeof(changes) = 'object' AND NOT changes @? '$.**{16}');
"""
LIFT_LIMIT = "ALTER TABLE audit_event DROP CONSTRAINT audit_event_changes;"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(LIMIT_CHANGES, LIFT_LIMIT),
        migrations.RunSQL(CREATE_REFUSAL, DROP_REFUSAL),
        ForbidChanges("audit_event"),
        ForbidChanges("audit_personal"),
        ForbidChanges("audit_leaf"),
        ForbidChanges("audit_checkpoint"),
    ]
