"""How the networks in our own package are made: trained on drawn pictures, or rounded.

No part of the service.
"""
