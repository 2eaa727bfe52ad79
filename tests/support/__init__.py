"""What the tests share: scratch apps, clones, local clouds, registries and servers that misbehave."""
