# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that is there before its API, and how it gets ready."""

from real.cluster import NotThere, wait_for


def test_not_installed(bed):
    bed.apply("namespace.yaml", "rbac.yaml")
    bed.give_token()
    bed.agent.start()

    def says():
        code, text = bed.agent.page("/readyz")
        return code == 503 and "bindctl.io/v1alpha1 is not installed" in text and text
    try:
        wait_for("that the API is not installed", says)
        bed.tap.ok(True, "an agent says that its API is not installed")
    except NotThere:
        bed.tap.ok(False, "an agent says that its API is not installed", *bed.agent.page("/readyz"))
    bed.tap.same(bed.agent.page("/healthz")[0], 200, "which does not make it unhealthy")
    bed.tap.same(bed.agent.rules(), {}, "nothing is in force")


def test_installed(bed):
    bed.apply("crds", "editors.yaml")
    bed.cluster.aggregate_roles()
    bed.agent.await_ready()
    bed.tap.ok(True, "once the API is installed the agent is ready by itself")
    bed.sync()
    bed.tap.ok(True, "a change of each kind gets into force")
    bed.tap.ok(bed.agent.metric(r'bindctl_agent_synced\{.*') == 4, "all four resources are synced, by its metrics")
