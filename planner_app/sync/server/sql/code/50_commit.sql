-- Staging and committing a push.

CREATE OR REPLACE FUNCTION planner.register(p_project uuid, p_name text, p_crs text) RETURNS jsonb @definer@ LANGUAGE plpgsql AS $$
DECLARE made planner.project; number integer;
BEGIN
    IF coalesce(planner.my_role(), 'viewer') = 'viewer'
       OR EXISTS (SELECT FROM planner.member WHERE name = session_user AND projects IS NOT NULL) THEN
        IF (planner_inner.visible_project(p_project)).id IS NOT NULL THEN
            RETURN jsonb_build_object('ok', true);
        END IF;
        PERFORM planner_inner.deny(NULL, 'register', jsonb_build_object('name', left(p_name, 200)));
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    IF coalesce(length(p_name), 0) NOT BETWEEN 1 AND 200 OR p_name ~ '[\x01-\x1f\x7f]' OR coalesce(length(p_crs), 0) NOT BETWEEN 1 AND 20000 THEN
        RETURN jsonb_build_object('error', 'sync.project_name');
    END IF;
    IF NOT planner_inner.lock_row('planner.turn', 'id', 1) THEN
        RETURN jsonb_build_object('error', 'sync.server_busy');
    END IF;
    IF EXISTS (SELECT FROM planner.project WHERE uuid = p_project) THEN
        RETURN jsonb_build_object('ok', true);
    END IF;
    IF EXISTS (SELECT FROM planner.project WHERE name = p_name) THEN
        RETURN jsonb_build_object('error', 'sync.name_taken');
    END IF;
    number := CASE WHEN p_crs ~ '^EPSG:[0-9]{1,6}$' AND substr(p_crs, 6)::int BETWEEN 1 AND 998999 THEN substr(p_crs, 6)::int ELSE 0 END;
    INSERT INTO planner.project (uuid, name, crs, srid) VALUES (p_project, p_name, p_crs, number) RETURNING * INTO made;
    IF number = 0 THEN
        BEGIN  -- a local system gets a number of its own, so that other programs find its definition
            INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext) VALUES (910000 + made.id, 'planner', 910000 + made.id, p_crs);
            UPDATE planner.project SET srid = 910000 + made.id WHERE id = made.id RETURNING * INTO made;
        EXCEPTION WHEN insufficient_privilege OR unique_violation OR check_violation OR string_data_right_truncation THEN
            NULL;
        END;
    END IF;
    INSERT INTO planner.reading_head VALUES (made.id, 0);
    EXECUTE format('CREATE SCHEMA %I', 'project_' || made.id);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', 'project_' || made.id, p_name);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO planner_viewer', 'project_' || made.id);
    RETURN jsonb_build_object('ok', true);
END $$;

-- Begin (or go on with) a push: returns how many rows of it are here already. What is there of another content goes; of a
-- push that is withdrawn, all.
CREATE OR REPLACE FUNCTION planner.stage_begin(p_push uuid, p_project uuid, p_digest text, p_definitions jsonb DEFAULT NULL) RETURNS integer
@definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project); was planner.stage_push;
BEGIN
    SELECT * INTO was FROM planner.stage_push WHERE push_id = p_push;
    IF was.push_id IS NOT NULL AND (was.owner <> session_user OR was.project <> here.id) THEN
        PERFORM planner_inner.deny(here.id, 'stage', jsonb_build_object('push', p_push));
        RETURN -1;
    END IF;
    IF p_digest = 'withdrawn' THEN
        PERFORM planner_inner.stage_clear(p_push);
        RETURN 0;
    END IF;
    IF was.push_id IS NULL OR was.digest <> p_digest THEN
        PERFORM planner_inner.stage_clear(p_push);
        PERFORM planner_inner.stage_sweep();
        INSERT INTO planner.stage_push VALUES (p_push, here.id, session_user, left(p_digest, 200));
    END IF;
    IF jsonb_typeof(p_definitions) = 'array' THEN
        IF jsonb_array_length(p_definitions) > 5000 THEN
            RAISE EXCEPTION 'too many definitions' USING ERRCODE = 'program_limit_exceeded';
        END IF;
        UPDATE planner.stage_push SET definitions = p_definitions WHERE push_id = p_push;
    END IF;
    RETURN (SELECT coalesce(max(ordinal), 0) FROM planner.stage WHERE push_id = p_push AND owner = session_user);
END $$;

-- Remove what is staged under a push of the asker.
CREATE OR REPLACE FUNCTION planner_inner.stage_clear(p_push uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    DELETE FROM planner.stage_push WHERE push_id = p_push AND owner = session_user;  -- waits for its commit
    DELETE FROM planner.stage WHERE push_id = p_push AND owner = session_user;
    FOR one IN SELECT b.* FROM planner.stage_bulk b WHERE b.owner = session_user
               AND NOT EXISTS (SELECT FROM planner.stage_push s WHERE s.push_id = b.push_id) LOOP
        EXECUTE format('DROP TABLE IF EXISTS planner_stage.%I', one.table_name);
        DELETE FROM planner.stage_bulk WHERE push_id = one.push_id AND layer = one.layer;
    END LOOP;
END $$;

-- Remove what anybody has left lying for more than two days: a computer that was shut down for good.
CREATE OR REPLACE FUNCTION planner_inner.stage_sweep() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; part record;
BEGIN
    FOR one IN SELECT s.push_id, s.owner FROM planner.stage_push s WHERE s.begun < clock_timestamp() - interval '2 days'
               FOR UPDATE SKIP LOCKED LOOP
        FOR part IN SELECT b.layer, b.table_name FROM planner.stage_bulk b WHERE b.push_id = one.push_id AND b.owner = one.owner LOOP
            EXECUTE format('DROP TABLE IF EXISTS planner_stage.%I', part.table_name);
            DELETE FROM planner.stage_bulk WHERE push_id = one.push_id AND layer = part.layer;
        END LOOP;
        DELETE FROM planner.stage WHERE push_id = one.push_id AND owner = one.owner;
        DELETE FROM planner.stage_push WHERE push_id = one.push_id;
    END LOOP;
END $$;

-- The hash of a revision: of the chain before it and of everything it says.
CREATE OR REPLACE FUNCTION planner_inner.chain(p_before bytea, p_project uuid, p_revision planner.revision) RETURNS bytea STABLE LANGUAGE sql AS $$
    SELECT sha256(p_before || record_send(ROW(
            p_project, p_revision.revision, p_revision.push_id, (extract(epoch FROM p_revision.time) * 1000000)::bigint, p_revision.member,
            p_revision.address, p_revision.client_id, p_revision.seen, p_revision.digest, p_revision.message, p_revision.why::text,
            p_revision.rows, p_revision.refused::text))
        || sha256(coalesce((SELECT string_agg(sha256(record_send(ROW(ordinal, kind, key, operation, before::text, after::text))), '' ORDER BY ordinal)
            FROM planner.definition WHERE project = p_revision.project AND revision = p_revision.revision), ''))
        || sha256(coalesce((SELECT string_agg(sha256(record_send(ROW(layer, slots, rows, digest))), '' ORDER BY layer)
            FROM planner.bulk WHERE project = p_revision.project AND revision = p_revision.revision), ''))
        || sha256(coalesce((SELECT string_agg(sha256(record_send(ROW(layer, uuid, operation, fields, before, after, geometry_before,
                geometry_after, place))), '' ORDER BY layer, uuid)
            FROM planner.change WHERE project = p_revision.project AND revision = p_revision.revision), '')))
$$;

-- Lock a project's row of a table. Whoever sits on it without working, or in a transaction of his own making, is shown
-- the door; an honest commit holds it for a moment only. False: the server is busy.
CREATE OR REPLACE FUNCTION planner_inner.lock_row(p_table regclass, p_column name, p_project integer) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE holder record;
BEGIN
    FOR attempt IN 1..30 LOOP
        BEGIN
            EXECUTE format('SELECT FROM %s WHERE %I = $1 FOR NO KEY UPDATE', p_table, p_column) USING p_project;
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
        FOR holder IN
            SELECT a.pid, a.usename FROM pg_stat_activity a
            WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND (
                (a.state LIKE 'idle in transaction%' AND a.state_change < clock_timestamp() - interval '3 s')
                OR (a.query_start > a.xact_start + interval '1 s' AND a.xact_start < clock_timestamp() - interval '10 s')
                OR a.xact_start < clock_timestamp() - interval '5 min')
              AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.relation = p_table
                          AND l.mode IN ('RowShareLock', 'RowExclusiveLock'))
        LOOP
            PERFORM pg_terminate_backend(holder.pid);
            PERFORM planner_inner.deny(p_project, 'held the head', jsonb_build_object('holder', holder.usename));
        END LOOP;
    END LOOP;
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION planner_inner.push_answer(p_push planner.push) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT jsonb_build_object('revision', p_push.revision, 'applied', p_push.applied, 'refused', p_push.refused, 'chain', coalesce(
        (SELECT encode(chain, 'hex') FROM planner.revision WHERE project = p_push.project AND revision = p_push.revision), ''))
$$;

CREATE OR REPLACE FUNCTION planner.push_result(p_project uuid, p_push uuid) RETURNS jsonb STABLE @definer@ LANGUAGE sql AS $$
    SELECT planner_inner.push_answer(p) FROM planner.push p
    WHERE p.push_id = p_push AND p.member = session_user AND p.project = (planner_inner.project_of(p_project)).id
$$;

-- Has somebody changed after ``p_seen`` what this push changes?
CREATE OR REPLACE FUNCTION planner_inner.is_behind(p_push uuid, p_project planner.project, p_seen bigint, p_definitions jsonb)
RETURNS boolean STABLE LANGUAGE sql AS $$
    -- OFFSET 0: one look into the log's index for each record, whatever PostgreSQL thinks how many there are.
    SELECT p_project.revision > p_seen AND (EXISTS (
        SELECT FROM planner.stage s WHERE s.push_id = p_push AND s.owner = session_user AND s.fault IS NULL AND EXISTS (
            SELECT FROM planner.change c WHERE c.project = p_project.id AND c.layer = s.layer::uuid AND c.uuid = s.uuid::uuid
              AND c.revision > p_seen OFFSET 0)
    ) OR EXISTS (
        SELECT FROM planner.definition d, jsonb_array_elements(p_definitions) b
        WHERE d.project = p_project.id AND d.revision > p_seen AND d.kind = b ->> 'kind' AND d.key = b ->> 'key'))
$$;

CREATE OR REPLACE FUNCTION planner.commit_push(p_push uuid, p_project uuid, p_client text, p_seen bigint, p_rows bigint, p_digest text,
    p_why jsonb, p_message text) RETURNS jsonb @definer@ SET lock_timeout = '10s' SET work_mem = '64MB' LANGUAGE plpgsql AS $$
DECLARE
    here planner.project := planner_inner.project_of(p_project); done planner.push; staged planner.stage_push; made planner.revision;
    one record; code text; refused jsonb := '[]'; applied bigint := 0; next bigint; was_locked uuid[];
BEGIN
    SELECT * INTO done FROM planner.push WHERE push_id = p_push;
    IF done.push_id IS NOT NULL AND done.member <> session_user THEN
        PERFORM planner_inner.deny(here.id, 'commit', jsonb_build_object('push', p_push));
        RETURN jsonb_build_object('error', 'sync.denied');
    END IF;
    -- Whoever withdraws the push meanwhile waits for this commit, and learns what became of it.
    SELECT * INTO staged FROM planner.stage_push WHERE push_id = p_push AND owner = session_user AND project = here.id FOR UPDATE;
    IF done.push_id IS NULL AND (staged.push_id IS NULL OR staged.digest <> left(p_digest, 200) OR p_rows <> (
            SELECT count(*) FROM planner.stage WHERE push_id = p_push AND owner = session_user AND ordinal > 0)) THEN
        RETURN jsonb_build_object('error', 'sync.stage_incomplete');
    END IF;
    IF done.push_id IS NULL THEN
        PERFORM planner_inner.check_stage(p_push);
        IF NOT planner_inner.lock_row('planner.project', 'id', here.id) THEN
            RETURN jsonb_build_object('error', 'sync.server_busy');
        END IF;
        SELECT * INTO here FROM planner.project WHERE id = here.id;
        SELECT * INTO done FROM planner.push WHERE push_id = p_push;  -- the same push on another connection
    END IF;
    IF done.push_id IS NOT NULL THEN
        RETURN planner_inner.push_answer(done);
    END IF;
    IF p_seen > here.revision THEN
        RETURN jsonb_build_object('error', 'sync.server_older', 'revision', here.revision, 'seen', p_seen);
    END IF;
    next := here.revision + 1;
    SELECT array_agg(uuid) INTO was_locked FROM planner.layer
    WHERE project = here.id AND lower(cells ->> 'locked') NOT IN ('', '0', 'false');
    IF planner_inner.is_behind(p_push, here, p_seen, staged.definitions) THEN
        PERFORM planner_inner.stage_clear(p_push);  -- the next try is another push
        RETURN jsonb_build_object('behind', true);
    END IF;
    BEGIN
        FOR one IN SELECT body FROM jsonb_array_elements(staged.definitions) AS d (body) LOOP
            code := planner_inner.apply_definition(here, next, p_push, one.body);
            IF code IS NOT NULL THEN
                refused := refused || jsonb_build_object('layer', left(one.body ->> 'key', 100), 'uuid', '', 'code',
                    CASE WHEN code = 'right' THEN 'sync.refused_right' ELSE 'sync.refused_definition' END, 'params', jsonb_build_object('reason', code));
            END IF;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'PLN02' THEN
        RETURN jsonb_build_object('again', true);
    END;
    PERFORM planner_inner.check_layers(p_push, here.id);
    SELECT coalesce(sum(rows), 0) INTO applied FROM planner.bulk WHERE project = here.id AND revision = next;
    FOR one IN SELECT l AS layer FROM planner.layer l WHERE l.project = here.id AND l.uuid IN (
            SELECT s.layer::uuid FROM planner.stage s WHERE s.push_id = p_push AND s.owner = session_user AND s.fault IS NULL) ORDER BY l.uuid LOOP
        applied := applied + planner_inner.apply_rows(p_push, here, one.layer, next,
            (one.layer).uuid = ANY (was_locked) AND lower((one.layer).cells ->> 'locked') NOT IN ('', '0', 'false'));
    END LOOP;
    SELECT refused || coalesce(jsonb_agg(jsonb_build_object('layer', left(layer, 100), 'uuid', left(uuid, 100), 'code', fault,
            'params', CASE WHEN detail IS NULL THEN '{}' ELSE jsonb_build_object('reason', detail) END) ORDER BY ordinal), '[]')
    INTO refused FROM planner.stage WHERE push_id = p_push AND owner = session_user AND fault IS NOT NULL;
    SELECT refused || coalesce(jsonb_agg(f), '[]') INTO refused FROM planner.stage_bulk b, jsonb_array_elements(b.faults) f
    WHERE b.push_id = p_push AND b.owner = session_user;
    IF applied > 0 OR EXISTS (SELECT FROM planner.definition WHERE project = here.id AND revision = next) THEN
        made := ROW(here.id, next, p_push, clock_timestamp(), session_user, planner_inner.address(), left(p_client, 200), p_seen,
            left(p_digest, 200), left(p_message, 4000), CASE WHEN length(p_why::text) <= 1048576 THEN p_why ELSE '[]' END, applied, refused, '\x'::bytea);
        made.chain := planner_inner.chain(here.chain, here.uuid, made);
        INSERT INTO planner.revision SELECT made.*;
        UPDATE planner.project SET revision = next, chain = made.chain WHERE id = here.id;
    ELSE
        next := 0;
    END IF;
    INSERT INTO planner.push (push_id, project, member, digest, revision, applied, refused)
    VALUES (p_push, here.id, session_user, left(p_digest, 200), next, applied, refused) RETURNING * INTO done;
    IF jsonb_array_length(refused) > 0 THEN
        PERFORM planner_inner.deny(here.id, 'push', jsonb_build_object('push', p_push, 'refused', jsonb_array_length(refused),
            'codes', (SELECT jsonb_object_agg(x.code, x.n) FROM (SELECT r ->> 'code' AS code, count(*) AS n
                      FROM jsonb_array_elements(refused) r GROUP BY 1) x), 'first', refused -> 0));
    END IF;
    INSERT INTO planner.client (project, member, client_id, cursor, address)
    VALUES (here.id, session_user, left(p_client, 200), CASE WHEN next = p_seen + 1 THEN next ELSE p_seen END, planner_inner.address())
    ON CONFLICT (project, member) DO UPDATE
    SET client_id = excluded.client_id, cursor = excluded.cursor, seen = excluded.seen, address = excluded.address;
    PERFORM planner_inner.stage_clear(p_push);
    RETURN planner_inner.push_answer(done);
END $$;
