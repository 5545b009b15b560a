"""The common look of every page: one small stylesheet, one base template, errors said kindly."""
