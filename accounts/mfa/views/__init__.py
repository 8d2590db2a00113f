"""HTTP of second factors: the steps of signing in, and the pages of a person who is signed in."""
