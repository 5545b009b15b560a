"""Booking as pages, for people: complete without JavaScript. The pages of staff have a room of their own."""
