"""The provider's side: slots that a site cancels, and its list of a day."""
