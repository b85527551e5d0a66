#!/bin/bash
# Two accounts, each with databases of its own; neither is an administrator. Run once by the image, on an empty volume.
set -euo pipefail
for account in temporal tourniquet; do
  psql -v ON_ERROR_STOP=1 -v account="$account" -v password="$(cat "/run/secrets/${account}_password")" <<'SQL'
CREATE ROLE :"account" LOGIN PASSWORD :'password';
SQL
done
psql -v ON_ERROR_STOP=1 <<'SQL'
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE tourniquet OWNER tourniquet;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, tourniquet FROM PUBLIC;
SQL
