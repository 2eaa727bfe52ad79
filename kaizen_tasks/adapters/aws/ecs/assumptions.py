"""What nobody could prove about ECS without an account, in one place: what is assumed, and what follows from it.

What is known, and from where, is beside the code that uses it. This is where to look when ECS in a real account does
something else. Beside the constants below, these are assumed:

- An update of an Express service may replace what it leaves out, so all of the active configuration is sent, and
  compared with the answer (`express/configuration.py`).
- An Express service that was created with a task definition of one's own shows `taskDefinitionArn` and no
  `primaryContainer`. It gets a new revision of that definition.
- An Express service whose first deployment failed has no active configuration: there is nothing that another deployment
  could repeat, so it counts as not created. A plain service has its task definition, and can be deployed.
- An update that changes nothing may deploy nothing. To deploy the image that is configured already, as after new values
  of secrets, `UpdateService(forceNewDeployment=True)` is sent, which issues say works on Express services too.
- What a second update does while a deployment runs is not known of Express services. None is sent: a service whose
  deployment runs is busy (`service_deployments.py`). If somebody's update comes in between, all of superseded, queued
  and refused are understood.
- A deployment is superseded if it is STOPPED, and a later one was created before it ended; ECS does not say so. In the
  answers of a real account (https://github.com/kayac/ecspresso/issues/899) the later one was created 0.3 s before. One
  that was stopped before a later one was created was stopped by hand.
- A service is running the digest that its image reference names; only an image with a tag is looked up in its revision.
"""

from __future__ import annotations

FIRST_USE_MESSAGES = ("Unable to assume the service linked role", "Cannot assume role")
"""Parts of the errors that ECS answers while roles that were just created are not known everywhere.

The first use of ECS in an account creates its service-linked role. Seen in issues, not documented.
"""

FIRST_USE_SECONDS = 120.0
"""Seconds for which a request with such an answer is repeated."""

FIRST_USE_INTERVAL_SECONDS = 5.0

TARGET_SEARCH_SECONDS = 30.0
"""Seconds for which the revision that an update deploys is searched, if the answer of the update does not name it.

Assumed: the answer of an Express service names it in `targetConfiguration.serviceRevisionArn`, and that of a plain one
among `currentServiceRevisions`. If not, the deployments are listed until one has our image that was not there before
the update; it is never the newest by a clock.
"""

TARGET_SEARCH_INTERVAL_SECONDS = 1.0

EXPRESS_CONTAINER = "Main"
"""The container of an Express service. It is documented for definitions of one's own, and assumed for all others:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateExpressGatewayService.html.
"""
