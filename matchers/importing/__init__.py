"""Other tools' ownership → a starting rules file, and a list of what it could not say."""
