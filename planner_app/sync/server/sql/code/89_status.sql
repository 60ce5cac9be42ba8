-- How a server is doing, for administrators. Sizes in bytes; records as PostgreSQL estimates them.
CREATE OR REPLACE FUNCTION planner.status() RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
BEGIN
    IF NOT planner_inner.is_admin('status', '{}') THEN
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    RETURN jsonb_build_object(
        'version', (SELECT max(version) FROM planner.migration),
        'database_bytes', pg_database_size(current_database()),
        'projects', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'name', p.name, 'uuid', p.uuid, 'crs', p.crs, 'revision', p.revision,
                'changed', (SELECT max(time) FROM planner.revision r WHERE r.project = p.id),
                'layers', (SELECT count(*) FROM planner.layer l WHERE l.project = p.id AND NOT l.retired),
                'records', t.records, 'bytes', t.bytes,
                'changes', (SELECT count(*) FROM planner.change c WHERE c.project = p.id),
                'attachments', (SELECT count(*) FROM planner.blob b WHERE b.project = p.id),
                'attachment_bytes', (SELECT coalesce(sum(size), 0) FROM planner.blob b WHERE b.project = p.id),
                'reading_deliveries', (SELECT batch FROM planner.reading_head h WHERE h.project = p.id),
                'clients', coalesce((
                    SELECT jsonb_agg(jsonb_build_object('user', c.member, 'client', c.client_id, 'seen', c.seen, 'address', c.address,
                                                        'revision', c.cursor, 'lag', p.revision - c.cursor) ORDER BY c.member)
                    FROM planner.client c WHERE c.project = p.id), '[]')) ORDER BY p.name)
            FROM planner.project p, LATERAL (
                SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS records, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'project_' || p.id AND c.relkind = 'r') t), '[]'),
        -- Pushes on their way, or given up: those go when their sender comes again, or after two days.
        'staged', coalesce((
            SELECT jsonb_agg(jsonb_build_object('project', p.name, 'user', s.owner, 'begun', s.begun,
                    'records', (SELECT count(*) FROM planner.stage r WHERE r.push_id = s.push_id AND r.ordinal > 0),
                    'layers', (SELECT count(*) FROM planner.stage_bulk b WHERE b.push_id = s.push_id)) ORDER BY s.begun)
            FROM planner.stage_push s JOIN planner.project p ON p.id = s.project), '[]'),
        'refusals', (SELECT count(*) FROM planner.denied WHERE time > clock_timestamp() - interval '7 days'),
        'last_refusals', coalesce((
            SELECT jsonb_agg(to_jsonb(d) - 'id' ORDER BY d.id DESC) FROM (SELECT * FROM planner.denied ORDER BY id DESC LIMIT 20) d), '[]'));
END $$;
