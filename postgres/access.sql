-- Schema and roles of the prediction log. Runs on every `up`, over the local socket; each statement may be repeated.
\getenv postgres_password POSTGRES_PASSWORD
\getenv inference_password INFERENCE_PASSWORD
\getenv monitor_password MONITOR_PASSWORD
\getenv drift_password DRIFT_PASSWORD
\getenv retention_days RETENTION_DAYS
\getenv job_hours JOBS_RETENTION_HOURS

\set VERBOSITY terse
SET client_min_messages = warning;
\ir init.sql

SELECT 'CREATE ROLE inference LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'inference') \gexec

-- On an external server the superuser's password is not changed: there POSTGRES_PASSWORD is not set.
\if :{?postgres_password}
ALTER ROLE postgres PASSWORD :'postgres_password';
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
\endif
ALTER ROLE inference PASSWORD :'inference_password';

-- The api may insert into its log and read it: no UPDATE, no DELETE, no DDL.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO inference;
GRANT USAGE ON SCHEMA public TO inference;
GRANT SELECT, INSERT ON predictions, feedback, shadow_predictions TO inference;
GRANT SELECT ON retention TO inference;
GRANT EXECUTE ON FUNCTION maintain_predictions(), maintain_predictions(integer) TO inference;
\ir jobs.sql
DROP FUNCTION pg_temp.change_table(text);
\ir large_objects.sql

-- Connections that are left for others: 5 each for drift, monitor and other roles, and the superuser's own.
SELECT format('ALTER ROLE inference CONNECTION LIMIT %s', greatest(1, current_setting('max_connections')::integer
              - current_setting('superuser_reserved_connections')::integer - 15)) \gexec

-- How long what was logged is kept; without the settings it stays as it is.
\if :{?retention_days}
SELECT coalesce(nullif(:'retention_days', ''), '0') AS retention_days \gset
SELECT :'retention_days' ~ '^\d{1,6}$' AS valid \gset
\if :valid
UPDATE retention SET log_days = :retention_days;
\else
DO $$ BEGIN RAISE 'RETENTION_DAYS must be a whole number of days, 0 to keep everything'; END $$;
\endif
\endif
\if :{?job_hours}
SELECT coalesce(nullif(:'job_hours', ''), '168') AS job_hours \gset
SELECT :'job_hours' ~ '^0*[1-9]\d{0,5}$' AS valid \gset
\if :valid
UPDATE retention SET job_hours = :job_hours;
\else
DO $$ BEGIN RAISE 'JOBS_RETENTION_HOURS must be a whole number of hours of at least 1'; END $$;
\endif
\endif

-- For 95-monitor_model.py: the log, read-only.
\if :{?drift_password}
SELECT 'CREATE ROLE drift LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'drift') \gexec
ALTER ROLE drift PASSWORD :'drift_password' CONNECTION LIMIT 5;
ALTER ROLE drift SET default_transaction_read_only = on;
GRANT CONNECT ON DATABASE :"DBNAME" TO drift;
GRANT USAGE ON SCHEMA public TO drift;
GRANT SELECT ON predictions, feedback, shadow_predictions TO drift;
\endif

-- For the exporters of the monitoring overlay: statistics only, no tables.
\if :{?monitor_password}
SELECT 'CREATE ROLE monitor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
ALTER ROLE monitor PASSWORD :'monitor_password' CONNECTION LIMIT 5;
GRANT pg_monitor TO monitor;
GRANT CONNECT ON DATABASE :"DBNAME" TO monitor;
\endif
