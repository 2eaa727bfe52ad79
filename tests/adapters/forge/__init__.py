"""Tests of the adapters of GitHub and GitLab."""
