"""Files elsewhere: object stores and web servers. Nothing that comes from there is trusted.

Only a few schemes are opened, redirects are not followed, files have a largest size, and what is said about an address
is said without its credentials.
"""
