"""Every write to second factors, one module per noun."""
