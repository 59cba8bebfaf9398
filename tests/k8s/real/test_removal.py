# SPDX-License-Identifier: GPL-2.0-or-later
"""When the API is taken away under a running agent."""

import re

from real.agent import GROUP
from real.cluster import wait_for
from real.test_pods import grant

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def test_definitions_removed(bed):
    """With them go the policies, as if each had been removed: their deletion is told before the API is gone."""
    bed.check_untouched()
    bed.node.namespace("removal")
    process = bed.node.pod("removal", "one").process()
    bed.policy("removal", "all", [grant(80)])
    bed.sync()
    bed.let(process, 80, "before")
    for name in ("bindpolicies", "clusterbindpolicies"):
        bed.admin.delete(f"{CRDS}/{name}.bindctl.io")
    watching = r'bindctl_agent_watching\{resource="(cluster)?bindpolicies"\}'
    wait_for("the agent to miss them", lambda: bed.agent.metric(watching) == 0)
    bed.tap.ok(re.search(r"resource=bindpolicies .*404", bed.agent.log()), "the agent says that the API is not there")
    bed.tap.same(bed.agent.page("/healthz")[0], 200, "the agent is alive")
    wait_for("the end of the definitions", lambda: not bed.admin.get(CRDS)["items"])
    bed.refused(process, 80, "what a policy granted that was removed is not granted")
    bed.apply("crds")
    wait_for("the API", lambda: "items" in bed.admin.get(f"{GROUP}/clusterbindpolicies"))
    bed.policy("removal", "all", [grant(81)])
    bed.agent.await_ready()
    bed.sync()
    bed.let(process, 81, "installed again it is in force again")
    bed.refused(process, 80, "and what was before is not")
    bed.clear("removal")
