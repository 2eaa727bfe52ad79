"""Reads Dockerfiles as BuildKit does: https://docs.docker.com/reference/dockerfile/."""
