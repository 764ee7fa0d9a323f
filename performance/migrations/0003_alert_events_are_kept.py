"""Alert events are only added: PostgreSQL refuses to change them, and to delete them but when pruning."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION performance_alertevent_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('performance.pruning', true) = 'on' THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.actor_id IS NOT NULL AND NEW.actor_id IS NULL
        AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW; -- the account is deleted; its name stays
    END IF;
    RAISE EXCEPTION 'alert events are only added, never changed or deleted';
END
$$;
CREATE TRIGGER performance_alertevent_kept BEFORE UPDATE OR DELETE ON performance_alertevent
    FOR EACH ROW EXECUTE FUNCTION performance_alertevent_kept();
"""
RELEASE = """
DROP TRIGGER performance_alertevent_kept ON performance_alertevent;
DROP FUNCTION performance_alertevent_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("performance", "0002_alerts")]
    operations = [migrations.RunSQL(REFUSE, RELEASE)]
