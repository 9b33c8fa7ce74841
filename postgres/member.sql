-- What a standby needs, in the database `postgres` (member.sh). Runs at every start; each statement may be repeated.
\getenv replication_password REPLICATION_PASSWORD
\set VERBOSITY terse
SET client_min_messages = warning;
SET synchronous_commit = local; -- the standby may be away

-- It may copy and follow the server, and log into no database.
SELECT 'CREATE ROLE replicator LOGIN REPLICATION CONNECTION LIMIT 5' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \gexec
ALTER ROLE replicator PASSWORD :'replication_password';

-- Whether commits wait for the standby. The standby has this row as well: with `true` it has everything that was acknowledged.
CREATE TABLE IF NOT EXISTS standby (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    in_sync boolean NOT NULL DEFAULT false
);
INSERT INTO standby DEFAULT VALUES ON CONFLICT DO NOTHING;
