-- Who is asking and what he may do. The member is always session_user: SET ROLE changes nothing.

CREATE OR REPLACE FUNCTION planner_inner.role_now() RETURNS text STABLE LANGUAGE sql AS $$
    SELECT coalesce((SELECT role FROM planner.member WHERE name = session_user),
                    (SELECT 'admin' FROM pg_roles WHERE rolname = session_user AND rolsuper))
$$;

CREATE OR REPLACE FUNCTION planner.my_role() RETURNS text STABLE PARALLEL SAFE @definer@ LANGUAGE sql AS $$
    SELECT planner_inner.role_now()
$$;

-- NULL: anywhere that is not a TCP connection.
CREATE OR REPLACE FUNCTION planner_inner.address() RETURNS text STABLE LANGUAGE sql AS $$
    SELECT coalesce(host(inet_client_addr()), 'local')
$$;

-- Note a refusal, in the table and in the server's own log (which a client's rollback does not reach).
CREATE OR REPLACE FUNCTION planner_inner.deny(p_project integer, p_what text, p_detail jsonb DEFAULT '{}')
RETURNS void @definer@ LANGUAGE plpgsql AS $$
BEGIN
    RAISE LOG 'planner denied: user=% address=% project=% what=% detail=%',
        session_user, planner_inner.address(), p_project, p_what, left(p_detail::text, 2000);
    IF current_setting('transaction_read_only') = 'off' THEN
        INSERT INTO planner.denied (address, project, what, detail)
        VALUES (planner_inner.address(), p_project, p_what,
                CASE WHEN length(p_detail::text) < 20000 THEN p_detail ELSE jsonb_build_object('cut', left(p_detail::text, 2000)) END);
    END IF;
END $$;

-- The project, if the member may see it.
CREATE OR REPLACE FUNCTION planner_inner.visible_project(p_uuid uuid) RETURNS planner.project STABLE @definer@ LANGUAGE sql AS $$
    SELECT p FROM planner.project p
    WHERE p.uuid = p_uuid AND planner.my_role() IS NOT NULL
      AND coalesce((SELECT projects IS NULL OR p.id = ANY (projects) FROM planner.member WHERE name = session_user), true)
$$;

-- The same, or an error.
CREATE OR REPLACE FUNCTION planner_inner.project_of(p_uuid uuid) RETURNS planner.project STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE found planner.project := planner_inner.visible_project(p_uuid);
BEGIN
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'sync.project_unknown' USING ERRCODE = 'PLN01';
    END IF;
    RETURN found;
END $$;

-- What a role may write without exceptions.
CREATE OR REPLACE FUNCTION planner_inner.writes(p_role text, p_layer_role text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE p_role
        WHEN 'admin' THEN true
        WHEN 'planner' THEN p_layer_role = '' OR starts_with(p_layer_role, 'planning.')
        WHEN 'reviewer' THEN starts_with(p_layer_role, 'review.')
        WHEN 'operator' THEN starts_with(p_layer_role, 'tunnel.')
        ELSE false END
$$;

-- The member's rights on a layer (which may not be there yet: its role then counts). No row: not a member. Without settings
-- of its own, so that it is inlined; only functions that act for the owner call it.
CREATE OR REPLACE FUNCTION planner_inner.right_of(p_project integer, p_layer uuid, p_layer_role text)
RETURNS TABLE (role text, can_read boolean, can_write boolean, columns text[], district geometry, reach geometry, sight geometry)
STABLE LANGUAGE sql AS $$
    SELECT me.role, me.welcome AND coalesce(x.can_read, true),
           me.welcome AND coalesce(x.can_read, true) AND coalesce(x.can_write, planner_inner.writes(me.role, p_layer_role)),
           x.columns, x.district, x.reach, CASE WHEN x.only_there THEN x.reach END
    FROM (SELECT planner_inner.role_now() AS role, coalesce(
              (SELECT projects IS NULL OR p_project = ANY (projects) FROM planner.member WHERE name = session_user), true
          ) AS welcome) AS me
    LEFT JOIN LATERAL (
        SELECT p.* FROM planner.permission p
        WHERE (p.project IS NULL OR p.project = p_project) AND (p.member = session_user OR p.role = me.role)
          AND (p.layer IS NULL OR p.layer = p_layer) AND (p.prefix IS NULL OR starts_with(p_layer_role, p.prefix))
        ORDER BY p.member IS NOT NULL DESC, p.layer IS NOT NULL DESC, coalesce(length(p.prefix), -1) DESC,
                 p.project IS NOT NULL DESC, p.id DESC LIMIT 1
    ) AS x ON true
    WHERE me.role IS NOT NULL
$$;

-- What a member sees of a layer: NULL is all of it, an empty geometry nothing. For the policies of layer tables: a query asks
-- once (as a scalar sub-select), and PL/pgSQL keeps the plan.
CREATE OR REPLACE FUNCTION planner.sight(p_project integer, p_layer uuid) RETURNS geometry STABLE PARALLEL SAFE
SECURITY DEFINER SET search_path = pg_catalog, planner, @postgis@, pg_temp LANGUAGE plpgsql AS $$
DECLARE found record;
BEGIN
    SELECT r.can_read, r.sight INTO found FROM planner.layer l, planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
    WHERE l.project = p_project AND l.uuid = p_layer AND NOT l.retired;
    RETURN CASE WHEN found.can_read THEN found.sight ELSE 'POINT EMPTY'::geometry END;
END $$;

-- Its declared cost keeps PostgreSQL from starting workers and compilers for a map window; strict: not even called for who
-- sees everything.
CREATE OR REPLACE FUNCTION planner.sees(p_geometry geometry, p_sight geometry) RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE COST 1
LANGUAGE plpgsql AS $$
BEGIN
    IF @postgis@.ST_IsEmpty(p_sight) OR @postgis@.ST_IsEmpty(p_geometry) THEN
        RETURN false;
    END IF;
    RETURN @postgis@.ST_Intersects(p_geometry, p_sight);
END $$;

-- Is a geometry inside an area? Crossing rings fool the predicate: such a geometry is judged by its rings as well.
CREATE OR REPLACE FUNCTION planner_inner.inside(p_area geometry, p_geometry geometry) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF p_geometry IS NULL THEN
        RETURN false;
    END IF;
    IF NOT (ST_Envelope(p_area) ~ ST_Envelope(p_geometry)) THEN
        RETURN false;
    END IF;
    IF ST_IsValid(p_geometry) THEN
        RETURN ST_Covers(p_area, p_geometry);
    END IF;
    RETURN ST_Covers(p_area, ST_MakeValid(p_geometry)) AND (ST_Dimension(p_geometry) < 2 OR NOT EXISTS (
        SELECT FROM ST_Dump(p_geometry) part, ST_DumpRings(part.geom) ring
        WHERE NOT ST_Covers(p_area, ST_ExteriorRing(ring.geom))));
EXCEPTION WHEN internal_error OR invalid_parameter_value OR data_exception THEN
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION planner.hello() RETURNS jsonb STABLE @definer@ LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'version', (SELECT max(version) FROM planner.migration), 'protocol', 1, 'user', session_user, 'role', planner.my_role(),
        'projects', coalesce((
            SELECT jsonb_agg(jsonb_build_object('uuid', p.uuid, 'name', p.name, 'crs', p.crs) ORDER BY p.name)
            FROM planner.project p WHERE (planner_inner.visible_project(p.uuid)).id IS NOT NULL), '[]'))
$$;

-- All rights of the member in a project. The stamp changes with whatever they follow from.
CREATE OR REPLACE FUNCTION planner.my_rights(p_project uuid) RETURNS jsonb STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project); mine text := planner.my_role();
BEGIN
    RETURN jsonb_build_object(
        'role', mine, 'add_layers', mine <> 'viewer',
        'stamp', (SELECT md5(concat(mine, '|', (SELECT projects::text FROM planner.member WHERE name = session_user), '|',
                         string_agg(p::text, '|' ORDER BY p.id))) FROM planner.permission p
                  WHERE (p.project IS NULL OR p.project = here.id) AND (p.member = session_user OR p.role = mine)),
        'layers', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'layer', l.uuid, 'read', r.can_read, 'write', r.can_write, 'columns', r.columns,
                'district', encode(ST_AsBinary(r.district, 'NDR'), 'hex')))
            FROM planner.layer l, planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
            WHERE l.project = here.id AND NOT l.retired), '[]'));
END $$;

-- Where a project stands, and its chain at an earlier revision; notes how far the asker is.
CREATE OR REPLACE FUNCTION planner.head(p_project uuid, p_at bigint) RETURNS jsonb STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    RETURN jsonb_build_object('revision', here.revision, 'chain', encode(here.chain, 'hex'), 'chain_at',
        coalesce((SELECT encode(chain, 'hex') FROM planner.revision WHERE project = here.id AND revision = p_at), ''));
END $$;

CREATE OR REPLACE FUNCTION planner.note_client(p_project uuid, p_cursor bigint) RETURNS void @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    INSERT INTO planner.client (project, member, cursor, address)
    VALUES (here.id, session_user, least(p_cursor, here.revision), planner_inner.address())
    ON CONFLICT (project, member) DO UPDATE
    SET cursor = excluded.cursor, seen = excluded.seen, address = excluded.address;
END $$;
