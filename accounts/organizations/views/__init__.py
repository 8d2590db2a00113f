"""HTTP of organizations. Each page starts from the membership in which the person acts."""
