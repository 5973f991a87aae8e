# SPDX-License-Identifier: Apache-2.0
"""Tests of the verifier; `sh run-tests.sh` runs them in its environment."""
