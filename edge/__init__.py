"""The waiting room: it keeps everybody's place in line and lets people through at the rate the origin can serve."""
