"""Who may have what: rule documents, their evaluation, versions and decisions."""
