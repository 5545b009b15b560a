"""The line itself: what a room is, every act of it in the store, and the picture that one process has of it."""
