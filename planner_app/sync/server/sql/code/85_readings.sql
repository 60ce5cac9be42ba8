-- Readings of sensors.

-- Make the partition a time falls into: 2000 to 2099 by month, what lies outside in one each. Attached, not created in
-- place: that waits for no reader.
CREATE OR REPLACE FUNCTION planner_inner.reading_partition(p_ts bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE month date; name text; first bigint; last bigint;
BEGIN
    month := date_trunc('month', to_timestamp(p_ts / 1000.0) AT TIME ZONE 'UTC')::date;
    name := 'reading_' || to_char(month, 'YYYYMM');
    IF to_regclass('planner.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT planner_inner.lock_row('planner.turn', 'id', 3) THEN
        RAISE lock_not_available;
    END IF;
    IF to_regclass('planner.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    first := extract(epoch FROM month::timestamp) * 1000;
    last := extract(epoch FROM month + interval '1 month') * 1000;
    EXECUTE format('CREATE TABLE planner.%I (LIKE planner.reading INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE planner.reading ATTACH PARTITION planner.%I FOR VALUES FROM (%s) TO (%s)', name, first, last);
END $$;

CREATE OR REPLACE FUNCTION planner.put_readings(p_project uuid, p_sensor bigint[], p_ts bigint[], p_value double precision[], p_quality smallint[])
RETURNS bigint @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project); number bigint; new bigint; one bigint;
BEGIN
    IF planner.my_role() NOT IN ('operator', 'admin') THEN
        PERFORM planner_inner.deny(here.id, 'readings', jsonb_build_object('rows', cardinality(p_ts)));
        RETURN -1;
    END IF;
    IF NOT planner_inner.lock_row('planner.reading_head', 'project', here.id) THEN
        RETURN -2;
    END IF;
    SELECT batch + 1 INTO number FROM planner.reading_head WHERE project = here.id;
    FOR one IN SELECT min(t) FROM unnest(p_ts) t WHERE t >= 946684800000 AND t < 4102444800000
               GROUP BY date_trunc('month', to_timestamp(t / 1000.0) AT TIME ZONE 'UTC') LOOP
        PERFORM planner_inner.reading_partition(one);
    END LOOP;
    INSERT INTO planner.reading (project, sensor, ts, value, quality, batch)
    SELECT here.id, s, t, v, q, number FROM unnest(p_sensor, p_ts, p_value, p_quality) AS x (s, t, v, q) ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS new = ROW_COUNT;
    IF new > 0 THEN
        UPDATE planner.reading_head SET batch = number WHERE project = here.id;
    END IF;
    RETURN new;
END $$;

-- Batches in (p_after, p_until]; of what there is, a range at a time.
CREATE OR REPLACE FUNCTION planner.readings(p_project uuid, p_after bigint, p_until bigint)
RETURNS TABLE (batch bigint, sensor bigint, ts bigint, value double precision, quality smallint) STABLE @definer@ LANGUAGE plpgsql AS $$
DECLARE here planner.project := planner_inner.project_of(p_project);
BEGIN
    RETURN QUERY SELECT r.batch, r.sensor, r.ts, r.value, r.quality FROM planner.reading r
    WHERE r.project = here.id AND r.batch > p_after AND r.batch <= p_until ORDER BY r.batch, r.sensor, r.ts;
END $$;

CREATE OR REPLACE FUNCTION planner.reading_batches(p_project uuid) RETURNS bigint STABLE @definer@ LANGUAGE sql AS $$
    SELECT batch FROM planner.reading_head WHERE project = (planner_inner.project_of(p_project)).id
$$;
