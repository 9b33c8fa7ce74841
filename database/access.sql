-- Roles of the training database. Runs on every `up`, over the local socket; each statement may be repeated.
SET client_min_messages = warning;
\getenv postgres_password POSTGRES_PASSWORD
\getenv pipeline_password PIPELINE_PASSWORD
\getenv reader_password READER_PASSWORD
\getenv monitor_password MONITOR_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', role)
  FROM unnest(ARRAY['pipeline', 'reader']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

-- On an external server the superuser's password is not changed: there POSTGRES_PASSWORD is not set.
\if :{?postgres_password}
ALTER ROLE postgres PASSWORD :'postgres_password';
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
\endif
ALTER ROLE pipeline PASSWORD :'pipeline_password' CONNECTION LIMIT 20;
ALTER ROLE reader PASSWORD :'reader_password' CONNECTION LIMIT 40;
ALTER ROLE reader SET default_transaction_read_only = on;

-- The pipeline owns its tables; the reader may only read them.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
\ir large_objects.sql
GRANT CONNECT ON DATABASE :"DBNAME" TO pipeline, reader;
GRANT USAGE, CREATE ON SCHEMA public TO pipeline;
GRANT USAGE ON SCHEMA public TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO pipeline, reader; -- also tables that you created as postgres
SELECT format('GRANT pipeline TO %I', current_user) WHERE NOT pg_has_role('pipeline', 'USAGE') \gexec -- no superuser
ALTER DEFAULT PRIVILEGES FOR ROLE pipeline IN SCHEMA public GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pipeline, reader;

-- For the exporters of the monitoring overlay: statistics only, no tables.
\if :{?monitor_password}
SELECT 'CREATE ROLE monitor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
ALTER ROLE monitor PASSWORD :'monitor_password' CONNECTION LIMIT 5;
GRANT pg_monitor TO monitor;
GRANT CONNECT ON DATABASE :"DBNAME" TO monitor;
\endif
