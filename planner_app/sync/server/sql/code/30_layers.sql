-- Layers as tables, and the registry's changes.

-- The column of a field: its name where PostgreSQL takes it.
CREATE OR REPLACE FUNCTION planner_inner.column_name(p_name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN octet_length(p_name) BETWEEN 1 AND 63 AND p_name NOT IN
        ('uuid', 'geom', 'rev', 'fid', 'tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid') AND p_name !~ '[\x01-\x1f\x7f]'
        THEN p_name ELSE 'f_' || left(md5(p_name), 20) END
$$;

-- A free name for a layer's table, at most 60 bytes: everything but ASCII's letters, digits and what lies beyond ASCII becomes
-- an underscore (not [[:alnum:]]: that depends on the database's locale).
CREATE OR REPLACE FUNCTION planner_inner.table_name(p_project integer, p_wish text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE stem text := regexp_replace(left(p_wish, 60), '[\u0001-\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u00a0]+', '_', 'g'); found text; number integer := 1;
BEGIN
    WHILE octet_length(stem) > 50 LOOP
        stem := left(stem, length(stem) - 1);
    END LOOP;
    stem := coalesce(nullif(stem, ''), 'layer');
    found := stem;
    WHILE EXISTS (SELECT FROM planner.layer WHERE project = p_project AND table_name = found)
          OR to_regclass(format('%I.%I', 'project_' || p_project, found)) IS NOT NULL LOOP
        number := number + 1;
        found := stem || '_' || number;
    END LOOP;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION planner_inner.table_of(p_layer planner.layer) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT format('%I.%I', 'project_' || p_layer.project, p_layer.table_name)
$$;

-- A layer's definition must have this shape; whatever else it says is not looked at. NULL: it has.
CREATE OR REPLACE FUNCTION planner_inner.layer_fault(p_layer jsonb) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN jsonb_typeof(p_layer) IS DISTINCT FROM 'object' THEN 'definition'
        WHEN NOT planner_inner.is_uuid(p_layer ->> 'uuid') THEN 'uuid'
        WHEN coalesce(p_layer ->> 'geometry', '') NOT IN ('polygon', 'line', 'point', 'none') THEN 'geometry'
        WHEN jsonb_typeof(p_layer -> 'has_z') IS DISTINCT FROM 'boolean' OR jsonb_typeof(p_layer -> 'multi') IS DISTINCT FROM 'boolean'
            OR jsonb_typeof(p_layer -> 'table') IS DISTINCT FROM 'string' THEN 'definition'
        ELSE planner_inner.fields_fault(p_layer -> 'fields') END
$$;

CREATE OR REPLACE FUNCTION planner_inner.fields_fault(p_fields jsonb) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN jsonb_typeof(p_fields) IS DISTINCT FROM 'array' THEN 'fields'
        WHEN jsonb_array_length(p_fields) > 1000 THEN 'fields'
        WHEN EXISTS (SELECT FROM jsonb_array_elements(p_fields) f WHERE jsonb_typeof(f -> 'name') IS DISTINCT FROM 'string'
                     OR length(f ->> 'name') NOT BETWEEN 1 AND 200 OR planner_inner.column_type(f ->> 'type') IS NULL
                     OR length(f ->> 'alias') > 1000) THEN 'fields'
        WHEN (SELECT count(*) <> count(DISTINCT f ->> 'name') FROM jsonb_array_elements(p_fields) f) THEN 'fields' END
$$;

-- The cells of a definition that are known, as text; what is no string counts as absent.
CREATE OR REPLACE FUNCTION planner_inner.known_cells(p_kind text, p_cells jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each_text(
        CASE WHEN jsonb_typeof(p_cells) = 'object' THEN p_cells ELSE '{}' END)
    WHERE value IS NOT NULL AND octet_length(value) <= 8388608 AND key = ANY (CASE p_kind
        WHEN 'plan' THEN ARRAY['kind', 'name', 'authority', 'version', 'valid_from', 'valid_to', 'source']
        ELSE ARRAY['name', 'plan_id', 'role', 'class_field', 'class_standard', 'label_field', 'source', 'source_crs',
                   'locked', 'extra', 'style'] END)
$$;

-- A table for records: ``p_name`` is quoted already.
CREATE OR REPLACE FUNCTION planner_inner.make_table(p_name text, p_layer jsonb, p_srid integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE columns text;
BEGIN
    SELECT string_agg(format(', %I %s', planner_inner.column_name(f ->> 'name'), planner_inner.column_type(f ->> 'type')), '' ORDER BY at)
    INTO columns FROM jsonb_array_elements(p_layer -> 'fields') WITH ORDINALITY AS x (f, at);
    EXECUTE format('CREATE TABLE %s (uuid uuid NOT NULL%s%s) WITH (fillfactor = 90)', p_name,
        CASE WHEN p_layer ->> 'geometry' <> 'none' THEN format(', geom @postgis@.geometry(%s, %s)', planner_inner.geometry_type(
            p_layer ->> 'geometry', (p_layer -> 'multi')::boolean, (p_layer -> 'has_z')::boolean), p_srid) ELSE '' END,
        coalesce(columns, ''));
END $$;

-- (For a smaller table, calling workers costs as much as they save.)
CREATE OR REPLACE FUNCTION planner_inner.index_table(p_name text, p_spatial boolean) RETURNS void LANGUAGE plpgsql
SET min_parallel_table_scan_size = '512MB' AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (uuid)', p_name);
    EXECUTE format('CREATE INDEX ON %s ((uuid::text))', p_name);  -- what QGIS asks for
    IF p_spatial THEN
        EXECUTE format('CREATE INDEX ON %s USING gist (geom)', p_name);
    END IF;
END $$;

-- Readers come in under policies; nobody but our functions writes.
CREATE OR REPLACE FUNCTION planner_inner.open_table(p_name text, p_project integer, p_layer uuid, p_spatial boolean, p_title text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_name);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', p_name);
    EXECUTE format('GRANT SELECT ON %s TO planner_viewer', p_name);
    -- One sub-select, which is NULL (and so the test NULL, not false) for who sees everything.
    EXECUTE format('CREATE POLICY may_read ON %s FOR SELECT TO planner_viewer USING (%s)', p_name, format(
        CASE WHEN p_spatial THEN 'planner.sees(coalesce(geom, ''POINT EMPTY''), (SELECT planner.sight(%s, %L))) IS NOT FALSE'
        ELSE '(SELECT planner.sight(%s, %L)) IS NULL OR NOT @postgis@.ST_IsEmpty((SELECT planner.sight(%1$s, %2$L)))' END, p_project, p_layer));
    EXECUTE format('COMMENT ON TABLE %s IS %L', p_name, p_title);
END $$;

CREATE OR REPLACE FUNCTION planner_inner.add_fields(p_layer planner.layer, p_fields jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO planner.field (project, layer, slot, name, type, alias, column_name)
    SELECT p_layer.project, p_layer.uuid, coalesce((SELECT max(slot) FROM planner.field
                WHERE project = p_layer.project AND layer = p_layer.uuid), 0) + row_number() OVER (ORDER BY x.at),
           f ->> 'name', f ->> 'type', coalesce(f ->> 'alias', ''), planner_inner.column_name(f ->> 'name')
    FROM jsonb_array_elements(p_fields) WITH ORDINALITY AS x (f, at)
    WHERE NOT EXISTS (SELECT FROM planner.field h WHERE h.project = p_layer.project AND h.layer = p_layer.uuid AND h.name = f ->> 'name')
$$;

-- A layer as the definition log keeps it.
CREATE OR REPLACE FUNCTION planner_inner.layer_state(p_layer planner.layer) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('cells', p_layer.cells, 'geometry', p_layer.geometry, 'has_z', p_layer.has_z, 'multi', p_layer.multi,
        'table', p_layer.table_name, 'retired', p_layer.retired, 'fields', coalesce((
            SELECT jsonb_agg(jsonb_build_object('name', name, 'type', type, 'alias', alias, 'column', column_name) ORDER BY slot)
            FROM planner.field WHERE project = p_layer.project AND layer = p_layer.uuid), '[]'))
$$;

-- Give tables the columns that a push is going to define, before it asks for the head: the lock that this takes can wait
-- for a slow reader. Returns false if a reader was in the way for too long. (A column counts once it is in planner.field.)
CREATE OR REPLACE FUNCTION planner.stage_fields(p_push uuid) RETURNS boolean @definer@ SET lock_timeout = '3s' LANGUAGE plpgsql AS $$
DECLARE one record; have text;
BEGIN
    FOR one IN
        SELECT DISTINCT l AS layer, f ->> 'name' AS name, planner_inner.column_type(f ->> 'type') AS type
        FROM planner.stage_push s, jsonb_array_elements(s.definitions) d, planner.layer l,
             jsonb_array_elements(CASE WHEN planner_inner.fields_fault(d #> '{layer,fields}') IS NULL THEN d #> '{layer,fields}' ELSE '[]' END) f,
             planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
        WHERE s.push_id = p_push AND s.owner = session_user AND d ->> 'kind' = 'layer' AND l.project = s.project
          AND l.uuid::text = d ->> 'key' AND r.can_write  -- retired ones too: this push may bring it back
          AND NOT EXISTS (SELECT FROM planner.field h WHERE h.project = l.project AND h.layer = l.uuid AND h.name = f ->> 'name')
    LOOP
        SELECT format_type(a.atttypid, a.atttypmod) INTO have FROM pg_attribute a
        WHERE a.attrelid = planner_inner.table_of(one.layer)::regclass AND a.attname = planner_inner.column_name(one.name);
        IF have IS DISTINCT FROM one.type THEN
            IF have IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %s DROP COLUMN %I', planner_inner.table_of(one.layer), planner_inner.column_name(one.name));
            END IF;
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', planner_inner.table_of(one.layer), planner_inner.column_name(one.name), one.type);
        END IF;
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;
