"""Renders pipelines of GitHub Actions and GitLab CI, whose jobs run one task each."""
