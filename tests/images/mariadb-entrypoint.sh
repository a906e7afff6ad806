#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The entrypoint of dkvm-test/mariadb: makes the database at the first start, with the official image's variables.
set -eu

# A string literal for SQL.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"; }

first_start() {
    if [ -z "${MARIADB_ROOT_PASSWORD:-}${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}" ]; then
        echo 'error: the database is uninitialized and no password option is given:' >&2
        echo 'set MARIADB_ROOT_PASSWORD or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD' >&2
        exit 1
    fi
    echo 'initializing the database'
    mariadb-install-db --user=mysql --datadir=/var/lib/mysql --auth-root-authentication-method=normal --skip-test-db >/dev/null
    # The server runs this file when it starts, one statement a line, before it takes connections.
    (
        umask 077
        {
            printf 'CREATE USER root@%s IDENTIFIED BY %s;\n' "'%'" "$(quoted "${MARIADB_ROOT_PASSWORD:-}")"
            printf 'GRANT ALL ON *.* TO root@%s WITH GRANT OPTION;\n' "'%'"
            printf 'ALTER USER root@localhost IDENTIFIED BY %s;\n' "$(quoted "${MARIADB_ROOT_PASSWORD:-}")"
            if [ -n "${MARIADB_DATABASE:-}" ]; then
                # shellcheck disable=SC2016 # SQL's quotes
                printf 'CREATE DATABASE IF NOT EXISTS `%s`;\n' "$(printf '%s' "$MARIADB_DATABASE" | sed 's/`/``/g')"
            fi
        } >/run/mysqld/first-start.sql
    )
    chown mysql:mysql /run/mysqld/first-start.sql
}

case ${1:-mariadbd} in
    -*) set -- mariadbd "$@" ;;
esac
if [ "$1" = mariadbd ]; then
    mkdir -p /run/mysqld /var/lib/mysql
    chown mysql:mysql /run/mysqld /var/lib/mysql
    rm -f /run/mysqld/first-start.sql
    if [ ! -d /var/lib/mysql/mysql ]; then
        first_start
        shift
        set -- mariadbd --init-file=/run/mysqld/first-start.sql "$@"
    fi
    shift
    set -- mariadbd --user=mysql "$@"
fi
exec "$@"
