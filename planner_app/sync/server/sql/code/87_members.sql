-- Members and exceptions from their role's rights, for administrators. (Logins are made by the database's own administrator.)

CREATE OR REPLACE FUNCTION planner_inner.is_admin(p_what text, p_detail jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF planner.my_role() IS DISTINCT FROM 'admin' THEN
        PERFORM planner_inner.deny(NULL, p_what, p_detail);
        RETURN false;
    END IF;
    RETURN true;
END $$;

-- ``p_projects``: names of the only projects he sees; NULL: all.
CREATE OR REPLACE FUNCTION planner.put_member(p_name text, p_role text, p_projects text[]) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
DECLARE ids integer[]; missing text;
BEGIN
    IF NOT planner_inner.is_admin('member', jsonb_build_object('name', left(p_name, 100), 'role', left(p_role, 100))) THEN
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    SELECT n INTO missing FROM unnest(p_projects) n WHERE NOT EXISTS (SELECT FROM planner.project WHERE name = n) LIMIT 1;
    IF missing IS NOT NULL THEN
        RETURN jsonb_build_object('error', 'sync.project_unknown', 'name', missing);
    END IF;
    ids := CASE WHEN p_projects IS NOT NULL THEN ARRAY(SELECT id FROM planner.project WHERE name = ANY (p_projects) ORDER BY id) END;
    INSERT INTO planner.member (name, role, projects) VALUES (p_name, p_role, ids)
    ON CONFLICT (name) DO UPDATE SET role = excluded.role, projects = excluded.projects;
    RETURN jsonb_build_object('ok', true);
END $$;

CREATE OR REPLACE FUNCTION planner.remove_member(p_name text) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
BEGIN
    IF NOT planner_inner.is_admin('member', jsonb_build_object('remove', left(p_name, 100))) THEN
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    DELETE FROM planner.member WHERE name = p_name;
    RETURN CASE WHEN FOUND THEN jsonb_build_object('ok', true) ELSE jsonb_build_object('error', 'sync.member_unknown', 'name', p_name) END;
END $$;

-- An exception. ``p``: member or role, project (name), layer (UUID or name) or prefix, read, write, columns, district (WKT, or the
-- name of a polygon layer), only_there. The same member (or role), project and layer (or prefix) have one exception: the last.
CREATE OR REPLACE FUNCTION planner.put_permission(p jsonb) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project; wanted planner.layer; area geometry; source planner.layer; columns text[]; made integer;
BEGIN
    IF NOT planner_inner.is_admin('permission', p) THEN
        RETURN jsonb_build_object('error', 'sync.denied');
    ELSIF p ->> 'member' IS NOT NULL AND NOT EXISTS (SELECT FROM planner.member WHERE name = p ->> 'member') THEN
        RETURN jsonb_build_object('error', 'sync.member_unknown', 'name', p ->> 'member');
    END IF;
    SELECT * INTO here FROM planner.project WHERE name = p ->> 'project';
    IF here.id IS NULL AND (p ->> 'project' IS NOT NULL OR p ->> 'layer' IS NOT NULL OR p ->> 'district' IS NOT NULL) THEN
        RETURN jsonb_build_object('error', 'sync.project_unknown', 'name', coalesce(p ->> 'project', ''));
    END IF;
    IF p ->> 'layer' IS NOT NULL THEN
        SELECT * INTO wanted FROM planner.layer l WHERE l.project = here.id AND NOT l.retired
          AND (l.uuid::text = p ->> 'layer' OR l.cells ->> 'name' = p ->> 'layer' OR l.table_name = p ->> 'layer') ORDER BY l.made LIMIT 1;
        IF wanted.uuid IS NULL THEN
            RETURN jsonb_build_object('error', 'sync.layer_unknown', 'name', p ->> 'layer');
        END IF;
    END IF;
    IF p ->> 'district' IS NOT NULL THEN
        SELECT * INTO source FROM planner.layer l WHERE l.project = here.id AND NOT l.retired AND l.geometry = 'polygon'
          AND (l.uuid::text = p ->> 'district' OR l.cells ->> 'name' = p ->> 'district' OR l.table_name = p ->> 'district') LIMIT 1;
        BEGIN
            IF source.uuid IS NOT NULL THEN
                EXECUTE format('SELECT ST_Union(ST_MakeValid(geom)) FROM %s', planner_inner.table_of(source)) INTO area;
            ELSE
                area := ST_MakeValid(ST_SetSRID(ST_Force2D(ST_GeomFromText(p ->> 'district')), here.srid));
            END IF;
            area := ST_CollectionExtract(area, 3);
        EXCEPTION WHEN internal_error OR invalid_parameter_value OR data_exception THEN
            area := NULL;
        END;
        IF area IS NULL OR ST_IsEmpty(area) THEN
            RETURN jsonb_build_object('error', 'sync.district_wrong', 'name', left(p ->> 'district', 100));
        END IF;
    END IF;
    columns := CASE WHEN jsonb_typeof(p -> 'columns') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(p -> 'columns')) END;
    DELETE FROM planner.permission x WHERE x.member IS NOT DISTINCT FROM p ->> 'member' AND x.role IS NOT DISTINCT FROM p ->> 'role'
        AND x.project IS NOT DISTINCT FROM here.id AND x.layer IS NOT DISTINCT FROM wanted.uuid AND x.prefix IS NOT DISTINCT FROM p ->> 'prefix';
    INSERT INTO planner.permission (project, member, role, layer, prefix, can_read, can_write, columns, district, reach, only_there)
    VALUES (here.id, p ->> 'member', p ->> 'role', wanted.uuid, p ->> 'prefix', (p -> 'read')::boolean, (p -> 'write')::boolean, columns,
        area, ST_Buffer(area, CASE WHEN ST_XMax(area) <= 360 AND ST_YMax(area) <= 90 THEN 1e-7 ELSE 0.01 END),
        coalesce((p -> 'only_there')::boolean, false)) RETURNING id INTO made;
    RETURN jsonb_build_object('ok', true, 'id', made);
END $$;

CREATE OR REPLACE FUNCTION planner.remove_permission(p_id integer) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
BEGIN
    IF NOT planner_inner.is_admin('permission', jsonb_build_object('remove', p_id)) THEN
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    DELETE FROM planner.permission WHERE id = p_id;
    RETURN jsonb_build_object('ok', FOUND);
END $$;

-- Members with their exceptions, for administrators; anybody else sees himself.
CREATE OR REPLACE FUNCTION planner.members() RETURNS jsonb STABLE @definer@ LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'role', m.role, 'added', m.added,
        'projects', (SELECT jsonb_agg(name ORDER BY name) FROM planner.project WHERE id = ANY (m.projects)),
        'seen', (SELECT max(seen) FROM planner.client c WHERE c.member = m.name),
        'exceptions', coalesce((SELECT jsonb_agg(jsonb_build_object('id', x.id, 'project', h.name, 'layer', l.cells ->> 'name', 'prefix', x.prefix,
                'read', x.can_read, 'write', x.can_write, 'columns', x.columns, 'district', ST_AsText(x.district, 2),
                'only_there', x.only_there) ORDER BY x.id)
            FROM planner.permission x LEFT JOIN planner.project h ON h.id = x.project
            LEFT JOIN planner.layer l ON l.project = x.project AND l.uuid = x.layer
            WHERE x.member = m.name OR x.role = m.role), '[]')) ORDER BY m.name), '[]')
    FROM planner.member m WHERE planner.my_role() = 'admin' OR m.name = session_user
$$;
