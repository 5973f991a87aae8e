# SPDX-License-Identifier: Apache-2.0
# The verifier from a checkout: makes its environment when it is first called.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
python=$(sh "$folder/environment.sh")
PYTHONPATH="$folder" exec "$python" -B -m clyra_verify "$@"
