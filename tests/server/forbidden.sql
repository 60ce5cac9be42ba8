-- Statements that no member may run, one to a line; {table}: another role's layer, {pid}: another's connection.
UPDATE {table} SET name = 'mine'
DELETE FROM {table}
INSERT INTO {table} (uuid, rev) VALUES (gen_random_uuid(), 1)
TRUNCATE {table}
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY
ALTER TABLE {table} DISABLE TRIGGER ALL
DROP TABLE {table}
ALTER TABLE {table} OWNER TO CURRENT_USER
SELECT * FROM {table} FOR UPDATE
DO $$BEGIN LOCK TABLE {table} IN SHARE MODE; END$$
CREATE POLICY mine ON {table} USING (true)
CREATE INDEX ON {table} (name)
COPY {table} (uuid, rev) FROM PROGRAM 'id'
COMMENT ON TABLE {table} IS 'x'
UPDATE planner.revision SET member = 'somebody'
DELETE FROM planner.change
TRUNCATE planner.revision
INSERT INTO planner.change VALUES (1, 99, gen_random_uuid(), gen_random_uuid(), 'i', '{}')
UPDATE planner.project SET chain = '\x00'
UPDATE planner.project SET revision = 0
DELETE FROM planner.denied
UPDATE planner.member SET role = 'admin'
INSERT INTO planner.member (name, role) VALUES ('x', 'admin')
INSERT INTO planner.permission (member, can_write) VALUES (CURRENT_USER, true)
UPDATE planner.push SET applied = 0
DELETE FROM planner.bulk
UPDATE planner.field SET type = 'text'
DELETE FROM planner.blob
DELETE FROM planner.reading
SELECT * FROM planner.stage
UPDATE planner.stage SET owner = 'paul'
SELECT * FROM planner.stage_push
INSERT INTO planner.stage (push_id, ordinal, owner) VALUES (gen_random_uuid(), 1, 'paul')
TRUNCATE planner.stage
SELECT planner_inner.deny(1, 'x', '{}')
SELECT planner_inner.lock_row('planner.project', 'id', 1)
SELECT planner_inner.apply_some('DROP SCHEMA planner CASCADE', gen_random_uuid(), 1, gen_random_uuid(), 1, 1, 1, NULL, NULL)
SELECT planner_inner.make_table('planner.mine', '{}', 0)
SELECT planner_inner.chain('', gen_random_uuid(), NULL)
SET session_replication_role = replica
SET ROLE planner_owner
SET ROLE planner_admin
SET SESSION AUTHORIZATION postgres
GRANT planner_admin TO CURRENT_USER
CREATE SCHEMA mine
CREATE TABLE planner.mine ()
CREATE TABLE public.mine ()
CREATE FUNCTION public.st_asbinary(geometry) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'
CREATE OR REPLACE FUNCTION planner.my_role() RETURNS text LANGUAGE sql AS 'SELECT ''admin''::text'
CREATE FUNCTION planner.my_role(text) RETURNS text LANGUAGE sql AS 'SELECT ''admin''::text'
CREATE TEMP TABLE project ()
ALTER FUNCTION planner.my_role() SECURITY INVOKER
CREATE ROLE mine SUPERUSER
ALTER SYSTEM SET fsync = off
SELECT pg_read_file('/etc/passwd')
SELECT pg_terminate_backend({pid})
CREATE EXTENSION dblink
DO LANGUAGE plpython3u 'pass'
ALTER DATABASE city SET search_path = mine
-- Those below an administrator may run.
SELECT * FROM planner.revision
SELECT * FROM planner.change
SELECT * FROM planner.denied
SELECT * FROM planner.member
SELECT * FROM planner.permission
SELECT * FROM planner.blob_chunk
SELECT * FROM planner.verify(NULL, 'guards', 1)
