"""Detectors, which infer facts about an app from Dockerfile, scripts, Terraform, Markdown, git tags or AWS account."""
