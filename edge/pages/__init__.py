"""The waiting room as pages, for people: complete without JavaScript, live with it."""
