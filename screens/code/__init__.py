"""One kind of question: see view.py."""
