"""Derives a configuration from what was read in an app's repository and AWS account. All functions are pure."""
