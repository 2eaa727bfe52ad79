"""Scanners of `kaizen init`: one reads the repository, the other the AWS account."""
