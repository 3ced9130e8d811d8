"""Files elsewhere: object stores and web servers. Nothing that comes from there is trusted.

Local files and addresses inside others are not opened, redirects are not followed, files have a largest size, and what
is said about an address is said without its credentials.
"""
