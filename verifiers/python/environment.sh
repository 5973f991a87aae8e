# SPDX-License-Identifier: Apache-2.0
# Makes the virtual environment once, beside the packages of npm, and prints its interpreter. Seen whole or not at all.
set -eu
cd "$(dirname "$0")"
environment=../../node_modules/.clyra-pyverify
if ! cmp -s requirements.txt "$environment/requirements.txt"; then
  python3 -m venv --clear "$environment" >&2
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.txt >&2
  cp requirements.txt "$environment/requirements.txt"
fi
echo "$PWD/$environment/bin/python"
