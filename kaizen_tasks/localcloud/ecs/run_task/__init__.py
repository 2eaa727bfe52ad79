"""RunTask: how tasks run by themselves, and the operations on tasks."""
