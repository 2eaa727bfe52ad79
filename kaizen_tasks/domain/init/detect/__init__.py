"""Detectors: what a Dockerfile, a script, Terraform, Markdown, git tags or an AWS account say about an app."""
