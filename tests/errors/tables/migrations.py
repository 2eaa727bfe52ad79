"""Moves to ECS that are refused before anything is created: on the command line, and on the shared cloud."""

from __future__ import annotations

from tests.errors.case import PASTE, Case

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "%s"},'
    ' "Action": "sts:AssumeRole"}]}'
)
FOREIGN_ROLE = (
    "aws iam create-role --role-name errors-execution --assume-role-policy-document"
    f" '{TRUST % 'tasks.apprunner.amazonaws.com'}' > /dev/null"
)
WITH_ABSENT_ROLE = "--execution-role absent"

LOCAL_CASES = (
    Case(mistake="a move without a platform",
         typed="inv migrate --env mark", code=2, says="--to is missing",
         hint="inv migrate --env mark --to ecs-express", leads_to=3),
    Case(mistake="a move to a platform that does not exist",
         typed="inv migrate --env mark --to ecs-expres", code=2, says="'ecs-expres' is not a platform to move to",
         hint="inv migrate --env mark --to ecs-express", leads_to=3),
    Case(mistake="--delete without --retire",
         typed="inv migrate --env mark --delete", code=2, says="--delete is for --retire",
         hint="inv migrate --env mark --delete --retire", leads_to=3),
    Case(mistake="the end of both services",
         typed="inv migrate --env mark --retire --undo", code=2, says="--undo the new one",
         hint="choose one of the two", follow=("inv migrate --env mark --undo",), leads_to=3),
    Case(mistake="--retire with a platform",
         typed="inv migrate --env mark --retire --to ecs", code=2, says="--retire goes with neither --to nor",
         hint="leave them out", follow=("inv migrate --env mark --retire",), leads_to=3),
    Case(mistake="a path without a slash",
         typed="inv migrate --env mark --to ecs-express --health-path healthz", code=2,
         says="--health-path: 'healthz' does not begin with /", hint="inv --help migrate"),
)  # fmt: skip

CASES = (
    Case(mistake="a role that does not exist",
         typed=f"inv migrate --env staging --to ecs-express {WITH_ABSENT_ROLE}", code=3,
         lists="staging-errors-service on App Runner → staging-errors-service on ECS Express Mode",
         says="there is no role absent",
         hint="name another one by --execution-role, or have it described: inv migrate --env staging --to ecs-express"
              " --terraform staging.tf",
         leaves=r"/staging\.tf"),
    Case(mistake="a role that ECS cannot assume",
         before=(FOREIGN_ROLE,),
         typed="inv migrate --env staging --to ecs-express --execution-role errors-execution", code=3,
         says="the role errors-execution cannot be assumed by ecs-tasks.amazonaws.com",
         hint="add it to the trust policy: aws iam update-assume-role-policy --role-name errors-execution"
              " --policy-document file://trust.json",
         follow=(f"echo '{TRUST % 'ecs-tasks.amazonaws.com'}' > trust.json", PASTE, "rm trust.json")),
    Case(mistake="what only a person can know about a service on Fargate",
         typed=f"inv migrate --env staging --to ecs {WITH_ABSENT_ROLE}", code=3,
         says="staging cannot move as it is: network: tasks need subnets",
         hint=f"inv migrate --env staging --to ecs {WITH_ABSENT_ROLE} --subnets subnet-ID,subnet-ID --target-group ARN",
         leads_to=3),
    Case(mistake="a service on Fargate without an address",
         typed=f"inv migrate --env staging --to ecs {WITH_ABSENT_ROLE} --subnets a,b --target-group arn", code=3,
         says="ECS gives a service no address",
         hint=f"name the load balancer's: inv migrate --env staging --to ecs {WITH_ABSENT_ROLE} --subnets a,b"
              " --target-group arn --address https://HOST",
         leads_to=3),
    Case(mistake="the end of a move that was never begun",
         typed="inv migrate --env staging --retire --yes", code=2, says="staging is not being moved",
         hint="see what it has: inv status --env staging"),
    Case(mistake="a move from ECS",
         before=("export INVOKE_ENVIRONMENTS_STAGING_PLATFORM=ecs-express",),
         typed="inv migrate --env staging --to ecs-express", code=2, says="only services of App Runner can be moved",
         hint="see where it runs: inv status --env staging",
         follow=("unset INVOKE_ENVIRONMENTS_STAGING_PLATFORM", PASTE)),
)  # fmt: skip
