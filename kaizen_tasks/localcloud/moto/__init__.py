"""AWS services that moto answers for, and patches for what moto gets wrong."""
