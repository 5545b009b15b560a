"""How fast a room goes: from the booking system's capacity feed to tokens a second."""
