-- Schema and roles of the prediction log. Runs on every `up`, over the local socket; each statement may be repeated.
\getenv postgres_password POSTGRES_PASSWORD
\getenv inference_password INFERENCE_PASSWORD
\getenv monitor_password MONITOR_PASSWORD
\getenv drift_password DRIFT_PASSWORD

SET client_min_messages = warning;
\ir init.sql

SELECT 'CREATE ROLE inference LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'inference') \gexec

-- On an external server the superuser's password is not changed: there POSTGRES_PASSWORD is not set.
\if :{?postgres_password}
ALTER ROLE postgres PASSWORD :'postgres_password';
\endif
ALTER ROLE inference PASSWORD :'inference_password';

-- The api may insert into its log and read it: no UPDATE, no DELETE, no DDL.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO inference;
GRANT USAGE ON SCHEMA public TO inference;
GRANT SELECT, INSERT ON predictions TO inference;
GRANT EXECUTE ON FUNCTION maintain_predictions(integer) TO inference;
\ir jobs.sql

-- For 95-monitor_model.py: the log, read-only.
\if :{?drift_password}
SELECT 'CREATE ROLE drift LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'drift') \gexec
ALTER ROLE drift PASSWORD :'drift_password' CONNECTION LIMIT 5;
ALTER ROLE drift SET default_transaction_read_only = on;
GRANT CONNECT ON DATABASE :"DBNAME" TO drift;
GRANT USAGE ON SCHEMA public TO drift;
GRANT SELECT ON predictions TO drift;
\endif

-- For the exporters of the monitoring overlay: statistics only, no tables.
\if :{?monitor_password}
SELECT 'CREATE ROLE monitor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
ALTER ROLE monitor PASSWORD :'monitor_password' CONNECTION LIMIT 5;
GRANT pg_monitor TO monitor;
GRANT CONNECT ON DATABASE :"DBNAME" TO monitor;
\endif
