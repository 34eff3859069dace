"""Sample photos that are drawn at run time, and the demo that shows the product with them."""
