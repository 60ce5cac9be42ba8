-- Is everything as the log says? Each function returns findings: what was looked at and what does not fit.

-- Revisions without gaps, each with the right hash; the head is the last.
CREATE OR REPLACE FUNCTION planner_inner.verify_chain(p_project planner.project) RETURNS TABLE (subject text, fault text) LANGUAGE plpgsql AS $$
DECLARE one planner.revision; before bytea := '\x'; expected bigint := 1; found bigint;
BEGIN
    FOR one IN SELECT * FROM planner.revision WHERE project = p_project.id ORDER BY revision LOOP
        IF one.revision <> expected THEN
            RETURN QUERY SELECT format('revision %s', expected), 'missing';
            expected := one.revision;
        END IF;
        IF planner_inner.chain(before, p_project.uuid, one) IS DISTINCT FROM one.chain THEN
            RETURN QUERY SELECT format('revision %s', one.revision), 'changed after it was made';
        END IF;
        SELECT (SELECT count(*) FROM planner.change WHERE project = one.project AND revision = one.revision)
             + (SELECT coalesce(sum(rows), 0) FROM planner.bulk WHERE project = one.project AND revision = one.revision) INTO found;
        IF found <> one.rows THEN
            RETURN QUERY SELECT format('revision %s', one.revision), format('has %s rows instead of %s', found, one.rows);
        END IF;
        before := one.chain;
        expected := expected + 1;
    END LOOP;
    IF (p_project.revision, p_project.chain) IS DISTINCT FROM (expected - 1, before) THEN
        RETURN QUERY SELECT 'head', format('is %s instead of %s', p_project.revision, expected - 1);
    END IF;
    RETURN QUERY SELECT format('push %s', coalesce(p.push_id, r.push_id)), 'does not fit its revision'
    FROM planner.push p FULL JOIN planner.revision r ON r.push_id = p.push_id
    WHERE coalesce(p.project, r.project) = p_project.id AND coalesce(p.revision, 1) > 0
      AND (p.project, p.revision, p.applied, p.refused, p.member, p.digest) IS DISTINCT FROM (r.project, r.revision, r.rows, r.refused, r.member, r.digest);
    RETURN QUERY SELECT DISTINCT format('revision %s', x.revision), 'is not there, but changes of it are' FROM (
            SELECT revision FROM planner.change WHERE project = p_project.id UNION SELECT revision FROM planner.definition WHERE project = p_project.id
            UNION SELECT revision FROM planner.bulk WHERE project = p_project.id) x
    WHERE NOT EXISTS (SELECT FROM planner.revision r WHERE r.project = p_project.id AND r.revision = x.revision);
END $$;

-- Plans and layers are what the log's last word on them says, and each word follows from the one before.
CREATE OR REPLACE FUNCTION planner_inner.verify_registry(p_project planner.project) RETURNS TABLE (subject text, fault text) LANGUAGE sql AS $$
    WITH told AS (
        SELECT d.*, lag(d.after) OVER w AS earlier, row_number() OVER (PARTITION BY kind, key ORDER BY revision DESC, ordinal DESC) AS last,
               min(revision) OVER (PARTITION BY kind, key) AS made
        FROM planner.definition d WHERE d.project = p_project.id WINDOW w AS (PARTITION BY kind, key ORDER BY revision, ordinal)
    ), now AS (
        SELECT 'plan' AS kind, id AS key, jsonb_build_object('cells', cells, 'retired', retired) AS state, made, changed
        FROM planner.plan WHERE project = p_project.id
        UNION ALL SELECT 'layer', l.uuid::text, planner_inner.layer_state(l), made, changed FROM planner.layer l WHERE l.project = p_project.id
    )
    SELECT format('%s %s', kind, key), format('revision %s does not follow from the one before', revision) FROM told
    WHERE before IS DISTINCT FROM coalesce(earlier, 'null')
    UNION ALL
    SELECT format('%s %s', coalesce(t.kind, n.kind), coalesce(t.key, n.key)), 'is not what the log says'
    FROM (SELECT * FROM told WHERE last = 1) t FULL JOIN now n ON n.kind = t.kind AND n.key = t.key
    WHERE (t.after, t.revision, t.made) IS DISTINCT FROM (n.state, n.changed, n.made)
$$;

-- Every record of a layer is what the log says, cell by cell; what came in bulk has the hash it came with.
CREATE OR REPLACE FUNCTION planner_inner.verify_layer(p_layer planner.layer) RETURNS TABLE (subject text, fault text) LANGUAGE plpgsql
SET enable_nestloop = off AS $$
DECLARE
    current_values text; typed text; came planner.bulk; digest bytea; spatial boolean := p_layer.geometry <> 'none'; shape text;
BEGIN
    SELECT * INTO came FROM planner.bulk WHERE project = p_layer.project AND layer = p_layer.uuid;
    SELECT coalesce(string_agg(format('t.%I::text', f.column_name), ', ' ORDER BY f.slot), ''),
           coalesce(string_agg(format(', (s.cells[%s])::%s', f.slot, planner_inner.column_type(f.type)), '' ORDER BY f.slot)
                    FILTER (WHERE f.slot <= came.slots), '')
    INTO current_values, typed FROM planner.field f WHERE f.project = p_layer.project AND f.layer = p_layer.uuid;
    shape := CASE WHEN spatial THEN 'ST_AsBinary(t.geom, ''NDR'')' ELSE 'NULL::bytea' END;
    RETURN QUERY EXECUTE format($q$
        WITH told AS MATERIALIZED (
            SELECT c.uuid, c.revision, c.operation, f AS slot, CASE WHEN f > 0 THEN c.before[f] END AS b, CASE WHEN f > 0 THEN c.after[f] END AS a,
                   CASE WHEN f = 0 THEN c.geometry_before END AS gb, CASE WHEN f = 0 THEN c.geometry_after END AS ga
            FROM planner.change c, unnest(c.fields) f WHERE c.project = %1$s AND c.layer = %2$L
        ), linked AS (
            SELECT t.*, lag(t.a) OVER w AS pa, lag(t.ga) OVER w AS pga, row_number() OVER w AS n,
                   row_number() OVER (PARTITION BY t.uuid, t.slot ORDER BY t.revision DESC) AS last
            FROM told t WINDOW w AS (PARTITION BY t.uuid, t.slot ORDER BY t.revision)
        ), lives AS MATERIALIZED (
            SELECT DISTINCT ON (c.uuid) c.uuid, c.operation AS last, c.revision AS rev,
                   first_value(c.operation) OVER (PARTITION BY c.uuid ORDER BY c.revision) AS first
            FROM planner.change c WHERE c.project = %1$s AND c.layer = %2$L ORDER BY c.uuid, c.revision DESC
        ), now AS MATERIALIZED (
            SELECT t.uuid, t.rev, ARRAY[%3$s]::text[] AS cells, %4$s AS shape, v.first FROM %5$s t LEFT JOIN lives v ON v.uuid = t.uuid
            WHERE %6$L::bigint IS NULL OR v.uuid IS NOT NULL
        ), values AS (
            SELECT n.uuid, n.first, x.slot::int AS slot, x.cell, NULL::bytea AS shape FROM now n, unnest(n.cells) WITH ORDINALITY x (cell, slot)
            UNION ALL SELECT n.uuid, n.first, 0, NULL, n.shape FROM now n
        )
        SELECT format('record %%s', l.uuid), format('revision %%s does not follow from the one before', l.revision) FROM linked l
        JOIN lives v USING (uuid) WHERE (l.n > 1 OR v.first = 'i') AND (l.b, l.gb) IS DISTINCT FROM (l.pa, l.pga)
        UNION
        -- What the log does not speak of came with the bulk, or is empty.
        SELECT format('record %%s', x.uuid), 'is not what the log says'
        FROM values x LEFT JOIN linked l ON l.uuid = x.uuid AND l.slot = x.slot AND l.last = 1
        WHERE (l.uuid IS NOT NULL OR x.first = 'i') AND (x.cell, x.shape) IS DISTINCT FROM (l.a, l.ga)
        UNION
        SELECT format('record %%s', coalesce(v.uuid, n.uuid)), CASE WHEN v.uuid IS NULL THEN 'is not in the log'
            WHEN n.uuid IS NULL THEN 'is missing' WHEN v.last = 'd' THEN 'was deleted by the log' ELSE 'has another revision' END
        FROM lives v FULL JOIN now n ON n.uuid = v.uuid
        WHERE (n.uuid IS NULL) <> (coalesce(v.last, '?') = 'd') OR v.uuid IS NULL OR n.rev <> v.rev $q$,
        p_layer.project, p_layer.uuid, current_values, shape, planner_inner.table_of(p_layer), came.revision);
    IF came.revision IS NOT NULL THEN
        EXECUTE format($q$SELECT sha256(coalesce(string_agg(sha256(record_send(ROW(s.uuid%s%s))), '' ORDER BY s.uuid), ''))
            FROM planner_inner.state_at($1, $2) s$q$, typed, CASE WHEN spatial THEN ', s.geometry' ELSE '' END)
        INTO digest USING p_layer, came.revision;
        IF digest IS DISTINCT FROM came.digest THEN
            RETURN QUERY SELECT 'layer ' || p_layer.uuid, format('does not have the content it came with in revision %s', came.revision);
        END IF;
        EXECUTE format('SELECT count(*) FROM %s t WHERE t.rev <> $1 AND NOT EXISTS (SELECT FROM planner.change c '
            'WHERE c.project = $2 AND c.layer = $3 AND c.uuid = t.uuid)', planner_inner.table_of(p_layer))
        INTO came.rows USING came.revision, p_layer.project, p_layer.uuid;
        IF came.rows > 0 THEN
            RETURN QUERY SELECT 'layer ' || p_layer.uuid, format('%s records have another revision', came.rows);
        END IF;
    END IF;
END $$;

-- Nobody can write past the functions: owners, policies, triggers, rights of tables.
CREATE OR REPLACE FUNCTION planner_inner.verify_guards() RETURNS TABLE (subject text, fault text) LANGUAGE sql AS $$
    WITH ours AS (
        SELECT c.oid, c.oid::regclass::text AS name, c.relowner, c.relacl, c.relrowsecurity, n.nspname FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
          AND (n.nspname IN ('planner', 'planner_stage') OR n.nspname IN (SELECT 'project_' || id FROM planner.project))
    )
    SELECT name, 'does not belong to planner_owner' FROM ours WHERE relowner <> 'planner_owner'::regrole
    UNION ALL SELECT name, 'has a trigger' FROM ours WHERE EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = ours.oid AND NOT g.tgisinternal)
    UNION ALL SELECT name, 'has a rule' FROM ours WHERE EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = ours.oid)
    UNION ALL SELECT name, 'has disabled triggers' FROM ours WHERE EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = ours.oid AND g.tgenabled = 'D')
    UNION ALL SELECT name, 'has no row-level security' FROM ours WHERE nspname LIKE 'project\_%' AND NOT relrowsecurity
    UNION ALL SELECT name, format('can be written by %s', a.grantee::regrole) FROM ours, aclexplode(relacl) a
        WHERE a.grantee <> relowner AND a.privilege_type <> 'SELECT' AND NOT (nspname = 'planner_stage' AND a.privilege_type = 'INSERT')
    UNION ALL SELECT format('%s.%s', ours.name, t.attname), format('can be written by %s', a.grantee::regrole)
        FROM ours JOIN pg_attribute t ON t.attrelid = ours.oid, aclexplode(t.attacl) a
        WHERE a.privilege_type <> 'SELECT' AND ours.oid <> 'planner.stage'::regclass
    UNION ALL SELECT p.oid::regprocedure::text, 'does not belong to planner_owner' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('planner', 'planner_inner') AND p.proowner <> 'planner_owner'::regrole
    UNION ALL SELECT p.oid::regprocedure::text, 'can be called by anybody' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('planner', 'planner_inner') AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
$$;

-- For administrators: all of the above for a project (NULL: the guards). ``limit`` findings each.
CREATE OR REPLACE FUNCTION planner.verify(p_project uuid, p_what text, p_limit integer) RETURNS TABLE (subject text, fault text) @definer@
LANGUAGE plpgsql AS $$
DECLARE here planner.project; one planner.layer;
BEGIN
    IF NOT planner_inner.is_admin('verify', '{}') THEN
        RAISE insufficient_privilege;
    END IF;
    BEGIN
        SELECT * INTO here FROM planner.project WHERE uuid = p_project;
        IF p_what = 'guards' THEN
            RETURN QUERY SELECT * FROM planner_inner.verify_guards() LIMIT p_limit;
        ELSIF here.id IS NULL THEN
            RETURN;
        ELSIF p_what = 'chain' THEN
            RETURN QUERY SELECT * FROM planner_inner.verify_chain(here) LIMIT p_limit;
        ELSIF p_what = 'registry' THEN
            RETURN QUERY SELECT * FROM planner_inner.verify_registry(here) LIMIT p_limit;
        END IF;
    EXCEPTION WHEN data_exception OR internal_error OR syntax_error_or_access_rule_violation THEN
        RETURN QUERY SELECT p_what, 'cannot be checked: ' || SQLERRM;
    END;
    IF p_what = 'layers' THEN
        FOR one IN SELECT * FROM planner.layer WHERE project = here.id ORDER BY made LOOP
            BEGIN
                RETURN QUERY SELECT format('%s: %s', one.table_name, v.subject), v.fault FROM planner_inner.verify_layer(one) v LIMIT p_limit;
            EXCEPTION WHEN data_exception OR internal_error OR syntax_error_or_access_rule_violation THEN
                RETURN QUERY SELECT one.table_name, 'cannot be read: ' || SQLERRM;
            END;
        END LOOP;
    END IF;
END $$;
