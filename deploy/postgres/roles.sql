-- The database of otpd and who may do what in it. As a superuser, with the passwords in the
-- environment:
--   OTPD_DATABASE_PASSWORD=… OTPD_READER_PASSWORD=… psql -f roles.sql
--
-- otpd is nobody's superior: it owns its schema and nothing else. It must own it, because it brings
-- the tables up to date and makes and drops a partition of the audit log for each month.
-- otpd_reader may only look: for people and reports.
\set ON_ERROR_STOP on
\getenv otpd_password OTPD_DATABASE_PASSWORD
\getenv reader_password OTPD_READER_PASSWORD

CREATE ROLE otpd LOGIN PASSWORD :'otpd_password'
  NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 200;
CREATE ROLE otpd_reader LOGIN PASSWORD :'reader_password'
  NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 10;

CREATE DATABASE otpd ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
REVOKE ALL ON DATABASE otpd FROM PUBLIC;
GRANT CONNECT ON DATABASE otpd TO otpd, otpd_reader;
ALTER ROLE otpd IN DATABASE otpd SET search_path = otpd;
ALTER ROLE otpd_reader IN DATABASE otpd SET search_path = otpd;
ALTER ROLE otpd_reader IN DATABASE otpd SET default_transaction_read_only = on;

\connect otpd
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA otpd AUTHORIZATION otpd;
GRANT USAGE ON SCHEMA otpd TO otpd_reader;
-- What otpd makes later, the partitions of next months too, can be read.
ALTER DEFAULT PRIVILEGES FOR ROLE otpd IN SCHEMA otpd GRANT SELECT ON TABLES TO otpd_reader;
