"""Files that ship with the app, and the program that makes them."""
