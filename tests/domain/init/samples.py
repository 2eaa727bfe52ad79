"""A typical app: a script with a branch for each target, Terraform with variables for each environment."""

from __future__ import annotations

SCRIPT = """\
#!/usr/bin/env bash
# Usage: deploy.sh staging|prod|beta|mark|shane|dom|all [version]
set -e
REGISTRY="123456789012.dkr.ecr.eu-west-1.amazonaws.com"
REGION="eu-west-1"

declare -A REPOS
REPOS[staging]="staging-kaizencoach-app"
REPOS[prod]="my-personal-coach-app"
REPOS[mark]="mark-kaizencoach-app"
REPOS[shane]="shane-kaizencoach-app"
REPOS[dom]="dom-kaizencoach-app"

TARGET="$1"
case "$TARGET" in
    staging) LIST=("${REPOS[staging]}") ;;
    prod)    LIST=("${REPOS[prod]}") ;;
    beta)    LIST=("${REPOS[mark]}" "${REPOS[shane]}" "${REPOS[dom]}") ;;
    mark)    LIST=("${REPOS[mark]}") ;;
    shane)   LIST=("${REPOS[shane]}") ;;
    dom)     LIST=("${REPOS[dom]}") ;;
    all)     LIST=("${REPOS[staging]}" "${REPOS[prod]}" "${REPOS[mark]}" "${REPOS[shane]}" "${REPOS[dom]}") ;;
    *)       echo "Unknown target: $TARGET"; exit 1 ;;
esac
for REPO in "${LIST[@]}"; do
    docker push "$REGISTRY/$REPO:latest"
done
"""

TERRAFORM = {
    "infra/main.tf": """\
provider "aws" {
  region = var.region
}
variable "name" {
  default = "kaizencoach" # the prefix of every name
}
variable "env" {
  type = string
}
variable "region" {
  default = "eu-west-1"
}
variable "domain_name" {
  type = string
}
""",
    "infra/app.tf": """\
resource "aws_ecr_repository" "app" {
  name = var.env == "prod" ? "${var.name}-app" : "${var.env}-${var.name}-app"
}

resource "aws_apprunner_service" "app" {
  service_name = var.env == "prod" ? "${var.name}-service" : "${var.env}-${var.name}-service"
  source_configuration {
    image_repository {
      image_identifier = "${aws_ecr_repository.app.repository_url}:latest"
    }
  }
}

resource "aws_apprunner_custom_domain_association" "main" {
  domain_name = var.domain_name
}
""",
    "infra/environments/prod/vars.tfvars": """\
domain_name = "www.kaizencoach.training"
env = "prod"
name = "my-personal-coach"
""",
    **{
        f"infra/environments/{name}/vars.tfvars": f'domain_name = "{name}.kaizencoach.training"\nenv = "{name}"\n'
        for name in ("staging", "mark", "shane", "dom")
    },
}

DOCKERFILE = """\
FROM node:20-alpine AS css
ARG NODE_ENV=production
RUN npm run build
FROM python:3.12-slim AS builder
RUN pip install flask
FROM python:3.12-slim
ARG VERSION=dev
ENV APP_VERSION=${VERSION}
EXPOSE 8080
CMD ["gunicorn", "app:app"]
"""

APP = {
    "VERSION": "0.1.7\n",
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [0.1.7] - 2026-02-06\n\n### Fixed\n\n- Paces\n",
    "Dockerfile": DOCKERFILE,
    "requirements.txt": "flask\ngunicorn\n",
    "app.py": '@app.route("/version")\ndef version(): ...\n',
    "scripts/deploy.sh": SCRIPT,
    ".gitignore": "__pycache__/\n",
}
"""The files of the app, without its Terraform."""
