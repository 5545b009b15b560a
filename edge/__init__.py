"""The waiting room: a line of visitors, and admission tokens at the rate the booking system can serve."""
