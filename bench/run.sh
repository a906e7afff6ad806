#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# "make bench": see Bench.java.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
java_home=$("$here/../package/find-jdk.sh")
mkdir -p "$here/results"
exec "$java_home/bin/java" "$here/Bench.java" --json "$here/results/bench.json" "$@"
