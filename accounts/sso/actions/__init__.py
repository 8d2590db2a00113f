"""Every write of single sign-on, one module for each noun."""
