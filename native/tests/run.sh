#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh DIRECTORY TEST…: run each test program and count its TAP lines.
set -u

directory=$1
shift
passed=0
failed=0
for name; do
	echo "# $name"
	output=$("$directory/$name" 2>&1)
	status=$?
	printf '%s\n' "$output"
	passed=$((passed + $(printf '%s\n' "$output" | grep -c '^ok ')))
	bad=$(printf '%s\n' "$output" | grep -c '^not ok ')
	# a program that dies before its plan has failed, whatever it had said
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "not ok - $name ended with $status"
		bad=1
	fi
	failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
