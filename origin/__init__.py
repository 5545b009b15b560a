"""The booking system: eligibility by versioned rules, exact booking, an audit of everything it did."""
