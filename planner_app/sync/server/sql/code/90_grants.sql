-- Who may call and read what. Everything else is the owner's alone.

REVOKE ALL ON ALL TABLES IN SCHEMA planner, planner_stage FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA planner, planner_inner FROM PUBLIC;
GRANT USAGE ON SCHEMA planner, planner_stage TO planner_viewer;
GRANT EXECUTE ON FUNCTION
    planner.hello(), planner.my_role(), planner.my_rights(uuid), planner.head(uuid, bigint), planner.note_client(uuid, bigint),
    planner.sight(integer, uuid), planner.sees(@postgis@.geometry, @postgis@.geometry),
    planner.in_box(@postgis@.geometry, double precision[]),
    planner.register(uuid, text, text), planner.stage_begin(uuid, uuid, text, jsonb), planner.stage_fields(uuid),
    planner.stage_layer_begin(uuid, jsonb), planner.stage_layer_end(uuid, uuid, jsonb),
    planner.commit_push(uuid, uuid, text, bigint, bigint, text, jsonb, text), planner.push_result(uuid, uuid),
    planner.registry(uuid), planner.pull_changes(uuid, uuid, bigint, bigint, double precision[]),
    planner.as_of(uuid, uuid, bigint, double precision[], uuid),
    planner.history(uuid, bigint, uuid, uuid, double precision[], integer), planner.revisions(uuid, bigint, integer),
    planner.blob_pieces(uuid, text), planner.put_piece(uuid, text, integer, bytea),
    planner.finish_blob(uuid, text, text, text, bigint, integer), planner.blobs(uuid), planner.get_piece(uuid, text, integer),
    planner.put_readings(uuid, bigint[], bigint[], double precision[], smallint[]), planner.readings(uuid, bigint, bigint),
    planner.reading_batches(uuid), planner.put_member(text, text, text[]), planner.remove_member(text), planner.put_permission(jsonb),
    planner.remove_permission(integer), planner.members(), planner.verify(uuid, text, integer), planner.status()
TO planner_viewer;
-- The owner's column defaults say whose a row is: no client names another.
GRANT INSERT (push_id, ordinal, layer, uuid, operation, names, cells, geometry, has_geometry, fault, detail) ON planner.stage TO planner_viewer;
-- Administrators read the log to verify it.
GRANT SELECT ON planner.migration, planner.project, planner.member, planner.permission, planner.client, planner.layer, planner.field, planner.plan,
    planner.revision, planner.change, planner.definition, planner.bulk, planner.push, planner.blob, planner.blob_chunk, planner.reading,
    planner.reading_head, planner.denied TO planner_admin;
