"""Moving services from App Runner to ECS: what no other task reads or changes."""
