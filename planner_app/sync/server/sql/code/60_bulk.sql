-- Whole new layers: a typed table that the client fills by COPY and that becomes the layer's table at the commit.

-- The hash of all records of a table in the order of their UUIDs: ``p_columns`` (quoted already) in their types. Workers help
-- where they can (OFFSET 0 keeps the records' hashes below the gathering, and the cost of handing these over is next to nothing).
CREATE OR REPLACE FUNCTION planner_inner.table_digest(p_name text, p_columns text, p_spatial boolean, OUT rows bigint, OUT digest bytea)
LANGUAGE plpgsql SET parallel_setup_cost = 0 SET parallel_tuple_cost = 0 SET work_mem = '64MB' AS $$
BEGIN
    EXECUTE format($q$SELECT count(*), sha256(coalesce(string_agg(d, '' ORDER BY uuid), '')) FROM (
        SELECT uuid, sha256(record_send(ROW(uuid%s%s))) AS d FROM %s OFFSET 0) x$q$, p_columns,
        CASE WHEN p_spatial THEN ', ST_AsBinary(geom, ''NDR'')' ELSE '' END, p_name) INTO rows, digest;
END $$;

-- Returns the table to fill and how many rows are in it already.
CREATE OR REPLACE FUNCTION planner.stage_layer_begin(p_push uuid, p_layer jsonb) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
DECLARE staged planner.stage_push; was planner.stage_bulk; here planner.project; allowed record; there bigint; wrong text; name text;
BEGIN
    SELECT * INTO staged FROM planner.stage_push WHERE push_id = p_push AND owner = session_user;
    SELECT * INTO here FROM planner.project WHERE id = staged.project;
    IF here.id IS NULL THEN
        RETURN jsonb_build_object('error', 'sync.stage_incomplete');
    END IF;
    wrong := planner_inner.layer_fault(p_layer);
    IF wrong IS NOT NULL THEN
        RETURN jsonb_build_object('refused', wrong);
    END IF;
    SELECT * INTO allowed FROM planner_inner.right_of(here.id, (p_layer ->> 'uuid')::uuid, coalesce(p_layer #>> '{cells,role}', ''));
    IF NOT coalesce(allowed.can_write, false) OR allowed.columns IS NOT NULL THEN
        PERFORM planner_inner.deny(here.id, 'layer', jsonb_build_object('layer', p_layer ->> 'uuid'));
        RETURN jsonb_build_object('refused', 'right');
    END IF;
    name := 'b_' || md5(p_push::text || (p_layer ->> 'uuid'));
    SELECT * INTO was FROM planner.stage_bulk WHERE push_id = p_push AND layer = (p_layer ->> 'uuid')::uuid;
    IF was.push_id IS NOT NULL AND was.body = p_layer - 'cells' THEN
        EXECUTE format('SELECT count(*) FROM planner_stage.%I', name) INTO there;
        RETURN jsonb_build_object('table', name, 'rows', there, 'ready', was.digest IS NOT NULL);
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS planner_stage.%I', name);
    DELETE FROM planner.stage_bulk WHERE push_id = p_push AND layer = (p_layer ->> 'uuid')::uuid;
    INSERT INTO planner.stage_bulk VALUES (p_push, (p_layer ->> 'uuid')::uuid, session_user, name, p_layer - 'cells');
    PERFORM planner_inner.make_table(format('planner_stage.%I', name), p_layer, here.srid);
    EXECUTE format('GRANT INSERT ON planner_stage.%I TO %I', name, session_user);
    RETURN jsonb_build_object('table', name, 'rows', 0, 'ready', false);
END $$;

-- All rows are in: put out what does not belong, index, hash. ``p_faults``: rows that the client itself held back.
-- (Statistics of a small sample will do until autovacuum comes.)
CREATE OR REPLACE FUNCTION planner.stage_layer_end(p_push uuid, p_layer uuid, p_faults jsonb) RETURNS jsonb @definer@
SET default_statistics_target = 10 LANGUAGE plpgsql AS $$
DECLARE was planner.stage_bulk; here planner.project; target text; spatial boolean; found jsonb; columns text; allowed record;
BEGIN
    SELECT b.* INTO was FROM planner.stage_bulk b WHERE push_id = p_push AND layer = p_layer AND owner = session_user FOR UPDATE;
    SELECT p.* INTO here FROM planner.project p JOIN planner.stage_push s ON s.project = p.id WHERE s.push_id = p_push;
    IF was.push_id IS NULL OR here.id IS NULL THEN
        RETURN jsonb_build_object('error', 'sync.stage_incomplete');
    ELSIF was.digest IS NOT NULL THEN
        RETURN jsonb_build_object('rows', was.rows);
    END IF;
    target := format('planner_stage.%I', was.table_name);
    spatial := was.body ->> 'geometry' <> 'none';
    EXECUTE format('REVOKE INSERT ON %s FROM %I', target, session_user);
    SELECT coalesce(jsonb_agg(jsonb_build_object('layer', p_layer, 'uuid', left(f ->> 'uuid', 100), 'code', f ->> 'code',
                                                 'params', jsonb_build_object('reason', left(f ->> 'reason', 200)))), '[]')
    INTO found FROM jsonb_array_elements(p_faults) f WHERE f ->> 'code' ~ '^sync\.refused_[a-z]+$';
    IF spatial THEN
        -- The column's type did the rest; the length of outlines is the quickest way to see that all coordinates are numbers.
        found := found || planner_inner.put_out(target, p_layer, 'sync.refused_geometry', format(
            'geom IS NOT NULL AND (ST_IsEmpty(geom) OR NOT %s)', CASE WHEN was.body ->> 'geometry' = 'polygon' AND was.body ->> 'has_z' = 'false'
                THEN 'ST_Perimeter(geom) < ''Infinity''' ELSE 'planner_inner.is_finite(geom)' END), NULL);
        SELECT * INTO allowed FROM planner_inner.right_of(here.id, p_layer, '');
        IF allowed.reach IS NOT NULL THEN
            found := found || planner_inner.put_out(target, p_layer, 'sync.refused_district', 'NOT planner_inner.inside($1, geom)', allowed.reach);
        END IF;
    END IF;
    BEGIN
        PERFORM planner_inner.index_table(target, spatial);
    EXCEPTION WHEN unique_violation THEN
        found := found || planner_inner.put_out(target, p_layer, 'sync.refused_twice',
            format('ctid <> (SELECT min(o.ctid) FROM %s o WHERE o.uuid = t.uuid)', target), NULL);
        PERFORM planner_inner.index_table(target, spatial);
    END;
    EXECUTE format('ANALYZE %s', target);
    SELECT coalesce(string_agg(format(', %I', planner_inner.column_name(f ->> 'name')), '' ORDER BY at), '') INTO columns
    FROM jsonb_array_elements(was.body -> 'fields') WITH ORDINALITY AS x (f, at);
    UPDATE planner.stage_bulk b SET (rows, digest) = (SELECT d.rows, d.digest FROM planner_inner.table_digest(target, columns, spatial) d),
        faults = found WHERE push_id = p_push AND layer = p_layer RETURNING * INTO was;
    RETURN jsonb_build_object('rows', was.rows);
END $$;

-- Delete rows of a staged table and say which.
CREATE OR REPLACE FUNCTION planner_inner.put_out(p_table text, p_layer uuid, p_code text, p_where text, p_area geometry) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE found jsonb;
BEGIN
    EXECUTE format($q$WITH gone AS (DELETE FROM %s t WHERE %s AND ($1 IS NULL OR true) RETURNING uuid) SELECT coalesce(jsonb_agg(
        jsonb_build_object('layer', %L, 'uuid', uuid, 'code', %L, 'params', '{}'::jsonb)), '[]') FROM gone$q$, p_table, p_where, p_layer, p_code)
    INTO found USING p_area;
    RETURN found;
END $$;
