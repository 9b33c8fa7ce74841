-- By default every role may create large objects, which no privilege on a table limits. Only a superuser can change
-- that: on a server that is managed for you it stays as it is.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
  FROM pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace
   AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import')
   AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec
