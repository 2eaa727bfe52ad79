"""Moving an environment to another platform: both services side by side, until the old one is retired."""
