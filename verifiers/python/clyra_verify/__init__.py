# SPDX-License-Identifier: Apache-2.0
"""A verifier of evidence bundles, written from docs/spec alone."""

__version__ = "0.0.0"
