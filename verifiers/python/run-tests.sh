# SPDX-License-Identifier: Apache-2.0
# Runs the tests in the verifier's own environment.
set -eu
cd "$(dirname "$0")"
python=$(sh environment.sh)
exec "$python" -B -m unittest discover -v -s tests -t . 2>&1
