-- The prediction log. Runs when the volume is empty, and again on every `up`: each statement may be repeated.
-- One row per request: input_data holds its rows; prediction, confidence and the columns of the answer hold one entry
-- per row.
CREATE TABLE IF NOT EXISTS predictions (
    id            uuid             NOT NULL, -- UUIDv7, made by the api: the idempotency key
    input_data    jsonb            NOT NULL,
    prediction    jsonb            NOT NULL,
    confidence    jsonb            NOT NULL,
    "timestamp"   timestamptz      NOT NULL,
    model_version integer          NOT NULL,
    cached        boolean          NOT NULL,
    intervals     jsonb,                     -- of a regressor: 95 % prediction interval of each row
    request_id    text             NOT NULL,
    latency       double precision NOT NULL, -- seconds from the request's arrival to this row's batch
    probabilities jsonb,                     -- of a classifier: an object for each row, by class
    prediction_sets jsonb,                   -- of a classifier: 95 % prediction set of each row
    PRIMARY KEY (id, "timestamp")            -- the partition key must be part of it
) PARTITION BY RANGE ("timestamp");

-- Changes a table of an earlier release. Writers queue behind a statement that waits for a table lock, so behind a long
-- reader this one gives up and tries again. In pg_temp: it is gone at the end of the session.
CREATE OR REPLACE FUNCTION pg_temp.change_table(change text) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
BEGIN
    FOR attempt IN 1..60 LOOP
        BEGIN
            EXECUTE change;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.5);
        END;
    END LOOP;
    RAISE 'a table cannot be changed, because a long statement uses it: end that, then try again (%)', change;
END $$;

-- The first release had no classifiers. Without a default the new columns cost no rewrite of the table.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'predictions'::regclass AND attname = 'prediction_sets') THEN
        PERFORM pg_temp.change_table('ALTER TABLE predictions ADD COLUMN probabilities jsonb,
                                      ADD COLUMN prediction_sets jsonb, ALTER COLUMN intervals DROP NOT NULL');
    END IF;
END $$;

CREATE INDEX IF NOT EXISTS predictions_timestamp_idx ON predictions ("timestamp");

-- Rows of a month without a partition go here, so that missed maintenance loses nothing.
CREATE TABLE IF NOT EXISTS predictions_default PARTITION OF predictions DEFAULT;

-- Creates the partition of one month, and moves that month's rows from the default partition into it.
CREATE OR REPLACE FUNCTION create_predictions_partition(month date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name      text := 'predictions_' || to_char(month, 'YYYY_MM');
    starts_at timestamptz := month::timestamp AT TIME ZONE 'UTC';
    ends_at   timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    LOCK TABLE predictions IN SHARE ROW EXCLUSIVE MODE; -- writers wait, so no row is added to the default partition
    EXECUTE format('CREATE TABLE %I (LIKE predictions INCLUDING DEFAULTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM predictions_default WHERE "timestamp" >= %L AND "timestamp" < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', starts_at, ends_at, name);
    EXECUTE format('ALTER TABLE predictions ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, starts_at, ends_at);
END $$;

-- The true values of predictions (POST /feedback).
CREATE TABLE IF NOT EXISTS feedback (
    id          uuid        NOT NULL, -- of the prediction
    revision    integer     NOT NULL, -- 1, or more for a correction: the highest counts
    actual      jsonb       NOT NULL, -- the true value of each row, null where not known
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, revision)
);

CREATE INDEX IF NOT EXISTS feedback_received_idx ON feedback (received_at);

-- What a version that is tried (`models shadow`) says to the same rows, but for those that came while the api was busy.
CREATE TABLE IF NOT EXISTS shadow_predictions (
    id            uuid    NOT NULL, -- of the prediction
    version       integer NOT NULL, -- of the model that was tried
    prediction    jsonb   NOT NULL,
    probabilities jsonb,            -- of a classifier
    PRIMARY KEY (id, version)
);

-- How long predictions and jobs are kept. A caller of the functions below cannot change it; access.sql does.
CREATE TABLE IF NOT EXISTS retention (
    one_row   boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    log_days  integer NOT NULL DEFAULT 0 CHECK (log_days >= 0),   -- of the prediction log; 0 keeps everything
    job_hours integer NOT NULL DEFAULT 168 CHECK (job_hours >= 1) -- of finished jobs
);
INSERT INTO retention DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The least id of a prediction of this time: an id begins with its time, in milliseconds.
CREATE OR REPLACE FUNCTION id_at(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT (lpad(to_hex(floor(1000 * extract(epoch FROM moment))::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Creates the partitions of this month and the next two; drops those that ended more than `keep_days` ago (0 keeps
-- all) and returns their names. lock_timeout: writers queue behind a statement that waits for a table lock, so behind a
-- long reader this one gives up and the api retries a little later.
CREATE OR REPLACE FUNCTION maintain_partitions(keep_days integer) RETURNS text[]
LANGUAGE plpgsql
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms' AS $$
DECLARE
    old     text;
    deleted bigint;
    dropped text[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('maintain_predictions')) THEN
        RETURN dropped; -- another replica is doing it
    END IF;
    PERFORM create_predictions_partition((date_trunc('month', now()) + make_interval(months => ahead))::date)
       FROM generate_series(0, 2) AS ahead;
    DELETE FROM shadow_predictions WHERE id < id_at(now() - make_interval(days => least(nullif(keep_days, 0), 90))); -- 90 at most
    IF keep_days <= 0 THEN
        RETURN dropped;
    END IF;
    FOR old IN
        SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid
         WHERE inhparent = 'predictions'::regclass AND relname ~ '^predictions_\d{4}_\d{2}$'
           AND to_date(right(relname, 7), 'YYYY_MM') + interval '1 month' < now() - make_interval(days => keep_days)
         ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', old);
        dropped := dropped || old;
    END LOOP;
    DELETE FROM predictions_default WHERE "timestamp" < now() - make_interval(days => keep_days);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    IF deleted > 0 THEN
        dropped := dropped || format('%s rows of predictions_default', deleted);
    END IF;
    DELETE FROM feedback WHERE id < id_at(now() - make_interval(months => 1, days => keep_days)); -- a month is dropped when its last day has expired
    RETURN dropped;
END $$;

-- SECURITY DEFINER: the api may call it, but owns no table and cannot choose what is dropped.
CREATE OR REPLACE FUNCTION maintain_predictions() RETURNS text[]
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT maintain_partitions(log_days) FROM retention
$$;

-- For the api of an earlier release during a rolling update. Its argument is ignored.
CREATE OR REPLACE FUNCTION maintain_predictions(keep_days integer) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT maintain_predictions()
$$;

DO $$ BEGIN PERFORM maintain_partitions(0); END $$;
