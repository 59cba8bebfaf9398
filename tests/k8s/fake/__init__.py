# SPDX-License-Identifier: GPL-2.0-or-later
"""A Kubernetes API server that does what a script says, and else what a good one does. See ../server."""
