-- What a row must look like before it touches a table. Every check is a plain expression that cannot raise: one bad row
-- must not stop the others. (PostgreSQL 15 has no pg_input_is_valid.) Only functions with a pinned search_path call these;
-- one of their own would keep them from being inlined.

CREATE OR REPLACE FUNCTION planner_inner.is_uuid(p_text text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(p_text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', false)
$$;

CREATE OR REPLACE FUNCTION planner_inner.is_date(p_text text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_text ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' AND left(p_text, 4) <> '0000' THEN
        substr(p_text, 9)::int <= extract(day FROM make_date(left(p_text, 4)::int, substr(p_text, 6, 2)::int, 1)
                                               + interval '1 month' - interval '1 day') ELSE false END
$$;

-- Within what a double can hold, neither overflowing nor vanishing.
CREATE OR REPLACE FUNCTION planner_inner.is_real(p_text text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_text IN ('Infinity', '-Infinity') THEN true
        WHEN length(p_text) <= 40 AND p_text ~ '^-?[0-9]{1,32}(\.[0-9]{1,32})?(e[+-]?[0-9]{1,3})?$' THEN
            p_text::numeric = 0 OR abs(p_text::numeric) BETWEEN 4.9e-324 AND 1.7976931348623157e308
        ELSE false END
$$;

CREATE OR REPLACE FUNCTION planner_inner.is_integer(p_text text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_text ~ '^-?[0-9]{1,19}$'
        THEN p_text::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE false END
$$;

-- Does a cell's text belong in a field of that type? NULL does.
CREATE OR REPLACE FUNCTION planner_inner.fits(p_cell text, p_type text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_cell IS NULL THEN true
        WHEN octet_length(p_cell) > 16777216 THEN false
        WHEN p_type IN ('text', 'datetime') THEN true
        WHEN p_type = 'real' THEN planner_inner.is_real(p_cell)
        WHEN p_type = 'integer' THEN planner_inner.is_integer(p_cell)
        WHEN p_type = 'boolean' THEN p_cell IN ('true', 'false')
        WHEN p_type = 'date' THEN planner_inner.is_date(p_cell)
        WHEN p_type = 'blob' THEN left(p_cell, 2) = '\x' AND length(p_cell) % 2 = 0 AND substr(p_cell, 3) !~ '[^0-9a-f]'
        ELSE false END
$$;

-- PostgreSQL's type of a field.
CREATE OR REPLACE FUNCTION planner_inner.column_type(p_type text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE p_type WHEN 'integer' THEN 'bigint' WHEN 'real' THEN 'double precision' WHEN 'text' THEN 'text'
        WHEN 'boolean' THEN 'boolean' WHEN 'date' THEN 'date' WHEN 'datetime' THEN 'text' WHEN 'blob' THEN 'bytea' END
$$;

CREATE OR REPLACE FUNCTION planner_inner.geometry_type(p_geometry text, p_multi boolean, p_z boolean) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_multi THEN 'Multi' ELSE '' END
        || CASE p_geometry WHEN 'polygon' THEN 'Polygon' WHEN 'line' THEN 'LineString' WHEN 'point' THEN 'Point' END
        || CASE WHEN p_z THEN 'Z' ELSE '' END
$$;

-- Points whose coordinates are all numbers. (Apart: a function with a sub-select is never inlined.)
CREATE OR REPLACE FUNCTION planner_inner.are_finite(p_points geometry) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT bool_and(abs(ST_X(d.geom)) < 'Infinity' AND abs(ST_Y(d.geom)) < 'Infinity' AND coalesce(abs(ST_Z(d.geom)) < 'Infinity', true))
    FROM ST_DumpPoints(p_points) d
$$;

-- All coordinates are numbers: NaN and infinity show in the length of the outline.
CREATE OR REPLACE FUNCTION planner_inner.is_finite(p_geometry geometry) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(CASE GeometryType(p_geometry)
        WHEN 'POLYGON' THEN ST_Perimeter(p_geometry) < 'Infinity' AND (ST_Zmflag(p_geometry) = 0 OR ST_3DPerimeter(p_geometry) < 'Infinity')
        WHEN 'MULTIPOLYGON' THEN ST_Perimeter(p_geometry) < 'Infinity' AND (ST_Zmflag(p_geometry) = 0 OR ST_3DPerimeter(p_geometry) < 'Infinity')
        WHEN 'LINESTRING' THEN ST_Length(p_geometry) < 'Infinity' AND (ST_Zmflag(p_geometry) = 0 OR ST_3DLength(p_geometry) < 'Infinity')
        WHEN 'MULTILINESTRING' THEN ST_Length(p_geometry) < 'Infinity' AND (ST_Zmflag(p_geometry) = 0 OR ST_3DLength(p_geometry) < 'Infinity')
        WHEN 'POINT' THEN abs(ST_X(p_geometry)) < 'Infinity' AND abs(ST_Y(p_geometry)) < 'Infinity'
             AND coalesce(abs(ST_Z(p_geometry)) < 'Infinity', true)
        ELSE planner_inner.are_finite(p_geometry) END, false)
$$;

-- A geometry from WKB, or NULL if it is none.
CREATE OR REPLACE FUNCTION planner_inner.read_wkb(p_wkb bytea) RETURNS geometry IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN ST_GeomFromWKB(p_wkb);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- Why a geometry does not belong in a layer; NULL: it does.
CREATE OR REPLACE FUNCTION planner_inner.geometry_fault(p_geometry geometry, p_type text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN p_geometry IS NULL THEN 'unreadable'
        WHEN GeometryType(p_geometry) || CASE ST_Zmflag(p_geometry) WHEN 2 THEN 'Z' WHEN 0 THEN '' ELSE 'M' END
             <> upper(p_type) THEN 'type'
        WHEN ST_IsEmpty(p_geometry) THEN 'empty'
        WHEN NOT planner_inner.is_finite(p_geometry) THEN 'not_finite' END
$$;

CREATE OR REPLACE FUNCTION planner_inner.fault(p_push uuid, p_ordinal integer, p_code text, p_detail text) RETURNS void
LANGUAGE sql AS $$
    UPDATE planner.stage SET fault = p_code, detail = left(p_detail, 200)
    WHERE push_id = p_push AND ordinal = p_ordinal AND owner = session_user AND fault IS NULL
$$;

-- What follows joins the stage with itself, and of a push that nobody has seen before the planner expects one row: with nested
-- loops it would gladly judge all rows again for each. So they are off here, and what is wrong is worked out once (MATERIALIZED).

-- Mark staged rows that no layer can take. Before the head is locked.
CREATE OR REPLACE FUNCTION planner_inner.check_stage(p_push uuid) RETURNS void LANGUAGE sql SET enable_nestloop = off AS $$
    WITH named AS MATERIALIZED (  -- there are few
        SELECT layer FROM (SELECT DISTINCT layer FROM planner.stage WHERE push_id = p_push AND owner = session_user) l
        WHERE planner_inner.is_uuid(layer)
    ), f AS MATERIALIZED (SELECT * FROM (
        SELECT g.ordinal, CASE
            WHEN pg_column_size(g.names) + pg_column_size(g.cells) + pg_column_size(g.geometry) > 67108864 THEN 'sync.refused_size'
            WHEN NOT planner_inner.is_uuid(g.uuid) THEN 'sync.refused_uuid'
            WHEN (g.layer IN (SELECT layer FROM named)) IS NOT TRUE THEN 'sync.refused_layer'
            WHEN g.operation IS NULL OR g.operation NOT IN ('insert', 'update', 'delete') THEN 'sync.refused_row'
            WHEN cardinality(g.names) IS DISTINCT FROM cardinality(g.cells) OR array_ndims(g.names) > 1 THEN 'sync.refused_row'
            WHEN row_number() OVER (PARTITION BY g.layer, g.uuid ORDER BY g.ordinal) > 1 THEN 'sync.refused_twice'
            END AS fault
        FROM planner.stage g WHERE g.push_id = p_push AND g.owner = session_user
    ) judged WHERE fault IS NOT NULL)
    UPDATE planner.stage s SET fault = f.fault, detail = NULL FROM f
    WHERE s.push_id = p_push AND s.owner = session_user AND s.ordinal = f.ordinal AND s.fault IS NULL
$$;

-- Mark staged rows of layers that are not there.
CREATE OR REPLACE FUNCTION planner_inner.check_layers(p_push uuid, p_project integer) RETURNS void LANGUAGE sql
SET enable_nestloop = off AS $$
    UPDATE planner.stage s SET fault = 'sync.refused_layer'
    WHERE s.push_id = p_push AND s.owner = session_user AND s.fault IS NULL AND NOT EXISTS (
        SELECT FROM planner.layer l WHERE l.project = p_project AND l.uuid::text = s.layer AND NOT l.retired)
$$;

-- Mark staged rows of a layer whose cells or geometry do not belong in its fields.
CREATE OR REPLACE FUNCTION planner_inner.check_cells(p_push uuid, p_layer planner.layer, p_srid integer) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE wanted text := planner_inner.geometry_type(p_layer.geometry, p_layer.multi, p_layer.has_z); one record;
BEGIN
    WITH staged AS MATERIALIZED (
        SELECT g.ordinal, c.name, c.cell FROM planner.stage g, unnest(g.names, g.cells) AS c (name, cell)
        WHERE g.push_id = p_push AND g.owner = session_user AND g.layer = p_layer.uuid::text AND g.fault IS NULL AND g.operation <> 'delete'
    ), bad AS MATERIALIZED (
        SELECT DISTINCT ON (c.ordinal) c.ordinal, c.name,
               CASE WHEN f.slot IS NULL THEN 'sync.refused_field' ELSE 'sync.refused_value' END AS code
        FROM staged c LEFT JOIN planner.field f ON f.project = p_layer.project AND f.layer = p_layer.uuid AND f.name = c.name
        WHERE f.slot IS NULL OR NOT planner_inner.fits(c.cell, f.type) ORDER BY c.ordinal
    )
    UPDATE planner.stage s SET fault = bad.code, detail = left(bad.name, 100) FROM bad
    WHERE s.push_id = p_push AND s.owner = session_user AND s.ordinal = bad.ordinal;
    IF p_layer.geometry = 'none' THEN
        UPDATE planner.stage SET fault = 'sync.refused_geometry', detail = 'none'
        WHERE push_id = p_push AND owner = session_user AND layer = p_layer.uuid::text AND fault IS NULL AND geometry IS NOT NULL
          AND has_geometry;
        RETURN;
    END IF;
    -- All at once; if one cannot be read, one by one.
    BEGIN
        WITH read AS MATERIALIZED (  -- judged by its name, so that the judgement is inlined
            SELECT g.ordinal, ST_GeomFromWKB(g.geometry) AS shape FROM planner.stage g
            WHERE g.push_id = p_push AND g.owner = session_user AND g.layer = p_layer.uuid::text AND g.fault IS NULL
              AND g.has_geometry AND g.geometry IS NOT NULL AND g.operation <> 'delete'
        ), bad AS MATERIALIZED (
            SELECT * FROM (SELECT r.ordinal, planner_inner.geometry_fault(r.shape, wanted) AS why FROM read r) judged WHERE why IS NOT NULL)
        UPDATE planner.stage s SET fault = 'sync.refused_geometry', detail = bad.why FROM bad
        WHERE s.push_id = p_push AND s.owner = session_user AND s.ordinal = bad.ordinal;
    EXCEPTION WHEN internal_error OR data_exception OR invalid_parameter_value OR statement_too_complex OR program_limit_exceeded THEN
        FOR one IN SELECT g.ordinal, planner_inner.geometry_fault(planner_inner.read_wkb(g.geometry), wanted) AS why
                   FROM planner.stage g
                   WHERE g.push_id = p_push AND g.owner = session_user AND g.layer = p_layer.uuid::text AND g.fault IS NULL
                     AND g.has_geometry AND g.geometry IS NOT NULL AND g.operation <> 'delete' LOOP
            IF one.why IS NOT NULL THEN
                PERFORM planner_inner.fault(p_push, one.ordinal, 'sync.refused_geometry', one.why);
            END IF;
        END LOOP;
    END;
END $$;
