-- Schema and roles of the prediction log. Runs on every `up`, over the local socket; each statement may be repeated.
\getenv postgres_password POSTGRES_PASSWORD
\getenv inference_password INFERENCE_PASSWORD

SET client_min_messages = warning;
\ir init.sql

SELECT 'CREATE ROLE inference LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'inference') \gexec

\if :{?postgres_password} -- not on an external server, whose superuser is not ours
ALTER ROLE postgres PASSWORD :'postgres_password';
\endif
ALTER ROLE inference PASSWORD :'inference_password';

-- The api may add to its log and read it: no UPDATE, no DELETE, no DDL.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO inference;
GRANT USAGE ON SCHEMA public TO inference;
GRANT SELECT, INSERT ON predictions TO inference;
GRANT EXECUTE ON FUNCTION maintain_predictions(integer) TO inference;
