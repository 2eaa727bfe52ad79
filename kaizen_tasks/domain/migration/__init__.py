"""From one platform to another: the old service, the new one, what becomes what, Terraform for it."""
