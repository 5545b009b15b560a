"""How Vestibule runs: the ``vestibule`` command, the one-machine stack, the demo programme."""
