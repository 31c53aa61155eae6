# SPDX-License-Identifier: Apache-2.0
"""The test rig: a real gateway, callers, and the servers that it calls."""
