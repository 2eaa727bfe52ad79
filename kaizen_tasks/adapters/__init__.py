"""Implementations of the ports, one package for each outside system. SDKs are imported here and nowhere else but in localcloud."""
