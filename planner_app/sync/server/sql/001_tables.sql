-- What the server keeps. Owned by planner_owner; no client writes here but through functions (sql/code).

-- One row per project, and its head: whoever makes a revision locks the row (FOR NO KEY UPDATE) until it is committed,
-- so that the order of revisions is the order of commits.
CREATE TABLE planner.project (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    crs text NOT NULL,
    srid integer NOT NULL,
    revision bigint NOT NULL DEFAULT 0,
    chain bytea NOT NULL DEFAULT '\x',
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    creator text NOT NULL DEFAULT session_user
);

-- Who may come in, as what, and to which projects (NULL: all).
CREATE TABLE planner.member (
    name text PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('viewer', 'planner', 'reviewer', 'operator', 'admin')),
    projects integer[],
    added timestamptz NOT NULL DEFAULT clock_timestamp(),
    adder text NOT NULL DEFAULT session_user
);

-- Exceptions from what a role may do. The most particular one counts: a person's before a role's, a layer's before a
-- role prefix's (the longest first) before all layers', a project's before all projects'.
CREATE TABLE planner.permission (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project integer REFERENCES planner.project (id),
    member text REFERENCES planner.member (name) ON DELETE CASCADE,
    role text CHECK (role IN ('viewer', 'planner', 'reviewer', 'operator', 'admin')),
    layer uuid,
    prefix text,
    can_read boolean,
    can_write boolean,
    columns text[],
    district @postgis@.geometry,
    reach @postgis@.geometry,  -- the district and 1 cm around it
    only_there boolean NOT NULL DEFAULT false,  -- nothing outside the district is seen either
    made timestamptz NOT NULL DEFAULT clock_timestamp(),
    maker text NOT NULL DEFAULT session_user,
    CHECK ((member IS NULL) <> (role IS NULL)),
    CHECK (district IS NULL OR project IS NOT NULL),
    CHECK (layer IS NULL OR prefix IS NULL)
);

-- When each member last looked, and how far he had come.
CREATE TABLE planner.client (
    project integer NOT NULL REFERENCES planner.project (id),
    member text NOT NULL,
    client_id text NOT NULL DEFAULT '',
    cursor bigint NOT NULL DEFAULT 0,
    seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    address text NOT NULL DEFAULT '',
    PRIMARY KEY (project, member)
);

CREATE TABLE planner.layer (
    project integer NOT NULL REFERENCES planner.project (id),
    uuid uuid NOT NULL,
    table_name text NOT NULL,
    geometry text NOT NULL CHECK (geometry IN ('polygon', 'line', 'point', 'none')),
    has_z boolean NOT NULL,
    multi boolean NOT NULL,
    cells jsonb NOT NULL,
    made bigint NOT NULL,
    changed bigint NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project, uuid),
    UNIQUE (project, table_name)
);

-- A layer's attributes. Slot 0 is the geometry; a slot is where the log's arrays keep the attribute's values.
CREATE TABLE planner.field (
    project integer NOT NULL,
    layer uuid NOT NULL,
    slot smallint NOT NULL CHECK (slot > 0),
    name text NOT NULL,
    type text NOT NULL,
    alias text NOT NULL,
    column_name text NOT NULL,
    PRIMARY KEY (project, layer, slot),
    UNIQUE (project, layer, name),
    FOREIGN KEY (project, layer) REFERENCES planner.layer (project, uuid)
);

CREATE TABLE planner.plan (
    project integer NOT NULL REFERENCES planner.project (id),
    id text NOT NULL,
    cells jsonb NOT NULL,
    made bigint NOT NULL,
    changed bigint NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project, id)
);

-- The log: revisions without gaps, each with the hash of its content and of the chain before it.
CREATE TABLE planner.revision (
    project integer NOT NULL REFERENCES planner.project (id),
    revision bigint NOT NULL,
    push_id uuid NOT NULL UNIQUE,
    time timestamptz NOT NULL,
    member text NOT NULL,
    address text NOT NULL,
    client_id text NOT NULL,
    seen bigint NOT NULL,
    digest text NOT NULL,
    message text NOT NULL,
    why jsonb NOT NULL,
    rows bigint NOT NULL,
    refused jsonb NOT NULL,
    chain bytea NOT NULL,
    PRIMARY KEY (project, revision)
);

-- A record's change. Arrays are indexed by slot; ``fields`` says which of them changed (an insert's and a delete's: all
-- that are not NULL). Geometries are WKB. ``place`` is the extent of both.
CREATE TABLE planner.change (
    project integer NOT NULL,
    revision bigint NOT NULL,
    layer uuid NOT NULL,
    uuid uuid NOT NULL,
    operation "char" NOT NULL,
    fields smallint[] NOT NULL,
    before text[],
    after text[],
    geometry_before bytea,
    geometry_after bytea,
    place box,
    PRIMARY KEY (project, revision, layer, uuid)
);
ALTER TABLE planner.change ALTER geometry_before SET STORAGE EXTERNAL, ALTER geometry_after SET STORAGE EXTERNAL;
CREATE INDEX change_record ON planner.change (project, layer, uuid, revision);
CREATE INDEX change_place ON planner.change USING brin (place) WITH (pages_per_range = 32);

CREATE TABLE planner.definition (
    project integer NOT NULL,
    revision bigint NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    operation text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    PRIMARY KEY (project, revision, ordinal)
);
CREATE INDEX definition_key ON planner.definition (project, kind, key, revision);

-- A layer that came whole: its records are not in the log one by one but by the hash of all of them.
CREATE TABLE planner.bulk (
    project integer NOT NULL,
    revision bigint NOT NULL,
    layer uuid NOT NULL,
    slots integer NOT NULL,
    rows bigint NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (project, layer)
);

-- What became of each push, for those whose answer was lost.
CREATE TABLE planner.push (
    push_id uuid PRIMARY KEY,
    project integer NOT NULL REFERENCES planner.project (id),
    member text NOT NULL,
    digest text NOT NULL,
    revision bigint NOT NULL,
    applied bigint NOT NULL,
    refused jsonb NOT NULL,
    time timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Pushes on their way. Clients may only insert; unlogged, since a commit counts what is there.
CREATE UNLOGGED TABLE planner.stage_push (
    push_id uuid PRIMARY KEY,
    project integer NOT NULL,
    owner text NOT NULL,
    digest text NOT NULL,
    definitions jsonb NOT NULL DEFAULT '[]',
    begun timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNLOGGED TABLE planner.stage (
    push_id uuid NOT NULL,
    ordinal integer NOT NULL,
    owner text NOT NULL DEFAULT session_user,
    layer text,
    uuid text,
    operation text,
    names text[],
    cells text[],
    geometry bytea,
    has_geometry boolean,
    fault text,
    detail text,
    PRIMARY KEY (push_id, ordinal, owner)
);
ALTER TABLE planner.stage ALTER geometry SET STORAGE EXTERNAL, ALTER cells SET STORAGE EXTERNAL;
CREATE UNLOGGED TABLE planner.stage_bulk (
    push_id uuid NOT NULL,
    layer uuid NOT NULL,
    owner text NOT NULL,
    table_name text NOT NULL,
    body jsonb NOT NULL,
    rows bigint,
    digest bytea,
    faults jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (push_id, layer)
);

-- Attachments. Pieces belong to whoever sends them until the whole is there with its hash.
CREATE TABLE planner.blob (
    project integer NOT NULL REFERENCES planner.project (id),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    chunks integer NOT NULL,
    member text NOT NULL,
    added timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, sha256)
);
CREATE TABLE planner.blob_chunk (
    project integer NOT NULL,
    sha256 text NOT NULL,
    owner text NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL,
    sent timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, sha256, owner, number)
);
ALTER TABLE planner.blob_chunk ALTER data SET STORAGE EXTERNAL;

-- Readings of sensors by month; ``batch`` numbers the deliveries of a project in the order of their commits.
CREATE TABLE planner.reading_head (project integer PRIMARY KEY REFERENCES planner.project (id), batch bigint NOT NULL);
CREATE TABLE planner.reading (
    project integer NOT NULL,
    sensor bigint NOT NULL,
    ts bigint NOT NULL,
    value double precision,
    quality smallint NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (project, sensor, ts)
) PARTITION BY RANGE (ts);
CREATE TABLE planner.reading_before PARTITION OF planner.reading FOR VALUES FROM (MINVALUE) TO (946684800000);  -- 2000
CREATE TABLE planner.reading_after PARTITION OF planner.reading FOR VALUES FROM (4102444800000) TO (MAXVALUE);  -- 2100
CREATE INDEX reading_batch ON planner.reading USING brin (batch) WITH (pages_per_range = 32);

-- Rows to queue at for what must happen one at a time (anybody could take an advisory lock and keep it): 1 registering,
-- 2 hashing an attachment, 3 making a partition.
CREATE TABLE planner.turn (id integer PRIMARY KEY);
INSERT INTO planner.turn VALUES (1), (2), (3);

-- What was asked for and not allowed. (Also in the server's own log, which no rollback takes back.)
CREATE TABLE planner.denied (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time timestamptz NOT NULL DEFAULT clock_timestamp(),
    member text NOT NULL DEFAULT session_user,
    address text NOT NULL,
    project integer,
    what text NOT NULL,
    detail jsonb NOT NULL
);
