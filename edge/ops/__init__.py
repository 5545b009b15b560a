"""What operators do: create rooms, change them, see them, with every change in a log that only grows."""
