# SPDX-License-Identifier: Apache-2.0
# Makes the virtual environment once, beside the packages of npm, and runs the tests in it.
set -eu
environment=../../../node_modules/.clyra-sql-oracle
if ! cmp -s requirements.txt "$environment/requirements.txt"; then
  python3 -m venv --clear "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
  cp requirements.txt "$environment/requirements.txt"
fi
exec "$environment/bin/python" -B -m unittest discover -v -p 'test_*.py' 2>&1
