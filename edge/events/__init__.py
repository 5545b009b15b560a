"""What happens in a room, told to those outside: observed, kept in an outbox, delivered as signed webhooks."""
