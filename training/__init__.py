"""How the networks of our own are trained, on drawn pictures alone; no part of the service."""
