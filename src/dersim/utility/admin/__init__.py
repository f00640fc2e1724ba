"""The operator's REST and page on the admin port."""
