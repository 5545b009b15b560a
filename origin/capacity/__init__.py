"""What the origin can take, told to the waiting room."""
