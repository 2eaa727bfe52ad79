"""Scanners that `kaizen init` collects its evidence with: the repository and the AWS account."""
