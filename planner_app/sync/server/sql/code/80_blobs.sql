-- Attachments by the SHA-256 of their content, in pieces of 1 MiB.

-- Numbers of the pieces that the asker sent of an unfinished attachment; NULL: it is there whole.
CREATE OR REPLACE FUNCTION planner.blob_pieces(p_project uuid, p_sha256 text) RETURNS integer[] STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    IF EXISTS (SELECT FROM planner.blob WHERE project = here.id AND sha256 = p_sha256) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(SELECT number FROM planner.blob_chunk WHERE project = here.id AND sha256 = p_sha256 AND owner = session_user ORDER BY number);
END $$;

CREATE OR REPLACE FUNCTION planner.put_piece(p_project uuid, p_sha256 text, p_number integer, p_data bytea) RETURNS text @definer@
LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    IF planner.my_role() = 'viewer' THEN
        PERFORM planner_inner.deny(here.id, 'attachment', jsonb_build_object('sha256', left(p_sha256, 64)));
        RETURN 'sync.denied';
    ELSIF p_sha256 !~ '^[0-9a-f]{64}$' OR p_number NOT BETWEEN 0 AND 511 OR length(p_data) NOT BETWEEN 1 AND 1048576 THEN
        RETURN 'sync.blob_wrong';
    ELSIF EXISTS (SELECT FROM planner.blob WHERE project = here.id AND sha256 = p_sha256) THEN
        RETURN '';
    END IF;
    INSERT INTO planner.blob_chunk (project, sha256, owner, number, data) VALUES (here.id, p_sha256, session_user, p_number, p_data)
    ON CONFLICT (project, sha256, owner, number) DO UPDATE SET data = excluded.data, sent = excluded.sent;
    RETURN '';
END $$;

-- All pieces are there: count the attachment in if its content has the hash it is called by.
CREATE OR REPLACE FUNCTION planner.finish_blob(p_project uuid, p_sha256 text, p_name text, p_media_type text, p_size bigint, p_chunks integer)
RETURNS text @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project); whole bytea;
BEGIN
    IF EXISTS (SELECT FROM planner.blob WHERE project = here.id AND sha256 = p_sha256) THEN
        RETURN '';
    ELSIF planner.my_role() = 'viewer' THEN
        PERFORM planner_inner.deny(here.id, 'attachment', jsonb_build_object('sha256', left(p_sha256, 64)));
        RETURN 'sync.denied';
    ELSIF p_size > 536870912 THEN
        RETURN 'sync.blob_too_large';
    END IF;
    IF NOT planner_inner.lock_row('planner.turn', 'id', 2) THEN  -- one at a time: it takes memory
        RETURN 'sync.server_busy';
    END IF;
    SELECT string_agg(data, '' ORDER BY number) INTO whole FROM planner.blob_chunk
    WHERE project = here.id AND sha256 = p_sha256 AND owner = session_user;
    whole := coalesce(whole, '');
    IF length(whole) <> p_size OR encode(sha256(whole), 'hex') <> p_sha256 OR p_chunks <> (p_size + 1048575) / 1048576 OR p_chunks <> (
            SELECT count(*) FROM planner.blob_chunk WHERE project = here.id AND sha256 = p_sha256 AND owner = session_user) THEN
        DELETE FROM planner.blob_chunk WHERE project = here.id AND sha256 = p_sha256 AND owner = session_user;
        PERFORM planner_inner.deny(here.id, 'attachment wrong', jsonb_build_object('sha256', left(p_sha256, 64)));
        RETURN 'sync.blob_wrong';
    END IF;
    INSERT INTO planner.blob (project, sha256, name, media_type, size, chunks, member)
    VALUES (here.id, p_sha256, left(p_name, 500), left(p_media_type, 200), p_size, p_chunks, session_user) ON CONFLICT DO NOTHING;
    DELETE FROM planner.blob_chunk WHERE project = here.id AND sha256 = p_sha256 AND owner <> (
        SELECT member FROM planner.blob WHERE project = here.id AND sha256 = p_sha256);
    DELETE FROM planner.blob_chunk c WHERE c.owner = session_user AND c.sent < clock_timestamp() - interval '30 days'
        AND NOT EXISTS (SELECT FROM planner.blob b WHERE b.project = c.project AND b.sha256 = c.sha256);
    RETURN '';
END $$;

CREATE OR REPLACE FUNCTION planner.blobs(p_project uuid) RETURNS TABLE (sha256 text, name text, media_type text, size bigint, chunks integer)
STABLE @definer@ LANGUAGE sql AS $$
    SELECT b.sha256, b.name, b.media_type, b.size, b.chunks FROM planner.blob b
    WHERE b.project = (planner_inner.project_of(p_project)).id ORDER BY b.added, b.sha256
$$;

CREATE OR REPLACE FUNCTION planner.get_piece(p_project uuid, p_sha256 text, p_number integer) RETURNS bytea STABLE @definer@ LANGUAGE sql AS $$
    SELECT c.data FROM planner.blob b JOIN planner.blob_chunk c ON c.project = b.project AND c.sha256 = b.sha256 AND c.owner = b.member
    WHERE b.project = (planner_inner.project_of(p_project)).id AND b.sha256 = p_sha256 AND c.number = p_number
$$;
