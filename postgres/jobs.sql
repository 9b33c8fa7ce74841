-- Asynchronous predictions (profile async). Included by access.sql on every `up`: each statement may be repeated.
-- The row is authoritative; a message in RabbitMQ only holds the job's id.
CREATE TABLE IF NOT EXISTS jobs (
    id              uuid        PRIMARY KEY,  -- UUIDv7, made by the api; also the id of the logged prediction
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'in_progress', 'completed', 'failed')),
    input_data      jsonb       NOT NULL,     -- rows, a list for each
    asked_version   integer,                  -- NULL: the model that is current when the job is processed
    request_id      text        NOT NULL,
    idempotency_key text        UNIQUE,
    fingerprint     bytea       NOT NULL,     -- of the request: distinguishes a repeated request from another one
    submitted_at    timestamptz NOT NULL,     -- the time in the id, and the timestamp of the logged prediction
    published_at    timestamptz,              -- when RabbitMQ last confirmed a message for it
    attempts        integer     NOT NULL DEFAULT 0,
    worker          text,                     -- the attempt that has taken it, or had
    lease_until     timestamptz,              -- after it another worker may take the job over
    finished_at     timestamptz,
    model_version   integer,
    answer          jsonb,
    problem         jsonb,
    columns         jsonb,                    -- names, if the rows are for no model of other columns; or NULL
    CHECK ((state IN ('completed', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'completed') = (answer IS NOT NULL AND model_version IS NOT NULL)),
    CHECK ((state = 'failed') = (problem IS NOT NULL))
);

-- The first release had rows of plain numbers only.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'jobs'::regclass AND attname = 'columns') THEN
        PERFORM pg_temp.change_table('ALTER TABLE jobs ADD COLUMN columns jsonb');
    END IF;
END $$;

CREATE INDEX IF NOT EXISTS jobs_unfinished_idx ON jobs (submitted_at) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS jobs_finished_idx ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_state_idx ON jobs (state);

-- Deletes jobs that finished longer ago than the table `retention` allows, in batches; returns the number.
-- SECURITY DEFINER: the worker may call it, but can neither delete an unfinished job nor choose the time.
CREATE OR REPLACE FUNCTION expire_jobs() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH expired AS (
        DELETE FROM jobs WHERE id IN (
            SELECT id FROM jobs WHERE finished_at < now() - (SELECT make_interval(hours => job_hours) FROM retention)
             ORDER BY finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
        RETURNING id)
    SELECT count(*) FROM expired
$$;

-- For the worker of an earlier release during an update. Its argument is ignored.
CREATE OR REPLACE FUNCTION expire_jobs(keep_hours integer) RETURNS bigint
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT expire_jobs()
$$;

-- The api and the worker may add jobs and update their state, but not change their requests.
REVOKE EXECUTE ON FUNCTION expire_jobs(), expire_jobs(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION expire_jobs(), expire_jobs(integer) TO inference;
GRANT SELECT, INSERT ON jobs TO inference;
GRANT UPDATE (state, published_at, attempts, worker, lease_until, finished_at, model_version, answer, problem)
   ON jobs TO inference;
