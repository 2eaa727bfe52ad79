"""Scanners for `kaizen init`: of the repository and of the AWS account."""
