"""A hat shop. Its parts belong to three teams; ownership_rules.yaml says which is whose."""
