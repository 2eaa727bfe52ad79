"""Reads what Terraform creates: HCL, its expressions, its modules, their services and environments."""
