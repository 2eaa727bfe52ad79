"""What an image is built from and what it must answer, without building one."""
