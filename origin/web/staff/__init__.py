"""Pages for staff: rules, support."""
