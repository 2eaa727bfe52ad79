"""`python -m kaizen_tasks` is `kaizen`."""

from kaizen_tasks.program import main

main()
