"""Implementations of the ports, one package for each outside system. Only this package and localcloud import SDKs."""
