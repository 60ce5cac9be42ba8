-- Records of one layer, applied inside a commit: compared with what is there, judged by the member's rights, written and
-- logged in one statement.

-- The statement for a layer's columns. Parameters: push, layer as text, revision, first and last ordinal, the area that may
-- be changed, the columns that may be changed. ``b`` and ``a`` (before, after) hold the cells that a row names; all of them unless
-- it is an update (``whole``). Most updates name one cell, in slot ``one``; of others ``at`` says where each slot's cell is.
-- (OFFSET 0: worked out once, one row after the other.)
CREATE OR REPLACE FUNCTION planner_inner.rows_statement(p_project planner.project, p_layer planner.layer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    target text := planner_inner.table_of(p_layer); spatial boolean := p_layer.geometry <> 'none';
    places text; names text[]; old_values text; new_values text; changed text; before text; after text; sets text := ''; columns text := ''; inserts text := '';
BEGIN
    SELECT coalesce(string_agg(format('coalesce(array_position(g.names, %L), 0)', f.name), ', ' ORDER BY f.slot), ''),
           array_agg(f.name ORDER BY f.slot),
           coalesce(string_agg(format('CASE WHEN s.one = %1$s OR s.whole OR s.at[%1$s] > 0 THEN t.%2$I::text END', f.slot, f.column_name),
               ', ' ORDER BY f.slot), ''),
           coalesce(string_agg(format('CASE WHEN s.one = %1$s THEN (s.cells[1])::%2$s::text WHEN s.at[%1$s] > 0 THEN (s.cells[s.at[%1$s]])::%2$s::text END',
               f.slot, planner_inner.column_type(f.type)), ', ' ORDER BY f.slot), ''),
           coalesce(string_agg(format(', CASE WHEN n.b[%1$s] IS DISTINCT FROM n.a[%1$s] THEN %1$s::smallint END', f.slot), '' ORDER BY f.slot), ''),
           coalesce(string_agg(format('CASE WHEN d.b[%1$s] IS DISTINCT FROM d.a[%1$s] THEN d.b[%1$s] END', f.slot), ', ' ORDER BY f.slot), ''),
           coalesce(string_agg(format('CASE WHEN d.b[%1$s] IS DISTINCT FROM d.a[%1$s] THEN d.a[%1$s] END', f.slot), ', ' ORDER BY f.slot), ''),
           coalesce(string_agg(format(', %1$I = CASE WHEN d.b[%2$s] IS DISTINCT FROM d.a[%2$s] THEN (d.a[%2$s])::%3$s ELSE t.%1$I END',
               f.column_name, f.slot, planner_inner.column_type(f.type)), '' ORDER BY f.slot), ''),
           coalesce(string_agg(format(', %I', f.column_name), '' ORDER BY f.slot), ''),
           coalesce(string_agg(format(', (d.a[%s])::%s', f.slot, planner_inner.column_type(f.type)), '' ORDER BY f.slot), '')
    INTO places, names, old_values, new_values, changed, before, after, sets, columns, inserts
    FROM planner.field f WHERE f.project = p_layer.project AND f.layer = p_layer.uuid;
    RETURN format($q$
        WITH s AS (
            SELECT g.ordinal, g.uuid::uuid AS id, g.operation, g.operation <> 'update' AS whole, cardinality(g.names) AS named,
                   CASE WHEN g.operation = 'update' AND cardinality(g.names) = 1 THEN array_position(%17$L::text[], g.names[1]) END AS one,
                   CASE WHEN g.operation <> 'delete' AND (g.operation <> 'update' OR cardinality(g.names) > 1) THEN ARRAY[%16$s]::integer[] END AS at,
                   g.cells, g.has_geometry,
                   CASE WHEN g.has_geometry AND g.operation <> 'delete' THEN ST_SetSRID(ST_GeomFromWKB(g.geometry), %1$s) END AS shape
            FROM planner.stage g WHERE g.push_id = $1 AND g.owner = session_user AND g.layer = $2 AND g.fault IS NULL
              AND g.ordinal BETWEEN $4 AND $5 OFFSET 0
        ), n AS (
            SELECT s.ordinal, s.id, CASE WHEN t.uuid IS NOT NULL THEN CASE s.operation WHEN 'delete' THEN 'd' ELSE 'u' END
                                         ELSE CASE s.operation WHEN 'insert' THEN 'i' WHEN 'update' THEN '?' ELSE '-' END END AS kind,
                   CASE WHEN NOT s.whole THEN s.named END AS named, s.one, ARRAY[%2$s]::text[] AS b, ARRAY[%3$s]::text[] AS a,
                   %4$s AS og, s.shape AS ng,
                   CASE WHEN s.whole OR s.has_geometry THEN ST_AsBinary(%4$s, 'NDR') END AS ogb, ST_AsBinary(s.shape, 'NDR') AS ngb
            FROM s LEFT JOIN %5$s t ON t.uuid = s.id OFFSET 0
        ), c AS (
            SELECT n.*, array_remove(CASE WHEN n.named < 2
                THEN ARRAY[CASE WHEN n.ogb IS DISTINCT FROM n.ngb THEN 0::smallint END, CASE WHEN n.b[n.one] IS DISTINCT FROM n.a[n.one] THEN n.one::smallint END]
                ELSE ARRAY[CASE WHEN n.ogb IS DISTINCT FROM n.ngb THEN 0::smallint END%6$s] END, NULL) AS fields
            FROM n WHERE n.kind <> '-' OFFSET 0
        ), d AS MATERIALIZED (
            SELECT c.*, CASE WHEN c.kind = '?' THEN 'sync.refused_gone'
                WHEN c.kind = 'u' AND cardinality(c.fields) = 0 THEN NULL
                WHEN $6 IS NOT NULL AND %7$s AND NOT ((c.kind = 'i' OR planner_inner.inside($6, c.og))
                    AND (c.kind = 'd' OR (c.kind = 'u' AND NOT 0 = ANY (c.fields)) OR planner_inner.inside($6, c.ng))) THEN 'sync.refused_district'
                WHEN $7 IS NOT NULL AND (c.kind <> 'u' OR NOT planner_inner.may_change($8, $9, c.fields, $7)) THEN 'sync.refused_column'
                END AS fault
            FROM c
        ), removed AS (
            DELETE FROM %5$s t USING d WHERE t.uuid = d.id AND d.kind = 'd' AND d.fault IS NULL
        ), updated AS (
            UPDATE %5$s t SET rev = $3%8$s FROM d
            WHERE t.uuid = d.id AND d.kind = 'u' AND d.fault IS NULL AND cardinality(d.fields) > 0 AND NOT 0 = ANY (d.fields)
        ), moved AS (
            UPDATE %5$s t SET rev = $3%9$s%8$s FROM d
            WHERE t.uuid = d.id AND d.kind = 'u' AND d.fault IS NULL AND 0 = ANY (d.fields)
        ), inserted AS (
            INSERT INTO %5$s (uuid, rev%10$s%11$s) SELECT d.id, $3%12$s%13$s FROM d WHERE d.kind = 'i' AND d.fault IS NULL
        ), logged AS (
            INSERT INTO planner.change (project, revision, layer, uuid, operation, fields, before, after, geometry_before, geometry_after, place)
            SELECT $8, $3, $9, d.id, d.kind::"char", d.fields,
                   -- Where every cell that is named changed, they are what is wanted; else those that did.
                   CASE WHEN d.kind = 'd' OR d.named = cardinality(array_remove(d.fields, 0::smallint)) THEN d.b
                        WHEN d.kind = 'u' THEN ARRAY[%14$s]::text[] END,
                   CASE WHEN d.kind = 'i' OR d.named = cardinality(array_remove(d.fields, 0::smallint)) THEN d.a
                        WHEN d.kind = 'u' THEN ARRAY[%15$s]::text[] END,
                   CASE WHEN 0 = ANY (d.fields) THEN d.ogb END, CASE WHEN 0 = ANY (d.fields) THEN d.ngb END,
                   CASE WHEN d.og IS NULL THEN d.ng::box WHEN d.ng IS NULL THEN d.og::box ELSE bound_box(d.og::box, d.ng::box) END
            FROM d WHERE d.fault IS NULL AND (d.kind <> 'u' OR cardinality(d.fields) > 0) ORDER BY d.id RETURNING 1
        ) SELECT (SELECT count(*) FROM logged), ARRAY(SELECT d.ordinal FROM d WHERE d.fault IS NOT NULL ORDER BY d.ordinal),
            ARRAY(SELECT d.fault FROM d WHERE d.fault IS NOT NULL ORDER BY d.ordinal) $q$,
        p_project.srid, old_values, new_values, CASE WHEN spatial THEN 't.geom' ELSE 'NULL::geometry' END, target, changed, spatial::text,
        sets, CASE WHEN spatial THEN ', geom = d.ng' ELSE '' END, CASE WHEN spatial THEN ', geom' ELSE '' END, columns,
        CASE WHEN spatial THEN ', d.ng' ELSE '' END, inserts, before, after, places, names);
END $$;

-- Are all changed slots among the columns a member may change?
CREATE OR REPLACE FUNCTION planner_inner.may_change(p_project integer, p_layer uuid, p_fields smallint[], p_columns text[])
RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT coalesce(bool_and(CASE WHEN x.slot = 0 THEN 'geom' = ANY (p_columns) ELSE f.name = ANY (p_columns) END), true)
    FROM unnest(p_fields) AS x (slot)
    LEFT JOIN planner.field f ON f.project = p_project AND f.layer = p_layer AND f.slot = x.slot
$$;

-- Run the statement; what makes it fail is found by halving and refused alone.
CREATE OR REPLACE FUNCTION planner_inner.apply_some(p_statement text, p_push uuid, p_project integer, p_layer uuid, p_revision bigint,
    p_first integer, p_last integer, p_reach geometry, p_columns text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE done bigint; refused integer[]; faults text[]; code text; middle integer := p_first + (p_last - p_first) / 2;
BEGIN
    BEGIN
        EXECUTE p_statement INTO done, refused, faults
        USING p_push, p_layer::text, p_revision, p_first, p_last, p_reach, p_columns, p_project, p_layer;
        FOR code IN SELECT DISTINCT f FROM unnest(faults) f LOOP
            UPDATE planner.stage SET fault = code WHERE push_id = p_push AND owner = session_user
            AND ordinal = ANY (ARRAY(SELECT o FROM unnest(refused, faults) AS x (o, f) WHERE f = code));
        END LOOP;
        RETURN done;
    EXCEPTION
        WHEN query_canceled OR lock_not_available OR deadlock_detected OR insufficient_resources OR system_error
            OR syntax_error_or_access_rule_violation THEN
            RAISE;
        WHEN OTHERS THEN
            -- Who sends a hundred such rows has no time to lose for others.
            IF p_first >= p_last OR 100 < (SELECT count(*) FROM planner.stage WHERE push_id = p_push AND owner = session_user
                                           AND fault = 'sync.refused_row') THEN
                UPDATE planner.stage SET fault = 'sync.refused_row', detail = SQLSTATE
                WHERE push_id = p_push AND owner = session_user AND layer = p_layer::text AND ordinal BETWEEN p_first AND p_last
                  AND fault IS NULL;
                RETURN 0;
            END IF;
    END;
    RETURN planner_inner.apply_some(p_statement, p_push, p_project, p_layer, p_revision, p_first, middle, p_reach, p_columns)
         + planner_inner.apply_some(p_statement, p_push, p_project, p_layer, p_revision, middle + 1, p_last, p_reach, p_columns);
END $$;

CREATE OR REPLACE FUNCTION planner_inner.apply_rows(p_push uuid, p_project planner.project, p_layer planner.layer, p_revision bigint,
    p_locked boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE allowed record; code text; first integer; last integer;
BEGIN
    SELECT * INTO allowed FROM planner_inner.right_of(p_project.id, p_layer.uuid, p_layer.cells ->> 'role');
    code := CASE WHEN NOT coalesce(allowed.can_write, false) THEN 'sync.refused_right' WHEN p_locked THEN 'sync.refused_locked' END;
    IF code IS NOT NULL THEN
        UPDATE planner.stage SET fault = code
        WHERE push_id = p_push AND owner = session_user AND layer = p_layer.uuid::text AND fault IS NULL;
        RETURN 0;
    END IF;
    PERFORM planner_inner.check_cells(p_push, p_layer, p_project.srid);
    SELECT min(ordinal), max(ordinal) INTO first, last FROM planner.stage
    WHERE push_id = p_push AND owner = session_user AND layer = p_layer.uuid::text AND fault IS NULL;
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    RETURN planner_inner.apply_some(planner_inner.rows_statement(p_project, p_layer), p_push, p_project.id, p_layer.uuid, p_revision,
        first, last, allowed.reach, allowed.columns);
END $$;
