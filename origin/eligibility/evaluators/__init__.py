"""The evaluators by version. Old ones are kept, so that whatever they decided can be decided again."""
