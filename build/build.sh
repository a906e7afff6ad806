#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Docker image that installs DKVM. All that is built is in this directory, beside this script.
set -eu
cd "$(dirname "$0")/.."
exec make image
