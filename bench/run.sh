#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# "make bench": see Bench.java.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
java_home=$("$here/../package/find-jdk.sh")
results=$here/results
mkdir -p "$results"
exec "$java_home/bin/java" "$here/Bench.java" --json "$results/bench.json" --pictures "$results" "$@"
