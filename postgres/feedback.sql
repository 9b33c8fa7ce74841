-- The true values of predictions (POST /feedback). Included by access.sql on every `up`: each statement may be repeated.
CREATE TABLE IF NOT EXISTS feedback (
    id          uuid        NOT NULL, -- of the prediction
    revision    integer     NOT NULL, -- 1, or more for a correction: the highest counts
    actual      jsonb       NOT NULL, -- the true value of each row, null where not known
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, revision)
);

CREATE INDEX IF NOT EXISTS feedback_received_idx ON feedback (received_at);

GRANT SELECT, INSERT ON feedback TO inference;
