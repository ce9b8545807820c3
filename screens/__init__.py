"""What the resident sees and hears. Only this folder knows Kivy.

``compose`` turns a question and the moment's state into a picture, which is data; ``painter`` draws it with Kivy.
"""
