"""The IAM policies that releases and setup need."""
