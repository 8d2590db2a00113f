"""The one-command start: embedded servers, supervision, checks, demo data. Never imported in production."""
