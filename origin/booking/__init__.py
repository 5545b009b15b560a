"""Appointments: booked exactly, viewed and cancelled by their owner."""
