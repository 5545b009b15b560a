"""The formats of rule documents, one module each. Those that are stored stay readable."""
