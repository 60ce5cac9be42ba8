-- Reading what changed. Whole records are read from the layer tables themselves, under their policies.

-- The layers a member may read (retired ones too), and the plans, as they are now.
CREATE OR REPLACE FUNCTION planner.registry(p_project uuid) RETURNS jsonb STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    RETURN jsonb_build_object('id', here.id, 'srid', here.srid,
        'plans', coalesce((SELECT jsonb_agg(jsonb_build_object('id', id, 'cells', cells, 'made', made, 'changed', changed,
                                                             'retired', retired) ORDER BY changed, id)
                           FROM planner.plan WHERE project = here.id), '[]'),
        'layers', coalesce((SELECT jsonb_agg(planner_inner.layer_state(l) || jsonb_build_object(
                                'uuid', l.uuid, 'made', l.made, 'changed', l.changed, 'since', coalesce(b.revision, 0)) ORDER BY l.made, l.uuid)
                            FROM planner.layer l LEFT JOIN planner.bulk b ON b.project = l.project AND b.layer = l.uuid,
                                 planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
                            WHERE l.project = here.id AND r.can_read), '[]'));
END $$;

-- A layer that the asker may read, or nothing; and the area he sees.
CREATE OR REPLACE FUNCTION planner_inner.readable(p_project uuid, p_layer uuid, OUT layer planner.layer, OUT sight geometry, OUT srid integer)
STABLE @definer@ LANGUAGE sql AS $$
    SELECT l, r.sight, h.srid
    FROM planner_inner.project_of(p_project) h JOIN planner.layer l ON l.project = h.id AND l.uuid = p_layer,
         planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
    WHERE r.can_read
$$;

-- Is a geometry in an area, by its extent? Exactly, unlike the index's own coarse test. NULL lies everywhere.
CREATE OR REPLACE FUNCTION planner.in_box(p_geometry geometry, p_box double precision[]) RETURNS boolean IMMUTABLE PARALLEL SAFE
LANGUAGE sql AS $$
    SELECT p_geometry IS NULL OR p_box IS NULL OR (
        @postgis@.ST_XMin(p_geometry) <= p_box[3] AND @postgis@.ST_XMax(p_geometry) >= p_box[1]
        AND @postgis@.ST_YMin(p_geometry) <= p_box[4] AND @postgis@.ST_YMax(p_geometry) >= p_box[2])
$$;

-- Records of a layer that changed in (p_after, p_until], as they are now; ``fields`` NULL: all of them are new to the asker.
CREATE OR REPLACE FUNCTION planner.pull_changes(p_project uuid, p_layer uuid, p_after bigint, p_until bigint, p_box double precision[])
RETURNS TABLE (uuid uuid, rev bigint, gone boolean, fields smallint[], cells text[], geometry bytea) STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE seen record; target text; spatial boolean; picked text; narrow boolean; frame box;
BEGIN
    SELECT * INTO seen FROM planner_inner.readable(p_project, p_layer);
    IF (seen.layer).uuid IS NULL OR (seen.layer).retired THEN
        RETURN;
    END IF;
    target := planner_inner.table_of(seen.layer);
    spatial := (seen.layer).geometry <> 'none';
    narrow := spatial AND (p_box IS NOT NULL OR seen.sight IS NOT NULL);
    frame := CASE WHEN p_box IS NOT NULL THEN box(point(p_box[1], p_box[2]), point(p_box[3], p_box[4])) ELSE seen.sight::box END;
    SELECT coalesce(string_agg(format('CASE WHEN w.fields IS NULL OR %s = ANY (w.fields) THEN t.%I::text END', f.slot, f.column_name), ', '
            ORDER BY f.slot), '') INTO picked
    FROM planner.field f WHERE f.project = (seen.layer).project AND f.layer = p_layer;
    RETURN QUERY EXECUTE format($q$
        WITH c AS MATERIALIZED (
            SELECT c.uuid, max(c.revision) AS rev, bool_or(c.operation = 'i') AS fresh, count(*) AS n, min(c.fields) AS fields,
                   bool_or($4 IS NULL OR coalesce(c.place && $4, $6 IS NULL)) AS near
            FROM planner.change c WHERE c.project = %1$s AND c.layer = $1 AND c.revision > $2 AND c.revision <= $3 GROUP BY c.uuid
        ), u AS MATERIALIZED (
            SELECT c.uuid, c.rev, c.near, c.fresh, CASE WHEN c.n = 1 THEN c.fields ELSE ARRAY(
                SELECT DISTINCT f FROM planner.change o, unnest(o.fields) f
                WHERE o.project = %1$s AND o.layer = $1 AND o.uuid = c.uuid AND o.revision > $2 AND o.revision <= $3 ORDER BY f) END AS fields
            FROM c
        ), w AS MATERIALIZED (
            -- What moves into sight comes whole.
            SELECT u.uuid, u.rev, u.near, CASE WHEN NOT u.fresh AND NOT (%2$s AND 0 = ANY (u.fields)) THEN u.fields END AS fields FROM u
        )
        SELECT w.uuid, w.rev, t.uuid IS NULL, w.fields, ARRAY[%3$s]::text[], %4$s
        FROM w LEFT JOIN %5$s t ON t.uuid = w.uuid%6$s
        WHERE t.uuid IS NOT NULL OR w.near ORDER BY w.uuid $q$,
        (seen.layer).project, narrow::text, picked,
        CASE WHEN spatial THEN 'CASE WHEN w.fields IS NULL OR 0 = ANY (w.fields) THEN ST_AsBinary(t.geom, ''NDR'') END' ELSE 'NULL::bytea' END,
        target, CASE WHEN spatial THEN ' AND planner.in_box(t.geom, $5) AND ($6 IS NULL OR ST_Intersects(t.geom, $6))' ELSE '' END)
    USING p_layer, p_after, p_until, frame, p_box, seen.sight;
END $$;

-- A record's values with earlier ones laid over them.
CREATE OR REPLACE FUNCTION planner_inner.overlaid(p_cells text[], p_width integer, p_slots smallint[], p_earlier text[]) RETURNS text[]
IMMUTABLE LANGUAGE sql AS $$
    SELECT ARRAY(SELECT CASE WHEN at IS NULL THEN p_cells[slot] ELSE p_earlier[at] END
                 FROM generate_series(1, p_width) slot, array_position(p_slots, slot::smallint) at ORDER BY slot)
$$;

-- A layer's records as they were after a revision: what is there now, with the log's earlier values laid over it. (Of how many
-- records there are earlier values, PostgreSQL has no idea: no nested loops.) ``p_box`` leaves out what lies elsewhere and did
-- not change since; the caller looks at the rest.
CREATE OR REPLACE FUNCTION planner_inner.state_at(p_layer planner.layer, p_revision bigint, p_uuid uuid DEFAULT NULL,
    p_box double precision[] DEFAULT NULL)
RETURNS TABLE (uuid uuid, rev bigint, cells text[], geometry bytea) STABLE LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE current_values text; width integer; spatial boolean := p_layer.geometry <> 'none';
BEGIN
    IF p_revision < p_layer.made THEN
        RETURN;
    END IF;
    SELECT coalesce(string_agg(format('t.%I::text', f.column_name), ', ' ORDER BY f.slot), ''), count(*) INTO current_values, width
    FROM planner.field f WHERE f.project = p_layer.project AND f.layer = p_layer.uuid;
    RETURN QUERY EXECUTE format($q$
        WITH later AS MATERIALIZED (
            SELECT c.* FROM planner.change c WHERE c.project = %1$s AND c.layer = %2$L AND c.revision > $1 %7$s
        ), was AS MATERIALIZED (
            SELECT DISTINCT ON (l.uuid) l.uuid, l.operation FROM later l ORDER BY l.uuid, l.revision
        ), first AS (
            SELECT DISTINCT ON (l.uuid, f) l.uuid, f AS slot, CASE WHEN f > 0 THEN l.before[f] END AS cell,
                   CASE WHEN f = 0 THEN l.geometry_before END AS shape
            FROM later l, unnest(l.fields) f ORDER BY l.uuid, f, l.revision
        ), old AS MATERIALIZED (
            SELECT f.uuid, array_agg(f.slot ORDER BY f.slot) AS slots, array_agg(f.cell ORDER BY f.slot) AS cells,
                   (array_agg(f.shape ORDER BY f.slot))[1] AS shape FROM first f GROUP BY f.uuid
        ), since AS MATERIALIZED (
            SELECT c.uuid, max(c.revision) AS rev FROM planner.change c
            WHERE c.project = %1$s AND c.layer = %2$L AND c.revision <= $1 %7$s AND EXISTS (SELECT FROM later) GROUP BY c.uuid
        )
        SELECT t.uuid, t.rev, ARRAY[%3$s]::text[], %4$s FROM %5$s t LEFT JOIN was w ON w.uuid = t.uuid
        WHERE w.uuid IS NULL %8$s%10$s
        UNION ALL
        SELECT w.uuid, coalesce(s.rev, %9$s), CASE WHEN o.uuid IS NULL THEN ARRAY[%3$s]::text[]
                   ELSE planner_inner.overlaid(ARRAY[%3$s]::text[], %6$s, o.slots, o.cells) END,
               CASE WHEN o.slots[1] = 0 THEN o.shape ELSE %4$s END
        FROM was w LEFT JOIN old o ON o.uuid = w.uuid LEFT JOIN since s ON s.uuid = w.uuid LEFT JOIN %5$s t ON t.uuid = w.uuid
        WHERE w.operation <> 'i' $q$,
        p_layer.project, p_layer.uuid, current_values, CASE WHEN spatial THEN 'ST_AsBinary(t.geom, ''NDR'')' ELSE 'NULL::bytea' END,
        planner_inner.table_of(p_layer), width, CASE WHEN p_uuid IS NOT NULL THEN 'AND c.uuid = $2' ELSE '' END,
        CASE WHEN p_uuid IS NOT NULL THEN 'AND t.uuid = $2' ELSE '' END, p_layer.made,
        CASE WHEN spatial AND p_box IS NOT NULL THEN ' AND planner.in_box(t.geom, $3)' ELSE '' END)
    USING p_revision, p_uuid, p_box;
END $$;

CREATE OR REPLACE FUNCTION planner.as_of(p_project uuid, p_layer uuid, p_revision bigint, p_box double precision[], p_uuid uuid DEFAULT NULL)
RETURNS TABLE (uuid uuid, rev bigint, cells text[], geometry bytea) STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE seen record;
BEGIN
    SELECT * INTO seen FROM planner_inner.readable(p_project, p_layer);
    IF (seen.layer).uuid IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT s.* FROM planner_inner.state_at(seen.layer, p_revision, p_uuid, p_box) s
    WHERE ((seen.sight IS NULL OR (seen.layer).geometry = 'none') AND p_box IS NULL) OR (
        planner.in_box(ST_GeomFromWKB(s.geometry, seen.srid), p_box)
        AND (seen.sight IS NULL OR (seen.layer).geometry = 'none' OR ST_Intersects(ST_GeomFromWKB(s.geometry, seen.srid), seen.sight)))
    ORDER BY s.uuid;
END $$;

-- Changes of a revision, a record or a place, newest first. Who sees a district only sees what lies wholly in it.
CREATE OR REPLACE FUNCTION planner.history(p_project uuid, p_revision bigint, p_layer uuid, p_uuid uuid, p_box double precision[], p_limit integer)
RETURNS TABLE (revision bigint, layer uuid, uuid uuid, operation text, fields smallint[], before text[], after text[], geometry_before bytea,
    geometry_after bytea) STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    RETURN QUERY
    WITH readable AS MATERIALIZED (
        SELECT l.uuid AS layer, l.geometry, r.sight FROM planner.layer l, planner_inner.right_of(l.project, l.uuid, l.cells ->> 'role') r
        WHERE l.project = here.id AND r.can_read AND (p_layer IS NULL OR l.uuid = p_layer)
    )
    SELECT c.revision, c.layer, c.uuid, CASE c.operation WHEN 'i' THEN 'insert' WHEN 'u' THEN 'update' ELSE 'delete' END, c.fields,
           c.before, c.after, c.geometry_before, c.geometry_after
    FROM planner.change c JOIN readable s ON s.layer = c.layer
    WHERE c.project = here.id AND (p_revision = 0 OR c.revision = p_revision) AND (p_uuid IS NULL OR c.uuid = p_uuid)
      AND (p_box IS NULL OR c.place && box(point(p_box[1], p_box[2]), point(p_box[3], p_box[4])))
      AND (s.sight IS NULL OR s.geometry = 'none' OR ST_Covers(s.sight, ST_MakeEnvelope((c.place[1])[0], (c.place[1])[1], (c.place[0])[0],
            (c.place[0])[1], here.srid)))
    ORDER BY c.revision DESC, c.layer, c.uuid LIMIT least(greatest(p_limit, 0), 100000);
END $$;

CREATE OR REPLACE FUNCTION planner.revisions(p_project uuid, p_before bigint, p_limit integer) RETURNS jsonb STABLE @definer@ LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('revision', r.revision, 'chain', encode(r.chain, 'hex'),
        'time', to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), 'user', r.member, 'address', r.address,
        'client_id', r.client_id, 'message', r.message, 'rows', r.rows, 'why', r.why) ORDER BY r.revision DESC), '[]')
    FROM (SELECT * FROM planner.revision WHERE project = (planner_inner.project_of(p_project)).id AND (p_before <= 0 OR revision < p_before)
          ORDER BY revision DESC LIMIT least(greatest(p_limit, 0), 10000)) r
$$;
