-- Changes of the registry, applied inside a commit. Each returns the code and reason of a refusal, or NULL.

CREATE OR REPLACE FUNCTION planner_inner.log_definition(p_project integer, p_revision bigint, p_kind text, p_key text, p_operation text,
    p_before jsonb, p_after jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO planner.definition
    SELECT p_project, p_revision, coalesce((SELECT max(ordinal) FROM planner.definition
            WHERE project = p_project AND revision = p_revision), 0) + 1, p_kind, p_key, p_operation, p_before, p_after
    WHERE p_before IS DISTINCT FROM p_after
$$;

CREATE OR REPLACE FUNCTION planner_inner.apply_plan(p_project integer, p_revision bigint, p_key text, p_operation text, p_cells jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE was planner.plan; old jsonb;
BEGIN
    IF length(p_key) NOT BETWEEN 1 AND 200 THEN
        RETURN 'definition';
    END IF;
    IF planner.my_role() NOT IN ('planner', 'admin') THEN
        RETURN 'right';
    END IF;
    SELECT * INTO was FROM planner.plan WHERE project = p_project AND id = p_key;
    old := CASE WHEN was.id IS NULL THEN 'null' ELSE jsonb_build_object('cells', was.cells, 'retired', was.retired) END;
    IF p_operation = 'delete' THEN
        UPDATE planner.plan SET retired = true, changed = p_revision WHERE project = p_project AND id = p_key AND NOT retired;
    ELSIF was.id IS NULL THEN
        INSERT INTO planner.plan VALUES (p_project, p_key, p_cells, p_revision, p_revision);
    ELSE
        UPDATE planner.plan SET cells = cells || p_cells, retired = false, changed = p_revision
        WHERE project = p_project AND id = p_key AND (retired OR cells <> cells || p_cells);
    END IF;
    PERFORM planner_inner.log_definition(p_project, p_revision, 'plan', p_key, p_operation, old, (
        SELECT jsonb_build_object('cells', cells, 'retired', retired) FROM planner.plan WHERE project = p_project AND id = p_key));
    RETURN NULL;
END $$;

-- A new layer; the table that came in bulk for it becomes its table.
CREATE OR REPLACE FUNCTION planner_inner.make_layer(p_project planner.project, p_revision bigint, p_push uuid, p_layer jsonb, p_cells jsonb)
RETURNS planner.layer LANGUAGE plpgsql AS $$
DECLARE made planner.layer; staged planner.stage_bulk; target text; spatial boolean := p_layer ->> 'geometry' <> 'none';
BEGIN
    INSERT INTO planner.layer VALUES (
        p_project.id, (p_layer ->> 'uuid')::uuid, planner_inner.table_name(p_project.id, p_layer ->> 'table'), p_layer ->> 'geometry',
        (p_layer -> 'has_z')::boolean, (p_layer -> 'multi')::boolean, p_cells, p_revision, p_revision) RETURNING * INTO made;
    PERFORM planner_inner.add_fields(made, p_layer -> 'fields');
    target := planner_inner.table_of(made);
    SELECT * INTO staged FROM planner.stage_bulk
    WHERE push_id = p_push AND layer = made.uuid AND owner = session_user AND digest IS NOT NULL;
    IF staged.push_id IS NULL THEN
        PERFORM planner_inner.make_table(target, p_layer, p_project.srid);
        PERFORM planner_inner.index_table(target, spatial);
    ELSE
        EXECUTE format('ALTER TABLE planner_stage.%I RENAME TO %I', staged.table_name, made.table_name);
        EXECUTE format('ALTER TABLE planner_stage.%I SET SCHEMA %I', made.table_name, 'project_' || p_project.id);
        EXECUTE format('REVOKE ALL ON %s FROM %I', target, session_user);
        INSERT INTO planner.bulk VALUES (p_project.id, p_revision, made.uuid, jsonb_array_length(p_layer -> 'fields'), staged.rows, staged.digest);
    END IF;
    -- A constant default costs no rewriting.
    EXECUTE format('ALTER TABLE %s ADD COLUMN rev bigint NOT NULL DEFAULT %s', target, p_revision);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN rev DROP DEFAULT', target);
    PERFORM planner_inner.open_table(target, p_project.id, made.uuid, spatial, p_cells ->> 'name');
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION planner_inner.apply_layer(p_project planner.project, p_revision bigint, p_push uuid, p_key text,
    p_operation text, p_layer jsonb, p_cells jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE was planner.layer; old jsonb := 'null'; allowed record; wrong text;
BEGIN
    IF NOT planner_inner.is_uuid(p_key) OR (p_layer IS NOT NULL AND p_layer ->> 'uuid' IS DISTINCT FROM p_key) THEN
        RETURN 'uuid';
    END IF;
    SELECT * INTO was FROM planner.layer WHERE project = p_project.id AND uuid = p_key::uuid;
    SELECT * INTO allowed FROM planner_inner.right_of(p_project.id, p_key::uuid, coalesce(was.cells ->> 'role', p_cells ->> 'role', ''));
    IF NOT coalesce(allowed.can_write, false) OR allowed.columns IS NOT NULL THEN
        RETURN 'right';
    END IF;
    IF p_cells ? 'role' AND NOT coalesce((SELECT can_write FROM planner_inner.right_of(p_project.id, p_key::uuid, p_cells ->> 'role')), false) THEN
        RETURN 'right';  -- nobody gives a layer to a role he has no part in
    END IF;
    IF was.uuid IS NULL THEN
        IF p_operation = 'delete' THEN
            RETURN NULL;
        END IF;
        wrong := coalesce(planner_inner.layer_fault(p_layer), CASE WHEN p_operation <> 'insert' THEN 'unknown' END);
        IF wrong IS NOT NULL THEN
            RETURN wrong;
        END IF;
        was := planner_inner.make_layer(p_project, p_revision, p_push, p_layer, jsonb_build_object('name', '', 'role', '') || p_cells);
        PERFORM planner_inner.log_definition(p_project.id, p_revision, 'layer', p_key, 'insert', old, planner_inner.layer_state(was));
        RETURN NULL;
    END IF;
    old := planner_inner.layer_state(was);
    IF p_operation = 'delete' THEN
        UPDATE planner.layer SET retired = true, changed = p_revision WHERE project = was.project AND uuid = was.uuid AND NOT retired;
    ELSE
        IF EXISTS (SELECT FROM planner.stage_bulk WHERE push_id = p_push AND layer = was.uuid AND owner = session_user) THEN
            RETURN 'exists';  -- its rows would be lost
        END IF;
        IF jsonb_typeof(p_layer) = 'object' THEN
            wrong := CASE WHEN (p_layer ->> 'geometry', (p_layer -> 'has_z')::text, (p_layer -> 'multi')::text)
                               IS DISTINCT FROM (was.geometry, to_jsonb(was.has_z)::text, to_jsonb(was.multi)::text) THEN 'geometry'
                          ELSE planner_inner.fields_fault(p_layer -> 'fields') END;
            IF wrong IS NULL THEN
                SELECT 'field_type:' || f.name INTO wrong FROM planner.field f, jsonb_array_elements(p_layer -> 'fields') g
                WHERE f.project = was.project AND f.layer = was.uuid AND f.name = g ->> 'name' AND f.type <> g ->> 'type' LIMIT 1;
            END IF;
            IF wrong IS NOT NULL THEN
                RETURN wrong;
            END IF;
            IF (SELECT count(DISTINCT name) > 1000 FROM (
                    SELECT name FROM planner.field WHERE project = was.project AND layer = was.uuid
                    UNION SELECT g ->> 'name' FROM jsonb_array_elements(p_layer -> 'fields') g) all_names) THEN
                RETURN 'fields';
            END IF;
            IF EXISTS (SELECT FROM jsonb_array_elements(p_layer -> 'fields') g WHERE NOT EXISTS (
                    SELECT FROM pg_attribute a WHERE a.attrelid = planner_inner.table_of(was)::regclass
                      AND a.attname = planner_inner.column_name(g ->> 'name')
                      AND format_type(a.atttypid, a.atttypmod) = planner_inner.column_type(g ->> 'type'))) THEN
                RAISE EXCEPTION 'columns are not there yet' USING ERRCODE = 'PLN02';
            END IF;
            PERFORM planner_inner.add_fields(was, p_layer -> 'fields');
        END IF;
        UPDATE planner.layer l SET cells = cells || p_cells, retired = false WHERE project = was.project AND uuid = was.uuid;
        UPDATE planner.layer l SET changed = p_revision
        WHERE project = was.project AND uuid = was.uuid AND planner_inner.layer_state(l) <> old;
        IF p_cells ? 'name' THEN
            EXECUTE format('COMMENT ON TABLE %s IS %L', planner_inner.table_of(was), p_cells ->> 'name');
        END IF;
    END IF;
    PERFORM planner_inner.log_definition(p_project.id, p_revision, 'layer', p_key, p_operation, old, (
        SELECT planner_inner.layer_state(l) FROM planner.layer l WHERE project = was.project AND uuid = was.uuid));
    RETURN NULL;
END $$;

-- One definition; whatever is wrong with it stays its own affair.
CREATE OR REPLACE FUNCTION planner_inner.apply_definition(p_project planner.project, p_revision bigint, p_push uuid, p_body jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE kind text := p_body ->> 'kind'; cells jsonb := planner_inner.known_cells(p_body ->> 'kind', p_body -> 'cells');
    layer jsonb := nullif(p_body -> 'layer', 'null');
BEGIN
    IF p_body ? 'fault' OR coalesce(p_body ->> 'operation', '') NOT IN ('insert', 'update', 'delete') OR p_body ->> 'key' IS NULL THEN
        RETURN 'definition';
    END IF;
    IF kind = 'plan' THEN
        RETURN planner_inner.apply_plan(p_project.id, p_revision, p_body ->> 'key', p_body ->> 'operation', cells);
    ELSIF kind = 'layer' THEN
        IF p_body ->> 'operation' = 'insert' THEN
            cells := planner_inner.known_cells(kind, layer -> 'cells') || cells;
        END IF;
        RETURN planner_inner.apply_layer(p_project, p_revision, p_push, p_body ->> 'key', p_body ->> 'operation', layer, cells);
    END IF;
    RETURN 'definition';
EXCEPTION
    WHEN query_canceled OR lock_not_available OR deadlock_detected OR insufficient_resources OR system_error OR SQLSTATE 'PLN02' THEN
        RAISE;
    WHEN OTHERS THEN
        RETURN 'definition:' || SQLSTATE;
END $$;
